use opmeter_opcodes::{Execution, Folding, OpcodeTable};

/// What a stub needs to know of an opcode.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The opcode's number.
    pub number: u8,
    /// How its dispatches count.
    pub execution: Execution,
    /// Inline cache entries behind it.
    pub caches: u8,
    /// Which of the arrays for [`Folding::Next`] is its own.
    pub next_array: usize,
    /// Whether it is a form of another opcode, its base.
    pub derived: bool,
    /// How far behind it the instructions stand that it executes besides, in bytes; 0 for none.
    pub folded: [u8; 2],
}

impl Rule {
    /// Those of a version's opcodes, by number; none of numbers that it does not define.
    pub fn all(opcodes: &OpcodeTable<'_>) -> Vec<Option<Self>> {
        let mut next_arrays = 0;
        let rule = |number| {
            let opcode = opcodes.get(number)?;
            let execution = Execution::of(opcode, opcodes);
            let next_array = next_arrays;
            next_arrays += usize::from(execution.folding == Folding::Next);
            let folded = folded(opcode.caches, execution.folding, opcodes);
            let derived = opcode.is_derived();
            Some(Self { number, execution, caches: opcode.caches, next_array, derived, folded })
        };
        (0..=255u8).map(rule).collect()
    }
}

/// How far behind an opcode the instructions stand that it executes besides, in bytes.
fn folded(caches: u8, folding: Folding, opcodes: &OpcodeTable<'_>) -> [u8; 2] {
    let mut folded = [0; 2];
    let mut distance = 2 * (1 + caches);
    let names = match folding {
        Folding::None => return folded,
        Folding::Next => &[""][..],
        Folding::Always(names) => names,
    };
    for (place, name) in folded.iter_mut().zip(names) {
        *place = distance;
        distance += 2 * (1 + opcodes.named(name).map_or(0, |opcode| opcode.caches));
    }
    folded
}
