//! Opmeter: a meter for CPython bytecode.

mod agent;
mod cli;
mod doctor;
mod error;
mod export;
mod launch;
mod live_folder;
mod machine;
mod output;
mod record;
mod report;

fn main() -> std::process::ExitCode {
    cli::run()
}
