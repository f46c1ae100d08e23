//! DATE_FORMAT, FROM_UNIXTIME, UNIX_TIMESTAMP, CONVERT_TZ.

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use flott_expr::function::{Argument, Call, Determinism, Function, PreparedFunction};
use flott_expr::time;
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

use super::instant::Instants;
use super::pattern::{Local, Pattern};
use super::simple::SimplePattern;
use super::zone::Zone;
use crate::build::{Texts, primitives, try_primitives, try_strings};
use crate::check::{self, Family, infer, nullable_if};
use crate::constant::{self, Programs};

const DATE_FORMAT: &[&[Family]] =
    &[&[Family::Timestamp, Family::Character], &[Family::Character, Family::Character]];
const FROM_UNIXTIME: &[&[Family]] = &[&[Family::Integer], &[Family::Integer, Family::Character]];
const UNIX_TIMESTAMP: &[&[Family]] = &[&[], &[Family::Character], &[Family::Character, Family::Character]];
const CONVERT_TZ: &[&[Family]] = &[&[Family::Character, Family::Character, Family::Character]];

/// The default pattern of timestamps in text.
const DEFAULT: &str = "yyyy-MM-dd HH:mm:ss";

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "DATE_FORMAT",
        infer!("DATE_FORMAT", DATE_FORMAT, |_args| TypeKind::STRING.nullable()),
        |args, call| {
            if call.arg_types[0].kind.is_character() {
                constant::evaluate(args, call, SimplePattern::new, format_text)
            } else {
                constant::evaluate(args, call, Pattern::new, format_instant)
            }
        },
    )
    .prepare(|args, _| {
        if args[0].ty.kind.is_character() {
            prepare(args, 1, SimplePattern::new, format_text)
        } else {
            prepare(args, 1, Pattern::new, format_instant)
        }
    }),
    Function::new(
        "FROM_UNIXTIME",
        infer!("FROM_UNIXTIME", FROM_UNIXTIME, |_args| TypeKind::STRING.nullable()),
        |args, call| constant::evaluate(args, call, SimplePattern::new, from_unixtime),
    )
    .prepare(|args, _| prepare(args, 1, SimplePattern::new, from_unixtime)),
    Function::new(
        "UNIX_TIMESTAMP",
        infer!("UNIX_TIMESTAMP", UNIX_TIMESTAMP, |args| nullable_if(TypeKind::BigInt, args)),
        |args, call| constant::evaluate(args, call, SimplePattern::new, unix_timestamp),
    )
    .prepare(|args, _| prepare(args, 1, SimplePattern::new, unix_timestamp))
    .determinism(Determinism::Statement),
    Function::new(
        "CONVERT_TZ",
        infer!("CONVERT_TZ", CONVERT_TZ, |_args| TypeKind::STRING.nullable()),
        convert_tz,
    ),
];

/// An invalid constant pattern fails only when a row arrives, as in Flink.
pub(super) fn prepare<P: std::fmt::Debug + Send + Sync + 'static>(
    args: &[Argument<'_>],
    position: usize,
    compile: constant::Compile<P>,
    run: constant::Run<P>,
) -> Result<Option<Box<dyn PreparedFunction>>> {
    match args.get(position).and_then(check::text).map(compile) {
        Some(Ok(_)) => constant::prepare(args, position, compile, run),
        _ => Ok(None),
    }
}

fn format_instant(args: &[Value], call: &Call<'_>, patterns: &mut Programs<'_, Pattern>) -> Result<ArrayRef> {
    let instants = Instants::of(&args[0], &call.arg_types[0])?;
    let pattern = args[1].view::<StringArray>()?;
    let zone = matches!(call.arg_types[0].kind, TypeKind::TimestampLtz(_)).then(|| call.context.time_zone());
    let local = |row: usize| -> Option<i128> {
        let nanos = instants.nanos(row)?;
        let Some(zone) = zone else { return Some(nanos) };
        let seconds = nanos.div_euclid(1_000_000_000) as i64;
        Some(nanos + i128::from(time::offset_of_instant(seconds, zone)) * 1_000_000_000)
    };
    if let (Some(Some(pattern)), true) = (pattern.constant(), call.rows > 0) {
        return format_all(call, patterns.get(pattern)?, local);
    }
    try_strings(call, |row, out| {
        let (Some(nanos), Some(pattern)) = (local(row), pattern.get(row)) else {
            return Ok(None);
        };
        patterns.get(pattern)?.format(&Local::of(nanos), out)?;
        Ok(Some(()))
    })
}

/// Times of the same day, minute or whatever the pattern shows have the same text. In streams such times
/// often follow each other: then the text is written once and copied.
fn format_all(call: &Call<'_>, pattern: &Pattern, local: impl Fn(usize) -> Option<i128>) -> Result<ArrayRef> {
    let step = i128::from(pattern.step());
    let (mut text, mut same) = (String::new(), 0..0);
    let mut texts = Texts::new(call);
    for row in 0..call.rows {
        let Some(nanos) = local(row) else {
            texts.append(None)?;
            continue;
        };
        if !same.contains(&nanos) {
            let start = nanos.div_euclid(step) * step;
            text.clear();
            pattern.format(&Local::of(start), &mut text)?;
            same = start..start + step;
        }
        texts.append(Some(&text))?;
    }
    Ok(texts.finish())
}

/// Text is parsed as a timestamp in the default pattern; NULL if it is none.
fn format_text(
    args: &[Value],
    call: &Call<'_>,
    patterns: &mut Programs<'_, SimplePattern>,
) -> Result<ArrayRef> {
    let (text, pattern) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let from = SimplePattern::new(DEFAULT)?;
    try_strings(call, |row, out| {
        let (Some(text), Some(pattern)) = (text.get(row), pattern.get(row)) else {
            return Ok(None);
        };
        let pattern = patterns.get(pattern)?;
        let millis = from.parse(text, Zone::UTC);
        Ok(millis.map(|millis| pattern.format(millis, Zone::UTC, out)))
    })
}

fn from_unixtime(
    args: &[Value],
    call: &Call<'_>,
    patterns: &mut Programs<'_, SimplePattern>,
) -> Result<ArrayRef> {
    let seconds = args[0].view::<Int64Array>()?;
    let pattern = args.get(1).map(Value::view::<StringArray>).transpose()?;
    let default = SimplePattern::new(DEFAULT)?;
    let zone = Zone::Region(call.context.time_zone());
    try_strings(call, |row, out| {
        let Some(seconds) = seconds.get(row) else {
            return Ok(None);
        };
        let pattern = match &pattern {
            None => &default,
            Some(pattern) => match pattern.get(row) {
                Some(pattern) => patterns.get(pattern)?,
                None => return Ok(None),
            },
        };
        pattern.format(seconds.wrapping_mul(1_000), zone, out);
        Ok(Some(()))
    })
}

/// Without arguments the current time. Text that cannot be parsed gives the smallest BIGINT, as in Flink.
fn unix_timestamp(
    args: &[Value],
    call: &Call<'_>,
    patterns: &mut Programs<'_, SimplePattern>,
) -> Result<ArrayRef> {
    if args.is_empty() {
        return Ok(primitives::<Int64Type>(call.rows, |_| Some(call.context.now() / 1_000)));
    }
    let text = args[0].view::<StringArray>()?;
    let pattern = args.get(1).map(Value::view::<StringArray>).transpose()?;
    let default = SimplePattern::new(DEFAULT)?;
    let zone = Zone::Region(call.context.time_zone());
    try_primitives::<Int64Type>(call.rows, |row| {
        let Some(text) = text.get(row) else {
            return Ok(None);
        };
        let pattern = match &pattern {
            None => &default,
            Some(pattern) => match pattern.get(row) {
                Some(pattern) => patterns.get(pattern)?,
                None => return Ok(None),
            },
        };
        Ok(Some(pattern.parse(text, zone).map_or(i64::MIN, |millis| millis / 1_000)))
    })
}

/// CONVERT_TZ(timestamp as text, from, to). An unknown zone is GMT.
fn convert_tz(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let (from, to) = (args[1].view::<StringArray>()?, args[2].view::<StringArray>()?);
    let pattern = SimplePattern::new(DEFAULT)?;
    let constant = |zone: Option<Option<&str>>| zone.flatten().map(Zone::of);
    let (known_from, known_to) = (constant(from.constant()), constant(to.constant()));
    try_strings(call, |row, out| {
        let (Some(text), Some(from), Some(to)) = (text.get(row), from.get(row), to.get(row)) else {
            return Ok(None);
        };
        let millis = pattern.parse(text, known_from.unwrap_or_else(|| Zone::of(from)));
        let to = known_to.unwrap_or_else(|| Zone::of(to));
        Ok(millis.map(|millis| pattern.format(millis, to, out)))
    })
}
