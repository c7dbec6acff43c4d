//! Signals that are meant for the command when they reach us.

use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::iterator::{Handle, SignalsInfo};
use signal_hook::low_level::emulate_default_handler;
use signal_hook::low_level::siginfo::Cause;

/// The signals.
pub const PASSED_ON: [i32; 6] = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2];

/// Whom a signal is passed on to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The command, which is in our own process group: signals from the terminal reach it without us.
    Process,
    /// All of the command's process group, which is another than ours: any signal ends it at once.
    Group,
}

/// Passes signals on to the command that runs. While none does, they end us as they always would.
pub struct SignalPassing {
    handle: Handle,
    thread: JoinHandle<()>,
    receiver: Arc<Mutex<Option<(Pid, Reach)>>>,
    passed: Arc<AtomicI32>,
}

impl SignalPassing {
    /// Begins to heed signals.
    ///
    /// # Errors
    /// When the system gives no handlers.
    pub fn begin(signals: &[i32]) -> io::Result<Self> {
        let mut signals = SignalsInfo::<WithOrigin>::new(signals)?;
        let handle = signals.handle();
        let receiver: Arc<Mutex<Option<(Pid, Reach)>>> = Arc::default();
        let passed: Arc<AtomicI32> = Arc::default();
        let thread = {
            let (receiver, passed) = (receiver.clone(), passed.clone());
            thread::Builder::new().spawn(move || {
                for origin in signals.forever() {
                    let receiver = *receiver.lock().unwrap_or_else(PoisonError::into_inner);
                    let Some((pid, reach)) = receiver else {
                        let _ = emulate_default_handler(origin.signal);
                        continue;
                    };
                    passed.store(origin.signal, Ordering::Relaxed);
                    if reach == Reach::Group {
                        let _ = kill_process_group(pid, Signal::KILL);
                        continue;
                    }
                    // What the terminal sends, it sends to the command as well.
                    let terminal = matches!(origin.cause, Cause::Kernel);
                    if let Some(signal) = Signal::from_named_raw(origin.signal).filter(|_| !terminal) {
                        let _ = kill_process(pid, signal);
                    }
                }
            })?
        };
        Ok(Self { handle, thread, receiver, passed })
    }

    /// Heeds more signals.
    ///
    /// # Errors
    /// When the system gives no handlers.
    pub fn add(&self, signals: &[i32]) -> io::Result<()> {
        signals.iter().try_for_each(|signal| self.handle.add_signal(*signal))
    }

    /// Starts a command that signals are passed on to from now on.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn spawn(&self, command: &mut Command, reach: Reach) -> io::Result<Child> {
        // A signal that comes in between waits until there is somebody to receive it.
        let mut receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        let child = command.spawn()?;
        *receiver = Some((Pid::from_child(&child), reach));
        Ok(child)
    }

    /// The command has ended.
    pub fn ended(&self) {
        *self.receiver.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The last signal that reached a command, if one did.
    pub fn passed(&self) -> Option<i32> {
        Some(self.passed.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Heeds signals no more: they are lost from now on.
    pub fn end(self) {
        self.handle.close();
        let _ = self.thread.join();
    }
}
