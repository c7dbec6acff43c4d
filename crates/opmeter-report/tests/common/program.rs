//! A recording of a small program with counts by instruction, made by hand.

use std::collections::BTreeMap;

use opmeter_recording::{
    InstructionRow, LineHits, Manifest, OpcodeRow, PairRow, Phase, SourceRow, SpecializationRow, Tables,
    lines,
};

pub const BENCH: &str = "/home/me/bench.py";
pub const LIBRARY: &str = "/usr/lib/python3.11/json/decoder.py";
pub const PACKAGE: &str = "/home/me/v/lib/python3.11/site-packages/pack/age.py";
/// A file whose name would steer a terminal and break a format of lines.
pub const HOSTILE: &str = "/home/me/a\nb\u{1b}[31m.py";

/// The text of `bench.py`.
pub const SOURCE: &str = "\
import json, pack.age

# Squares, and what \u{1b}[31m does to a terminal.
def squares(n):
\treturn [i * i for i in range(n)]

twice = lambda n: n + n; never = lambda: 0
for n in range(1000): squares(n)
";

pub fn manifest() -> Manifest {
    let processes =
        vec![super::process(0, &["python3", "bench.py"]), super::process(1, &["python3", "bench.py"])];
    Manifest { directory: "/home/me".into(), processes, ..super::manifest() }
}

/// Line, offset, opcode, argument, executions.
type Instruction = (u32, u32, &'static str, u32, u64);

struct Code {
    process: u32,
    phase: Phase,
    file: &'static str,
    function: &'static str,
    first_line: u32,
    code: u32,
}

impl Code {
    fn rows(self, instructions: &[Instruction]) -> Vec<InstructionRow> {
        let row = |&(line, offset, opcode, argument, executions): &Instruction| InstructionRow {
            process: self.process,
            phase: self.phase,
            file: self.file.into(),
            function: self.function.into(),
            first_line: self.first_line,
            line,
            offset,
            opcode: opcode.into(),
            executions,
            code: self.code,
            argument,
            time: None,
        };
        instructions.iter().map(row).collect()
    }
}

fn code(code: u32, file: &'static str, function: &'static str, first_line: u32) -> Code {
    Code { process: 0, phase: Phase::Main, file, function, first_line, code }
}

pub fn instructions() -> Vec<InstructionRow> {
    let startup = Code { phase: Phase::Startup, ..code(1, "<frozen importlib._bootstrap>", "_find", 9) };
    let second = Code { process: 1, ..code(0, BENCH, "squares.<locals>.<listcomp>", 5) };
    [
        startup.rows(&[(10, 0, "RESUME", 0, 40), (11, 2, "LOAD_CONST", 1, 40)]),
        code(2, BENCH, "<module>", 1).rows(&[
            (0, 0, "RESUME", 0, 1),
            (1, 2, "IMPORT_NAME", 0, 2),
            (4, 4, "MAKE_FUNCTION", 0, 1),
            (7, 6, "MAKE_FUNCTION", 0, 1),
            (7, 8, "MAKE_FUNCTION", 0, 1),
            (8, 10, "GET_ITER", 0, 1),
            (8, 12, "FOR_ITER", 14, 1001),
            (8, 16, "CALL", 1, 1000),
            (8, 20, "JUMP_BACKWARD", 9, 1000),
        ]),
        code(3, BENCH, "squares", 4).rows(&[
            (4, 0, "RESUME", 0, 1000),
            (5, 2, "MAKE_FUNCTION", 0, 1000),
            (5, 4, "CALL", 0, 1000),
            (5, 8, "RETURN_VALUE", 0, 1000),
        ]),
        code(4, BENCH, "squares.<locals>.<listcomp>", 5).rows(&[
            (5, 0, "RESUME", 0, 1000),
            (5, 2, "FOR_ITER", 7, 500_500),
            (5, 6, "BINARY_OP", 5, 499_500),
            (5, 10, "JUMP_BACKWARD", 6, 499_500),
            (5, 12, "RETURN_VALUE", 0, 1000),
        ]),
        code(5, BENCH, "<lambda>", 7).rows(&[(7, 0, "RESUME", 0, 0), (7, 2, "BINARY_OP", 0, 0)]),
        code(6, LIBRARY, "scan", 20).rows(&[(20, 0, "RESUME", 0, 300), (21, 2, "LOAD_ATTR", 1, 90_000)]),
        code(7, LIBRARY, "<lambda>", 30).rows(&[(30, 0, "RESUME", 0, 5)]),
        code(8, LIBRARY, "<lambda>", 31).rows(&[(31, 0, "RESUME", 0, 6)]),
        code(9, PACKAGE, "run", 1).rows(&[(1, 0, "RESUME", 0, 7), (2, 2, "LOAD_ATTR", 1, 70_000)]),
        code(10, HOSTILE, "evil\nfn=(1)\u{1b}[2J", 3).rows(&[(4, 0, "RESUME", 0, 12)]),
        code(11, "", "", 0).rows(&[(0, 0, "RESUME", 0, 2)]),
        second.rows(&[
            (5, 0, "RESUME", 0, 10),
            (5, 2, "FOR_ITER", 7, 20),
            (5, 6, "BINARY_OP", 5, 10),
            (5, 10, "JUMP_BACKWARD", 6, 10),
            (5, 12, "RETURN_VALUE", 0, 10),
        ]),
    ]
    .concat()
}

fn specialization() -> Vec<SpecializationRow> {
    let site = |place: &InstructionRow, unspecialized: u64, missed: u64| SpecializationRow {
        process: place.process,
        phase: place.phase,
        file: place.file.clone(),
        function: place.function.clone(),
        first_line: place.first_line,
        line: place.line,
        offset: place.offset,
        opcode: place.opcode.clone(),
        executions: place.executions,
        specialized: place.executions - unspecialized - missed,
        unspecialized,
        missed,
        code: place.code,
    };
    let rows = instructions();
    let family = |opcode: &str, file: &str| {
        rows.iter().find(|row| &*row.opcode == opcode && &*row.file == file && row.executions > 1).unwrap()
    };
    vec![
        site(family("FOR_ITER", BENCH), 2, 0),
        site(family("BINARY_OP", BENCH), 16, 3210),
        site(family("LOAD_ATTR", LIBRARY), 90_000, 0),
        site(family("LOAD_ATTR", PACKAGE), 20, 69_000),
    ]
}

/// The opcodes that the instructions amount to.
fn opcodes(instructions: &[InstructionRow]) -> Vec<OpcodeRow> {
    let mut sums: BTreeMap<(u32, Phase, &str), u64> = BTreeMap::new();
    for row in instructions.iter().filter(|row| row.executions > 0) {
        *sums.entry((row.process, row.phase, &row.opcode)).or_default() += row.executions;
    }
    let row = |((process, phase, opcode), executions): ((u32, Phase, &str), u64)| OpcodeRow {
        process,
        phase,
        opcode: opcode.into(),
        base_opcode: opcode.into(),
        number: 1,
        executions,
        time: None,
    };
    sums.into_iter().map(row).collect()
}

fn pairs() -> Vec<PairRow> {
    let pair = |first: &str, second: &str, executions| PairRow {
        process: 0,
        phase: Phase::Main,
        first: first.into(),
        second: second.into(),
        first_base: first.trim_end_matches("_LIST").trim_end_matches("_MULTIPLY_INT").into(),
        second_base: second.trim_end_matches("_LIST").trim_end_matches("_MULTIPLY_INT").into(),
        executions,
    };
    vec![
        pair("JUMP_BACKWARD", "FOR_ITER", 1000),
        pair("JUMP_BACKWARD", "FOR_ITER_LIST", 499_000),
        pair("FOR_ITER_LIST", "BINARY_OP_MULTIPLY_INT", 499_000),
        pair("BINARY_OP_MULTIPLY_INT", "JUMP_BACKWARD", 499_500),
        pair("RESUME", "LOAD_ATTR", 7),
    ]
}

/// Each code object comes to its lines at their first instruction.
fn hits(instructions: &[InstructionRow]) -> Vec<LineHits> {
    let is_first = |row: &&InstructionRow| {
        let same = |other: &&InstructionRow| {
            (other.process, other.code, other.line) == (row.process, row.code, row.line)
        };
        instructions.iter().filter(same).all(|other| row.offset <= other.offset)
    };
    let hit = |row: &InstructionRow| LineHits {
        process: row.process,
        phase: row.phase,
        file: row.file.clone(),
        line: row.line,
        hits: row.executions,
    };
    instructions.iter().filter(is_first).map(hit).collect()
}

pub fn tables() -> Tables {
    let instructions = instructions();
    let source = |file: &str, path: &str| SourceRow {
        file: file.into(),
        path: path.into(),
        size: 1,
        sha256: "00".into(),
        changed: 0,
    };
    Tables {
        runs: Vec::new(),
        energy: Vec::new(),
        opcodes: opcodes(&instructions),
        lines: lines(&instructions, &hits(&instructions)),
        pairs: pairs(),
        distributions: Vec::new(),
        event_sites: Vec::new(),
        specialization: specialization(),
        sources: vec![
            source(BENCH, BENCH),
            source(LIBRARY, LIBRARY),
            source(PACKAGE, PACKAGE),
            source("<frozen importlib._bootstrap>", ""),
        ],
        source_texts: Vec::new(),
        instructions,
    }
}
