//! The content of quoted texts.

use std::fmt::Write;

/// Four hexadecimal digits.
pub(super) fn hex4(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 4)?;
    digits.iter().try_fold(0, |value, digit| Some(value * 16 + char::from(*digit).to_digit(16)?))
}

/// Appends a text without its escape sequences; half of a surrogate pair becomes `?`, as when Java encodes
/// such a text as UTF-8.
pub fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(found) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..found]);
        rest = &rest[found + 1..];
        let Some((letter, tail)) = rest.split_first() else {
            return;
        };
        rest = tail;
        match letter {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let Some(unit) = hex4(rest, 0) else { return };
                rest = &rest[4..];
                let mut code = unit;
                if (0xd800..0xdc00).contains(&unit)
                    && rest.starts_with(b"\\u")
                    && let Some(low) = hex4(rest, 2).filter(|low| (0xdc00..0xe000).contains(low))
                {
                    code = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                    rest = &rest[6..];
                }
                let character = char::from_u32(code).unwrap_or('?');
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => out.push(*other),
        }
    }
    out.extend_from_slice(rest);
}

/// Appends a value without the blanks between its tokens.
pub fn compact(text: &[u8], out: &mut Vec<u8>) {
    let mut in_text = false;
    let mut escaped = false;
    for byte in text {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else {
            if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                continue;
            }
            in_text = *byte == b'"';
        }
        out.push(*byte);
    }
}

/// Appends a text in quotes, with the escape sequences that JSON requires.
pub fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        match special.as_bytes().first() {
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(8) => out.push_str("\\b"),
            Some(12) => out.push_str("\\f"),
            Some(b'\n') => out.push_str("\\n"),
            Some(b'\r') => out.push_str("\\r"),
            Some(b'\t') => out.push_str("\\t"),
            other => {
                let _ = write!(out, "\\u{:04X}", other.copied().unwrap_or_default());
            }
        }
        rest = special.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let mut out = Vec::new();
        unescape(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_text_comes_back_without_its_escapes() {
        assert_eq!(plain(r#"a\"\\\/\b\f\n\r\tz"#), "a\"\\/\u{8}\u{c}\n\r\tz");
        assert_eq!(plain(r"\u00e9\uD83D\ude00"), "é😀");
    }

    #[test]
    fn half_a_character_is_a_question_mark() {
        assert_eq!(plain(r"\ud83dx\ude00"), "?x?");
        assert_eq!(plain(r"\ud83d\ud83d\ude00\ud83d"), "?😀?");
    }

    #[test]
    fn texts_are_written_as_jackson_writes_them() {
        let mut out = String::new();
        write_text(&mut out, "é\"\\/\u{8}\u{c}\n\r\t\u{1f}\u{7f}");
        assert_eq!(out, "\"é\\\"\\\\/\\b\\f\\n\\r\\t\\u001F\u{7f}\"");
    }

    #[test]
    fn blanks_go_except_in_texts() {
        let mut out = Vec::new();
        compact(b"{ \"a b\" : [ 1 , \"\\\" \" ] }", &mut out);
        assert_eq!(out, b"{\"a b\":[1,\"\\\" \"]}");
    }
}
