use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use serde::Deserialize;
use tempfile::TempDir;

use crate::bounded_process::{self, Ending};
use crate::failure::{last_line, one_line};
use crate::trials::Limits;
use crate::{Error, Interpreter, Template};

const DRIVER: &str = include_str!("driver.py");

/// Has an interpreter evaluate a template.
pub struct Generator {
    template: Template,
    interpreter: Interpreter,
    function: String,
    limits: Limits,
    signal: Arc<AtomicUsize>,
    folder: TempDir,
}

/// What a template gave for a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The source: valid Python in UTF-8.
    Source(Vec<u8>),
    /// There is none, and why.
    None(String),
    /// The template did not come to an end in this many seconds.
    Endless(u64),
}

/// What the driver answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Done { function: String },
    Refused { kind: String, message: String },
}

/// How an evaluation ended.
enum Evaluation {
    Answered(Answer),
    Ended(String),
    Printed(String),
    Endless,
}

impl Generator {
    /// Loads a template and finds its function: `asked`, or else the only one that fits. `signal` becomes the
    /// number of a signal that asks to end.
    ///
    /// # Errors
    /// When the template can't be loaded, prints, or has no such function; when no temporary folder can be made.
    pub fn new(
        template: &Template,
        interpreter: &Interpreter,
        asked: Option<&str>,
        limits: Limits,
        signal: Arc<AtomicUsize>,
    ) -> Result<Generator, Error> {
        let folder = tempfile::Builder::new().prefix("opmeter-template-").tempdir();
        let folder = folder.map_err(|source| Error::io("make a folder in", std::env::temp_dir(), source))?;
        let mut generator = Generator {
            template: template.clone(),
            interpreter: interpreter.clone(),
            function: asked.unwrap_or_default().to_owned(),
            limits,
            signal,
            folder,
        };
        let reason = match generator.evaluate(None)? {
            Evaluation::Answered(Answer::Done { function }) => {
                generator.function = function;
                return Ok(generator);
            }
            Evaluation::Answered(Answer::Refused { kind, message }) if kind == "load" => {
                format!("the template can't be loaded: {message}; mend it")
            }
            Evaluation::Answered(Answer::Refused { message, .. }) => {
                format!("{message}; a template has a function of n that returns a program's source")
            }
            Evaluation::Ended(how) => {
                format!("the template ended the interpreter while it was loaded: {how}; mend it")
            }
            Evaluation::Printed(line) => printed(&line),
            Evaluation::Endless => {
                let seconds = generator.limits.template.as_secs();
                format!("the template was not loaded after {seconds} s; mend it")
            }
        };
        Err(Error::Template { path: template.path.clone(), reason })
    }

    /// The name of the template's function.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The template.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// Generates the program of size `n`.
    ///
    /// # Errors
    /// When the template prints, which it should do at no size; when the interpreter can't be started.
    pub fn program(&self, n: u64) -> Result<Program, Error> {
        let output = self.folder.path().join(format!("{}-n{n}.py", self.template.stem()));
        let evaluation = self.evaluate(Some((n, &output)))?;
        let function = &self.function;
        let reason = match evaluation {
            Evaluation::Answered(Answer::Done { .. }) => {
                let source = fs::read(&output).map_err(|source| Error::io("read", &output, source))?;
                let _ = fs::remove_file(&output);
                return Ok(Program::Source(source));
            }
            Evaluation::Answered(Answer::Refused { kind, message }) => match &*kind {
                "raise" => format!("the template raised {message}"),
                "text" => format!("the template's function {message}"),
                "invalid" => format!("the template's program is no valid Python: {message}"),
                _ => format!("the template failed: {message}"),
            },
            Evaluation::Ended(how) => {
                format!("the template's function {function} ended the interpreter: {how}")
            }
            Evaluation::Printed(line) => {
                let path = self.template.path.clone();
                return Err(Error::Template { path, reason: printed(&line) });
            }
            Evaluation::Endless => return Ok(Program::Endless(self.limits.template.as_secs())),
        };
        Ok(Program::None(one_line(&reason)))
    }

    /// Runs the driver.
    fn evaluate(&self, program: Option<(u64, &Path)>) -> Result<Evaluation, Error> {
        let answer = self.folder.path().join("answer.json");
        let _ = fs::remove_file(&answer);
        let mut command = Command::new(&self.interpreter.executable);
        // The same hashes, so the same order of a set, each time; the same encoding everywhere.
        command.env("PYTHONHASHSEED", "0").env("PYTHONIOENCODING", "utf-8:backslashreplace");
        command.args(["-B", "-X", "utf8", "-c", DRIVER]).current_dir(self.folder.path());
        command.arg(&self.template.path).arg(&answer).arg(&self.function);
        if let Some((n, output)) = program {
            command.arg(n.to_string()).arg(output);
        }
        let Limits { template: limit, memory, .. } = self.limits;
        let ending = bounded_process::run(&mut command, limit, memory, false, &self.signal);
        let ending = ending.map_err(|error| Error::Interpreter {
            name: self.interpreter.executable.display().to_string(),
            reason: format!("could not be started: {error}"),
        })?;
        let (status, stdout, stderr) = match ending {
            Ending::Exited { status, stdout, stderr, .. } => (status, stdout, stderr),
            Ending::TimedOut => return Ok(Evaluation::Endless),
            Ending::Interrupted(signal) => return Err(Error::Interrupted { signal }),
        };
        let answered = fs::read(&answer).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Ok(match answered {
            // A program that was printed was not returned: of the two, the first is to be told.
            Some(Answer::Refused { kind, message }) if kind != "text" || stdout.is_empty() => {
                Evaluation::Answered(Answer::Refused { kind, message })
            }
            _ if !stdout.is_empty() => {
                Evaluation::Printed(one_line(stdout.lines().next().unwrap_or_default()))
            }
            Some(done) => Evaluation::Answered(done),
            None => Evaluation::Ended(last_line(status, &stderr)),
        })
    }
}

fn printed(line: &str) -> String {
    format!("the template printed {line:?}; it must return the program's source, and print nothing")
}
