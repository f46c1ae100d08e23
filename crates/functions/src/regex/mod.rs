//! Java's regular expressions, which define the REGEXP functions, SIMILAR TO and STR_TO_MAP.
//!
//! A pattern is translated ([`translate`]) into the syntax of the `regex` crate where that suffices: linear
//! time, no backtracking. Look-around, back references, possessive quantifiers and `$` before a last line
//! terminator need `fancy-regex`. Most patterns with `$` still run on the fast engine: it is used whenever
//! the text does not end in a line terminator, because then `$` means the end of the text.
//! Many simple patterns need no engine at all ([`direct`]).

mod direct;
mod functions;
mod translate;

use direct::Direct;
use flott_types::{Error, Result};

pub(crate) use functions::functions;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct JavaRegex {
    engine: Engine,
    /// In place of the fast engine.
    direct: Option<Direct>,
    groups: usize,
}

#[derive(Debug)]
enum Engine {
    Fast(regex::Regex),
    /// The fast engine for texts without a line terminator at the end, the exact one for others.
    Either(regex::Regex, fancy_regex::Regex),
    Exact(fancy_regex::Regex),
}

/// Where the groups of a match are.
#[derive(Debug)]
pub(crate) struct Groups(Option<regex::CaptureLocations>);

/// Where a group or the whole pattern matched, in bytes.
pub(crate) type Span = (usize, usize);

impl JavaRegex {
    /// `ErrorKind::Invalid` for a pattern that Java refuses, `Unsupported` for one that Java accepts and we
    /// do not.
    pub(crate) fn new(pattern: &str) -> Result<JavaRegex> {
        let translated = translate::translate(pattern)?;
        let invalid =
            |error: String| Error::invalid(format!("invalid regular expression '{pattern}': {error}"));
        let exact = || {
            fancy_regex::RegexBuilder::new(&translated.exact)
                .backtrack_limit(100_000_000)
                .build()
                .map_err(|error| invalid(error.to_string()))
        };
        let engine = match &translated.fast {
            None => Engine::Exact(exact()?),
            Some(fast) => {
                let fast = regex::RegexBuilder::new(fast)
                    .size_limit(64 << 20)
                    .build()
                    .map_err(|error| invalid(error.to_string()))?;
                if translated.asks_for_line_end { Engine::Either(fast, exact()?) } else { Engine::Fast(fast) }
            }
        };
        let direct = translated.fast.as_deref().and_then(Direct::new);
        Ok(JavaRegex { engine, direct, groups: translated.groups })
    }

    /// How many groups the pattern has, not counting the whole match.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// The next match at or after a byte.
    pub(crate) fn find_at(&self, text: &str, from: usize) -> Option<Span> {
        match self.engine_for(text) {
            Ok(fast) => match &self.direct {
                Some(direct) => direct.find(text, from, 0).map(|(whole, _)| whole),
                None => fast.find_at(text, from).map(|found| (found.start(), found.end())),
            },
            Err(exact) => {
                exact.find_from_pos(text, from).ok().flatten().map(|found| (found.start(), found.end()))
            }
        }
    }

    /// Memory for [`JavaRegex::group_in`].
    pub(crate) fn groups_of_match(&self) -> Groups {
        match &self.engine {
            Engine::Fast(fast) | Engine::Either(fast, _) => Groups(Some(fast.capture_locations())),
            Engine::Exact(_) => Groups(None),
        }
    }

    /// A group of the first match. Does not allocate where the fast engine can be used.
    pub(crate) fn group_in(&self, text: &str, group: usize, groups: &mut Groups) -> Option<Span> {
        if group == 0 {
            return self.find_at(text, 0);
        }
        match (self.engine_for(text), &mut groups.0) {
            (Ok(fast), Some(groups)) => {
                if let Some(direct) = &self.direct {
                    let (_, found) = direct.find(text, 0, group)?;
                    return (group <= self.groups).then_some(found);
                }
                fast.captures_read(groups, text)?;
                groups.get(group)
            }
            _ => self.group_at(text, 0, group)?.1,
        }
    }

    /// Like [`JavaRegex::find_at`], with a group; the inner `None` means that the group took no part.
    pub(crate) fn group_at(&self, text: &str, from: usize, group: usize) -> Option<(Span, Option<Span>)> {
        match self.engine_for(text) {
            Ok(fast) => {
                let captures = fast.captures_at(text, from)?;
                let whole = captures.get(0)?;
                let group = captures.get(group).map(|group| (group.start(), group.end()));
                Some(((whole.start(), whole.end()), group))
            }
            Err(exact) => {
                let captures = exact.captures_from_pos(text, from).ok().flatten()?;
                let whole = captures.get(0)?;
                let group = captures.get(group).map(|group| (group.start(), group.end()));
                Some(((whole.start(), whole.end()), group))
            }
        }
    }

    /// All matches in order, as `Matcher.find` returns them: after an empty one the search continues one
    /// character later, and an empty match may directly follow another one.
    pub(crate) fn find_all<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Span> + 'a {
        self.group_all(text, 0).map(|(whole, _)| whole)
    }

    /// Like [`JavaRegex::find_all`], with a group.
    pub(crate) fn group_all<'a>(
        &'a self,
        text: &'a str,
        group: usize,
    ) -> impl Iterator<Item = (Span, Option<Span>)> + 'a {
        let mut from = Some(0);
        std::iter::from_fn(move || {
            let start = from?;
            let found = if group == 0 {
                self.find_at(text, start).map(|whole| (whole, Some(whole)))
            } else {
                self.group_at(text, start, group)
            };
            let Some((whole, group)) = found else {
                from = None;
                return None;
            };
            from = if whole.0 == whole.1 { next_char(text, whole.1) } else { Some(whole.1) };
            Some((whole, group))
        })
    }

    /// The parts between matches, like `String.split`: no empty parts at the end, no empty first part for an
    /// empty match at the start, and the whole text if nothing matches.
    pub(crate) fn split<'a>(&self, text: &'a str, limit: usize) -> Vec<&'a str> {
        let mut parts = Vec::new();
        let mut from = 0;
        for (start, end) in self.find_all(text) {
            if limit > 0 && parts.len() + 1 == limit {
                break;
            }
            if end == 0 {
                continue;
            }
            parts.push(&text[from..start]);
            from = end;
        }
        if parts.is_empty() {
            return vec![text];
        }
        parts.push(&text[from..]);
        if limit == 0 {
            while parts.last().is_some_and(|part| part.is_empty()) {
                parts.pop();
            }
        }
        parts
    }

    fn engine_for(&self, text: &str) -> Result<&regex::Regex, &fancy_regex::Regex> {
        match &self.engine {
            Engine::Fast(fast) => Ok(fast),
            Engine::Either(fast, _) if !ends_in_line_terminator(text) => Ok(fast),
            Engine::Either(_, exact) | Engine::Exact(exact) => Err(exact),
        }
    }
}

fn ends_in_line_terminator(text: &str) -> bool {
    text.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
}

fn next_char(text: &str, at: usize) -> Option<usize> {
    text[at..].chars().next().map(|c| at + c.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pattern: &str, text: &str) -> Vec<String> {
        let regex = JavaRegex::new(pattern).unwrap();
        regex.find_all(text).map(|(start, end)| text[start..end].to_owned()).collect()
    }

    #[test]
    fn finds_as_java_does() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("a*", "aab", &["aa", "", ""]),
            (r"\w+", "héllo wörld", &["h", "llo", "w", "rld"]),
            (r"[^\x00-\x7F]", "ñö", &["ñ", "ö"]),
            (r"(?i)B", "abAB", &["b", "B"]),
            (r"(?i)É", "é É", &["É"]),
            (r"a.c", "abc a\rc a\u{85}c", &["abc"]),
            (r"(?s)a.c", "a\nc", &["a\nc"]),
            (r"c$", "abc\n", &["c"]),
            (r"c$", "abc", &["c"]),
            (r"c\z", "abc\n", &[]),
            (r"(?m)^\w$", "a\r\nb\nc", &["a", "b", "c"]),
            (r"(a)\1", "aab", &["aa"]),
            (r"a(?=b)", "ab ac", &["a"]),
            (r"(?<!a)b", "ab cb", &["b"]),
            (r"a++b", "aaab", &["aaab"]),
            (r"\Qa.b\E+", "a.bb axb", &["a.bb"]),
            (r"[a-z&&[^b]]+", "abc", &["a", "c"]),
            (r"[\w&&[^\d_]]+", "a1_b", &["a", "b"]),
            (r"\u0041\x42\0103", "ABC", &["ABC"]),
            (r"\p{Upper}\p{L}", "Aé bc", &["Aé"]),
            (r"(?x) a b # comment", "ab", &["ab"]),
            (r"x{2,3}", "xxxx", &["xxx"]),
            (r"[~#&-]", "a~#&-", &["~", "#", "&", "-"]),
            (r"\R", "a\r\nb", &["\r\n"]),
            (r"}", "}", &["}"]),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(&all(pattern, text), expected, "{pattern} in {text:?}");
        }
    }

    #[test]
    fn refuses_what_java_refuses() {
        for pattern in ["(", "*a", "[a", "a{", "\\y", "(?<1>a)", "\\p{Nope}", "a{2,1}", "[z-a]"] {
            assert!(JavaRegex::new(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn splits_as_java_does() {
        let split = |pattern: &str, text: &str| -> Vec<String> {
            let regex = JavaRegex::new(pattern).unwrap();
            regex.split(text, 0).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(split(",", "k1,,k2,,"), ["k1", "", "k2"]);
        assert_eq!(split(",", ",a"), ["", "a"]);
        assert_eq!(split("", "abc"), ["a", "b", "c"]);
        assert_eq!(split("x", "abc"), ["abc"]);
        assert_eq!(JavaRegex::new("=").unwrap().split("a=b=c", 2), ["a", "b=c"]);
    }
}
