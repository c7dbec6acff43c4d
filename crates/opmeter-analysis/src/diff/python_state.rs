/// Where in Python's grammar the end of a line is: in a string, in brackets, or between statements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PythonState {
    /// The quote of the string of three quotes that is open.
    string: Option<char>,
    /// How many brackets are open.
    depth: usize,
    /// Whether the line goes on in the next.
    joined: bool,
}

impl PythonState {
    /// Whether a statement may begin here.
    pub(crate) fn is_between_statements(&self) -> bool {
        self.string.is_none() && self.depth == 0 && !self.joined
    }

    /// Whether brackets are open, and no string.
    pub(crate) fn is_in_brackets(&self) -> bool {
        self.string.is_none() && self.depth > 0
    }

    /// Goes on to the end of the next line.
    pub(crate) fn read(&mut self, line: &str) {
        self.joined = false;
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            rest = match self.string {
                Some(quote) => self.read_string(rest, quote),
                None => match c {
                    '#' => return,
                    '\'' | '"' => self.read_quote(rest, c),
                    '\\' if rest.len() == 1 => {
                        self.joined = true;
                        return;
                    }
                    '(' | '[' | '{' => {
                        self.depth += 1;
                        &rest[1..]
                    }
                    ')' | ']' | '}' => {
                        self.depth = self.depth.saturating_sub(1);
                        &rest[1..]
                    }
                    c => &rest[c.len_utf8()..],
                },
            };
        }
    }

    /// Goes to the end of the open string of three quotes, or of the line.
    fn read_string<'a>(&mut self, text: &'a str, quote: char) -> &'a str {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '\\' {
                rest = after_escape(rest);
            } else if is_triple(rest, quote) {
                self.string = None;
                return &rest[3..];
            } else {
                rest = &rest[c.len_utf8()..];
            }
        }
        rest
    }

    /// Goes behind a string that begins here, if it ends in this line.
    fn read_quote<'a>(&mut self, text: &'a str, quote: char) -> &'a str {
        if is_triple(text, quote) {
            self.string = Some(quote);
            return &text[3..];
        }
        let mut rest = &text[1..];
        while let Some(c) = rest.chars().next() {
            match c {
                '\\' if rest.len() == 1 => {
                    // The string goes on in the next line, whose end is found as well as if it were code.
                    self.joined = true;
                    return "";
                }
                '\\' => rest = after_escape(rest),
                c if c == quote => return &rest[1..],
                c => rest = &rest[c.len_utf8()..],
            }
        }
        rest
    }
}

fn is_triple(text: &str, quote: char) -> bool {
    text.chars().take(3).filter(|c| *c == quote).count() == 3
}

fn after_escape(text: &str) -> &str {
    let escaped = text[1..].chars().next().map_or(0, char::len_utf8);
    &text[1 + escaped..]
}
