//! From the command's end to the moment up to which is counted.

use std::thread;
use std::time::{Duration, Instant};

use opmeter_recording::{Outliving, process_start};

use crate::live_folder::LiveFolder;

/// How long processes that outlive the command are waited for.
const SETTLING: Duration = Duration::from_millis(300);

/// From one look at them to the next.
const INTERVAL: Duration = Duration::from_millis(2);

/// Waits a moment for processes that end soon after the command, as `multiprocessing`'s helpers do, then closes the
/// folder. Gives those that run on.
pub fn settle(live: &mut LiveFolder) -> Vec<Outliving> {
    let deadline = Instant::now() + SETTLING;
    // Nothing that we have started is older than we are.
    let since = process_start(u64::from(std::process::id())).unwrap_or(0);
    let told = live.path.clone();
    loop {
        let outliving = Outliving::of(&told, since);
        if outliving.is_empty() {
            live.close();
            return outliving;
        }
        // Others can only come from these, and are looked for when they have ended.
        while outliving.iter().any(Outliving::runs) {
            if Instant::now() >= deadline {
                live.close();
                return Outliving::of(&told, since);
            }
            thread::sleep(INTERVAL);
        }
    }
}
