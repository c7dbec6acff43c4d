//! How a dispatch of an opcode counts as executed instructions.
//!
//! From 3.11 on a dispatch is not always one execution of one instruction. Each rule below was read in
//! the interpreter's own sources (`Python/ceval.c` in 3.11, `Python/bytecodes.c` from 3.12 on):
//!
//! - An instruction whose adaptive counter has run down specialises itself and is dispatched *again* at
//!   the same address (`DISPATCH_SAME_OPARG`). One execution.
//! - In 3.11 a specialised instruction whose guard fails is dispatched again as its base (`miss:`). One
//!   execution. From 3.12 on it jumps straight into the base's code: nothing to be seen.
//! - A combined opcode also does the work of the instruction behind it and skips that one's dispatch.
//!   One dispatch, two executions.
//! - `DO_TRACING`, `INSTRUMENTED_LINE`, `INSTRUMENTED_INSTRUCTION` and `TRACE_RECORD` are hooks: they
//!   dispatch the instruction that they stand for afterwards. No execution.

use crate::{Opcode, OpcodeTable};

/// What an opcode has to do with specialisation in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Specialising {
    /// It neither specialises nor comes from specialising.
    No,
    /// Member of a family with an adaptive counter in its first inline cache entry. A counter below
    /// `trigger` (as an unsigned 16-bit number) makes this dispatch one that may be repeated at the same
    /// address; a dispatch may be that repetition.
    Counter {
        /// The smallest counter that does *not* specialise.
        trigger: u16,
        /// Whether a counter below the trigger can make *this* opcode specialise. In 3.11 only the
        /// `_ADAPTIVE` opcodes look at the counter; from 3.12 on the base does, which specialised
        /// opcodes jump into when their guard fails.
        looks: bool,
    },
    /// It rewrites itself once, unconditionally, and is dispatched again at the same address: 3.14's
    /// `JUMP_BACKWARD`.
    Once,
    /// A dispatch may be the repetition of another at the same address, whatever the counter: what `Once`
    /// rewrites itself to, and 3.11's bases, which `COMPARE_OP_ADAPTIVE` for one rewrites itself to for good
    /// where no jump follows.
    Repetition,
}

/// The instructions that a combined opcode executes besides its own base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folding {
    /// None: it is not combined.
    None,
    /// Always these base opcodes, in order.
    Always(&'static [&'static str]),
    /// The instruction behind its inline caches, whichever it is.
    Next,
}

/// Whether the evaluation loop's activation ends with an opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// It goes on.
    Never,
    /// It ends, and the C code that began it goes on.
    Always,
    /// It ends, unless what is dispatched next goes on in the same activation with what does not begin a
    /// function.
    UnlessGoingOn,
}

/// How a dispatch of an opcode counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Execution {
    /// False for the hooks that only lead to an instruction.
    pub is_instruction: bool,
    /// Its part in specialisation.
    pub specialising: Specialising,
    /// 3.11: its guard can fail, upon which its base is dispatched at the same address.
    pub can_miss: bool,
    /// 3.11: it is dispatched again when a specialised form of it missed.
    pub follows_miss: bool,
    /// 3.11: its misses are counted in the cell of its second inline cache entry, which it has; where forms of
    /// its family are combined, a miss is more than a count.
    pub misses_in_cell: bool,
    /// 3.11: it parts what ran before it from a repetition behind it. A traced or extended instruction is
    /// dispatched under its base's name although a specialised form of it stands in memory; and a frame's
    /// end means that whatever ran last is not its caller's.
    pub parts: bool,
    /// 3.11: it is not combined, but most forms of its family are.
    pub among_combined: bool,
    /// Whether it starts or resumes a frame: dispatched again when its code was instrumented meanwhile.
    pub resumes: bool,
    /// False for what stands in no code object of the program, or in the place of another instruction: the
    /// interpreter's exit from the loop, and its way into compiled code.
    pub has_place: bool,
    /// The generic form of an instruction that has specialised ones with an adaptive counter: its base,
    /// 3.11's `_ADAPTIVE` form, an instrumented one.
    pub generic: bool,
    /// What else it executes.
    pub folding: Folding,
    /// Whether it is one of those that every loop and every call goes through.
    pub is_step: bool,
    /// Whether the evaluation loop's activation ends with it.
    pub leaves: Leaves,
    /// From 3.12 on: a combined opcode's guard can fail unseen; then the instruction that would have been
    /// folded is dispatched after all. On *this* opcode the address of the combined one is this many
    /// bytes lower, and its number is the second value.
    pub unfolds: Option<(u8, u8)>,
}

impl Execution {
    /// The rules for an opcode of a version.
    pub fn of(opcode: &Opcode<'_>, table: &OpcodeTable<'_>) -> Self {
        let minor = table.version().1;
        Self {
            is_instruction: !matches!(
                opcode.name,
                "DO_TRACING" | "INSTRUMENTED_LINE" | "INSTRUMENTED_INSTRUCTION" | "TRACE_RECORD"
            ),
            specialising: specialising(opcode, table),
            can_miss: minor == 11 && in_family(opcode, table) && is_specialised_3_11(opcode),
            follows_miss: minor == 11 && in_family(opcode, table) && !opcode.is_derived(),
            misses_in_cell: table.misses_in_cell(opcode.base) && !opcode.is_derived(),
            parts: minor == 11
                && matches!(
                    opcode.base,
                    "DO_TRACING" | "EXTENDED_ARG" | "RETURN_VALUE" | "YIELD_VALUE" | "RETURN_GENERATOR"
                ),
            among_combined: minor == 11
                && opcode.base == "PRECALL"
                && folding(opcode, minor) == Folding::None,
            resumes: opcode.base == "RESUME",
            has_place: !matches!(opcode.name, "INTERPRETER_EXIT" | "ENTER_EXECUTOR"),
            generic: table.specialises(opcode.base)
                && (opcode.name == opcode.base
                    || opcode.name.ends_with("_ADAPTIVE")
                    || opcode.name.starts_with("INSTRUMENTED_")),
            folding: folding(opcode, minor),
            is_step: is_step(opcode, minor),
            leaves: leaves(opcode, minor),
            unfolds: unfolds(opcode, table),
        }
    }
}

impl OpcodeTable<'_> {
    /// Whether an instruction of this version may be dispatched more than once.
    pub fn repeats(&self) -> bool {
        self.version().1 >= 11
    }

    /// Whether an instruction with this base has specialised forms and an adaptive counter.
    pub fn specialises(&self, base: &str) -> bool {
        self.version().1 >= 11
            && !matches!(base, "JUMP_BACKWARD" | "RESUME")
            && self.named(base).is_some_and(|opcode| in_family(opcode, self))
    }

    /// 3.11: whether misses of instructions with this base are counted in the cell of their second inline cache
    /// entry.
    pub fn misses_in_cell(&self, base: &str) -> bool {
        let combined =
            |opcode: &Opcode<'_>| opcode.base == base && folding(opcode, self.version().1) != Folding::None;
        self.version().1 == 11
            && self.named(base).is_some_and(|opcode| opcode.caches >= 2 && in_family(opcode, self))
            && !self.iter().any(combined)
    }

    /// Whether a combined opcode's guard can fail without a dispatch that tells (see
    /// [`Execution::unfolds`]).
    pub fn unfolds(&self) -> bool {
        self.version().1 >= 12
    }

    /// By how many bits an adaptive counter's value is shifted: its lower bits are the backoff.
    pub fn counter_shift(&self) -> u32 {
        if self.version().1 >= 15 { 3 } else { 4 }
    }
}

/// Whether the opcode belongs to a family of specialised forms with an adaptive counter.
fn in_family(opcode: &Opcode<'_>, table: &OpcodeTable<'_>) -> bool {
    opcode.caches > 0 && !opcode.name.starts_with("INSTRUMENTED_") && table.has_forms(opcode.base)
}

fn is_specialised_3_11(opcode: &Opcode<'_>) -> bool {
    opcode.is_derived() && !opcode.name.ends_with("_ADAPTIVE")
}

fn specialising(opcode: &Opcode<'_>, table: &OpcodeTable<'_>) -> Specialising {
    let minor = table.version().1;
    if !table.repeats() || !in_family(opcode, table) {
        return Specialising::No;
    }
    // JUMP_BACKWARD's counter is that of the optimizer, not of a family.
    if opcode.base == "JUMP_BACKWARD" {
        return match (opcode.is_derived(), minor >= 14) {
            (_, false) => Specialising::No,
            (false, true) => Specialising::Once,
            (true, true) => Specialising::Repetition,
        };
    }
    if opcode.base == "RESUME" {
        return Specialising::No;
    }
    // 3.11-3.13: value in the upper 12 bits, zero specialises. 3.14: the same, but a backoff of 15 (all
    // four bits) never does. 3.15: a backoff of three bits, 7 never does. (`pycore_backoff.h`)
    let trigger = match minor {
        11..=13 => 16,
        14 => 15,
        _ => 7,
    };
    let looks = minor >= 12 || opcode.name.ends_with("_ADAPTIVE");
    if minor == 11 && !opcode.is_derived() {
        return Specialising::Repetition;
    }
    Specialising::Counter { trigger, looks }
}

fn folding(opcode: &Opcode<'_>, minor: u8) -> Folding {
    if minor == 11 || minor == 12 {
        match opcode.name {
            "LOAD_FAST__LOAD_FAST" | "STORE_FAST__LOAD_FAST" | "LOAD_CONST__LOAD_FAST" => {
                return Folding::Always(&["LOAD_FAST"]);
            }
            "LOAD_FAST__LOAD_CONST" => return Folding::Always(&["LOAD_CONST"]),
            "STORE_FAST__STORE_FAST" => return Folding::Always(&["STORE_FAST"]),
            _ => {}
        }
    }
    if minor == 11 {
        match opcode.name {
            "COMPARE_OP_FLOAT_JUMP" | "COMPARE_OP_INT_JUMP" | "COMPARE_OP_STR_JUMP" => return Folding::Next,
            "PRECALL_NO_KW_LIST_APPEND" => return Folding::Always(&["CALL", "POP_TOP"]),
            "PRECALL_ADAPTIVE" | "PRECALL_BOUND_METHOD" | "PRECALL_PYFUNC" => return Folding::None,
            name if name.starts_with("PRECALL_") => return Folding::Always(&["CALL"]),
            _ => {}
        }
    }
    match (opcode.name, minor) {
        ("BINARY_OP_INPLACE_ADD_UNICODE", 11..=14) => Folding::Always(&["STORE_FAST"]),
        ("CALL_NO_KW_LIST_APPEND", 12) | ("CALL_LIST_APPEND", 13..=14) => Folding::Always(&["POP_TOP"]),
        _ => Folding::None,
    }
}

fn is_step(opcode: &Opcode<'_>, minor: u8) -> bool {
    match minor {
        ..=10 => matches!(
            opcode.name,
            "JUMP_ABSOLUTE" | "FOR_ITER" | "POP_JUMP_IF_TRUE" | "POP_JUMP_IF_FALSE" | "RETURN_VALUE"
        ),
        11 => {
            opcode.base.starts_with("JUMP_BACKWARD")
                || opcode.base.starts_with("POP_JUMP_BACKWARD")
                || opcode.base == "RESUME"
                || folding(opcode, minor) == Folding::Next
        }
        _ => opcode.base.starts_with("JUMP_BACKWARD") || opcode.base == "RESUME",
    }
}

/// Read in `Python/ceval.c` and `Python/bytecodes.c`: up to 3.10 every call of a Python function has an
/// activation of its own; in 3.11 those have that C code began (`is_entry`), as have generators; from 3.12 on
/// an activation ends with an opcode of its own.
fn leaves(opcode: &Opcode<'_>, minor: u8) -> Leaves {
    match (opcode.base, minor) {
        ("RETURN_VALUE" | "YIELD_VALUE", ..=10) | ("YIELD_VALUE", 11) | ("INTERPRETER_EXIT", 12..) => {
            Leaves::Always
        }
        ("YIELD_FROM", ..=10) | ("RETURN_VALUE" | "RETURN_GENERATOR", 11) => Leaves::UnlessGoingOn,
        _ => Leaves::Never,
    }
}

fn unfolds(opcode: &Opcode<'_>, table: &OpcodeTable<'_>) -> Option<(u8, u8)> {
    if !table.unfolds() {
        return None;
    }
    let minor = table.version().1;
    let combined = match opcode.name {
        "POP_TOP" => table.named("CALL_LIST_APPEND").or_else(|| table.named("CALL_NO_KW_LIST_APPEND"))?,
        "STORE_FAST" | "STORE_FAST__LOAD_FAST" | "STORE_FAST__STORE_FAST" => {
            table.named("BINARY_OP_INPLACE_ADD_UNICODE")?
        }
        _ => return None,
    };
    if folding(combined, minor) == Folding::None {
        return None;
    }
    Some((2 * (1 + combined.caches), combined.number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(minor: u8, name: &str) -> Execution {
        let table = OpcodeTable::built_in(3, minor).unwrap();
        Execution::of(table.named(name).unwrap(), &table)
    }

    #[test]
    fn only_adaptive_opcodes_look_at_the_counter_in_3_11() {
        assert_eq!(
            rule(11, "LOAD_ATTR_ADAPTIVE").specialising,
            Specialising::Counter { trigger: 16, looks: true }
        );
        assert_eq!(
            rule(11, "LOAD_ATTR_SLOT").specialising,
            Specialising::Counter { trigger: 16, looks: false }
        );
        assert_eq!(rule(11, "LOAD_ATTR").specialising, Specialising::Repetition);
        assert!(rule(11, "LOAD_ATTR").follows_miss && !rule(11, "LOAD_ATTR").can_miss);
        let in_cell = |minor, name| rule(minor, name).misses_in_cell;
        assert!(in_cell(11, "LOAD_ATTR") && in_cell(11, "CALL") && !in_cell(11, "LOAD_ATTR_SLOT"));
        // Combined forms; one cache entry; guards that fail without a dispatch.
        assert!(!in_cell(11, "COMPARE_OP") && !in_cell(11, "BINARY_OP") && !in_cell(12, "LOAD_ATTR"));
        assert!(rule(11, "LOAD_ATTR_SLOT").can_miss && !rule(11, "LOAD_ATTR_ADAPTIVE").can_miss);
    }

    #[test]
    fn jump_backward_specialises_once_from_3_14_on() {
        assert_eq!(rule(13, "JUMP_BACKWARD").specialising, Specialising::No);
        assert_eq!(rule(14, "JUMP_BACKWARD").specialising, Specialising::Once);
        assert_eq!(rule(14, "JUMP_BACKWARD_NO_JIT").specialising, Specialising::Repetition);
    }

    #[test]
    fn combined_opcodes_fold_what_they_skip() {
        assert_eq!(rule(11, "LOAD_FAST__LOAD_CONST").folding, Folding::Always(&["LOAD_CONST"]));
        assert_eq!(rule(11, "COMPARE_OP_INT_JUMP").folding, Folding::Next);
        assert_eq!(rule(11, "PRECALL_NO_KW_LIST_APPEND").folding, Folding::Always(&["CALL", "POP_TOP"]));
        assert_eq!(rule(11, "PRECALL_PYFUNC").folding, Folding::None);
        assert_eq!(rule(12, "CALL_NO_KW_LIST_APPEND").folding, Folding::Always(&["POP_TOP"]));
        assert_eq!(rule(15, "CALL_LIST_APPEND").folding, Folding::None);
    }

    #[test]
    fn unfolding_names_the_distance_of_the_combined_opcode() {
        let table = OpcodeTable::built_in(3, 13).unwrap();
        let append = table.named("CALL_LIST_APPEND").unwrap();
        assert_eq!(rule(13, "POP_TOP").unfolds, Some((8, append.number)));
        assert_eq!(rule(13, "STORE_FAST").unfolds.unwrap().0, 4);
        assert_eq!(rule(11, "STORE_FAST").unfolds, None);
    }
}
