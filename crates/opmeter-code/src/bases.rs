use opmeter_opcodes::OpcodeTable;

/// Turns bytecode as it stands in memory into what the compiler wrote.
#[derive(Debug, Clone)]
pub struct Bases {
    forms: [Form; 256],
}

#[derive(Debug, Clone, Copy)]
struct Form {
    /// The number of the opcode that the compiler wrote.
    base: u8,
    /// Inline cache entries behind it.
    caches: u8,
    /// Whether it stands in the place of another instruction, and does not say of which.
    hides: bool,
}

impl Bases {
    /// For the opcodes of a version.
    pub fn new(table: &OpcodeTable<'_>) -> Self {
        let form = |number: u8| {
            let Some(opcode) = table.get(number) else {
                return Form { base: number, caches: 0, hides: false };
            };
            let hides = matches!(
                opcode.name,
                "INSTRUMENTED_LINE"
                    | "INSTRUMENTED_INSTRUCTION"
                    | "ENTER_EXECUTOR"
                    | "DO_TRACING"
                    | "TRACE_RECORD"
            );
            let base = table.named(opcode.base).filter(|_| !hides).map_or(number, |base| base.number);
            Form { base, caches: opcode.caches, hides }
        };
        Self { forms: std::array::from_fn(|number| form(number as u8)) }
    }

    /// The number of the opcode that the compiler wrote where this one stands.
    pub fn base(&self, number: u8) -> u8 {
        self.forms[usize::from(number)].base
    }

    /// Replaces every opcode by its base and every inline cache entry by zeros, as `co_code` has it
    /// (`deopt_code` in `Objects/codeobject.c`). Arguments are the same in all forms.
    ///
    /// Returns whether any instruction is hidden by another in its place: that one is left as it is, and
    /// what follows it may be the hidden one's cache.
    pub fn restore(&self, bytecode: &mut [u8]) -> bool {
        let mut hidden = false;
        let mut units = bytecode.chunks_exact_mut(2);
        while let Some(unit) = units.next() {
            let form = self.forms[usize::from(unit[0])];
            unit[0] = form.base;
            hidden |= form.hides;
            units.by_ref().take(usize::from(form.caches)).for_each(|cache| cache.fill(0));
        }
        hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_become_what_the_compiler_wrote() {
        let table = OpcodeTable::built_in(3, 11).unwrap();
        let number = |name: &str| table.named(name).unwrap().number;
        let mut bytecode = vec![
            number("LOAD_FAST__LOAD_CONST"),
            1,
            number("LOAD_CONST"),
            2,
            number("COMPARE_OP_INT_JUMP"),
            3,
        ];
        bytecode.extend([9, 9, 9, 9, number("RESUME_QUICK"), 7]);
        assert!(!Bases::new(&table).restore(&mut bytecode));
        let mut expected = vec![number("LOAD_FAST"), 1, number("LOAD_CONST"), 2, number("COMPARE_OP"), 3];
        expected.extend([0, 0, 0, 0, number("RESUME"), 7]);
        assert_eq!(bytecode, expected);
    }

    #[test]
    fn what_hides_an_instruction_is_told() {
        let table = OpcodeTable::built_in(3, 12).unwrap();
        let line = table.named("INSTRUMENTED_LINE").unwrap().number;
        let mut bytecode = vec![line, 1];
        assert!(Bases::new(&table).restore(&mut bytecode));
        assert_eq!(bytecode, [line, 1]);
    }
}
