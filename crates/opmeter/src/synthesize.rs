//! `opmeter synthesize`

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::HumanCount;
use opmeter_synthesis::{
    Error, Generator, Program, ProgramFolder, RangeFile, Spacing, Template, program_name, sizes,
};

use crate::error::{Failure, NOT_DONE};
use crate::interruption;
use crate::launch;
use crate::message;
use crate::range_search::{SearchArgs, TARGET, Workbench, seconds};
use crate::report::written as told;

/// Arguments of `synthesize`.
#[derive(Args)]
pub struct SynthesizeArgs {
    /// The templates: Python files with a function of n that returns a program's source
    #[arg(value_name = "TEMPLATE.py", required = true)]
    pub templates: Vec<PathBuf>,
    /// Programs of each template
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub count: u32,
    /// How their sizes lie between the smallest and the largest
    #[arg(long, value_enum, default_value_t = SpacingArg::Log)]
    pub spacing: SpacingArg,
    /// The folder to write to [default: TEMPLATE-programs beside the template]
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
    /// Replace programs that are there and differ
    #[arg(short, long)]
    pub force: bool,
    /// The smallest n [default: of the template's range]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub min: Option<u64>,
    /// The largest n [default: of the template's range]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub max: Option<u64>,
    /// How long a program may run, in seconds [default: as the range that is known, or 10]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub target: Option<f64>,
    #[command(flatten)]
    pub search: SearchArgs,
}

/// How sizes are spaced, on the command line.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SpacingArg {
    /// Each about the same multiple of the one before
    Log,
    /// Each about as much above the one before
    Linear,
}

/// What is to be written, and from where.
#[derive(Default)]
struct Plan {
    folders: BTreeMap<PathBuf, ProgramFolder>,
    /// From which template each program comes.
    origins: BTreeMap<PathBuf, PathBuf>,
    /// What is told in the end, a line each.
    lines: Vec<String>,
}

/// Why a template has no programs: somebody asked to end, or something to be told.
type Refusal = ControlFlow<i32, Failure>;

/// Writes programs of each template. Status 0 where all were written, 1 where a template gave none.
pub fn run(args: &SynthesizeArgs) -> Result<ExitCode, Failure> {
    if let (Some(min), Some(max)) = (args.min, args.max)
        && min > max
    {
        return Err(Failure::wrong(format_args!("--min {min} is above --max {max}: there is no n between")));
    }
    let signal = interruption::watch();
    let workbench = Workbench::new(&args.search, args.target.unwrap_or(TARGET), signal)?;
    let mut plan = Plan::default();
    let mut status = ExitCode::SUCCESS;
    for path in &args.templates {
        match plan.add(args, &workbench, path) {
            Ok(()) => {}
            Err(Refusal::Break(signal)) => return Ok(launch::end_by(signal)),
            Err(Refusal::Continue(failure)) if failure.status == NOT_DONE => {
                message::tell_lines(&failure.message);
                status = ExitCode::from(NOT_DONE);
            }
            Err(Refusal::Continue(failure)) => return Err(failure),
        }
    }
    for folder in plan.folders.values() {
        folder.check(args.force).map_err(Failure::not_done)?;
    }
    let say = |line: &str| told(writeln!(io::stdout(), "{line}"));
    plan.lines.iter().try_for_each(|line| say(line))?;
    for (path, folder) in plan.folders {
        let written = folder.write().map_err(Failure::not_done)?;
        let counts = [(written.new, "new"), (written.replaced, "replaced"), (written.same, "there already")];
        let counts =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, how)| format!("{count} {how}"));
        let counts = counts.collect::<Vec<_>>().join(", ");
        say(&format!("{}: {counts}", message::shown_path(&path)))?;
    }
    Ok(status)
}

fn refused(error: Error) -> Refusal {
    match error {
        Error::Interrupted { signal } => Refusal::Break(signal),
        error => Refusal::Continue(Failure::not_done(error)),
    }
}

impl Plan {
    /// Generates the programs of a template.
    fn add(&mut self, args: &SynthesizeArgs, workbench: &Workbench, path: &Path) -> Result<(), Refusal> {
        let template = Template::open(path).map_err(refused)?;
        let mut generator = workbench.generator(&template).map_err(refused)?;
        let (min, max) = match (args.min, args.max) {
            (Some(min), Some(max)) => (min, max),
            _ => {
                let ends = ends(args, workbench, generator)?;
                generator = workbench.generator(&template).map_err(refused)?;
                ends
            }
        };
        let folder = match &args.output {
            Some(folder) => folder.clone(),
            None => path.with_file_name(format!("{}-programs", template.stem())),
        };
        let spacing = match args.spacing {
            SpacingArg::Log => Spacing::Logarithmic,
            SpacingArg::Linear => Spacing::Linear,
        };
        let sizes = sizes(min, max, args.count as usize, spacing);
        let (count, asked) = (sizes.len(), args.count as usize);
        let mut programs = Vec::with_capacity(count);
        for n in sizes {
            let name = program_name(&template, n, max);
            programs.push((name, n, source(&generator, n)?));
        }
        for (name, n, source) in programs {
            self.take(&folder, name, &template, n, source)?;
        }
        let few = if count < asked { format!("; the range holds no {asked} sizes") } else { String::new() };
        let noun = if count == 1 { "program" } else { "programs" };
        self.lines.push(format!(
            "{}: {count} {noun}, n = {} to {}{few}",
            template.name,
            HumanCount(min),
            HumanCount(max)
        ));
        Ok(())
    }

    fn take(
        &mut self,
        folder: &Path,
        name: String,
        template: &Template,
        n: u64,
        source: Vec<u8>,
    ) -> Result<(), Refusal> {
        let place = folder.join(&name);
        let origin = self.origins.entry(place.clone()).or_insert_with(|| template.path.clone());
        if *origin != template.path {
            return Err(Refusal::Continue(Failure::wrong(format_args!(
                "{} would come from both {} and {}; choose a folder for each with -o",
                place.display(),
                origin.display(),
                template.path.display()
            ))));
        }
        let programs = self.folders.entry(folder.to_owned()).or_insert_with(|| ProgramFolder::new(folder));
        programs.add(name, template, n, source);
        Ok(())
    }
}

fn source(generator: &Generator, n: u64) -> Result<Vec<u8>, Refusal> {
    let path = generator.template().path.clone();
    let reason = match generator.program(n).map_err(refused)? {
        Program::Source(source) => return Ok(source),
        Program::None(reason) => reason,
        Program::Endless(seconds) => format!("the template did not return within {seconds} s"),
    };
    Err(refused(Error::NoProgram { path, n, reason }))
}

/// The ends of a template's range: from its table in `range.toml`, or searched now.
fn ends(args: &SynthesizeArgs, workbench: &Workbench, generator: Generator) -> Result<(u64, u64), Refusal> {
    let template = generator.template().clone();
    let file = RangeFile::beside(template.folder());
    let known = file.entry(&template.name).map_err(refused)?;
    let known = known.filter(|entry| entry.is_of(&template, generator.function(), args.target));
    let entry = match known {
        Some(entry) => {
            let version = &workbench.interpreter().version;
            if entry.python_version != *version {
                message::tell(format_args!(
                    "the range of {} was found with Python {}, not {version}; `opmeter range` finds it anew",
                    template.name, entry.python_version
                ));
            }
            entry
        }
        None => {
            message::tell(format_args!(
                "searching the range of {}, which {} does not hold",
                template.name,
                file.path().display()
            ));
            workbench.search(generator).map_err(refused)?.1
        }
    };
    let not_found = |end: &str, option: &str, stopped_by: &str| {
        Refusal::Continue(Failure::not_done(format_args!(
            "{}: no {end} n was found: {stopped_by}; see {}, or choose one with {option}",
            template.path.display(),
            file.path().display()
        )))
    };
    let found = entry.largest.filter(|_| entry.found);
    let min = args.min.or(entry.smallest);
    let min = min.ok_or_else(|| not_found("smallest", "--min", &entry.smallest_stopped_by))?;
    let max = args.max.or(found);
    let max = max.ok_or_else(|| not_found("largest", "--max", &entry.largest_stopped_by))?;
    if min > max {
        return Err(Refusal::Continue(Failure::wrong(format_args!(
            "{}: n from {min} to {max} holds no size; choose other ends with --min and --max",
            template.path.display()
        ))));
    }
    Ok((min, max))
}
