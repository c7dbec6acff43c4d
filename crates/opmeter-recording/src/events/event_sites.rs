//! From the sites of events to rows: which instruction of which code object it was.

use std::sync::Arc;

use opmeter_code::lines;
use opmeter_live::{CodeLog, Executed};
use opmeter_opcodes::{Execution, Folding, Opcode, OpcodeTable};
use rustc_hash::FxHashMap;

use super::EventSiteRow;
use crate::Phase;
use crate::code_files::code_files;

/// Size of a code unit's cell in bytes, where no times are taken.
const CELL: u64 = 8;

/// Rows for the sites of a process.
pub(crate) fn event_sites(
    process: u32,
    sites: &[Executed],
    opcodes: &OpcodeTable<'static>,
    log: &CodeLog,
) -> Vec<EventSiteRow> {
    let texts: Vec<Arc<str>> = log.texts.iter().map(|text| text.as_str().into()).collect();
    let files = code_files(log, opcodes, &texts);
    let mut places = Places::new(opcodes, log);
    let mut names: FxHashMap<String, Arc<str>> = FxHashMap::default();
    let mut name = |name: String| names.entry(name).or_insert_with_key(|name| name.as_str().into()).clone();
    let empty: Arc<str> = "".into();
    let mut rows = Vec::with_capacity(sites.len());
    for (site, executed) in sites.iter().enumerate() {
        let Some(opcode) = opcodes.get(executed.number()) else { continue };
        let place = places.of(executed.cell());
        let phase = place.map_or(executed.cell() as usize, |place| place.phase);
        let mut push = |part: u32, opcode: String, base: &str, offset: u32| {
            let code = place.and_then(|place| log.codes.get(place.code));
            let text = |number: u32| texts.get(number as usize).unwrap_or(&empty).clone();
            rows.push(EventSiteRow {
                process,
                site: site as u32,
                part,
                phase: Phase::ALL.get(phase).copied().unwrap_or(Phase::Main),
                opcode: name(opcode),
                base_opcode: name(base.to_owned()),
                file: place.and_then(|place| files.get(place.code)).unwrap_or(&empty).clone(),
                function: code.map_or(empty.clone(), |code| text(code.function)),
                line: place.map_or(0, |place| places.line(place.code, offset)),
                offset: if place.is_some() { offset } else { 0 },
                code: place.map_or(log.codes.len(), |place| place.code) as u32,
            });
        };
        let offset = place.map_or(0, |place| place.unit * 2);
        push(0, opcode.name.to_owned(), opcode.base, offset);
        if !executed.is_unfolded() {
            let besides = besides(opcode, opcodes, place.and_then(|place| log.codes.get(place.code)), offset);
            for (part, (base, distance)) in besides.into_iter().enumerate() {
                push(part as u32 + 1, format!("{}/{base}", opcode.name), base, offset + distance);
            }
        }
    }
    rows
}

/// What a combined opcode executes besides, by base, and how far behind it that stands, in bytes.
fn besides<'t>(
    opcode: &Opcode<'_>,
    opcodes: &'t OpcodeTable<'static>,
    code: Option<&opmeter_live::LoggedCode>,
    offset: u32,
) -> Vec<(&'t str, u32)> {
    let mut distance = 2 * (1 + u32::from(opcode.caches));
    match Execution::of(opcode, opcodes).folding {
        Folding::None => Vec::new(),
        Folding::Next => {
            let number = code.and_then(|code| code.bytecode.get((offset + distance) as usize));
            let next = number.and_then(|number| opcodes.get(*number));
            next.map(|next| (next.base, distance)).into_iter().collect()
        }
        Folding::Always(bases) => bases
            .iter()
            .map(|base| {
                let here = distance;
                distance += 2 * (1 + opcodes.named(base).map_or(0, |opcode| u32::from(opcode.caches)));
                (*base, here)
            })
            .collect(),
    }
}

/// Where an instruction stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    code: usize,
    phase: usize,
    /// Its code unit.
    unit: u32,
}

/// From cells to instructions.
struct Places<'l> {
    log: &'l CodeLog,
    opcodes: &'l OpcodeTable<'static>,
    /// The blocks of cells by address: first, length in bytes, code object, phase.
    blocks: Vec<(u64, u64, usize, usize)>,
    lines: std::cell::RefCell<FxHashMap<usize, Vec<u32>>>,
}

impl<'l> Places<'l> {
    fn new(opcodes: &'l OpcodeTable<'static>, log: &'l CodeLog) -> Self {
        let block = |block: &opmeter_live::Block| {
            let code = block.code as usize;
            let length = log.codes.get(code)?.bytecode.len() as u64 / 2 * CELL;
            Some((block.address, length, code, block.phase as usize))
        };
        let mut blocks: Vec<_> = log.blocks.iter().filter_map(block).collect();
        blocks.sort_unstable();
        Self { log, opcodes, blocks, lines: Default::default() }
    }

    fn of(&mut self, cell: u64) -> Option<Place> {
        let behind = self.blocks.partition_point(|(address, ..)| *address <= cell);
        let (address, length, code, phase) = *self.blocks.get(behind.checked_sub(1)?)?;
        (cell - address < length).then(|| Place { code, phase, unit: ((cell - address) / CELL) as u32 })
    }

    /// The line of the instruction at an offset of a code object.
    fn line(&self, code: usize, offset: u32) -> u32 {
        let Some(logged) = self.log.codes.get(code).filter(|code| !code.own) else { return 0 };
        let mut known = self.lines.borrow_mut();
        let lines = known.entry(code).or_insert_with(|| {
            lines(self.opcodes.version(), logged.first_line, &logged.line_table, logged.bytecode.len())
        });
        lines.get(offset as usize / 2).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use opmeter_live::{Block, LoggedCode};

    use super::*;

    #[test]
    fn sites_are_instructions_and_what_they_execute_besides() {
        let opcodes = OpcodeTable::built_in(3, 12).unwrap();
        let number = |name| opcodes.named(name).unwrap().number;
        let bytecode =
            ["RESUME", "LOAD_FAST", "LOAD_FAST"].iter().flat_map(|name| [number(name), 0]).collect();
        let code = LoggedCode {
            file: 1,
            function: 2,
            first_line: 7,
            bytecode,
            line_table: vec![0x80 | 13 << 3 | 2, 0],
            own: false,
        };
        let block = Block { code: 0, phase: 1, offset: 0, timed: false, address: 0x9000 };
        let log = CodeLog {
            texts: ["/", "a.py", "f"].map(str::to_owned).to_vec(),
            codes: vec![code],
            blocks: vec![block],
            misses: Vec::new(),
        };
        let combined = Executed::new(0x9008, number("LOAD_FAST__LOAD_FAST"));
        let sites = [
            combined,
            combined.unfolded(),
            Executed::new(2, number("INTERPRETER_EXIT")),
            Executed::new(0x9018, 9),
        ];
        let rows = event_sites(3, &sites, &opcodes, &log);
        let brief: Vec<_> = rows
            .iter()
            .map(|row| (row.site, row.part, row.phase, &*row.opcode, &*row.file, row.line, row.offset))
            .collect();
        assert_eq!(
            brief[..4],
            [
                (0, 0, Phase::Main, "LOAD_FAST__LOAD_FAST", "a.py", 7, 2),
                (0, 1, Phase::Main, "LOAD_FAST__LOAD_FAST/LOAD_FAST", "a.py", 7, 4),
                (1, 0, Phase::Main, "LOAD_FAST__LOAD_FAST", "a.py", 7, 2),
                (2, 0, Phase::Shutdown, "INTERPRETER_EXIT", "", 0, 0),
            ]
        );
        // A cell that no code object has.
        assert_eq!((&*rows[4].file, rows[4].code), ("", 1));
    }
}
