//! Working folders that are new for each execution.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A folder that a command may write to: what it leaves there, the next execution does not find. Links show it what
/// lies in another folder.
#[derive(Debug, Clone)]
pub struct Scratch {
    folder: PathBuf,
    links: Vec<PathBuf>,
}

impl Scratch {
    /// The folder, which is made anew for each execution, with links to these files and folders in it.
    pub fn new(folder: PathBuf, links: Vec<PathBuf>) -> Self {
        Self { folder, links }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder anew.
    ///
    /// # Errors
    /// When it can't be removed or made.
    pub fn renew(&self) -> io::Result<()> {
        self.remove()?;
        fs::create_dir_all(&self.folder)?;
        let named = self.links.iter().filter_map(|link| Some((link, link.file_name()?)));
        named.into_iter().try_for_each(|(link, name)| symlink(link, self.folder.join(name)))
    }

    /// Removes the folder.
    ///
    /// # Errors
    /// When it is there and can't be removed.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_time_it_holds_links_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data.txt");
        fs::write(&data, "1").unwrap();
        let scratch = Scratch::new(folder.path().join("a/scratch"), vec![data.clone()]);
        scratch.renew().unwrap();
        fs::write(scratch.path().join("left"), "").unwrap();
        scratch.renew().unwrap();
        let names: Vec<_> = fs::read_dir(scratch.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["data.txt"]);
        scratch.remove().unwrap();
        scratch.remove().unwrap();
        assert!(!scratch.path().exists() && data.exists());
    }
}
