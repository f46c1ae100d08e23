//! Searches many texts for the same substring.

use memchr::memchr;
use memchr::memmem::Finder;

/// A non-empty string to search for, prepared once.
#[expect(clippy::large_enum_variant, reason = "there is one a batch, on the stack")]
pub(super) enum Needle<'n> {
    /// One byte that is a whole character: it cannot occur inside another one.
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

    /// The position of its first occurrence.
    #[inline]
    pub fn find(&self, text: &str) -> Option<usize> {
        match self {
            Needle::Byte(byte) if text.len() <= SHORT => nth_byte(text.as_bytes(), *byte, 0),
            Needle::Byte(byte) => memchr(*byte, text.as_bytes()),
            Needle::Text(finder) => finder.find(text.as_bytes()),
        }
    }

    /// The n-th of the parts between its occurrences, counting from 0.
    pub fn part<'t>(&self, text: &'t str, mut position: usize) -> Option<&'t str> {
        if let Needle::Byte(byte) = self {
            let start = match position.checked_sub(1) {
                Some(before) => nth_byte(text.as_bytes(), *byte, before)? + 1,
                None => 0,
            };
            let rest = &text[start..];
            return Some(nth_byte(rest.as_bytes(), *byte, 0).map_or(rest, |end| &rest[..end]));
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

/// For a text up to this length, the call of a vectorised search costs more than it saves.
const SHORT: usize = 128;

/// The position of the n-th occurrence of a byte, counting from 0: eight bytes at a time, and as cheap for
/// many occurrences that are close together as for one.
#[inline]
fn nth_byte(bytes: &[u8], byte: u8, mut n: usize) -> Option<usize> {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let wanted = u64::from_ne_bytes([byte; 8]);
    let (words, rest) = bytes.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*word) ^ wanted;
        // The highest bit of each byte that matches.
        let mut found = !(((differing & LOW) + LOW) | differing | LOW);
        let count = found.count_ones() as usize;
        if n < count {
            (0..n).for_each(|_| found &= found - 1);
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
        n -= count;
    }
    let in_rest = rest.iter().enumerate().filter(|(_, other)| **other == byte).nth(n)?.0;
    Some(bytes.len() - rest.len() + in_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_of_a_byte_is_found_wherever_it_is() {
        let text = b"//a/\xaf\x2e\x30/bcdefgh/ijklmnopqrstuvwxyz////0123456789/";
        for len in 0..=text.len() {
            let at: Vec<usize> = (0..len).filter(|at| text[*at] == b'/').collect();
            for n in 0..15 {
                assert_eq!(nth_byte(&text[..len], b'/', n), at.get(n).copied(), "{n} of {len} bytes");
            }
        }
    }

    #[test]
    fn parts_are_those_of_split() {
        for text in [
            "",
            "a",
            "/",
            "a/b",
            "//a//",
            "é/ü",
            "a::b:::c",
            "::",
            "https://www.nexmark.com/a/b/item.htm?query=1",
        ] {
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
