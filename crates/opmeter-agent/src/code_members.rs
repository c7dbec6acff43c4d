//! Where code objects keep what they say of themselves.

use crate::executable_memory::read_word;

/// Offsets in a code object, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Members {
    /// The name of its file, a `str`.
    pub file: usize,
    /// Its qualified name, or its name up to 3.10, a `str`.
    pub function: usize,
    /// Its first line, a C `int`.
    pub first_line: usize,
    /// Its line table, a `bytes`.
    pub line_table: usize,
    /// Its bytecode, a `bytes`; later than 3.10 it is part of the code object.
    pub bytecode: Option<usize>,
}

impl Members {
    /// The members that the type of code objects tells of; its own type stands at `type_field`.
    pub fn of(type_field: usize, minor: u8) -> Option<Self> {
        let offset = |name| member_offset(type_field, name);
        Some(Self {
            file: offset("co_filename")?,
            function: offset(if minor >= 11 { "co_qualname" } else { "co_name" })?,
            first_line: offset("co_firstlineno")?,
            line_table: offset(if minor >= 10 { "co_linetable" } else { "co_lnotab" })?,
            bytecode: if minor >= 11 { None } else { Some(offset("co_code")?) },
        })
    }
}

/// The offset of a member in the objects of a type whose own type stands at `type_field`.
pub fn member_offset(type_field: usize, name: &str) -> Option<usize> {
    // `PyTypeObject` (`Include/cpython/object.h`): behind the head with the size, tp_members is the word
    // with index 27. `PyMemberDef` (`Include/structmember.h`): name, type, offset, flags, doc.
    const MEMBERS: usize = 16 + 27 * 8;
    const MEMBER: usize = 40;
    let mut member = read_word(type_field + MEMBERS)? as usize;
    loop {
        let text = read_word(member)? as usize;
        if text == 0 {
            return None;
        }
        // SAFETY: a terminated name of a static table.
        let found = unsafe { std::ffi::CStr::from_ptr(text as *const std::ffi::c_char) };
        if found.to_bytes() == name.as_bytes() {
            return Some(read_word(member + 16)? as usize);
        }
        member += MEMBER;
    }
}
