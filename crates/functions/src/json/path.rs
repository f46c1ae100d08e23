//! Compiles paths: `lax $.a.b[0]['c'][*]..d.length()`.

use flott_types::{Error, Result};

/// A compiled path.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Path {
    /// In strict mode, whatever goes wrong is an error; in lax mode, an empty result.
    pub(super) lax: bool,
    /// The steps after `$`; `Err` for a path that cannot be parsed, which is an error for each row.
    pub(super) steps: Result<Vec<Step>, String>,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Step {
    /// `.a`, `['a']`
    Member(String),
    /// `['a', 'b']`
    Members(Vec<String>),
    /// `[0]`, `[-1]`
    Index(i64),
    /// `[0, 1]`
    Indices(Vec<i64>),
    /// `[1:3]`, `[1:]`, `[:3]`
    Slice(Option<i64>, Option<i64>),
    /// `.*`, `[*]`
    All,
    /// `..`
    Scan,
    /// `.length()`
    Call(Aggregate),
}

/// A function at the end of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Aggregate {
    Length,
    Min,
    Max,
    Sum,
    Average,
}

impl Step {
    /// Whether the step leads to at most one place.
    pub(super) fn is_definite(&self) -> bool {
        !matches!(self, Step::Indices(_) | Step::Slice(..) | Step::All | Step::Scan)
    }
}

impl Path {
    /// Compiles a path. Filters are refused by name.
    pub(super) fn new(text: &str) -> Result<Path> {
        let (lax, path) = mode(text);
        let steps = match Reader::new(path).steps() {
            Ok(steps) => Ok(steps),
            Err(Wrong::Invalid(what)) => Err(format!("invalid JSON path '{path}': {what}")),
            Err(Wrong::Unsupported(what)) => {
                return Err(Error::unsupported(format!("{what} in the JSON path '{path}'")));
            }
        };
        Ok(Path { lax, steps })
    }

    /// Whether it leads to at most one place.
    pub(super) fn is_definite(&self) -> bool {
        self.steps.as_ref().is_ok_and(|steps| steps.iter().all(Step::is_definite))
    }
}

/// Whether a path is lax, and the rest.
fn mode(text: &str) -> (bool, &str) {
    let trimmed = text.trim_start();
    for (word, lax) in [("lax", true), ("strict", false)] {
        let Some(start) = trimmed.get(..word.len()) else {
            continue;
        };
        let rest = &trimmed[word.len()..];
        if start.eq_ignore_ascii_case(word)
            && rest.starts_with(char::is_whitespace)
            && !rest.trim().is_empty()
        {
            return (lax, rest.trim_start());
        }
    }
    (false, text)
}

enum Wrong {
    Invalid(String),
    Unsupported(String),
}

fn invalid<T>(what: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Invalid(what.into()))
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    /// `$` was left out.
    implicit_root: bool,
}

impl Reader {
    fn new(path: &str) -> Reader {
        let path = path.trim();
        let implicit_root = !path.starts_with(['$', '@']);
        Reader { chars: path.chars().collect(), at: 0, implicit_root }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn steps(mut self) -> Result<Vec<Step>, Wrong> {
        if self.chars.is_empty() {
            return invalid("the path is empty");
        }
        if self.chars.last() == Some(&'.') {
            return invalid("a path must not end with '.'");
        }
        let mut steps = Vec::new();
        if self.implicit_root {
            self.name_or_all(&mut steps)?;
        } else {
            self.at = 1;
        }
        while let Some(c) = self.peek() {
            match c {
                '.' if self.chars.get(self.at + 1) == Some(&'.') => {
                    self.at += 2;
                    steps.push(Step::Scan);
                    if self.peek() == Some('[') {
                        self.bracket(&mut steps)?
                    } else {
                        self.name_or_all(&mut steps)?
                    }
                }
                '.' => {
                    self.at += 1;
                    if self.peek() == Some('[') {
                        self.bracket(&mut steps)?
                    } else {
                        self.name_or_all(&mut steps)?
                    }
                }
                '[' => self.bracket(&mut steps)?,
                _ => {
                    return invalid(format!(
                        "illegal character '{c}' at position {}: expected '.' or '['",
                        self.at
                    ));
                }
            }
        }
        if steps.last() == Some(&Step::Scan) {
            return invalid("'..' leads nowhere");
        }
        Ok(steps)
    }

    /// After a dot: `*`, a name, or a function.
    fn name_or_all(&mut self, steps: &mut Vec<Step>) -> Result<(), Wrong> {
        if self.peek() == Some('*') {
            self.at += 1;
            steps.push(Step::All);
            return Ok(());
        }
        let start = self.at;
        while let Some(c) = self.peek() {
            match c {
                '.' | '[' | '(' => break,
                ' ' => return invalid("a name with spaces is written ['my name']"),
                _ => self.at += 1,
            }
        }
        let name: String = self.chars[start..self.at].iter().collect();
        if name.is_empty() {
            return invalid(format!("a name is missing at position {start}"));
        }
        if self.peek() != Some('(') {
            steps.push(Step::Member(name));
            return Ok(());
        }
        let end = self.chars[self.at..].iter().position(|c| *c == ')');
        let Some(end) = end.map(|end| end + self.at) else {
            return invalid("arguments are not closed");
        };
        if self.chars[self.at + 1..end].iter().any(|c| !c.is_whitespace()) {
            return Err(Wrong::Unsupported(format!("the function {name} with arguments")));
        }
        self.at = end + 1;
        let aggregate = match name.as_str() {
            "length" | "size" => Aggregate::Length,
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            "sum" => Aggregate::Sum,
            "avg" => Aggregate::Average,
            "stddev" | "keys" | "concat" | "append" | "first" | "last" | "index" => {
                return Err(Wrong::Unsupported(format!("the function {name}()")));
            }
            _ => return invalid(format!("there is no function {name}()")),
        };
        if self.peek().is_some() {
            return Err(Wrong::Unsupported("a step after a function".to_owned()));
        }
        steps.push(Step::Call(aggregate));
        Ok(())
    }

    fn bracket(&mut self, steps: &mut Vec<Step>) -> Result<(), Wrong> {
        self.at += 1;
        self.skip_blanks();
        let step = match self.peek() {
            Some('*') => {
                self.at += 1;
                Step::All
            }
            Some('?') => return Err(Wrong::Unsupported("a filter".to_owned())),
            Some('(') => return Err(Wrong::Unsupported("a computed index".to_owned())),
            Some('\'' | '"') => self.names()?,
            _ => self.indices()?,
        };
        self.skip_blanks();
        if self.peek() != Some(']') {
            return invalid(format!("']' is missing at position {}", self.at));
        }
        self.at += 1;
        steps.push(step);
        Ok(())
    }

    fn names(&mut self) -> Result<Step, Wrong> {
        let mut names = Vec::new();
        loop {
            self.skip_blanks();
            let Some(quote @ ('\'' | '"')) = self.peek() else {
                return invalid(format!("a quoted name is missing at position {}", self.at));
            };
            self.at += 1;
            let mut name = String::new();
            loop {
                match self.peek() {
                    Some('\\') => {
                        self.at += 1;
                        let Some(c) = self.peek() else {
                            return invalid("a name is not closed");
                        };
                        self.at += 1;
                        name.push(match c {
                            'n' => '\n',
                            't' => '\t',
                            'r' => '\r',
                            'b' => '\u{8}',
                            'f' => '\u{C}',
                            'u' => {
                                let digits: String = self.chars.iter().skip(self.at).take(4).collect();
                                self.at += digits.chars().count();
                                let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                                match c {
                                    Some(c) => c,
                                    None => return invalid(format!("\\u{digits} is no character")),
                                }
                            }
                            other => other,
                        });
                    }
                    Some(c) if c == quote => {
                        self.at += 1;
                        break;
                    }
                    Some(c) => {
                        name.push(c);
                        self.at += 1;
                    }
                    None => return invalid("a name is not closed"),
                }
            }
            names.push(name);
            self.skip_blanks();
            if self.peek() != Some(',') {
                break;
            }
            self.at += 1;
        }
        Ok(if names.len() == 1 { Step::Member(names.swap_remove(0)) } else { Step::Members(names) })
    }

    fn indices(&mut self) -> Result<Step, Wrong> {
        let end = self.chars[self.at..].iter().position(|c| *c == ']').map(|end| end + self.at);
        let Some(end) = end else {
            return invalid("'[' is not closed");
        };
        let text: String = self.chars[self.at..end].iter().filter(|c| !c.is_whitespace()).collect();
        self.at = end;
        let number = |text: &str| match text.parse::<i32>() {
            Ok(number) => Ok(i64::from(number)),
            Err(_) => invalid(format!("'{text}' is no index")),
        };
        if let Some((from, to)) = text.split_once(':') {
            let bound = |text: &str| if text.is_empty() { Ok(None) } else { number(text).map(Some) };
            return match (bound(from)?, bound(to)?) {
                (None, None) => invalid("a slice has a start or an end"),
                (from, to) => Ok(Step::Slice(from, to)),
            };
        }
        let mut indices = text.split(',').map(number).collect::<Result<Vec<_>, Wrong>>()?;
        Ok(if indices.len() == 1 { Step::Index(indices.swap_remove(0)) } else { Step::Indices(indices) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(path: &str) -> Vec<Step> {
        Path::new(path).unwrap().steps.unwrap()
    }

    #[test]
    fn reads_paths() {
        let member = |name: &str| Step::Member(name.to_owned());
        assert_eq!(steps("$"), []);
        assert_eq!(steps("lax $.a[0]['b c']"), [member("a"), Step::Index(0), member("b c")]);
        assert_eq!(steps("$..f[*]"), [Step::Scan, member("f"), Step::All]);
        assert_eq!(steps("$.c[-1:]"), [member("c"), Step::Slice(Some(-1), None)]);
        assert_eq!(steps("a.b"), [member("a"), member("b")]);
        assert_eq!(steps("$.c.length()"), [member("c"), Step::Call(Aggregate::Length)]);
        assert_eq!(steps("$[0, 1]"), [Step::Indices(vec![0, 1])]);
        assert!(Path::new("LAX $").unwrap().lax);
        assert!(!Path::new("$.lax").unwrap().lax);
        for wrong in ["a..[", "$.", "$.a[", "$x", "$[a]", "$..", ""] {
            assert!(Path::new(wrong).unwrap().steps.is_err(), "{wrong}");
        }
        assert!(Path::new("$.c[?(@.d)]").is_err());
    }
}
