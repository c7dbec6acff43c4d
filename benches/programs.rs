//! The programs that are measured.

use std::path::{Path, PathBuf};

/// The programs that `benches/programs.txt` lists.
pub fn programs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let list = std::fs::read_to_string(root.join("benches/programs.txt")).unwrap();
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| root.join("programs").join(Path::new(line).file_name().unwrap()))
        .collect()
}
