//! Durations and sizes as Flink writes them.

/// A duration in milliseconds: `10 s`, `500ms`, `1 min`; a bare number is milliseconds. `None` if it is none.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let value: i64 = number.parse().ok()?;
    let nanos = match unit {
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => return Some(value / 1_000_000),
        "us" | "µs" | "micro" | "micros" | "microsecond" | "microseconds" => return Some(value / 1_000),
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    value.checked_mul(nanos)
}

/// A size in bytes: `64 mb`, `512kb`, `1g`; a bare number is bytes. `None` if it is none.
pub fn parse_memory_size(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let value: u64 = number.parse().ok()?;
    let factor: u64 = match unit {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => 1 << 20,
        "g" | "gb" | "gibibytes" => 1 << 30,
        "t" | "tb" | "tebibytes" => 1 << 40,
        _ => return None,
    };
    value.checked_mul(factor)
}

fn split(text: &str) -> Option<(&str, &'static str)> {
    const UNITS: [&str; 42] = [
        "",
        "ns",
        "nano",
        "nanos",
        "nanosecond",
        "nanoseconds",
        "us",
        "µs",
        "micro",
        "micros",
        "microsecond",
        "microseconds",
        "ms",
        "milli",
        "millis",
        "millisecond",
        "milliseconds",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "m",
        "min",
        "minute",
        "minutes",
        "h",
        "hour",
        "hours",
        "d",
        "day",
        "days",
        "b",
        "bytes",
        "k",
        "kb",
        "mb",
        "g",
        "gb",
        "t",
        "tb",
        "kibibytes",
    ];
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    UNITS.iter().find(|known| **known == unit).map(|known| (number, *known)).filter(|_| !number.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes() {
        for (text, millis) in
            [("500", 500), ("10 s", 10_000), ("3min", 180_000), ("1 d", 86_400_000), ("0 ms", 0)]
        {
            assert_eq!(parse_duration(text), Some(millis), "{text}");
        }
        for text in ["", "s", "ten s", "5 parsecs", "-1 s"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(parse_memory_size("64 mb"), Some(64 << 20));
        assert_eq!(parse_memory_size("20kb"), Some(20 << 10));
        assert_eq!(parse_memory_size("many"), None);
    }
}
