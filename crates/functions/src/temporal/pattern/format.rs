//! Formats a local date-time.

use flott_types::{Error, Result};

use super::{Field, Local, Node, Pattern, Sign, Style, names};

impl Pattern {
    /// Appends the date-time. Offsets and zones are an error, because a local date-time has none.
    pub(in super::super) fn format(&self, local: &Local, out: &mut String) -> Result<()> {
        write_all(&self.nodes, local, out)
    }
}

fn write_all(nodes: &[Node], local: &Local, out: &mut String) -> Result<()> {
    for node in nodes {
        match node {
            Node::Literal(text) => out.push_str(text),
            Node::Number { field, min, max, sign, .. } => {
                number(out, value(*field, local), *min, *max, *sign)?;
            }
            Node::ShortYear { field, .. } => {
                number(out, value(*field, local).rem_euclid(100), 2, 2, Sign::Never)?
            }
            Node::Fraction(count) => {
                let nanos = local.nanos % 1_000_000_000;
                let digits = nanos / 10_i64.pow(9 - *count as u32);
                number(out, digits, *count, *count, Sign::Never)?;
            }
            Node::Text { field, style } => {
                let at = match field {
                    Field::Weekday => local.weekday(),
                    _ => value(*field, local) as usize,
                };
                out.push_str(names::name(*field, *style, at).unwrap_or_default());
            }
            Node::Era(style) => out.push_str(match (style, local.year > 0) {
                (Style::Short, true) => "AD",
                (Style::Short, false) => "BC",
                (Style::Full, true) => "Anno Domini",
                (Style::Full, false) => "Before Christ",
                (Style::Narrow, true) => "A",
                (Style::Narrow, false) => "B",
            }),
            Node::Offset { .. } | Node::ZoneName => {
                return Err(Error::data(
                    "the date-time pattern asks for a time zone, which a local date-time does not have",
                ));
            }
            Node::Optional(nodes) => {
                let before = out.len();
                if write_all(nodes, local, out).is_err() {
                    out.truncate(before);
                }
            }
        }
    }
    Ok(())
}

fn number(out: &mut String, value: i64, min: usize, max: usize, sign: Sign) -> Result<()> {
    let digits = value.unsigned_abs().to_string();
    if digits.len() > max || (value < 0 && sign == Sign::Never) {
        return Err(Error::data(format!(
            "the value {value} does not fit into {max} digits of the date-time pattern"
        )));
    }
    if value < 0 {
        out.push('-');
    } else if sign == Sign::ExceedsPad && min < 19 && digits.len() > min {
        out.push('+');
    }
    out.extend(std::iter::repeat_n('0', min.saturating_sub(digits.len())));
    out.push_str(&digits);
    Ok(())
}

fn value(field: Field, local: &Local) -> i64 {
    let seconds = local.nanos / 1_000_000_000;
    let hour = seconds / 3_600;
    let twelve = |hour: i64, zero: i64| if hour == 0 { zero } else { hour };
    match field {
        Field::Year => local.year,
        Field::YearOfEra => {
            if local.year > 0 {
                local.year
            } else {
                1 - local.year
            }
        }
        Field::WeekYear => week(local).0,
        Field::Week => week(local).1,
        Field::WeekOfMonth => {
            let first = (local.days() - i64::from(local.day) + 1 + 4).rem_euclid(7);
            (i64::from(local.day) - 1 + first) / 7 + 1
        }
        Field::Quarter => i64::from(local.month + 2) / 3,
        Field::Month => local.month.into(),
        Field::DayOfYear => local.day_of_year(),
        Field::Day => local.day.into(),
        Field::AlignedDay => (i64::from(local.day) - 1) % 7 + 1,
        Field::Weekday => local.weekday() as i64 + 1,
        Field::AmPm => hour / 12,
        Field::Hour => hour,
        Field::HourOfClock => twelve(hour, 24),
        Field::HourOfAmPm => hour % 12,
        Field::HourOfHalfClock => twelve(hour % 12, 12),
        Field::Minute => seconds / 60 % 60,
        Field::Second => seconds % 60,
        Field::Nano => local.nanos % 1_000_000_000,
        Field::MilliOfDay => local.nanos / 1_000_000,
        Field::NanoOfDay => local.nanos,
    }
}

/// Year and week as in the United States: weeks begin on Sunday, and the first is the one with January 1.
fn week(local: &Local) -> (i64, i64) {
    let first_week_start = |year: i64| {
        let january = flott_batch::text::days_from_civil(year, 1, 1);
        january - (january + 4).rem_euclid(7)
    };
    let days = local.days();
    let year = if days >= first_week_start(local.year + 1) { local.year + 1 } else { local.year };
    (year, (days - first_week_start(year)) / 7 + 1)
}
