//! The tables of a recording.

use std::fs;
use std::path::Path;

use opmeter_damage::{Damage, cases, isolated};
use opmeter_recording::{
    Collected, DistributionRow, EnergyRow, EventSiteRow, InstructionRow, Manifest, OpcodeRow, Phase,
    Recording, RunRow, SourceRow, SourceTextRow, Tables, read_rows, write_rows,
};

use crate::recorded;

/// A recording with all tables, as long as several of the shortest pages.
fn write(folder: &Path) -> Tables {
    let live = folder.join("made");
    recorded::write_live(&live);
    let mut tables = Collected::from_live(&live.join("live"), &[]).unwrap().tables;
    tables.instructions = tables.instructions.iter().cycle().take(3000).cloned().collect();
    tables.source_texts = vec![SourceTextRow { file: "a.py".into(), text: "x = 1\n".repeat(500).into() }];
    tables.runs = vec![RunRow { run: 0, seconds: 0.5, cpu_seconds: 0.25, repetitions: 1 }; 3];
    let energy = EnergyRow {
        run: 1,
        source: "powercap".into(),
        domain: "package-0".into(),
        joules: 1.5,
        seconds: 0.5,
        watts: 3.0,
        repetitions: 1,
        joules_resolution: 0.001,
        net: None,
    };
    tables.energy = vec![energy; 3];
    let distribution = DistributionRow {
        process: 0,
        phase: Phase::Main,
        opcode: "LOAD_FAST".to_owned(),
        cycles_from: 64,
        cycles_to: 65,
        executions: 9,
    };
    tables.distributions = vec![distribution; 50];
    Recording::write(folder, &Manifest::default(), &tables).unwrap();
    fs::remove_dir_all(live).unwrap();
    take_checksums(folder);
    tables
}

/// Has tables look as if they had no checksum, which would tell of every damage: what is tested is what the reader makes
/// of a file whose checksum was made to fit.
fn take_checksums(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            let mut bytes = fs::read(&path).unwrap();
            let mark = bytes.windows(6).rposition(|window| window == b"xxh64:").unwrap();
            bytes[mark] = b'-';
            fs::write(&path, bytes).unwrap();
        }
    }
}

/// Where the metadata of a Parquet file begin and end.
fn metadata(bytes: &[u8]) -> std::ops::Range<usize> {
    let end = bytes.len() - 8;
    let length = u32::from_le_bytes(bytes[end..end + 4].try_into().unwrap());
    end - length as usize..end
}

/// The file with other metadata.
fn with_metadata(bytes: &[u8], metadata: &[u8], start: usize) -> Vec<u8> {
    [&bytes[..start], metadata, &(metadata.len() as u32).to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn damaged_tables_are_read_or_refused() {
    isolated("tables::damaged_tables_are_read_or_refused", 512, 600, |case| {
        // What the Parquet reader says as it panics is of no interest.
        std::panic::set_hook(Box::new(|panic| {
            if !opmeter_recording::is_reading_table() {
                eprintln!("{panic}");
            }
        }));
        let folder = tempfile::tempdir().unwrap();
        let tables = write(folder.path());
        assert_eq!(Recording::open(folder.path()).unwrap().tables, tables);
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "parquet"));
        files.sort();
        assert_eq!(files.len(), 11);
        let whole: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap()).collect();
        let others: Vec<&[u8]> = whole.iter().map(Vec::as_slice).collect();
        let (mut read, mut refused) = (0, 0);
        for (path, bytes) in files.iter().zip(&whole) {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let mut try_table = |label: String, damaged: &[u8]| {
                case.is(&label);
                fs::write(path, damaged).unwrap();
                match Recording::open_tables(folder.path(), |table| table == name) {
                    Ok(_) => read += 1,
                    Err(error) => {
                        let text = error.to_string();
                        assert!(text.contains("damaged") && !text.contains('\n'), "{label}: {text}");
                        refused += 1;
                    }
                }
            };
            let places = metadata(bytes);
            for seed in 0..cases(400) {
                let mut damage = Damage::new(seed as u64);
                let damaged = match seed % 4 {
                    0 => damage.of(bytes, &others),
                    1 => damage.in_place(bytes),
                    2 => with_metadata(bytes, &damage.of(&bytes[places.clone()], &others), places.start),
                    // The first heads of pages.
                    _ => [&damage.in_place(&bytes[..64.min(places.start)]), &bytes[64.min(places.start)..]]
                        .concat(),
                };
                try_table(format!("{name} {seed}"), &damaged);
            }
            for length in (0..bytes.len()).step_by((bytes.len() / cases(100)).max(1)) {
                try_table(format!("{name} cut at {length}"), &bytes[..length]);
            }
            fs::write(path, bytes).unwrap();
        }
        assert!(read > 100 && refused > 1000, "{read} read, {refused} refused");
    });
}

/// A number as Parquet's metadata have it: its sign in the lowest bit, in LEB128.
fn zigzag(value: i64) -> Vec<u8> {
    let (mut value, mut bytes) = (((value << 1) ^ (value >> 63)) as u64, Vec::new());
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn what_a_table_claims_to_hold_is_not_believed() {
    isolated("tables::what_a_table_claims_to_hold_is_not_believed", 512, 600, |case| {
        let folder = tempfile::tempdir().unwrap();
        let tables = write(folder.path());
        let path = folder.path().join("instructions.parquet");
        let bytes = fs::read(&path).unwrap();
        let places = metadata(&bytes);
        let count = zigzag(tables.instructions.len() as i64);
        let (mut found, mut refused) = (0, 0);
        // Each place where the number of rows stands, in metadata and heads of pages, with numbers of rows that are not.
        for at in (0..places.end).filter(|at| bytes[*at..].starts_with(&count)) {
            for rows in [-1, 0, i64::from(i32::MAX), 1 << 40, i64::MAX] {
                case.is(&format!("{rows} rows at {at}"));
                let number = zigzag(rows);
                let damaged = if at < places.start {
                    // What follows moves: the page's head is another, and the column ends elsewhere.
                    [&bytes[..at], &number, &bytes[at + count.len()..]].concat()
                } else {
                    let metadata =
                        [&bytes[places.start..at], &number, &bytes[at + count.len()..places.end]].concat();
                    with_metadata(&bytes, &metadata, places.start)
                };
                fs::write(&path, damaged).unwrap();
                found += 1;
                match read_rows::<InstructionRow>(&path) {
                    Ok(rows) => assert!(rows.len() <= tables.instructions.len()),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(found > 20 && refused > found / 3, "{refused} of {found}");
    });
}

#[test]
fn long_texts_in_many_rows_are_not_all_kept() {
    isolated("tables::long_texts_in_many_rows_are_not_all_kept", 512, 300, |case| {
        // One text of a hundred thousand bytes, as a dictionary has it, in sixty thousand rows.
        let long: String = "ab".repeat(50_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        case.is("sources");
        let row = |file: &str, path: &str| SourceRow {
            file: file.into(),
            path: path.to_owned(),
            size: 1,
            sha256: String::new(),
            changed: 0,
        };
        // Rows are made of references: to write so many with a text of their own would take the memory itself.
        let rows = vec![row(&long, ""); 60_000];
        write_rows(fs::File::create(&path).unwrap(), &rows).unwrap();
        let read = read_rows::<SourceRow>(&path).unwrap();
        assert!(
            read.len() == 60_000 && read.iter().all(|row| std::sync::Arc::ptr_eq(&row.file, &read[0].file))
        );
        drop((rows, read));
        case.is("opcodes");
        let short = "x".repeat(2000);
        let rows: Vec<SourceRow> = (0..60_000).map(|_| row("f", &short)).collect();
        write_rows(fs::File::create(&path).unwrap(), &rows).unwrap();
        drop(rows);
        let error = read_rows::<SourceRow>(&path).unwrap_err().to_string();
        assert!(error.contains("texts have more bytes"), "{error}");
        // Other tables have the same reader.
        assert!(read_rows::<OpcodeRow>(&path).is_err() && read_rows::<EventSiteRow>(&path).is_err());
    });
}
