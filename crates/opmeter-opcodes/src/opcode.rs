//! One opcode.

/// One opcode of a CPython version, as its dispatch table knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opcode<'t> {
    /// The opcode's number: its index in the dispatch table.
    pub number: u8,
    /// The name as executed, for example `LOAD_ATTR_INSTANCE_VALUE`.
    pub name: &'t str,
    /// The instruction that the compiler emitted for it, for example `LOAD_ATTR`; the name itself where
    /// the opcode is no specialised or instrumented form of another.
    pub base: &'t str,
    /// Inline cache entries that follow the instruction, in code units of two bytes.
    pub caches: u8,
}

impl Opcode<'_> {
    /// Whether this is a specialised, quickened or instrumented form of another opcode.
    pub fn is_derived(&self) -> bool {
        self.name != self.base
    }
}
