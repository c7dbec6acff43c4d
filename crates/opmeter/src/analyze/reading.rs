use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use opmeter_analysis::{Study, StudyTimes};
use opmeter_corpus::{CollectedResult, Skipped};
use opmeter_recording::Recording;

use crate::analysis_cache::AnalysisCache;

/// Results that were read.
#[derive(Default)]
pub(super) struct Read {
    /// What they tell.
    pub(super) studies: Vec<Study>,
    /// Those that can't be used.
    pub(super) skipped: Vec<Skipped>,
    /// What is missing of those that are used: a sentence each, without a full stop.
    pub(super) gaps: Vec<String>,
}

impl Read {
    /// Reads results; `by_family` is whether families of opcodes are asked for. A bar shows how far it has come, where there
    /// is somebody to look at it.
    pub(super) fn of(results: Vec<CollectedResult>, by_family: bool) -> Self {
        let cache = AnalysisCache::open();
        let results = results.into_iter().map(|result| {
            let kept = Kept::of(&result, &cache);
            (result, kept)
        });
        let results: Vec<(CollectedResult, Kept)> = results.collect();
        let bar = bar(results.iter().map(|(result, kept)| 1 + kept.events_to_read(result)).sum());
        let mut read = Self::default();
        for (result, kept) in results {
            if result.manifest.has_counts() && !result.manifest.complete {
                read.gaps.push(incomplete(&result));
            }
            match study(&result, kept, (&cache, by_family), &bar) {
                Ok((study, gaps)) => {
                    read.studies.push(study);
                    read.gaps.extend(gaps.iter().map(|gap| format!("{}: {gap}", result.path.display())));
                }
                Err(reason) => read.skipped.push(Skipped { path: result.path, reason }),
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        read
    }
}

/// That a result does not have all that was executed, and what it says of it.
fn incomplete(result: &CollectedResult) -> String {
    let (path, missing) = (result.path.display(), &result.manifest.incomplete);
    match &missing[..] {
        [] => format!("{path} is not complete; it does not say what is missing"),
        [one] => format!("{path} is not complete: {one}"),
        [first, others @ ..] => {
            format!("{path} is not complete: {first} (and {} more; `opmeter report` names all)", others.len())
        }
    }
}

/// What the cache has of a result.
struct Kept {
    /// Under which key, if it is of those that are kept.
    key: Option<String>,
    times: Option<StudyTimes>,
}

impl Kept {
    fn of(result: &CollectedResult, cache: &AnalysisCache) -> Self {
        // Nothing else takes long to read.
        let are_of_events = StudyTimes::are_of_events(&result.manifest);
        let key = if are_of_events { AnalysisCache::key(&result.path).ok() } else { None };
        let times = key.as_ref().and_then(|key| cache.get(key));
        Self { key, times }
    }

    fn events_to_read(&self, result: &CollectedResult) -> u64 {
        if self.times.is_some() {
            return 0;
        }
        result.manifest.processes.iter().filter_map(|process| process.events.as_ref()).map(|e| e.events).sum()
    }
}

/// A bar with a step for each result, and each event, that is to be read, where there is somebody to look at it.
fn bar(steps: u64) -> ProgressBar {
    let terminal = io::stderr().is_terminal();
    let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} % read, {eta} left");
    let bar = ProgressBar::with_draw_target(Some(steps), target);
    style.into_iter().fold(bar, ProgressBar::with_style)
}

/// What a result tells, and what is missing of its events. Its times are kept where they had to be made of events that are
/// all there.
fn study(
    result: &CollectedResult,
    Kept { key, times }: Kept,
    (cache, by_family): (&AnalysisCache, bool),
    bar: &ProgressBar,
) -> Result<(Study, Vec<String>), String> {
    let needed = |table: &str| match table {
        "runs" | "energy" => true,
        table => times.is_none() && StudyTimes::need(table, &result.manifest, by_family),
    };
    let recording = Recording::open_tables(&result.path, needed).map_err(|error| error.to_string())?;
    let times = match times {
        Some(times) => times,
        None => {
            let times = StudyTimes::of(&recording, &|events| bar.inc(events))
                .map_err(|error| format!("its events can't be read: {error}; record it again"))?;
            // What is damaged is read anew each time, and so is what has changed in the meantime.
            if let Some(key) = key.filter(|_| times.gaps.is_empty())
                && AnalysisCache::key(&result.path).is_ok_and(|now| now == key)
            {
                cache.put(&key, &times);
            }
            times
        }
    };
    let gaps = times.gaps.iter().map(ToString::to_string).collect();
    Ok((Study::new(result.program(), result.interpreter(), recording, times), gaps))
}
