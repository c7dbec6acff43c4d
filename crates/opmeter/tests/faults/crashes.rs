//! Programs that crash.

use crate::both::{both, executions, recording};
use crate::interpreters::one_of_each_version;

/// Crashes after 12,345 turns of a loop, in a thread as well.
fn crash(how: &str) -> String {
    format!(
        "
import ctypes, faulthandler, os, signal, sys, threading
def turns():
    for i in range(12345): pass
turns()
def crash():
    {how}
print('crashing', flush=True)
crash()
"
    )
}

#[test]
fn a_segmentation_fault_says_what_it_says_without_the_meter() {
    // By a wild pointer, by a signal, in a thread, on a stack of its own, with and without faulthandler, with a core.
    let programs = [
        ("faulthandler.enable(); ctypes.string_at(16)", 11),
        ("ctypes.string_at(16)", 11),
        ("os.kill(os.getpid(), signal.SIGSEGV)", 11),
        ("os.abort()", 6),
        ("faulthandler.enable(); os.abort()", 6),
        ("faulthandler.enable(all_threads=False); os.kill(os.getpid(), signal.SIGFPE)", 8),
        ("thread = threading.Thread(target=ctypes.string_at, args=(16,)); thread.start(); thread.join()", 11),
    ];
    for interpreter in one_of_each_version() {
        for (how, signal) in programs {
            let (folder, output) =
                both(interpreter, &crash(how), "ulimit -c unlimited; exec $RUN -I program.py");
            use std::os::unix::process::ExitStatusExt;
            assert_eq!(output.status.signal(), Some(signal), "{how}");
            let recording = recording(folder.path());
            assert_eq!(recording.manifest.exit.signal, Some(signal), "{how}");
            assert!(executions(&recording, "FOR_ITER") >= 12_346, "{how}");
        }
    }
}

#[test]
fn recursion_ends_where_it_ends_without_the_meter() {
    // How deep a program gets, by the interpreter's limit: in Python alone, through C code, in generators, in a thread,
    // in the handler of the error itself, and with limits of its own.
    let program = "
import sys, threading, functools
def plain(n):
    global deepest
    deepest = n
    plain(n + 1)
class Item:
    def __init__(self, n): self.n = n
    def __lt__(self, other):
        global deepest
        deepest = self.n
        return sorted([Item(self.n + 1), Item(self.n + 1)]) is None
def through_c(n): sorted([Item(n), Item(n)])
def generators(n):
    global deepest
    deepest = n
    yield from generators(n + 1)
def of_generators(n): return list(generators(n))
def again(n):
    global deepest
    deepest = n
    try:
        again(n + 1)
    finally:
        len('')
def attempt(function):
    try:
        function(0)
    except RecursionError as error:
        print(function.__name__, deepest, error)
def all_of_them():
    for function in plain, through_c, of_generators, again:
        attempt(function)
all_of_them()
thread = threading.Thread(target=all_of_them)
thread.start()
thread.join()
sys.setrecursionlimit(150)
all_of_them()
sys.setrecursionlimit(20000)
threading.stack_size(256 << 20)
thread = threading.Thread(target=attempt, args=(plain,))
thread.start()
thread.join()
";
    for interpreter in one_of_each_version() {
        let (folder, output) = both(interpreter, program, "exec $RUN -I program.py");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("plain 19"), "{text}");
        recording(folder.path());
    }
}

#[test]
fn recursion_beyond_the_stack_ends_as_without_the_meter() {
    // Without a limit that keeps it: either the interpreter's own guard says so, or the stack overflows.
    let program = "
import sys
sys.setrecursionlimit(10**9)
class Item:
    def __repr__(self): return repr(self)
try:
    repr(Item())
except (RecursionError, MemoryError) as error:
    print(type(error).__name__)
";
    for interpreter in one_of_each_version() {
        let (folder, _) = both(interpreter, program, "ulimit -s 2048; exec $RUN -I program.py");
        recording(folder.path());
    }
}
