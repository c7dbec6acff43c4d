use super::python_state::PythonState;

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScopeKind {
    /// The module itself.
    Module,
    /// A class.
    Class,
    /// A function or method.
    Function,
}

/// A definition in a source, and the lines that are its own: those of definitions inside it are theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// What it is.
    pub(crate) kind: ScopeKind,
    /// Its name.
    pub(crate) name: String,
    /// Its qualified name, as `co_qualname` has it.
    pub(crate) qualified: String,
    /// The scope that it stands in; the module is its own.
    pub(crate) parent: usize,
    /// Its first line, decorators included, counted from 0: `co_firstlineno` less 1.
    pub(crate) first: usize,
    /// The line of its `def` or `class`, counted from 0.
    pub(crate) header: usize,
    /// The lines that are its own, counted from 0, in order.
    pub(crate) lines: Vec<usize>,
}

/// Which definitions a Python source has, and which of its lines belong to which.
///
/// It is made of indentation, brackets and strings alone, so that it does not depend on Python's version, and stands
/// whatever is wrong with the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The definitions, the module first, then in the order of the source.
    pub(crate) scopes: Vec<Scope>,
}

/// A scope that is open at some line.
struct Open {
    scope: usize,
    /// The column of its `def` or `class`.
    indent: usize,
}

impl Outline {
    /// Reads the lines of a source.
    pub(crate) fn of(lines: &[String]) -> Outline {
        let module = Scope {
            kind: ScopeKind::Module,
            name: "<module>".to_owned(),
            qualified: "<module>".to_owned(),
            parent: 0,
            first: 0,
            header: 0,
            lines: Vec::new(),
        };
        let mut outline = Outline { scopes: vec![module] };
        let mut open: Vec<Open> = Vec::new();
        let mut state = PythonState::default();
        // Decorators belong to the definition below them.
        let mut decorators: Option<usize> = None;
        for (number, line) in lines.iter().enumerate() {
            let text = line.trim_start();
            // No definition begins inside brackets: something there was taken wrongly for an open one.
            if state.is_in_brackets() && (definition(text).is_some() && text.trim_end().ends_with(':')) {
                state = PythonState::default();
            }
            let begins = state.is_between_statements();
            state.read(line);
            if begins && !text.is_empty() && !text.starts_with('#') {
                let indent = indentation(line);
                open.retain(|scope| scope.indent < indent);
                if text.starts_with('@') {
                    decorators.get_or_insert(number);
                    continue;
                }
                let first = decorators.take().unwrap_or(number);
                if let Some((kind, name)) = definition(text) {
                    let parent = open.last().map_or(0, |open| open.scope);
                    open.push(Open { scope: outline.scopes.len(), indent });
                    let scope = outline.scope(kind, name, parent, first, number);
                    outline.scopes.push(scope);
                    continue;
                }
                outline.give(open.last(), first..number + 1);
            } else if decorators.is_none() {
                outline.give(open.last(), number..number + 1);
            }
        }
        let rest = decorators.unwrap_or(lines.len())..lines.len();
        outline.give(open.last(), rest);
        outline
    }

    fn scope(&self, kind: ScopeKind, name: &str, parent: usize, first: usize, header: usize) -> Scope {
        let outer = &self.scopes[parent];
        let qualified = match outer.kind {
            ScopeKind::Module => name.to_owned(),
            ScopeKind::Class => format!("{}.{name}", outer.qualified),
            ScopeKind::Function => format!("{}.<locals>.{name}", outer.qualified),
        };
        let lines = (first..=header).collect();
        Scope { kind, name: name.to_owned(), qualified, parent, first, header, lines }
    }

    fn give(&mut self, open: Option<&Open>, lines: std::ops::Range<usize>) {
        self.scopes[open.map_or(0, |open| open.scope)].lines.extend(lines);
    }

    /// The definition whose code object has this first line (from 1) and name.
    pub(crate) fn defined_at(&self, first_line: u32, name: &str) -> Option<usize> {
        if name == "<module>" {
            return Some(0);
        }
        let at = (first_line as usize).checked_sub(1)?;
        let fits = |scope: &Scope| (scope.first == at || scope.header == at) && scope.name == name;
        self.scopes.iter().position(|scope| scope.kind != ScopeKind::Module && fits(scope))
    }
}

/// The name that a line defines.
fn definition(text: &str) -> Option<(ScopeKind, &str)> {
    let text = text.strip_prefix("async ").map_or(text, str::trim_start);
    let (kind, rest) = match text.strip_prefix("def ") {
        Some(rest) => (ScopeKind::Function, rest),
        None => (ScopeKind::Class, text.strip_prefix("class ")?),
    };
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    (end > 0).then(|| (kind, &rest[..end]))
}

/// How far a line is indented, in columns.
pub(crate) fn indentation(line: &str) -> usize {
    let mut column = 0;
    for c in line.chars() {
        match c {
            ' ' => column += 1,
            '\t' => column = (column / 8 + 1) * 8,
            _ => break,
        }
    }
    column
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn outline(text: &str) -> Outline {
        Outline::of(&text.lines().map(str::to_owned).collect::<Vec<String>>())
    }

    fn scopes(text: &str) -> Vec<(String, Vec<usize>)> {
        outline(text).scopes.into_iter().map(|scope| (scope.qualified, scope.lines)).collect()
    }

    fn expect(text: &str, expected: &[(&str, &[usize])]) {
        let expected: Vec<_> =
            expected.iter().map(|(name, lines)| ((*name).to_owned(), lines.to_vec())).collect();
        assert_eq!(scopes(text), expected, "{text}");
    }

    #[test]
    fn lines_belong_to_the_innermost_definition() {
        let text = "x = 1\nclass A:\n    y = 2\n    @wraps(\n        f)\n    def f(self):\n        def g():\n            \
                    return 1\n        return g\n\n    z = 3\nasync def h(): pass\nprint(A)";
        expect(
            text,
            &[
                ("<module>", &[0, 12]),
                ("A", &[1, 2, 10]),
                ("A.f", &[3, 4, 5, 8, 9]),
                ("A.f.<locals>.g", &[6, 7]),
                ("h", &[11]),
            ],
        );
        let outline = outline(text);
        assert_eq!(outline.defined_at(4, "f"), Some(2));
        assert_eq!(outline.defined_at(6, "f"), Some(2));
        assert_eq!(outline.defined_at(6, "g"), None);
        assert_eq!(outline.defined_at(0, "<module>"), Some(0));
    }

    #[test]
    fn texts_and_brackets_hold_no_definitions() {
        let text = "a = '''\ndef no():\n'''\nf(1,\nclass_, # )\n)\nb = \"\\\"\" \\\n + 1\ndef yes():\n  pass";
        expect(text, &[("<module>", &[0, 1, 2, 3, 4, 5, 6, 7]), ("yes", &[8, 9])]);
    }

    #[test]
    fn a_bracket_that_seems_open_is_closed_by_a_definition() {
        let text = "print(f\"{d[\"#\"]}\")\ndef f():\n  pass\nx = 1";
        expect(text, &[("<module>", &[0, 3]), ("f", &[1, 2])]);
    }

    #[test]
    fn what_is_no_python_has_an_outline() {
        expect("", &[("<module>", &[])]);
        expect("@a\n@b", &[("<module>", &[0, 1])]);
        expect("def", &[("<module>", &[0])]);
        expect("\tdef f(:\n\t\t'\n", &[("<module>", &[]), ("f", &[0, 1])]);
    }
}
