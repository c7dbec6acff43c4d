//! The files of a live folder.

use std::fs;

use opmeter_damage::{Damage, EXTREMES, cases, isolated};
use opmeter_live::{RingFile, Word};
use opmeter_recording::{Budget, Collected, EventWriter, Manifest, Recording};

use crate::recorded;

#[test]
fn whole_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    recorded::write_live(folder.path());
    let collected = Collected::from_live(&folder.path().join("live"), &[]).unwrap();
    let [process] = &collected.processes[..] else { panic!("{:?}", collected.processes) };
    assert_eq!(process.python, "3.12.1");
    assert!(process.timing.is_some() && process.events.as_ref().is_some_and(|events| events.events > 2000));
    let tables = &collected.tables;
    let lengths = [
        tables.opcodes.len(),
        tables.instructions.len(),
        tables.lines.len(),
        tables.pairs.len(),
        tables.specialization.len(),
        tables.event_sites.len(),
    ];
    assert!(lengths.iter().all(|length| *length > 0), "{lengths:?}");
}

#[test]
fn damaged_files_are_read_as_far_as_they_go() {
    isolated("live::damaged_files_are_read_as_far_as_they_go", 512, 600, |case| {
        let folder = tempfile::tempdir().unwrap();
        recorded::write_live(folder.path());
        let live = folder.path().join("live");
        let mut files = recorded::files();
        files.push(("control", recorded::control()));
        let others: Vec<&[u8]> = files.iter().map(|(_, bytes)| &bytes[..bytes.len().min(4096)]).collect();
        let read = |name: &str, extension: &str, bytes: &[u8], keep: bool| {
            case.is(name);
            let stem = if extension == "control" { "control" } else { "7-0" };
            let path = live.join(stem).with_extension(if stem == "control" { "" } else { extension });
            let whole = fs::read(&path).unwrap();
            fs::write(&path, bytes).unwrap();
            let collected = Collected::from_live(&live, &[]).unwrap();
            assert!(collected.incomplete.iter().all(|problem| !problem.trim().is_empty()));
            if keep {
                // What came of it is a recording that can be read.
                let place = folder.path().join("recording");
                Recording::write(&place, &Manifest::default(), &collected.tables).unwrap();
                assert_eq!(Recording::open(&place).unwrap().tables, collected.tables);
            }
            fs::write(&path, whole).unwrap();
        };
        for (extension, bytes) in &files {
            for seed in 0..cases(250) {
                let damaged = match seed % 2 {
                    0 => Damage::new(seed as u64).in_place(bytes),
                    _ => Damage::new(seed as u64).of(bytes, &others),
                };
                read(&format!("{extension} {seed}"), extension, &damaged, seed % 10 == 0);
            }
            let step = (bytes.len() / cases(60)).max(1);
            for length in (0..bytes.len()).step_by(step) {
                read(&format!("{extension} cut at {length}"), extension, &bytes[..length], false);
            }
        }
        // Each word of the header, and of the log, with each extreme.
        for (extension, length) in [("live", (Word::Events as usize + 1) * 8), ("code", 400), ("times", 128)]
        {
            let (_, bytes) = files.iter().find(|(name, _)| *name == extension).unwrap();
            for at in (0..length.min(bytes.len() - 8)).step_by(8) {
                for word in EXTREMES {
                    let mut damaged = bytes.clone();
                    damaged[at..at + 8].copy_from_slice(&word.to_le_bytes());
                    read(&format!("{extension} {word:#x} at {at}"), extension, &damaged, false);
                }
            }
        }
    });
}

#[test]
fn a_damaged_ring_gives_some_events_or_none() {
    isolated("live::a_damaged_ring_gives_some_events_or_none", 512, 600, |case| {
        let folder = tempfile::tempdir().unwrap();
        let files = recorded::files();
        let (_, whole) = files.iter().find(|(extension, _)| *extension == "ring").unwrap();
        let path = folder.path().join("7-0.ring");
        for seed in 0..cases(400) {
            case.is(&format!("ring {seed}"));
            let mut damage = Damage::new(seed as u64);
            let mut bytes = whole.clone();
            // The table of chunks, and the first records: most of the file is empty.
            for part in [0..4096, 4096..4200, 65536..72000] {
                let damaged = damage.in_place(&bytes[part.clone()]);
                bytes[part].copy_from_slice(&damaged);
            }
            bytes.truncate(bytes.len() - damage.below(3) * damage.below(bytes.len()) / 2);
            fs::write(&path, bytes).unwrap();
            let events = folder.path().join(format!("{seed}.events"));
            let mut writer = EventWriter::create(&events, (3, 12)).unwrap();
            let mut budget = Budget::new(None, None);
            let Ok(mut ring) = RingFile::open(&path) else { continue };
            for chunk in ring.chunks().unwrap_or_default() {
                let records = ring.read(&chunk, true).unwrap_or_default();
                writer.take(chunk.thread, records, &mut budget).unwrap();
            }
            writer.finish(&mut budget).unwrap();
            fs::remove_file(&events).unwrap();
        }
    });
}
