use clap::ValueEnum;
use opmeter_analysis::Terms;

use crate::error::Failure;

/// In which terms executions are counted.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TermsArg {
    /// As executed: specialised and combined opcodes under their own names
    Executed,
    /// As compiled: every instruction under its base opcode
    Base,
}

impl From<TermsArg> for Terms {
    fn from(terms: TermsArg) -> Terms {
        match terms {
            TermsArg::Executed => Terms::AsExecuted,
            TermsArg::Base => Terms::Base,
        }
    }
}

/// The terms to count in, where `of_files` says whether files are chosen; `otherwise` where nothing is asked for.
///
/// # Errors
/// When files are chosen and what they executed is asked for.
pub fn terms(asked: Option<TermsArg>, otherwise: TermsArg, of_files: bool) -> Result<Terms, Failure> {
    match asked {
        Some(TermsArg::Executed) if of_files => Err(Failure::wrong(
            "of single files it is only known what the compiler emitted; leave --terms executed, or --include and \
             --exclude, out",
        )),
        _ if of_files => Ok(Terms::Base),
        asked => Ok(asked.unwrap_or(otherwise).into()),
    }
}
