//! Where the agent begins: the loader calls it before the program starts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;

use opmeter_live::{Control, FOLDER_VARIABLE, Status, Word};
use opmeter_opcodes::OpcodeTable;

use crate::control::ControlFile;
use crate::dispatch_table::DispatchTable;
use crate::executable_memory::reserve_near;
use crate::interpreter::Interpreter;
use crate::live::{self, Live};
use crate::meter::{CODE_LENGTH, Meter, Parts};
use crate::ring::Ring;
use crate::switch_table::SwitchTable;
use crate::{environment, exec, fork, pairs, times, tsc};

/// Address space that must be left, in bytes: with less an interpreter does not start.
const FOR_THE_PROGRAM: usize = 0x80_0000;

/// Exit status of a process that is not run because it can't be metered.
const REFUSED: i32 = 125;

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    let _ = std::panic::catch_unwind(|| {
        // Who starts a program with rights of its own has no say in what it writes where.
        // SAFETY: reads what the kernel told the process at its start.
        if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
            return;
        }
        let Some(folder) = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from) else { return };
        environment::accompany(&folder);
        exec::watch();
        let Some(interpreter) = Interpreter::find() else { return };
        let Some(control) = ControlFile::open(&folder) else { return };
        match prepare(&folder, interpreter, control) {
            Ok(()) => {
                control.word(Control::Metered).fetch_add(1, Relaxed);
            }
            Err(refusal) => refusal.act(&folder, control),
        }
    });
}

/// Why this process is not metered.
struct Refusal {
    reason: String,
    interpreter: Option<Interpreter>,
}

fn prepare(folder: &Path, interpreter: Interpreter, control: ControlFile) -> Result<(), Box<Refusal>> {
    let (major, minor, _) = interpreter.version;
    macro_rules! refuse {
        ($($reason:tt)*) => {
            return Err(Box::new(Refusal { reason: format!($($reason)*), interpreter: Some(interpreter) }))
        };
    }
    let Some(opcodes) = OpcodeTable::built_in(major, minor) else {
        refuse!("CPython {major}.{minor} is not known; known are 3.8 to 3.15");
    };
    let dispatch = match DispatchTable::find(&interpreter.module, &opcodes) {
        Ok(dispatch) => dispatch,
        Err(problem) => refuse!("{problem}"),
    };
    let switch = if minor <= 10 { SwitchTable::find(&interpreter.module, &opcodes, &dispatch) } else { None };
    if minor <= 10 && switch.is_none() {
        refuse!(
            "the jump table of its switch statement was not found with certainty, and without it \
             counts would be short"
        );
    }
    let with_pairs = control.word(Control::Pairs).load(Relaxed) != 0;
    let time_share = control.word(Control::TimeShare).load(Relaxed);
    let with_events = control.word(Control::Events).load(Relaxed) != 0;
    if (time_share > 0 || with_events)
        && let Some(problem) = tsc::problem()
    {
        refuse!("{problem}");
    }
    let pairs_at = CODE_LENGTH + live::LENGTH;
    let times_at = pairs_at + if with_pairs { pairs::LAYOUT.length() } else { 0 };
    let length = times_at + if time_share > 0 { times::LAYOUT.length() } else { 0 };
    let reserved = reserve_near(&interpreter.module.span(), length).and_then(|code| {
        if address_space_left() >= FOR_THE_PROGRAM {
            return Ok(code);
        }
        // SAFETY: reserved just now, and not used.
        unsafe { libc::munmap(code as *mut libc::c_void, length) };
        Err(io::Error::from_raw_os_error(libc::ENOMEM))
    });
    let code = match reserved {
        Ok(code) => code,
        Err(error) => refuse!(
            "no address space is free near the interpreter ({error}); a limit on virtual memory \
             (ulimit -v) may have to be raised by {} MiB",
            (length + FOR_THE_PROGRAM) >> 20
        ),
    };
    let live = Live::create(folder, code + CODE_LENGTH).and_then(|mut live| {
        if with_pairs {
            live.count_pairs(code + pairs_at)?;
        }
        if time_share > 0 {
            live.take_times(code + times_at)?;
        }
        Ok(live)
    });
    let live = match live {
        Ok(live) => live,
        Err(error) => refuse!("its counters have no room in {}: {error}", folder.display()),
    };
    let ring = match live.path().filter(|_| with_events).map(Ring::create).transpose() {
        Ok(ring) => ring,
        Err(error) => refuse!("its events have no room in {}: {error}", folder.display()),
    };
    live.set(Word::Events, u64::from(ring.is_some()));
    describe(&live, &interpreter);
    live.set(Word::TableOffset, (dispatch.address - interpreter.module.base) as u64);
    if let Some(switch) = &switch {
        live.set(Word::SwitchOffset, (switch.address - interpreter.module.base) as u64);
    }
    let parts = Parts {
        interpreter,
        opcodes,
        dispatch,
        switch,
        control,
        live,
        code,
        pairs: with_pairs,
        time_share,
        ring,
    };
    if let Err(error) = Meter::install(parts) {
        let reason = format!("the system does not let the meter be installed: {error}");
        return Err(Box::new(Refusal { reason, interpreter: None }));
    }
    fork::watch();
    Ok(())
}

fn describe(live: &Live, interpreter: &Interpreter) {
    let (major, minor, micro) = interpreter.version;
    live.describe(&interpreter.module.path, &interpreter.build);
    live.set(Word::Major, u64::from(major));
    live.set(Word::Minor, u64::from(minor));
    live.set(Word::Micro, u64::from(micro));
    live.set(Word::FreeThreaded, u64::from(interpreter.free_threaded));
}

impl Refusal {
    /// Leaves the reason for the command to find. The first interpreter of the command does not run
    /// then, unless that was asked for; one that a metered program starts is not stopped.
    fn act(self, folder: &Path, control: ControlFile) {
        let runs = control.word(Control::BestEffort).load(Relaxed) != 0
            || control.word(Control::Metered).load(Relaxed) != 0;
        let status = if runs { Status::Unmetered } else { Status::Refused };
        if let Some(meter) = crate::meter::get() {
            // It got as far as to have a live file.
            meter.with_live(|live| live.set_status(status, &self.reason));
        } else {
            match anywhere(live::LENGTH).and_then(|address| Live::create(folder, address)) {
                Ok(live) => {
                    if let Some(interpreter) = &self.interpreter {
                        describe(&live, interpreter);
                    }
                    live.set_status(status, &self.reason);
                }
                Err(error) => control.unrecorded(&error),
            }
        }
        if !runs {
            // SAFETY: ends the process before any of its own code has run.
            unsafe { libc::_exit(REFUSED) };
        }
    }
}

/// How much more address space this process may take.
fn address_space_left() -> usize {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: writes to the variable that is passed.
    unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) };
    if limit.rlim_cur == libc::RLIM_INFINITY {
        return usize::MAX;
    }
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    (limit.rlim_cur as usize).saturating_sub(pages * 4096)
}

/// Reserves address space wherever the system likes.
fn anywhere(length: usize) -> io::Result<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping.
    let address = unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
    if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(address as usize) }
}
