//! `opmeter man`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::Cli;
use crate::error::Failure;
use crate::message;
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
    let cannot = |path: &Path, error: std::io::Error| Failure::not_written(path.display(), &error);
    fs::create_dir_all(&args.folder).map_err(|error| cannot(&args.folder, error))?;
    let mut written = 0;
    for command in all(Cli::command()) {
        let path = args.folder.join(format!("{}.1", command.get_name()));
        let mut page = Vec::new();
        render(command, &mut page).map_err(|error| cannot(&path, error))?;
        fs::write(&path, page).map_err(|error| cannot(&path, error))?;
        written += 1;
    }
    told(writeln!(io::stdout(), "wrote {written} manual pages to {}", message::shown_path(&args.folder)))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a command's manual page. Its synopsis is not the library's, which has options without the values that they take.
fn render(command: clap::Command, out: &mut dyn Write) -> io::Result<()> {
    let (synopsis, has_subcommands) = (synopsis(&command), command.has_subcommands());
    let has_version = command.get_version().or_else(|| command.get_long_version()).is_some();
    let man = Man::new(command);
    man.render_title(out)?;
    man.render_name_section(out)?;
    synopsis.to_writer(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if has_subcommands {
        man.render_subcommands_section(out)?;
    }
    if has_version {
        man.render_version_section(out)?;
    }
    Ok(())
}

/// How a command is typed: its options with their values, then its arguments.
fn synopsis(command: &clap::Command) -> Roff {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut line = vec![bold(name)];
    let shown = |arg: &&clap::Arg| !arg.is_hide_set();
    for option in command.get_arguments().filter(shown).filter(|arg| !arg.is_positional()) {
        let text = if option.is_required_set() { format!(" {option}") } else { format!(" [{option}]") };
        line.push(roman(text));
    }
    line.extend(command.get_positionals().filter(shown).map(|arg| roman(format!(" {arg}"))));
    if command.has_subcommands() {
        line.push(roman(" <COMMAND>"));
    }
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text(line);
    roff
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_options_with_their_values() {
        let mut pages = std::collections::BTreeMap::new();
        for command in all(Cli::command()) {
            let name = command.get_name().to_owned();
            let mut page = Vec::new();
            render(command, &mut page).unwrap();
            pages.insert(name, String::from_utf8(page).unwrap().replace("\\-", "-"));
        }
        let report = &pages["opmeter-report"];
        let synopsis = report.split(".SH SYNOPSIS").nth(1).unwrap().split(".SH").next().unwrap();
        for part in ["[--by <BY>]", "[--check]", "[--process <N>]", " <REC>...", "[-o", "opmeter report"] {
            assert_eq!(synopsis.contains(part), part != "[-o", "{part}: {synopsis}");
        }
        assert!(pages["opmeter-model"].contains("<COMMAND>") && pages["opmeter"].contains(".SH VERSION"));
        assert!(pages.values().all(|page| page.contains(".SH OPTIONS") && page.contains(".SH DESCRIPTION")));
    }
}
