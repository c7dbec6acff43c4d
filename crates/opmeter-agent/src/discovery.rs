//! Finding out which register holds the address of the next instruction at a dispatch.
//!
//! The compiler chose one, the same for all handlers: a computed goto can reach any of them. At each of
//! the first dispatches every register is tried: does it point to a code unit with the opcode that is
//! being dispatched (up to 3.10: behind one)? The one that always does is it.
//!
//! Other registers are free to be used. One that holds the opcode's number at every dispatch can be given
//! it back. One that has held the address jumped to is read by no handler: every handler is a successor of
//! every computed goto, and nothing that it could want there is a jump's target. (Up to 3.10 a `switch`
//! jumps to the handlers as well, to other labels perhaps; there it must hold the target every time.)
//!
//! Instructions count from the first one on. So for every register that may still be the one, the
//! instructions that it has pointed to are kept until it is known.

use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;

use crate::assembler::Reg;
use crate::clock;
use crate::executable_memory::read_word;
use crate::meter::Meter;
use crate::rare::Frame;
use crate::stub::{Free, NextInstr};

/// Dispatches that are observed.
const OBSERVATIONS: u32 = 1024;

/// Dispatches at which a register must have held the jump's target to be taken for one that does.
const ENOUGH: u32 = 8;

/// Dispatches before the instructions that a register points to are looked up: by then nearly all registers
/// are out of the question, and no code has gone yet.
const UNTOUCHED: u32 = 64;

/// Registers in the order of preference, should several hold the same: those that calls preserve first.
const CANDIDATES: [u8; 15] = [15, 14, 13, 12, 3, 5, 11, 10, 9, 8, 7, 6, 2, 1, 0];

struct Observed {
    dispatches: u32,
    judged: u32,
    matches: [u32; 16],
    /// At how many dispatches a register held the address jumped to.
    targets: [u32; 16],
    /// At how many it held the opcode's number.
    numbers: [u32; 16],
    /// Pages known to be readable, by number.
    pages: Vec<usize>,
    after_prefix: bool,
    /// For each register, the instructions that it has pointed to.
    reached: [Vec<Reached>; 16],
    /// Where events are told: when each dispatch was, and of which opcode.
    times: Vec<(u64, u8)>,
}

/// An instruction that was executed.
struct Reached {
    address: usize,
    /// Where it was counted, unless it lies in no code object.
    bias: Option<u64>,
    number: u8,
    /// Which of the dispatches it was.
    dispatch: u32,
}

static OBSERVED: Mutex<Observed> = Mutex::new(Observed::new());

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers {
    /// Holds the address of the instruction that is being dispatched.
    pub next_instr: Option<NextInstr>,
    /// Registers that stubs may use.
    pub free: [Option<Free>; 2],
}

/// Looks at one dispatch; installs the counting stubs once enough were seen.
pub fn observe(meter: &Meter, frame: &Frame, number: u8, tsc: u64) {
    meter.count(number);
    meter.count_pair(number);
    meter.begin();
    let Ok(mut observed) = OBSERVED.try_lock() else { return };
    if observed.dispatches >= OBSERVATIONS {
        return;
    }
    observed.look(meter, frame, number);
    if meter.tells_events() {
        observed.times.push((clock::at(tsc), number));
    }
    if observed.dispatches == OBSERVATIONS {
        let registers = observed.conclude(ahead(meter));
        if let Some(next) = registers.next_instr {
            observed.count(meter, next);
        }
        let told = observed.told(meter, registers.next_instr);
        observed.pages = Vec::new();
        observed.reached = Default::default();
        drop(observed);
        meter.tell_discovered(&told);
        meter.discovered(registers);
    }
}

/// How far ahead of the instruction the register points: up to 3.10 it was read already.
fn ahead(meter: &Meter) -> u8 {
    if meter.opcodes().version().1 <= 10 { 2 } else { 0 }
}

impl Observed {
    const fn new() -> Self {
        Self {
            dispatches: 0,
            judged: 0,
            matches: [0; 16],
            targets: [0; 16],
            numbers: [0; 16],
            pages: Vec::new(),
            after_prefix: false,
            reached: [const { Vec::new() }; 16],
            times: Vec::new(),
        }
    }

    fn look(&mut self, meter: &Meter, frame: &Frame, number: u8) {
        self.dispatches += 1;
        // 3.11 dispatches what follows EXTENDED_ARG under its base's name whatever stands in memory, and
        // the interpreter's own entry and exit code does not go on to a next instruction.
        let base = |number: u8| meter.opcodes().get(number).map(|opcode| opcode.base);
        let prefix = std::mem::replace(&mut self.after_prefix, base(number) == Some("EXTENDED_ARG"));
        let placed = meter.rule(number).is_some_and(|rule| {
            let execution = &rule.execution;
            execution.is_instruction && execution.has_place
        });
        let shim = matches!(base(number), Some("INTERPRETER_EXIT" | "EXIT_INIT_CHECK" | "DO_TRACING"));
        let judged = !prefix && !shim;
        if judged {
            self.compare(&frame.registers, frame.reporting_stub(), number);
        }
        for register in CANDIDATES {
            let index = usize::from(register);
            let address = frame.registers[index].wrapping_sub(usize::from(ahead(meter)));
            if self.matches[index] < self.judged {
                continue;
            }
            // In 3.11 a base is dispatched while a specialised form, whose guard failed, is in memory.
            let byte = self.byte(address);
            let same = byte.is_some_and(|byte| base(byte) == base(number));
            self.matches[index] += u32::from(judged && same);
            if placed && byte.is_some() && (same || !judged) {
                self.keep(meter, index, address, number);
            }
        }
        self.judged += u32::from(judged);
    }

    /// Compares what the registers hold with the address that was jumped to, and with the opcode's number.
    /// Not with other stubs' addresses: where the interpreter lies at low addresses, so do they, and any
    /// number may be like one by chance.
    fn compare(&mut self, registers: &[usize; 16], target: usize, number: u8) {
        for (index, value) in registers.iter().enumerate() {
            self.targets[index] += u32::from(*value == target);
            self.numbers[index] += u32::from(*value == usize::from(number));
        }
    }

    /// Keeps an instruction that a register points to.
    fn keep(&mut self, meter: &Meter, register: usize, address: usize, number: u8) {
        let look_up = |address| {
            let place = meter.place(meter.first_slot());
            meter.cells().and_then(|cells| cells.find_in_code(address, place))
        };
        // Up to 3.10 only the running code can be found, and is found fast.
        let at_once = self.dispatches > UNTOUCHED || meter.opcodes().version().1 <= 10;
        let bias = if at_once { look_up(address) } else { None };
        let dispatch = self.dispatches - 1;
        self.reached[register].push(Reached { address, bias, number, dispatch });
        if self.dispatches == UNTOUCHED && !at_once {
            for reached in &mut self.reached[register] {
                reached.bias = look_up(reached.address);
            }
        }
    }

    /// Counts the instructions that were executed, now that they are known.
    fn count(&self, meter: &Meter, next: NextInstr) {
        let Some(cells) = meter.cells() else { return };
        let place = meter.place(meter.first_slot());
        let reached = &self.reached[usize::from(next.reg.0)];
        let biases: Vec<u64> = reached
            .iter()
            .map(|reached| reached.bias.unwrap_or_else(|| cells.find(reached.address, place)))
            .collect();
        if cells.lost() > 0 {
            // Some of these cells are read by nobody. It stays at counts by opcode.
            return;
        }
        for (reached, bias) in reached.iter().zip(biases) {
            let Some(rule) = meter.rule(reached.number) else { continue };
            let add = |offset: u8| {
                cells.with_bias(bias, reached.address + usize::from(offset)).fetch_add(1, Relaxed);
            };
            meter.placed(rule);
            add(0);
            if rule.execution.generic {
                add(2);
            }
            rule.folded.into_iter().filter(|distance| *distance > 0).for_each(add);
        }
    }

    /// The dispatches so far, as they are told: when, which opcode, and the address of its cell.
    fn told(&mut self, meter: &Meter, next: Option<NextInstr>) -> Vec<(u64, u8, Option<u64>)> {
        let place = meter.place(meter.first_slot());
        let cells = meter.cells();
        let mut told: Vec<_> =
            std::mem::take(&mut self.times).into_iter().map(|(time, number)| (time, number, None)).collect();
        for reached in next.iter().flat_map(|next| &self.reached[usize::from(next.reg.0)]) {
            let cell = cells.map(|cells| match reached.bias {
                Some(bias) => cells.with_bias(bias, reached.address),
                None => cells.with_bias(cells.find(reached.address, place), reached.address),
            });
            if let Some((_, _, told)) = told.get_mut(reached.dispatch as usize) {
                *told = cell.map(|cell| &raw const *cell as u64);
            }
        }
        told
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

    fn conclude(&self, ahead: u8) -> Registers {
        let next_instr = CANDIDATES.into_iter().find(|r| self.matches[usize::from(*r)] == self.judged);
        let free = CANDIDATES.into_iter().filter_map(|register| {
            let (targets, numbers) =
                (self.targets[usize::from(register)], self.numbers[usize::from(register)]);
            let dead = if ahead == 0 { targets >= ENOUGH } else { targets == self.judged };
            let holds_number = numbers == self.judged;
            let known = (dead || holds_number) && Some(register) != next_instr;
            known.then_some(Free { reg: Reg(register), holds_number })
        });
        // Those that need not be given back come first.
        let mut free: Vec<Free> = free.collect();
        free.sort_by_key(|free| free.holds_number);
        let mut free = free.into_iter();
        Registers {
            next_instr: next_instr.map(|register| NextInstr { reg: Reg(register), ahead }),
            free: [free.next(), free.next()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stub_that_was_jumped_to_makes_a_register_free() {
        let mut observed = Observed::new();
        let stub = |number: usize| 0x50_0000 + 64 * number;
        for number in 0..100 {
            let mut registers = [0; 16];
            registers[0] = if number % 4 == 0 { stub(number) } else { 7 };
            // Values that happen to be addresses of stubs.
            registers[6] = stub(number + 1);
            registers[7] = stub(30);
            registers[9] = number;
            registers[15] = 0x7f00_0000 + 2 * number;
            observed.compare(&registers, stub(number), number as u8);
            observed.matches[15] += 1;
            observed.judged += 1;
        }
        let next_instr = Some(NextInstr { reg: Reg(15), ahead: 0 });
        let free = |reg, holds_number| Some(Free { reg: Reg(reg), holds_number });
        let found = Registers { next_instr, free: [free(0, false), free(9, true)] };
        assert_eq!(observed.conclude(0), found);
        // Up to 3.10 once in a while is not enough.
        let next_instr = Some(NextInstr { reg: Reg(15), ahead: 2 });
        let found = Registers { next_instr, free: [free(9, true), None] };
        assert_eq!(observed.conclude(2), found);
    }
}
