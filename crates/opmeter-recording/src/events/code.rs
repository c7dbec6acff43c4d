//! How events are written: most take a byte.
//!
//! An event is its site and the cycles from its time to that of the thread's next event (its *gap*). Most events
//! follow the same one as at the last time: for each site the two sites that followed it before, in this block,
//! are known. The first byte says which one it is, or what else there is:
//!
//! | first byte | |
//! |---|---|
//! | 0-143 | the first that followed; the gap is the byte |
//! | 144-223 | the second; the gap is the byte less 128 |
//! | 224-231 | the first; the gap is 256 times (the byte less 224), plus the next byte |
//! | 232-239 | the second; likewise, less 232 |
//! | 240 | the first; the gap follows as a number |
//! | 241 | the second; likewise |
//! | 242 | the site follows as a number, then the gap; it becomes the first that followed if there is none, or else the second |
//! | 243 | the event before has called C code which has called Python code; it waits |
//! | 244 | the event before has returned to C code: its gap is the time of the innermost event that waits |
//! | 245 | as 244, and that one waits no longer |
//! | 246 | as 244, and so many wait no longer as the number that follows |
//! | 247 | so many wait no longer as the number that follows |
//!
//! Numbers are in LEB128. What comes before the first event of a block is site 0.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

/// Gaps from here on are not written in one byte, by which one followed.
const SHORT: [u64; 2] = [144, 96];
const SECOND: u64 = 128;
const SECOND_LEAST: u64 = 16;
const MEDIUM: u64 = 2048;

/// What becomes of who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// The event's gap is the time of the innermost that waits.
    pub left: bool,
    /// The event waits.
    pub entered: bool,
    /// So many wait no longer.
    pub unwound: u64,
}

/// The sites that have followed a site, in a block.
#[derive(Clone, Copy, Default)]
struct Followed<S> {
    block: u32,
    sites: [Option<S>; 2],
}

/// A site as the encoder knows it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Known {
    word: u64,
    site: u32,
}

/// The sites of a process, numbered in the order of their first events.
#[derive(Default)]
pub struct SiteNumbers {
    numbers: FxHashMap<u64, u32>,
    /// Those that are not on disk yet.
    pub new: Vec<u64>,
}

impl SiteNumbers {
    fn number(&mut self, word: u64) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.entry(word) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                self.new.push(word);
                *place.insert(next)
            }
        }
    }
}

/// Writes the events of a thread.
#[derive(Default)]
pub struct Encoder {
    followed: Vec<Followed<Known>>,
    block: u32,
    last: u32,
    /// The present block.
    pub bytes: Vec<u8>,
    /// How many events it has.
    pub events: u32,
}

impl Encoder {
    /// Begins a block.
    pub fn begin(&mut self) {
        self.block += 1;
        self.last = 0;
        self.events = 0;
        self.bytes.clear();
    }

    /// Adds an event with its gap.
    #[inline]
    pub fn event(&mut self, word: u64, gap: u64, sites: &mut SiteNumbers) {
        self.events += 1;
        if let Some(followed) = self.followed.get(self.last as usize).filter(|one| one.block == self.block) {
            let which = match followed.sites {
                [Some(first), _] if first.word == word => Some((0, first.site)),
                [_, Some(second)] if second.word == word => Some((1, second.site)),
                _ => None,
            };
            if let Some((which, site)) = which {
                self.last = site;
                return self.gap(which, gap);
            }
        }
        let site = sites.number(word);
        self.bytes.push(242);
        number(&mut self.bytes, u64::from(site));
        number(&mut self.bytes, gap);
        remember(&mut self.followed, self.block, self.last, Known { word, site });
        self.last = site;
    }

    #[inline]
    fn gap(&mut self, which: u8, gap: u64) {
        match gap {
            _ if which == 0 && gap < SHORT[0] => self.bytes.push(gap as u8),
            _ if which == 1 && (SECOND_LEAST..SHORT[1]).contains(&gap) => {
                self.bytes.push((gap + SECOND) as u8)
            }
            _ if gap < MEDIUM => self.bytes.extend([224 + which * 8 + (gap >> 8) as u8, gap as u8]),
            _ => {
                self.bytes.push(240 + which);
                number(&mut self.bytes, gap);
            }
        }
    }

    /// Adds what becomes of who waits, after the last event.
    pub fn waiting(&mut self, waiting: Waiting) {
        if waiting.entered {
            self.bytes.push(243);
        }
        match (waiting.left, waiting.unwound) {
            (false, 0) => {}
            (true, 0) => self.bytes.push(244),
            (true, 1) => self.bytes.push(245),
            (left, unwound) => {
                self.bytes.push(if left { 246 } else { 247 });
                number(&mut self.bytes, unwound);
            }
        }
    }
}

fn remember<S: Copy + Default>(followed: &mut Vec<Followed<S>>, block: u32, last: u32, site: S) {
    let last = last as usize;
    if followed.len() <= last {
        followed.resize((last + 1).next_power_of_two(), Followed::default());
    }
    let followed = &mut followed[last];
    if followed.block != block {
        *followed = Followed { block, sites: [None; 2] };
    }
    followed.sites[usize::from(followed.sites[0].is_some())] = Some(site);
}

fn number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// What a block says, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// An event: its site, its gap.
    Event(u32, u64),
    /// What becomes of who waits, after the last event.
    Waiting(Waiting),
}

/// Reads blocks of events.
#[derive(Default)]
pub struct Decoder {
    followed: Vec<Followed<u32>>,
    block: u32,
}

impl Decoder {
    /// Reads a block of events of so many sites, and hands over what it says. `None` where it is damaged; what came
    /// before was handed over.
    #[inline]
    pub fn block(&mut self, bytes: &[u8], sites: usize, mut take: impl FnMut(Item)) -> Option<()> {
        self.block += 1;
        let mut last = 0;
        let mut rest = bytes;
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            let code = u64::from(*first);
            let (which, gap) = match code {
                0..144 => (0, code),
                144..224 => (1, code - SECOND),
                224..240 => {
                    let (low, others) = rest.split_first()?;
                    rest = others;
                    (usize::from(code >= 232), (code & 7) << 8 | u64::from(*low))
                }
                240 | 241 => ((code - 240) as usize, read_number(&mut rest)?),
                242 => {
                    // What is remembered takes room for all sites up to the highest.
                    let site = u32::try_from(read_number(&mut rest)?).ok();
                    let site = site.filter(|site| (*site as usize) < sites)?;
                    let gap = read_number(&mut rest)?;
                    remember(&mut self.followed, self.block, last, site);
                    last = site;
                    take(Item::Event(site, gap));
                    continue;
                }
                243..248 => {
                    let unwound = match code {
                        245 => 1,
                        246 | 247 => read_number(&mut rest)?,
                        _ => 0,
                    };
                    let left = (244..247).contains(&code);
                    take(Item::Waiting(Waiting { left, entered: code == 243, unwound }));
                    continue;
                }
                _ => return None,
            };
            let followed = self.followed.get(last as usize).filter(|one| one.block == self.block)?;
            last = followed.sites[which]?;
            take(Item::Event(last, gap));
        }
        Some(())
    }
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, others) = rest.split_first()?;
        *rest = others;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(encoder: &mut Encoder, sites: &mut SiteNumbers, word: u64, gap: u64) -> usize {
        let before = encoder.bytes.len();
        encoder.event(word, gap, sites);
        encoder.bytes.len() - before
    }

    #[test]
    fn what_followed_before_takes_a_byte() {
        let (mut encoder, mut sites) = (Encoder::default(), SiteNumbers::default());
        encoder.begin();
        let mut loop_of = |gap| [7, 8, 9].map(|word| event(&mut encoder, &mut sites, word << 50, gap));
        assert_eq!(loop_of(50), [3, 3, 3]);
        // The loop's first follows its last for the first time.
        assert_eq!(loop_of(50), [3, 1, 1]);
        // What follows the very first is the second that followed site 0: longer gaps take a byte more.
        assert_eq!(loop_of(95), [1, 1, 1]);
        assert_eq!(loop_of(143), [1, 2, 1]);
        assert_eq!(loop_of(2047), [2, 2, 2]);
        assert_eq!(loop_of(1 << 20), [4, 4, 4]);
        assert_eq!(sites.new, [7 << 50, 8 << 50, 9 << 50]);
        // The next block knows nothing of this one.
        encoder.begin();
        assert_eq!([7, 8].map(|word| event(&mut encoder, &mut sites, word << 50, 50)), [3, 3]);
        assert_eq!(sites.new.len(), 3);
    }

    #[test]
    fn what_is_written_is_read() {
        let (mut encoder, mut sites) = (Encoder::default(), SiteNumbers::default());
        let mut decoder = Decoder::default();
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for _ in 0..4 {
            encoder.begin();
            let mut items = Vec::new();
            let mut words = Vec::new();
            for _ in 0..5000 {
                let bits = [5, 7, 8, 12, 31][random(5) as usize];
                let gap = random(1 << bits) << random(3);
                let kinds = 3 + random(40);
                let word = random(kinds) + 100;
                encoder.event(word, gap, &mut sites);
                words.push((word, gap));
                items.push(None);
                let waiting =
                    Waiting { left: random(9) == 0, entered: random(9) == 0, unwound: random(9) / 6 };
                if waiting != Waiting::default() {
                    encoder.waiting(waiting);
                    items.push(Some(waiting));
                }
            }
            // Entering and the rest are two items where they come together.
            let (mut events, mut found) = (Vec::new(), Vec::new());
            let block = decoder.block(&encoder.bytes, sites.new.len(), |item| match item {
                Item::Event(site, gap) => {
                    events.push((sites.new[site as usize], gap));
                    found.push(None);
                }
                Item::Waiting(waiting) => match found.last_mut() {
                    Some(Some(before)) => *before = Waiting { entered: true, ..waiting },
                    _ => found.push(Some(waiting)),
                },
            });
            assert_eq!(block, Some(()));
            assert_eq!(events, words);
            assert_eq!(found, items);
            assert_eq!(encoder.events, 5000);
        }
    }

    #[test]
    fn damage_is_found_or_does_no_harm() {
        let (mut encoder, mut sites) = (Encoder::default(), SiteNumbers::default());
        encoder.begin();
        (0..300).for_each(|n| encoder.event(n % 7, n * n * n, &mut sites));
        for at in 0..encoder.bytes.len() {
            for value in [0, 127, 200, 242, 246, 255] {
                let mut damaged = encoder.bytes.clone();
                damaged[at] = value;
                let _ = Decoder::default().block(&damaged, sites.new.len(), |_| {});
                let _ = Decoder::default().block(&damaged[..at], sites.new.len(), |_| {});
            }
        }
    }
}
