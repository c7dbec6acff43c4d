//! Memory near the interpreter for stubs and counters, and writing to the interpreter's tables.

use std::ffi::c_void;
use std::io;
use std::ops::Range;

const PAGE: usize = 4096;

/// How far from the module memory may lie, so that 32-bit displacements reach all of it.
const REACH: usize = 0x7000_0000;

/// Distance kept from the module: the heap of a static executable grows right behind it.
const DISTANCE: usize = 0x1000_0000;

/// Reserves address space, without memory behind it, within reach of `module`.
///
/// # Errors
/// When no free range is within reach, for instance because the address space is limited.
pub fn reserve_near(module: &Range<usize>, length: usize) -> io::Result<usize> {
    let mut refused = io::Error::from_raw_os_error(libc::ENOMEM);
    let step = 0x200_0000;
    let above =
        (1..).map(|n| module.end + DISTANCE + n * step).take_while(|at| at + length < module.start + REACH);
    let below = (1..).map_while(|n| module.start.checked_sub(DISTANCE / 4 + length + n * step));
    let below = below.take_while(|at| at + REACH > module.end && *at > 0x1_0000);
    for address in above.chain(below).map(|at| at & !(PAGE - 1)) {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: MAP_FIXED_NOREPLACE never replaces a mapping that exists.
        let got = unsafe { libc::mmap(address as *mut c_void, length, libc::PROT_NONE, flags, -1, 0) };
        if got as usize == address {
            return Ok(address);
        }
        if got == libc::MAP_FAILED {
            refused = io::Error::last_os_error();
        } else {
            // An old kernel took the address for a hint. SAFETY: we have just mapped this.
            unsafe { libc::munmap(got, length) };
        }
    }
    Err(refused)
}

/// Puts code at an address that was reserved, and makes it executable; it is never writable at the same
/// time. Where the system forbids to make written memory executable, the code goes through a file that
/// lives in memory.
///
/// # Errors
/// When the system allows neither.
pub fn install_code(address: usize, code: &[u8]) -> io::Result<()> {
    let length = code.len().next_multiple_of(PAGE);
    let fixed = libc::MAP_PRIVATE | libc::MAP_FIXED;
    let writable = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the range was reserved by us and holds no code that is in use yet.
    unsafe {
        if libc::mmap(address as *mut c_void, length, writable, fixed | libc::MAP_ANONYMOUS, -1, 0)
            == libc::MAP_FAILED
        {
            return Err(io::Error::last_os_error());
        }
        std::ptr::copy_nonoverlapping(code.as_ptr(), address as *mut u8, code.len());
        if libc::mprotect(address as *mut c_void, length, libc::PROT_READ | libc::PROT_EXEC) == 0 {
            return Ok(());
        }
    }
    let refused = io::Error::last_os_error();
    // SAFETY: a terminated name.
    let file = unsafe { libc::memfd_create(c"opmeter".as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(refused);
    }
    // SAFETY: `file` is a descriptor of ours; the range was reserved by us and is not in use yet.
    unsafe {
        let written = libc::write(file, code.as_ptr().cast(), code.len());
        let executable = libc::PROT_READ | libc::PROT_EXEC;
        let mapped = libc::mmap(address as *mut c_void, length, executable, fixed, file, 0);
        libc::close(file);
        if written != code.len() as isize || mapped == libc::MAP_FAILED {
            return Err(refused);
        }
    }
    Ok(())
}

/// Writes to memory of a module that is read-only by now. Every aligned word changes at once.
///
/// `protection` is the access that the memory has, and gets back.
///
/// # Errors
/// When the system refuses access.
///
/// # Safety
/// The interpreter must be able to go on whichever of the words it has already seen.
pub unsafe fn patch<T: Copy>(address: usize, words: &[T], protection: i32) -> io::Result<()> {
    let length = size_of_val(words);
    if protection & libc::PROT_EXEC != 0 {
        return patch_code_segment(address, words);
    }
    let start = address & !(PAGE - 1);
    let span = (address + length).next_multiple_of(PAGE) - start;
    let access = |protection| {
        // SAFETY: pages of a loaded module; write access is added, never taken from anyone who has it.
        match unsafe { libc::mprotect(start as *mut c_void, span, protection) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    };
    let read_only = protection & libc::PROT_WRITE == 0;
    if read_only {
        access(protection | libc::PROT_WRITE)?;
    }
    for (index, word) in words.iter().enumerate() {
        // SAFETY: inside the table, which is aligned to its entries and writable now. Volatile, so that
        // each entry is written as one.
        unsafe { std::ptr::write_volatile((address as *mut T).add(index), *word) };
    }
    if read_only {
        access(protection)?;
    }
    Ok(())
}

/// Writes some of the words of a table, by their index, and leaves the others as they are.
///
/// # Errors
/// When the system refuses access.
///
/// # Safety
/// As for [`patch`]; the table must be readable as far as the highest index.
pub unsafe fn patch_some<T: Copy>(address: usize, words: &[(usize, T)], protection: i32) -> io::Result<()> {
    let Some(last) = words.iter().map(|(index, _)| *index).max() else { return Ok(()) };
    // SAFETY: promised by the caller.
    let mut table: Vec<T> =
        (0..=last).map(|index| unsafe { (address as *const T).add(index).read_volatile() }).collect();
    for (index, word) in words {
        table[*index] = *word;
    }
    // SAFETY: promised by the caller.
    unsafe { patch(address, &table, protection) }
}

/// A table between code must not lose its execute permission, nor be writable with it: the kernel writes.
fn patch_code_segment<T: Copy>(address: usize, words: &[T]) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    let memory = std::fs::OpenOptions::new().write(true).open("/proc/self/mem")?;
    for (index, word) in words.iter().enumerate() {
        // SAFETY: the bytes of a plain integer.
        let bytes = unsafe { std::slice::from_raw_parts((&raw const *word).cast::<u8>(), size_of::<T>()) };
        memory.write_all_at(bytes, (address + index * size_of::<T>()) as u64)?;
    }
    Ok(())
}

/// Copies memory of this process that may not be there; `None` where it is not.
pub fn read_word(address: usize) -> Option<u64> {
    let mut word = 0u64;
    let local = libc::iovec { iov_base: (&raw mut word).cast(), iov_len: 8 };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: 8 };
    // SAFETY: the kernel writes eight bytes to `word`, and reports an address that can't be read.
    let read =
        unsafe { libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0) };
    if read == 8 {
        return Some(word);
    }
    if read < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT) {
        return None;
    }
    use std::os::unix::fs::FileExt;
    let mut bytes = [0; 8];
    let memory = std::fs::File::open("/proc/self/mem").ok()?;
    memory.read_exact_at(&mut bytes, address as u64).ok()?;
    Some(u64::from_le_bytes(bytes))
}
