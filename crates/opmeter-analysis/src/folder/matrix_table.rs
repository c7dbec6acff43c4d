use opmeter_recording::Phase;

use super::data_table::{DataColumn, DataTable};
use super::opcode_sums::opcode_sums;
use super::study::Study;
use crate::Terms;

/// The matrix of programs and opcodes, a row for each pair with executions: the form in which other tools take it.
pub fn matrix_table(studies: &[Study], terms: Terms, phases: &[Phase]) -> DataTable {
    let mut rows: Vec<(&Study, String, u64, f64)> = Vec::new();
    for study in studies {
        for (opcode, sum) in opcode_sums(std::slice::from_ref(study), terms, phases) {
            rows.push((study, opcode, sum.executions, sum.shares));
        }
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
