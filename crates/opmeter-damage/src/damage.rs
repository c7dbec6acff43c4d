use fastrand::Rng;

/// Numbers with which lengths and counts go wrong.
pub const EXTREMES: [u64; 12] =
    [0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 40, 1 << 63, u64::MAX];

/// Makes damaged files from a whole one. The same seed makes the same.
pub struct Damage {
    rng: Rng,
}

impl Damage {
    /// Damage by a seed.
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed) }
    }

    /// A whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.rng.usize(..end.max(1))
    }

    /// One of [`EXTREMES`].
    pub fn extreme(&mut self) -> u64 {
        EXTREMES[self.below(EXTREMES.len())]
    }

    /// A file damaged in one to four places; parts of `others` may get into it.
    pub fn of(&mut self, whole: &[u8], others: &[&[u8]]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(4) {
            self.once(&mut bytes, others);
        }
        bytes
    }

    /// A file of the same length: only what stands somewhere has changed.
    pub fn in_place(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(4) {
            match self.below(4) {
                0 => self.flip(&mut bytes),
                1 => self.random(&mut bytes),
                _ => self.extreme_word(&mut bytes),
            }
        }
        bytes
    }

    /// A text with a number of it replaced by one that it can't be, or damaged as any file.
    pub fn of_text(&mut self, whole: &[u8], others: &[&[u8]]) -> Vec<u8> {
        const NUMBERS: [&str; 12] = [
            "-1",
            "0",
            "1e999",
            "-0.0",
            "18446744073709551615",
            "18446744073709551616",
            "9223372036854775808",
            "nan",
            "null",
            "\"\"",
            "[]",
            "1e-999",
        ];
        let digits: Vec<usize> = (0..whole.len())
            .filter(|at| whole[*at].is_ascii_digit() && (*at == 0 || !whole[at - 1].is_ascii_digit()))
            .collect();
        if digits.is_empty() || self.below(3) == 0 {
            return self.of(whole, others);
        }
        let at = digits[self.below(digits.len())];
        let end = whole[at..].iter().position(|byte| !byte.is_ascii_digit()).map_or(whole.len(), |n| at + n);
        let number = NUMBERS[self.below(NUMBERS.len())];
        [&whole[..at], number.as_bytes(), &whole[end..]].concat()
    }

    fn once(&mut self, bytes: &mut Vec<u8>, others: &[&[u8]]) {
        match self.below(9) {
            0 => bytes.truncate(self.below(bytes.len() + 1)),
            1 | 2 => self.flip(bytes),
            3 | 4 => self.extreme_word(bytes),
            5 => self.random(bytes),
            6 => {
                // A part goes.
                let part = self.part(bytes.len());
                bytes.drain(part);
            }
            7 => {
                // A part comes twice, elsewhere.
                let part = bytes[self.part(bytes.len())].to_vec();
                let at = self.below(bytes.len() + 1);
                bytes.splice(at..at, part);
            }
            _ => {
                let Some(other) = others.get(self.below(others.len())) else { return self.flip(bytes) };
                let part = &other[self.part(other.len())];
                let at = self.below(bytes.len() + 1);
                let end = (at + part.len() * self.below(2)).min(bytes.len());
                bytes.splice(at..end, part.iter().copied());
            }
        }
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        let (at, bit) = (self.below(bytes.len()), self.below(8));
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << bit;
        }
    }

    fn extreme_word(&mut self, bytes: &mut [u8]) {
        let (word, length) = (self.extreme(), [1, 2, 4, 8, 8][self.below(5)]);
        // Fields stand at multiples of their length, mostly.
        let at = match self.below(4) {
            0 => self.below(bytes.len()),
            _ => self.below(bytes.len() / length) * length,
        };
        let end = (at + length).min(bytes.len());
        if let Some(field) = bytes.get_mut(at..end) {
            field.copy_from_slice(&word.to_le_bytes()[..field.len()]);
        }
    }

    fn random(&mut self, bytes: &mut [u8]) {
        let part = self.part(bytes.len());
        self.rng.fill(&mut bytes[part]);
    }

    /// A part of so many bytes: a short one, mostly.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 64 };
        start..(start + self.below(most + 1)).min(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_damage_and_others_other() {
        let whole: Vec<u8> = (0..=255).collect();
        let of = |seed| Damage::new(seed).of(&whole, &[&[7; 40]]);
        assert_eq!(of(3), of(3));
        let changed = (0..100).filter(|seed| of(*seed) != whole).count();
        assert!(changed > 95, "{changed}");
        for seed in 0..1000 {
            Damage::new(seed).of(&[], &[]);
            assert_eq!(Damage::new(seed).in_place(&whole).len(), whole.len());
            Damage::new(seed).of_text(b"{\"a\": 12}", &[]);
        }
    }
}
