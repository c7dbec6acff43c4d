//! What commands over many results leave out.

use std::fmt::Write;
use std::path::Path;

use opmeter_corpus::Skipped;

use crate::message;

/// Up to so much, each thing is named.
const LISTED: usize = 20;

/// Of more that is left out for the same reason, so many are named.
const EXAMPLES: usize = 3;

/// Tells what is left out, with its reason. Where it is much, what has the same reason is told together, with how many
/// there are; `all` names each whatever their number.
pub fn tell(skipped: &[Skipped], all: bool) {
    lines(skipped, all).iter().for_each(message::tell_lines);
}

fn lines(skipped: &[Skipped], all: bool) -> Vec<String> {
    let one = |path: &Path, reason: &str| format!("left out: {}: {reason}", path.display());
    if all || skipped.len() <= LISTED {
        return skipped.iter().map(|skipped| one(&skipped.path, &skipped.reason)).collect();
    }
    let mut reasons: Vec<(&str, Vec<&Path>)> = Vec::new();
    for Skipped { path, reason } in skipped {
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, paths)) => paths.push(path),
            None => reasons.push((reason, vec![path])),
        }
    }
    let mut lines = Vec::new();
    let mut unnamed = 0;
    for (reason, paths) in reasons {
        if paths.len() <= EXAMPLES {
            lines.extend(paths.iter().map(|path| one(path, reason)));
            continue;
        }
        let mut line = format!("left out, {} of them: {reason}:", paths.len());
        for path in &paths[..EXAMPLES] {
            let _ = write!(line, " {},", path.display());
        }
        lines.push(line + " …");
        unnamed += paths.len() - EXAMPLES;
    }
    if unnamed > 0 {
        lines.push(format!("{unnamed} of what is left out are not named; --left-out names all"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_told_together_and_all_of_it_on_demand() {
        let skipped = |number: usize, reason: &str| Skipped {
            path: format!("{number}.txt").into(),
            reason: reason.to_owned(),
        };
        let mut all: Vec<Skipped> = (0..30).map(|number| skipped(number, "it is none")).collect();
        all.insert(10, skipped(77, "it is torn"));
        let told = lines(&all, false);
        let expected = [
            "left out, 30 of them: it is none: 0.txt, 1.txt, 2.txt, …",
            "left out: 77.txt: it is torn",
            "27 of what is left out are not named; --left-out names all",
        ];
        assert_eq!(told, expected);
        assert_eq!(lines(&all, true).len(), 31);
        assert_eq!(lines(&all[..20], false).len(), 20);
    }
}
