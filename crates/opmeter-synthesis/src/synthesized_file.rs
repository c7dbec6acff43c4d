use std::collections::BTreeMap;
use std::path::Path;

use opmeter_files::{LONGEST_TEXT, read_whole};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::template::sha256;
use crate::toml_file::{read, write_whole};

/// The file's name.
pub(crate) const NAME: &str = "synthesized.toml";

const HEADING: &str = "\
# The programs of this folder that were made from templates: written by `opmeter synthesize`.

";

/// What `synthesized.toml` says of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynthesizedRow {
    /// The file name of its template.
    pub template: String,
    /// The SHA-256 of its template.
    pub template_sha256: String,
    /// Its size.
    pub n: u64,
    /// The SHA-256 of the program, in hexadecimal digits.
    pub sha256: String,
}

/// Adds rows to a folder's file, by the programs' names. Rows of programs that are there unchanged stay.
///
/// # Errors
/// When the file that is there is damaged, or the new one can't be written.
pub(crate) fn add(folder: &Path, new: BTreeMap<String, SynthesizedRow>) -> Result<(), Error> {
    let path = folder.join(NAME);
    let torn = |reason: String| Error::Torn { path: path.clone(), reason };
    let present = toml_edit::de::from_document::<BTreeMap<String, SynthesizedRow>>(read(&path)?);
    let mut rows = present.map_err(|error| torn(error.message().to_owned()))?;
    rows.retain(|name, row| {
        read_whole(&folder.join(name), LONGEST_TEXT).is_ok_and(|content| sha256(&content) == row.sha256)
    });
    rows.extend(new);
    let text = toml_edit::ser::to_string_pretty(&rows).map_err(|error| torn(error.to_string()))?;
    write_whole(&path, (HEADING.to_owned() + &text).as_bytes())
}
