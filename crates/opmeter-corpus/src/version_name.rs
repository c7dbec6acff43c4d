/// The version by which an interpreter is asked for: `3.8`, `3.8.18`, or `3.13t` of a build without the global lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionName {
    numbers: String,
    free_threaded: bool,
}

impl VersionName {
    /// A name that is a version, rather than a command's or a path.
    pub fn parse(name: &str) -> Option<Self> {
        let numbers = name.strip_suffix('t').unwrap_or(name);
        let parts: Vec<&str> = numbers.split('.').collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_version = parts.len() >= 2 && parts.iter().all(is_number);
        is_version.then(|| Self { numbers: numbers.to_owned(), free_threaded: numbers != name })
    }

    /// Whether an interpreter of this version, such as `3.11.7` or `3.15.0a2`, is the one that is asked for.
    pub fn is_of(&self, python: &str, free_threaded: bool) -> bool {
        self.free_threaded == free_threaded && self.begins(python)
    }

    /// Whether a text begins with the version: `3.1` is no beginning of `3.11`.
    pub(crate) fn begins(&self, text: &str) -> bool {
        text.strip_prefix(&self.numbers).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// The command that starts an interpreter of the version, by custom: `python3.8`, `python3.13t`.
    pub(crate) fn command(&self) -> String {
        let minor: Vec<&str> = self.numbers.split('.').take(2).collect();
        format!("python{}{}", minor.join("."), if self.free_threaded { "t" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_of(asked: &str, python: &str, free_threaded: bool) -> bool {
        VersionName::parse(asked).unwrap().is_of(python, free_threaded)
    }

    #[test]
    fn versions_are_told_from_names() {
        assert!(["3.8", "3.13t", "3.8.18"].into_iter().all(|name| VersionName::parse(name).is_some()));
        for name in ["python3", "3", "3.", "pypy3.9", "three.eight", "3.13tt", "3.+8", ""] {
            assert_eq!(VersionName::parse(name), None, "{name}");
        }
        assert_eq!(VersionName::parse("3.13.0t").unwrap().command(), "python3.13t");
    }

    #[test]
    fn a_version_stands_for_those_within() {
        assert!(is_of("3.8", "3.8.18", false) && is_of("3.8.18", "3.8.18", false));
        assert!(is_of("3.15", "3.15.0a2", false) && is_of("3.15.0", "3.15.0a2", false));
        assert!(!is_of("3.1", "3.11.7", false) && !is_of("3.8.18", "3.8.1", false));
        assert!(is_of("3.13t", "3.13.0", true) && !is_of("3.13t", "3.13.0", false));
        assert!(!is_of("3.13", "3.13.0", true));
    }
}
