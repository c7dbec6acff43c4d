//! A tree such as the kernel's, with counters that move at a known power.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The range of a real counter, in microjoules.
pub const REAL_RANGE: u64 = 262_143_328_850;

/// A zone of powercap.
#[derive(Debug, Clone, Copy)]
pub struct Zone {
    /// Its place in the tree, such as `intel-rapl:0:1`.
    pub place: &'static str,
    /// Its name, such as `dram`.
    pub name: &'static str,
    /// The power at which its counter moves.
    pub watts: f64,
    /// Where its counter begins, in microjoules.
    pub start: u64,
    /// Where its counter begins again at 0, in microjoules.
    pub range: u64,
}

/// A zone with a counter of the usual range.
pub const fn zone(place: &'static str, name: &'static str, watts: f64) -> Zone {
    Zone { place, name, watts, start: 1_000_000_000, range: REAL_RANGE }
}

/// What becomes of a zone's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Moving,
    Standing,
    Gone,
}

/// The tree. Its counters move until it is dropped.
pub struct CounterTree {
    folder: tempfile::TempDir,
    states: Arc<Mutex<Vec<State>>>,
    places: Vec<&'static str>,
    /// The longest time from one move to the next, in microseconds.
    longest: Arc<AtomicU64>,
    mover: Option<JoinHandle<()>>,
    stop: Arc<Mutex<bool>>,
}

impl CounterTree {
    /// A tree with these zones, whose counters move once in each period.
    pub fn new(zones: &[Zone], period: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = zones.iter().map(|zone| make(folder.path(), zone)).collect();
        let states = Arc::new(Mutex::new(vec![State::Moving; zones.len()]));
        let stop = Arc::new(Mutex::new(false));
        let longest = Arc::new(AtomicU64::new(0));
        let mover = {
            let (zones, states, stop) = (zones.to_vec(), states.clone(), stop.clone());
            let longest = longest.clone();
            let begun = Instant::now();
            thread::spawn(move || {
                let mut last = begun;
                while !*stop.lock().unwrap() {
                    let states = states.lock().unwrap().clone();
                    let seconds = begun.elapsed().as_secs_f64();
                    for ((zone, file), state) in zones.iter().zip(&files).zip(states) {
                        if state == State::Moving {
                            let steps = zone.start + (zone.watts * seconds * 1e6) as u64;
                            fs::write(file, format!("{}\n", steps % zone.range)).unwrap();
                        }
                    }
                    let now = Instant::now();
                    longest.fetch_max((now - last).as_micros() as u64, Ordering::Relaxed);
                    last = now;
                    thread::sleep(period);
                }
            })
        };
        let places = zones.iter().map(|zone| zone.place).collect();
        Self { folder, states, places, longest, mover: Some(mover), stop }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Holds that a power that was measured over so long is the one at which a counter moves: to 2 %, and what it moves
    /// while threads wait for a processor: the one that moves it, whose waits are known, and at both ends the one that
    /// reads it. Processors have much to do in tests.
    pub fn assert_watts(&self, what: &str, watts: f64, seconds: f64, expected: f64) {
        let late = self.longest.load(Ordering::Relaxed) as f64 / 1e6;
        let tolerance = 0.02 + (4.0 * late + 0.01) / seconds;
        assert!(
            (watts / expected - 1.0).abs() < tolerance,
            "{what}: {watts} W in {seconds} s, not {expected} W to {tolerance}"
        );
    }

    /// Has a zone's counter stand still.
    pub fn hold(&self, place: &str) {
        self.set(place, State::Standing);
    }

    /// Makes a zone's counter unreadable.
    pub fn remove(&self, place: &str) {
        self.set(place, State::Gone);
        // The mover may have been about to write.
        thread::sleep(Duration::from_millis(20));
        fs::remove_file(folder(self.path(), place).join("energy_uj")).unwrap();
    }

    fn set(&self, place: &str, state: State) {
        let zone = self.places.iter().position(|known| *known == place).unwrap();
        self.states.lock().unwrap()[zone] = state;
    }
}

impl Drop for CounterTree {
    fn drop(&mut self) {
        *self.stop.lock().unwrap() = true;
        self.mover.take().unwrap().join().unwrap();
    }
}

/// The folder of a zone: in its parent's.
fn folder(root: &Path, place: &str) -> PathBuf {
    let (kind, _) = place.split_once(':').unwrap();
    let mut folder = root.join("devices/virtual/powercap").join(kind);
    let mut name = kind.to_owned();
    for part in place.split(':').skip(1) {
        name = format!("{name}:{part}");
        folder.push(&name);
    }
    folder
}

/// Makes the files of a zone, and the link to it in the framework's folder; gives the file of its counter.
fn make(root: &Path, zone: &Zone) -> PathBuf {
    let folder = folder(root, zone.place);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("name"), format!("{}\n", zone.name)).unwrap();
    fs::write(folder.join("max_energy_range_uj"), format!("{}\n", zone.range)).unwrap();
    let counter = folder.join("energy_uj");
    fs::write(&counter, format!("{}\n", zone.start)).unwrap();
    let class = root.join("class/powercap");
    fs::create_dir_all(&class).unwrap();
    symlink(&folder, class.join(zone.place)).unwrap();
    counter
}
