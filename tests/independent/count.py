"""Count every bytecode instruction that one call of a workload executes.

    python count.py WORKLOAD.py [--call K] [--offsets]

imports the workload, calls its `work()` K - 1 times uncounted (K is 2 if not
given: one call to warm up), counts the K-th call, and prints one JSON object:

    counts      executions by base opcode name
    unseen      names whose count says nothing about a plain run
    relations   NAME: OTHER means that a plain run's executions of NAME, less
                its executions of OTHER, are what `counts` has under NAME
    why         a sentence for each name in `unseen`
    version, method

With --offsets there is also `offsets`: [file, qualified name, first line,
{offset: executions}] for each code object, code objects that are alike in the
first three added up.

This shares nothing with the meter: up to 3.11 it asks sys.settrace for opcode
events, from 3.12 on sys.monitoring for INSTRUCTION events. Run both with the
same PYTHONHASHSEED.

What the two do not report but what follows with certainty is filled in:

* settrace does not report the instruction after an EXTENDED_ARG. An
  EXTENDED_ARG is always followed by the next instruction, and nothing jumps
  between the two, so that one was executed as often.
* From 3.11 on neither reports what comes before the RESUME that starts a
  function (MAKE_CELL, COPY_FREE_VARS, RETURN_GENERATOR and the POP_TOP after
  it, and their EXTENDED_ARGs; from 3.15 on, in a generator expression, also a
  RESUME of another kind, the loading of its first iterable and GET_ITER or
  GET_AITER), nor that RESUME itself. That first part is straight-line
  code: it runs once for each start of the function. Starts and resumptions
  are reported: as PY_START and PY_RESUME by sys.monitoring, as `call` events
  by settrace on 3.11 (a `call` event that stands at a RESUME; one that stands
  elsewhere is a throw() into a generator, which executes no RESUME).
* A generator or coroutine that is made and never started has executed its
  first part up to RETURN_GENERATOR, and nobody reports that. A workload that
  makes such objects says so: NEVER_STARTED = {qualified name: how many one
  call of work() makes}, or with (path, qualified name) for keys. Nothing is executed for them before 3.11.
* From 3.14 on a conditional jump that is not taken steps over a NOT_TAKEN
  behind it without executing it. An event on that NOT_TAKEN takes its place
  in the code, so it is then executed after all. Those are taken out again:
  only NOT_TAKENs that no conditional jump precedes are counted.

What cannot be mended here, and workloads avoid: up to 3.10 settrace copies
the locals of the frame that it reports on, so that an object that a local
variable alone held dies one event late, inside the tracer, where its __del__
or its generator's finally block is not traced.
"""

import _thread
import gc
import json
import opcode
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from load import load  # noqa: E402

VERSION = sys.version_info[:2]
OWN_FILE = (lambda: 0).__code__.co_filename
EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]
RESUME = opcode.opmap.get("RESUME")
START = bytes([RESUME, 0]) if RESUME is not None else None
RETURN_GENERATOR = opcode.opmap.get("RETURN_GENERATOR")
NOT_TAKEN = opcode.opmap.get("NOT_TAKEN")
CONDITIONAL_JUMPS = frozenset(
    number for name, number in opcode.opmap.items() if name.startswith("POP_JUMP_")
)


class Table:
    """What was seen of one code object."""

    def __init__(self, code):
        # The code object is kept, so that its id stays its own.
        self.code = code
        self.seen = [0] * len(code.co_code)
        self.starts = 0


class Settrace:
    """Opcode events of sys.settrace: CPython 3.8 to 3.11."""

    method = "settrace"

    def __init__(self):
        self.per_thread = []
        self.lock = _thread.allocate_lock()

    def tracer(self):
        """A trace function for one thread, with counts of its own.

        `seen[i] += 1` is not atomic, so threads do not share them.
        """
        tables = {}
        with self.lock:
            self.per_thread.append(tables)

        def make_local(code, table):
            seen = table.seen

            def local(frame, event, argument):
                if event == "opcode":
                    seen[frame.f_lasti] += 1
                return local

            return table, code.co_code, local

        def trace(frame, event, argument):
            code = frame.f_code
            entry = tables.get(id(code))
            if entry is None:
                if code.co_filename == OWN_FILE:
                    return None
                entry = tables[id(code)] = make_local(code, Table(code))
            table, bytecode, local = entry
            if RESUME is not None:
                at = frame.f_lasti
                if bytecode[at] == RESUME:
                    table.seen[at] += 1
                    if bytecode[at + 1] == 0:
                        table.starts += 1
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            return local

        return trace

    def run(self, work):
        start_new_thread = _thread.start_new_thread

        def begin(function, arguments, keywords):
            sys.settrace(self.tracer())
            function(*arguments, **keywords)

        def traced_start_new_thread(function, arguments, keywords={}):
            return start_new_thread(begin, (function, arguments, keywords))

        trace = self.tracer()
        _thread.start_new_thread = traced_start_new_thread
        threading._start_new_thread = traced_start_new_thread
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(None)
            _thread.start_new_thread = start_new_thread
            threading._start_new_thread = start_new_thread

    def tables(self):
        for tables in self.per_thread:
            for table, _, _ in tables.values():
                yield table


class Monitoring:
    """INSTRUCTION events of sys.monitoring: CPython 3.12 and later."""

    method = "monitoring"

    def __init__(self):
        self.by_id = {}

    def run(self, work):
        monitoring = sys.monitoring
        events = monitoring.events
        by_id = self.by_id

        # Threads share the counts. That is sound: these versions hand over
        # the interpreter lock at calls, function starts and backward jumps
        # only, and there is none between the reading of a count and the
        # writing of it. Without that lock each thread has counts of its own.
        if getattr(sys, "_is_gil_enabled", lambda: True)():
            key = id
        else:

            def key(code):
                return id(code), _thread.get_ident()

        def missing(code):
            return by_id.setdefault(key(code), Table(code))

        def instruction(code, offset):
            try:
                seen = by_id[key(code)].seen
            except KeyError:
                seen = missing(code).seen
            seen[offset] += 1

        def start(code, offset):
            table = by_id.get(key(code)) or missing(code)
            table.starts += 1
            table.seen[offset] += 1

        def resume(code, offset):
            table = by_id.get(key(code)) or missing(code)
            table.seen[offset] += 1

        tool = monitoring.PROFILER_ID
        monitoring.use_tool_id(tool, "count")
        monitoring.register_callback(tool, events.INSTRUCTION, instruction)
        monitoring.register_callback(tool, events.PY_START, start)
        monitoring.register_callback(tool, events.PY_RESUME, resume)
        monitoring.set_events(
            tool, events.INSTRUCTION | events.PY_START | events.PY_RESUME
        )
        try:
            work()
        finally:
            monitoring.set_events(tool, 0)
            monitoring.free_tool_id(tool)

    def tables(self):
        for table in self.by_id.values():
            if table.code.co_filename != OWN_FILE:
                yield table


def caches(number):
    """The number of two-byte cache entries behind an instruction."""
    entries = getattr(opcode, "_inline_cache_entries", None)
    if entries is None:
        return 0
    if isinstance(entries, list):
        return entries[number]
    # From 3.13 on a mapping with names for keys.
    return entries.get(opcode.opname[number], 0)


def prefix(bytecode):
    """The offsets before the RESUME that starts the function."""
    offsets = []
    if RESUME is not None:
        at = 0
        while at < len(bytecode) and bytecode[at : at + 2] != START:
            offsets.append(at)
            at += 2 + 2 * caches(bytecode[at])
        if at >= len(bytecode):
            return []
    return offsets


def executions(table, method, never_started):
    """[(offset, opcode number, executions)] of a table, holes filled in."""
    bytecode = table.code.co_code
    seen = list(table.seen)
    first = prefix(bytecode)
    for at in first:
        if seen[at]:
            raise AssertionError("counted twice: %r at %d" % (table.code, at))
        seen[at] = table.starts
    for at in first:
        if RETURN_GENERATOR not in [bytecode[i] for i in first]:
            break
        seen[at] += never_started
        if bytecode[at] == RETURN_GENERATOR:
            break
    at = 0
    while at < len(bytecode):
        number = bytecode[at]
        after = at + 2 + 2 * caches(number)
        if number == EXTENDED_ARG and seen[at]:
            if method == "settrace" and at not in first:
                if seen[after]:
                    raise AssertionError("counted twice: %r at %d" % (table.code, at))
                seen[after] = seen[at]
            elif seen[after] != seen[at]:
                raise AssertionError("a hole: %r at %d" % (table.code, at))
        if number in CONDITIONAL_JUMPS and NOT_TAKEN is not None:
            if bytecode[after] == NOT_TAKEN:
                seen[after] = 0
        at = after
    return [(at, bytecode[at], n) for at, n in enumerate(seen) if n]


def holes():
    """The names that cannot be compared, the linked names, and why."""
    why = {}
    relations = {}
    if VERSION >= (3, 12):
        why["INTERPRETER_EXIT"] = (
            "It ends an evaluation loop that C code entered. It belongs to no "
            "code object of the program, and specialised instructions enter "
            "Python functions without a new loop where others do not."
        )
        why["EXIT_INIT_CHECK"] = (
            "It follows an __init__ that a specialised CALL entered, in a code "
            "object of the interpreter's own, with a RETURN_VALUE behind it. "
            "No CALL is specialised while instructions are monitored."
        )
        why["END_FOR"] = (
            "It is executed only when a generator ends in a FOR_ITER that is "
            "specialised for generators; every other end of a loop steps over "
            "it. No FOR_ITER is specialised while instructions are monitored."
        )
        relations["RETURN_VALUE"] = "EXIT_INIT_CHECK"
        if VERSION == (3, 13):
            # There the POP_TOP behind END_FOR shares its fate.
            relations["POP_TOP"] = "END_FOR"
    return why, relations


def count(path, call=2):
    """The counts of one call, and the counter that made them."""
    module = load(path)
    work = module.work
    for _ in range(call - 1):
        work()
    counter = Monitoring() if VERSION >= (3, 12) else Settrace()
    counter.run(work)

    tables = list(counter.tables())
    never_started = {}
    if RETURN_GENERATOR is not None:
        for key, n in getattr(module, "NEVER_STARTED", {}).items():
            never_started[key if isinstance(key, tuple) else (path, key)] = n
    known = {name_of(table.code) for table in tables}
    # Nothing may have been seen of their code. Take it from the source then.
    for file in {file for file, _ in never_started}:
        for code in codes_of(file):
            if name_of(code) in never_started and name_of(code) not in known:
                tables.append(Table(code))
                known.add(name_of(code))
    if set(never_started) - known:
        raise AssertionError("no such code: %r" % (set(never_started) - known))
    result = []
    for table in tables:
        extra = 0
        if never_started:
            extra = never_started.pop(name_of(table.code), 0)
        result.append((table.code, executions(table, counter.method, extra)))
    return result, counter.method


def name_of(code):
    return code.co_filename, getattr(code, "co_qualname", code.co_name)


def codes_of(path):
    """Every code object that a source file compiles to."""
    with open(path) as source:
        waiting = [compile(source.read(), path, "exec")]
    while waiting:
        code = waiting.pop()
        yield code
        waiting.extend(c for c in code.co_consts if isinstance(c, type(code)))


def main(arguments):
    call = 2
    offsets = False
    paths = []
    arguments = list(arguments)
    while arguments:
        argument = arguments.pop(0)
        if argument == "--call":
            call = int(arguments.pop(0))
        elif argument == "--offsets":
            offsets = True
        else:
            paths.append(argument)
    if len(paths) != 1 or call < 1:
        sys.exit("usage: count.py WORKLOAD.py [--call K] [--offsets]")
    gc.disable()
    result, method = count(paths[0], call)
    counts = {}
    places = {}
    for code, rows in result:
        name = getattr(code, "co_qualname", code.co_name)
        place = places.setdefault((code.co_filename, name, code.co_firstlineno), {})
        for at, number, n in rows:
            base = opcode.opname[number]
            counts[base] = counts.get(base, 0) + n
            place[at] = place.get(at, 0) + n
    why, relations = holes()
    answer = {
        "version": "%d.%d.%d" % sys.version_info[:3],
        "method": method,
        "call": call,
        "counts": dict(sorted(counts.items())),
        "unseen": sorted(why),
        "relations": relations,
        "why": why,
    }
    if offsets:
        answer["offsets"] = [
            [file, name, line, {str(at): n for at, n in sorted(place.items())}]
            for (file, name, line), place in sorted(places.items())
        ]
    json.dump(answer, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
