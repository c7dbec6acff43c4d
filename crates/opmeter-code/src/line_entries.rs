//! Where a line begins to run: what its hits are counted at.

use std::collections::BTreeMap;

use opmeter_opcodes::OpcodeTable;

use crate::{Instruction, Instructions};

/// A place at which a line is come to: where it begins, or where a loop comes back to it from another line.
///
/// How often that happened are the executions of the instruction there, less those of instructions that lead
/// to it otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEntry {
    /// The line.
    pub line: u32,
    /// The instruction, by its offset in bytes.
    pub offset: u32,
    /// Instructions that always lead here without coming to the line.
    pub less: Vec<u32>,
}

/// How an instruction goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// To the next instruction.
    Next,
    /// To a target, by its offset, always.
    Jump(u32),
    /// To a target or to the next instruction.
    Branch(u32),
    /// Out of the code object, or to a handler.
    Away,
}

/// Instructions that stand before the point from which a function's code is its body's
/// (`_co_firsttraceable` of 3.11 and later). They belong to the line of the `def`, which they don't execute.
const PROLOGUE: [&str; 4] = ["RESUME", "MAKE_CELL", "COPY_FREE_VARS", "RETURN_GENERATOR"];

/// The entries of all lines of some bytecode in base terms, in order. `lines` are those of its code units, 0
/// for none.
pub fn line_entries(opcodes: &OpcodeTable<'_>, bytecode: &[u8], lines: &[u32]) -> Vec<LineEntry> {
    let instructions: Vec<Instruction> = Instructions::of(opcodes, bytecode).collect();
    let line = |offset: u32| lines.get(offset as usize / 2).copied().unwrap_or(0);
    let name = |instruction: &Instruction| opcodes.get(instruction.number).map_or("", |opcode| opcode.base);
    let flows: Vec<Flow> = instructions.iter().map(|instruction| flow(opcodes, instruction)).collect();
    // An instruction of no line belongs to the one that leads to it.
    let mut within: Vec<u32> = Vec::with_capacity(instructions.len());
    for (place, instruction) in instructions.iter().enumerate() {
        let led = place > 0 && matches!(flows[place - 1], Flow::Next | Flow::Branch(_));
        let inherited = if led { within[place - 1] } else { 0 };
        within.push(if line(instruction.offset) == 0 { inherited } else { line(instruction.offset) });
    }
    // Who jumps to an instruction.
    let mut jumpers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (place, flow) in flows.iter().enumerate() {
        if let Flow::Jump(target) | Flow::Branch(target) = flow {
            jumpers.entry(*target).or_default().push(place);
        }
    }
    let mut entries = Vec::new();
    for (place, instruction) in instructions.iter().enumerate() {
        let here = line(instruction.offset);
        let before = place.checked_sub(1).filter(|before| within[*before] == here);
        let jumpers = jumpers.get(&instruction.offset).map(Vec::as_slice).unwrap_or_default();
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            jumpers.iter().partition(|jumper| within[**jumper] == here);
        let goes_on = place > 0 && matches!(flows[place - 1], Flow::Next | Flow::Branch(_));
        // A part of the line that only the line itself leads to: the way out of its loop or condition.
        let continued = !goes_on && outside.is_empty() && !inside.is_empty();
        // A `return` in a `try` comes back to its line when `finally` is done.
        let comes_back = place > 0 && name(&instructions[place - 1]) == "CALL_FINALLY";
        let begins = (before.is_none() || comes_back)
            && !continued
            && !is_prologue(&instructions[place..], here, &line, &name);
        // What the compiler lets other lines share, such as a function's last `return None`, is reached by
        // jumps ahead, and is not the line's own.
        let turns = outside.iter().any(|jumper| *jumper > place);
        if here == 0 || !begins && !turns || name(instruction) == "END_FOR" {
            continue;
        }
        let falls = before.filter(|before| flows[*before] == Flow::Next);
        let ahead = outside.into_iter().filter(|jumper| !begins && *jumper < place);
        let jumps = inside.into_iter().chain(ahead).filter(|jumper| matches!(flows[*jumper], Flow::Jump(_)));
        let less = falls.into_iter().chain(jumps).map(|place| instructions[place].offset).collect();
        entries.push(LineEntry { line: here, offset: instruction.offset, less });
    }
    entries
}

/// Whether a line's instructions, from one on, are nothing but a function's prologue.
fn is_prologue<'n>(
    instructions: &[Instruction],
    line: u32,
    line_of: &impl Fn(u32) -> u32,
    name: &impl Fn(&Instruction) -> &'n str,
) -> bool {
    let run: Vec<&str> =
        instructions.iter().take_while(|one| line_of(one.offset) == line).map(name).collect();
    let generator = run.windows(2).position(|pair| pair == ["RETURN_GENERATOR", "POP_TOP"]);
    !run.is_empty()
        && run
            .iter()
            .enumerate()
            .all(|(place, name)| PROLOGUE.contains(name) || generator.is_some_and(|at| at + 1 == place))
}

/// How an instruction goes on, by the meaning that its opcode has in this version (the documentation of `dis`).
fn flow(opcodes: &OpcodeTable<'_>, instruction: &Instruction) -> Flow {
    let Some(opcode) = opcodes.get(instruction.number) else { return Flow::Next };
    let minor = opcodes.version().1;
    // Arguments of jumps are bytes up to 3.9, code units from then on.
    let argument = if minor <= 9 { instruction.argument } else { instruction.argument.saturating_mul(2) };
    let next = instruction.offset + 2 * (1 + u32::from(opcode.caches));
    let (forward, backward) = (next.saturating_add(argument), next.saturating_sub(argument));
    match opcode.base {
        "JUMP_FORWARD" | "CALL_FINALLY" => Flow::Jump(forward),
        "JUMP_ABSOLUTE" => Flow::Jump(argument),
        "JUMP_BACKWARD" | "JUMP_BACKWARD_NO_INTERRUPT" => Flow::Jump(backward),
        "FOR_ITER" | "SEND" => Flow::Branch(forward),
        "RETURN_VALUE" | "RETURN_CONST" | "RAISE_VARARGS" | "RERAISE" => Flow::Away,
        name if name.starts_with("POP_JUMP_BACKWARD_IF_") => Flow::Branch(backward),
        name if name.starts_with("POP_JUMP_FORWARD_IF_") => Flow::Branch(forward),
        name if name.starts_with("POP_JUMP_IF_") && minor >= 12 => Flow::Branch(forward),
        name if name.starts_with("JUMP_IF_") && minor == 11 => Flow::Branch(forward),
        name if name.starts_with("POP_JUMP_IF_") || name.starts_with("JUMP_IF_") => Flow::Branch(argument),
        _ => Flow::Next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytecode of instructions without inline caches.
    fn bytecode(opcodes: &OpcodeTable<'_>, instructions: &[(&str, u8)]) -> Vec<u8> {
        instructions.iter().flat_map(|(name, arg)| [opcodes.named(name).unwrap().number, *arg]).collect()
    }

    fn entry(line: u32, offset: u32, less: &[u32]) -> LineEntry {
        LineEntry { line, offset, less: less.to_vec() }
    }

    #[test]
    fn a_loop_comes_to_its_line_at_each_turn() {
        // for i in x:
        //     pass
        let opcodes = OpcodeTable::built_in(3, 10).unwrap();
        let loop_ = [
            ("LOAD_FAST", 0),
            ("GET_ITER", 0),
            ("FOR_ITER", 2),
            ("STORE_FAST", 1),
            ("JUMP_ABSOLUTE", 2),
            ("LOAD_CONST", 0),
            ("RETURN_VALUE", 0),
        ];
        let code = bytecode(&opcodes, &loop_);
        // The way out of the loop is no other hit of its line.
        let found = line_entries(&opcodes, &code, &[1, 1, 1, 1, 2, 1, 1]);
        assert_eq!(found, [entry(1, 0, &[]), entry(1, 4, &[2]), entry(2, 8, &[])]);
        // In one line, as in a comprehension, turns are no new hits.
        assert_eq!(line_entries(&opcodes, &code, &[1; 7]), [entry(1, 0, &[])]);
    }

    #[test]
    fn a_prologue_is_no_hit_of_its_line_but_a_body_is() {
        let opcodes = OpcodeTable::built_in(3, 11).unwrap();
        let code = bytecode(
            &opcodes,
            &[("RETURN_GENERATOR", 0), ("POP_TOP", 0), ("RESUME", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)],
        );
        assert_eq!(line_entries(&opcodes, &code, &[1, 1, 1, 2, 2]), [entry(2, 6, &[])]);
        assert_eq!(line_entries(&opcodes, &code, &[1, 1, 1, 1, 1]), [entry(1, 0, &[])]);
        assert_eq!(line_entries(&opcodes, &code, &[0, 0, 0, 0, 0]), []);
    }

    #[test]
    fn a_line_is_come_back_to_when_finally_is_done() {
        // try:
        //     return n
        // finally:
        //     n
        let opcodes = OpcodeTable::built_in(3, 8).unwrap();
        let instructions = [
            ("SETUP_FINALLY", 8),
            ("LOAD_FAST", 0),
            ("POP_BLOCK", 0),
            ("CALL_FINALLY", 2),
            ("RETURN_VALUE", 0),
            ("LOAD_FAST", 0),
            ("POP_TOP", 0),
            ("END_FINALLY", 0),
        ];
        let found = line_entries(&opcodes, &bytecode(&opcodes, &instructions), &[2, 3, 3, 3, 3, 5, 5, 5]);
        assert_eq!(found, [entry(2, 0, &[]), entry(3, 2, &[]), entry(3, 8, &[]), entry(5, 10, &[])]);
    }

    #[test]
    fn any_bytes_have_entries() {
        for minor in 8..=15 {
            let opcodes = OpcodeTable::built_in(3, minor).unwrap();
            let bytes: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            let lines: Vec<u32> = (0..2000u32).map(|n| n / 7 % 5).collect();
            let entries = line_entries(&opcodes, &bytes, &lines);
            assert!(entries.iter().all(|entry| entry.line > 0 && entry.offset < 4096));
        }
    }
}
