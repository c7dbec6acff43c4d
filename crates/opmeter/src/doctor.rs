//! `opmeter doctor`

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use clap::Args;
use opmeter_energy::Sysfs;
use opmeter_recording::{Collected, Manifest, Process, ProcessState};

use crate::error::{Failure, NOT_DONE};
use crate::live_folder::{LiveFolder, Wishes};
use crate::message::shown;
use crate::native::meters;
use crate::{agent, launch, machine, named_python};

/// Arguments of `doctor`.
#[derive(Args)]
pub struct DoctorArgs {
    /// Where the kernel's tree of energy counters is, such as the host's in a container
    #[arg(long, value_name = "ROOT", default_value = "/sys")]
    pub sysfs: PathBuf,
    /// The interpreter to look at: a version such as 3.8, a name, or a path
    #[arg(long, value_name = "PY", default_value = "python3")]
    pub python: OsString,
}

/// What the interpreter is asked to run: enough to be counted, and to say whether it has a JIT.
const PROBE: &str = "\
import sys, sysconfig
for i in range(1000): pass
jit = getattr(sys, '_jit', None)
print('on' if jit and jit.is_enabled() else 'off' if jit and jit.is_available() else 'none')
";

/// Says what can be metered here. Status 0 where the interpreter can be, 1 where it can't.
pub fn run(args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let machine = machine::describe();
    line("machine", &format!("{}, {} cores, {}", machine.cpu, machine.cores, machine.kernel));
    for (name, text) in meters::describe(&Sysfs::at(&args.sysfs)) {
        line(&name, &text);
    }
    let agent = agent::library().map_err(|failure| Failure::not_done(failure.message))?;
    line("agent", &agent.display().to_string());
    let folder = Scratch::create()?;
    let live = LiveFolder::create(&folder.0, Wishes::default(), &Manifest::default())
        .map_err(|error| Failure::not_done(format_args!("{}: {error}", folder.0.display())))?;
    let python = named_python::command(&args.python)?;
    let output = launch::metered(&python, &agent, &live.path)
        .args(["-I", "-c", PROBE])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Failure::not_done(format_args!(
                "{} could not be started: {error}; name another interpreter with --python",
                args.python.to_string_lossy()
            ))
        })?;
    let collected = live.collect(&[]).map_err(Failure::not_done)?;
    let Some(process) = metered_or_last(&collected) else {
        return Err(Failure::not_done(no_interpreter(args, &output.stderr, &collected)));
    };
    describe(process);
    if process.state != ProcessState::Metered {
        let reason = process.reason.as_deref().unwrap_or("it ended before the meter was set up");
        line("verdict", &format!("can't be metered: {reason}"));
        return Ok(ExitCode::from(NOT_DONE));
    }
    let jit = match String::from_utf8_lossy(&output.stdout).trim() {
        "on" => "on: what it compiles is not counted; switch it off with PYTHON_JIT=0",
        "off" => "built in, and off",
        _ => "none",
    };
    line("JIT", jit);
    line("verdict", "every executed bytecode can be counted");
    Ok(ExitCode::SUCCESS)
}

fn metered_or_last(collected: &Collected) -> Option<&Process> {
    let metered = collected.processes.iter().find(|process| process.state == ProcessState::Metered);
    metered.or(collected.processes.last())
}

fn describe(process: &Process) {
    let threads = if process.free_threaded { "free-threaded" } else { "with the global interpreter lock" };
    line("interpreter", &process.executable);
    line("version", &format!("{} {}, {threads}", process.implementation, process.python));
    line("build", &process.build);
    let dispatch = &process.dispatch;
    if process.state != ProcessState::Metered {
        return;
    }
    line("dispatch table", &format!("found at {} in {}", dispatch.table, dispatch.module));
    if dispatch.switch_table {
        line("switch table", "found");
    } else if let Some(register) = &dispatch.next_instr_register {
        line("next instruction", &format!("in register {register}"));
    } else {
        line("next instruction", "register not found: instructions that are dispatched twice count twice");
    }
    line("counted", &format!("{} bytecodes in a trial run", dispatch.executions));
}

fn no_interpreter(args: &DoctorArgs, stderr: &[u8], collected: &Collected) -> String {
    let name = args.python.to_string_lossy();
    if let Some((_, error)) = &collected.unrecorded {
        return format!("the counters of {name} could not be kept: {error}");
    }
    let said = String::from_utf8_lossy(stderr);
    let said = said.lines().next().map_or_else(String::new, |line| format!(" (it said: {line})"));
    format!("no CPython 3 ran as {name}{said}; name another interpreter with --python")
}

fn line(name: &str, text: &str) {
    // A reader that has seen enough is no failure.
    let _ = writeln!(io::stdout(), "{name:<17} {}", shown(text));
}

/// A folder for the trial run, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("opmeter-doctor-{}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(error) => Err(Failure::not_done(format_args!("{} can't be made: {error}", path.display()))),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
