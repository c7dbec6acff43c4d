//! Signals that are meant for the command when they reach us.

use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::iterator::{Handle, SignalsInfo};
use signal_hook::low_level::siginfo::Cause;

use crate::group_witness::Witness;
use crate::launch;

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
    witness: Arc<Mutex<Option<Witness>>>,
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
        let witness: Arc<Mutex<Option<Witness>>> = Arc::default();
        let thread = {
            let (receiver, passed, witness) = (receiver.clone(), passed.clone(), witness.clone());
            thread::Builder::new().spawn(move || {
                for origin in signals.forever() {
                    let receiver = *lock(&receiver);
                    let Some((pid, reach)) = receiver else {
                        launch::end_by(origin.signal);
                        std::process::exit(i32::from(launch::status_of(origin.signal)));
                    };
                    passed.store(origin.signal, Ordering::Relaxed);
                    if reach == Reach::Group {
                        let _ = kill_process_group(pid, Signal::KILL);
                        continue;
                    }
                    // What the terminal sends, it sends to the command as well; and so does whoever sends to the group.
                    let mut for_all = matches!(origin.cause, Cause::Kernel);
                    if let Some(witness) = lock(&witness).as_mut().filter(|_| !for_all) {
                        let sender = origin.process.map(|process| process.pid as u32);
                        for_all = witness.saw(origin.signal, sender);
                    }
                    if let Some(signal) = Signal::from_named_raw(origin.signal).filter(|_| !for_all) {
                        let _ = kill_process(pid, signal);
                    }
                }
            })?
        };
        Ok(Self { handle, thread, receiver, passed, witness })
    }

    /// Heeds more signals.
    ///
    /// # Errors
    /// When the system gives no handlers.
    pub fn add(&self, signals: &[i32]) -> io::Result<()> {
        signals.iter().try_for_each(|signal| self.handle.add_signal(*signal))
    }

    /// From now on, what is sent to our process group is not passed on to the command, which gets it itself.
    pub fn call_witness(&self) {
        // Without it, the command gets such signals twice.
        *lock(&self.witness) = Witness::call().ok();
    }

    /// Starts a command that signals are passed on to from now on.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn spawn(&self, command: &mut Command, reach: Reach) -> io::Result<Child> {
        // A signal that comes in between waits until there is somebody to receive it.
        let mut receiver = lock(&self.receiver);
        let child = command.spawn()?;
        *receiver = Some((Pid::from_child(&child), reach));
        Ok(child)
    }

    /// The command has ended.
    pub fn ended(&self) {
        *lock(&self.receiver) = None;
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

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
