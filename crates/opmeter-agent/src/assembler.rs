//! The few x86-64 instructions that a stub is made of.
//!
//! An assembler library is not used here because a stub's operands lie outside the assembled code, at
//! addresses relative to it that only the caller knows, and because the tables of the libraries that
//! can express that would be loaded into every process of the command.
//! Encodings: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.

/// A general register, by the machine's number: 0 is rax, 4 rsp, 7 rdi, 8 r8, 15 r15.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reg(pub u8);

/// rax.
pub const RAX: Reg = Reg(0);
/// rcx.
pub const RCX: Reg = Reg(1);
/// rdx.
pub const RDX: Reg = Reg(2);
/// rsp.
pub const RSP: Reg = Reg(4);

/// An operand in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mem {
    /// At an address within 2 GiB of the code, encoded relative to the instruction.
    At(usize),
    /// At a register's value plus an offset.
    Base(Reg, i32),
    /// At a register's value plus eight times another's plus an offset.
    Indexed(Reg, Reg, i32),
    /// At a register's value plus four times another's plus an offset.
    Quadrupled(Reg, Reg, i32),
    /// At eight times a register's value plus an offset.
    Scaled(Reg, i32),
    /// At an offset from the thread's segment base (fs).
    Thread(i32),
    /// At a register's value plus an offset from the thread's segment base.
    ThreadPlus(Reg, i32),
}

impl Mem {
    /// The memory at an offset from this.
    pub fn plus(self, offset: i32) -> Self {
        match self {
            Self::At(address) => Self::At(address.wrapping_add_signed(offset as isize)),
            Self::Base(base, at) => Self::Base(base, at + offset),
            Self::Indexed(base, index, at) => Self::Indexed(base, index, at + offset),
            Self::Quadrupled(base, index, at) => Self::Quadrupled(base, index, at + offset),
            Self::Scaled(index, at) => Self::Scaled(index, at + offset),
            Self::Thread(at) => Self::Thread(at + offset),
            Self::ThreadPlus(base, at) => Self::ThreadPlus(base, at + offset),
        }
    }
}

/// Conditions of a jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Equal, zero.
    Equal = 4,
    /// Not equal.
    NotEqual = 5,
    /// Below, unsigned.
    Below = 2,
    /// Not above, signed.
    NotAbove = 14,
}

/// A place in the code that jumps refer to before it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label(usize);

/// Assembles code for a known address.
pub struct Assembler {
    origin: usize,
    code: Vec<u8>,
    labels: Vec<Option<usize>>,
    /// Ends of 32-bit displacements to be filled in, with the label that they refer to.
    open: Vec<(usize, Label)>,
    /// Whether an operand was out of reach.
    out_of_reach: bool,
}

impl Assembler {
    /// An assembler for code that will lie at `origin`.
    pub fn new(origin: usize) -> Self {
        Self { origin, code: Vec::new(), labels: Vec::new(), open: Vec::new(), out_of_reach: false }
    }

    /// The address of the next instruction.
    pub fn here(&self) -> usize {
        self.origin + self.code.len()
    }

    /// A new label, not yet placed.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Puts a label here.
    pub fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.code.len());
    }

    /// Starts the next instruction on a cache line of its own.
    pub fn align(&mut self) {
        while !self.here().is_multiple_of(64) {
            self.code.push(0xcc);
        }
    }

    /// The code, or `None` where an operand was out of reach or a label was never placed.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        for (end, label) in &self.open {
            let target = self.labels[label.0]?;
            let displacement = i32::try_from(target as i64 - *end as i64).ok()?;
            self.code[end - 4..*end].copy_from_slice(&displacement.to_le_bytes());
        }
        (!self.out_of_reach).then_some(self.code)
    }

    /// `inc qword [mem]`
    pub fn inc(&mut self, mem: Mem) {
        self.memory(&[], true, &[0xff], 0, mem, 0);
    }

    /// `dec qword [mem]`
    pub fn dec(&mut self, mem: Mem) {
        self.memory(&[], true, &[0xff], 1, mem, 0);
    }

    /// `mov [mem], reg`
    pub fn store(&mut self, mem: Mem, reg: Reg) {
        self.memory(&[], true, &[0x89], reg.0, mem, 0);
    }

    /// `mov reg, [mem]`
    pub fn load(&mut self, reg: Reg, mem: Mem) {
        self.memory(&[], true, &[0x8b], reg.0, mem, 0);
    }

    /// `mov qword [mem], value`
    pub fn store_value(&mut self, mem: Mem, value: i32) {
        self.memory(&[], true, &[0xc7], 0, mem, 4);
        self.code.extend(value.to_le_bytes());
    }

    /// `mov byte [mem], value`
    pub fn store_byte(&mut self, mem: Mem, value: u8) {
        self.memory(&[], false, &[0xc6], 0, mem, 1);
        self.code.push(value);
    }

    /// `cmp [mem], reg`
    pub fn compare(&mut self, mem: Mem, reg: Reg) {
        self.memory(&[], true, &[0x39], reg.0, mem, 0);
    }

    /// `cmp qword [mem], value`
    pub fn compare_value(&mut self, mem: Mem, value: i8) {
        self.memory(&[], true, &[0x83], 7, mem, 1);
        self.code.push(value as u8);
    }

    /// `add [mem], reg`
    pub fn add_to(&mut self, mem: Mem, reg: Reg) {
        self.memory(&[], true, &[0x01], reg.0, mem, 0);
    }

    /// `sub reg, [mem]`
    pub fn subtract_from(&mut self, reg: Reg, mem: Mem) {
        self.memory(&[], true, &[0x2b], reg.0, mem, 0);
    }

    /// `cmp byte [mem], value`
    pub fn compare_byte(&mut self, mem: Mem, value: u8) {
        self.memory(&[], false, &[0x80], 7, mem, 1);
        self.code.push(value);
    }

    /// `cmp word [mem], value`
    pub fn compare_word(&mut self, mem: Mem, value: u16) {
        // A 16-bit value makes an instruction's length hard to tell for some processors.
        match u8::try_from(value).ok().filter(|value| *value < 0x80) {
            Some(value) => {
                self.memory(&[0x66], false, &[0x83], 7, mem, 1);
                self.code.push(value);
            }
            None => {
                self.memory(&[0x66], false, &[0x81], 7, mem, 2);
                self.code.extend(value.to_le_bytes());
            }
        }
    }

    /// `movzx reg, byte [mem]`
    pub fn load_byte(&mut self, reg: Reg, mem: Mem) {
        self.memory(&[], false, &[0x0f, 0xb6], reg.0, mem, 0);
    }

    /// `lea reg, [mem]`
    pub fn address(&mut self, reg: Reg, mem: Mem) {
        self.memory(&[], true, &[0x8d], reg.0, mem, 0);
    }

    /// `mov reg, value`
    pub fn value(&mut self, reg: Reg, value: u64) {
        self.code.extend([0x48 | reg.0 >> 3, 0xb8 | reg.0 & 7]);
        self.code.extend(value.to_le_bytes());
    }

    /// `mov reg, value`, for a value of 32 bits.
    pub fn small_value(&mut self, reg: Reg, value: u32) {
        if reg.0 >= 8 {
            self.code.push(0x41);
        }
        self.code.push(0xb8 | reg.0 & 7);
        self.code.extend(value.to_le_bytes());
    }

    /// `mov reg, other`
    pub fn copy(&mut self, reg: Reg, other: Reg) {
        self.code.extend([
            0x48 | (other.0 >> 3) << 2 | reg.0 >> 3,
            0x89,
            0xc0 | (other.0 & 7) << 3 | reg.0 & 7,
        ]);
    }

    /// `add reg, other`
    pub fn add(&mut self, reg: Reg, other: Reg) {
        self.code.extend([
            0x48 | (other.0 >> 3) << 2 | reg.0 >> 3,
            0x01,
            0xc0 | (other.0 & 7) << 3 | reg.0 & 7,
        ]);
    }

    /// `shr reg, bits`
    pub fn shift_right(&mut self, reg: Reg, bits: u8) {
        self.code.extend([0x48 | reg.0 >> 3, 0xc1, 0xe8 | reg.0 & 7, bits]);
    }

    /// `shl reg, bits`
    pub fn shift_left(&mut self, reg: Reg, bits: u8) {
        self.code.extend([0x48 | reg.0 >> 3, 0xc1, 0xe0 | reg.0 & 7, bits]);
    }

    /// `and reg, value`
    pub fn and(&mut self, reg: Reg, value: i32) {
        self.code.extend([0x48 | reg.0 >> 3, 0x81, 0xe0 | reg.0 & 7]);
        self.code.extend(value.to_le_bytes());
    }

    /// `or reg, value`
    pub fn or(&mut self, reg: Reg, value: i8) {
        self.code.extend([0x48 | reg.0 >> 3, 0x83, 0xc8 | reg.0 & 7, value as u8]);
    }

    /// `add reg, value`
    pub fn add_value(&mut self, reg: Reg, value: i8) {
        self.code.extend([0x48 | reg.0 >> 3, 0x83, 0xc0 | reg.0 & 7, value as u8]);
    }

    /// `movzx reg, low byte of reg`, for one of the first four registers.
    pub fn low_byte(&mut self, reg: Reg) {
        debug_assert!(reg.0 < 4);
        self.code.extend([0x0f, 0xb6, 0xc0 | reg.0 << 3 | reg.0]);
    }

    /// `bsr reg, reg`: the number of the highest bit that is set.
    pub fn highest_bit(&mut self, reg: Reg) {
        let high = reg.0 >> 3;
        self.code.extend([0x48 | high << 2 | high, 0x0f, 0xbd, 0xc0 | (reg.0 & 7) << 3 | reg.0 & 7]);
    }

    /// `shr reg, cl`
    pub fn shift_right_by_cl(&mut self, reg: Reg) {
        self.code.extend([0x48 | reg.0 >> 3, 0xd3, 0xe8 | reg.0 & 7]);
    }

    /// `rdtsc`, and both halves into rax; rdx is lost.
    pub fn read_counter(&mut self) {
        self.code.extend([0x0f, 0x31]);
        self.shift_left(RDX, 32);
        self.code.extend([0x48, 0x09, 0xd0]); // or rax, rdx
    }

    /// `test reg, reg`
    pub fn test(&mut self, reg: Reg) {
        let high = reg.0 >> 3;
        self.code.extend([0x48 | high << 2 | high, 0x85, 0xc0 | (reg.0 & 7) << 3 | reg.0 & 7]);
    }

    /// `test low half word of reg, itself`
    pub fn test_word(&mut self, reg: Reg) {
        self.code.push(0x66);
        let high = reg.0 >> 3;
        if high > 0 {
            self.code.push(0x40 | high << 2 | high);
        }
        self.code.extend([0x85, 0xc0 | (reg.0 & 7) << 3 | reg.0 & 7]);
    }

    /// `push reg`
    pub fn push(&mut self, reg: Reg) {
        if reg.0 >= 8 {
            self.code.push(0x41);
        }
        self.code.push(0x50 | reg.0 & 7);
    }

    /// `pop reg`
    pub fn pop(&mut self, reg: Reg) {
        if reg.0 >= 8 {
            self.code.push(0x41);
        }
        self.code.push(0x58 | reg.0 & 7);
    }

    /// `push value`
    pub fn push_value(&mut self, value: i32) {
        self.code.push(0x68);
        self.code.extend(value.to_le_bytes());
    }

    /// `lea rsp, [rsp + bytes]`: moves the stack pointer without touching the flags.
    pub fn move_stack(&mut self, bytes: i32) {
        self.code.extend([0x48, 0x8d, 0xa4, 0x24]);
        self.code.extend(bytes.to_le_bytes());
    }

    /// `jmp target`
    pub fn jump_to(&mut self, target: usize) {
        self.code.push(0xe9);
        self.relative(target, 0);
    }

    /// `call target`
    pub fn call(&mut self, target: usize) {
        self.code.push(0xe8);
        self.relative(target, 0);
    }

    /// `jmp label`
    pub fn jump(&mut self, label: Label) {
        self.code.push(0xe9);
        self.refer_to(label);
    }

    /// `jcc label`
    pub fn jump_if(&mut self, condition: Condition, label: Label) {
        self.code.extend([0x0f, 0x80 | condition as u8]);
        self.refer_to(label);
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.code.extend(bytes);
    }

    fn refer_to(&mut self, label: Label) {
        self.code.extend([0; 4]);
        self.open.push((self.code.len(), label));
    }

    /// Appends the displacement to a target, when `behind` bytes of the instruction follow it.
    fn relative(&mut self, target: usize, behind: usize) {
        let end = self.here() + 4 + behind;
        match i32::try_from(target as i128 - end as i128) {
            Ok(displacement) => self.code.extend(displacement.to_le_bytes()),
            Err(_) => {
                self.out_of_reach = true;
                self.code.extend([0; 4]);
            }
        }
    }

    /// An instruction with a memory operand; `behind` bytes of immediate value will follow.
    fn memory(&mut self, prefix: &[u8], wide: bool, opcode: &[u8], reg: u8, mem: Mem, behind: usize) {
        if let Mem::Thread(_) | Mem::ThreadPlus(..) = mem {
            self.code.push(0x64);
        }
        self.code.extend(prefix);
        let (base, index) = match mem {
            Mem::At(_) | Mem::Thread(_) => (0, 0),
            Mem::Base(base, _) => (base.0 >> 3, 0),
            Mem::Indexed(base, index, _) | Mem::Quadrupled(base, index, _) => (base.0 >> 3, index.0 >> 3),
            Mem::Scaled(index, _) => (0, index.0 >> 3),
            Mem::ThreadPlus(base, _) => (base.0 >> 3, 0),
        };
        let rex = 0x40 | u8::from(wide) << 3 | (reg >> 3) << 2 | index << 1 | base;
        if rex != 0x40 {
            self.code.push(rex);
        }
        self.code.extend(opcode);
        let reg = (reg & 7) << 3;
        match mem {
            Mem::At(address) => {
                self.code.push(reg | 5);
                self.relative(address, behind);
            }
            Mem::Thread(offset) => {
                self.code.extend([reg | 4, 0x25]);
                self.code.extend(offset.to_le_bytes());
            }
            Mem::Base(base, offset) | Mem::ThreadPlus(base, offset) => {
                // Where the register's low bits are those of rsp a second byte says that there is no index.
                let scaled = (base.0 & 7 == 4).then_some(0x24);
                self.displaced(reg | base.0 & 7, scaled, base, offset);
            }
            Mem::Indexed(base, index, offset) => {
                self.code.extend([0x84 | reg, 0xc0 | (index.0 & 7) << 3 | base.0 & 7]);
                self.code.extend(offset.to_le_bytes());
            }
            Mem::Quadrupled(base, index, offset) => {
                self.displaced(reg | 4, Some(0x80 | (index.0 & 7) << 3 | base.0 & 7), base, offset);
            }
            Mem::Scaled(index, offset) => {
                self.code.extend([0x04 | reg, 0xc5 | (index.0 & 7) << 3]);
                self.code.extend(offset.to_le_bytes());
            }
        }
    }

    /// An operand's bytes, with the shortest displacement for the offset.
    fn displaced(&mut self, operand: u8, scaled: Option<u8>, base: Reg, offset: i32) {
        match i8::try_from(offset) {
            // Without a displacement, rbp and r13 stand for something else.
            Ok(0) if base.0 & 7 != 5 => self.code.extend([operand].into_iter().chain(scaled)),
            Ok(offset) => self.code.extend([0x40 | operand].into_iter().chain(scaled).chain([offset as u8])),
            Err(_) => {
                self.code.extend([0x80 | operand].into_iter().chain(scaled));
                self.code.extend(offset.to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected bytes were made with GNU as and objdump.
    fn assembled(build: impl Fn(&mut Assembler)) -> Vec<u8> {
        let mut assembler = Assembler::new(0x10_0000);
        build(&mut assembler);
        assembler.finish().unwrap()
    }

    #[test]
    fn operands() {
        assert_eq!(assembled(|a| a.inc(Mem::At(0x10_1000))), [0x48, 0xff, 0x05, 0xf9, 0x0f, 0, 0]);
        assert_eq!(assembled(|a| a.inc(Mem::Base(Reg(12), 8))), [0x49, 0xff, 0x44, 0x24, 8]);
        assert_eq!(assembled(|a| a.inc(Mem::Base(Reg(12), 0))), [0x49, 0xff, 0x04, 0x24]);
        assert_eq!(assembled(|a| a.inc(Mem::Base(Reg(13), 0))), [0x49, 0xff, 0x45, 0]);
        assert_eq!(assembled(|a| a.inc(Mem::Base(Reg(3), 0))), [0x48, 0xff, 0x03]);
        assert_eq!(assembled(|a| a.inc(Mem::Base(RAX, 0x100))), [0x48, 0xff, 0x80, 0, 1, 0, 0]);
        assert_eq!(
            assembled(|a| a.load(Reg(10), Mem::Thread(-16))),
            [0x64, 0x4c, 0x8b, 0x14, 0x25, 0xf0, 0xff, 0xff, 0xff]
        );
        assert_eq!(assembled(|a| a.inc(Mem::Indexed(RCX, RAX, 0x100))), [0x48, 0xff, 0x84, 0xc1, 0, 1, 0, 0]);
    }

    #[test]
    fn arithmetic_on_addresses() {
        let code = assembled(|a| {
            a.value(RAX, 0x1122_3344_5566_7788);
            a.add(RAX, Reg(15));
            a.shift_right(RAX, 7);
            a.copy(Reg(9), RCX);
            a.load(RAX, Mem::Scaled(RAX, 0x7000_0000));
            a.inc(Mem::Quadrupled(RAX, Reg(15), 0));
            a.inc(Mem::Quadrupled(Reg(13), Reg(10), 0));
            a.inc(Mem::Quadrupled(RAX, Reg(15), -8));
            a.inc(Mem::Quadrupled(Reg(9), Reg(10), 0x100));
            a.and(Reg(9), 0x3ffff);
            a.shift_left(Reg(10), 11);
            a.small_value(Reg(9), 7);
        });
        let expected = [
            &[0x48, 0xb8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11][..],
            &[0x4c, 0x01, 0xf8, 0x48, 0xc1, 0xe8, 7, 0x49, 0x89, 0xc9, 0x48, 0x8b, 0x04, 0xc5, 0, 0, 0, 0x70],
            &[0x4a, 0xff, 0x04, 0xb8, 0x4b, 0xff, 0x44, 0x95, 0],
            &[0x4a, 0xff, 0x44, 0xb8, 0xf8, 0x4b, 0xff, 0x84, 0x91, 0, 1, 0, 0],
            &[0x49, 0x81, 0xe1, 0xff, 0xff, 3, 0, 0x49, 0xc1, 0xe2, 11, 0x41, 0xb9, 7, 0, 0, 0],
        ];
        assert_eq!(code, expected.concat());
    }

    #[test]
    fn comparisons_count_their_immediate_value() {
        let word = |value| assembled(|a| a.compare_word(Mem::Base(Reg(15), 2), value));
        assert_eq!(word(16), [0x66, 0x41, 0x83, 0x7f, 2, 16]);
        assert_eq!(word(0x80), [0x66, 0x41, 0x81, 0x7f, 2, 0x80, 0]);
        assert_eq!(assembled(|a| a.compare_byte(Mem::Base(Reg(3), -8), 9)), [0x80, 0x7b, 0xf8, 9]);
        assert_eq!(
            assembled(|a| a.store_value(Mem::At(0x10_0000), 7)),
            [0x48, 0xc7, 0x05, 0xf5, 0xff, 0xff, 0xff, 7, 0, 0, 0]
        );
    }

    #[test]
    fn labels_and_reach() {
        let code = assembled(|a| {
            let label = a.label();
            a.jump_if(Condition::Below, label);
            a.test(Reg(9));
            a.place(label);
            a.push(Reg(9));
        });
        assert_eq!(code, [0x0f, 0x82, 3, 0, 0, 0, 0x4d, 0x85, 0xc9, 0x41, 0x51]);
        let mut far = Assembler::new(0);
        far.jump_to(1 << 40);
        assert_eq!(far.finish(), None);
    }
}
