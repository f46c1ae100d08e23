//! Patterns that are found without an automaton: a literal, and behind it literals and repeated characters of which
//! each can end in one place only, as in `(&|^)id=([^&]*)` or `<b>([^<]+)</b>`.
//!
//! The literal is searched for in the whole text. What is behind it is then compared once, byte by byte: no choice is
//! ever taken back, and the places of groups come for free. The `regex` crate takes three passes for that: to the end
//! of the match, back to its beginning, and once more for groups.

use memchr::memmem::Finder;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use super::Span;

/// Such a pattern. See the module's header.
#[derive(Debug)]
pub(super) struct Direct {
    before: Before,
    literal: Finder<'static>,
    pieces: Vec<Piece>,
}

/// What stands before the literal.
#[derive(Clone, Default, Debug)]
struct Before {
    /// One of these bytes, ...
    bytes: Vec<u8>,
    /// ... or the beginning of the text, ...
    start: bool,
    /// ... or nothing in particular.
    nothing: bool,
}

/// In the order of the pattern.
#[derive(Debug)]
enum Piece {
    Open(usize),
    Close(usize),
    Before,
    /// The literal that is searched for.
    Found,
    Literal(Box<[u8]>),
    /// As many of these bytes as there are, but so many at least.
    Run {
        bytes: Box<[bool; 256]>,
        least: usize,
    },
    End,
}

impl Direct {
    /// `None` if the pattern, in the syntax of the `regex` crate, is not one of these.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let hir = regex_syntax::parse(pattern).ok()?;
        let mut parsing = Parsing { before: None, literal: None, pieces: Vec::new() };
        parsing.add(&hir)?;
        let Parsing { before, literal, pieces } = parsing;
        let literal = literal?;
        let before = before.unwrap_or(Before { nothing: true, ..Before::default() });
        // Else a match with a later literal could begin where one with an earlier literal does.
        let is_group = |piece: &&Piece| matches!(piece, Piece::Open(_) | Piece::Close(_));
        let visible: Vec<&Piece> = pieces.iter().filter(|piece| !is_group(piece)).collect();
        if before.bytes.contains(literal.first()?)
            || !each_ends_in_one_place(&visible)
            || reads_again(&visible, &literal)
        {
            return None;
        }
        Some(Direct { before, literal: Finder::new(&literal).into_owned(), pieces })
    }

    /// The first match at or after a byte, and a group of it, which must be one of the pattern's; 0 is the match.
    pub(super) fn find(&self, text: &str, from: usize, group: usize) -> Option<(Span, Span)> {
        let text = text.as_bytes();
        let only_at_start = self.before.start && !self.before.nothing && self.before.bytes.is_empty();
        let mut next = from;
        loop {
            let at = match only_at_start {
                true if next == 0 && text.starts_with(self.literal.needle()) => 0,
                true => return None,
                false => next + self.literal.find(text.get(next..)?)?,
            };
            let start = self.before.start_of(text, from, at);
            if let Some(found) = start.and_then(|start| self.compare(text, start, at, group)) {
                return Some(found);
            }
            next = at + 1;
        }
    }

    fn compare(&self, text: &[u8], start: usize, literal: usize, group: usize) -> Option<(Span, Span)> {
        let (mut at, mut wanted) = (start, (start, start));
        for piece in &self.pieces {
            match piece {
                Piece::Open(number) if *number == group => wanted.0 = at,
                Piece::Close(number) if *number == group => wanted.1 = at,
                Piece::Open(_) | Piece::Close(_) => {}
                Piece::Before => at = literal,
                Piece::Found => at = literal + self.literal.needle().len(),
                Piece::Literal(bytes) => {
                    text[at..].starts_with(bytes).then_some(())?;
                    at += bytes.len();
                }
                Piece::Run { bytes, least } => {
                    let rest = &text[at..];
                    let end = rest.iter().position(|byte| !bytes[usize::from(*byte)]).unwrap_or(rest.len());
                    (end >= *least).then_some(())?;
                    at += end;
                }
                Piece::End => (at == text.len()).then_some(())?,
            }
        }
        let whole = (start, at);
        Some((whole, if group == 0 { whole } else { wanted }))
    }
}

impl Before {
    /// Where a match begins whose literal is at `at`.
    fn start_of(&self, text: &[u8], from: usize, at: usize) -> Option<usize> {
        if at > from && self.bytes.contains(&text[at - 1]) {
            return Some(at - 1);
        }
        (self.nothing || self.start && at == 0).then_some(at)
    }

    /// One more alternative.
    fn add(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => self.nothing = true,
            HirKind::Look(Look::Start) => self.start = true,
            HirKind::Literal(literal) => match *literal.0 {
                [byte] if byte.is_ascii() => self.bytes.push(byte),
                _ => return None,
            },
            HirKind::Class(class) => {
                let bytes = bytes_of(class)?;
                let chosen = (0..=255u8).filter(|byte| bytes[usize::from(*byte)]);
                self.bytes.extend(chosen);
                // One byte of a longer character does not stand for it.
                self.bytes.iter().all(u8::is_ascii).then_some(())?;
            }
            _ => return None,
        }
        Some(())
    }
}

/// A pattern while it is looked through.
struct Parsing {
    before: Option<Before>,
    literal: Option<Box<[u8]>>,
    pieces: Vec<Piece>,
}

impl Parsing {
    fn add(&mut self, hir: &Hir) -> Option<()> {
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.add(part))?,
            HirKind::Capture(capture) => {
                let group = capture.index as usize;
                self.pieces.push(Piece::Open(group));
                self.add(&capture.sub)?;
                self.pieces.push(Piece::Close(group));
            }
            HirKind::Literal(literal) if self.literal.is_none() => {
                self.literal = Some(literal.0.clone());
                self.pieces.push(Piece::Found);
            }
            HirKind::Literal(literal) => self.pieces.push(Piece::Literal(literal.0.clone())),
            _ if self.literal.is_none() => {
                let mut before = Before::default();
                match hir.kind() {
                    HirKind::Alternation(choices) => choices.iter().try_for_each(|one| before.add(one))?,
                    _ => before.add(hir)?,
                }
                self.before.is_none().then_some(())?;
                self.before = Some(before);
                self.pieces.push(Piece::Before);
            }
            HirKind::Repetition(Repetition { min: min @ (0 | 1), max: None, greedy: true, sub }) => {
                let HirKind::Class(class) = sub.kind() else { return None };
                self.pieces.push(Piece::Run { bytes: bytes_of(class)?, least: *min as usize });
            }
            HirKind::Look(Look::End) => self.pieces.push(Piece::End),
            _ => return None,
        }
        Some(())
    }
}

/// The bytes that the characters of a class consist of, if each of these bytes is always one of them: the class has
/// all characters beyond ASCII or none.
fn bytes_of(class: &Class) -> Option<Box<[bool; 256]>> {
    let mut bytes = Box::new([false; 256]);
    let Class::Unicode(class) = class else { return None };
    for range in class.iter() {
        let first = u32::from(range.start()) as usize;
        match u32::from(range.end()) {
            last @ 0..=0x7f => bytes[first..=last as usize].fill(true),
            0x10_ffff if first <= 0x80 => bytes[first..].fill(true),
            _ => return None,
        }
    }
    Some(bytes)
}

/// Whether what follows a run is nothing that the run could have taken.
fn each_ends_in_one_place(pieces: &[&Piece]) -> bool {
    pieces.windows(2).all(|pair| match pair {
        [Piece::Run { bytes, .. }, Piece::Literal(next)] => {
            next.first().is_some_and(|byte| !bytes[usize::from(*byte)])
        }
        [Piece::Run { .. }, next] => matches!(next, Piece::End),
        _ => true,
    })
}

/// Whether a run could go over further places of the literal, and the match fail behind it: each of them would read the
/// same run once more.
fn reads_again(pieces: &[&Piece], literal: &[u8]) -> bool {
    let goes_over = |piece: &&Piece| match piece {
        Piece::Run { bytes, .. } => literal.iter().all(|byte| bytes[usize::from(*byte)]),
        _ => false,
    };
    pieces.split_last().is_some_and(|(_, before_last)| before_last.iter().any(goes_over))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_with_one_way_to_match_are_direct() {
        for pattern in ["(&|\\A)id=([^&]*)", "<b>([^<]+)</b>", "a", "\\Aab", "x=([0-9]+)\\z", "[;,]k=(.*)x?"]
        {
            let is_direct = Direct::new(pattern).is_some();
            assert_eq!(is_direct, !pattern.ends_with('?'), "{pattern}");
        }
        for pattern in [
            "",
            "[a-z]*",
            "a[b-d]*c",
            "a|b",
            "(a)*b",
            "a[b-e]*[f-g]*e",
            "a[^\u{e9}]*",
            "(a|b)ab",
            "ab*?",
            "a[^&]*\\z",
            "a([^&]*)&",
        ] {
            assert!(Direct::new(pattern).is_none(), "{pattern}");
        }
    }

    fn pattern() -> impl Strategy<Value = String> {
        let before = prop::sample::select(vec!["", "(&|\\A)", "\\A", "(&|;)", "[&;]", "(?:|&)"]);
        let literal = prop::sample::select(vec!["a", "ab", "(aba)", "é", "a="]);
        let run =
            prop::sample::select(vec!["[^&]*", "([^&b]*)", "([a-c]+)", "[^a=]+", "(b)", "=(&)", "[é&]*"]);
        let end = prop::sample::select(vec!["", "\\z", "&"]);
        (before, literal, prop::collection::vec(run, 0..3), end)
            .prop_map(|(before, literal, runs, end)| format!("{before}{literal}{}{end}", runs.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn finds_what_the_automaton_finds(pattern in pattern(), text in "[ab&;=cé]{0,12}", from in 0usize..4) {
            let regex = regex::Regex::new(&pattern).unwrap();
            if let Some(direct) = Direct::new(&pattern) && text.is_char_boundary(from.min(text.len())) {
                let from = from.min(text.len());
                let captures = regex.captures_at(&text, from);
                for group in 0..regex.captures_len() {
                    let expected = captures.as_ref().map(|captures| {
                        let span = |group| captures.get(group).map(|found: regex::Match<'_>| (found.start(), found.end())).unwrap();
                        (span(0), span(group))
                    });
                    prop_assert_eq!(direct.find(&text, from, group), expected, "{} in {:?}", pattern, text);
                }
            }
        }
    }
}
