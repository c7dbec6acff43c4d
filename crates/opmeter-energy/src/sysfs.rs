use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;
use std::time::Duration;

/// The kernel writes its files anew at each reading; others that play its part may be in the middle of it. An
/// empty file is read again so often, after this pause.
const ATTEMPTS: (u32, Duration) = (200, Duration::from_micros(250));

/// The tree in which the kernel shows its counters: `/sys`, or where a container sees its host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysfs {
    root: PathBuf,
}

impl Default for Sysfs {
    fn default() -> Self {
        Self::at("/sys")
    }
}

impl Sysfs {
    /// The tree at another place: the place itself, or `sys` in it, where that is a whole system's.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let within = root.join("sys");
        let is_tree = |root: &Path| ["class", "bus", "devices"].iter().any(|name| root.join(name).is_dir());
        Self { root: if !is_tree(&root) && is_tree(&within) { within } else { root } }
    }

    /// A path in the tree.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The CPUs of a list such as `0,18-20`, in a file of the tree.
    pub(crate) fn cpus(&self, path: &Path) -> io::Result<Vec<u32>> {
        let text = text(path)?;
        cpu_list(&text).ok_or_else(|| unlike(path, &text, "a list of CPUs"))
    }

    /// A fact about where a CPU is: `physical_package_id`, `die_id`.
    pub(crate) fn topology(&self, cpu: u32, fact: &str) -> Option<u32> {
        number(&self.path(&format!("devices/system/cpu/cpu{cpu}/topology/{fact}"))).ok()
    }
}

/// What a file holds, without the white space around it.
///
/// # Errors
/// Where it can't be read.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    Ok(fs::read_to_string(path)?.trim().to_owned())
}

/// The number that a file holds.
///
/// # Errors
/// Where it can't be read, or holds no such number.
pub(crate) fn number<T: FromStr>(path: &Path) -> io::Result<T> {
    let (attempts, pause) = ATTEMPTS;
    let mut text = text(path)?;
    for _ in 0..attempts {
        if !text.is_empty() {
            break;
        }
        thread::sleep(pause);
        text = self::text(path)?;
    }
    text.parse().map_err(|_| unlike(path, &text, "a number"))
}

/// The folders in a folder, by name; none where it can't be read.
pub(crate) fn folders(path: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
    let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
    let mut folders: Vec<(String, PathBuf)> = folders.filter_map(named).collect();
    folders.sort();
    folders
}

fn unlike(path: &Path, text: &str, what: &str) -> io::Error {
    let text = text.escape_debug();
    io::Error::new(io::ErrorKind::InvalidData, format!("{} holds \"{text}\", not {what}", path.display()))
}

fn cpu_list(text: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u32, u32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        // No machine has more, and a damaged file may say anything.
        cpus.extend((first..=last).take(1 << 16));
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists_have_ranges() {
        assert_eq!(cpu_list("0,18-20"), Some(vec![0, 18, 19, 20]));
        assert_eq!(cpu_list("3"), Some(vec![3]));
        assert_eq!(cpu_list(""), Some(vec![]));
        assert_eq!(cpu_list("a-b"), None);
    }

    #[test]
    fn what_is_no_number_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("energy_uj");
        fs::write(&path, "1234567\n").unwrap();
        assert_eq!(number::<u64>(&path).unwrap(), 1_234_567);
        fs::write(&path, "").unwrap();
        let error = number::<u64>(&path).unwrap_err().to_string();
        assert!(error.ends_with("energy_uj holds \"\", not a number"), "{error}");
    }

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("energy_uj");
        fs::write(&path, "").unwrap();
        let number = thread::scope(|scope| {
            let reading = scope.spawn(|| number::<u64>(&path));
            fs::write(&path, "7\n").unwrap();
            reading.join().unwrap()
        });
        assert_eq!(number.unwrap(), 7);
    }

    #[test]
    fn the_tree_of_a_whole_system_is_found_in_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("sys/class")).unwrap();
        assert_eq!(Sysfs::at(folder.path()).path("class"), folder.path().join("sys/class"));
        fs::create_dir_all(folder.path().join("class")).unwrap();
        assert_eq!(Sysfs::at(folder.path()).path("class"), folder.path().join("class"));
    }
}
