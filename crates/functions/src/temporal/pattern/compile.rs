//! Turns pattern letters into nodes, like `DateTimeFormatterBuilder.appendPattern`.

use flott_types::{Error, Result};

use super::{Field, Node, Pattern, Sign, Style};

impl Pattern {
    /// Compiles a pattern such as `yyyy-MM-dd HH:mm:ss[.SSS]`.
    pub(in super::super) fn new(text: &str) -> Result<Pattern> {
        let mut builder = Builder { text, open: vec![Level::default()] };
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        while at < chars.len() {
            let c = chars[at];
            at += 1;
            match c {
                'a'..='z' | 'A'..='Z' => {
                    let count = 1 + chars[at..].iter().take_while(|next| **next == c).count();
                    at += count - 1;
                    builder.letter(c, count)?;
                }
                '\'' => at = builder.quoted(&chars, at)?,
                '[' => builder.open.push(Level::default()),
                ']' => {
                    let level = builder.open.pop().filter(|_| !builder.open.is_empty());
                    let level = level.ok_or_else(|| builder.wrong("] without ["))?;
                    builder.push(Node::Optional(level.nodes));
                }
                '{' | '}' | '#' => return Err(builder.wrong(&format!("reserved character '{c}'"))),
                _ => builder.literal(c),
            }
        }
        while builder.open.len() > 1 {
            if let Some(level) = builder.open.pop() {
                builder.push(Node::Optional(level.nodes));
            }
        }
        let nodes = builder.open.pop().unwrap_or_default().nodes;
        Ok(Pattern { nodes })
    }
}

#[derive(Default)]
struct Level {
    nodes: Vec<Node>,
    /// Where a run of adjacent numbers began.
    row: Option<usize>,
}

struct Builder<'a> {
    text: &'a str,
    open: Vec<Level>,
}

impl Builder<'_> {
    fn wrong(&self, what: &str) -> Error {
        Error::data(format!("invalid date-time pattern '{}': {what}", self.text))
    }

    fn level(&mut self) -> &mut Level {
        if self.open.is_empty() {
            self.open.push(Level::default());
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    fn push(&mut self, node: Node) {
        let level = self.level();
        level.row = None;
        level.nodes.push(node);
    }

    fn literal(&mut self, c: char) {
        let level = self.level();
        level.row = None;
        match level.nodes.last_mut() {
            Some(Node::Literal(text)) => text.push(c),
            _ => level.nodes.push(Node::Literal(c.to_string())),
        }
    }

    /// Called after a quote: literal text up to the next single quote; two quotes stand for one.
    fn quoted(&mut self, chars: &[char], start: usize) -> Result<usize> {
        if chars.get(start) == Some(&'\'') {
            self.literal('\'');
            return Ok(start + 1);
        }
        let mut at = start;
        loop {
            match (chars.get(at), chars.get(at + 1)) {
                (Some('\''), Some('\'')) => {
                    self.literal('\'');
                    at += 2;
                }
                (Some('\''), _) => return Ok(at + 1),
                (Some(c), _) => {
                    self.literal(*c);
                    at += 1;
                }
                (None, _) => return Err(self.wrong("a quote is not closed")),
            }
        }
    }

    /// A number; the first of a run leaves digits to the ones after it, which have a fixed width.
    fn number(&mut self, field: Field, min: usize, max: usize, sign: Sign) {
        let width = (min == max && sign == Sign::Never).then_some(max);
        self.in_row(width, Node::Number { field, min, max, sign, reserved: 0, fixed: false });
    }

    fn in_row(&mut self, width: Option<usize>, mut node: Node) {
        let level = self.level();
        match (level.row, width) {
            (Some(row), Some(width)) => {
                match &mut level.nodes[row] {
                    Node::Number { reserved, .. } | Node::ShortYear { reserved, .. } => *reserved += width,
                    _ => {}
                }
                if let Node::Number { fixed, .. } = &mut node {
                    *fixed = true;
                }
                level.nodes.push(node);
            }
            (row, _) => {
                if let Some(row) = row
                    && let Node::Number { fixed, .. } = &mut level.nodes[row]
                {
                    *fixed = true;
                }
                // A fraction can follow in a run but not start one.
                level.row = (!matches!(node, Node::Fraction(_))).then_some(level.nodes.len());
                level.nodes.push(node);
            }
        }
    }

    fn letter(&mut self, c: char, count: usize) -> Result<()> {
        let too_many = |builder: &Self| Err(builder.wrong(&format!("too many pattern letters: {c}")));
        let field = match c {
            'u' | 'y' | 'Y' => {
                let field = match c {
                    'u' => Field::Year,
                    'y' => Field::YearOfEra,
                    _ => Field::WeekYear,
                };
                match count {
                    2 => self.in_row(Some(2), Node::ShortYear { field, reserved: 0 }),
                    1 | 3 => self.number(field, count, 19, Sign::Normal),
                    4..=19 => self.number(field, count, 19, Sign::ExceedsPad),
                    _ => return too_many(self),
                }
                return Ok(());
            }
            'M' | 'L' | 'Q' | 'q' => {
                let field = if matches!(c, 'M' | 'L') { Field::Month } else { Field::Quarter };
                match count {
                    1 => self.number(field, 1, 19, Sign::Normal),
                    2 => self.number(field, 2, 2, Sign::Never),
                    _ => return self.text(field, c, count),
                }
                return Ok(());
            }
            'E' => return self.text(Field::Weekday, c, count.max(3)),
            'e' | 'c' => {
                match count {
                    1 => self.number(Field::Weekday, 1, 19, Sign::Normal),
                    2 if c == 'e' => self.number(Field::Weekday, 2, 2, Sign::Never),
                    2 => return Err(self.wrong("Invalid pattern \"cc\"")),
                    _ => return self.text(Field::Weekday, c, count),
                }
                return Ok(());
            }
            'a' => {
                if count > 1 {
                    return too_many(self);
                }
                self.push(Node::Text { field: Field::AmPm, style: Style::Short });
                return Ok(());
            }
            'G' => {
                let style = match count {
                    1..=3 => Style::Short,
                    4 => Style::Full,
                    5 => Style::Narrow,
                    _ => return too_many(self),
                };
                self.push(Node::Era(style));
                return Ok(());
            }
            'S' => {
                if count > 9 {
                    return Err(self.wrong("a fraction of a second has at most 9 digits"));
                }
                self.in_row(Some(count), Node::Fraction(count));
                return Ok(());
            }
            'D' => {
                if count > 3 {
                    return too_many(self);
                }
                let sign = if count == 1 { Sign::Normal } else { Sign::Never };
                self.number(Field::DayOfYear, count, if count == 1 { 19 } else { 3 }, sign);
                return Ok(());
            }
            'n' | 'N' | 'A' => {
                let field = match c {
                    'n' => Field::Nano,
                    'N' => Field::NanoOfDay,
                    _ => Field::MilliOfDay,
                };
                self.number(field, count.min(19), 19, Sign::Never);
                return Ok(());
            }
            'F' | 'W' => {
                if count > 1 {
                    return too_many(self);
                }
                let field = if c == 'F' { Field::AlignedDay } else { Field::WeekOfMonth };
                self.number(field, 1, 19, Sign::Normal);
                return Ok(());
            }
            'X' | 'x' | 'Z' | 'O' => {
                if count > 5 {
                    return too_many(self);
                }
                self.push(Node::Offset { letter: c, count });
                return Ok(());
            }
            'z' | 'v' | 'V' => {
                self.push(Node::ZoneName);
                return Ok(());
            }
            'p' | 'B' | 'g' => {
                return Err(Error::unsupported(format!(
                    "the letter {c} in the date-time pattern '{}'",
                    self.text
                )));
            }
            'd' => Field::Day,
            'H' => Field::Hour,
            'k' => Field::HourOfClock,
            'K' => Field::HourOfAmPm,
            'h' => Field::HourOfHalfClock,
            'm' => Field::Minute,
            's' => Field::Second,
            'w' => Field::Week,
            _ => return Err(self.wrong(&format!("unknown pattern letter: {c}"))),
        };
        match count {
            1 => self.number(field, 1, 19, Sign::Normal),
            2 => self.number(field, 2, 2, Sign::Never),
            _ => return too_many(self),
        }
        Ok(())
    }

    fn text(&mut self, field: Field, letter: char, count: usize) -> Result<()> {
        let style = match count {
            3 => Style::Short,
            4 => Style::Full,
            5 => Style::Narrow,
            _ => return Err(self.wrong(&format!("too many pattern letters: {letter}"))),
        };
        self.push(Node::Text { field, style });
        Ok(())
    }
}
