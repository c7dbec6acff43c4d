//! The modules (executable and shared libraries) that are loaded into this process.

use std::ffi::{CStr, OsStr, c_int, c_void};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// A part of a module, as its program header describes it.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The addresses that are backed by the module's file.
    pub range: Range<usize>,
    /// Whether it holds code.
    pub executable: bool,
    /// Whether the program may write to it, at least until it is relocated.
    pub writable: bool,
}

/// A loaded module.
#[derive(Debug, Clone)]
pub struct Module {
    /// The file, as the loader knows it.
    pub path: PathBuf,
    /// The address that the module's own addresses count from.
    pub base: usize,
    /// Its loaded segments.
    pub segments: Vec<Segment>,
    /// The part that is read-only after relocation, or an empty range.
    pub relro: Range<usize>,
}

impl Module {
    /// The module that an address belongs to.
    pub fn containing(address: usize) -> Option<Self> {
        let mut search = Search { address, found: None };
        // SAFETY: the callback gets the pointer to `search`, which outlives the call.
        unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
        search.found
    }

    /// Whether an address is code of this module.
    pub fn is_code(&self, address: usize) -> bool {
        self.segments.iter().any(|segment| segment.executable && segment.range.contains(&address))
    }

    /// First and one past the last address of the module.
    pub fn span(&self) -> Range<usize> {
        let start = self.segments.iter().map(|segment| segment.range.start).min().unwrap_or(self.base);
        let end = self.segments.iter().map(|segment| segment.range.end).max().unwrap_or(self.base);
        start..end
    }

    /// The access that the segment's memory has by now at an address (`PROT_*`).
    pub fn protection(&self, address: usize) -> c_int {
        let segment = self.segments.iter().find(|segment| segment.range.contains(&address));
        match segment {
            Some(segment) if segment.executable => libc::PROT_READ | libc::PROT_EXEC,
            Some(segment) if segment.writable && !self.relro.contains(&address) => {
                libc::PROT_READ | libc::PROT_WRITE
            }
            _ => libc::PROT_READ,
        }
    }

    /// The memory of a segment.
    pub fn bytes(&self, segment: &Segment) -> &[u8] {
        // SAFETY: the loader mapped these addresses readable, from the module's file, and keeps them
        // until the module is unloaded; the interpreter never is. Nothing else runs while we read: this
        // happens before the program's first thread starts.
        unsafe { std::slice::from_raw_parts(segment.range.start as *const u8, segment.range.len()) }
    }
}

struct Search {
    address: usize,
    found: Option<Module>,
}

unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _: usize, data: *mut c_void) -> c_int {
    // SAFETY: the loader calls this with a valid description, and with the pointer given to
    // `dl_iterate_phdr`, which is a `Search`.
    let (info, search) = unsafe { (&*info, &mut *data.cast::<Search>()) };
    // SAFETY: `dlpi_phdr` points to `dlpi_phnum` program headers.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = info.dlpi_addr as usize;
    let span = |header: &libc::Elf64_Phdr, size: u64| {
        let start = base + header.p_vaddr as usize;
        start..start + size as usize
    };
    let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    if !loaded().any(|header| span(header, header.p_memsz).contains(&search.address)) {
        return 0;
    }
    let segments = loaded()
        .map(|header| Segment {
            range: span(header, header.p_filesz),
            executable: header.p_flags & libc::PF_X != 0,
            writable: header.p_flags & libc::PF_W != 0,
        })
        .collect();
    let relro = headers.iter().find(|header| header.p_type == libc::PT_GNU_RELRO);
    // SAFETY: the loader gives a terminated string, empty for the executable itself.
    let name = unsafe { CStr::from_ptr(info.dlpi_name) };
    let path = if name.is_empty() {
        std::env::current_exe().unwrap_or_default()
    } else {
        PathBuf::from(OsStr::from_bytes(name.to_bytes()))
    };
    let relro = relro.map_or(0..0, |header| span(header, header.p_memsz));
    search.found = Some(Module { path, base, segments, relro });
    1
}
