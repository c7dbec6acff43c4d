//! From a process's file of times to the times in rows.

use opmeter_live::{LiveFile, LongExecution, PHASES, Slices, Times, Word, bucket_limits};
use rustc_hash::FxHashMap;

use crate::calibration::spread;
use crate::net_times::{CellTime, NetTimes};
use crate::{DistributionRow, InstructionRow, OpcodeRow, Phase, Timing};

/// Fills in the times of a process's rows, by opcode and by instruction (with what their cells say, and the long
/// executions that were seen), and adds the distributions; `bytes` is what its file of times holds. Gives how the times were taken.
pub(crate) fn fill_times(
    file: &LiveFile,
    bytes: &[u8],
    opcodes: &mut [OpcodeRow],
    (instructions, cells, seen): (&mut [InstructionRow], &[CellTime], &[LongExecution]),
    distributions: &mut Vec<DistributionRow>,
) -> Timing {
    let (current, slots) = (file.word(Word::Phase) as usize, file.word(Word::Slots) as usize);
    let times = std::array::from_fn(|phase| Times::of_phase(bytes, phase, current, slots));
    let mut executions: [FxHashMap<u8, u64>; PHASES] = Default::default();
    for row in opcodes.iter().filter(|row| !row.is_besides()) {
        executions[row.phase as usize].insert(row.number, row.executions);
    }
    let spread = spread(instructions.iter().map(|row| row.executions));
    let of = (spread, file.word(Word::Minor));
    let net = NetTimes::new(times, &Slices::read(bytes), &executions, of, seen);
    for phase in Phase::ALL {
        let start = opcodes.iter().position(|row| row.phase == phase).unwrap_or(opcodes.len());
        let length = opcodes[start..].iter().take_while(|row| row.phase == phase).count();
        net.fill_opcodes(phase as usize, &mut opcodes[start..start + length]);
    }
    net.fill_instructions(instructions, cells, opcodes);
    for row in opcodes.iter().filter(|row| !row.is_besides()) {
        for &(bucket, executions) in &net.opcode(row.phase as usize, row.number).histogram {
            let (cycles_from, cycles_to) = bucket_limits(usize::from(bucket));
            let (process, phase, opcode) = (row.process, row.phase, row.opcode.clone());
            distributions.push(DistributionRow {
                process,
                phase,
                opcode,
                cycles_from,
                cycles_to,
                executions,
            });
        }
    }
    net.timing()
}
