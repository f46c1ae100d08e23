//! Durations and memory sizes as Flink's options write them: `500 ms`, `10 min`, `1d`; `64 kb`, `128MB`.

/// Milliseconds. Without a unit the number is milliseconds.
pub(crate) fn parse_millis(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let nanos_per_unit: u128 = match unit.as_str() {
        "ns" | "nano" | "nanosecond" | "nanoseconds" => 1,
        "us" | "µs" | "micro" | "microsecond" | "microseconds" => 1_000,
        "" | "ms" | "milli" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        _ => return None,
    };
    i64::try_from(u128::from(number).checked_mul(nanos_per_unit)? / 1_000_000).ok()
}

/// Bytes. Without a unit the number is bytes; units are powers of 1024.
pub(crate) fn parse_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let shift = match unit.as_str() {
        "" | "b" | "bytes" => 0,
        "k" | "kb" | "kibibytes" => 10,
        "m" | "mb" | "mebibytes" => 20,
        "g" | "gb" | "gibibytes" => 30,
        "t" | "tb" | "tebibytes" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

fn split(text: &str) -> Option<(u64, String)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim().to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_flinks() {
        assert_eq!(parse_millis("10"), Some(10));
        assert_eq!(parse_millis(" 10 min "), Some(600_000));
        assert_eq!(parse_millis("1d"), Some(86_400_000));
        assert_eq!(parse_millis("999 us"), Some(0));
        assert_eq!(parse_bytes("128MB"), Some(128 << 20));
        assert_eq!(parse_bytes("1 kb"), Some(1_024));
        for wrong in ["", "x", "-1 s", "1 fortnight", "99999999999999999999 s"] {
            assert_eq!((parse_millis(wrong), parse_bytes(wrong)), (None, None), "{wrong}");
        }
    }
}
