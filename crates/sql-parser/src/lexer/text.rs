//! What string literals mean.

use super::{Kind, Token};
use crate::error::{ParseError, Result};

/// The characters of a literal, or the digits of `x'..'`.
pub(super) fn decode(raw: &str) -> Result<(Kind, String), String> {
    let open = raw.find('\'').ok_or("not a string")?;
    let (prefix, body) = (&raw[..open], &raw[open + 1..raw.len() - 1]);
    let plain = body.replace("''", "'");
    match prefix.chars().next() {
        None | Some('n' | 'N') => Ok((Kind::Text, plain)),
        Some('x' | 'X') => {
            if body.len() % 2 != 0 || !body.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!("x'{body}' needs an even number of hexadecimal digits"));
            }
            Ok((Kind::Hex, body.to_owned()))
        }
        Some('e' | 'E') => Ok((Kind::Text, c_style(body)?)),
        Some('u' | 'U') => Ok((Kind::Text, unicode(&plain, '\\')?)),
        _ => match prefix[1..].to_ascii_uppercase().as_str() {
            "UTF8" | "UTF-8" | "UTF16" | "UTF-16" | "UTF-16LE" | "UTF-16BE" | "LATIN1" | "ISO-8859-1" => {
                Ok((Kind::Text, plain))
            }
            charset => Err(format!("Unknown character set `{charset}`: write _UTF8'text' or just 'text'")),
        },
    }
}

/// `U&'..' UESCAPE '!'`: the string is read again with the other escape character, and the clause disappears.
pub(super) fn apply_uescape(source: &str, tokens: &mut Vec<Token>) -> Result<()> {
    let mut at = 0;
    while at + 2 < tokens.len() {
        let is_unicode =
            tokens[at].kind == Kind::Text && source[tokens[at].range.clone()].starts_with(['u', 'U']);
        if is_unicode && tokens[at + 1].is_word("UESCAPE") && tokens[at + 2].kind == Kind::Text {
            let escape = &tokens[at + 2];
            let mut chars = escape.value.chars();
            let (Some(c), None) = (chars.next(), chars.next()) else {
                return Err(ParseError::new("UESCAPE takes one character", escape.position));
            };
            let raw = &source[tokens[at].range.clone()];
            let body = raw[3..raw.len() - 1].replace("''", "'");
            let value = unicode(&body, c).map_err(|message| ParseError::new(message, tokens[at].position))?;
            let end = tokens[at + 2].clone();
            tokens[at].value = value;
            tokens[at].range.end = end.range.end;
            tokens.drain(at + 1..at + 3);
        }
        at += 1;
    }
    Ok(())
}

/// `\XXXX`, `\+XXXXXX` and the doubled escape character.
fn unicode(body: &str, escape: char) -> Result<String, String> {
    let mut units: Vec<u16> = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c != escape {
            push(&mut units, c);
        } else if let Some(behind) = rest.strip_prefix(escape) {
            push(&mut units, escape);
            rest = behind;
        } else {
            let (digits, behind) = match rest.strip_prefix('+') {
                Some(wide) => wide.split_at_checked(6),
                None => rest.split_at_checked(4),
            }
            .filter(|(digits, _)| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .ok_or_else(|| {
                format!("Unicode escape `{escape}` needs four hexadecimal digits, or + and six")
            })?;
            let code = u32::from_str_radix(digits, 16).map_err(|e| e.to_string())?;
            match u16::try_from(code) {
                // Half of a surrogate pair: joined with the other half below.
                Ok(unit) => units.push(unit),
                Err(_) => {
                    let c =
                        char::from_u32(code).ok_or_else(|| format!("{code:X} is no Unicode character"))?;
                    push(&mut units, c);
                }
            }
            rest = behind;
        }
    }
    Ok(String::from_utf16_lossy(&units))
}

fn push(units: &mut Vec<u16>, c: char) {
    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
}

/// `E'..'`: the escapes of C.
fn c_style(body: &str) -> Result<String, String> {
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            chars.next_if_eq(&'\'');
            text.push('\'');
            continue;
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some(kind @ ('x' | 'u' | 'U')) => {
                let most = match kind {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let mut digits = String::new();
                while let Some(digit) = chars.next_if(|c| digits.len() < most && c.is_ascii_hexdigit()) {
                    digits.push(digit);
                }
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                text.push(code.ok_or_else(|| format!("\\{kind}{digits} is no character"))?);
            }
            Some(digit @ '0'..='7') => {
                let mut code = digit as u32 - '0' as u32;
                for _ in 0..2 {
                    let Some(digit) = chars.next_if(|c| ('0'..='7').contains(c)) else {
                        break;
                    };
                    code = code * 8 + (digit as u32 - '0' as u32);
                }
                text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    Ok(text)
}
