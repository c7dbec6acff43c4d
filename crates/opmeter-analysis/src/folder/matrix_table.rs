use std::collections::BTreeMap;

use opmeter_opcodes::Family;
use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::opcode_sums::opcode_sums;
use super::study::Study;
use crate::Terms;

/// The matrix of programs and opcodes, a row for each pair with executions: the form in which other tools take it. Of one
/// family alone, if one is named; shares are of all that the program executed.
pub fn matrix_table(studies: &[Study], terms: Terms, phases: &[Phase], family: Option<Family>) -> DataTable {
    let mut rows: Vec<(&Study, String, u64, f64)> = Vec::new();
    for study in studies {
        let mut opcodes: BTreeMap<String, (u64, f64)> = BTreeMap::new();
        for ((opcode, of), sum) in opcode_sums(std::slice::from_ref(study), terms, phases) {
            if family.is_none_or(|family| family == of) {
                let (executions, share) = opcodes.entry(opcode).or_default();
                *executions += sum.executions;
                *share += sum.shares;
            }
        }
        rows.extend(
            opcodes.into_iter().map(|(opcode, (executions, share))| (study, opcode, executions, share)),
        );
    }
    DataTable::new(
        "matrix",
        vec![
            DataColumn::text("program", rows.iter().map(|(study, ..)| study.program.clone())),
            DataColumn::text("interpreter", rows.iter().map(|(study, ..)| study.interpreter.clone())),
            DataColumn::text("opcode", rows.iter().map(|(_, opcode, ..)| opcode.clone())),
            DataColumn::whole("executions", rows.iter().map(|(_, _, executions, _)| *executions)),
            DataColumn::real("share_percent", rows.iter().map(|(.., share)| Some(share * 100.0))),
        ],
    )
}
