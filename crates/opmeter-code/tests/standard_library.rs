//! Instructions and lines of the standard library, read by us and told by each interpreter.
#![allow(clippy::unwrap_used)]

#[path = "../../opmeter/tests/support/at_once.rs"]
mod at_once;
#[path = "../../opmeter/tests/support/interpreters.rs"]
#[allow(dead_code)]
mod interpreters;

use std::path::Path;
use std::process::Command;

use opmeter_code::{Instructions, lines};
use opmeter_opcodes::OpcodeTable;

/// Of so many modules one is read.
const STEP: &str = "9";

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hexadecimal.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// What we read in a code object: as the interpreter lists it.
fn listing(opcodes: &OpcodeTable<'_>, first_line: u32, bytecode: &[u8], table: &[u8]) -> Vec<String> {
    let lines = lines(opcodes.version(), first_line, table, bytecode.len());
    Instructions::of(opcodes, bytecode)
        .map(|instruction| {
            let name = opcodes.get(instruction.number).map_or("?", |opcode| opcode.name);
            // The interpreter lists what a prefix adds with the instruction that it is added to.
            let argument = if name == "EXTENDED_ARG" { 0 } else { instruction.argument };
            let line = lines[instruction.offset as usize / 2];
            format!("{},{name},{argument},{line}", instruction.offset)
        })
        .collect()
}

#[test]
fn instructions_and_lines_are_those_that_the_interpreter_tells() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/independent/library.py");
    at_once::each(&interpreters::one_of_each_version(), |interpreter| {
        let name = interpreter.path.display();
        let listed = Command::new(&interpreter.path).arg(&script).arg(STEP).output().unwrap();
        assert!(listed.status.success(), "{name}: {}", String::from_utf8_lossy(&listed.stderr));
        let (major, minor) = interpreter.version;
        let opcodes = OpcodeTable::built_in(major as u8, minor as u8).unwrap();
        let text = String::from_utf8(listed.stdout).unwrap();
        let mut codes = 0;
        for code in text.lines() {
            let words: Vec<&str> = code.split(' ').collect();
            let [first_line, bytecode, table, expected @ ..] = &words[..] else { panic!("{name}: {code}") };
            let first_line = first_line.parse().unwrap();
            let found = listing(&opcodes, first_line, &bytes(bytecode), &bytes(table));
            let differing = found.iter().zip(expected).find(|(found, expected)| found != *expected);
            assert_eq!(differing, None, "{name}, from line {first_line}: {bytecode} {table}");
            assert_eq!(found.len(), expected.len(), "{name}, from line {first_line}");
            codes += 1;
        }
        assert!(codes > 500, "{name}: {codes} code objects");
    });
}
