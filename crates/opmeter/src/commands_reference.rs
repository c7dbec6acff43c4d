//! What documents say of commands: `docs/commands.md` is what each says of itself with `--help`, and every command in
//! any document has options that there are.

use std::fmt::Write;
use std::path::Path;

use clap::{CommandFactory, Parser};

use crate::cli::Cli;
use crate::man;

/// Set to write the file anew.
const VARIABLE: &str = "OPMETER_WRITE_DOCS";

fn reference() -> String {
    let mut text = String::from(
        "# Commands\n\n\
         What `opmeter COMMAND --help` says, of each command. Manual pages: `opmeter man ~/.local/share/man/man1`;\n\
         completions: `opmeter completions bash > ~/.local/share/bash-completion/completions/opmeter`.\n",
    );
    for command in man::all(Cli::command()) {
        let name = command.get_bin_name().unwrap_or("opmeter").to_owned();
        let help = command.term_width(100).render_long_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        write!(text, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim()).unwrap();
    }
    text
}

#[test]
fn the_reference_of_commands_is_what_they_say_of_themselves() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/commands.md");
    if std::env::var_os(VARIABLE).is_some() {
        std::fs::write(&path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written == reference(), "docs/commands.md is not current: run this test once with {VARIABLE}=1");
}

/// The commands in a page: lines that begin with `opmeter`, without what explains them behind three spaces or more.
fn commands(page: &str) -> Vec<Vec<String>> {
    let page = page.replace("\\\n", " ");
    let lines = page.lines().map(str::trim_start).filter(|line| line.starts_with("opmeter "));
    let words = |line: &str| {
        let command = line.split("   ").next().unwrap_or(line);
        let mut words = shlex::split(command).unwrap_or_else(|| panic!("quotes of {command}"));
        let end = words
            .iter()
            .position(|word| ["|", "||", "&&", ";", ">", ">>", "2>", "#"].contains(&word.as_str()));
        words.truncate(end.unwrap_or(words.len()));
        words
    };
    lines.map(words).collect()
}

#[test]
fn commands_in_documents_are_understood() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder =
        |name: &str| std::fs::read_dir(repository.join(name)).unwrap().map(|entry| entry.unwrap().path());
    let pages = folder("docs").chain(folder("docs/guide")).chain([repository.join("README.md")]);
    let mut understood = 0;
    for page in pages.filter(|page| page.extension().is_some_and(|extension| extension == "md")) {
        for words in commands(&std::fs::read_to_string(&page).unwrap()) {
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{}: {}: {error}", page.display(), words.join(" "));
            }
            understood += 1;
        }
    }
    assert!(understood > 100, "{understood}");
}
