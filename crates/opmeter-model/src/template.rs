use std::path::Path;

/// The template that a program was synthesised from: its file name before `-n` and the size. A program without one is
/// known by its whole name.
pub(crate) fn template_of(program: &str) -> String {
    let stem = Path::new(program).file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let of_size = stem.rsplit_once("-n").filter(|(name, size)| {
        !name.is_empty() && !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit())
    });
    of_size.map_or_else(|| program.to_owned(), |(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::template_of;

    #[test]
    fn sizes_are_taken_off_and_other_names_stay() {
        assert_eq!(template_of("sorting-n000123.py"), "sorting");
        assert_eq!(template_of("sub/text-n1.py"), "text");
        assert_eq!(template_of("sub/run-now.py"), "sub/run-now.py");
        assert_eq!(template_of("a-n.py"), "a-n.py");
        assert_eq!(template_of("-n12.py"), "-n12.py");
        assert_eq!(template_of("python3 -c pass"), "python3 -c pass");
    }
}
