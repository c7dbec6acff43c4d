//! `docs/commands.md`: what each command says of itself with `--help`, and whether the file still says that.

use std::fmt::Write;
use std::path::Path;

use clap::CommandFactory;

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
