//! Runs that have no joules.

use std::mem::discriminant;

use opmeter_energy::Fault;

/// What could not be measured, and why: by domain and kind of fault.
#[derive(Debug, Default)]
pub struct Gaps(Vec<Gap>);

#[derive(Debug)]
struct Gap {
    domain: String,
    /// The first of its kind.
    fault: Fault,
    runs: Vec<u32>,
}

impl Gaps {
    /// A run has no joules of a domain.
    pub fn add(&mut self, domain: String, run: u32, fault: Fault) {
        let same = |gap: &&mut Gap| gap.domain == domain && discriminant(&gap.fault) == discriminant(&fault);
        match self.0.iter_mut().find(same) {
            Some(gap) => gap.runs.push(run),
            None => self.0.push(Gap { domain, fault, runs: vec![run] }),
        }
    }

    /// A sentence for each domain and kind of fault.
    pub fn sentences(&self) -> Vec<String> {
        let sentence = |Gap { domain, fault, runs }: &Gap| {
            let first = runs[0];
            let (others, these) = match runs.len() {
                1 => (String::new(), "this run has"),
                2 => (" (and 1 more)".to_owned(), "these runs have"),
                count => (format!(" (and {} more)", count - 1), "these runs have"),
            };
            format!("{domain} {fault}, in run {first}{others}; {these} no joules of it")
        };
        self.0.iter().map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_a_kind_are_told_once() {
        let mut gaps = Gaps::default();
        let still = |from| Fault::StoodStill { from, seconds: 2.0 };
        gaps.add("package-1".to_owned(), 0, still(0.5));
        gaps.add("package-1".to_owned(), 1, still(0.25));
        gaps.add("package-0".to_owned(), 1, Fault::SetBack { at: 1.0 });
        gaps.add("package-1".to_owned(), 2, still(0.125));
        let sentences = gaps.sentences();
        assert_eq!(sentences.len(), 2);
        assert_eq!(
            sentences[0],
            "package-1 stood still for 2.0 s, from 0.5 s after the start, in run 0 (and 2 more); these runs have no \
             joules of it"
        );
        assert!(sentences[1].ends_with("in run 1; this run has no joules of it"), "{}", sentences[1]);
    }
}
