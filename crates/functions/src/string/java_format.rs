//! The format strings of `java.util.Formatter`: parsed once, applied to each row of values.

use flott_types::{Error, Result};

use super::java_decimal::Decimal;

/// A value as Java's formatter sees it.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Item<'a> {
    Null,
    Boolean(bool),
    /// With the width of its Java type in bits.
    Integer(i64, u32),
    /// The number, and how `%s` writes it.
    Double(f64, String),
    Text(&'a str),
    /// An object that only `%s` and similar conversions can write.
    Object(String),
}

/// A parsed format string.
#[derive(Debug)]
pub(super) struct Format {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Item(Spec),
}

#[derive(Clone, Debug)]
struct Spec {
    /// The specifier as written, for messages.
    source: String,
    index: Index,
    minus: bool,
    alternate: bool,
    plus: bool,
    space: bool,
    zero: bool,
    comma: bool,
    paren: bool,
    width: Option<usize>,
    precision: Option<usize>,
    conversion: char,
    upper: bool,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Index {
    Next,
    Same,
    At(usize),
}

/// A wider field is surely a mistake, and would exhaust memory.
const WIDEST: usize = 1 << 20;

impl Format {
    pub(super) fn parse(text: &str) -> Result<Format> {
        let chars: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while at < chars.len() {
            if chars[at] != '%' {
                literal.push(chars[at]);
                at += 1;
                continue;
            }
            let (spec, end) = Spec::parse(&chars, at)?;
            at = end;
            match spec.conversion {
                'n' => literal.push('\n'),
                '%' if spec.width.is_none() => literal.push('%'),
                _ => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Item(spec));
                }
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Format { pieces })
    }

    pub(super) fn write(&self, items: &[Item<'_>], out: &mut String) -> Result<()> {
        let mut next = 0;
        let mut last: Option<usize> = None;
        for piece in &self.pieces {
            let spec = match piece {
                Piece::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Piece::Item(spec) => spec,
            };
            if spec.conversion == '%' {
                spec.pad(out, "%");
                continue;
            }
            let position = match spec.index {
                Index::Next => {
                    next += 1;
                    Some(next - 1)
                }
                Index::Same => last,
                Index::At(index) => Some(index),
            };
            let item = position.and_then(|position| items.get(position));
            let item = item.ok_or_else(|| {
                Error::data(format!("PRINTF: format specifier '{}' has no argument", spec.source))
            })?;
            last = position;
            spec.write(item, out)?;
        }
        Ok(())
    }
}

impl Spec {
    /// The specifier that begins at a `%`, and where it ends.
    fn parse(chars: &[char], start: usize) -> Result<(Spec, usize)> {
        let wrong = |end: usize| {
            let source: String = chars[start..end.min(chars.len())].iter().collect();
            Error::data(format!("PRINTF: unknown format conversion '{source}'"))
        };
        let mut at = start + 1;
        let mut spec = Spec {
            source: String::new(),
            index: Index::Next,
            minus: false,
            alternate: false,
            plus: false,
            space: false,
            zero: false,
            comma: false,
            paren: false,
            width: None,
            precision: None,
            conversion: '%',
            upper: false,
        };
        let digits = |mut at: usize| {
            let from = at;
            let mut value = 0_usize;
            while let Some(digit) = chars.get(at).and_then(|c| c.to_digit(10)) {
                value = value.saturating_mul(10).saturating_add(digit as usize);
                at += 1;
            }
            (at > from).then_some((value, at))
        };
        if chars.get(at) == Some(&'<') {
            spec.index = Index::Same;
            at += 1;
        } else if let Some((index, end)) = digits(at)
            && chars.get(end) == Some(&'$')
        {
            spec.index = Index::At(index.checked_sub(1).ok_or_else(|| wrong(end + 1))?);
            at = end + 1;
        }
        while let Some(c) = chars.get(at) {
            let flag = match c {
                '-' => &mut spec.minus,
                '#' => &mut spec.alternate,
                '+' => &mut spec.plus,
                ' ' => &mut spec.space,
                '0' => &mut spec.zero,
                ',' => &mut spec.comma,
                '(' => &mut spec.paren,
                _ => break,
            };
            if std::mem::replace(flag, true) {
                return Err(wrong(at + 1));
            }
            at += 1;
        }
        if let Some((width, end)) = digits(at) {
            spec.width = Some(width);
            at = end;
        }
        if chars.get(at) == Some(&'.') {
            let (precision, end) = digits(at + 1).ok_or_else(|| wrong(at + 1))?;
            spec.precision = Some(precision);
            at = end;
        }
        if spec.width.max(spec.precision).is_some_and(|size| size > WIDEST) {
            return Err(wrong(at));
        }
        let conversion = *chars.get(at).ok_or_else(|| wrong(at))?;
        spec.upper = conversion.is_ascii_uppercase();
        spec.conversion = conversion.to_ascii_lowercase();
        spec.source = chars[start..=at].iter().collect();
        let known = match conversion {
            'n' | '%' | 'd' | 'o' | 'f' => true,
            _ => matches!(spec.conversion, 'b' | 'h' | 's' | 'c' | 'x' | 'e' | 'g'),
        };
        if matches!(spec.conversion, 'a' | 't') {
            return Err(Error::unsupported(format!("PRINTF: format conversion '{}'", spec.source)));
        }
        if !known || ((spec.minus || spec.zero) && spec.width.is_none() && conversion != 'n') {
            return Err(wrong(at + 1));
        }
        if (spec.minus && spec.zero) || (spec.plus && spec.space) {
            return Err(wrong(at + 1));
        }
        let signs = spec.plus || spec.space || spec.paren;
        let wrong_flags = match spec.conversion {
            'd' => spec.alternate,
            'o' | 'x' => spec.comma || signs,
            'e' => spec.comma,
            'g' => spec.alternate,
            'f' => false,
            _ => spec.alternate || spec.comma || signs || spec.zero,
        };
        if wrong_flags {
            return Err(wrong(at + 1));
        }
        if spec.precision.is_some() && matches!(spec.conversion, 'd' | 'o' | 'x' | 'c') {
            return Err(wrong(at + 1));
        }
        Ok((spec, at + 1))
    }

    fn mismatch(&self, item: &Item<'_>) -> Error {
        Error::data(format!("PRINTF: format conversion '{}' does not take {item:?}", self.source))
    }

    fn write(&self, item: &Item<'_>, out: &mut String) -> Result<()> {
        let text = match (self.conversion, item) {
            ('b', Item::Null) => self.cut("false"),
            ('b', Item::Boolean(value)) => self.cut(if *value { "true" } else { "false" }),
            ('b', _) => self.cut("true"),
            (_, Item::Null) => self.cut("null"),
            ('s', _) => self.cut(&plain(item)),
            ('h', Item::Integer(value, 64)) => {
                self.cut(&format!("{:x}", (*value ^ (*value as u64 >> 32) as i64) as i32))
            }
            ('h', Item::Integer(value, _)) => self.cut(&format!("{:x}", *value as i32)),
            ('h', Item::Boolean(value)) => self.cut(if *value { "4cf" } else { "4d5" }),
            ('h', Item::Double(value, _)) => {
                let bits = if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() };
                self.cut(&format!("{:x}", (bits ^ (bits >> 32)) as u32))
            }
            ('h', Item::Text(text)) => self.cut(&format!("{:x}", java_hash(text))),
            ('c', Item::Integer(value, bits)) if *bits <= 32 => {
                let c = u32::try_from(*value).ok().and_then(char::from_u32);
                self.cut(&c.ok_or_else(|| self.mismatch(item))?.to_string())
            }
            ('d', Item::Integer(value, _)) => {
                let digits = value.unsigned_abs().to_string();
                let digits = if self.comma { grouped(&digits) } else { digits };
                return self.number(out, *value < 0, digits);
            }
            ('o' | 'x', Item::Integer(value, bits)) => {
                let unsigned = if *bits == 64 { *value as u64 } else { *value as u64 & ((1 << bits) - 1) };
                let (digits, mark) = if self.conversion == 'x' {
                    (format!("{unsigned:x}"), "0x")
                } else {
                    (format!("{unsigned:o}"), "0")
                };
                let mark = if self.alternate { mark } else { "" };
                let missing = self.missing(mark.len() + digits.len());
                let zeros = "0".repeat(if self.zero { missing } else { 0 });
                format!("{mark}{zeros}{digits}")
            }
            ('e' | 'f' | 'g', Item::Double(value, _)) => return self.double(out, *value),
            _ => return Err(self.mismatch(item)),
        };
        if self.upper {
            self.pad(out, &text.to_uppercase());
        } else {
            self.pad(out, &text);
        }
        Ok(())
    }

    fn missing(&self, length: usize) -> usize {
        self.width.unwrap_or(0).saturating_sub(length)
    }

    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn pad(&self, out: &mut String, text: &str) {
        let blanks = std::iter::repeat_n(' ', self.missing(super::super::utf16::len(text)));
        if self.minus {
            out.push_str(text);
            out.extend(blanks);
        } else {
            out.extend(blanks);
            out.push_str(text);
        }
    }

    /// Adds sign, zeros and parentheses to the digits.
    fn number(&self, out: &mut String, negative: bool, digits: String) -> Result<()> {
        let (before, after) = match negative {
            true if self.paren => ("(", ")"),
            true => ("-", ""),
            false if self.plus => ("+", ""),
            false if self.space => (" ", ""),
            false => ("", ""),
        };
        let missing = self.missing(before.len() + digits.len() + after.len());
        let zeros = "0".repeat(if self.zero { missing } else { 0 });
        let text = format!("{before}{zeros}{digits}{after}");
        self.pad(out, &if self.upper { text.to_uppercase() } else { text });
        Ok(())
    }

    fn double(&self, out: &mut String, value: f64) -> Result<()> {
        if !value.is_finite() {
            let text = match () {
                () if value.is_nan() => "NaN",
                () if value > 0.0 && self.plus => "+Infinity",
                () if value > 0.0 && self.space => " Infinity",
                () if value > 0.0 => "Infinity",
                () if self.paren => "(Infinity)",
                () => "-Infinity",
            };
            self.pad(out, &if self.upper { text.to_uppercase() } else { text.to_owned() });
            return Ok(());
        }
        let mut text = String::new();
        flott_batch::text::write_double(&mut text, value);
        let decimal = Decimal::of(&text);
        let precision = self.precision.unwrap_or(6);
        let digits = match self.conversion {
            'f' => decimal.fixed(precision),
            'e' => decimal.scientific(precision),
            _ => {
                let precision = precision.max(1);
                let rounded = decimal.rounded(precision as i32 - decimal.point);
                let point = rounded.point;
                if rounded.is_zero() || (point > -4 && point <= precision as i32) {
                    let places =
                        if rounded.is_zero() { precision as i32 - 1 } else { precision as i32 - point };
                    decimal.fixed(places.max(0) as usize)
                } else {
                    decimal.scientific(precision - 1)
                }
            }
        };
        let digits = if self.alternate && !digits.contains('.') && self.conversion == 'f' {
            digits + "."
        } else {
            digits
        };
        let digits = match digits.split_once('.') {
            Some((whole, rest)) if self.comma && self.conversion != 'e' => {
                format!("{}.{rest}", grouped(whole))
            }
            None if self.comma && self.conversion != 'e' => grouped(&digits),
            _ => digits,
        };
        self.number(out, value.is_sign_negative(), digits)
    }
}

fn plain(item: &Item<'_>) -> String {
    match item {
        Item::Null => "null".to_owned(),
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value, _) => value.to_string(),
        Item::Double(_, text) | Item::Object(text) => text.clone(),
        Item::Text(text) => (*text).to_owned(),
    }
}

fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printf(format: &str, items: &[Item<'_>]) -> String {
        let mut out = String::new();
        Format::parse(format).unwrap().write(items, &mut out).unwrap();
        out
    }

    fn double(value: f64) -> Item<'static> {
        let mut text = String::new();
        flott_batch::text::write_double(&mut text, value);
        Item::Double(value, text)
    }

    #[test]
    fn integers() {
        let cases = [
            ("%d|%5d|%-8d|%08d", -70000, 32, "-70000|-70000|-70000  |-0070000"),
            ("%x", -70000, 32, "fffeee90"),
            ("%x", -7, 8, "f9"),
            ("%#X", 255, 32, "0XFF"),
            ("%,d", -7000000000, 64, "-7,000,000,000"),
            ("%+d", 3, 8, "+3"),
            ("%(d", -3, 8, "(3)"),
            ("%c", 97, 32, "a"),
            ("100%% %o%n", 8, 32, "100% 10\n"),
        ];
        for (format, value, bits, expected) in cases {
            let items = vec![Item::Integer(value, bits); 4];
            assert_eq!(printf(format, &items), expected, "{format}");
        }
    }

    #[test]
    fn doubles() {
        let cases = [
            ("%.2f", 0.005, "0.01"),
            ("%.2f", -2.25, "-2.25"),
            ("%.2f", 1e10, "10000000000.00"),
            ("%.0f", 9.5, "10"),
            ("%e", 1.5, "1.500000e+00"),
            ("%e", 0.1, "1.000000e-01"),
            ("%.3E", 123456.0, "1.235E+05"),
            ("%g", 0.0001, "0.000100000"),
            ("%g", 123456789.0, "1.23457e+08"),
            ("%,.2f", 1234567.891, "1,234,567.89"),
            ("%s", 1e10, "1.0E10"),
            ("%f", f64::NAN, "NaN"),
        ];
        for (format, value, expected) in cases {
            assert_eq!(printf(format, &[double(value)]), expected, "{format} of {value}");
        }
    }

    #[test]
    fn nulls_and_text() {
        let null = [Item::Null];
        assert_eq!(printf("%d", &null), "null");
        assert_eq!(printf("%08d", &null), "    null");
        assert_eq!(printf("%.2f", &null), "nu");
        assert_eq!(printf("%b", &null), "false");
        assert_eq!(printf("[%-5s|%S|%2$s|%<s]", &[Item::Text("ab"), Item::Text("cd")]), "[ab   |CD|cd|cd]");
        assert!(Format::parse("%y").is_err());
        assert!(Format::parse("%d").unwrap().write(&[Item::Text("x")], &mut String::new()).is_err());
        assert!(Format::parse("%s").unwrap().write(&[], &mut String::new()).is_err());
    }
}
