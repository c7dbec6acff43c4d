//! `opmeter cache`

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::analysis_cache::AnalysisCache;
use crate::error::Failure;
use crate::report::written;

/// Arguments of `cache`.
#[derive(Args)]
pub struct CacheArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Say where the cache of analyses is, and what it takes
    Info,
    /// Empty it
    Clear,
}

/// Says what the cache holds, or empties it.
pub fn run(args: &CacheArgs) -> Result<ExitCode, Failure> {
    let cache = AnalysisCache::open();
    let (folder, entries, bytes) = cache.info();
    let folder =
        folder.map_or("no folder can be written to".to_owned(), |folder| folder.display().to_string());
    let text = match args.action {
        Action::Info => format!("{folder}: {entries} entries, {:.1} MB", bytes as f64 / 1e6),
        Action::Clear => {
            let cleared = cache.clear().map_err(|error| {
                Failure::not_done(format_args!("{folder} can't be emptied: {error}; remove it by hand"))
            })?;
            format!("{folder}: {cleared} entries removed")
        }
    };
    written(writeln!(io::stdout(), "{text}"))?;
    Ok(ExitCode::SUCCESS)
}
