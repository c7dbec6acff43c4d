use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

/// How deep folders are looked through.
const DEPTH: usize = 16;

/// Wildcards stay within a name: `*.py` are the files of the folder itself, `**/*.py` all.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files below a folder that fit any of the patterns, by their paths from there, in order. Folders that are hidden,
/// recordings, and those in `left_out` are not looked into.
///
/// # Errors
/// When the folder itself can't be read.
pub(crate) fn matching(root: &Path, patterns: &[Pattern], left_out: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    // A name need not be UTF-8, as patterns are.
    let fits = |path: &Path| {
        let name = path.to_string_lossy();
        patterns.iter().any(|pattern| pattern.matches_with(&name, OPTIONS))
    };
    let mut found = Vec::new();
    let deep = patterns.iter().any(|pattern| pattern.as_str().contains('/'));
    let mut folders = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            let is_folder = root.join(&path).is_dir();
            if is_folder {
                if deep && depth < DEPTH && is_looked_into(&root.join(&path), left_out) {
                    folders.push((path, depth + 1));
                }
            } else if fits(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_looked_into(folder: &Path, left_out: &[PathBuf]) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let is_other = name.starts_with('.') || name == "__pycache__" || name.ends_with(".opm");
    !is_other && !left_out.iter().any(|other| other == folder)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_need_not_be_utf_8() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let name = OsStr::from_bytes(b"bad\xff.py");
        fs::write(folder.path().join(name), "").unwrap();
        let all = [Pattern::new("*.py").unwrap()];
        assert_eq!(matching(folder.path(), &all, &[]).unwrap(), [PathBuf::from(name)]);
    }

    #[test]
    fn patterns_are_of_the_folder_or_of_all_below() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "b.py",
            "a b ü.py",
            "data.txt",
            ".hidden.py",
            "sub/c.py",
            "sub/deep/d.py",
            "x.opm/e.py",
            "results/f.py",
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), "").unwrap();
        }
        let found = |patterns: &[&str]| {
            let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::new(text).unwrap()).collect();
            let found = matching(root, &patterns, &[root.join("results")]).unwrap();
            found.iter().map(|path| path.display().to_string()).collect::<Vec<String>>()
        };
        assert_eq!(found(&["*.py"]), ["a b ü.py", "b.py"]);
        assert_eq!(found(&["**/*.py"]), ["a b ü.py", "b.py", "sub/c.py", "sub/deep/d.py"]);
        assert_eq!(found(&["sub/*.py", "b.py"]), ["b.py", "sub/c.py"]);
        assert!(matching(&root.join("none"), &[], &[]).is_err());
    }
}
