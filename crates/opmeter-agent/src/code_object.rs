//! Code objects of the interpreter: finding the one that an instruction belongs to, and what it says.

use std::ops::Range;

use opmeter_code::Bases;
use opmeter_opcodes::OpcodeTable;

use crate::capi::{CApi, Object};
use crate::code_members::Members;
use crate::code_store::Description;
use crate::executable_memory::read_word;

const PAGE: usize = 4096;

/// The most bytecode that a code object is taken to have, in bytes.
const LONGEST: usize = 1 << 26;

/// The most that a code object has which is part of the interpreter itself, in bytes.
const LONGEST_FROZEN: usize = 1 << 20;

/// What is known of the interpreter's code objects.
pub struct CodeObjects {
    /// Python's C API.
    pub api: CApi,
    minor: u8,
    bases: Bases,
    /// Where the interpreter itself lies in memory.
    module: Range<usize>,
    /// Where an object's type stands in it, in bytes.
    pub type_offset: usize,
    members: Members,
}

/// A code object.
#[derive(Debug, Clone)]
pub struct CodeObject {
    /// Its address.
    pub object: usize,
    /// Where its bytecode lies.
    pub bytecode: Range<usize>,
}

impl CodeObjects {
    /// `None` where the interpreter's objects are laid out in an unknown way.
    pub fn new(api: CApi, opcodes: &OpcodeTable<'_>, module: Range<usize>) -> Option<Self> {
        let minor = opcodes.version().1;
        // The type of a type that the interpreter defines is `type`: from 3.8 to 3.15 the second word of
        // an object, without the global lock the fourth.
        // SAFETY: a static object of the interpreter, larger than eight words.
        let word = |index: usize| unsafe { (api.code_type as *const usize).add(index).read() };
        let index = (0..8).find(|index| word(*index) == api.type_type)?;
        let type_offset = index * 8;
        let members = Members::of(api.code_type + type_offset, minor)?;
        Some(Self { module, api, minor, bases: Bases::new(opcodes), type_offset, members })
    }

    /// Bits of an address within a granule that has bytecode of one code object only. Between the bytecode
    /// of two there is a code object's head from 3.11 on (168 bytes and more), a `bytes` object's
    /// before (32 bytes and a terminating zero).
    pub fn granule_bits(&self) -> u32 {
        if self.minor >= 11 { 7 } else { 5 }
    }

    /// Where the type `code` keeps the function that frees a code object.
    pub fn deallocator(&self) -> usize {
        // `PyTypeObject` (`Include/cpython/object.h`): head with size, tp_name, tp_basicsize, tp_itemsize,
        // tp_dealloc.
        self.api.code_type + self.type_offset + 40
    }

    /// The code object with the instruction at an address, which the calling thread is about to execute.
    pub fn containing(&self, address: usize) -> Option<CodeObject> {
        if self.minor >= 11 { self.around(address) } else { self.running() }
    }

    /// From 3.11 on a code object ends with its bytecode: its head is the next one below.
    fn around(&self, address: usize) -> Option<CodeObject> {
        let mut at = address & !7;
        let longest = if self.module.contains(&address) { LONGEST_FROZEN } else { LONGEST };
        let lowest = address.saturating_sub(longest);
        // SAFETY: `tp_basicsize`, of a static object of the interpreter.
        let head = unsafe { ((self.api.code_type + self.type_offset + 24) as *const usize).read() };
        while at > lowest {
            if at.is_multiple_of(PAGE) {
                read_word(at - 8)?;
            }
            at -= 8;
            // SAFETY: the page is that of the instruction, or was found readable just now.
            let word = unsafe { (at as *const usize).read_volatile() };
            if word == self.api.code_type {
                let object = at - self.type_offset;
                // The word behind the type is the number of code units (`ob_size`).
                let start = object + head;
                if start > address {
                    continue;
                }
                // SAFETY: below the instruction.
                let length = unsafe { ((at + 8) as *const usize).read_volatile() };
                let bytecode = start..start.saturating_add(2 * length.min(LONGEST / 2));
                if bytecode.contains(&address) && self.is_code(object, &bytecode) {
                    return Some(CodeObject { object, bytecode });
                }
            }
        }
        None
    }

    /// Whether what looks like a code object is one: the pointer to its type may be any other.
    fn is_code(&self, object: usize, bytecode: &Range<usize>) -> bool {
        // SAFETY: between the pointer to the type and the instruction, which was all found readable.
        let file = unsafe { ((object + self.members.file) as *const usize).read_volatile() };
        match file {
            // The interpreter's own have no file, and are short.
            0 => bytecode.len() <= 64,
            file if file > PAGE && file.is_multiple_of(8) => {
                read_word(file + self.type_offset) == Some(self.api.text_type as u64)
            }
            _ => false,
        }
    }

    fn running(&self) -> Option<CodeObject> {
        let object = self.api.running_code()?;
        let bytes = self.bytecode_object(object)?;
        let (start, length) = self.api.aside(|| self.api.bytes_span(bytes))?;
        Some(CodeObject { object: object as usize, bytecode: start..start + length })
    }

    /// Up to 3.10: the `bytes` object with a code object's bytecode, borrowed.
    fn bytecode_object(&self, object: Object) -> Option<Object> {
        // SAFETY: the field of a code object that is alive.
        Some(unsafe { self.bytecode_field(object)?.read() })
    }

    /// Up to 3.10: the offset in a code object of its bytecode.
    pub fn bytecode_offset(&self) -> Option<usize> {
        self.members.bytecode
    }

    /// Up to 3.10: where the bytecode of a code object begins.
    pub fn bytecode_start(&self, object: Object) -> Option<usize> {
        let bytes = self.bytecode_object(object)?;
        self.api.aside(|| self.api.bytes_span(bytes)).map(|(start, _)| start)
    }

    /// Up to 3.10: the field that points to the bytecode.
    fn bytecode_field(&self, object: Object) -> Option<*mut Object> {
        Some((object as usize + self.members.bytecode?) as *mut Object)
    }

    /// Up to 3.10: whether anything else refers to the code object's `bytes`, another code object perhaps.
    pub fn shares_bytecode(&self, code: &CodeObject) -> bool {
        self.bytecode_object(code.object as Object).is_some_and(|bytes| {
            // SAFETY: an object that is alive; it begins with its reference count.
            let references = unsafe { bytes.cast::<isize>().read() };
            references > 1
        })
    }

    /// Up to 3.10: gives the code object a `bytes` of its own, and returns the one that it had, with the
    /// reference to it. Frames that run keep running there, so it must outlive the code object.
    pub fn unshare(&self, code: &mut CodeObject) -> Option<Object> {
        let field = self.bytecode_field(code.object as Object)?;
        // SAFETY: the bytecode of a code object that is alive.
        let content =
            unsafe { std::slice::from_raw_parts(code.bytecode.start as *const u8, code.bytecode.len()) };
        let own = self.api.aside(|| self.api.new_bytes(content))?;
        let (start, length) = self.api.aside(|| self.api.bytes_span(own))?;
        // SAFETY: the field of a code object that is alive; the content is the same, and the
        // interpreter reads the field anew for each frame.
        let old = unsafe { field.replace(own) };
        code.bytecode = start..start + length;
        Some(old)
    }

    /// What the code object says of itself. Nothing is freed by asking: between two instructions from 3.14 on
    /// no object may be, for whatever its end brings about would find no stack in the frame.
    pub fn describe(&self, code: &CodeObject) -> Description {
        // SAFETY: the bytecode of a code object that is alive. Another thread may specialise it meanwhile:
        // whichever form is read, its base is the same.
        let mut bytecode = unsafe {
            std::slice::from_raw_parts(code.bytecode.start as *const u8, code.bytecode.len()).to_vec()
        };
        let hidden = self.minor >= 11 && self.bases.restore(&mut bytecode);
        let members = &self.members;
        // SAFETY: members of a code object that is alive, which never change.
        let (object, first_line) = unsafe {
            let object = |offset: usize| ((code.object + offset) as *const Object).read();
            (object, ((code.object + members.first_line) as *const i32).read())
        };
        self.api.aside(|| {
            if hidden && let Some(original) = self.api.original_bytecode(code.object as Object) {
                bytecode = original;
            }
            let text = |offset| self.api.text(object(offset)).unwrap_or_default();
            Description {
                file: text(members.file),
                function: text(members.function),
                first_line: u32::try_from(first_line).unwrap_or(0),
                bytecode,
                line_table: self.api.bytes(object(members.line_table)).unwrap_or_default(),
                own: false,
            }
        })
    }

    /// Stands for instructions of the interpreter's own, in the granule around an address.
    pub fn own(&self, address: usize) -> (CodeObject, Description) {
        let start = address >> self.granule_bits() << self.granule_bits();
        let bytecode = start..start + (1 << self.granule_bits());
        // SAFETY: a granule lies within a page, from which an instruction is about to be executed.
        let mut content = unsafe { std::slice::from_raw_parts(start as *const u8, bytecode.len()).to_vec() };
        content.chunks_exact_mut(2).for_each(|unit| unit[0] = self.bases.base(unit[0]));
        let description = Description { bytecode: content, own: true, ..Description::default() };
        (CodeObject { object: 0, bytecode }, description)
    }
}
