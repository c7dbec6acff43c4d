use std::collections::HashMap;
use std::sync::Arc;

use opmeter_recording::InstructionRow;

/// In which functions comprehensions stand that are functions of their own: up to CPython 3.11 all of them, later few.
pub(crate) struct Comprehensions<'a> {
    /// The functions that make functions, by file and line.
    makers: Makers<'a>,
}

/// A function: its first line and name.
type Function<'a> = (u32, &'a Arc<str>);
type Makers<'a> = HashMap<(&'a str, u32), Vec<Function<'a>>>;

/// Comprehensions stand in one another no deeper than that.
const DEEPEST: usize = 20;

impl<'a> Comprehensions<'a> {
    /// Finds the functions that make comprehensions.
    pub(crate) fn of(instructions: &'a [InstructionRow]) -> Self {
        let mut makers = Makers::new();
        for row in instructions.iter().filter(|row| &*row.opcode == "MAKE_FUNCTION") {
            let known = makers.entry((&row.file, row.line)).or_default();
            if !known.contains(&(row.first_line, &row.function)) {
                known.push((row.first_line, &row.function));
            }
        }
        Self { makers }
    }

    /// The function, by first line and name, that an instruction's comprehension stands in; none where it is in no
    /// comprehension, or where that stands is not known.
    pub(crate) fn function_around(&self, row: &'a InstructionRow) -> Option<Function<'a>> {
        let mut inner = (row.first_line, &row.function);
        for _ in 0..DEEPEST {
            if !is_comprehension(inner.1) {
                return (inner.1 != &row.function).then_some(inner);
            }
            let makers = self.makers.get(&(&*row.file, inner.0))?;
            let name = |maker: &&Function<'a>| {
                // Up to 3.10 names are not qualified.
                inner.1.strip_prefix(&**maker.1).is_some_and(|rest| rest.starts_with(".<locals>."))
            };
            let others = makers.iter().filter(|maker| **maker != inner);
            let outer =
                others.clone().find(name).or_else(|| others.min_by_key(|maker| is_comprehension(maker.1)));
            inner = *outer?;
        }
        None
    }
}

fn is_comprehension(name: &str) -> bool {
    matches!(name.rsplit('.').next(), Some("<listcomp>" | "<setcomp>" | "<dictcomp>"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use opmeter_recording::Phase;

    use super::*;

    fn row(function: &str, first_line: u32, line: u32, opcode: &str) -> InstructionRow {
        InstructionRow {
            process: 0,
            phase: Phase::Main,
            file: "a.py".into(),
            function: function.into(),
            first_line,
            line,
            offset: 0,
            opcode: opcode.into(),
            executions: 1,
            code: 0,
            argument: 0,
            time: None,
        }
    }

    #[test]
    fn comprehensions_are_part_of_what_makes_them() {
        let rows = [
            row("f", 1, 3, "MAKE_FUNCTION"),
            row("<lambda>", 3, 3, "NOP"),
            row("<listcomp>", 3, 4, "MAKE_FUNCTION"),
            row("<dictcomp>", 4, 4, "NOP"),
            row("<listcomp>", 9, 9, "NOP"),
            row("g.<locals>.<setcomp>", 3, 3, "NOP"),
            row("g", 2, 3, "MAKE_FUNCTION"),
        ];
        let known = Comprehensions::of(&rows);
        let around = |place: usize| known.function_around(&rows[place]).map(|(line, name)| (line, &**name));
        let found: Vec<_> = (0..rows.len()).map(around).collect();
        assert_eq!(found, [None, None, Some((1, "f")), Some((1, "f")), None, Some((2, "g")), None]);
    }
}
