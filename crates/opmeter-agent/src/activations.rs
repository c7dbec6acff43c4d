//! Activations of the evaluation loop on a thread's stack, told by the stack pointer at dispatches.

use opmeter_opcodes::Leaves;

/// A dispatch that has to be looked at.
pub struct Dispatch {
    /// The stack pointer.
    pub stack: usize,
    /// The address of the instruction.
    pub address: usize,
    /// The address of the instruction's cell.
    pub cell: usize,
    /// Whether functions begin with the opcode; `None` where that can't be told.
    pub begins: Option<bool>,
}

impl Dispatch {
    /// Whether it goes on behind an instruction of the same activation, of which it is known where the cell of
    /// the next one would be.
    fn goes_on(&self, next_cell: usize) -> bool {
        // Otherwise it has to be the instruction right behind.
        self.begins.map_or(self.cell == next_cell, |begins| !begins)
    }
}

/// The dispatch before.
pub struct Before {
    /// Whether it was the last one in its activation; `Never` unless it was one of those that may be.
    pub leaves: Leaves,
    /// The address of the cell behind its own.
    pub next_cell: usize,
}

/// What has become of the instruction that was dispatched before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Nothing is known of it: nothing was.
    Unknown,
    /// It is done, and the activation goes on.
    Done,
    /// It has returned to C code, which ran since then.
    Left,
    /// It has called C code, which has called Python code: it goes on after that. The stack pointer is that of
    /// its activation.
    Waits(usize),
    /// It is done, for an exception has left its activation.
    Raised,
}

/// The activations of a thread, and for each instruction that has called C code which has called Python code
/// what there is to know.
pub struct Activations<T> {
    /// The stack pointer in the present one, if it is known.
    present: Option<usize>,
    /// The stack pointers of those that wait, outermost first, and their instructions.
    outer: Vec<(usize, T)>,
}

impl<T> Activations<T> {
    /// Of a thread of which nothing is known.
    pub const NEW: Self = Self { present: None, outer: Vec::new() };

    /// Goes on to a dispatch; `before` is the one before, if it is known.
    pub fn go_on(&mut self, dispatch: &Dispatch, before: Option<Before>) -> Became {
        let present = self.present.replace(dispatch.stack);
        let (Some(inner), Some(before)) = (present, before) else { return Became::Unknown };
        let left = match before.leaves {
            Leaves::Never => false,
            Leaves::Always => true,
            Leaves::UnlessGoingOn => dispatch.stack != inner || !dispatch.goes_on(before.next_cell),
        };
        match dispatch.stack {
            _ if left => Became::Left,
            stack if stack < inner => Became::Waits(inner),
            stack if stack > inner => Became::Raised,
            _ => Became::Done,
        }
    }

    /// The innermost instruction that waits.
    pub fn innermost(&mut self) -> Option<&mut T> {
        self.outer.last_mut().map(|(_, what)| what)
    }

    /// An instruction waits in the activation with this stack pointer.
    pub fn wait(&mut self, stack: usize, what: T) {
        self.outer.push((stack, what));
    }

    /// The instructions in activations up to a stack pointer wait no longer.
    pub fn end_up_to(&mut self, stack: usize, mut ends: impl FnMut(T)) {
        while let Some((_, what)) = self.outer.pop_if(|(outer, _)| *outer <= stack) {
            ends(what);
        }
    }

    /// Nothing is known any more.
    pub fn forget(&mut self) {
        self.present = None;
        self.outer.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNTOLD: Option<bool> = None;

    fn at(stack: usize, cell: usize) -> Dispatch {
        Dispatch { stack, address: 0, cell, begins: UNTOLD }
    }

    fn before(leaves: Leaves, next_cell: usize) -> Option<Before> {
        Some(Before { leaves, next_cell })
    }

    #[test]
    fn calls_wait_until_their_activation_goes_on() {
        let mut activations = Activations::NEW;
        assert_eq!(activations.go_on(&at(900, 8), None), Became::Unknown);
        assert_eq!(activations.go_on(&at(900, 16), before(Leaves::Never, 16)), Became::Done);
        // A callback, and its return.
        assert_eq!(activations.go_on(&at(700, 80), before(Leaves::Never, 24)), Became::Waits(900));
        activations.wait(900, "call");
        assert_eq!(activations.go_on(&at(900, 24), before(Leaves::Always, 88)), Became::Left);
        assert_eq!(activations.innermost(), Some(&mut "call"));
        let mut ended = Vec::new();
        activations.end_up_to(900, |what| ended.push(what));
        assert_eq!((ended, activations.innermost()), (vec!["call"], None));
        // An exception leaves an activation.
        activations.go_on(&at(700, 80), before(Leaves::Never, 24));
        assert_eq!(activations.go_on(&at(900, 40), before(Leaves::Never, 88)), Became::Raised);
    }

    #[test]
    fn what_may_leave_has_not_where_the_next_instruction_follows() {
        let mut activations = Activations::<()>::NEW;
        activations.go_on(&at(900, 8), None);
        assert_eq!(activations.go_on(&at(900, 16), before(Leaves::UnlessGoingOn, 16)), Became::Done);
        assert_eq!(activations.go_on(&at(900, 64), before(Leaves::UnlessGoingOn, 24)), Became::Left);
        let begins = |begins| Dispatch { begins: Some(begins), ..at(900, 0) };
        assert_eq!(activations.go_on(&begins(false), before(Leaves::UnlessGoingOn, 64)), Became::Done);
        assert_eq!(activations.go_on(&begins(true), before(Leaves::UnlessGoingOn, 64)), Became::Left);
    }
}
