//! Flink's options that mean nothing here. They are known by name, so that scripts and `config.yaml` files
//! written for Flink work unchanged.
//!
//! `flink_options.tsv` was generated from the classes of Flink 2.3.0 (every static `ConfigOption` and its
//! fallback keys), with the options of the SQL client added: key, kind of value, default; sorted by key.

use super::ValueKind;

const TABLE: &str = include_str!("flink_options.tsv");

/// What the value of one of Flink's options looks like; `None` if Flink has no such option.
pub(super) fn kind(key: &str) -> Option<ValueKind> {
    let found = TABLE.lines().filter_map(|line| line.split_once('\t')).find_map(|(name, rest)| {
        let kind = rest.split('\t').next().unwrap_or_default();
        let below = kind == "map" && key.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        (name == key || below).then_some(kind)
    })?;
    Some(match found {
        "boolean" => ValueKind::Flag,
        "number" => ValueKind::Number,
        "fraction" => ValueKind::Fraction,
        "duration" => ValueKind::Duration,
        "memory" => ValueKind::Memory,
        // Enumerations and class names are checked by whoever uses them.
        _ => ValueKind::Text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_whole() {
        let keys: Vec<&str> = TABLE.lines().filter_map(|line| line.split('\t').next()).collect();
        assert!(keys.is_sorted() && keys.len() > 900, "{} keys", keys.len());
        assert!(TABLE.lines().all(|line| line.split('\t').count() == 3));
    }

    #[test]
    fn options_of_flink_are_known_by_name() {
        assert_eq!(kind("table.optimizer.distinct-agg.split.enabled"), Some(ValueKind::Flag));
        assert_eq!(kind("table.exec.source.cdc-events-duplicate"), Some(ValueKind::Flag));
        assert_eq!(kind("execution.attached"), Some(ValueKind::Flag));
        assert_eq!(kind("taskmanager.numberOfTaskSlots"), Some(ValueKind::Number));
        assert_eq!(kind("table.exec.no-such-thing"), None);
    }
}
