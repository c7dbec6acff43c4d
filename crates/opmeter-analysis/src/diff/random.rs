/// Numbers that look random, and are the same in each run (xorshift).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}
