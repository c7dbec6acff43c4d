"""Count every bytecode instruction that one call of a workload executes.

    python count.py WORKLOAD.py [--call K] [--offsets] [--pairs]

imports the workload, calls its `work()` K - 1 times uncounted (K is 2 if not
given: one call to warm up), counts the K-th call, and prints one JSON object:

    counts      executions by base opcode name
    unseen      names whose count says nothing about a plain run
    relations   NAME: OTHER means that a plain run's executions of NAME, less
                its executions of OTHER, are what `counts` has under NAME
    why         a sentence for each name in `unseen`
    version, method

With --offsets there is also `code`: for each code object of which anything was
executed [file, qualified name (before 3.11 the name), first line, instructions],
and for each of its instructions [offset, opcode, argument, line, executions],
those never executed included. Code objects that are alike in all but the
executions are added up. The counter does not see all that the meter sees: see
places.py for what is left out on both sides.

With --pairs there is also `pairs`: [first, second, executions], how often one
opcode was executed right after the other on the same thread, `first` and `last`,
the opcodes with which work() begins and ends, and `made`: {name: how many
generators and coroutines were made whose first instruction that is}. When those
are made nobody reports, so what stands before and behind what is executed then
is not among the pairs, and what is, is taken for following each other. `pairs`
is null for a workload with CALLED (see below). See pairs.py.

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
  call of work() makes}, or with (path, qualified name) for keys. Nothing is
  executed for them before 3.11.
* A workload may trace, profile or monitor itself, to no effect while it is
  counted: up to 3.11 its trace function would take the counter's place, and
  from 3.12 on sys.settrace and sys.setprofile make functions that are running
  lose the instruction events of other tools. So a run that traces itself is
  compared with one that does not. The functions that it has called for events
  are no business of any counter's either, since tracing and monitoring are
  switched off in them. A workload that has such functions in Python says so:
  CALLED = {qualified name: how often one call of work() has them called}, with
  keys as before, filled in by an uncounted call of work(). They must be
  straight-line code, so that each call executes each of their instructions
  once.
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

from instructions import (  # noqa: E402
    EXTENDED_ARG,
    RESUME,
    RETURN_GENERATOR,
    behind,
    listing,
    offsets,
    prefix,
    steps_over,
    straight_line,
)
from load import load  # noqa: E402

VERSION = sys.version_info[:2]
OWN_FILE = (lambda: 0).__code__.co_filename


class Table:
    """What was seen of one code object."""

    def __init__(self, code):
        # The code object is kept, so that its id stays its own.
        self.code = code
        self.seen = [0] * len(code.co_code)
        self.starts = 0


class Sequence:
    """The pairs of one thread: what was executed right after what."""

    def __init__(self):
        self.first = None
        self.last = None
        self.pairs = {}

    def add(self, numbers):
        pairs = self.pairs
        last = self.last
        for number in numbers:
            if last is None:
                self.first = number
            else:
                pair = last << 8 | number
                pairs[pair] = pairs.get(pair, 0) + 1
            last = number
        self.last = last


class Order:
    """What an event at each place of a code object adds to a sequence.

    Up to RETURN_GENERATOR a generator's first part is executed when the
    generator is made, which nobody reports: it takes no part in the sequence,
    and its pairs are added in the end.
    """

    def __init__(self, code, method):
        bytecode = code.co_code
        first = prefix(bytecode)
        numbers = [bytecode[at] for at in first]
        if RETURN_GENERATOR in numbers:
            numbers = numbers[numbers.index(RETURN_GENERATOR) + 1 :]
        over = steps_over(bytecode)
        self.at = [()] * len(bytecode)
        for at in offsets(bytecode):
            if at not in over:
                run = [bytecode[at]]
                while method == "settrace" and run[-1] == EXTENDED_ARG:
                    at = behind(bytecode, at)
                    run.append(bytecode[at])
                self.at[at - 2 * (len(run) - 1)] = run
        self.start = numbers + [RESUME]


def switch_off():
    """Put all tracing of the program's own out of action; returns the undoing.

    What takes the functions' places does nothing, and is C code like them.
    """
    places = [(sys, "settrace", callable), (sys, "setprofile", callable)]
    if VERSION >= (3, 12):
        for name in (
            "use_tool_id", "free_tool_id", "register_callback", "set_events", "set_local_events",
        ):
            places.append((sys.monitoring, name, slice))
        places.append((sys.monitoring, "restart_events", dict))
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
    for owner, name, nothing in places:
        setattr(owner, name, nothing)

    def restore():
        for owner, name, original in originals:
            setattr(owner, name, original)

    return restore


class Settrace:
    """Opcode events of sys.settrace: CPython 3.8 to 3.11."""

    method = "settrace"

    def __init__(self, pairs):
        self.pairs = pairs
        self.per_thread = []
        self.sequences = []
        self.lock = _thread.allocate_lock()

    def tracer(self):
        """A trace function for one thread, with counts of its own.

        `seen[i] += 1` is not atomic, so threads do not share them.
        """
        tables = {}
        sequence = Sequence() if self.pairs else None
        with self.lock:
            self.per_thread.append(tables)
            self.sequences.append(sequence)

        def make_local(code, table):
            seen = table.seen

            def local(frame, event, argument):
                if event == "opcode":
                    seen[frame.f_lasti] += 1
                return local

            if not self.pairs:
                return table, code.co_code, local, None
            order = Order(code, self.method)
            run = order.at
            add = sequence.add

            def local_in_order(frame, event, argument):
                if event == "opcode":
                    at = frame.f_lasti
                    seen[at] += 1
                    add(run[at])
                return local_in_order

            return table, code.co_code, local_in_order, order

        def trace(frame, event, argument):
            code = frame.f_code
            entry = tables.get(id(code))
            if entry is None:
                if code.co_filename == OWN_FILE:
                    return None
                entry = tables[id(code)] = make_local(code, Table(code))
            table, bytecode, local, order = entry
            if RESUME is not None:
                at = frame.f_lasti
                if bytecode[at] == RESUME:
                    table.seen[at] += 1
                    if bytecode[at + 1] == 0:
                        table.starts += 1
                    if order is not None:
                        sequence.add(order.at[at] if bytecode[at + 1] else order.start)
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            return local

        return trace

    def run(self, work):
        start_new_thread = _thread.start_new_thread
        settrace = sys.settrace

        def begin(function, arguments, keywords):
            settrace(self.tracer())
            function(*arguments, **keywords)

        def traced_start_new_thread(function, arguments, keywords={}):
            return start_new_thread(begin, (function, arguments, keywords))

        trace = self.tracer()
        _thread.start_new_thread = traced_start_new_thread
        threading._start_new_thread = traced_start_new_thread
        restore = switch_off()
        settrace(trace)
        try:
            work()
        finally:
            settrace(None)
            restore()
            _thread.start_new_thread = start_new_thread
            threading._start_new_thread = start_new_thread

    def tables(self):
        for tables in self.per_thread:
            for entry in tables.values():
                yield entry[0]


class Monitoring:
    """INSTRUCTION events of sys.monitoring: CPython 3.12 and later."""

    method = "monitoring"

    def __init__(self, pairs):
        self.pairs = pairs
        self.by_id = {}
        self.sequences = []

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

        if self.pairs:
            instruction, start, resume = self.in_order(instruction, start, resume)

        set_events = monitoring.set_events
        free_tool_id = monitoring.free_tool_id
        tool = monitoring.PROFILER_ID
        monitoring.use_tool_id(tool, "count")
        monitoring.register_callback(tool, events.INSTRUCTION, instruction)
        monitoring.register_callback(tool, events.PY_START, start)
        monitoring.register_callback(tool, events.PY_RESUME, resume)
        restore = switch_off()
        set_events(tool, events.INSTRUCTION | events.PY_START | events.PY_RESUME)
        try:
            work()
        finally:
            set_events(tool, 0)
            free_tool_id(tool)
            restore()

    def in_order(self, instruction, start, resume):
        """The same callbacks, which also note what follows what."""
        local = _thread._local()
        orders = {}

        def order(code):
            if code.co_filename == OWN_FILE:
                found = False
            else:
                found = Order(code, self.method)
            # With the code object, so that its id stays its own.
            return orders.setdefault(id(code), (found, code))

        def sequence():
            try:
                return local.sequence
            except AttributeError:
                local.sequence = Sequence()
                self.sequences.append(local.sequence)
                return local.sequence

        def instruction_in_order(code, offset):
            instruction(code, offset)
            found, _ = orders.get(id(code)) or order(code)
            if found:
                sequence().add(found.at[offset])

        def start_in_order(code, offset):
            start(code, offset)
            found, _ = orders.get(id(code)) or order(code)
            if found:
                sequence().add(found.start)

        def resume_in_order(code, offset):
            resume(code, offset)
            found, _ = orders.get(id(code)) or order(code)
            if found:
                sequence().add(found.at[offset])

        # The thread that calls work() comes first.
        sequence()
        return instruction_in_order, start_in_order, resume_in_order

    def tables(self):
        for table in self.by_id.values():
            if table.code.co_filename != OWN_FILE:
                yield table


def executions(table, method, never_started, called):
    """The executions at each offset of a table, holes filled in."""
    bytecode = table.code.co_code
    seen = list(table.seen)
    first = prefix(bytecode)
    if called and not straight_line(table.code):
        raise AssertionError("not straight-line code: %r" % (table.code,))
    for at in offsets(bytecode):
        if called and at not in first:
            seen[at] += called
    for at in first:
        if seen[at]:
            raise AssertionError("counted twice: %r at %d" % (table.code, at))
        seen[at] = table.starts + called
    for at in first:
        if RETURN_GENERATOR not in [bytecode[i] for i in first]:
            break
        seen[at] += never_started
        if bytecode[at] == RETURN_GENERATOR:
            break
    for at in offsets(bytecode):
        after = behind(bytecode, at)
        if bytecode[at] == EXTENDED_ARG and seen[at]:
            if method == "settrace" and at not in first:
                if seen[after]:
                    raise AssertionError("counted twice: %r at %d" % (table.code, at))
                seen[after] = seen[at]
            elif seen[after] != seen[at]:
                raise AssertionError("a hole: %r at %d" % (table.code, at))
    for at in steps_over(bytecode):
        seen[at] = 0
    return seen


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


def count(path, call=2, pairs=False):
    """[(code object, executions at each offset)] of one call, and the counter."""
    module = load(path)
    work = module.work
    # As code objects have it, which may be absolute where `path` is not.
    path = work.__code__.co_filename
    for _ in range(call - 1):
        work()
    called = declared(module, "CALLED", path)
    if called and call == 1:
        raise AssertionError("CALLED is known after the first call only")
    counter = (Monitoring if VERSION >= (3, 12) else Settrace)(pairs)
    counter.run(work)
    if called:
        # It is not known where in the sequence they were called.
        counter.sequences = None

    tables = list(counter.tables())
    never_started = {}
    if RETURN_GENERATOR is not None:
        never_started = declared(module, "NEVER_STARTED", path)
    known = {name_of(table.code) for table in tables}
    # Nothing may have been seen of their code. Take it from the source then.
    for file in {file for file, _ in list(never_started) + list(called)}:
        for code in codes_of(file):
            name = name_of(code)
            if (name in never_started or name in called) and name not in known:
                tables.append(Table(code))
                known.add(name)
    missing = (set(never_started) | set(called)) - known
    if missing:
        raise AssertionError("no such code: %r" % missing)
    result = []
    for table in tables:
        name = name_of(table.code)
        filled = executions(
            table, counter.method, never_started.pop(name, 0), called.pop(name, 0)
        )
        result.append((table.code, filled))
    return result, counter


def declared(module, name, path):
    """What a workload says about itself, by (path, qualified name)."""
    return {
        key if isinstance(key, tuple) else (path, key): n
        for key, n in getattr(module, name, {}).items()
    }


def by_code(result):
    """The code objects as `code` has them, those that are alike added up."""
    alike = {}
    for code, seen in result:
        file, name = name_of(code)
        rows = tuple(listing(code))
        key = file, name, code.co_firstlineno, rows
        total = alike.setdefault(key, [0] * len(rows))
        for i, row in enumerate(rows):
            total[i] += seen[row[0]]
    return [
        [file, name, first_line, [list(row) + [n] for row, n in zip(rows, total)]]
        for (file, name, first_line, rows), total in sorted(alike.items())
        if any(total)
    ]


def in_pairs(result, counter):
    """`pairs`, `first`, `last` and `made` of the output."""
    if counter.sequences is None:
        return {"pairs": None}
    total = {}
    for sequence in counter.sequences:
        for pair, n in sequence.pairs.items():
            total[pair] = total.get(pair, 0) + n
    made = {}
    for code, seen in result:
        bytecode = code.co_code
        first = prefix(bytecode)
        numbers = [bytecode[at] for at in first]
        if RETURN_GENERATOR in numbers:
            end = numbers.index(RETURN_GENERATOR)
            n = seen[first[end]]
            name = opcode.opname[numbers[0]]
            made[name] = made.get(name, 0) + n
            for i in range(end):
                pair = numbers[i] << 8 | numbers[i + 1]
                total[pair] = total.get(pair, 0) + n
    own = counter.sequences[0]
    return {
        "pairs": [
            [opcode.opname[pair >> 8], opcode.opname[pair & 255], n]
            for pair, n in sorted(total.items())
        ],
        "first": opcode.opname[own.first],
        "last": opcode.opname[own.last],
        "made": {name: n for name, n in sorted(made.items()) if n},
    }


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
    wanted = set()
    paths = []
    arguments = list(arguments)
    while arguments:
        argument = arguments.pop(0)
        if argument == "--call":
            call = int(arguments.pop(0))
        elif argument in ("--offsets", "--pairs"):
            wanted.add(argument)
        else:
            paths.append(argument)
    if len(paths) != 1 or call < 1:
        sys.exit("usage: count.py WORKLOAD.py [--call K] [--offsets] [--pairs]")
    gc.disable()
    result, counter = count(paths[0], call, "--pairs" in wanted)
    counts = {}
    for code, seen in result:
        bytecode = code.co_code
        for at, n in enumerate(seen):
            if n:
                base = opcode.opname[bytecode[at]]
                counts[base] = counts.get(base, 0) + n
    why, relations = holes()
    answer = {
        "version": "%d.%d.%d" % sys.version_info[:3],
        "method": counter.method,
        "call": call,
        "counts": dict(sorted(counts.items())),
        "unseen": sorted(why),
        "relations": relations,
        "why": why,
    }
    if "--offsets" in wanted:
        answer["code"] = by_code(result)
    if "--pairs" in wanted:
        answer.update(in_pairs(result, counter))
    json.dump(answer, sys.stdout)
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
