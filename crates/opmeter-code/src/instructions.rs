use opmeter_opcodes::OpcodeTable;

/// One instruction of a code object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Where it begins in the bytecode, in bytes.
    pub offset: u32,
    /// Its opcode's number.
    pub number: u8,
    /// Its argument, with what EXTENDED_ARG before it adds; 0 where it has none.
    pub argument: u32,
}

/// The instructions of bytecode in base terms, in order. EXTENDED_ARG is one of them; inline cache entries
/// are passed over.
#[derive(Debug, Clone)]
pub struct Instructions<'a> {
    table: &'a OpcodeTable<'a>,
    bytecode: &'a [u8],
    offset: usize,
    extended: u32,
}

/// Up to 3.12 opcodes below this one have no argument (`HAVE_ARGUMENT`). Later ones have zero for it.
const HAVE_ARGUMENT: u8 = 90;

impl<'a> Instructions<'a> {
    /// The instructions of some bytecode, an even number of bytes.
    pub fn of(table: &'a OpcodeTable<'a>, bytecode: &'a [u8]) -> Self {
        Self { table, bytecode, offset: 0, extended: 0 }
    }
}

impl Iterator for Instructions<'_> {
    type Item = Instruction;

    fn next(&mut self) -> Option<Instruction> {
        let unit = self.bytecode.get(self.offset..self.offset + 2)?;
        let (number, argument) = (unit[0], u32::from(unit[1]));
        let opcode = self.table.get(number);
        let plain = self.table.version().1 <= 12 && number < HAVE_ARGUMENT;
        let argument = if plain { 0 } else { self.extended | argument };
        let prefix = opcode.is_some_and(|opcode| opcode.base == "EXTENDED_ARG");
        self.extended = if prefix { argument << 8 } else { 0 };
        let offset = self.offset as u32;
        self.offset += 2 * (1 + opcode.map_or(0, |opcode| usize::from(opcode.caches)));
        Some(Instruction { offset, number, argument })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_extended_and_caches_passed_over() {
        let table = OpcodeTable::built_in(3, 11).unwrap();
        let number = |name: &str| table.named(name).unwrap().number;
        let (extended, compare, pop) = (number("EXTENDED_ARG"), number("COMPARE_OP"), number("POP_TOP"));
        let bytecode = [extended, 1, extended, 2, compare, 3, 0, 0, 0, 0, pop, 7];
        let found: Vec<_> =
            Instructions::of(&table, &bytecode).map(|i| (i.offset, i.number, i.argument)).collect();
        assert_eq!(found, [(0, extended, 1), (2, extended, 0x102), (4, compare, 0x10203), (10, pop, 0)]);
    }

    #[test]
    fn any_bytes_have_instructions() {
        for minor in 8..=15 {
            let table = OpcodeTable::built_in(3, minor).unwrap();
            let bytes: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            for end in [0, 1, 2, 3, 4095, 4096] {
                assert!(Instructions::of(&table, &bytes[..end]).count() <= end / 2);
            }
        }
    }
}
