//! `opmeter man`

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::cli::Cli;
use crate::error::Failure;
use crate::report::written as told;

/// Arguments of `man`.
#[derive(Args)]
pub struct ManArgs {
    /// The folder to write them to, such as ~/.local/share/man/man1
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// Writes a manual page of the command, and one of each subcommand.
pub fn run(args: &ManArgs) -> Result<ExitCode, Failure> {
    let cannot = |what: &str, error: std::io::Error| {
        Failure::not_done(format!("cannot write {what} to {}: {error}", args.folder.display()))
    };
    fs::create_dir_all(&args.folder).map_err(|error| cannot("manual pages", error))?;
    let mut written = 0;
    for command in all(Cli::command()) {
        let name = format!("{}.1", command.get_name());
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(|error| cannot(&name, error))?;
        fs::write(args.folder.join(&name), page).map_err(|error| cannot(&name, error))?;
        written += 1;
    }
    told(writeln!(io::stdout(), "wrote {written} manual pages to {}", args.folder.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The command and all below it, each by its full name: `opmeter-model-fit`.
pub fn all(command: clap::Command) -> Vec<clap::Command> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let mut open = vec![(command.get_name().to_owned(), command)];
    let mut found = Vec::new();
    while let Some((name, command)) = open.pop() {
        let below = command.get_subcommands().map(|sub| (format!("{name}-{}", sub.get_name()), sub.clone()));
        let mut below: Vec<_> = below.collect();
        below.reverse();
        open.extend(below);
        // Usage lines have spaces between the names.
        let shown = name.replace('-', " ");
        found.push(command.bin_name(shown).name(name));
    }
    found
}
