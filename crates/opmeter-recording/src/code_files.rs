//! The files of code objects.

use std::sync::Arc;

use opmeter_code::Instructions;
use opmeter_live::CodeLog;
use opmeter_opcodes::OpcodeTable;

/// No compiler writes this: it stands in the interpreter's own code object, which checks what an inlined `__init__` has
/// returned. That one names a file, `__init__`, which there is not.
const END_OF_INIT: &str = "EXIT_INIT_CHECK";

/// The names of the files of a log's code objects, one for each; empty for what the interpreter runs on its own. `texts` are
/// those of the log.
pub(crate) fn code_files(log: &CodeLog, opcodes: &OpcodeTable<'_>, texts: &[Arc<str>]) -> Vec<Arc<str>> {
    let of_interpreter: Vec<bool> = (0..=255)
        .map(|number| opcodes.get(number).is_some_and(|opcode| opcode.base == END_OF_INIT))
        .collect();
    let empty: Arc<str> = "".into();
    let file = |code: &opmeter_live::LoggedCode| {
        let mut instructions = Instructions::of(opcodes, &code.bytecode);
        if code.own || instructions.any(|instruction| of_interpreter[usize::from(instruction.number)]) {
            return empty.clone();
        }
        texts.get(code.file as usize).unwrap_or(&empty).clone()
    };
    log.codes.iter().map(file).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use opmeter_live::LoggedCode;

    use super::*;

    #[test]
    fn what_the_interpreter_runs_on_its_own_has_no_file() {
        let opcodes = OpcodeTable::built_in(3, 13).unwrap();
        let code = |names: &[&str]| LoggedCode {
            file: 1,
            function: 1,
            first_line: 0,
            bytecode: names.iter().flat_map(|name| [opcodes.named(name).unwrap().number, 0]).collect(),
            line_table: Vec::new(),
            own: false,
        };
        let log = CodeLog {
            codes: vec![code(&["EXIT_INIT_CHECK", "RETURN_VALUE"]), code(&["RESUME", "RETURN_VALUE"])],
            ..CodeLog::default()
        };
        let texts: Vec<Arc<str>> = vec!["/".into(), "__init__".into()];
        let files = code_files(&log, &opcodes, &texts);
        assert_eq!(files.iter().map(|file| &**file).collect::<Vec<&str>>(), ["", "__init__"]);
    }
}
