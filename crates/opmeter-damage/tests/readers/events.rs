//! Files of events.

use std::fs;
use std::path::Path;

use opmeter_damage::{Damage, cases, isolated};
use opmeter_recording::{EventFile, Events};
use twox_hash::XxHash64;

use crate::recorded;

const MAGIC: usize = 8;
const HEAD: usize = 48;

/// Reads all that there is; gives how many events these are.
fn read(path: &Path) -> Option<usize> {
    let mut file = EventFile::open(path).ok()?;
    let (mut events, mut count) = (Events::default(), 0);
    let _ = (file.events(), file.threads(), file.start());
    for block in 0..file.blocks() {
        if !file.read(block, &mut events).unwrap() {
            break;
        }
        count += events.events.len();
        assert!(events.events.iter().all(|event| (event.site as usize) < file.sites.len()));
    }
    Some(count)
}

/// Makes the checksums of all blocks fit what is in them, as far as there are blocks.
fn seal(bytes: &mut [u8]) {
    let mut at = MAGIC;
    while at + HEAD <= bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
        let Some(body) = bytes.get(at + HEAD..at + HEAD + length) else { return };
        let sum = XxHash64::oneshot(XxHash64::oneshot(0, &bytes[at..at + 40]), body);
        bytes[at + 40..at + 48].copy_from_slice(&sum.to_le_bytes());
        at += HEAD + length;
    }
}

#[test]
fn damaged_events_are_read_up_to_the_damage() {
    isolated("events::damaged_events_are_read_up_to_the_damage", 512, 600, |case| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1-0.events");
        recorded::write_events(&path);
        let whole = fs::read(&path).unwrap();
        let all = read(&path).unwrap();
        assert!(all > 2000, "{all}");
        let mut sealed = whole.clone();
        seal(&mut sealed);
        assert_eq!(sealed, whole, "what is written is sealed as it is here");
        for length in (0..whole.len()).step_by((whole.len() / cases(300)).max(1)) {
            case.is(&format!("cut at {length}"));
            fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path).unwrap_or(0) <= all);
        }
        for seed in 0..cases(3000) {
            case.is(&format!("seed {seed}"));
            let mut damage = Damage::new(seed as u64);
            let mut bytes = whole.clone();
            match seed % 3 {
                0 => bytes = damage.of(&whole, &[&whole]),
                1 => {
                    bytes = damage.in_place(&whole);
                    seal(&mut bytes);
                }
                // The heads: extremes in them, with checksums that fit.
                _ => {
                    let starts = starts(&whole);
                    let at = starts[damage.below(starts.len())] + 4 * damage.below(10);
                    bytes[at..at + 4].copy_from_slice(&(damage.extreme() as u32).to_le_bytes());
                    seal(&mut bytes);
                }
            }
            fs::write(&path, bytes).unwrap();
            read(&path);
        }
    });
}

/// Where blocks begin.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = MAGIC;
    while at + HEAD <= bytes.len() {
        starts.push(at);
        at += HEAD + u32::from_le_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize;
    }
    starts
}
