//! Interpreters that are named by their version.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use opmeter_corpus::{Interpreter, VersionName};

use crate::error::Failure;

/// The command that starts an interpreter: of a version such as `3.8`, the path of one; any other name as it is.
///
/// # Errors
/// When there is none of this version.
pub fn command(name: &OsStr) -> Result<OsString, Failure> {
    match name.to_str().filter(|name| VersionName::parse(name).is_some()) {
        Some(version) => {
            let found = Interpreter::find(version, Path::new(".")).map_err(Failure::not_done)?;
            Ok(found.path.into_os_string())
        }
        None => Ok(name.to_owned()),
    }
}
