//! Programs that run out of file descriptors or memory.

use crate::both::{both, executions, metered, recording};
use crate::interpreters::one_of_each_version;

#[test]
fn a_program_without_file_descriptors_runs_as_without_the_meter() {
    let program = "
import os, threading, sys
# The C library would load this at the end of the first thread.
import ctypes
ctypes.CDLL('libgcc_s.so.1')
names = []
try:
    while True: names.append(os.open('/dev/null', os.O_RDONLY))
except OSError as error:
    print(error, len(names))
def turns():
    for i in range(1000): exec('x = 1')
turns()
threads = [threading.Thread(target=turns) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.stdout.flush()
if os.fork() == 0:
    turns()
    os._exit(0)
print(os.wait()[1])
for name in names: os.close(name)
turns()
";
    for interpreter in one_of_each_version() {
        let (folder, output) = both(interpreter, program, "ulimit -n 40; exec $RUN -I program.py");
        assert!(output.status.success());
        // Six of seven: how the child fares depends on what it can open.
        assert!(executions(&recording(folder.path()), "FOR_ITER") >= 6 * 1001);
    }
}

#[test]
fn a_program_without_memory_gets_its_errors_and_goes_on() {
    let program = "
import resource
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
held = []
errors = 0
for size in 200 << 20, 100 << 20, 50 << 20, 10 << 20, 1 << 20, 1 << 16, 1 << 12:
    while True:
        try:
            held.append(bytearray(size))
        except MemoryError:
            errors += 1
            break
for i in range(1000):
    try:
        exec('def f%d(a): return [a]\\nfor i in range(10): f%d(i)' % (i, i))
    except MemoryError:
        pass
held = None
for i in range(1000):
    exec('x = %d' % i)
print(errors)
";
    for interpreter in one_of_each_version() {
        let (folder, output) = both(interpreter, program, "exec $RUN -I program.py");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(executions(&recording(folder.path()), "FOR_ITER") >= 1001);
    }
}

/// Code that runs for the first time when no memory is left: the agent needs some to take note of it.
#[test]
fn code_that_begins_to_run_without_memory_runs_as_without_the_meter() {
    let program = "
functions = []
for i in range(300):
    source = 'def f(a):\\n b = a\\n c = b\\n' + ' a = a + 1\\n' * 200 + ' return a\\n'
    names = {}
    exec(compile(source, 'made%d.py' % i, 'exec'), names)
    functions.append(names['f'])
held, size = [], 1 << 24
while size > 16:
    try:
        held.append(bytearray(size))
    except MemoryError:
        size >>= 1
ran = 0
for function in functions:
    try:
        function(1)
    except MemoryError:
        pass
    ran += 1
del held
print('ran', ran)
";
    for interpreter in one_of_each_version() {
        let (folder, output) = both(interpreter, program, "ulimit -v 400000; exec $RUN -I program.py");
        assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"ran 300\n"[..]));
        let all: u64 = recording(folder.path()).tables.opcodes.iter().map(|row| row.executions).sum();
        assert!((100_000..1_000_000_000).contains(&all), "{all}");
    }
}

#[test]
fn a_limited_address_space_runs_the_program_or_says_why_not() {
    let program = "print(sum(x * x for x in range(100000)))";
    for interpreter in one_of_each_version() {
        let mut metered_ones = 0;
        for megabytes in [16, 24, 32, 48, 64, 96, 128, 256, 1024] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("program.py"), program).unwrap();
            let script = format!("ulimit -v {}; exec $RUN -I program.py", megabytes * 1024);
            let output = metered(interpreter, folder.path(), &script);
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!text.contains("panicked"), "{megabytes} MiB: {text}");
            if output.status.success() {
                assert_eq!(String::from_utf8_lossy(&output.stdout), "333328333350000\n");
                recording(folder.path());
                metered_ones += 1;
            } else {
                assert!(output.stdout.is_empty() && !text.is_empty(), "{megabytes} MiB: {:?}", output.status);
            }
        }
        assert!(metered_ones >= 3, "{}", interpreter.path.display());
    }
}
