//! What is missing of what a process executed.

use std::io::ErrorKind;

use opmeter_live::{LiveFile, Status, Text, Word};

use crate::Process;

/// Dispatches after which the agent knows the interpreter's registers, and some.
const DISCOVERY: u64 = 2000;

/// Says what is missing, a sentence each. `compiled` is whether part of it ran as machine code, `torn` what is
/// wrong with the log of its code objects, `problems` is what was found before.
pub(crate) fn missing(
    file: &LiveFile,
    process: &Process,
    compiled: bool,
    torn: Option<String>,
    problems: Vec<String>,
) -> Vec<String> {
    let running = process.end == Process::RUNNING;
    let (executions, unplaced) = (process.dispatch.executions, process.dispatch.unplaced);
    let mut missing = Vec::new();
    match file.status() {
        Status::Metered => {}
        // What has ended by now has run no bytecode.
        Status::Starting if !running => {}
        Status::Starting => missing.push("the meter was not set up yet".to_owned()),
        Status::Refused | Status::Unmetered => {
            missing.push(format!("not metered: {}", file.text(Text::Reason)));
        }
    }
    if compiled {
        missing.push(
            "part of the program ran as code that the JIT compiled, and is not counted; \
             run it with PYTHON_JIT=0 to count all of it"
                .to_owned(),
        );
    }
    missing.extend(torn);
    missing.extend(problems);
    if unplaced > 0 {
        let register = process.dispatch.next_instr_register.is_some();
        let why = if file.word(Word::LostCode) > 0 {
            lost_code(file.word(Word::LostCodeError))
        } else if !register && executions > DISCOVERY {
            ": no register holds the address of the next instruction".to_owned()
        } else if !register {
            ": it ended too soon".to_owned()
        } else {
            String::new()
        };
        missing.push(format!(
            "it is not known where {unplaced} of its {executions} instructions ran, only how often each \
             opcode did{why}"
        ));
    }
    if file.word(Word::SharedSlots) > 0 {
        missing.push("more threads than can count at a time ran; counts may be short".to_owned());
    }
    if file.word(Word::RepeatsKnown) == 0 && executions > DISCOVERY {
        missing.push(
            "dispatches that repeat an instruction could not be told apart, and count as executions"
                .to_owned(),
        );
    }
    if running {
        missing.push("it still ran after the command's end; its counts are those up to then".to_owned());
    }
    let who = format!("process {} (PID {})", process.process, process.pid);
    missing.into_iter().map(|problem| format!("{who}: {problem}")).collect()
}

/// Why code objects could not be counted by instruction, by the system's error number.
fn lost_code(error: u64) -> String {
    let error = std::io::Error::from_raw_os_error(error as i32);
    match error.kind() {
        ErrorKind::PermissionDenied => format!(
            ": it was no longer allowed to open its files of counts by instruction ({error}), as after it has \
             changed its user"
        ),
        ErrorKind::NotFound | ErrorKind::NotADirectory => format!(
            ": it no longer found its files of counts by instruction ({error}), as after it has changed its root \
             or they were removed"
        ),
        _ => ": no more room for its counts by instruction".to_owned(),
    }
}
