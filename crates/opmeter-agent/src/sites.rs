//! Instructions that have specialised themselves, and how often their guards failed.
//!
//! In 3.11 a failed guard is a dispatch of its own. From 3.12 on it jumps straight into the generic form's
//! code, which counts the instruction's adaptive counter down: what the counter has lost since it was last
//! looked at is the number of failures.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;

use crate::reserve;

/// The instructions in their specialised forms, by address.
#[derive(Default)]
pub struct Sites {
    sites: HashMap<usize, Site, BuildHasherDefault<AddressHasher>>,
}

/// Spreads addresses; nobody chooses them so as to make them collide.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, address: usize) {
        // 2^64 divided by the golden ratio: Knuth's multiplicative hash.
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

#[derive(Default, Clone, Copy)]
struct Site {
    /// The adaptive counter when all failures so far were accounted for.
    counter: u16,
    /// Whether the instruction is a combined one: its failures are accounted for by what follows it.
    folds: bool,
    /// Address of the count of failures in the present phase, 0 where there is none yet.
    misses: usize,
}

/// Failures of the guard of the instruction at an address.
pub type Missed = (usize, u64);

impl Sites {
    /// The instruction at an address has specialised itself (anew). Gives the failures before that: the
    /// counter has run down to zero.
    pub fn specialised(&mut self, address: usize, counter: u16, folds: bool, shift: u32) -> u64 {
        if reserve::is_short() && !self.sites.contains_key(&address) {
            return 0;
        }
        let site = self.sites.entry(address).or_default();
        let failures = site.counter >> shift;
        (site.counter, site.folds) = (counter, folds);
        u64::from(failures)
    }

    /// The instruction at an address has gone back to its generic form. Gives the failures before that.
    pub fn generalised(&mut self, address: usize, shift: u32) -> u64 {
        self.sites.get_mut(&address).map_or(0, |site| u64::from(std::mem::take(&mut site.counter) >> shift))
    }

    /// What the counter of a combined instruction has lost: failures since the last time.
    pub fn failures(&mut self, address: usize, counter: u16, shift: u32) -> u64 {
        let Some(site) = self.sites.get_mut(&address) else { return 0 };
        let failures = site.counter.wrapping_sub(counter) >> shift;
        site.counter = counter;
        u64::from(failures)
    }

    /// The place where the failures of an instruction are counted, made by `make` at the first one.
    pub fn count(&mut self, address: usize, make: impl FnOnce() -> Option<usize>) -> Option<usize> {
        if reserve::is_short() && !self.sites.contains_key(&address) {
            return None;
        }
        let site = self.sites.entry(address).or_default();
        if site.misses == 0 {
            site.misses = make()?;
        }
        Some(site.misses)
    }

    /// Failures that were not yet accounted for, of the instructions at some addresses; `counter` reads an
    /// adaptive counter, as far as it can still be read.
    pub fn settle(
        &mut self,
        addresses: &[usize],
        shift: u32,
        counter: impl Fn(usize) -> Option<u16>,
    ) -> Vec<Missed> {
        let mut missed = Vec::new();
        for address in addresses {
            let Some(site) = self.sites.get_mut(address) else { continue };
            if site.folds || site.counter >> shift == 0 {
                continue;
            }
            let Some(now) = counter(*address) else { continue };
            let failures = site.counter.saturating_sub(now) >> shift;
            site.counter = now;
            if failures > 0 {
                missed.push((*address, u64::from(failures)));
            }
        }
        missed
    }

    /// Addresses of all instructions.
    pub fn all(&self) -> Vec<usize> {
        self.sites.keys().copied().collect()
    }

    /// Begins a phase: failures are counted anew.
    pub fn enter_phase(&mut self) {
        self.sites.values_mut().for_each(|site| site.misses = 0);
    }

    /// Addresses of the instructions in a range.
    pub fn within(&self, range: &Range<usize>) -> Vec<usize> {
        if range.len() / 2 < self.sites.len() {
            let units = range.clone().step_by(2);
            return units.filter(|address| self.sites.contains_key(address)).collect();
        }
        self.sites.keys().filter(|address| range.contains(address)).copied().collect()
    }

    /// Forgets the instructions in a range, whose code is gone.
    pub fn remove(&mut self, range: &Range<usize>) {
        for address in self.within(range) {
            self.sites.remove(&address);
        }
    }
}
