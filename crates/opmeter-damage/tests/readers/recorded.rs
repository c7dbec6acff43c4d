//! What a metered process leaves in a live folder, made by hand.

use std::fs;
use std::path::Path;
use std::time::Duration;

use opmeter_live::{
    CHUNK_SIZE, CHUNK_TABLE, CHUNKS_OFFSET, CONTROL_SIZE, ChunkState, Executed, Kind, LAYOUT, LONG_RECORD,
    LongExecution, MAGIC, RING_RECORD, RingRecord, RingWord, SUM_SIZE, SUMS_OFFSET, SliceWord, TEXT_SIZE,
    TIMES_HEAD, Text, Word, offset, record_word, slot_offset, snapshot_offset, text_offset,
};
use opmeter_opcodes::OpcodeTable;
use opmeter_recording::{Budget, EndReason, EventWriter};

/// The files of a process, by extension.
pub type Files = Vec<(&'static str, Vec<u8>)>;

const MINOR: u8 = 12;

fn number(name: &str) -> u8 {
    OpcodeTable::built_in(3, MINOR).unwrap().named(name).unwrap().number
}

fn put(bytes: &mut [u8], at: usize, word: u64) {
    bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
}

/// All files of a process that ran a function with a loop, timed and with events.
pub fn files() -> Files {
    vec![
        ("live", live()),
        ("code", code_log()),
        ("cells", cells()),
        ("pairs", pairs()),
        ("times", times()),
        ("long", long()),
        ("ring", ring()),
    ]
}

fn live() -> Vec<u8> {
    let mut bytes = vec![0; slot_offset(2)];
    let words = [
        (Word::Magic, MAGIC),
        (Word::Layout, LAYOUT),
        (Word::Status, 1),
        (Word::Phase, 2),
        (Word::Pid, 4_000_000),
        (Word::ParentPid, 1),
        (Word::StartedNs, 1_700_000_000_000_000_000),
        (Word::Major, 3),
        (Word::Minor, u64::from(MINOR)),
        (Word::Micro, 1),
        (Word::Register, 11),
        (Word::RepeatsKnown, 1),
        (Word::Slots, 2),
        (Word::ByInstruction, 1),
        (Word::Pairs, 1),
        (Word::Timed, 1),
        (Word::Events, 1),
    ];
    words.iter().for_each(|(word, value)| put(&mut bytes, *word as usize * 8, *value));
    for (text, value) in [(Text::Executable, "/usr/bin/python3"), (Text::Arguments, "python3\u{1f}a.py")] {
        bytes[text_offset(text)..][..value.len()].copy_from_slice(value.as_bytes());
        assert!(value.len() < TEXT_SIZE);
    }
    for at in [snapshot_offset(1), slot_offset(0), slot_offset(1)] {
        for (name, executions) in [("LOAD_FAST__LOAD_FAST", 50), ("INTERPRETER_EXIT", 1)] {
            let of = |array: usize| at + array + usize::from(number(name)) * 8;
            put(&mut bytes, of(offset::EXECUTIONS), executions);
            put(&mut bytes, of(offset::UNPLACED), 2);
            put(&mut bytes, of(offset::UNFOLDED), 3);
        }
    }
    bytes
}

/// The bytecode of the one code object.
pub fn bytecode() -> Vec<u8> {
    let body = [
        ("RESUME", 0),
        ("LOAD_FAST", 0),
        ("LOAD_FAST", 1),
        ("BINARY_OP", 0),
        ("CACHE", 0),
        ("POP_TOP", 0),
        ("JUMP_BACKWARD", 6),
        ("RETURN_CONST", 0),
    ];
    body.iter().flat_map(|(name, argument)| [number(name), *argument]).collect()
}

/// Its line table.
pub const LINE_TABLE: [u8; 6] = [0x80 | 13 << 3, 0, 0x80 | 13 << 3 | 4, 2, 0x80 | 13 << 3 | 1, 2];

fn code_log() -> Vec<u8> {
    let record = |kind: Kind, body: Vec<u8>| {
        let length = 8 + body.len().next_multiple_of(8);
        let mut bytes = record_word(kind, length).to_le_bytes().to_vec();
        bytes.extend(body);
        bytes.resize(length, 0);
        bytes
    };
    let text =
        |text: &str| record(Kind::Text, [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat());
    let halves = |halves: &[u32]| halves.iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<u8>>();
    let code = bytecode();
    let head = halves(&[1, 2, 7, code.len() as u32, LINE_TABLE.len() as u32, 0]);
    [
        text("/tmp"),
        text("a.py"),
        text("f"),
        record(Kind::Code, [head, code, LINE_TABLE.to_vec()].concat()),
        record(Kind::Block, halves(&[0, 1, 0, 0, 0x9000, 0])),
        record(Kind::TimedBlock, halves(&[0, 2, 64, 0, 0xa000, 0])),
        record(Kind::Misses, halves(&[0, 1, 3, 0, 5, 0])),
        record(Kind::Padding, vec![0; 24]),
        vec![0; 64],
    ]
    .concat()
}

fn cells() -> Vec<u8> {
    (0..8 + 4 * 8u64).flat_map(|cell| (cell % 5 * 10).to_le_bytes()).collect()
}

/// As far as anything is in it: what is not there counts as zeros.
fn pairs() -> Vec<u8> {
    (0..2048u64).flat_map(|pair| (pair % 3).to_le_bytes()).collect()
}

fn times() -> Vec<u8> {
    let mut bytes = vec![0; TIMES_HEAD];
    let head = [
        (SliceWord::LastTsc, 3_000_000_000),
        (SliceWord::LastNs, 1_000_000_000),
        (SliceWord::Sums, 8),
        (SliceWord::CoreRatio, 1024),
        (SliceWord::BackToBack, 25 * 1024),
        (SliceWord::Pairs, 8),
    ];
    head.iter().for_each(|(word, value)| put(&mut bytes, *word as usize * 8, *value));
    put(&mut bytes, (SliceWord::Counted as usize + 1) * 8, 500_000);
    for sum in 0..8 {
        let words = [30_000, 100, 1000, 36_000 + sum as u64, 300];
        words
            .iter()
            .enumerate()
            .for_each(|(place, word)| put(&mut bytes, SUMS_OFFSET + sum * SUM_SIZE + place * 8, *word));
    }
    // The first opcodes of the first snapshot.
    for block in bytes.len() / 8..bytes.len() / 8 + 2048 {
        bytes.extend((block as u64 % 4).to_le_bytes());
    }
    bytes
}

fn long() -> Vec<u8> {
    let long = LongExecution { cell: 0xa020, number: 100, phase: 2, nanoseconds: 5_000_000 };
    let bytes = [long.record(), long.record()].concat();
    assert_eq!(bytes.len(), 2 * LONG_RECORD);
    bytes
}

/// Records of a thread: a call that waits, a loop, and what it returns to.
pub fn ring_records() -> Vec<u8> {
    let event = |n: u64| RingRecord::Event(Executed::new(0x9000 + n % 6 * 8, 100 + (n % 6) as u8));
    let mut records = vec![
        (100, event(0)),
        (1, RingRecord::Activation { left: false, entered: true, unwound: 0 }),
        (130, RingRecord::Hook),
    ];
    records.extend((1..400).map(|n| (130 + n * 40, event(n))));
    records.extend([
        (1, RingRecord::Repeated),
        (0x9008, RingRecord::Unfolded { number: 101, count: 2 }),
        (20_000, event(3)),
        (1, RingRecord::Activation { left: true, entered: false, unwound: 1 }),
        (21_000, event(4)),
    ]);
    records.iter().flat_map(|(first, record)| [*first, record.word()]).flat_map(u64::to_le_bytes).collect()
}

fn ring() -> Vec<u8> {
    let mut bytes = vec![0; CHUNKS_OFFSET + 2 * CHUNK_SIZE];
    for (word, value) in [
        (RingWord::Chunks, 2),
        (RingWord::Threads, 2),
        (RingWord::FirstTsc, 1000),
        (RingWord::LastTsc, 3_000_001_000),
        (RingWord::FirstNs, 1000),
        (RingWord::LastNs, 1_000_001_000),
        (RingWord::BackToBack, 25 * 1024),
    ] {
        put(&mut bytes, word as usize * 8, value);
    }
    let records = ring_records();
    for (chunk, state) in [ChunkState::Full, ChunkState::Filling].into_iter().enumerate() {
        [state as u64, chunk as u64, chunk as u64]
            .iter()
            .enumerate()
            .for_each(|(place, word)| put(&mut bytes, CHUNK_TABLE + chunk * 24 + place * 8, *word));
        bytes[CHUNKS_OFFSET + chunk * CHUNK_SIZE + RING_RECORD..][..records.len()].copy_from_slice(&records);
    }
    bytes
}

/// The bytes of a control file.
pub fn control() -> Vec<u8> {
    let mut bytes = vec![0; CONTROL_SIZE];
    bytes[16] = 1;
    bytes
}

/// Writes a file of events with two threads, by the writer that recordings have.
pub fn write_events(path: &Path) {
    let mut budget = Budget::new(None, None);
    let mut writer = EventWriter::create(path, (3, MINOR)).unwrap();
    for _ in 0..3 {
        writer.take(0, &ring_records(), &mut budget).unwrap();
        writer.take(1, &ring_records(), &mut budget).unwrap();
        writer.flush(Duration::ZERO, &mut budget).unwrap();
    }
    writer.finish(&mut budget).unwrap();
    writer.mark_end(EndReason::Process, 0).unwrap();
}

/// Writes a recording's live folder, and the events beside it.
pub fn write_live(recording: &Path) {
    let live = recording.join("live");
    fs::create_dir_all(&live).unwrap();
    for (extension, bytes) in files() {
        fs::write(live.join("7-0").with_extension(extension), bytes).unwrap();
    }
    fs::write(live.join("control"), control()).unwrap();
    write_events(&recording.join("events/7-0.events"));
}
