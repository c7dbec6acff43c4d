//! tmp
use opmeter_opcodes::OpcodeTable;
/// tmp
pub fn canonical(table: &OpcodeTable<'_>, code: &mut [u8]) -> bool {
    let mut at = 0; let mut hidden = false;
    while at + 1 < code.len() {
        let Some(op) = table.get(code[at]) else { at += 2; continue };
        if matches!(op.name, "INSTRUMENTED_LINE"|"INSTRUMENTED_INSTRUCTION"|"ENTER_EXECUTOR"|"DO_TRACING") { hidden = true; at += 2; continue }
        let n = table.named(op.base).map_or(code[at], |b| b.number);
        code[at] = n; at += 2;
        for _ in 0..op.caches { if at + 1 < code.len() { code[at]=0; code[at+1]=0; at += 2; } }
    }
    hidden
}
