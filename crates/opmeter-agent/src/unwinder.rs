//! The unwinder of panics is a part of the agent. As a library of its own it would be loaded into every program, where
//! there may be none, or where another one is needed later.
//!
//! From gcc 12 on it asks the C library's `_dl_find_object` for an object's unwind tables, which is there from 2.35
//! on. So that the agent also loads beside an older one, the linker leads that call here (`build.rs`).

use std::arch::global_asm;
use std::ffi::{c_int, c_void};

/// `struct dl_find_object` on x86-64. The unwinder reads where the tables are, and no more.
#[repr(C)]
struct Found {
    flags: u64,
    start: *const c_void,
    end: *const c_void,
    link_map: *const c_void,
    tables: *const c_void,
    reserved: [u64; 7],
}

struct Sought {
    address: usize,
    tables: Option<usize>,
}

global_asm!(
    ".globl __wrap__dl_find_object",
    ".hidden __wrap__dl_find_object",
    ".type __wrap__dl_find_object, @function",
    "__wrap__dl_find_object:",
    "jmp {find}",
    find = sym find_object,
);

/// Finds the object that an address lies in, and its unwind tables; 0 where it has some, as `_dl_find_object`.
unsafe extern "C" fn find_object(address: *const c_void, found: *mut Found) -> c_int {
    let mut sought = Sought { address: address as usize, tables: None };
    // SAFETY: the function is called with what is passed here, while this waits.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut sought).cast()) };
    let Some(tables) = sought.tables else { return -1 };
    // SAFETY: the caller's room for an answer.
    unsafe {
        found.write(Found {
            flags: 0,
            start: address,
            end: address,
            link_map: std::ptr::null(),
            tables: tables as *const c_void,
            reserved: [0; 7],
        });
    }
    0
}

/// Looks at one object; 1 where the address lies in it.
unsafe extern "C" fn look(object: *mut libc::dl_phdr_info, _: usize, sought: *mut c_void) -> c_int {
    // SAFETY: the loader's description of an object, and what `find_object` passes.
    let (object, sought) = unsafe { (&*object, &mut *sought.cast::<Sought>()) };
    // SAFETY: the object's program headers, which stay as long as it is loaded.
    let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
    let address =
        |header: &libc::Elf64_Phdr| (object.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
    let holds = |header: &libc::Elf64_Phdr| {
        header.p_type == libc::PT_LOAD
            && sought.address.wrapping_sub(address(header)) < header.p_memsz as usize
    };
    if !headers.iter().any(holds) {
        return 0;
    }
    sought.tables = headers.iter().find(|header| header.p_type == libc::PT_GNU_EH_FRAME).map(address);
    1
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn unwind_tables_of_this_program_and_of_the_c_library_are_found() {
        let find = |address: usize| {
            let mut found = std::mem::MaybeUninit::<Found>::uninit();
            // SAFETY: room for the answer.
            match unsafe { find_object(address as *const c_void, found.as_mut_ptr()) } {
                // SAFETY: written where the answer is 0.
                0 => Some(unsafe { *found.as_ptr().cast::<Found>().read().tables.cast::<u8>() }),
                _ => None,
            }
        };
        // Tables begin with their version, which is 1.
        assert_eq!(find(find_object as *const () as usize), Some(1));
        assert_eq!(find(libc::write as *const () as usize), Some(1));
        assert_eq!(find(8), None);
    }
}
