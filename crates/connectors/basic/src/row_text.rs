//! Rows as Java's `Row.toString` writes them, which is how Flink's print sink shows them: `null`, `true`, ISO
//! times without trailing zeros, bytes as a list of numbers.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DurationMillisecondType, IntervalYearMonthType, Time32MillisecondType};
use flott_batch::{RowKind, arrow_type, text};
use flott_types::{LogicalType, TypeKind};

/// Appends `+I[1, a, null]`.
pub(crate) fn write_row(
    out: &mut String,
    kind: RowKind,
    columns: &[ArrayRef],
    types: &[LogicalType],
    row: usize,
) {
    out.push_str(kind.symbol());
    out.push('[');
    for (index, (column, ty)) in columns.iter().zip(types).enumerate() {
        separate(out, index);
        write_value(out, column.as_ref(), row, ty);
    }
    out.push(']');
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push_str(", ");
    }
}

fn write_value(out: &mut String, array: &dyn Array, row: usize, ty: &LogicalType) {
    if array.is_null(row) || ty.kind == TypeKind::Null {
        out.push_str("null");
        return;
    }
    match &ty.kind {
        TypeKind::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => {
            let signed = array.as_binary::<i32>().value(row).iter().map(|byte| byte.cast_signed());
            write_list(out, signed, |out, byte| text::write_integer(out, byte.into()));
        }
        TypeKind::Time(_) => {
            write_clock(out, i64::from(array.as_primitive::<Time32MillisecondType>().value(row)) * 1_000_000)
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let nanos = arrow_type::nanos_at(array, row).unwrap_or_default();
            const DAY: i128 = 86_400_000_000_000;
            text::write_date(out, nanos.div_euclid(DAY) as i64);
            out.push('T');
            let clock = nanos.rem_euclid(DAY) as i64;
            if matches!(ty.kind, TypeKind::TimestampLtz(_)) {
                write_full_clock(out, clock);
                out.push('Z');
            } else {
                write_clock(out, clock);
            }
        }
        TypeKind::IntervalYearMonth => {
            write_period(out, array.as_primitive::<IntervalYearMonthType>().value(row))
        }
        TypeKind::IntervalDaySecond => {
            write_duration(out, array.as_primitive::<DurationMillisecondType>().value(row))
        }
        TypeKind::Array(element) => {
            let values = array.as_list::<i32>().value(row);
            write_list(out, 0..values.len(), |out, index| write_value(out, values.as_ref(), index, element));
        }
        TypeKind::Map(key, value) => write_map(out, array, row, key, value),
        TypeKind::Multiset(element) => write_map(out, array, row, element, &TypeKind::Int.not_null()),
        TypeKind::Row(fields) => {
            out.push_str("+I[");
            for (index, (column, field)) in array.as_struct().columns().iter().zip(fields).enumerate() {
                separate(out, index);
                write_value(out, column.as_ref(), row, &field.ty);
            }
            out.push(']');
        }
        // The remaining types do not depend on a zone.
        _ => text::write_value(out, array, row, ty, chrono_tz::UTC),
    }
}

fn write_list<T>(out: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    out.push('[');
    for (index, item) in items.enumerate() {
        separate(out, index);
        write(out, item);
    }
    out.push(']');
}

fn write_map(out: &mut String, array: &dyn Array, row: usize, key: &LogicalType, value: &LogicalType) {
    let entries = array.as_map().value(row);
    out.push('{');
    for index in 0..entries.len() {
        separate(out, index);
        write_value(out, entries.column(0), index, key);
        out.push('=');
        write_value(out, entries.column(1), index, value);
    }
    out.push('}');
}

/// `12:34`, `12:34:56`, `12:34:56.789`: as much as needed.
fn write_clock(out: &mut String, nanos: i64) {
    if nanos % 60_000_000_000 == 0 {
        let minutes = nanos / 60_000_000_000;
        let _ = write!(out, "{:02}:{:02}", minutes / 60, minutes % 60);
    } else {
        write_full_clock(out, nanos);
    }
}

/// With seconds, and groups of three digits of the fraction.
fn write_full_clock(out: &mut String, nanos: i64) {
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction % 1_000_000 == 0 && fraction > 0 {
        let _ = write!(out, ".{:03}", fraction / 1_000_000);
    } else if fraction % 1_000 == 0 && fraction > 0 {
        let _ = write!(out, ".{:06}", fraction / 1_000);
    } else if fraction > 0 {
        let _ = write!(out, ".{fraction:09}");
    }
}

/// As `java.time.Period`: `P1Y2M`.
fn write_period(out: &mut String, months: i32) {
    let (years, rest) = (months / 12, months % 12);
    out.push('P');
    if years != 0 {
        let _ = write!(out, "{years}Y");
    }
    if rest != 0 {
        let _ = write!(out, "{rest}M");
    }
    if months == 0 {
        out.push_str("0D");
    }
}

/// As `java.time.Duration`: `PT26H3M4.567S`.
fn write_duration(out: &mut String, millis: i64) {
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    out.push_str("PT");
    if hours != 0 {
        let _ = write!(out, "{hours}H");
    }
    if minutes != 0 {
        let _ = write!(out, "{minutes}M");
    }
    if rest != 0 || millis == 0 {
        let sign = if rest < 0 { "-" } else { "" };
        let _ = write!(out, "{sign}{}", rest.unsigned_abs() / 1_000);
        let fraction = rest.unsigned_abs() % 1_000;
        if fraction > 0 {
            let digits = format!("{fraction:03}");
            let _ = write!(out, ".{}", digits.trim_end_matches('0'));
        }
        out.push('S');
    }
}

#[cfg(test)]
mod tests {
    use flott_batch::pretty;
    use flott_types::TypeKind::*;

    use super::*;

    fn text(rows: &str, kinds: &[TypeKind]) -> String {
        let types: Vec<_> = kinds.iter().cloned().map(TypeKind::nullable).collect();
        let batch = pretty::parse(rows, &types).unwrap();
        let mut out = String::new();
        write_row(&mut out, batch.kind(0), batch.columns().columns(), &types, 0);
        out
    }

    #[test]
    fn values_are_written_as_java_does() {
        let kinds =
            [Boolean, TypeKind::BYTES, Time(3), Timestamp(6), TimestampLtz(3), Double, Decimal(5, 2), Date];
        assert_eq!(
            text(
                "+I TRUE x'01ff' 12:34:00 2020-01-01T00:00:00 2020-01-01T00:00:00.5 1e7 1.5 2020-01-01",
                &kinds
            ),
            "+I[true, [1, -1], 12:34, 2020-01-01T00:00, 2020-01-01T00:00:00.500Z, 1.0E7, 1.50, 2020-01-01]"
        );
        let element = |kind: TypeKind| Box::new(kind.nullable());
        let kinds = [
            Array(element(Int)),
            Map(element(TypeKind::STRING), element(Int)),
            pretty::row([Int, TypeKind::STRING]),
            Null,
        ];
        assert_eq!(
            text("-D [1,NULL] {a=NULL} (1,x) NULL", &kinds),
            "-D[[1, null], {a=null}, +I[1, x], null]"
        );
        assert_eq!(
            text("+U 14 93784560", &[IntervalYearMonth, IntervalDaySecond]),
            "+U[P1Y2M, PT26H3M4.56S]"
        );
        assert_eq!(text("+U 0 0", &[IntervalYearMonth, IntervalDaySecond]), "+U[P0D, PT0S]");
    }
}
