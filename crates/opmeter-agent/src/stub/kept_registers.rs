//! Whether stubs leave to their handlers what these expect: every stub is disassembled, and followed along each of its
//! ways. At the end all registers hold what they held at the beginning, but for those that are free, and the stack is as
//! it was; nothing but counters is written to.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use iced_x86::{
    Code, Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, OpAccess, Register,
};
use opmeter_opcodes::OpcodeTable;

use super::{Biases, Counters, EventCells, Free, NextInstr, PairCells, Rule, Slice, StubSet, Timing};
use crate::assembler::{Assembler, RAX, RCX, RDX, Reg};
use crate::clock::ClockOffsets;
use crate::rare::Event;

const CODE: usize = 0x40_0000;
const GATE: usize = CODE - 0x1_0000;
const TARGET: usize = CODE + 0x100_0000;

/// Where everything lies that a stub may write to by an address of its own.
const DATA: std::ops::Range<usize> = 0x100_0000..0x2000_0000;

/// What is known of a register, or of a word on the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Value {
    /// What the register of this number held at the beginning.
    Original(usize),
    /// A value that the stub knows.
    Constant(u64),
    /// Something else.
    Other,
}

/// The registers and the stack at an instruction of a stub.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Machine {
    address: u64,
    registers: [Value; 16],
    stack: Vec<Value>,
}

/// The code of a stub, followed along its ways.
struct Walk<'s> {
    code: &'s [u8],
    free: &'s [Option<Free>],
    number: u8,
    info: InstructionInfoFactory,
    ends: usize,
}

fn index(register: Register) -> Option<usize> {
    let whole = register.full_register();
    whole.is_gpr64().then(|| whole.number())
}

impl Walk<'_> {
    fn follow(&mut self, start: u64) {
        let registers: [Value; 16] = std::array::from_fn(Value::Original);
        let mut seen = HashSet::new();
        let mut open = vec![Machine { address: start, registers, stack: Vec::new() }];
        while let Some(machine) = open.pop() {
            assert!(seen.len() < 10_000, "the ways through a stub are few");
            if machine.address == TARGET as u64 {
                self.is_as_it_was(&machine);
                self.ends += 1;
            } else if seen.insert(machine.clone()) {
                let instruction = self.decode(machine.address);
                open.extend(self.step(machine, &instruction));
            }
        }
    }

    fn decode(&self, address: u64) -> Instruction {
        let place = (address as usize).checked_sub(CODE).filter(|place| *place < self.code.len());
        let place = place.unwrap_or_else(|| panic!("it leaves its code for {address:#x}"));
        let instruction = Decoder::with_ip(64, &self.code[place..], address, DecoderOptions::NONE).decode();
        assert_ne!(instruction.code(), Code::INVALID, "at {address:#x}");
        instruction
    }

    /// The machine after an instruction: one for each way that it goes.
    fn step(&mut self, mut machine: Machine, instruction: &Instruction) -> Vec<Machine> {
        let next = instruction.next_ip();
        match instruction.flow_control() {
            FlowControl::UnconditionalBranch => {
                machine.address = instruction.near_branch_target();
                return vec![machine];
            }
            FlowControl::ConditionalBranch => {
                let target = instruction.near_branch_target();
                return [next, target].map(|address| Machine { address, ..machine.clone() }).into();
            }
            FlowControl::Call => {
                assert_eq!(instruction.near_branch_target(), GATE as u64);
                // What was pushed tells what happened, and which register gets an answer, if there is one
                // (`gate::report`); all others are kept.
                let Some(Value::Constant(told)) = machine.stack.last() else { panic!("nothing is told") };
                let is_answered = [Event::NewThread, Event::NewPlace, Event::Chunk]
                    .iter()
                    .any(|event| *event as u64 == told >> 8 & 0xff);
                if is_answered {
                    machine.registers[(told >> 16) as usize & 15] = Value::Other;
                }
                machine.address = next;
                return vec![machine];
            }
            FlowControl::Next => {}
            other => panic!("{other:?} at {:#x}", machine.address),
        }
        self.writes_to_counters(&machine, instruction);
        match instruction.code() {
            Code::Push_r64 => {
                machine.stack.push(machine.registers[index(instruction.op0_register()).unwrap()])
            }
            Code::Pushq_imm32 | Code::Pushq_imm8 => {
                machine.stack.push(Value::Constant(instruction.immediate(0)));
            }
            Code::Pop_r64 => {
                machine.registers[index(instruction.op0_register()).unwrap()] =
                    machine.stack.pop().expect("nothing was pushed");
            }
            Code::Lea_r64_m if instruction.op0_register() == Register::RSP => {
                // Forgets what was told to the gate.
                assert_eq!(
                    (instruction.memory_base(), instruction.memory_displacement64()),
                    (Register::RSP, 8)
                );
                machine.stack.pop().expect("nothing was pushed");
            }
            Code::Mov_r32_imm32 | Code::Mov_r64_imm64 => {
                let value = Value::Constant(instruction.immediate(1));
                machine.registers[index(instruction.op0_register()).unwrap()] = value;
            }
            _ => {
                for used in self.info.info(instruction).used_registers() {
                    let is_written = matches!(
                        used.access(),
                        OpAccess::Write | OpAccess::ReadWrite | OpAccess::CondWrite | OpAccess::ReadCondWrite
                    );
                    if let (true, Some(number)) = (is_written, index(used.register())) {
                        assert_ne!(number, 4, "the stack pointer at {:#x}", machine.address);
                        machine.registers[number] = Value::Other;
                    }
                }
            }
        }
        machine.address = next;
        vec![machine]
    }

    /// Memory is written at an address of the stub's own, in the thread's segment, or by a register that the stub has
    /// loaded: never by one of the handler's, but for the next instruction's, of which cells lie at a multiple.
    fn writes_to_counters(&mut self, machine: &Machine, instruction: &Instruction) {
        let is_push = matches!(instruction.code(), Code::Push_r64 | Code::Pushq_imm32 | Code::Pushq_imm8);
        for memory in self.info.info(instruction).used_memory() {
            let is_written =
                !matches!(memory.access(), OpAccess::Read | OpAccess::NoMemAccess | OpAccess::CondRead);
            if !is_written || is_push || memory.segment() == Register::FS {
                continue;
            }
            let loaded = |register: Register| {
                index(register).is_some_and(|number| !matches!(machine.registers[number], Value::Original(_)))
            };
            let is_own = memory.base() == Register::None && memory.index() == Register::None;
            let of_counter = is_own && DATA.contains(&(memory.displacement() as usize));
            assert!(
                of_counter || loaded(memory.base()) || loaded(memory.index()),
                "{instruction} writes to what is not its own"
            );
        }
    }

    fn is_as_it_was(&self, machine: &Machine) {
        assert!(machine.stack.is_empty(), "{:?} is left on the stack", machine.stack);
        for (number, value) in machine.registers.iter().enumerate() {
            let free = self.free.iter().flatten().find(|free| usize::from(free.reg.0) == number);
            let is_right = match free {
                None => *value == Value::Original(number),
                Some(free) if free.holds_number => {
                    [Value::Original(number), Value::Constant(u64::from(self.number))].contains(value)
                }
                Some(_) => true,
            };
            assert!(is_right, "register {number} holds {value:?}");
        }
    }
}

/// The sets of stubs of a version, in many variants.
fn sets(version: u8, mut each: impl FnMut(StubSet)) {
    let clock = ClockOffsets {
        paused: -8,
        stack: -16,
        next: -24,
        waiting: -32,
        times: -9000,
        cells: -7000,
        blocks: -5000,
        all: -3000,
    };
    let ahead = if version <= 10 { 2 } else { 0 };
    let places = [None, Some(3), Some(13), Some(2)];
    let no_number = |reg| Some(Free { reg, holds_number: false });
    let number = |reg| Some(Free { reg, holds_number: true });
    let frees = [
        [None, None],
        [no_number(RAX), None],
        [number(RDX), no_number(RCX)],
        [number(Reg(9)), number(RAX)],
        [no_number(Reg(14)), number(Reg(3))],
    ];
    let slices = [None, Some(Slice::Counted), Some(Slice::Settling), Some(Slice::Timed), Some(Slice::Told)];
    for counters in [Counters::Shared(DATA.start), Counters::PerThread(-0x100)] {
        let per_thread = matches!(counters, Counters::PerThread(_));
        let biases = if per_thread {
            vec![Biases::None, Biases::OfSlot]
        } else {
            vec![
                Biases::None,
                Biases::Flat(0x7000_0000),
                Biases::Flat(0x1000_0000_0000),
                Biases::TwoLevel(0x5000),
            ]
        };
        for (biases, slice) in biases.into_iter().flat_map(|biases| slices.map(|slice| (biases, slice))) {
            for (place, free) in places.iter().flat_map(|place| frees.map(|free| (*place, free))) {
                if free.iter().flatten().any(|free| Some(free.reg.0) == place) {
                    continue;
                }
                for (pairs, traced) in [(false, false), (true, true)] {
                    let matrix = (!per_thread).then_some(DATA.start + 0x10_0000);
                    let events = (slice == Some(Slice::Told))
                        .then_some(EventCells { next: -0x200, phase: DATA.start + 0x20_0000 });
                    let blocks = (!per_thread).then_some(DATA.start + 0x30_0000);
                    each(StubSet {
                        counters,
                        traced,
                        next_instr: place.map(|number| NextInstr { reg: Reg(number), ahead }),
                        pairs: pairs.then_some(PairCells { row: -0x300, matrix }),
                        biases,
                        timing: slice.map(|slice| Timing { clock, slice, blocks, events }),
                        granule_bits: 7,
                        free,
                        gate: GATE,
                    });
                }
            }
        }
    }
}

#[test]
fn stubs_leave_everything_to_handlers_as_it_was() {
    let mut followed = 0;
    for version in 8..=15 {
        let opcodes = OpcodeTable::built_in(3, version).unwrap();
        // Opcodes of which the same is to be known have the same stubs.
        let mut kinds = HashSet::new();
        let rules: Vec<Rule> = Rule::all(&opcodes)
            .into_iter()
            .flatten()
            .filter(|rule| {
                kinds.insert((format!("{:?}", rule.execution), rule.derived, rule.folded, rule.caches))
            })
            .collect();
        sets(version, |set| {
            for rule in &rules {
                let mut assembler = Assembler::new(CODE);
                let start = set.stub(&mut assembler, rule, TARGET);
                let code = assembler.finish().unwrap();
                let info = InstructionInfoFactory::new();
                let mut walk = Walk { code: &code, free: &set.free, number: rule.number, info, ends: 0 };
                let result =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| walk.follow(start as u64)));
                assert!(result.is_ok(), "3.{version}, {rule:?}, {set:?}");
                assert!(walk.ends > 0);
                followed += 1;
            }
        });
    }
    assert!(followed > 100_000, "{followed}");
}
