use std::path::PathBuf;

use clap::{Args, ValueEnum};
use opmeter_opcodes::Family;
use opmeter_report::DataFormat;

use crate::error::Failure;
use crate::phase_arg::PhaseArg;
use crate::terms_arg::TermsArg;

/// Arguments of `analyze`.
#[derive(Args)]
pub struct AnalyzeArgs {
    /// Folders of results, as of `opmeter measure`, or recordings
    #[arg(value_name = "FOLDER", required = true)]
    pub folders: Vec<PathBuf>,
    /// What there is a row for
    #[arg(long, value_enum, default_value_t = View::Program)]
    pub by: View,
    /// Count in the names that were executed, or in those that the compiler emitted
    #[arg(long, value_enum, default_value_t = TermsArg::Base)]
    pub terms: TermsArg,
    /// Phases to take
    #[arg(long, value_enum, value_delimiter = ',', default_value = "main")]
    pub phase: Vec<PhaseArg>,
    /// Only programs whose names fit
    #[arg(long, value_name = "PATTERN")]
    pub program: Option<String>,
    /// Only results of an interpreter: a version such as 3.11, or its path
    #[arg(long, value_name = "PY")]
    pub python: Option<String>,
    /// Only results of this machine, by its name
    #[arg(long, value_name = "HOSTNAME")]
    pub machine: Option<String>,
    /// Only opcodes of this family, such as calls (with --by opcode, family or matrix)
    #[arg(long, value_name = "FAMILY", value_parser = family)]
    pub family: Option<Family>,
    /// Sort by a column: texts from A, numbers from the highest
    #[arg(long, value_name = "COLUMN")]
    pub sort: Option<String>,
    /// Only so many rows
    #[arg(long, value_name = "N")]
    pub top: Option<usize>,
    /// Name all that is left out, however much it is
    #[arg(long)]
    pub left_out: bool,
    /// The format
    #[arg(long, value_enum, default_value_t = DataFormatArg::Table)]
    pub format: DataFormatArg,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl AnalyzeArgs {
    /// Whether families of opcodes are asked for.
    ///
    /// # Errors
    /// Where one is, and rows have none.
    pub fn is_by_family(&self) -> Result<bool, Failure> {
        match (self.by, self.family) {
            (View::Opcode | View::Family, _) => Ok(true),
            (View::Matrix, family) => Ok(family.is_some()),
            (View::Program | View::Interpreter, None) => Ok(false),
            (View::Program | View::Interpreter, Some(_)) => Err(Failure::wrong(
                "--family is of opcodes, and goes with --by opcode, --by family or --by matrix; leave it out",
            )),
        }
    }
}

fn family(text: &str) -> Result<Family, String> {
    let named = Family::ALL.into_iter().find(|family| family.name() == text.to_lowercase());
    named.ok_or_else(|| {
        let names: Vec<&str> = Family::ALL.into_iter().map(Family::name).collect();
        format!("families are {}", names.join(", "))
    })
}

/// What there is a row for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum View {
    /// Programs: executions, time, energy
    Program,
    /// Opcodes over all programs
    Opcode,
    /// Families of opcodes over all programs
    Family,
    /// Each opcode of each program
    Matrix,
    /// Interpreters, compared over the programs that they ran
    Interpreter,
}

/// A format for tables.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataFormatArg {
    /// For the terminal
    Table,
    /// Comma-separated values
    Csv,
    /// An array of objects
    Json,
    /// Apache Parquet
    Parquet,
    /// A table for Markdown
    Markdown,
}

impl DataFormatArg {
    /// The format.
    pub fn format(self) -> DataFormat {
        match self {
            Self::Table => DataFormat::Table,
            Self::Csv => DataFormat::Csv,
            Self::Json => DataFormat::Json,
            Self::Parquet => DataFormat::Parquet,
            Self::Markdown => DataFormat::Markdown,
        }
    }
}
