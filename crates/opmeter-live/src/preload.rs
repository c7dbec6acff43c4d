//! The list of libraries that the loader preloads, and the agent's place in it.
//!
//! The agent reads it between `vfork` and `exec`, so nothing here allocates.

/// The variable that the loader reads, with the names of libraries between colons or spaces.
pub const PRELOAD_VARIABLE: &str = "LD_PRELOAD";

/// How the names of libraries begin that end a program in which they are not the first: the runtimes of gcc's and
/// clang's sanitizers.
const FIRST: [&[u8]; 5] = [b"libasan.", b"liblsan.", b"libtsan.", b"libhwasan.", b"libclang_rt."];

/// Whether a library, by its path or name, is a sanitizer's runtime, which has to be loaded before all others.
pub fn is_sanitizer(library: &[u8]) -> bool {
    let name = library.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    FIRST.iter().any(|start| name.starts_with(start))
}

/// The libraries of a list, each with the separator behind it, if there is one.
pub fn preloaded(list: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    list.split_inclusive(|byte| is_separator(*byte)).map(|part| match part.split_last() {
        Some((last, library)) if is_separator(*last) => (library, part),
        _ => (part, part),
    })
}

/// Where in a list the agent goes, in bytes from its start: before all others but the runtimes of sanitizers.
fn agent_place(list: &[u8]) -> usize {
    let mut place = 0;
    let mut behind = 0;
    for (library, part) in preloaded(list) {
        behind += part.len();
        if is_sanitizer(library) {
            place = behind;
        }
    }
    place
}

/// Gives a list, piece by piece, as it is with the agent at its place, or without it.
pub fn relist<'l>(list: &'l [u8], agent: &'l [u8], with_agent: bool, mut add: impl FnMut(&'l [u8])) {
    let mut first = true;
    let mut put = |separator, library| {
        if !std::mem::take(&mut first) {
            add(separator);
        }
        add(library);
    };
    let (place, mut offset, mut placed) = (agent_place(list), 0, !with_agent);
    let mut separator: &[u8] = b":";
    for (library, part) in preloaded(list) {
        if !placed && offset >= place {
            put(b":", agent);
            placed = true;
        }
        offset += part.len();
        if library != agent {
            put(separator, library);
        }
        separator = if part.len() > library.len() { &part[library.len()..] } else { b":" };
    }
    if !placed {
        put(b":", agent);
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b':' | b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_comes_first_but_for_sanitizers() {
        for (list, place) in [
            ("", 0),
            ("/lib/libjemalloc.so.2", 0),
            ("libasan.so.8", 12),
            ("/usr/lib/gcc/libasan.so:libother.so", 24),
            ("libtsan.so.2 libother.so", 13),
            ("libubsan.so.1:libclang_rt.asan-x86_64.so", 40),
            ("/opt/libasan.d/libother.so", 0),
        ] {
            assert_eq!(agent_place(list.as_bytes()), place, "{list}");
        }
    }

    #[test]
    fn a_list_is_what_it_was_but_for_the_agent() {
        let relisted = |list: &str, with_agent| {
            let mut text = Vec::new();
            relist(list.as_bytes(), b"/a.so", with_agent, |piece| text.extend(piece));
            String::from_utf8(text).unwrap()
        };
        for (list, with, without) in [
            ("", "/a.so", ""),
            ("/a.so", "/a.so", ""),
            ("/b.so", "/a.so:/b.so", "/b.so"),
            ("/a.so:/b.so c.so", "/a.so:/b.so c.so", "/b.so c.so"),
            ("/b.so:/a.so", "/a.so:/b.so", "/b.so"),
            ("/b.so:/a.so c.so:", "/a.so:/b.so c.so", "/b.so c.so"),
            ("/a.so:/a.so", "/a.so", ""),
            ("libasan.so.8", "libasan.so.8:/a.so", "libasan.so.8"),
            ("libasan.so.8:", "libasan.so.8:/a.so", "libasan.so.8"),
            ("/a.so:libasan.so.8", "libasan.so.8:/a.so", "libasan.so.8"),
            ("libasan.so.8:b.so", "libasan.so.8:/a.so:b.so", "libasan.so.8:b.so"),
        ] {
            assert_eq!(relisted(list, true), with, "{list}");
            assert_eq!(relisted(list, false), without, "{list}");
        }
    }

    #[test]
    fn lists_are_parted_by_colons_and_spaces() {
        let libraries =
            |list: &'static str| preloaded(list.as_bytes()).map(|(library, _)| library).collect::<Vec<_>>();
        assert_eq!(libraries("a.so:b.so c.so"), [b"a.so", b"b.so", b"c.so"]);
        assert_eq!(libraries(":a.so "), [b"".as_slice(), b"a.so"]);
        assert!(libraries("").is_empty());
    }
}
