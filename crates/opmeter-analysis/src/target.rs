use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use opmeter_recording::Tables;

use crate::{Files, RowFilter, Shown};

/// What is annotated: a file, or one of its functions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The file.
    pub file: Arc<str>,
    /// The function's name and first line; none for the whole file.
    pub function: Option<(Arc<str>, u32)>,
}

/// Why there is nothing to annotate. File and function names in its text are quoted, and safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetError {
    /// Nothing ran in any file that is taken.
    Nothing,
    /// No file or function has the name.
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// Several have the name.
    Ambiguous {
        /// The name that was asked for.
        name: String,
        /// What has it.
        candidates: Vec<Target>,
    },
}

/// The most candidates that an error lists.
const MOST_CANDIDATES: usize = 20;

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetError::Nothing => {
                f.write_str("nothing ran in the files and phases that are asked for; try --phase all")
            }
            TargetError::Unknown { name } => write!(
                f,
                "no code of a file or function {name:?} ran; `opmeter report REC --by function --all-files` \
                 lists what did"
            ),
            TargetError::Ambiguous { name, candidates } => {
                write!(f, "{name:?} fits several:")?;
                for candidate in candidates.iter().take(MOST_CANDIDATES) {
                    match &candidate.function {
                        None => write!(f, "\n  {:?}", candidate.file)?,
                        Some((function, line)) => {
                            write!(f, "\n  {:?} in {:?}", format!("{function}:{line}"), candidate.file)?;
                        }
                    }
                }
                if candidates.len() > MOST_CANDIDATES {
                    write!(f, "\n  and {} more", candidates.len() - MOST_CANDIDATES)?;
                }
                f.write_str("\ngive more of the name, a function as NAME:LINE, or a file with --include")
            }
        }
    }
}

impl std::error::Error for TargetError {}

impl Target {
    /// Finds what a name stands for: a file by its name, absolute path or the end of one; or a function by
    /// its qualified name or the last part of it, `:` and its first line after it or not. Without a name it
    /// is the file with the most executions of those that are not folded, or of all if all are.
    ///
    /// # Errors
    /// Where nothing, or more than one thing, has the name.
    pub fn find(
        tables: &Tables,
        files: &Files<'_>,
        filter: &RowFilter,
        name: Option<&str>,
    ) -> Result<Target, TargetError> {
        let Some(name) = name else { return hottest(tables, files, filter) };
        let known: BTreeSet<&Arc<str>> = tables.lines.iter().map(|row| &row.file).collect();
        let known: Vec<&Arc<str>> =
            known.into_iter().filter(|file| !file.is_empty() && files.takes(file)).collect();
        let plain = name.strip_prefix("./").unwrap_or(name);
        let named = |fits: &dyn Fn(&str) -> bool| -> Vec<Target> {
            let fitting = known.iter().filter(|file| fits(file) || files.path(file).is_some_and(fits));
            fitting.map(|file| Target { file: (*file).clone(), function: None }).collect()
        };
        let end = format!("/{plain}");
        let whole = functions(tables, files, |function, line| is_named(function, line, name));
        let last = || functions(tables, files, |function, line| has_last_part(function, line, name));
        let tries: [&dyn Fn() -> Vec<Target>; 4] = [
            &|| named(&|file| file == name || file == plain),
            &|| named(&|file| file.ends_with(&end)),
            &|| whole.clone(),
            &last,
        ];
        for candidates in tries {
            let candidates = preferred(candidates(), files);
            match <[Target; 1]>::try_from(candidates) {
                Ok([target]) => return Ok(target),
                Err(none) if none.is_empty() => {}
                Err(candidates) => {
                    return Err(TargetError::Ambiguous { name: name.to_owned(), candidates });
                }
            }
        }
        Err(TargetError::Unknown { name: name.to_owned() })
    }
}

/// The candidates in files that are not folded, if there are any.
fn preferred(candidates: Vec<Target>, files: &Files<'_>) -> Vec<Target> {
    let (own, folded): (Vec<Target>, Vec<Target>) =
        candidates.into_iter().partition(|target| files.shown(&target.file) == Shown::Itself);
    if own.is_empty() { folded } else { own }
}

fn hottest(tables: &Tables, files: &Files<'_>, filter: &RowFilter) -> Result<Target, TargetError> {
    let mut sums: BTreeMap<&Arc<str>, u128> = BTreeMap::new();
    for row in &tables.lines {
        if row.executions > 0 && !row.file.is_empty() && filter.takes(row) && files.takes(&row.file) {
            *sums.entry(&row.file).or_default() += u128::from(row.executions);
        }
    }
    let own = |file: &str| files.shown(file) == Shown::Itself;
    let most = sums.into_iter().max_by_key(|(file, executions)| (own(file), *executions));
    most.map(|(file, _)| Target { file: file.clone(), function: None }).ok_or(TargetError::Nothing)
}

fn functions(tables: &Tables, files: &Files<'_>, fits: impl Fn(&str, u32) -> bool) -> Vec<Target> {
    let mut found = BTreeSet::new();
    for row in &tables.instructions {
        if fits(&row.function, row.first_line) && files.takes(&row.file) {
            found.insert((&row.file, row.first_line, &row.function));
        }
    }
    let target = |(file, line, function): (&Arc<str>, u32, &Arc<str>)| Target {
        file: file.clone(),
        function: Some((function.clone(), line)),
    };
    found.into_iter().map(target).collect()
}

/// Whether a function's name, or its name with its line, is `name`.
fn is_named(function: &str, line: u32, name: &str) -> bool {
    let rest = name.strip_prefix(function);
    rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':') == Some(line.to_string().as_str()))
}

fn has_last_part(function: &str, line: u32, name: &str) -> bool {
    function.rsplit_once('.').is_some_and(|(_, last)| is_named(last, line, name))
}
