//! Opmeter: a meter for CPython bytecode.

mod agent;
mod annotate;
mod changed_sources;
mod cli;
mod descendants;
mod doctor;
mod energy;
mod error;
mod event_reader;
mod export;
mod export_events;
mod file_limit;
mod launch;
mod live_folder;
mod long_executions;
mod machine;
mod measure;
mod native;
mod output;
mod present_instruction;
mod record;
mod report;
mod selection;
mod signal_passing;

fn main() -> std::process::ExitCode {
    cli::run()
}
