//! Character classes: `[a-z&&[^b]]`, `\d`, `\p{Lower}`.

use flott_types::Result;

use super::Parser;

/// The inside of a class for the letter after a backslash; `None` if the letter stands for no class.
pub(super) fn predefined(parser: &mut Parser<'_>, c: char) -> Result<Option<String>> {
    let (set, negated) = match c {
        'd' | 'D' => ("0-9", c == 'D'),
        'w' | 'W' => ("a-zA-Z_0-9", c == 'W'),
        's' | 'S' => ("\\x20\\t\\n\\x0B\\x0C\\r", c == 'S'),
        'h' | 'H' => {
            ("\\x20\\t\\x{A0}\\x{1680}\\x{180E}\\x{2000}-\\x{200A}\\x{202F}\\x{205F}\\x{3000}", c == 'H')
        }
        'v' | 'V' => ("\\n\\x0B\\x0C\\r\\x{85}\\x{2028}\\x{2029}", c == 'V'),
        'p' | 'P' => return property(parser, c == 'P').map(Some),
        _ => return Ok(None),
    };
    Ok(Some(if negated { format!("[^{set}]") } else { set.to_owned() }))
}

fn property(parser: &mut Parser<'_>, negated: bool) -> Result<String> {
    let name: String = if parser.take('{') {
        let start = parser.at;
        while parser.peek().is_some_and(|c| c != '}') {
            parser.at += 1;
        }
        let name = parser.chars[start..parser.at].iter().collect();
        if !parser.take('}') {
            return Err(parser.invalid("unclosed character family"));
        }
        name
    } else {
        parser.next().into_iter().collect()
    };
    let ascii = match name.as_str() {
        "Lower" if parser.flags.ignore_case => "a-zA-Z",
        "Upper" if parser.flags.ignore_case => "a-zA-Z",
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => "\\x00-\\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" | "IsDigit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => "!-/:-@\\[-`{-~",
        "Graph" => "!-~",
        "Print" => "\\x20-~",
        "Blank" => "\\x20\\t",
        "Cntrl" => "\\x00-\\x1F\\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => "\\x20\\t\\n\\x0B\\x0C\\r",
        _ => "",
    };
    if !ascii.is_empty() {
        return Ok(if negated { format!("[^{ascii}]") } else { ascii.to_owned() });
    }
    let unicode = match name.as_str() {
        "javaLowerCase" | "IsLowercase" => "Lowercase",
        "javaUpperCase" | "IsUppercase" => "Uppercase",
        "javaWhitespace" | "IsWhite_Space" => "White_Space",
        "javaLetter" => "L",
        "javaDigit" => "Nd",
        "javaAlphabetic" | "IsAlphabetic" => "Alphabetic",
        "IsIdeographic" | "javaIdeographic" => "Ideographic",
        "IsPunctuation" => "P",
        "IsControl" => "Cc",
        "IsHex_Digit" => "Hex_Digit",
        "InGreek" => return Ok(block(negated, "\\x{370}-\\x{3FF}")),
        "InCyrillic" => return Ok(block(negated, "\\x{400}-\\x{4FF}")),
        "InHiragana" => return Ok(block(negated, "\\x{3040}-\\x{309F}")),
        "InKatakana" => return Ok(block(negated, "\\x{30A0}-\\x{30FF}")),
        "InCJKUnifiedIdeographs" | "InCJK_UNIFIED_IDEOGRAPHS" => {
            return Ok(block(negated, "\\x{4E00}-\\x{9FFF}"));
        }
        "InBasicLatin" | "InBasic_Latin" => return Ok(block(negated, "\\x00-\\x7F")),
        other => {
            let other = other.strip_prefix("Is").unwrap_or(other);
            let other = other
                .strip_prefix("general_category=")
                .or_else(|| other.strip_prefix("gc="))
                .or_else(|| other.strip_prefix("script="))
                .or_else(|| other.strip_prefix("sc="))
                .unwrap_or(other);
            return known(parser, other, negated);
        }
    };
    Ok(format!("\\{}{{{unicode}}}", if negated { 'P' } else { 'p' }))
}

fn block(negated: bool, range: &str) -> String {
    if negated { format!("[^{range}]") } else { range.to_owned() }
}

/// A general category or script, if the engine knows it.
fn known(parser: &Parser<'_>, name: &str, negated: bool) -> Result<String> {
    let set = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain && regex::Regex::new(&set).is_ok() {
        return Ok(set);
    }
    Err(parser.invalid(&format!("unknown character property {{{name}}}")))
}

impl Parser<'_> {
    /// Called after `[`.
    pub(super) fn class(&mut self) -> Result<()> {
        let mut out = String::new();
        self.class_body(&mut out, 0)?;
        self.emit(&out);
        Ok(())
    }

    fn class_body(&mut self, out: &mut String, depth: usize) -> Result<()> {
        if depth > 100 {
            return Err(self.invalid("classes are nested too deeply"));
        }
        out.push('[');
        if self.take('^') {
            out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.next() else {
                return Err(self.invalid("unclosed character class"));
            };
            match c {
                ']' if !first => break,
                '[' => self.class_body(out, depth + 1)?,
                '&' if self.peek() == Some('&') && !first => {
                    self.at += 1;
                    while self.starts_with("&&") {
                        self.at += 1;
                    }
                    out.push_str("&&");
                }
                _ if self.flags.comments && matches!(c, ' ' | '\t'..='\r') => continue,
                '\\' if self.take('Q') => {
                    while self.at < self.chars.len() && !self.starts_with("\\E") {
                        let c = self.chars[self.at];
                        self.at += 1;
                        self.range(out, c, c);
                    }
                    self.at = (self.at + 2).min(self.chars.len());
                }
                _ => self.class_item(out, c)?,
            }
            first = false;
        }
        out.push(']');
        Ok(())
    }

    /// A character, a range or an escape.
    fn class_item(&mut self, out: &mut String, c: char) -> Result<()> {
        let low = if c == '\\' {
            let escaped = self.next().ok_or_else(|| self.invalid("illegal character class"))?;
            if let Some(set) = predefined(self, escaped)? {
                // A set within a class gets its own brackets, or its last item could merge with what follows
                // into a range.
                if set.starts_with('[') || set.starts_with('\\') && set.ends_with('}') {
                    out.push_str(&set);
                } else {
                    out.push_str(&format!("[{set}]"));
                }
                return Ok(());
            }
            self.escaped_char(escaped)?
        } else {
            c
        };
        let is_range =
            self.peek() == Some('-') && !matches!(self.chars.get(self.at + 1), Some(']' | '[') | None);
        if !is_range {
            self.range(out, low, low);
            return Ok(());
        }
        self.at += 1;
        let mut high = self.next().ok_or_else(|| self.invalid("illegal character range"))?;
        if high == '\\' {
            let escaped = self.next().ok_or_else(|| self.invalid("illegal character range"))?;
            high = self.escaped_char(escaped)?;
        }
        if high < low {
            return Err(self.invalid("illegal character range"));
        }
        self.range(out, low, high);
        Ok(())
    }

    /// With CASE_INSENSITIVE, the ASCII letters of the range in both cases.
    fn range(&self, out: &mut String, low: char, high: char) {
        push_range(out, low, high);
        if !self.flags.ignore_case {
            return;
        }
        for (from, to, shift) in [('a', 'z', -32_i32), ('A', 'Z', 32)] {
            let (from, to) = (from.max(low), to.min(high));
            if from <= to {
                let shifted = |c: char| char::from((i32::from(c as u8) + shift) as u8);
                push_range(out, shifted(from), shifted(to));
            }
        }
        if self.flags.unicode_case && low == high {
            for c in low.to_lowercase().chain(low.to_uppercase()) {
                push_range(out, c, c);
            }
        }
    }
}

fn push_range(out: &mut String, low: char, high: char) {
    let push = |out: &mut String, c: char| out.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
    push(out, low);
    if high != low {
        out.push('-');
        push(out, high);
    }
}
