//! The gate: the way from a stub to Rust, for whatever happens seldom.

use crate::assembler::{Assembler, RAX, Reg};
use crate::rare::Event;

/// Writes the gate: saves every register, and calls `enter` with a pointer to them.
pub fn gate(a: &mut Assembler, enter: usize) {
    for number in (0..16).rev() {
        a.push(Reg(number));
    }
    a.raw(&[0x48, 0x89, 0xe7]); // mov rdi, rsp
    a.raw(&[0x48, 0x89, 0xe3]); // mov rbx, rsp
    a.raw(&[0x48, 0x83, 0xe4, 0xf0]); // and rsp, -16
    a.move_stack(-256);
    for number in 0..16 {
        vector_move(a, 0x11, number); // movups [rsp + 16 * number], xmm
    }
    a.raw(&[0xfc]); // cld
    a.raw(&[0x48, 0xb8]); // mov rax, enter
    a.raw(&enter.to_le_bytes());
    a.raw(&[0xff, 0xd0]); // call rax
    for number in 0..16 {
        vector_move(a, 0x10, number);
    }
    a.raw(&[0x48, 0x89, 0xdc]); // mov rsp, rbx
    for number in 0..16 {
        // The stack pointer's own value is passed over.
        if number == 4 { a.move_stack(8) } else { a.pop(Reg(number)) }
    }
    a.raw(&[0xc3]); // ret
}

fn vector_move(a: &mut Assembler, opcode: u8, number: u8) {
    if number >= 8 {
        a.raw(&[0x44]);
    }
    a.raw(&[0x0f, opcode, 0x84 | (number & 7) << 3, 0x24]);
    a.raw(&(i32::from(number) * 16).to_le_bytes());
}

/// Writes a stub that only reports its dispatch, for the time before the registers are known.
pub fn reporting_stub(a: &mut Assembler, number: u8, gate: usize, target: usize) -> usize {
    a.align();
    let start = a.here();
    report(a, gate, Event::Discover, number, RAX);
    a.jump_to(target);
    start
}

/// How far behind a reporting stub's start the gate returns to: the lengths of `push` and `call`.
pub const RETURN_OFFSET: usize = 10;

/// Calls [`crate::rare::enter`]. `reg` is the register that receives an answer, if the event has one.
pub fn report(a: &mut Assembler, gate: usize, event: Event, number: u8, reg: Reg) {
    a.push_value(i32::from(reg.0) << 16 | (event as i32) << 8 | i32::from(number));
    a.call(gate);
    a.move_stack(8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_returns_into_the_stub_that_called_it() {
        let mut assembler = Assembler::new(0x10_0000);
        assembler.raw(&[0xcc]);
        let start = reporting_stub(&mut assembler, 200, 0x20_0000, 0x30_0000);
        let code = assembler.finish().unwrap();
        assert_eq!(start % 64, 0);
        let stub = &code[start - 0x10_0000..];
        // push 0xc8 (event 0, register 0); call gate
        let displacement = 0x20_0000 - (start + RETURN_OFFSET) as i32;
        assert_eq!(stub[..6], [0x68, 0xc8, 0, 0, 0, 0xe8]);
        assert_eq!(stub[6..RETURN_OFFSET], displacement.to_le_bytes());
    }
}
