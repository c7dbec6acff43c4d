//! Which instruction a process executes at the moment, read from its memory: see
//! [`opmeter_live::Word::PresentFrame`].

use std::fs::File;
use std::os::unix::fs::FileExt;

use opmeter_live::Word;

/// Size of a timed cell for each byte of bytecode.
const CELL_SCALE: u64 = 16;

/// Where the content of a `bytes` object begins (`PyBytesObject`).
const BYTES_CONTENT: u64 = 32;

/// The memory of a process.
pub struct ProcessMemory(File);

/// An instruction in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Its address.
    pub address: u64,
    /// The address of its cell.
    pub cell: u64,
    /// The number of its opcode.
    pub number: u8,
}

impl ProcessMemory {
    /// `None` where the system does not let us read it.
    pub fn open(pid: u64) -> Option<ProcessMemory> {
        File::open(format!("/proc/{pid}/mem")).ok().map(ProcessMemory)
    }

    /// The instruction that the process executes; `header` gives the words of its live file. `None` where that
    /// can't be told, as while it changes.
    pub fn instruction(&self, header: impl Fn(Word) -> Option<u64>) -> Option<Instruction> {
        let pointer = header(Word::PresentFrame).filter(|pointer| *pointer != 0)?;
        let mut frame = self.word(pointer)?;
        if let Some(via) = header(Word::FrameVia)?.checked_sub(1) {
            frame = self.word(frame.checked_add(via)?)?;
        }
        let address = match header(Word::FrameInstruction)? {
            0 => {
                let code = self.word(frame.checked_add(header(Word::FrameCode)?)?)?;
                let bytecode = self.word(code.checked_add(header(Word::CodeBytecode)?)?)?;
                // A C `int`.
                let last = self.word(frame.checked_add(header(Word::FrameLast)?)?)? as u32;
                bytecode.checked_add(BYTES_CONTENT + u64::from(last) * header(Word::FrameUnit)?)?
            }
            instruction => self.word(frame.checked_add(instruction)?)?,
        };
        let mut table = header(Word::BiasTable).filter(|table| *table != 0)?;
        let mut granule = address >> header(Word::GranuleBits)?;
        let leaf_bits = header(Word::LeafBits)?;
        if leaf_bits > 0 {
            table = self.word(table.checked_add((address >> leaf_bits) * 8)?).filter(|leaf| *leaf != 0)?;
            granule &= (1 << leaf_bits.checked_sub(header(Word::GranuleBits)?)?) - 1;
        }
        let bias = self.word(table.checked_add(granule * 8)?)?;
        if bias == 0 {
            return None;
        }
        let cell = bias.wrapping_add(address.wrapping_mul(CELL_SCALE));
        Some(Instruction { address, cell, number: self.read::<1>(address)?[0] })
    }

    fn word(&self, address: u64) -> Option<u64> {
        self.read(address).map(u64::from_le_bytes)
    }

    fn read<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.0.read_exact_at(&mut bytes, address).ok().map(|()| bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_way_from_a_thread_to_its_instruction() {
        // In our own memory: code, a table of biases, a frame and what leads to it.
        let code = [9u8, 0, 77, 0];
        let at = |word: &u64| &raw const *word as u64;
        let start = code.as_ptr() as u64;
        let bias = 0x1000u64.wrapping_sub(start.wrapping_mul(16));
        let frame = [0, start + 2];
        let via = [5, at(&frame[0])];
        let pointer = at(&via[0]);
        // The table's word for the code's granule is `bias`.
        let table = at(&bias).wrapping_sub((start >> 40) * 8);
        let words = HashMap::from([
            (Word::PresentFrame as usize, at(&pointer)),
            (Word::FrameVia as usize, 9),
            (Word::FrameInstruction as usize, 8),
            (Word::BiasTable as usize, table),
            (Word::GranuleBits as usize, 40),
        ]);
        let memory = ProcessMemory::open(u64::from(std::process::id())).unwrap();
        let found = memory.instruction(|word| Some(words.get(&(word as usize)).copied().unwrap_or(0)));
        assert_eq!(found, Some(Instruction { address: start + 2, cell: 0x1020, number: 77 }));
        assert_eq!(memory.instruction(|_| Some(0)), None);
        assert_eq!(memory.instruction(|_| Some(8)), None, "nothing is there");
    }
}
