"""Threads that the threading module traces and profiles from their start.

See traced.py, of which it uses the functions.
"""

import _thread
import importlib.util
import os
import threading


def load(path):
    spec = importlib.util.spec_from_file_location("traced_for_threads", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


traced = load(os.path.join(os.path.dirname(os.path.abspath(__file__)), "traced.py"))
CALLED = traced.CALLED


class Started:
    """In place of a thread's Event, whose waiting depends on time."""

    def __init__(self):
        lock = _thread.allocate_lock()
        lock.acquire()
        self.wait = lock.acquire
        self.lock = lock
        self.flag = False

    def set(self):
        self.flag = True
        self.lock.release()

    def is_set(self):
        return self.flag


def in_threads():
    results = []
    for function in (traced.NATIVE, traced.tracer, traced.cover):
        threading.settrace(function)
        threading.setprofile(traced.profiler)
        for n in range(3):
            # In a list, for the sake of settrace's copy of the locals.
            waiting = [threading.Thread(target=lambda: results.append(traced.body(6)))]
            waiting[0]._started = Started()
            waiting[0].start()
            waiting[0].join()
            waiting.pop()
        threading.settrace(None)
        threading.setprofile(None)
    return results


# What a thread leaves set adds an event to the first of all rounds or not.
in_threads()


def work():
    del traced.EVENTS[:], traced.LINES[:]
    results = in_threads()
    traced.record(
        traced.tracer, traced.profiler, traced.cover,
        traced.on_call, traced.on_line, traced.on_other,
    )
    return len(results)
