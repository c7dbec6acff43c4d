//! Two recordings compared, line by line.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use opmeter_analysis::{
    AlignedSource, ChangedBy, Comparison, Edit, FilePatterns, Files, Gate, Place, RowFilter, Side, Spot,
    Terms,
};
use opmeter_recording::{
    ExitStatus, InstructionRow, Manifest, OpcodeRow, Phase, Process, ProcessState, SourceRow, SourceTextRow,
    Tables, lines, sha256_of_bytes,
};

/// A file: its name, and for each line what stands there and what it executes.
type Program<'a> = (&'a str, &'a [(&'a str, u64)]);

fn tables(programs: &[Program<'_>]) -> Tables {
    let mut tables = Tables::default();
    for (code, (file, content)) in programs.iter().enumerate() {
        for (place, (_, executions)) in content.iter().enumerate() {
            if *executions == 0 {
                continue;
            }
            tables.instructions.push(InstructionRow {
                process: 0,
                phase: Phase::Main,
                file: (*file).into(),
                function: "<module>".into(),
                first_line: 1,
                line: place as u32 + 1,
                offset: place as u32 * 2,
                opcode: "NOP".into(),
                executions: *executions,
                code: code as u32,
                argument: 0,
                time: None,
            });
        }
        let text = content.iter().map(|(line, _)| format!("{line}\n")).collect::<String>();
        tables.sources.push(SourceRow {
            file: (*file).into(),
            path: (*file).to_owned(),
            size: text.len() as u64,
            sha256: sha256_of_bytes(text.as_bytes()),
            changed: 0,
        });
        tables.source_texts.push(SourceTextRow { file: (*file).into(), text: text.into() });
    }
    tables.lines = lines(&tables.instructions, &[]);
    tables.opcodes.push(OpcodeRow {
        process: 0,
        phase: Phase::Main,
        opcode: "NOP".to_owned(),
        base_opcode: "NOP".to_owned(),
        number: 9,
        executions: tables.instructions.iter().map(|row| row.executions).sum(),
        time: None,
    });
    tables
}

fn manifest(python: &str) -> Manifest {
    let process = Process { python: python.to_owned(), state: ProcessState::Metered, ..Process::default() };
    let exit = ExitStatus { code: Some(0), signal: None };
    Manifest { complete: true, exit, processes: vec![process], ..Manifest::default() }
}

/// Compares two programs, and hands the comparison to `check`.
fn compare(before: &[Program<'_>], after: &[Program<'_>], check: impl Fn(&Comparison<'_>)) {
    let patterns = FilePatterns::default();
    let (one, other) = (tables(before), tables(after));
    let files = [Files::new(&one, &patterns, false), Files::new(&other, &patterns, false)];
    let manifest = manifest("3.13.0");
    let side = |tables, files| Side { manifest: &manifest, tables, files };
    let filter = RowFilter::default();
    let (one, other) = (side(&one, &files[0]), side(&other, &files[1]));
    check(&Comparison::new(one, other, &filter, Terms::Base, false));
}

const BEFORE: &[(&str, u64)] = &[
    ("import sys", 2),
    ("first = compute(1)", 10),
    ("second = compute(2)", 20),
    ("", 0),
    ("for item in first:", 30),
    ("    print(item, second)", 40),
    ("    # a comment", 0),
    ("last = finish(first)", 50),
];
const AFTER: &[(&str, u64)] = &[
    ("import sys", 2),
    ("second = compute(2)", 20),
    ("first = compute(1)", 10),
    ("", 0),
    ("if first:", 5),
    ("    for item in first:", 30),
    ("        print(item, second, item)", 44),
    ("    # a comment", 0),
];

fn line(place: &Place) -> u32 {
    match place.spot {
        Spot::Line(_, line) => line,
        ref other => panic!("{other:?}"),
    }
}

/// Lines before and after, and what became of them.
type Row = (Option<u32>, Option<u32>, Edit);

fn rows(source: &AlignedSource) -> Vec<Row> {
    let row = |row: &opmeter_analysis::AlignedLine| {
        (row.row.before.as_ref().map(line), row.row.after.as_ref().map(line), row.row.edit)
    };
    source.lines.iter().map(row).collect()
}

#[test]
fn only_lines_whose_executions_changed_are_named() {
    compare(&[("/p/a.py", BEFORE)], &[("/q/a.py", AFTER)], |comparison| {
        let changed: Vec<_> = comparison
            .lines
            .changed()
            .map(|row| {
                (
                    row.before.as_ref().map(line),
                    row.after.as_ref().map(line),
                    row.edit,
                    row.change.executions(),
                )
            })
            .collect();
        let expected = [
            (Some(8), None, Edit::Removed, -50),
            (None, Some(5), Edit::Added, 5),
            (Some(6), Some(7), Edit::Changed, 4),
        ];
        assert_eq!(changed, expected);
        assert_eq!(comparison.lines.unchanged(), 4);
        assert_eq!(comparison.total.executions(), -41);
        assert!(comparison.remarks.is_empty(), "{:?}", comparison.remarks);
        let removed = comparison.lines.changed().next().unwrap().before.as_ref().unwrap();
        assert_eq!(removed.text.as_deref(), Some("last = finish(first)"));
        assert_eq!(comparison.table(ChangedBy::Line).rows(), 3);
    });
}

#[test]
fn sources_are_aligned_line_by_line() {
    compare(&[("/p/a.py", BEFORE)], &[("/q/a.py", AFTER)], |comparison| {
        let [source] = &comparison.sources[..] else { panic!("{:?}", comparison.sources) };
        assert_eq!((source.before.as_deref(), source.after.as_deref()), (Some("/p/a.py"), Some("/q/a.py")));
        let rows = rows(source);
        let moved: Vec<_> = rows.iter().filter(|(.., edit)| *edit == Edit::Moved).collect();
        assert_eq!(moved.len(), 1, "{rows:?}");
        for number in 1..=8 {
            let count =
                |place: fn(&Row) -> Option<u32>| rows.iter().filter(|row| place(row) == Some(number)).count();
            assert_eq!((count(|row| row.0), count(|row| row.1)), (1, 1), "{number}: {rows:?}");
        }
        assert!(
            rows.contains(&(Some(8), None, Edit::Removed))
                && rows.contains(&(Some(6), Some(7), Edit::Changed))
        );
        assert!(!source.lines[3].has_code && source.lines[0].has_code);
        // Tables have the text alone, aligned sources what stands there.
        let changed = source.lines.iter().find(|line| line.row.edit == Edit::Changed).unwrap();
        assert_eq!(changed.text_before.as_deref(), Some("    print(item, second)"));
        assert_eq!(changed.text_after.as_deref(), Some("        print(item, second, item)"));
        let removed = source.lines.iter().find(|line| line.row.edit == Edit::Removed).unwrap();
        assert_eq!(removed.text_before.as_deref(), Some("last = finish(first)"));
        assert_eq!(removed.text_after, None);
    });
}

#[test]
fn lines_that_went_to_another_file_stand_in_both() {
    let moved: &[(&str, u64)] = &[("alpha = compute(1, 2)", 7), ("beta = compute(3, 4)", 8)];
    let rest: &[(&str, u64)] = &[("gamma = finish(5)", 9), ("delta = finish(6)", 9)];
    let before = [moved, rest].concat();
    compare(&[("/p/a.py", &before)], &[("/p/a.py", rest), ("/p/b.py", moved)], |comparison| {
        assert_eq!(comparison.lines.changed().count(), 0);
        let by_file: BTreeMap<_, _> =
            comparison.sources.iter().map(|source| (source.after.clone().unwrap(), rows(source))).collect();
        let gone: Vec<_> = by_file["/p/a.py"].iter().filter(|(.., edit)| *edit == Edit::Moved).collect();
        assert_eq!(gone.len(), 2, "{by_file:?}");
        let expected = [(Some(1), Some(1), Edit::Moved), (Some(2), Some(2), Edit::Moved)];
        assert_eq!(by_file["/p/b.py"], expected);
    });
}

#[test]
fn the_same_files_change_in_executions_alone() {
    let more: Vec<(&str, u64)> = BEFORE.iter().map(|(line, executions)| (*line, executions * 2)).collect();
    compare(&[("/p/a.py", BEFORE)], &[("/p/a.py", &more)], |comparison| {
        assert_eq!(comparison.lines.changed().count(), 6);
        assert!(comparison.lines.changed().all(|row| row.edit == Edit::Same && row.after == row.before));
        assert!(comparison.lines.changed().all(|row| row.after.as_ref().unwrap().text.is_some()));
        assert_eq!(rows(&comparison.sources[0]).len(), BEFORE.len());
        assert_eq!(comparison.gate(99.0), Gate::Failed);
        assert_eq!(comparison.gate(100.0), Gate::Passed);
    });
    compare(&[("/p/a.py", BEFORE)], &[("/p/a.py", BEFORE)], |comparison| {
        assert!(comparison.sources.is_empty() && comparison.lines.changed().count() == 0);
        assert_eq!(comparison.gate(0.0), Gate::Passed);
        assert!(comparison.is_of_the_same());
    });
}

#[test]
fn sources_without_text_are_aligned_by_number() {
    let (patterns, filter) = (FilePatterns::default(), RowFilter::default());
    let manifest = manifest("3.13.0");
    let more: Vec<(&str, u64)> = BEFORE.iter().map(|(line, executions)| (*line, executions + 1)).collect();
    let mut sides = [tables(&[("<made>", BEFORE)]), tables(&[("<made>", &more)])];
    for tables in &mut sides {
        tables.sources.clear();
        tables.source_texts.clear();
    }
    let [one, other] = &sides;
    let files = [one, other].map(|tables| Files::new(tables, &patterns, false));
    let compare = |after: usize| {
        let [before, after] =
            [0, after].map(|place| Side { manifest: &manifest, tables: &sides[place], files: &files[place] });
        Comparison::new(before, after, &filter, Terms::Base, false).sources
    };
    let sources = compare(1);
    let lines: Vec<u32> =
        sources[0].lines.iter().map(|line_| line(line_.row.after.as_ref().unwrap())).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(sources[0].lines.iter().all(|line| line.text_after.is_none() && line.row.before.is_some()));
    assert!(compare(0).is_empty(), "nothing changed");
}

#[test]
fn lines_that_are_gone_stand_behind_those_they_followed() {
    let [one, two]: [&[(&str, u64)]; 2] = [
        &[("def one(a, b):", 1), ("    return compute(a, b)", 2)],
        &[("def two(c, d):", 1), ("    first = prepare(c)", 3), ("    return finish(first, d)", 4)],
    ];
    let gone: &[(&str, u64)] = &[("    print(nothing, at, all)", 5)];
    let edited: &[(&str, u64)] = &[("    return finish(first, d, e)", 4)];
    let before = [one, gone, two].concat();
    let after = [&two[..2], edited, one].concat();
    compare(&[("/p/a.py", &before)], &[("/p/a.py", &after)], |comparison| {
        let rows = rows(&comparison.sources[0]);
        let pairs: Vec<_> = rows.iter().map(|(before, after, _)| (*before, *after)).collect();
        let expected = [
            (Some(4), Some(1)),
            (Some(5), Some(2)),
            (Some(6), Some(3)),
            (Some(1), Some(4)),
            (Some(2), Some(5)),
            (Some(3), None),
        ];
        assert_eq!(pairs, expected, "{rows:?}");
    });
}
