//! One set of counters.

/// Offsets of the counters within a set, in bytes. Each array has one 64-bit word for each opcode number.
pub mod offset {
    /// Dispatches that count as executions of the opcode, but for base opcodes that are counted in the cell of
    /// their instruction: those are counted there alone.
    pub const EXECUTIONS: usize = 0;
    /// How many arrays there are for opcodes that fold whatever follows them.
    pub const NEXT_ARRAYS: usize = 4;
    /// For the k-th such opcode: executions of the opcode that followed it, by that one's number.
    pub const NEXT: usize = EXECUTIONS + 256 * 8;
    /// Executions of a combined opcode in which it did not fold anything after all.
    pub const UNFOLDED: usize = NEXT + NEXT_ARRAYS * 256 * 8;
    /// Executions that were not counted in the cell of their instruction, and not in [`EXECUTIONS`].
    pub const UNPLACED: usize = UNFOLDED + 256 * 8;
    /// Dispatches that repeated one at the same address, and are not counted above.
    pub const REDISPATCHES: usize = UNPLACED + 256 * 8;
}

/// Size of a set, in bytes.
pub const COUNTS_SIZE: usize = offset::REDISPATCHES + 8;

/// A set of counters, read out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Executions by opcode number.
    pub executions: Vec<u64>,
    /// For each opcode that folds whatever follows: executions by the following opcode's number.
    pub next: Vec<Vec<u64>>,
    /// Executions without folding, by the combined opcode's number.
    pub unfolded: Vec<u64>,
    /// Executions that were not counted in cells, by opcode number.
    pub unplaced: Vec<u64>,
    /// Dispatches that repeated one.
    pub redispatches: u64,
}

impl Counts {
    /// Reads a set that begins at `offset`; `None` where the bytes end before it does.
    pub fn read(bytes: &[u8], offset: usize) -> Option<Self> {
        let bytes = bytes.get(offset..offset + COUNTS_SIZE)?;
        let mut words = bytes.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_le_bytes));
        let mut array = || words.by_ref().take(256).collect::<Vec<u64>>();
        let executions = array();
        let next = (0..offset::NEXT_ARRAYS).map(|_| array()).collect();
        let unfolded = array();
        let unplaced = array();
        Some(Self { executions, next, unfolded, unplaced, redispatches: words.next()? })
    }

    /// A set of zeros.
    pub fn zero() -> Self {
        Self {
            executions: vec![0; 256],
            next: vec![vec![0; 256]; offset::NEXT_ARRAYS],
            unfolded: vec![0; 256],
            unplaced: vec![0; 256],
            redispatches: 0,
        }
    }

    /// Adds another set to this one.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, u64::wrapping_add);
    }

    /// Takes another set from this one.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, u64::wrapping_sub);
    }

    fn combine(&mut self, other: &Self, op: fn(u64, u64) -> u64) {
        let each = |mine: &mut Vec<u64>, theirs: &Vec<u64>| {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a = op(*a, *b));
        };
        each(&mut self.executions, &other.executions);
        self.next.iter_mut().zip(&other.next).for_each(|(a, b)| each(a, b));
        each(&mut self.unfolded, &other.unfolded);
        each(&mut self.unplaced, &other.unplaced);
        self.redispatches = op(self.redispatches, other.redispatches);
    }
}
