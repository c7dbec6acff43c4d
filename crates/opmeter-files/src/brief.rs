/// The most characters of a line of a file that a message quotes.
const QUOTED: usize = 160;

/// What a parser says of a text, with no more of the text's lines than one can look through.
pub fn brief(message: &str) -> String {
    let cut = |line: &str| match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    message.lines().map(cut).collect::<Vec<String>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_short_ones_stay() {
        assert_eq!(brief("a\n  | b"), "a\n  | b");
        let long = brief(&format!("a\n{}", "ü".repeat(1000)));
        assert_eq!(long.lines().map(|line| line.chars().count()).collect::<Vec<_>>(), [1, QUOTED + 1]);
    }
}
