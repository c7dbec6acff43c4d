/// How far two lines hold the same words and signs in the same order: from 0 to 1.
pub(crate) fn similarity(one: &str, other: &str) -> f32 {
    let (one, other) = (tokens(one), tokens(other));
    if one.is_empty() || other.is_empty() {
        return if one.len() == other.len() { 1.0 } else { 0.0 };
    }
    let weight = |token: &str| if token.starts_with(is_word) { token.len().min(8) as f32 + 1.0 } else { 1.0 };
    let all: f32 = one.iter().chain(&other).map(|token| weight(token)).sum();
    let mut best = vec![0.0_f32; other.len() + 1];
    for token in &one {
        let mut diagonal = 0.0;
        for (place, with) in other.iter().enumerate() {
            let above = best[place + 1];
            let matched = if token == with { diagonal + weight(token) } else { 0.0 };
            best[place + 1] = above.max(best[place]).max(matched);
            diagonal = above;
        }
    }
    2.0 * best[other.len()] / all
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names and numbers whole, all else sign by sign, without space.
pub(crate) fn tokens(line: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = line.trim();
    while let Some(first) = rest.chars().next() {
        let end =
            if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        if !first.is_whitespace() {
            tokens.push(&rest[..end]);
        }
        rest = &rest[end..];
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_in_little_are_similar() {
        assert_eq!(similarity("x = 1", "x=1"), 1.0);
        assert!(similarity("for i in range(1000):", "for i in range(2000):") > 0.7);
        assert!(similarity("total += square(i)", "total += square(i) + 1") > 0.8);
        assert!(similarity("return total", "print(x)") < 0.3);
        assert_eq!(similarity("", ""), 1.0);
        assert_eq!(similarity("a", ""), 0.0);
    }
}
