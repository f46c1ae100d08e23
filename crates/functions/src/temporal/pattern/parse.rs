//! Parses a local date-time. `None` for text that does not fit the pattern.

use super::{Field, Local, Node, Pattern, Sign, Style, names, resolve};

impl Pattern {
    /// Parses the whole text as a local date-time; missing fields are those of 1970-01-01 00:00.
    pub(in super::super) fn parse(&self, text: &str) -> Option<Local> {
        let mut parsed = Parsed::default();
        let end = read_all(&self.nodes, text, 0, &mut parsed)?;
        if end < text.len() {
            return None;
        }
        resolve::resolve(&parsed)
    }
}

/// The parsed values, each field once.
#[derive(Clone, Default, Debug)]
pub(super) struct Parsed {
    values: Vec<(Field, i64)>,
    before_christ: Option<bool>,
}

impl Parsed {
    pub(super) fn get(&self, field: Field) -> Option<i64> {
        self.values.iter().find(|(known, _)| *known == field).map(|(_, value)| *value)
    }

    pub(super) fn before_christ(&self) -> Option<bool> {
        self.before_christ
    }

    /// `None` if the field already has a different value.
    fn set(&mut self, field: Field, value: i64) -> Option<()> {
        match self.get(field) {
            Some(known) => (known == value).then_some(()),
            None => {
                self.values.push((field, value));
                Some(())
            }
        }
    }
}

fn read_all(nodes: &[Node], text: &str, mut at: usize, parsed: &mut Parsed) -> Option<usize> {
    for node in nodes {
        at = read(node, text, at, parsed)?;
    }
    Some(at)
}

fn read(node: &Node, text: &str, at: usize, parsed: &mut Parsed) -> Option<usize> {
    match node {
        Node::Literal(literal) => text[at..].starts_with(literal.as_str()).then_some(at + literal.len()),
        Node::Number { field, min, max, sign, reserved, fixed } => {
            let max = if *fixed { *min } else { *max };
            let (value, end) =
                number(text, at, *min, max, if *fixed { Sign::Never } else { *sign }, *reserved)?;
            // Days of the week count from 1 in a pattern, from 0 among names.
            let value = if *field == Field::Weekday { value - 1 } else { value };
            parsed.set(*field, value)?;
            Some(end)
        }
        Node::ShortYear { field, reserved } => {
            let (value, end) = number(text, at, 2, 2, Sign::Never, *reserved)?;
            parsed.set(*field, 2_000 + value)?;
            Some(end)
        }
        Node::Fraction(count) => {
            let digits = text.get(at..at + count)?;
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let value: i64 = digits.parse().ok()?;
            parsed.set(Field::Nano, value * 10_i64.pow(9 - *count as u32))?;
            Some(at + count)
        }
        Node::Text { field, style } => {
            let found = names::values(*field)
                .filter_map(|value| Some((value, names::name(*field, *style, value)?)))
                .filter(|(_, name)| text[at..].starts_with(name))
                .max_by_key(|(_, name)| name.len())?;
            parsed.set(*field, found.0 as i64)?;
            Some(at + found.1.len())
        }
        Node::Era(style) => {
            let eras = match style {
                Style::Short => ["AD", "BC"],
                Style::Full => ["Anno Domini", "Before Christ"],
                Style::Narrow => ["A", "B"],
            };
            let which = eras.iter().position(|era| text[at..].starts_with(era))?;
            parsed.before_christ = Some(which == 1);
            Some(at + eras[which].len())
        }
        Node::Offset { letter, count } => offset(text, at, *letter, *count),
        Node::ZoneName => {
            let name = text[at..]
                .find(|c: char| {
                    !(c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+' | ':' | '~'))
                })
                .map_or(&text[at..], |end| &text[at..at + end]);
            super::super::zone::Zone::strict(name)?;
            Some(at + name.len())
        }
        Node::Optional(nodes) => {
            let mut tried = parsed.clone();
            match read_all(nodes, text, at, &mut tried) {
                Some(end) => {
                    *parsed = tried;
                    Some(end)
                }
                None => Some(at),
            }
        }
    }
}

/// A number and where it ends. Takes as many digits as it may, but leaves those that adjacent numbers need.
fn number(
    text: &str,
    start: usize,
    min: usize,
    max: usize,
    sign: Sign,
    reserved: usize,
) -> Option<(i64, usize)> {
    let bytes = text.as_bytes();
    let (mut at, mut negative, mut positive) = (start, false, false);
    match bytes.get(at)? {
        b'-' if sign != Sign::Never => {
            negative = true;
            at += 1;
        }
        b'+' if sign == Sign::ExceedsPad => {
            positive = true;
            at += 1;
        }
        _ => {}
    }
    let available = bytes[at..].iter().take(max + reserved).take_while(|byte| byte.is_ascii_digit()).count();
    if available < min {
        return None;
    }
    let length = if reserved > 0 { min.max(available.saturating_sub(reserved)) } else { available.min(max) };
    let value: i64 = text[at..at + length].parse().ok()?;
    if negative && value == 0 {
        return None;
    }
    if sign == Sign::ExceedsPad && !negative && positive != (length > min) {
        return None;
    }
    Some((if negative { -value } else { value }, at + length))
}

/// Parses an offset, whose value is not used.
fn offset(text: &str, at: usize, letter: char, count: usize) -> Option<usize> {
    let rest = &text[at..];
    if letter == 'X' && rest.starts_with('Z') {
        return Some(at + 1);
    }
    if letter == 'O' {
        let rest = rest.strip_prefix("GMT")?;
        if !rest.starts_with(['+', '-']) {
            return Some(at + 3);
        }
        return offset(text, at + 3, 'x', if count == 4 { 3 } else { 1 });
    }
    let digits = |from: usize| -> Option<usize> {
        rest.get(from..from + 2)?.bytes().all(|byte| byte.is_ascii_digit()).then_some(from + 2)
    };
    if !rest.starts_with(['+', '-']) {
        return None;
    }
    let hours = digits(1)?;
    let with_colon = matches!(count, 3 | 5);
    let minutes = |from: usize| {
        let from =
            if with_colon { (rest.as_bytes().get(from) == Some(&b':')).then_some(from + 1)? } else { from };
        digits(from)
    };
    if count == 1 && letter != 'Z' {
        return Some(at + minutes(hours).unwrap_or(hours));
    }
    Some(at + minutes(hours)?)
}
