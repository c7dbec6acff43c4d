//! This process's live file, mapped near the interpreter.

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use opmeter_live::{
    COUNTS_SIZE, EXTENSION, HEADER_SIZE, LAYOUT, MAGIC, MAX_SLOTS, PHASES, SLOT_SIZE, State, Status,
    TEXT_SIZE, Text, Word, slot_offset, snapshot_offset, text_offset,
};

use crate::slot_file::SlotFile;
use crate::{counter_file, pairs, times};

/// Address space that a live file needs, in bytes.
pub const LENGTH: usize = slot_offset(MAX_SLOTS);

/// The mapped live file.
pub struct Live {
    address: usize,
    folder: PathBuf,
    /// Where the file lies; none for a child whose counters nobody reads. The file itself is closed: the
    /// program may close descriptors that it does not know, or rely on the lowest being free.
    path: Option<PathBuf>,
    /// Slots of threads that have ended. Their counts stay.
    free: Vec<Slot>,
    /// The counts of pairs, if they are asked for.
    pairs: Option<SlotFile>,
    /// The times, if they are asked for.
    times: Option<SlotFile>,
    /// The phase, as this process has it. A forked child sees the parent's file until it has its own, and the parent may
    /// go on to the next phase meanwhile.
    phase: AtomicU64,
}

impl Live {
    /// Makes this process's file and maps it at `address`, where [`LENGTH`] bytes were reserved.
    ///
    /// # Errors
    /// When the file can't be made, has no room on the disk, or can't be mapped.
    pub fn create(folder: &Path, address: usize) -> io::Result<Self> {
        let path = Some(Self::map_new(folder, address)?);
        let live = Self {
            address,
            folder: folder.to_owned(),
            path,
            free: Vec::new(),
            pairs: None,
            times: None,
            phase: AtomicU64::new(0),
        };
        live.begin();
        Ok(live)
    }

    /// Counts pairs as well, in a file mapped at `address`, where its length was reserved.
    ///
    /// # Errors
    /// When there is no live file to lie beside, or when the file can't be made, has no room on the disk, or
    /// can't be mapped.
    pub fn count_pairs(&mut self, address: usize) -> io::Result<()> {
        let path = self.path.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let pairs = SlotFile::create(&pairs::LAYOUT, path, address)?;
        self.slot(0).state(State::Pairs).store(pairs.set(0) as u64, Ordering::Relaxed);
        self.set(Word::Pairs, 1);
        self.pairs = Some(pairs);
        Ok(())
    }

    /// Takes times as well, in a file mapped at `address`, where its length was reserved.
    ///
    /// # Errors
    /// As for [`Live::count_pairs`].
    pub fn take_times(&mut self, address: usize) -> io::Result<()> {
        let path = self.path.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let times = SlotFile::create(&times::LAYOUT, path, address)?;
        times::begin(&times);
        self.slot(0).state(State::Times).store(times.set(0) as u64, Ordering::Relaxed);
        self.set(Word::Timed, 1);
        self.times = Some(times);
        Ok(())
    }

    /// The file of times, if times are taken.
    pub fn times(&self) -> Option<&SlotFile> {
        self.times.as_ref()
    }

    /// Gives a forked child a file of its own, at the same address, with all counters at zero and the
    /// parent's description. Where that fails, the child counts into memory that nobody reads.
    ///
    /// # Errors
    /// As for [`Live::create`].
    pub fn renew(&mut self) -> io::Result<()> {
        let mut header = vec![0u8; HEADER_SIZE];
        // SAFETY: the header is mapped, and nothing else runs in a child that was just forked.
        unsafe { std::ptr::copy_nonoverlapping(self.address as *const u8, header.as_mut_ptr(), HEADER_SIZE) };
        let made = Self::map_new(&self.folder, self.address);
        let result = match made {
            Ok(path) => {
                self.path = Some(path);
                Ok(())
            }
            Err(error) => {
                self.path = None;
                self.map_anonymous().map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
                Err(error)
            }
        };
        // SAFETY: as above; the new mapping is as long.
        unsafe { std::ptr::copy_nonoverlapping(header.as_ptr(), self.address as *mut u8, HEADER_SIZE) };
        self.begin();
        if let Some(pairs) = self.pairs.take()
            && self.count_pairs(pairs.address()).is_err()
        {
            self.set(Word::Pairs, 0);
            pairs.abandon();
            self.slot(0).state(State::Pairs).store(pairs.set(0) as u64, Ordering::Relaxed);
        }
        if let Some(times) = self.times.take()
            && self.take_times(times.address()).is_err()
        {
            self.set(Word::Timed, 0);
            times.abandon();
            self.slot(0).state(State::Times).store(times.set(0) as u64, Ordering::Relaxed);
            self.times = Some(times);
        }
        // Only the thread that has forked is left.
        self.free = Vec::new();
        self.set(Word::SharedSlots, 0);
        self.set(Word::Slots, 1);
        self.set(Word::Forked, 1);
        self.set(Word::Phase, self.phase.load(Ordering::Relaxed));
        result
    }

    fn map_new(folder: &Path, address: usize) -> io::Result<PathBuf> {
        let pid = std::process::id();
        let mut attempt = 0;
        let (file, path) = loop {
            // A process that executes another program keeps its ID.
            let path = folder.join(format!("{pid}-{attempt}.{EXTENSION}"));
            match counter_file::create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
                other => break (other?, path),
            }
        };
        let made = allocate(&file, 0, slot_offset(1)).and_then(|()| {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_SHARED | libc::MAP_FIXED;
            // SAFETY: the range is reserved by us; what it held before, if anything, is the parent's live
            // file, which this process has no more use for.
            let got =
                unsafe { libc::mmap(address as *mut c_void, LENGTH, access, flags, file.as_raw_fd(), 0) };
            if got == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
        });
        if made.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        made.map(|()| path)
    }

    fn map_anonymous(&self) -> io::Result<()> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: replaces the parent's live file in a child that was just forked.
        let got = unsafe { libc::mmap(self.address as *mut c_void, LENGTH, access, flags, -1, 0) };
        if got == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn begin(&self) {
        self.set(Word::Pid, u64::from(std::process::id()));
        self.set(Word::ParentPid, u64::from(std::os::unix::process::parent_id()));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.set(Word::StartedNs, now.as_nanos() as u64);
        self.set(Word::StartTicks, start_ticks().unwrap_or(0));
        self.set(Word::Layout, LAYOUT);
        if self.get(Word::Slots) == 0 {
            self.set(Word::Slots, 1);
        }
        self.set(Word::Magic, MAGIC);
    }

    /// Where the file lies; nowhere for a child whose counters nobody reads.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// A word of the header.
    pub fn word(&self, word: Word) -> &AtomicU64 {
        // SAFETY: inside the header, which stays mapped at a page's start.
        unsafe { &*((self.address + word as usize * 8) as *const AtomicU64) }
    }

    /// The value of a word.
    pub fn get(&self, word: Word) -> u64 {
        self.word(word).load(Ordering::Relaxed)
    }

    /// Sets a word.
    pub fn set(&self, word: Word, value: u64) {
        self.word(word).store(value, Ordering::Relaxed);
    }

    /// Sets a text, cut to its field.
    pub fn set_text(&self, text: Text, value: &[u8]) {
        let length = value.len().min(TEXT_SIZE - 1);
        // SAFETY: inside the header; only this process's first thread writes texts.
        unsafe {
            let field = (self.address + text_offset(text)) as *mut u8;
            std::ptr::copy_nonoverlapping(value.as_ptr(), field, length);
            field.add(length).write(0);
        }
    }

    /// Describes the process: what it runs.
    pub fn describe(&self, module: &Path, build: &str) {
        self.set_text(Text::Module, module.as_os_str().as_bytes());
        self.set_text(Text::Build, build.as_bytes());
        let executable = std::fs::read_link("/proc/self/exe").unwrap_or_default();
        self.set_text(Text::Executable, executable.as_os_str().as_bytes());
        let mut arguments = std::fs::read("/proc/self/cmdline").unwrap_or_default();
        arguments.pop();
        arguments.iter_mut().filter(|byte| **byte == 0).for_each(|byte| *byte = 0x1f);
        self.set_text(Text::Arguments, &arguments);
    }

    /// Sets what became of the process, and why.
    pub fn set_status(&self, status: Status, reason: &str) {
        self.set_text(Text::Reason, reason.as_bytes());
        self.set(Word::Status, status.word());
    }

    /// The address of a slot.
    pub fn slot(&self, slot: usize) -> Slot {
        Slot(self.address + slot_offset(slot))
    }

    /// Where a slot lies in the file.
    pub fn offset_of(&self, slot: Slot) -> usize {
        slot.0 - self.address
    }

    /// A slot for a thread that has none; `None` where there is no room for one.
    pub fn take_slot(&mut self) -> Option<Slot> {
        self.free.pop().or_else(|| self.add_slot())
    }

    /// Takes back the slot of a thread that has ended.
    pub fn free_slot(&mut self, slot: Slot) {
        self.free.push(slot);
    }

    fn add_slot(&self) -> Option<Slot> {
        let slot = self.get(Word::Slots) as usize;
        if slot >= MAX_SLOTS {
            return None;
        }
        if let Some(path) = &self.path {
            let file = counter_file::open(path).ok()?;
            allocate(&file, slot_offset(slot), SLOT_SIZE).ok()?;
        }
        for (file, state) in [(&self.pairs, State::Pairs), (&self.times, State::Times)] {
            let Some(file) = file else { continue };
            if slot >= file.max_slots() {
                return None;
            }
            file.add_slot(slot).ok()?;
            self.slot(slot).state(state).store(file.set(slot) as u64, Ordering::Relaxed);
        }
        self.set(Word::Slots, slot as u64 + 1);
        Some(self.slot(slot))
    }

    /// Ends the present phase, if `phase` is a later one: keeps the counters as they are now.
    pub fn enter_phase(&self, phase: usize) {
        let current = self.get(Word::Phase) as usize;
        for ended in current..phase.min(PHASES - 1) {
            for word in 0..COUNTS_SIZE / 8 {
                let slots = self.get(Word::Slots) as usize;
                let sum =
                    (0..slots).fold(0u64, |sum, slot| sum.wrapping_add(self.slot(slot).counter(word * 8)));
                let at = self.address + snapshot_offset(ended) + word * 8;
                // SAFETY: inside the snapshot, which is mapped and aligned.
                unsafe { &*(at as *const AtomicU64) }.store(sum, Ordering::Relaxed);
            }
            for file in [&self.pairs, &self.times].into_iter().flatten() {
                file.end_phase(ended, self.get(Word::Slots) as usize);
            }
            self.phase.store(ended as u64 + 1, Ordering::Relaxed);
            self.set(Word::Phase, ended as u64 + 1);
        }
    }
}

/// A slot: the address of a set of counters with its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(pub usize);

impl Slot {
    /// The word at an offset in the slot. Only the thread that owns the slot writes it.
    pub fn word(&self, offset: usize) -> &AtomicU64 {
        debug_assert!(offset < SLOT_SIZE && offset.is_multiple_of(8));
        // SAFETY: slots are mapped for the life of the process; the offset is inside one.
        unsafe { &*((self.0 + offset) as *const AtomicU64) }
    }

    fn counter(&self, offset: usize) -> u64 {
        self.word(offset).load(Ordering::Relaxed)
    }

    /// Adds to a counter (or, wrapping, takes from it).
    pub fn add(&self, offset: usize, value: u64) {
        let word = self.word(offset);
        word.store(word.load(Ordering::Relaxed).wrapping_add(value), Ordering::Relaxed);
    }

    /// A word of the slot's state.
    pub fn state(&self, state: State) -> &AtomicU64 {
        self.word(state_offset(state))
    }
}

/// Offset in a slot of a word of its state.
pub const fn state_offset(state: State) -> usize {
    COUNTS_SIZE + state as usize * 8
}

/// Makes room on the disk for a part of a file: writing to a mapping must not fail.
///
/// # Errors
/// When there is none, or when the process may not make files that long: it asks before it tries, for the
/// system would end a process that does not expect it (`SIGXFSZ`).
pub fn allocate(file: &File, start: usize, length: usize) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: writes to the variable that is passed.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) };
    if (start + length) as u64 > limit.rlim_cur {
        return Err(io::Error::from_raw_os_error(libc::EFBIG));
    }
    // SAFETY: a descriptor that is open.
    match unsafe { libc::posix_fallocate(file.as_raw_fd(), start as libc::off_t, length as libc::off_t) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// When this process began, in clock ticks since the machine started.
fn start_ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat[stat.rfind(')')? + 1..].split_whitespace().nth(19)?.parse().ok()
}
