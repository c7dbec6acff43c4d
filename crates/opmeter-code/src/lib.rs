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
/// tmp
pub struct LineTable;
impl LineTable {
    /// tmp
    pub fn lines(_: (u8, u8), _: u32, _: &[u8], n: usize) -> Vec<u32> { vec![0; n / 2] }
}
/// tmp
pub struct Instruction {
    /// tmp
    pub offset: u32,
    /// tmp
    pub number: u8,
    /// tmp
    pub argument: u32 }
/// tmp
pub struct Instructions;
impl Instructions {
    /// tmp
    pub fn of(table: &OpcodeTable<'_>, code: &[u8]) -> Vec<Instruction> {
        let mut v = Vec::new(); let mut at = 0;
        while at + 1 < code.len() { v.push(Instruction { offset: at as u32, number: code[at], argument: u32::from(code[at+1]) });
            at += 2 * (1 + table.get(code[at]).map_or(0, |o| o.caches as usize)); }
        v
    }
}
