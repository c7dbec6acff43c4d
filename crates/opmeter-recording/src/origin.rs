/// Where the file of a code object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The program: whatever none of the others is.
    Program,
    /// Python's standard library, the modules frozen into the interpreter included.
    StandardLibrary,
    /// An installed package: a folder `site-packages` or `dist-packages`.
    SitePackages,
    /// No code object: the few instructions that the interpreter runs on its own.
    Interpreter,
}

impl Origin {
    /// Tells where a file comes from, by its name.
    pub fn of(file: &str) -> Origin {
        if file.is_empty() {
            return Origin::Interpreter;
        }
        if file.starts_with("<frozen ") {
            return Origin::StandardLibrary;
        }
        let parts: Vec<&str> = file.split('/').collect();
        if parts.iter().any(|part| matches!(*part, "site-packages" | "dist-packages")) {
            return Origin::SitePackages;
        }
        let library = parts.windows(2).any(|pair| matches!(pair[0], "lib" | "lib64") && is_python(pair[1]));
        if library || parts.iter().any(|part| is_archive(part)) {
            return Origin::StandardLibrary;
        }
        Origin::Program
    }

    /// What it is called in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Program => "program",
            Origin::StandardLibrary => "standard library",
            Origin::SitePackages => "site-packages",
            Origin::Interpreter => "interpreter",
        }
    }
}

/// `python3.11`, `python3.13t`: a folder of the standard library.
fn is_python(part: &str) -> bool {
    let version = part.strip_prefix("python3.").unwrap_or_default();
    let version = version.trim_end_matches(['t', 'd']);
    !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit())
}

/// `python311.zip`: the standard library in one file.
fn is_archive(part: &str) -> bool {
    let version = part.strip_prefix("python3").and_then(|rest| rest.strip_suffix(".zip")).unwrap_or_default();
    let version = version.trim_end_matches('t');
    !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart() {
        for (file, origin) in [
            ("", Origin::Interpreter),
            ("<frozen importlib._bootstrap>", Origin::StandardLibrary),
            ("/usr/lib/python3.11/json/decoder.py", Origin::StandardLibrary),
            ("/opt/py/lib64/python3.13t/os.py", Origin::StandardLibrary),
            ("/usr/lib/python311.zip/os.py", Origin::StandardLibrary),
            ("/v/lib/python3.11/site-packages/numpy/x.py", Origin::SitePackages),
            ("/usr/lib/python3/dist-packages/apt/x.py", Origin::SitePackages),
            ("/home/me/bench.py", Origin::Program),
            ("/home/me/lib/python3/x.py", Origin::Program),
            ("/home/me/lib/python3.x/x.py", Origin::Program),
            ("/home/me/python3.11/x.py", Origin::Program),
            ("/home/me/python3.zip/x.py", Origin::Program),
            ("/home/me/site-packages.py", Origin::Program),
            ("<string>", Origin::Program),
        ] {
            assert_eq!(Origin::of(file), origin, "{file}");
        }
    }
}
