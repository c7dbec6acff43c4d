//! From an instruction's address to its cell.
//!
//! Memory is divided into granules, so small that no two code objects have bytecode in the same one (a
//! header lies between them). A table has a word for each granule: the *bias* of the code object there,
//! or 0. The cell of the code unit at address `a` lies at `bias + 4 * a`, eight bytes for each unit of two; at
//! `bias + 16 * a` where cells have times.
//!
//! The table is flat, an enormous range of addresses of which only what is touched takes memory; or, where
//! the address space is limited, and where each thread has a table of its own, it has two levels. A program that
//! limits its address space while it runs has the flat table left for one of two levels: see
//! [`crate::address_space`].

use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use crate::guarded::Guarded;

/// Bits of an address of user space.
const ADDRESS_BITS: u32 = 47;

/// Bits of an address within the range of one leaf of a two-level table.
pub const LEAF_BITS: u32 = 25;

/// Where the flat table is asked for, in this order: within reach of a 32-bit displacement, so that stubs can
/// name it in one instruction; and far from what the system maps by itself.
const FLAT_HINTS: [usize; 2] = [0x7000_0000, 0x1000_0000_0000];

/// Tables of biases.
pub struct CellIndex {
    /// Bits of an address within a granule.
    pub granule_bits: u32,
    /// Address of the flat table, 0 where there is none.
    flat: AtomicUsize,
    /// Addresses of the two-level tables' first levels.
    roots: Guarded<Vec<usize>>,
}

impl CellIndex {
    /// A table with granules of that many bits: a flat one if `flat` and the system allows it.
    pub fn new(granule_bits: u32, flat: bool) -> Self {
        let words = 1usize << (ADDRESS_BITS - granule_bits);
        let mut hints = FLAT_HINTS.iter().filter(|_| flat);
        let flat = hints.find_map(|hint| reserve(*hint, words * 8).ok()).unwrap_or(0);
        Self { granule_bits, flat: AtomicUsize::new(flat), roots: Guarded::new(Vec::new()) }
    }

    /// Address of the flat table, if there is one.
    pub fn flat(&self) -> Option<usize> {
        Some(self.flat.load(Relaxed)).filter(|flat| *flat != 0)
    }

    /// Has the flat table be none any more, and gives its range.
    pub fn take_flat(&self) -> Option<Range<usize>> {
        let start = Some(self.flat.swap(0, Relaxed)).filter(|flat| *flat != 0)?;
        Some(start..start + self.flat_length())
    }

    /// Has a table that was taken be the flat table again.
    pub fn put_flat(&self, flat: &Range<usize>) {
        self.flat.store(flat.start, Relaxed);
    }

    fn flat_length(&self) -> usize {
        8 << (ADDRESS_BITS - self.granule_bits)
    }

    /// Adds an empty two-level table, and gives the address of its first level.
    ///
    /// # Errors
    /// When there is no address space for it.
    pub fn add_root(&self) -> io::Result<usize> {
        let root = reserve(0, 8 << (ADDRESS_BITS - LEAF_BITS))?;
        self.roots.with(|roots| roots.push(root));
        Ok(root)
    }

    /// The bias at an address, 0 where there is none. `root` is that of a two-level table, or 0 for the
    /// flat one.
    pub fn bias(&self, root: usize, address: usize) -> u64 {
        self.entry(root, address).map_or(0, |entry| entry.load(Relaxed))
    }

    /// Sets the bias for a range of addresses. False where there is no memory for it.
    pub fn set(&self, root: usize, range: Range<usize>, bias: u64) -> bool {
        for granule in self.granules(&range) {
            let Some(entry) = self.entry_or_leaf(root, granule << self.granule_bits) else { return false };
            entry.store(bias, Relaxed);
        }
        true
    }

    /// Takes the biases of a range of addresses out of all tables.
    pub fn clear(&self, range: &Range<usize>) {
        let clear = |root| {
            for granule in self.granules(range) {
                if let Some(entry) = self.entry(root, granule << self.granule_bits) {
                    entry.store(0, Relaxed);
                }
            }
        };
        if self.flat().is_some() {
            clear(0);
        }
        self.roots.with(|roots| roots.iter().for_each(|root| clear(*root)));
    }

    /// Takes all biases out of all tables.
    pub fn clear_all(&self) {
        if let Some(flat) = self.flat() {
            discard(flat, self.flat_length());
        }
        self.roots.with(|roots| {
            for root in roots.iter() {
                for leaf in leaves(*root) {
                    discard(leaf.load(Relaxed) as usize, self.leaf_length());
                }
            }
        });
    }

    /// In a forked child: frees the lock, which a thread of the parent may have held.
    pub fn break_lock(&self) {
        self.roots.break_lock();
    }

    fn granules(&self, range: &Range<usize>) -> Range<usize> {
        range.start >> self.granule_bits..((range.end - 1) >> self.granule_bits) + 1
    }

    fn leaf_length(&self) -> usize {
        8 << (LEAF_BITS - self.granule_bits)
    }

    fn entry(&self, root: usize, address: usize) -> Option<&AtomicU64> {
        if address >> ADDRESS_BITS != 0 {
            return None;
        }
        let (table, index) = if root == 0 {
            (self.flat()?, address >> self.granule_bits)
        } else {
            let leaf = word(root, address >> LEAF_BITS).load(Relaxed) as usize;
            if leaf == 0 {
                return None;
            }
            (leaf, (address & ((1 << LEAF_BITS) - 1)) >> self.granule_bits)
        };
        Some(word(table, index))
    }

    fn entry_or_leaf(&self, root: usize, address: usize) -> Option<&AtomicU64> {
        if root != 0 && address >> ADDRESS_BITS == 0 {
            let leaf = word(root, address >> LEAF_BITS);
            if leaf.load(Relaxed) == 0 {
                leaf.store(reserve(0, self.leaf_length()).ok()? as u64, Relaxed);
            }
        }
        self.entry(root, address)
    }
}

fn word<'a>(table: usize, index: usize) -> &'a AtomicU64 {
    // SAFETY: tables stay mapped while anyone may look something up in them, and an index is that of an address of user space.
    unsafe { &*((table + index * 8) as *const AtomicU64) }
}

/// The leaves of a two-level table, found without touching the parts of the first level that are empty.
fn leaves<'a>(root: usize) -> impl Iterator<Item = &'a AtomicU64> {
    let pages = (8usize << (ADDRESS_BITS - LEAF_BITS)) / 4096;
    let mut present = vec![0u8; pages];
    // SAFETY: the root's range, and a byte for each of its pages.
    let asked =
        unsafe { libc::mincore(root as *mut libc::c_void, pages * 4096, present.as_mut_ptr().cast()) };
    let all = asked != 0;
    (0..pages)
        .filter(move |page| all || present[*page] & 1 != 0)
        .flat_map(move |page| (0..512).map(move |index| word(root, page * 512 + index)))
        .filter(|leaf| leaf.load(Relaxed) != 0)
}

/// Reserves readable and writable address space that takes memory only where it is written to: at an
/// address, or anywhere for 0.
fn reserve(hint: usize, length: usize) -> io::Result<usize> {
    let mut flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    if hint != 0 {
        flags |= libc::MAP_FIXED_NOREPLACE;
    }
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a fresh mapping.
    let address = unsafe { libc::mmap(hint as *mut libc::c_void, length, access, flags, -1, 0) };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    if hint != 0 && address as usize != hint {
        // Kernels before 4.17 take it for a wish.
        // SAFETY: the mapping just made.
        unsafe { libc::munmap(address, length) };
        return Err(io::Error::from(io::ErrorKind::AddrInUse));
    }
    // SAFETY: the mapping just made; a core dump without it is complete.
    unsafe { libc::madvise(address, length, libc::MADV_DONTDUMP) };
    Ok(address as usize)
}

fn discard(address: usize, length: usize) {
    // SAFETY: an anonymous mapping of ours; its pages become zeros.
    unsafe { libc::madvise(address as *mut libc::c_void, length, libc::MADV_DONTNEED) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_and_two_level_tables_agree() {
        let index = CellIndex::new(7, true);
        assert!(index.flat().is_some());
        let root = index.add_root().unwrap();
        let range = 0x7f12_3456_7890..0x7f12_3456_8000;
        for table in [0, root] {
            assert_eq!(index.bias(table, range.start), 0);
            assert!(index.set(table, range.clone(), 42));
            for (address, bias) in
                [(range.start, 42), (range.end - 2, 42), (range.end, 0), (range.start - 0x80, 0)]
            {
                assert_eq!(index.bias(table, address), bias, "{address:#x}");
            }
        }
        index.clear(&(range.start..range.start + 2));
        assert_eq!(index.bias(0, range.start), 0);
        assert_eq!(index.bias(root, range.start), 0);
        assert_eq!(index.bias(root, range.end - 2), 42);
        index.clear_all();
        assert_eq!(index.bias(0, range.end - 2), 0);
        assert_eq!(index.bias(root, range.end - 2), 0);
    }

    #[test]
    fn a_range_over_two_leaves() {
        let index = CellIndex::new(5, false);
        let root = index.add_root().unwrap();
        let border = 0x5555 << LEAF_BITS;
        assert!(index.set(root, border - 32..border + 32, 7));
        assert_eq!(index.bias(root, border - 2), 7);
        assert_eq!(index.bias(root, border), 7);
        assert_eq!(index.bias(root, border + 32), 0);
    }
}
