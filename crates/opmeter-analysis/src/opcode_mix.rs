use std::cmp::Reverse;
use std::collections::BTreeMap;

use opmeter_opcodes::Family;
use opmeter_recording::{InstructionRow, OpcodeRow};

use crate::{CountedRow, Files, RowFilter, TimeSum, Totals};

/// By which names instructions are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Terms {
    /// As the interpreter executed them: each specialised form, and each instruction that a combined
    /// opcode runs, is an opcode of its own.
    #[default]
    AsExecuted,
    /// As the compiler wrote them.
    Base,
}

/// One opcode of a mix.
#[derive(Debug, Clone, PartialEq)]
pub struct MixEntry {
    /// The opcode's name, in the mix's terms.
    pub opcode: String,
    /// The opcode that the compiler wrote; none where that is `opcode` itself, so never in base terms.
    pub base_opcode: Option<String>,
    /// How often it was executed; never 0.
    pub executions: u128,
    /// Its part of all executions of the mix, above 0 and up to 1.
    pub share: f64,
    /// The part of this entry and all entries before it, above 0 and up to 1.
    pub cumulative_share: f64,
    /// How long its executions took, where times were taken.
    pub time: Option<TimeSum>,
}

impl MixEntry {
    /// What the opcode is for.
    pub fn family(&self) -> Family {
        Family::of_form(&self.opcode, self.base_opcode.as_deref().unwrap_or(&self.opcode))
    }
}

/// How often each opcode ran, added up over the rows that a filter takes.
#[derive(Debug, Clone, PartialEq)]
pub struct OpcodeMix {
    /// The opcodes that ran: most time first where times were taken, most executions first otherwise and among
    /// equals, then by name.
    pub entries: Vec<MixEntry>,
    /// What they add up to.
    pub totals: Totals,
    /// The terms of the entries' names.
    pub terms: Terms,
    /// Whether it is of the files that patterns take, and not of whole processes.
    pub is_of_files: bool,
}

impl OpcodeMix {
    /// Adds up the rows that `filter` takes, by opcode in the given terms. Rows without executions are
    /// passed over.
    pub fn new<'a>(
        rows: impl IntoIterator<Item = &'a OpcodeRow>,
        filter: RowFilter,
        terms: Terms,
    ) -> OpcodeMix {
        Self::add_up(
            rows,
            filter,
            |_| true,
            |row| match terms {
                Terms::AsExecuted => (&row.opcode, &row.base_opcode),
                Terms::Base => (&row.base_opcode, &row.base_opcode),
            },
            terms,
        )
    }

    /// Adds up, in base terms, the instructions that `filter` takes in the files that are taken: of single files it is
    /// not known in which form an instruction was executed.
    pub fn of_files(rows: &[InstructionRow], filter: RowFilter, files: &Files<'_>) -> OpcodeMix {
        let takes_file = |file: &str| files.takes(file);
        let mix = Self::add_up(rows, filter, takes_file, |row| (&row.opcode, &row.opcode), Terms::Base);
        OpcodeMix { is_of_files: true, ..mix }
    }

    /// Adds up rows by the names that `names` gives: of the opcode, and of the one that the compiler wrote.
    fn add_up<'a, R: CountedRow + 'a>(
        rows: impl IntoIterator<Item = &'a R>,
        filter: RowFilter,
        takes_file: impl Fn(&str) -> bool,
        names: impl Fn(&'a R) -> (&'a str, &'a str),
        terms: Terms,
    ) -> OpcodeMix {
        let mut opcodes: BTreeMap<(&str, &str), (u128, Option<TimeSum>)> = BTreeMap::new();
        let totals = Totals::add_up(rows, filter, takes_file, |row| {
            let sum = opcodes.entry(names(row)).or_default();
            sum.0 += u128::from(row.executions());
            if let Some(time) = row.time() {
                sum.1.get_or_insert_default().add(time);
            }
        });
        let mut sums: Vec<_> = opcodes.into_iter().collect();
        let net = |time: Option<TimeSum>| time.map(|time| time.cycles_net);
        sums.sort_by_key(|&(names, (executions, time))| (Reverse(net(time)), Reverse(executions), names));
        let mut cumulative = 0;
        let entries = sums.into_iter().map(|((opcode, base), (executions, time))| {
            cumulative += executions;
            MixEntry {
                opcode: opcode.to_owned(),
                base_opcode: (base != opcode).then(|| base.to_owned()),
                executions,
                share: totals.share(executions),
                cumulative_share: totals.share(cumulative),
                time,
            }
        });
        OpcodeMix { entries: entries.collect(), terms, totals: totals.clone(), is_of_files: false }
    }
}

#[cfg(test)]
mod tests {
    use opmeter_recording::Phase;

    use super::*;

    fn row(process: u32, phase: Phase, opcode: &str, base: &str, executions: u64) -> OpcodeRow {
        let (opcode, base_opcode) = (opcode.into(), base.into());
        OpcodeRow { process, phase, opcode, base_opcode, number: 1, executions, time: None }
    }

    fn rows() -> Vec<OpcodeRow> {
        vec![
            row(0, Phase::Startup, "NOP", "NOP", 4),
            row(0, Phase::Main, "LOAD_ATTR_SLOT", "LOAD_ATTR", 10),
            row(0, Phase::Main, "LOAD_ATTR", "LOAD_ATTR", 5),
            row(0, Phase::Main, "COMPARE_OP_INT_JUMP", "COMPARE_OP", 20),
            row(0, Phase::Main, "COMPARE_OP_INT_JUMP/POP_JUMP_IF_FALSE", "POP_JUMP_IF_FALSE", 20),
            row(0, Phase::Main, "SWAP", "SWAP", 0),
            row(3, Phase::Main, "POP_JUMP_IF_FALSE", "POP_JUMP_IF_FALSE", 1),
            row(3, Phase::Shutdown, "NOP", "NOP", 1),
        ]
    }

    fn sums(mix: &OpcodeMix) -> Vec<(&str, Option<&str>, u128)> {
        mix.entries.iter().map(|e| (e.opcode.as_str(), e.base_opcode.as_deref(), e.executions)).collect()
    }

    #[test]
    fn executed_opcodes_are_sorted_by_executions_then_name() {
        let mix = OpcodeMix::new(&rows(), RowFilter::default(), Terms::AsExecuted);
        let expected = [
            ("COMPARE_OP_INT_JUMP", Some("COMPARE_OP"), 20),
            ("COMPARE_OP_INT_JUMP/POP_JUMP_IF_FALSE", Some("POP_JUMP_IF_FALSE"), 20),
            ("LOAD_ATTR_SLOT", Some("LOAD_ATTR"), 10),
            ("LOAD_ATTR", None, 5),
            ("NOP", None, 5),
            ("POP_JUMP_IF_FALSE", None, 1),
        ];
        assert_eq!(sums(&mix), expected);
        assert_eq!(mix.totals.executions, 61);
        let totals: Vec<_> =
            mix.totals.processes.iter().map(|total| (total.process, total.executions)).collect();
        assert_eq!(totals, [(0, 59), (3, 2)]);
    }

    #[test]
    fn base_terms_add_up_forms_and_combined_instructions() {
        let mix = OpcodeMix::new(&rows(), RowFilter::default(), Terms::Base);
        let expected = [
            ("POP_JUMP_IF_FALSE", None, 21),
            ("COMPARE_OP", None, 20),
            ("LOAD_ATTR", None, 15),
            ("NOP", None, 5),
        ];
        assert_eq!(sums(&mix), expected);
        assert_eq!(mix.totals.executions, 61);
    }

    #[test]
    fn filters_take_phases_and_processes() {
        let phases = Some(vec![Phase::Startup, Phase::Shutdown]);
        let filter = RowFilter { phases: phases.clone(), processes: None };
        assert_eq!(sums(&OpcodeMix::new(&rows(), filter, Terms::Base)), [("NOP", None, 5)]);
        let filter = RowFilter { phases, processes: Some(vec![3, 9]) };
        assert_eq!(sums(&OpcodeMix::new(&rows(), filter, Terms::Base)), [("NOP", None, 1)]);
        let filter = RowFilter { phases: Some(vec![]), processes: None };
        let nothing = OpcodeMix::new(&rows(), filter, Terms::Base);
        assert_eq!((nothing.entries.len(), nothing.totals.executions), (0, 0));
    }

    #[test]
    fn shares_add_up_to_exactly_one() {
        let mix = OpcodeMix::new(&rows(), RowFilter::default(), Terms::Base);
        assert_eq!(mix.entries[0].share, 21.0 / 61.0);
        assert_eq!(mix.entries[1].cumulative_share, 41.0 / 61.0);
        assert_eq!(mix.entries.last().unwrap().cumulative_share, 1.0);
    }

    #[test]
    fn sums_exceed_64_bits() {
        let rows = [row(0, Phase::Main, "NOP", "NOP", u64::MAX), row(1, Phase::Main, "NOP", "NOP", u64::MAX)];
        let mix = OpcodeMix::new(&rows, RowFilter::default(), Terms::AsExecuted);
        assert_eq!(mix.totals.executions, 2 * u128::from(u64::MAX));
        assert_eq!(mix.entries[0].executions, mix.totals.executions);
    }
}
