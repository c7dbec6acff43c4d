"""Code that runs while the program traces, profiles or monitors itself.

The functions that are called for events are either C code, of which nothing
is to be counted, or straight-line code, of which count.py is told how often
it was called: no counter can see it run. For the rest a traced run must cost
what one costs that is not: count.py takes no notice of the tracing.

No conditional jump runs under events for each instruction: from 3.14 on such
an event makes a NOT_TAKEN run that otherwise does not.
"""

import functools
import sys

# Straight-line functions and how often they are called in one call of work().
CALLED = {}
EVENTS = []
LINES = []


def record(*functions):
    """Say how often each was called: it leaves its name in EVENTS."""
    for function in functions:
        name = function.__qualname__
        CALLED[function.__code__.co_filename, name] = EVENTS.count(name)


# A trace function without bytecode: called with a frame, an event and an
# argument it returns NATIVE_LOCAL, the only one of the four that is callable.
NATIVE_LOCAL = functools.partial(sys.audit, "opmeter.example")
NATIVE = functools.partial(max, NATIVE_LOCAL, key=callable)


def tracer(frame, event, argument):
    EVENTS.append("tracer")
    return tracer


def opcode_tracer(frame, event, argument):
    EVENTS.append("opcode_tracer")
    frame.f_trace_opcodes = True
    return opcode_tracer


def once(frame, event, argument):
    """Asks for no local events."""
    EVENTS.append("once")


def profiler(frame, event, argument):
    EVENTS.append("profiler")


def cover(frame, event, argument):
    """What a coverage tool does."""
    EVENTS.append("cover")
    return HANDLERS[event](frame)


def on_call(frame):
    EVENTS.append("on_call")
    LINES.append((frame.f_code.co_filename, frame.f_lineno))
    return cover


def on_line(frame):
    EVENTS.append("on_line")
    LINES.append((frame.f_code.co_filename, frame.f_lineno))
    return cover


def on_other(frame):
    EVENTS.append("on_other")
    return cover


HANDLERS = {"call": on_call, "line": on_line, "return": on_other, "exception": on_other}


# On 3.12 this counts from the next sys.settrace on, and from then on for good.
sys._getframe().f_trace_opcodes = True


class Pair:
    def __init__(self, left, right):
        self.left = left
        self.right = right

    @property
    def sum(self):
        return self.left + self.right

    def __iter__(self):
        yield self.left
        yield self.right

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return True


def steps(n):
    try:
        for i in range(n):
            if i == 3:
                continue
            yield i
    finally:
        n = 0


def fails(n):
    if n == 0:
        raise ValueError("n")
    return fails(n - 1)


def body(n):
    """A bit of everything."""
    total = 0
    for i in range(n):
        total += i if i % 2 else -i
        while total > 50:
            total -= 7
    for i in steps(n):
        total += i
    for i in steps(n):
        if i == 2:
            break
    try:
        fails(5)
    except ValueError as error:
        total += len(error.args)
    finally:
        total += 1
    with Pair(1, 2) as pair:
        total += pair.sum
        total += undefined_name  # noqa: F821
    left, right = Pair(3, 4)
    total += sum(sorted([x * y for x in range(4) for y in pair], key=lambda x: -x))
    total += len({x: y for x, y in zip("abc", "def")}) + max(map(lambda x: x + left, range(3)))
    driven = coroutine(right)
    try:
        while True:
            driven.send(None)
    except StopIteration as stop:
        total += stop.value
    return total if n else (
        total
    )


class Step:
    def __await__(self):
        yield self


async def coroutine(n):
    for _ in range(n):
        await Step()
    return n


def straight(n):
    """Code without conditional jumps."""
    total = 0
    for i in range(n):
        total += i
        total -= len([x for x in range(3)])
    for i in doubled(n):
        total += i
    return total + sum(map(lambda x: x + 1, range(n)))


def doubled(n):
    for i in range(n):
        yield i
        yield (
            i * 2
        )


def by_settrace():
    results = []
    for function in (NATIVE, tracer, once, cover):
        sys.settrace(function)
        results.append(body(12))
        sys.settrace(None)
        results.append(body(12))
    sys.settrace(NATIVE)
    results.append(straight(10))
    sys.settrace(opcode_tracer)
    results.append(straight(10))
    sys.settrace(None)
    results.append(straight(10))
    return results


def switching():
    """Tracing that begins and ends in the midst of functions."""
    results = []
    generator = steps(40)
    for i in range(8):
        results.append(next(generator))
        sys.settrace(tracer)
        results.append(next(generator))
        deeper(tracer, i)
        sys.settrace(None)
        deeper(None, i)
        sys.settrace(None)
    results.append(list(generator))
    return results


def deeper(function, n):
    for i in range(n):
        sys.settrace(NATIVE)
        fails_and_goes_on(i)
        sys.settrace(function)
    sys.settrace(None)


def fails_and_goes_on(n):
    try:
        fails(n)
    except ValueError:
        return n


def by_setprofile():
    results = []
    for function in (NATIVE_LOCAL, profiler):
        sys.setprofile(function)
        results.append(body(12))
        sys.setprofile(None)
        results.append(body(12))
    sys.setprofile(profiler)
    sys.settrace(cover)
    results.append(body(5))
    sys.settrace(None)
    sys.setprofile(None)
    return results


def monitored_line(code, line):
    EVENTS.append("monitored_line")


def monitored_once(code, line):
    EVENTS.append("monitored_once")
    return sys.monitoring.DISABLE


def monitored_return(code, offset, value):
    EVENTS.append("monitored_return")


def by_monitoring():
    """CPython 3.12 and later."""
    monitoring = sys.monitoring
    events = monitoring.events
    tool = 4
    monitoring.use_tool_id(tool, "workload")
    results = []

    # For lines: C code, Python code, and Python code that wants no more.
    for function in ({}.setdefault, monitored_line, monitored_once):
        monitoring.register_callback(tool, events.LINE, function)
        monitoring.set_events(tool, events.LINE)
        results.append(body(12))
        results.append(body(3))
        monitoring.restart_events()
        results.append(body(3))
        monitoring.set_events(tool, 0)
        results.append(body(3))

    # For lines of one function only.
    for code in (steps.__code__, fails.__code__, body.__code__):
        monitoring.set_local_events(tool, code, events.LINE)
        results.append(body(4))
        monitoring.set_local_events(tool, code, 0)
    monitoring.register_callback(tool, events.LINE, None)

    # For calls and returns, and beside a trace function.
    monitoring.register_callback(tool, events.PY_START, {}.setdefault)
    monitoring.register_callback(tool, events.PY_RESUME, {}.setdefault)
    monitoring.register_callback(tool, events.PY_YIELD, slice)
    monitoring.register_callback(tool, events.PY_RETURN, monitored_return)
    monitoring.set_events(
        tool, events.PY_START | events.PY_RESUME | events.PY_YIELD | events.PY_RETURN
    )
    results.append(body(12))
    sys.settrace(tracer)
    results.append(body(3))
    sys.settrace(None)
    monitoring.set_events(tool, 0)

    # For instructions.
    monitoring.register_callback(tool, events.INSTRUCTION, {}.setdefault)
    monitoring.set_events(tool, events.INSTRUCTION)
    results.append(straight(10))
    monitoring.set_events(tool, 0)
    results.append(straight(10))
    monitoring.free_tool_id(tool)
    return results


def work():
    del EVENTS[:], LINES[:]
    results = [by_settrace(), switching(), by_setprofile()]
    if sys.version_info >= (3, 12):
        results.append(by_monitoring())
        record(monitored_line, monitored_once, monitored_return)
    record(tracer, opcode_tracer, once, profiler, cover, on_call, on_line, on_other)
    return [len(result) for result in results]
