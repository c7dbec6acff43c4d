//! The interpreter's frames: which instruction called the C code that has called Python code.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use opmeter_live::Word;
use opmeter_opcodes::OpcodeTable;

use crate::capi::Object;
use crate::code_members::member_offset;
use crate::code_object::{CodeObject, CodeObjects};
use crate::executable_memory::read_word;

/// How far into a thread's state its present frame is looked for, in bytes.
const STATE_LENGTH: usize = 512;

/// Where the interpreter keeps its frames.
pub struct Frames {
    layout: Layout,
    /// Up to 3.10: the opcodes after which the next activation goes on in the same frame.
    yields: [Option<u8>; 2],
}

enum Layout {
    /// Up to 3.10 a frame is an object; offsets in it, and how many bytes a unit of `f_lasti` is.
    Objects { back: usize, code: usize, last: usize, unit: usize, thread_state: usize },
    /// From 3.11 on a frame is a `_PyInterpreterFrame`.
    Internal(Internal),
}

/// Offsets in a `_PyInterpreterFrame` (`Include/internal/pycore_frame.h`, `pycore_interpframe_structs.h`), and the
/// way from a thread's state to its present frame.
struct Internal {
    code: usize,
    previous: usize,
    /// The instruction that the frame executes, or executed last.
    instruction: usize,
    /// Whose frame it is: from this number on one that only stands for the C stack. None where there are no
    /// such frames.
    owner: Option<(usize, u8)>,
    /// Where the pointer at `state` points to: none where that is the frame itself, otherwise the offset of the
    /// pointer to the frame in what it points to.
    via: Option<usize>,
    thread_state: usize,
    /// Offset of the pointer in the thread's state, plus 1; 0 until it is found.
    state: AtomicUsize,
}

impl Frames {
    /// `None` where the interpreter's frames are laid out in an unknown way. `thread_state` is the address of the
    /// function that gives the calling thread's state; `type_offset` is where an object's type stands in it.
    pub fn new(
        opcodes: &OpcodeTable<'_>,
        free_threaded: bool,
        thread_state: Option<usize>,
        type_offset: usize,
    ) -> Option<Self> {
        const INSTRUCTION: usize = 56;
        let internal = |code, previous, owner, via| {
            let (state, instruction) = (AtomicUsize::new(0), INSTRUCTION);
            let thread_state = thread_state?;
            Some(Layout::Internal(Internal { code, previous, instruction, owner, via, thread_state, state }))
        };
        let minor = opcodes.version().1;
        let layout = match minor {
            ..=10 => {
                let frame_type = crate::interpreter::symbol(c"PyFrame_Type")? as usize + type_offset;
                let offset = |name| member_offset(frame_type, name);
                // No member in 3.10, where it follows `f_trace_opcodes` and the pointer `f_gen`.
                let behind = |trace: usize| (trace + 1).next_multiple_of(8) + 8;
                let last = offset("f_lasti").or_else(|| offset("f_trace_opcodes").map(behind))?;
                let back = offset("f_back")?;
                // `f_code` follows `f_back` (`Include/frameobject.h`).
                let unit = if minor == 10 { 2 } else { 1 };
                Layout::Objects { back, code: back + 8, last, unit, thread_state: thread_state? }
            }
            11 => internal(32, 48, None, Some(8))?,
            12 => internal(0, 8, Some((70, 3)), Some(0))?,
            13 => internal(0, 8, Some((70, 3)), None)?,
            _ => internal(0, 8, Some((if free_threaded { 78 } else { 74 }, 3)), None)?,
        };
        let yields = ["YIELD_VALUE", "YIELD_FROM"].map(|name| Some(opcodes.named(name)?.number));
        Some(Self { layout, yields })
    }

    /// The instruction that called the C code which has just called, or returned to, the calling thread's
    /// present frame, about to execute the instruction at `address` of `running`: in the frame itself, or with
    /// `begins` in the one below it.
    pub fn caller(
        &self,
        objects: &CodeObjects,
        running: &CodeObject,
        address: usize,
        begins: Option<bool>,
    ) -> Option<Caller> {
        match &self.layout {
            Layout::Objects { back, code, last, unit, .. } => {
                let frame = objects.api.running_frame()? as usize;
                let before = address.checked_sub(2).filter(|before| running.bytecode.contains(before));
                // What a generator has yielded last is no caller of its own.
                let own = before.filter(|before| !self.yields.contains(&Some(opcode_at(*before))));
                if let Some(address) = own {
                    return Some(Caller::Here(address));
                }
                let frame = word(frame + back)?;
                let start = objects.bytecode_start(word(frame + code)? as Object)?;
                // SAFETY: a frame that is alive.
                let last = unsafe { ((frame + last) as *const i32).read() };
                let last = usize::try_from(last).ok()? * unit;
                Some(Caller::Below(start + last))
            }
            Layout::Internal(internal) => {
                let frame = internal.present(running)?;
                if begins == Some(false) {
                    let address = word(frame + internal.instruction)?;
                    return running.bytecode.contains(&address).then_some(Caller::Here(address));
                }
                let mut below = word(frame + internal.previous)?;
                if let Some((owner, stack)) = internal.owner {
                    // SAFETY: a frame of the thread that is alive.
                    let owner = unsafe { ((below + owner) as *const u8).read() };
                    if owner >= stack {
                        below = word(below + internal.previous)?;
                    }
                }
                Some(Caller::Below(word(below + internal.instruction)?))
            }
        }
    }
}

impl Frames {
    /// How the calling thread's present frame, which runs this code object, is found from outside, and what it
    /// says of its instruction.
    pub fn pointer(&self, objects: &CodeObjects, running: &CodeObject) -> Option<Vec<(Word, usize)>> {
        match &self.layout {
            Layout::Objects { code, last, unit, thread_state, .. } => {
                let (state, frame) = (call(*thread_state), objects.api.running_frame()? as usize);
                let points = |offset: &usize| read_word(state + offset) == Some(frame as u64);
                let pointer = state + (0..STATE_LENGTH).step_by(8).find(points)?;
                Some(vec![
                    (Word::FrameCode, *code),
                    (Word::FrameLast, *last),
                    (Word::FrameUnit, *unit),
                    (Word::CodeBytecode, objects.bytecode_offset()?),
                    (Word::PresentFrame, pointer),
                ])
            }
            Layout::Internal(internal) => {
                internal.present(running)?;
                let pointer = call(internal.thread_state) + internal.state.load(Relaxed) - 1;
                Some(vec![
                    (Word::FrameVia, internal.via.map_or(0, |via| via + 1)),
                    (Word::FrameInstruction, internal.instruction),
                    (Word::PresentFrame, pointer),
                ])
            }
        }
    }
}

/// Calls the interpreter's function at an address that gives the calling thread's state.
fn call(thread_state: usize) -> usize {
    // SAFETY: the interpreter's function, which takes nothing and gives a pointer.
    unsafe {
        let function: extern "C" fn() -> usize = std::mem::transmute(thread_state);
        function()
    }
}

/// Where an instruction that called C code stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// In the present frame: the C code has returned.
    Here(usize),
    /// In a frame below: the C code goes on.
    Below(usize),
}

impl Internal {
    /// The calling thread's present frame, which runs this code object.
    fn present(&self, running: &CodeObject) -> Option<usize> {
        let state = call(self.thread_state);
        let known = self.state.load(Relaxed);
        if state == 0 || known > 0 {
            return self.frame_at(state.checked_add(known)? - 1, running).filter(|_| state != 0);
        }
        let found =
            (0..STATE_LENGTH).step_by(8).find(|offset| self.frame_at(state + offset, running).is_some())?;
        self.state.store(found + 1, Relaxed);
        self.frame_at(state + found, running)
    }

    /// The frame that a pointer at an address leads to, if it runs this code object.
    fn frame_at(&self, address: usize, running: &CodeObject) -> Option<usize> {
        let mut frame = read_word(address)? as usize;
        if let Some(via) = self.via {
            frame = read_word(frame.checked_add(via)?)? as usize;
        }
        if frame == 0 || !frame.is_multiple_of(8) {
            return None;
        }
        // From 3.14 on the lowest bits of a reference say of which kind it is.
        let code = read_word(frame.checked_add(self.code)?)? as usize & !7;
        (code == running.object).then_some(frame)
    }
}

/// The number of the opcode at an address.
pub fn opcode_at(address: usize) -> u8 {
    // SAFETY: called for addresses of instructions.
    unsafe { (address as *const u8).read_volatile() }
}

/// A word of a frame that is alive; `None` where it is 0.
fn word(address: usize) -> Option<usize> {
    // SAFETY: called for fields of frames that are alive.
    let word = unsafe { (address as *const usize).read() };
    (word != 0).then_some(word)
}
