//! Many of something: threads, processes, code objects, signals.

use std::process::Output;

use opmeter_recording::ProcessState;

use crate::both::{both, executions, hits, metered, native, recording};
use crate::interpreters::one_of_each_version;

#[test]
fn five_hundred_threads_count_exactly() {
    let program = "
import threading
barrier = threading.Barrier(500)
def turns():
    barrier.wait()
    for i in range(1000):
        pass
    barrier.wait()
threading.stack_size(256 << 10)
threads = [threading.Thread(target=turns) for _ in range(500)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(threads))
";
    for interpreter in one_of_each_version() {
        let (folder, output) = both(interpreter, program, "exec $RUN -I program.py");
        assert!(output.status.success());
        let recording = recording(folder.path());
        assert_eq!(hits(&recording, 7), 500 * 1000, "{}", interpreter.path.display());
    }
}

#[test]
fn three_hundred_forks_are_counted_each() {
    let program = "
import os
children = 0
def turns(n):
    for i in range(n):
        pass
for start in range(0, 300, 50):
    for child in range(start, start + 50):
        if os.fork() == 0:
            turns(child)
            os._exit(7)
    for _ in range(50):
        children += os.WEXITSTATUS(os.wait()[1]) == 7
print(children)
";
    for interpreter in one_of_each_version() {
        let (folder, output) = both(interpreter, program, "exec $RUN -I program.py");
        assert!(output.status.success());
        let recording = recording(folder.path());
        let metered = |state: &ProcessState| *state == ProcessState::Metered;
        assert_eq!(recording.manifest.processes.iter().filter(|one| metered(&one.state)).count(), 301);
        assert!(recording.manifest.complete, "{:?}", recording.manifest.incomplete);
        assert_eq!(hits(&recording, 6), (0..300).sum::<u64>(), "{}", interpreter.path.display());
    }
}

#[test]
fn code_that_comes_and_goes_takes_no_more_memory() {
    // How many kibibytes the process grows by between 10,000 and 25,000 code objects of different sizes.
    let program = "
def resident():
    with open('/proc/self/statm') as file: return int(file.read().split()[1]) * 4
def turn(k):
    held = []
    for i in range(1000):
        names = {}
        exec('def f(a):\\n' + '    a += %d\\n' % i * (i % 40 + 1) + '    return a', names)
        names['f'](k)
        held.append(names)
for k in range(10): turn(k)
early = resident()
for k in range(15): turn(k)
print(resident() - early)
";
    for interpreter in one_of_each_version() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("program.py"), program).unwrap();
        let grown =
            |output: Output| -> i64 { String::from_utf8_lossy(&output.stdout).trim().parse().unwrap() };
        let script = "exec $RUN -I program.py";
        let natively = grown(native(interpreter, folder.path(), script));
        let with = grown(metered(interpreter, folder.path(), script));
        assert!(with < natively + 6 * 1024, "{}: {with}, {natively} KiB", interpreter.path.display());
        assert!(executions(&recording(folder.path()), "RETURN_VALUE") >= 25_000);
    }
}

#[test]
fn signals_at_a_high_rate_change_nothing() {
    let program = "
import signal, threading, os
got = 0
def handler(number, frame):
    global got
    got += 1
signal.signal(signal.SIGALRM, handler)
signal.signal(signal.SIGPROF, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
signal.setitimer(signal.ITIMER_PROF, 0.0001, 0.0001)
def turns():
    total = 0
    for i in range(300000):
        total += i % 7
    return total
totals = {turns()}
def generator():
    for i in range(100000): yield i
totals.add(sum(generator()))
other = threading.Thread(target=lambda: totals.add(turns()))
other.start()
other.join()
signal.setitimer(signal.ITIMER_REAL, 0)
signal.setitimer(signal.ITIMER_PROF, 0)
print(sorted(totals), got > 5)
";
    for interpreter in one_of_each_version() {
        let (folder, output) = both(interpreter, program, "exec $RUN -I program.py");
        assert!(output.status.success());
        let recording = recording(folder.path());
        assert_eq!(hits(&recording, 14), 2 * 300_000, "{}", interpreter.path.display());
    }
}
