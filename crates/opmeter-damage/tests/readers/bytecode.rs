//! Bytecode and line tables, whatever they are.

use opmeter_code::{Bases, Instructions, line_entries, lines};
use opmeter_damage::{Damage, EXTREMES, cases, isolated};
use opmeter_opcodes::OpcodeTable;

use crate::recorded;

#[test]
fn any_bytes_are_some_instructions_on_some_lines() {
    isolated("bytecode::any_bytes_are_some_instructions_on_some_lines", 256, 300, |case| {
        let tables: Vec<OpcodeTable<'static>> =
            (8..=15).map(|minor| OpcodeTable::built_in(3, minor).unwrap()).collect();
        let (code, table) = (recorded::bytecode(), recorded::LINE_TABLE.repeat(20));
        for seed in 0..cases(20_000) {
            case.is(&format!("seed {seed}"));
            let mut damage = Damage::new(seed as u64);
            let opcodes = &tables[damage.below(tables.len())];
            let code = code.repeat(1 + damage.below(20));
            let mut bytecode = damage.of(&code, &[&table]);
            let line_table = damage.of(&table, &[&code]);
            let first_line = EXTREMES[damage.below(EXTREMES.len())] as u32;
            let lines = lines(opcodes.version(), first_line, &line_table, bytecode.len());
            assert_eq!(lines.len(), bytecode.len() / 2);
            assert!(Instructions::of(opcodes, &bytecode).count() <= bytecode.len() / 2);
            for entry in line_entries(opcodes, &bytecode, &lines) {
                assert!((entry.offset as usize) < bytecode.len());
            }
            Bases::new(opcodes).restore(&mut bytecode);
        }
    });
}
