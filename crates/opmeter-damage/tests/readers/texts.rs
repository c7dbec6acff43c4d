//! Texts: manifests, models, results, configurations, ranges.

use std::fs;
use std::path::Path;

use opmeter_corpus::{Config, JobResult};
use opmeter_damage::samples::{CONFIG, MANIFEST, MODEL, RANGE, RESULT};
use opmeter_damage::{Damage, cases, isolated};
use opmeter_model::Model;
use opmeter_recording::Manifest;
use opmeter_synthesis::RangeFile;

/// Reads the text at a place: whether it is one, or else what is said of it.
type Reader = fn(&Path) -> Result<(), String>;

/// A file, its whole text, and who reads it in its folder.
const TEXTS: [(&str, &str, Reader); 5] = [
    ("manifest.json", MANIFEST, |folder| Manifest::read(folder).map(drop).map_err(|error| error.to_string())),
    ("model.json", MODEL, |folder| {
        Model::read(&folder.join("model.json")).map(drop).map_err(|error| error.to_string())
    }),
    ("result.json", RESULT, |folder| JobResult::read(folder).map(drop).ok_or("it is none".to_owned())),
    ("opmeter.toml", CONFIG, |folder| Config::read(folder).map(drop).map_err(|error| error.to_string())),
    ("range.toml", RANGE, |folder| {
        let entry = RangeFile::beside(folder).entry("a.py").map_err(|error| error.to_string())?;
        entry.map(|entry| _ = entry.ends()).ok_or("there is none".to_owned())
    }),
];

#[test]
fn damaged_texts_are_read_or_refused() {
    isolated("texts::damaged_texts_are_read_or_refused", 256, 300, |case| {
        let folder = tempfile::tempdir().unwrap();
        let others: Vec<&[u8]> = TEXTS.iter().map(|(_, text, _)| text.as_bytes()).collect();
        for (name, whole, read) in TEXTS {
            let path = folder.path().join(name);
            let try_text = |label: String, bytes: &[u8]| {
                case.is(&label);
                fs::write(&path, bytes).unwrap();
                let result = read(folder.path());
                if let Err(problem) = &result {
                    assert!(!problem.trim().is_empty() && problem.len() < 2000, "{label}: {problem}");
                }
                result
            };
            assert_eq!(try_text(format!("{name} whole"), whole.as_bytes()), Ok(()));
            for length in 0..whole.trim_end().len() - 1 {
                let cut = try_text(format!("{name} cut at {length}"), &whole.as_bytes()[..length]);
                assert!(cut.is_err() || name.ends_with(".toml"), "{name} cut at {length}");
            }
            for seed in 0..cases(1500) {
                let bytes = Damage::new(seed as u64).of_text(whole.as_bytes(), &others);
                let _ = try_text(format!("{name} {seed}"), &bytes);
            }
            // Deeper than any stack is.
            for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("a = [", "]"), ("a.", "")] {
                let deep = open.repeat(200_000) + &close.repeat(200_000);
                assert!(try_text(format!("{name} {open}"), deep.as_bytes()).is_err());
            }
        }
    });
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, _, read) in TEXTS {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        assert!(read(folder.path()).is_err(), "{name}");
        fs::remove_dir(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(read(folder.path()).is_err(), "{name}");
    }
}
