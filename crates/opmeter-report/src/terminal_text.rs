use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text as it may be shown on a terminal: characters that would steer the terminal, end a line, or turn the order
/// of the text around, and those that nobody sees, are replaced by their escapes (`\n`, `\u{1b}`, `\u{200b}`).
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if steers(c) || is_unseen(c) || is_joiner(c) {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
    }
    shown
}

/// A line of a source as a page may show it: as [`visible`], but with its tabulators, without page breaks, and with what
/// joins the letters of some scripts and the parts of emoji.
pub(crate) fn visible_line(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars().filter(|c| *c != '\u{c}') {
        if c != '\t' && (steers(c) || is_unseen(c)) {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
    }
    shown
}

/// Whether a character does something to the text around it instead of being seen.
fn steers(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether a character takes no room, so that names that have it look like names that don't.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a character joins those beside it, or keeps them apart.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// A command as one would type it: arguments quoted for the shell where need be, on one line.
pub(crate) fn command_line(arguments: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./,:=+@%^".contains(c);
    let quoted = arguments.iter().map(|argument| {
        if !argument.is_empty() && argument.chars().all(plain) {
            argument.clone()
        } else {
            format!("'{}'", argument.replace('\'', r"'\''"))
        }
    });
    visible(&quoted.collect::<Vec<_>>().join(" "))
}

/// How many columns of a terminal a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text cut to at most `columns`, with an ellipsis at its end if anything is cut off.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        shown.push(c);
    }
    if columns > 0 {
        shown.push('…');
    }
    shown
}

/// The text cut to at most `columns`, with an ellipsis at its start if anything is cut off.
pub(crate) fn cut_start(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut taken = 1;
    let kept = text.char_indices().rev().take_while(|(_, c)| {
        taken += c.width().unwrap_or(0);
        taken <= columns
    });
    let start = kept.last().map_or(text.len(), |(place, _)| place);
    if columns == 0 { String::new() } else { format!("…{}", &text[start..]) }
}

/// The text cut to `columns`, and spaces after it up to `columns`.
pub(crate) fn left(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let spaces = columns - width(&text);
    text + &" ".repeat(spaces)
}

/// To how many columns texts may be cut at their ends so that those that differ still do.
pub(crate) fn first_difference(texts: &[&str]) -> usize {
    differences(texts.iter().map(|text| text.chars().collect()))
}

/// To how many columns texts may be cut at their starts so that those that differ still do.
pub(crate) fn last_difference(texts: &[&str]) -> usize {
    differences(texts.iter().map(|text| text.chars().rev().collect()))
}

fn differences(texts: impl Iterator<Item = Vec<char>>) -> usize {
    let mut texts: Vec<Vec<char>> = texts.collect();
    texts.sort_unstable();
    texts.dedup();
    // Of all texts in order, neighbours have most in common. What follows, and an ellipsis, is needed as well.
    let common = texts.windows(2).map(|pair| {
        let same = pair[0].iter().zip(&pair[1]).take_while(|(a, b)| a == b).count();
        let next = pair.iter().map(|text| text.get(same).and_then(|c| c.width()).unwrap_or(0)).max();
        pair[0][..same].iter().map(|c| c.width().unwrap_or(0)).sum::<usize>() + next.unwrap_or(0) + 1
    });
    common.max().unwrap_or(1)
}

/// The text with spaces before it up to `columns`.
pub(crate) fn right(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text))) + text
}

/// The items in lines of at most `columns`, `separator` between those of a line. An item that is longer
/// has a line of its own.
pub(crate) fn wrapped<'a>(
    items: impl IntoIterator<Item = &'a str>,
    separator: &str,
    columns: usize,
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if width(line) + width(separator) + width(item) <= columns => {
                line.push_str(separator);
                line.push_str(item);
            }
            _ => lines.push(item.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_as_escapes() {
        assert_eq!(visible("a\nb\u{1b}[31m\u{202e}ü\u{2028}"), r"a\nb\u{1b}[31m\u{202e}ü\u{2028}");
    }

    #[test]
    fn commands_are_quoted_for_the_shell() {
        let command = ["python3", "-c", "print('a')\n", "", "--n=1"].map(str::to_owned);
        assert_eq!(command_line(&command), r"python3 -c 'print('\''a'\'')\n' '' --n=1");
    }

    #[test]
    fn texts_are_cut_by_columns_not_by_characters() {
        assert_eq!(cut("LOAD_FAST", 9), "LOAD_FAST");
        assert_eq!(cut("LOAD_FAST", 8), "LOAD_FA…");
        assert_eq!(cut("計器計器", 6), "計器…");
        assert_eq!(cut("計器計器", 5), "計器…");
        assert_eq!(cut("a", 0), "");
        assert_eq!(cut_start("/a/b.py", 7), "/a/b.py");
        assert_eq!(cut_start("/a/b.py", 5), "…b.py");
        assert_eq!(cut_start("計器計器", 4), "…器");
        assert_eq!(cut_start("ab", 1), "…");
        assert_eq!(cut_start("ab", 0), "");
        assert_eq!(left("計器", 5), "計器 ");
        assert_eq!(right("12", 4), "  12");
    }

    #[test]
    fn it_is_known_how_far_texts_may_be_cut() {
        let texts = ["cpython 3.12.1", "cpython 3.13.0", "cpython 3.13.0", "cpython 3.13.0t"];
        // One of them is the beginning of another.
        assert_eq!(first_difference(&texts), 16);
        assert_eq!(first_difference(&texts[..2]), 13);
        let [a, b] = [cut(texts[0], 13), cut(texts[1], 13)];
        assert!(a != b && cut(texts[0], 12) == cut(texts[1], 12), "{a} {b}");
        let places = ["/a/b/c.py", "/a/d/c.py"];
        assert_eq!((first_difference(&places), last_difference(&places)), (5, 7));
        assert!(cut_start(places[0], 7) != cut_start(places[1], 7));
        assert_eq!(first_difference(&[]), 1);
    }

    #[test]
    fn lines_are_filled_up() {
        assert_eq!(wrapped(["aa", "bb", "cc", "dddddddd"], " ", 5), ["aa bb", "cc", "dddddddd"]);
    }
}
