//! Whether counts and energy of a recording, which are measured one after the other, are of the same program.

use std::fs;

use opmeter_recording::SourceRow;

/// What to say where any of the source files were written to since a moment (RFC 3339) at which the other part of the
/// recording was measured.
pub fn warning(sources: &[SourceRow], since: &str) -> Option<String> {
    let since = humantime::parse_rfc3339(since).ok()?;
    let is_newer = |path: &&str| {
        let written = fs::metadata(path).and_then(|metadata| metadata.modified());
        written.is_ok_and(|written| written > since)
    };
    let paths = sources.iter().map(|source| source.path.as_str()).filter(|path| !path.is_empty());
    let mut newer = paths.filter(is_newer);
    let first = newer.next()?;
    let others = match newer.count() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    Some(format!(
        "{first}{others} changed between the recording of counts and the measuring of energy, which are of different \
         programs then; use --force to do again what came first"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn files_that_were_written_later_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let source = |name: &str| {
            let path = folder.path().join(name);
            fs::write(&path, "pass\n").unwrap();
            SourceRow {
                file: name.into(),
                path: path.display().to_string(),
                size: 5,
                sha256: String::new(),
                changed: 0,
            }
        };
        let gone = SourceRow { file: "gone.py".into(), path: String::new(), ..source("removed.py") };
        let sources = [gone, source("a.py"), source("b.py")];
        let at = |moment: SystemTime| humantime::format_rfc3339_millis(moment).to_string();
        let before = at(SystemTime::now() - Duration::from_secs(60));
        let after = at(SystemTime::now() + Duration::from_secs(60));
        let warning = super::warning(&sources, &before).unwrap();
        assert!(warning.contains("a.py (and 1 more) changed between"), "{warning}");
        assert_eq!(super::warning(&sources, &after), None);
        assert_eq!(super::warning(&sources, ""), None);
    }
}
