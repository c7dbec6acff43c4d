/// What valgrind's own preloaded libraries are called, up to the tool's name.
const PRELOADED: &str = "vgpreload_";

/// Whether the process runs under valgrind, which takes memory for each page of address space that is given back: a
/// flat table, an enormous range of addresses, would cost gigabytes there.
pub fn is_running() -> bool {
    std::env::var_os("LD_PRELOAD").is_some_and(|libraries| libraries.to_string_lossy().contains(PRELOADED))
}
