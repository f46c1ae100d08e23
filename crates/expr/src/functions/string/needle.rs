//! Looking for the same text in many others.

use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

/// A text to look for, not empty, prepared once.
#[expect(clippy::large_enum_variant, reason = "there is one of it for a batch, and never a list")]
pub(super) enum Needle<'n> {
    /// One byte, which is a whole character: no other character has it inside.
    Byte(u8),
    Text(Finder<'n>),
}

impl<'n> Needle<'n> {
    pub fn new(text: &'n str) -> Self {
        match text.as_bytes() {
            [byte] => Needle::Byte(*byte),
            bytes => Needle::Text(Finder::new(bytes)),
        }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        match self {
            Needle::Byte(_) => 1,
            Needle::Text(finder) => finder.needle().len(),
        }
    }

    /// Where it begins first.
    #[inline]
    pub fn find(&self, text: &str) -> Option<usize> {
        match self {
            Needle::Byte(byte) => memchr(*byte, text.as_bytes()),
            Needle::Text(finder) => finder.find(text.as_bytes()),
        }
    }

    /// The n-th of the parts between its occurrences, from 0.
    pub fn part<'t>(&self, text: &'t str, mut position: usize) -> Option<&'t str> {
        if let Needle::Byte(byte) = self {
            let mut ends = memchr_iter(*byte, text.as_bytes());
            let start = match position.checked_sub(1) {
                Some(before) => ends.nth(before)? + 1,
                None => 0,
            };
            return text.get(start..ends.next().unwrap_or(text.len()));
        }
        let mut rest = text;
        loop {
            let end = self.find(rest);
            if position == 0 {
                return Some(end.map_or(rest, |end| &rest[..end]));
            }
            rest = &rest[end? + self.len()..];
            position -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_split() {
        for text in ["", "a", "/", "a/b", "//a//", "é/ü", "a::b:::c", "::"] {
            for separator in ["/", "::", "é", "bc"] {
                let needle = Needle::new(separator);
                for position in 0..5 {
                    let expected = text.split(separator).nth(position);
                    assert_eq!(needle.part(text, position), expected, "{position} of {text} by {separator}");
                }
            }
        }
    }
}
