//! Finding out which register holds the address of the next instruction at a dispatch.
//!
//! The compiler chose one, the same for all handlers: a computed goto can reach any of them. At each of
//! the first dispatches every register is tried: does it point to a code unit with the opcode that is
//! being dispatched? The one that always does is it. A register that always holds the address jumped to
//! is read by no handler.

use std::sync::Mutex;

use crate::assembler::Reg;
use crate::executable_memory::read_word;
use crate::meter::Meter;
use crate::rare::Frame;

/// Dispatches that are observed.
const OBSERVATIONS: u32 = 1024;

/// Registers in the order of preference, should several hold the same: those that calls preserve first.
const CANDIDATES: [u8; 15] = [15, 14, 13, 12, 3, 5, 11, 10, 9, 8, 7, 6, 2, 1, 0];

struct Observed {
    dispatches: u32,
    judged: u32,
    matches: [u32; 16],
    jump_targets: [u32; 16],
    /// Pages known to be readable, by number.
    pages: Vec<usize>,
    after_prefix: bool,
}

static OBSERVED: Mutex<Observed> = Mutex::new(Observed {
    dispatches: 0,
    judged: 0,
    matches: [0; 16],
    jump_targets: [0; 16],
    pages: Vec::new(),
    after_prefix: false,
});

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers {
    /// Holds the address of the instruction that is being dispatched.
    pub next_instr: Option<Reg>,
    /// No handler reads it.
    pub dead: Option<Reg>,
}

/// Looks at one dispatch; installs the counting stubs once enough were seen.
pub fn observe(meter: &Meter, frame: &Frame, number: u8) {
    meter.count(number);
    meter.begin();
    if !meter.opcodes().repeats() {
        // The address is of no interest then.
        meter.discovered(Registers { next_instr: None, dead: None });
        return;
    }
    let Ok(mut observed) = OBSERVED.try_lock() else { return };
    if observed.dispatches >= OBSERVATIONS {
        return;
    }
    observed.look(meter, frame, number);
    if observed.dispatches == OBSERVATIONS {
        let registers = observed.conclude();
        observed.pages = Vec::new();
        drop(observed);
        meter.discovered(registers);
    }
}

impl Observed {
    fn look(&mut self, meter: &Meter, frame: &Frame, number: u8) {
        self.dispatches += 1;
        // 3.11 dispatches what follows EXTENDED_ARG under its base's name whatever stands in memory, and
        // the interpreter's own entry and exit code does not go on to a next instruction.
        let base = |number: u8| meter.opcodes().get(number).map(|opcode| opcode.base);
        let prefix = std::mem::replace(&mut self.after_prefix, base(number) == Some("EXTENDED_ARG"));
        if prefix || matches!(base(number), Some("INTERPRETER_EXIT" | "EXIT_INIT_CHECK" | "DO_TRACING")) {
            return;
        }
        self.judged += 1;
        let target = meter.entry(number);
        for register in CANDIDATES {
            let index = usize::from(register);
            let value = frame.registers[index];
            self.jump_targets[index] += u32::from(value == target);
            // Once it has failed a few times it is out, and its value need not be read.
            if self.matches[index] + 16 > self.judged {
                // In 3.11 a base is dispatched while a specialised form, whose guard failed, is in memory.
                let same = self.byte(value).is_some_and(|byte| base(byte) == base(number));
                self.matches[index] += u32::from(same);
            }
        }
    }

    fn byte(&mut self, address: usize) -> Option<u8> {
        if !(0x1000..1 << 47).contains(&address) || !address.is_multiple_of(2) {
            return None;
        }
        let page = address / 4096;
        if !self.pages.contains(&page) {
            read_word(address & !7)?;
            if self.pages.len() == 64 {
                self.pages.remove(0);
            }
            self.pages.push(page);
        }
        // SAFETY: the page was readable when it was first seen, a moment ago; the interpreter frees no
        // code while it imports its first modules, and a value that is no code address is dropped at once.
        Some(unsafe { (address as *const u8).read_volatile() })
    }

    fn conclude(&self) -> Registers {
        let best = |counts: &[u32; 16]| {
            let register = CANDIDATES.into_iter().max_by_key(|r| {
                (counts[usize::from(*r)], std::cmp::Reverse(CANDIDATES.iter().position(|c| c == r)))
            })?;
            Some((register, counts[usize::from(register)]))
        };
        let next_instr = best(&self.matches).filter(|(_, count)| *count == self.judged);
        let dead = best(&self.jump_targets).filter(|(_, count)| *count == self.judged);
        Registers { next_instr: next_instr.map(|(r, _)| Reg(r)), dead: dead.map(|(r, _)| Reg(r)) }
    }
}
