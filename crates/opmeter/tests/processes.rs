//! Children, threads, interpreters: each process has a row set, and all of it is counted.
#![allow(clippy::unwrap_used)]

#[path = "support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;
#[path = "support/recorded.rs"]
#[allow(dead_code)]
mod recorded;

use interpreters::{Interpreter, all, one_of_each_version};
use opmeter_recording::{OpcodeRow, Process, Recording};
use recorded::{main_counts, opmeter, record, record_with};

/// The loop's instruction count tells a process's run from others: `FOR_ITER` runs once a turn.
fn turns(rows: &[OpcodeRow], process: Option<u32>) -> u64 {
    main_counts(rows, process).get("FOR_ITER").copied().unwrap_or(0)
}

fn run(interpreter: &Interpreter, program: &str) -> Recording {
    let recorded = record([interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
    assert!(recorded.output.status.success(), "{}: {}", interpreter.path.display(), recorded.stderr());
    recorded.recording()
}

#[test]
fn forked_children_count_by_themselves_however_they_end() {
    let program = "
import os
def work(n):
    for i in range(n): pass
for n, end in ((1000, lambda: os._exit(3)), (2000, lambda: os.kill(os.getpid(), 9))):
    pid = os.fork()
    if pid == 0:
        work(n)
        end()
    os.waitpid(pid, 0)
work(4000)
";
    for interpreter in one_of_each_version() {
        let recording = run(interpreter, program);
        let name = interpreter.path.display();
        let turns: Vec<u64> = (0..3).map(|process| turns(&recording.tables.opcodes, Some(process))).collect();
        // The parent's own loop has two turns and its end; Python starts no other loop with -c.
        assert_eq!(turns[1..], [1001, 2001], "{name}");
        assert!((4001..5000).contains(&turns[0]), "{name}: {turns:?}");
        let parents: Vec<_> = recording.manifest.processes.iter().map(|process| process.parent).collect();
        assert_eq!(parents, [None, Some(0), Some(0)], "{name}");
        assert!(recording.manifest.complete, "{name}: {:?}", recording.manifest.incomplete);
    }
}

#[test]
fn programs_that_are_executed_count_even_with_an_environment_of_their_own() {
    let program = "
import os, subprocess, sys
code = 'for i in range(5000): pass'
subprocess.check_call([sys.executable, '-c', code])
subprocess.check_call([sys.executable, '-c', code], env={})
subprocess.check_call(['env', '-i', sys.executable, '-c', code])
pid = os.posix_spawn(sys.executable, [sys.executable, '-c', code], {'LD_PRELOAD': ''})
os.waitpid(pid, 0)
os.execv(sys.executable, [sys.executable, '-c', code])
";
    for interpreter in one_of_each_version() {
        let recording = run(interpreter, program);
        let name = interpreter.path.display();
        let counts: Vec<u64> =
            (1..6).map(|process| turns(&recording.tables.opcodes, Some(process))).collect();
        assert_eq!(recording.manifest.processes.len(), 6, "{name}");
        assert!(counts.iter().all(|count| (5001..6000).contains(count)), "{name}: {counts:?}");
        let pids: Vec<u32> = recording.manifest.processes.iter().map(|process| process.pid).collect();
        assert_eq!(pids[0], pids[5], "{name}: os.execv keeps the process");
    }
}

#[test]
fn multiprocessing_counts_with_every_start_method() {
    let program = "
import multiprocessing, sys
def work():
    for i in range(30000): pass
if __name__ == '__main__':
    for method in ('fork', 'spawn', 'forkserver'):
        process = multiprocessing.get_context(method).Process(target=work)
        process.start()
        process.join()
        assert process.exitcode == 0
";
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("methods.py");
    std::fs::write(&script, program).unwrap();
    for interpreter in one_of_each_version() {
        let recorded = record([interpreter.path.as_os_str(), script.as_os_str()]);
        assert!(recorded.output.status.success(), "{}", recorded.stderr());
        let rows = recorded.recording().tables.opcodes;
        let workers = (0..20).filter(|process| turns(&rows, Some(*process)) > 30000).count();
        assert_eq!(workers, 3, "{}", interpreter.path.display());
    }
}

/// Runs a program that turns into a daemon, which makes turns for some time and then a file `done`. Waits until it is
/// done, and gives the recording with the turns of its process.
fn daemon(interpreter: &Interpreter, options: &[&str], seconds: f64) -> (recorded::Recorded, Option<u64>) {
    let program = format!(
        "
import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
end = time.time() + {seconds}
while time.time() < end:
    for i in range(1000): pass
open('done', 'w').close()
os._exit(0)
"
    );
    let command = [interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref()];
    let recorded = record_with(options, command);
    assert!(recorded.output.status.success(), "{}", recorded.stderr());
    let recording = recorded.recording();
    while !recorded.folder().join("done").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let most = (0..3).map(|process| turns(&recording.tables.opcodes, Some(process))).max();
    (recorded, most.filter(|turns| *turns > 1000))
}

/// What is in a recording's folder that has the name of live counters.
fn live_folders(recorded: &recorded::Recorded) -> Vec<String> {
    let entries = std::fs::read_dir(recorded.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("live")).collect()
}

#[test]
fn a_daemon_that_runs_on_is_counted_up_to_the_commands_end_and_named() {
    for interpreter in one_of_each_version() {
        let name = interpreter.path.display();
        let (recorded, turns) = daemon(interpreter, &["--quiet"], 1.0);
        let manifest = recorded.recording().manifest;
        let said = &manifest.incomplete;
        assert!(turns.is_some(), "{name}: {:?}", manifest.processes);
        assert!(!manifest.complete && said.iter().any(|text| text.contains("still ran")), "{name}: {said:?}");
        let running = manifest.processes.iter().filter(|process| process.end == Process::RUNNING);
        assert_eq!(running.count(), 1, "{name}: {:?}", manifest.processes);
        assert_eq!(live_folders(&recorded), [""; 0], "{name}");
    }
}

#[test]
fn a_daemon_that_ends_soon_after_the_command_is_counted_to_its_end() {
    for interpreter in one_of_each_version() {
        let name = interpreter.path.display();
        let (recorded, turns) = daemon(interpreter, &["--quiet"], 0.05);
        let manifest = recorded.recording().manifest;
        assert!(turns.is_some(), "{name}: {:?}", manifest.processes);
        assert!(manifest.complete, "{name}: {:?}", manifest.incomplete);
        assert_eq!(live_folders(&recorded), [""; 0], "{name}");
    }
}

#[test]
fn what_a_shell_leaves_in_the_background_is_counted() {
    for interpreter in one_of_each_version() {
        let script = format!("{} -c 'for i in range(5000): pass' &", interpreter.path.display());
        let recorded = record_with(&["--quiet"], ["sh", "-c", &script]);
        let name = interpreter.path.display();
        assert_eq!(recorded.output.status.code(), Some(0), "{name}: {}", recorded.stderr());
        let recording = recorded.recording();
        let turns = turns(&recording.tables.opcodes, None);
        assert!((5001..6000).contains(&turns) || !recording.manifest.complete, "{name}: {turns}");
    }
}

/// What has not begun to count when the command has ended is named, and runs unmetered.
#[test]
fn what_begins_long_after_the_commands_end_is_named_and_runs() {
    let python = interpreters::any().path.display();
    let later = format!("(sleep 1; {python} -c 'open(\"done\", \"w\")') &");
    for (before, status) in [(format!("{python} -c pass"), 0), ("true".to_owned(), 125)] {
        let script = format!("{before}; {later}");
        let recorded = record_with(&["--quiet"], ["sh", "-c", &script]);
        assert_eq!(recorded.output.status.code(), Some(status), "{}", recorded.stderr());
        if status == 0 {
            let manifest = recorded.recording().manifest;
            let said = &manifest.incomplete;
            assert!(said.iter().any(|text| text.contains("sleep (PID ")), "{said:?}");
            assert_eq!((manifest.complete, manifest.processes.len()), (false, 1), "{said:?}");
        } else {
            assert!(recorded.stderr().contains("sleep (PID "), "{}", recorded.stderr());
        }
        while !recorded.folder().join("done").exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}

#[test]
fn threads_count_exactly() {
    // `threading` waits for its threads in loops whose turns depend on the time.
    let program = "
import _thread
def work(done):
    for i in range(100000): pass
    done.release()
locks = [_thread.allocate_lock() for _ in range(8)]
for lock in locks: lock.acquire()
for lock in locks: _thread.start_new_thread(work, (lock,))
for lock in locks: lock.acquire()
";
    for interpreter in all() {
        let counts: Vec<u64> =
            (0..3).map(|_| turns(&run(interpreter, program).tables.opcodes, None)).collect();
        let name = interpreter.path.display();
        assert!(counts.iter().all(|count| *count == counts[0]), "{name}: {counts:?}");
        assert!((800_008..802_000).contains(&counts[0]), "{name}: {counts:?}");
    }
}

#[test]
fn interpreters_with_a_lock_of_their_own_count_exactly() {
    let program = "
import threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
def work():
    interpreter = interpreters.create()
    run = getattr(interpreters, 'exec', None) or interpreters.run_string
    run(interpreter, 'for i in range(100000): pass')
    interpreters.destroy(interpreter)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";
    for interpreter in all().iter().filter(|interpreter| interpreter.version >= (3, 12)) {
        let counts: Vec<u64> =
            (0..3).map(|_| turns(&run(interpreter, program).tables.opcodes, None)).collect();
        let name = interpreter.path.display();
        // Importing a module on the way can be left to either of two threads.
        assert!(counts.iter().all(|count| count.abs_diff(counts[0]) < 100), "{name}: {counts:?}");
        assert!((400_004..410_000).contains(&counts[0]), "{name}: {counts:?}");
    }
}

/// The second interpreter has all threads go over to counters of their own, while others run and begin.
#[test]
fn interpreters_that_begin_at_the_same_time_count_exactly() {
    let program = "
import subprocess, sys
program = '''
import threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
run = getattr(interpreters, 'exec', None) or interpreters.run_string
together = threading.Barrier(6)
def work():
    together.wait()
    interpreter = interpreters.create()
    run(interpreter, 'for i in range(3000): str(i)')
    interpreters.destroy(interpreter)
threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
'''
for _ in range(10):
    pair = [subprocess.Popen([sys.executable, '-c', program]) for _ in range(2)]
    assert [one.wait() for one in pair] == [0, 0]
";
    let versions = one_of_each_version().into_iter().filter(|interpreter| interpreter.version >= (3, 12));
    for interpreter in versions {
        let recorded = record([interpreter.path.as_os_str(), "-c".as_ref(), program.as_ref()]);
        let name = interpreter.path.display();
        assert!(recorded.output.status.success(), "{name}: {}", recorded.stderr());
        assert_eq!(recorded.recording().manifest.processes.len(), 21, "{name}");
        let check = opmeter().args(["report", "--check"]).arg(recorded.path()).output().unwrap();
        assert!(check.status.success(), "{name}: {}", String::from_utf8_lossy(&check.stdout));
    }
}

#[test]
fn phases_part_the_program_from_the_interpreter() {
    use opmeter_recording::Phase;
    let program = "for i in range(777): pass";
    for interpreter in all() {
        let recording = run(interpreter, program);
        let name = interpreter.path.display();
        let of = |phase: Phase| {
            recording
                .tables
                .opcodes
                .iter()
                .filter(move |row| row.phase == phase)
                .map(|row| row.executions)
                .sum::<u64>()
        };
        assert!((778..1500).contains(&turns(&recording.tables.opcodes, None)), "{name}");
        assert!(of(Phase::Startup) > 10_000, "{name}");
        assert!(of(Phase::Main) < of(Phase::Startup), "{name}");
        let executions: u64 = recording.tables.opcodes.iter().map(|row| row.executions).sum();
        assert_eq!(recording.manifest.processes[0].dispatch.executions, executions, "{name}");
    }
}

#[test]
fn every_way_to_start_a_program_is_metered() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("program.py");
    for interpreter in one_of_each_version() {
        let name = interpreter.path.display();
        std::fs::write(&script, format!("#!{name}\nfor i in range(100000): pass\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, mode).unwrap();
        let shell = format!("{name} - < {}", script.display());
        let module = format!("cd {} && {name} -m program", folder.path().display());
        let ways: [&[&std::ffi::OsStr]; 4] = [
            &[interpreter.path.as_os_str(), script.as_os_str()],
            &[script.as_os_str()],
            &["sh".as_ref(), "-c".as_ref(), shell.as_ref()],
            &["sh".as_ref(), "-c".as_ref(), module.as_ref()],
        ];
        for way in ways {
            let recorded = record_with(&["--quiet"], way);
            assert!(recorded.output.status.success(), "{way:?}: {}", recorded.stderr());
            let turns = turns(&recorded.recording().tables.opcodes, None);
            assert!((100_001..120_000).contains(&turns), "{way:?}: {turns}");
        }
    }
}

/// The development mode has its own allocators, which notice memory that others have allocated.
#[test]
fn the_development_mode_runs_as_without_the_meter() {
    for interpreter in all() {
        let recorded = record([
            interpreter.path.as_os_str(),
            "-X".as_ref(),
            "dev".as_ref(),
            "-c".as_ref(),
            "print(1)".as_ref(),
        ]);
        let name = interpreter.path.display();
        assert_eq!(recorded.output.status.code(), Some(0), "{name}: {}", recorded.stderr());
        assert_eq!(recorded.stdout(), "1\n", "{name}");
        assert!(
            recorded.recording().tables.opcodes.iter().any(|row| row.phase == opmeter_recording::Phase::Main),
            "{name}"
        );
    }
}

/// A program may rely on the lowest file descriptor being free.
#[test]
fn no_file_descriptor_is_taken() {
    let program = "import os; print(sorted(os.listdir('/proc/self/fd')), os.open('/dev/null', 0))";
    for interpreter in one_of_each_version() {
        let script = format!("exec {} -c \"{program}\" <&-", interpreter.path.display());
        let plain = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let recorded = record(["sh", "-c", &script]);
        assert!(plain.status.success() && !plain.stdout.is_empty());
        assert_eq!(recorded.stdout(), String::from_utf8_lossy(&plain.stdout), "{}", recorded.stderr());
    }
}
