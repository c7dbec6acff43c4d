use std::fmt;

/// What an opcode is for, in broad terms: over versions, whose opcodes differ, families can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Local variables, cells and constants, to and from the stack.
    LocalsAndConstants,
    /// Global and other names, looked up in dictionaries.
    Names,
    /// Attributes, methods among them.
    Attributes,
    /// Items and slices of containers.
    Subscripts,
    /// Arithmetic and bitwise operators.
    Arithmetic,
    /// Comparisons, identity, membership, truth.
    Comparison,
    /// Jumps.
    Jumps,
    /// Iteration: `for` loops.
    Iteration,
    /// Calls, and what passes their arguments.
    Calls,
    /// Starts and ends of functions.
    Functions,
    /// Generators and coroutines.
    Generators,
    /// Building, unpacking and extending containers and strings.
    Containers,
    /// The order of the stack.
    Stack,
    /// Exceptions and `with` blocks.
    Exceptions,
    /// Patterns of `match`.
    Patterns,
    /// Imports.
    Imports,
    /// What does nothing of its own.
    Other,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 17] = [
        Self::LocalsAndConstants,
        Self::Names,
        Self::Attributes,
        Self::Subscripts,
        Self::Arithmetic,
        Self::Comparison,
        Self::Jumps,
        Self::Iteration,
        Self::Calls,
        Self::Functions,
        Self::Generators,
        Self::Containers,
        Self::Stack,
        Self::Exceptions,
        Self::Patterns,
        Self::Imports,
        Self::Other,
    ];

    /// The family's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalsAndConstants => "locals and constants",
            Self::Names => "names",
            Self::Attributes => "attributes",
            Self::Subscripts => "subscripts",
            Self::Arithmetic => "arithmetic",
            Self::Comparison => "comparison",
            Self::Jumps => "jumps",
            Self::Iteration => "iteration",
            Self::Calls => "calls",
            Self::Functions => "functions",
            Self::Generators => "generators",
            Self::Containers => "containers",
            Self::Stack => "stack",
            Self::Exceptions => "exceptions",
            Self::Patterns => "patterns",
            Self::Imports => "imports",
            Self::Other => "other",
        }
    }

    /// The family of an opcode as it was executed, of which the name in base terms is known as well. From 3.14 on, one
    /// opcode of the compiler, `BINARY_OP`, is for arithmetic and for subscripts: its specialised forms tell which.
    pub fn of_form(opcode: &str, base_opcode: &str) -> Self {
        if opcode.starts_with("BINARY_OP_SUBSCR_") { Self::Subscripts } else { Self::of(base_opcode) }
    }

    /// The family of an opcode, by its name in base terms.
    pub fn of(base_opcode: &str) -> Self {
        let is = |names: &[&str]| names.contains(&base_opcode);
        let begins =
            |beginnings: &[&str]| beginnings.iter().any(|beginning| base_opcode.starts_with(beginning));
        // What is one of few, before the rules that its name would fit.
        if is(&[
            "BINARY_SUBSCR",
            "BINARY_SLICE",
            "STORE_SUBSCR",
            "STORE_SLICE",
            "DELETE_SUBSCR",
            "BUILD_SLICE",
        ]) {
            Self::Subscripts
        } else if is(&[
            "LOAD_METHOD",
            "LOAD_ATTR",
            "STORE_ATTR",
            "DELETE_ATTR",
            "LOAD_SUPER_ATTR",
            "LOAD_SPECIAL",
        ]) {
            Self::Attributes
        } else if is(&["LOAD_ASSERTION_ERROR", "LOAD_COMMON_CONSTANT", "LOAD_SMALL_INT", "LOAD_CONST"])
            || begins(&["LOAD_FAST", "STORE_FAST", "DELETE_FAST"])
            || is(&["LOAD_DEREF", "STORE_DEREF", "DELETE_DEREF", "LOAD_CLOSURE", "LOAD_CLASSDEREF"])
        {
            Self::LocalsAndConstants
        } else if begins(&[
            "LOAD_GLOBAL",
            "LOAD_NAME",
            "LOAD_LOCALS",
            "LOAD_FROM_DICT",
            "STORE_GLOBAL",
            "STORE_NAME",
        ]) || is(&["DELETE_GLOBAL", "DELETE_NAME", "SETUP_ANNOTATIONS"])
        {
            Self::Names
        } else if is(&["UNARY_NOT", "TO_BOOL", "COMPARE_OP", "IS_OP", "CONTAINS_OP"]) {
            Self::Comparison
        } else if begins(&["BINARY_", "INPLACE_", "UNARY_"]) {
            Self::Arithmetic
        } else if is(&["CHECK_EG_MATCH", "CHECK_EXC_MATCH", "JUMP_IF_NOT_EXC_MATCH", "WITH_EXCEPT_START"])
            || begins(&[
                "SETUP_FINALLY",
                "SETUP_WITH",
                "SETUP_ASYNC_WITH",
                "BEFORE_",
                "WITH_CLEANUP",
                "POP_EXCEPT",
            ])
            || is(&[
                "POP_BLOCK",
                "POP_FINALLY",
                "BEGIN_FINALLY",
                "END_FINALLY",
                "CALL_FINALLY",
                "PUSH_EXC_INFO",
            ])
            || is(&["RAISE_VARARGS", "RERAISE", "PREP_RERAISE_STAR"])
        {
            Self::Exceptions
        } else if base_opcode.contains("JUMP") {
            Self::Jumps
        } else if is(&["GET_ITER", "FOR_ITER", "END_FOR", "POP_ITER"]) {
            Self::Iteration
        } else if is(&["CALL_INTRINSIC_1", "CALL_INTRINSIC_2"]) {
            Self::Other
        } else if begins(&["CALL", "PRECALL", "KW_NAMES", "PUSH_NULL"]) {
            Self::Calls
        } else if is(&[
            "SEND",
            "END_SEND",
            "CLEANUP_THROW",
            "GEN_START",
            "RETURN_GENERATOR",
            "ASYNC_GEN_WRAP",
        ]) || begins(&[
            "YIELD_",
            "GET_AWAITABLE",
            "GET_AITER",
            "GET_ANEXT",
            "GET_YIELD_FROM",
            "END_ASYNC",
        ]) {
            Self::Generators
        } else if begins(&["RETURN_", "MAKE_", "RESUME", "COPY_FREE_VARS", "SET_FUNCTION_ATTRIBUTE"])
            || is(&["LOAD_BUILD_CLASS", "INTERPRETER_EXIT", "EXIT_INIT_CHECK"])
        {
            Self::Functions
        } else if begins(&["MATCH_", "GET_LEN", "COPY_DICT_WITHOUT_KEYS"]) {
            Self::Patterns
        } else if begins(&["BUILD_", "UNPACK_", "LIST_", "SET_", "MAP_", "DICT_", "FORMAT_", "CONVERT_VALUE"])
        {
            Self::Containers
        } else if is(&["COPY", "SWAP"]) || begins(&["POP_TOP", "DUP_", "ROT_"]) {
            Self::Stack
        } else if begins(&["IMPORT_"]) {
            Self::Imports
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpcodeTable;

    /// What is left over has to be so on purpose.
    #[test]
    fn few_opcodes_have_no_family() {
        let mut others: Vec<String> = OpcodeTable::built_in_minors()
            .filter_map(|minor| OpcodeTable::built_in(3, minor))
            .flat_map(|table| table.iter().map(|opcode| opcode.base.to_owned()).collect::<Vec<String>>())
            .filter(|base| Family::of(base) == Family::Other)
            .collect();
        others.sort();
        others.dedup();
        let expected = [
            "CACHE",
            "CALL_INTRINSIC_1",
            "CALL_INTRINSIC_2",
            "DO_TRACING",
            "ENTER_EXECUTOR",
            "EXTENDED_ARG",
            "INSTRUMENTED_INSTRUCTION",
            "INSTRUMENTED_LINE",
            "NOP",
            "NOT_TAKEN",
            "PRINT_EXPR",
            "RESERVED",
            "TRACE_RECORD",
        ];
        assert_eq!(others, expected);
    }

    #[test]
    fn what_looks_alike_is_told_apart() {
        for (opcode, family) in [
            ("BINARY_ADD", Family::Arithmetic),
            ("BINARY_SUBSCR", Family::Subscripts),
            ("JUMP_IF_NOT_EXC_MATCH", Family::Exceptions),
            ("POP_JUMP_IF_NONE", Family::Jumps),
            ("POP_TOP", Family::Stack),
            ("SET_ADD", Family::Containers),
            ("SET_FUNCTION_ATTRIBUTE", Family::Functions),
            ("LIST_TO_TUPLE", Family::Containers),
            ("LOAD_FAST_BORROW_LOAD_FAST_BORROW", Family::LocalsAndConstants),
            ("UNARY_NOT", Family::Comparison),
            ("CALL_FINALLY", Family::Exceptions),
            ("COPY_FREE_VARS", Family::Functions),
            ("SEND", Family::Generators),
        ] {
            assert_eq!(Family::of(opcode), family, "{opcode}");
        }
        assert!(Family::ALL.iter().all(|family| family.to_string() == family.name()));
        for (opcode, base, family) in [
            ("BINARY_OP_SUBSCR_LIST_INT", "BINARY_OP", Family::Subscripts),
            ("BINARY_OP_ADD_INT", "BINARY_OP", Family::Arithmetic),
            ("BINARY_SUBSCR_LIST_INT", "BINARY_SUBSCR", Family::Subscripts),
            ("COMPARE_OP_INT_JUMP/POP_JUMP_IF_FALSE", "POP_JUMP_IF_FALSE", Family::Jumps),
        ] {
            assert_eq!(Family::of_form(opcode, base), family, "{opcode}");
        }
    }
}
