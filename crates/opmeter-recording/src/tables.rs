use std::io::ErrorKind;
use std::path::Path;

use crate::atomic_file::AtomicFile;
use crate::cell::Interner;
use crate::side_by_side::side_by_side;
use crate::table_row::{TableRow, read_interned, write_rows};
use crate::{
    DistributionRow, EnergyRow, Error, EventSiteRow, InstructionRow, LineRow, OpcodeRow, PairRow, RunRow,
    SourceRow, SourceTextRow, SpecializationRow,
};

/// All tables of a recording. A table that the recording lacks is empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tables {
    /// Executions by process, phase and opcode.
    pub opcodes: Vec<OpcodeRow>,
    /// Executions of each instruction of each code object that ran.
    pub instructions: Vec<InstructionRow>,
    /// Executions of each line: what [`lines`](crate::lines) makes of the instructions.
    pub lines: Vec<LineRow>,
    /// Executions of pairs of opcodes, where they were asked for.
    pub pairs: Vec<PairRow>,
    /// How many timed executions of each opcode took how long, where times were taken.
    pub distributions: Vec<DistributionRow>,
    /// In which forms the instructions of specialising families ran.
    pub specialization: Vec<SpecializationRow>,
    /// What events are of, where executions were recorded one by one.
    pub event_sites: Vec<EventSiteRow>,
    /// The source files of the code that ran.
    pub sources: Vec<SourceRow>,
    /// What they held, but for the standard library's.
    pub source_texts: Vec<SourceTextRow>,
    /// How long runs of the command without the agent took, if there were any.
    pub runs: Vec<RunRow>,
    /// What these runs cost, where that was measured.
    pub energy: Vec<EnergyRow>,
}

/// The name of a table's file in a recording's folder.
pub(crate) fn file_name<R: TableRow>() -> String {
    format!("{}.parquet", R::TABLE)
}

impl Tables {
    /// The names of the tables of a recording with these rows: all but those of pairs, distributions, events,
    /// source texts and energy, which it only has where there are any.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = vec![OpcodeRow::TABLE, InstructionRow::TABLE, LineRow::TABLE];
        if !self.pairs.is_empty() {
            names.push(PairRow::TABLE);
        }
        if !self.distributions.is_empty() {
            names.push(DistributionRow::TABLE);
        }
        if !self.event_sites.is_empty() {
            names.push(EventSiteRow::TABLE);
        }
        names.extend([SpecializationRow::TABLE, SourceRow::TABLE]);
        if !self.source_texts.is_empty() {
            names.push(SourceTextRow::TABLE);
        }
        if !self.runs.is_empty() {
            names.push(RunRow::TABLE);
        }
        if !self.energy.is_empty() {
            names.push(EnergyRow::TABLE);
        }
        names.into_iter().map(str::to_owned).collect()
    }

    /// Writes the file of each table to a recording's folder; files of tables that it has not are removed.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        // That of instructions takes as long as all others.
        let (instructions, others) =
            side_by_side(|| write(folder, &self.instructions), || self.write_others(folder));
        instructions.and(others)
    }

    fn write_others(&self, folder: &Path) -> Result<(), Error> {
        write(folder, &self.opcodes)?;
        write(folder, &self.lines)?;
        write_if_any(folder, &self.pairs)?;
        write_if_any(folder, &self.distributions)?;
        write_if_any(folder, &self.event_sites)?;
        write(folder, &self.specialization)?;
        write(folder, &self.sources)?;
        write_if_any(folder, &self.source_texts)?;
        self.write_runs(folder)
    }

    /// Writes the tables of runs without the agent.
    pub(crate) fn write_runs(&self, folder: &Path) -> Result<(), Error> {
        write_if_any(folder, &self.runs)?;
        write_if_any(folder, &self.energy)
    }

    /// Reads the tables with these names from a recording's folder. The others are empty, also where
    /// there is a file: it was left by another recording.
    pub(crate) fn read(folder: &Path, names: &[&str]) -> Result<Tables, Error> {
        // A table's file and function names are those of the others.
        let interner = &mut Interner::default();
        Ok(Tables {
            opcodes: read(folder, names, interner)?,
            instructions: read(folder, names, interner)?,
            lines: read(folder, names, interner)?,
            pairs: read(folder, names, interner)?,
            distributions: read(folder, names, interner)?,
            specialization: read(folder, names, interner)?,
            event_sites: read(folder, names, interner)?,
            sources: read(folder, names, interner)?,
            source_texts: read(folder, names, interner)?,
            runs: read(folder, names, interner)?,
            energy: read(folder, names, interner)?,
        })
    }
}

fn write<R: TableRow + Sync>(folder: &Path, rows: &[R]) -> Result<(), Error> {
    AtomicFile::create(folder, &file_name::<R>())?.write_with(|file| write_rows(file, rows))
}

/// Writes a table that a recording only has if there are rows.
fn write_if_any<R: TableRow + Sync>(folder: &Path, rows: &[R]) -> Result<(), Error> {
    if rows.is_empty() { remove::<R>(folder) } else { write(folder, rows) }
}

fn remove<R: TableRow>(folder: &Path) -> Result<(), Error> {
    let path = folder.join(file_name::<R>());
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("replace", &path, error)),
        _ => Ok(()),
    }
}

fn read<R: TableRow>(folder: &Path, names: &[&str], interner: &mut Interner) -> Result<Vec<R>, Error> {
    if !names.contains(&R::TABLE) {
        return Ok(Vec::new());
    }
    let path = folder.join(file_name::<R>());
    read_interned(&path, interner).map_err(|error| match error {
        Error::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            Error::TornTable { path, reason: "the file is missing".to_owned() }
        }
        error => error,
    })
}
