//! The hint LOOKUP: how requests to a lookup table are made.
//!
//! `LOOKUP('table' = 'd', 'async' = 'true', 'output-mode' = 'allow_unordered', 'capacity' = '50', 'timeout' =
//! '20 s', 'retry-predicate' = 'lookup_miss', 'retry-strategy' = 'fixed_delay', 'fixed-delay' = '10 s',
//! 'max-attempts' = '3')`. Whether a table answers asynchronously is up to the table, so `async` is validated
//! but has no effect; other options are ignored, as in Flink.

use flott_plan::LookupRetry;
use flott_sql_parser::ast::{Hint, HintArg};
use flott_types::config::parse_duration;
use flott_types::{Error, Result};

use crate::logical::LookupHint;

/// What a hint LOOKUP says.
pub(super) fn lookup_hint(hint: &Hint) -> Result<LookupHint> {
    if hint.args.iter().any(|arg| matches!(arg, HintArg::Item(_))) {
        return Err(Error::invalid("Invalid list options in LOOKUP hint, only support key-value options."));
    }
    let option = |key: &str| hint.options().find(|(name, _)| *name == key).map(|(_, value)| value);
    let unread = |key: &str, value: &str| {
        Error::invalid(format!(
            "Invalid LOOKUP hint options: Could not parse value '{value}' for key '{key}'."
        ))
    };
    let Some(table) = option("table") else {
        return Err(Error::invalid("Invalid LOOKUP hint: incomplete required option(s): 'table'"));
    };
    let word = |key: &str, words: &[&str]| match option(key) {
        None => Ok(None),
        Some(value) => {
            let place = words.iter().position(|word| word.eq_ignore_ascii_case(value));
            place.map(Some).ok_or_else(|| unread(key, value))
        }
    };
    let positive = |key: &str| match option(key) {
        None => Ok(None),
        Some(value) => match value.trim().parse::<i32>() {
            Err(_) => Err(unread(key, value)),
            Ok(number) if number <= 0 => Err(Error::invalid(format!(
                "Invalid LOOKUP hint option: {key} value should be positive integer but was {number}"
            ))),
            Ok(number) => Ok(Some(number.unsigned_abs())),
        },
    };
    let duration = |key: &str| match option(key) {
        None => Ok(None),
        Some(value) => parse_duration(value).map(Some).ok_or_else(|| unread(key, value)),
    };
    word("async", &["false", "true"])?;
    let unordered = word("output-mode", &["ordered", "allow_unordered"])?.map(|mode| mode == 1);
    let strategy = word("retry-strategy", &["fixed_delay"])?;
    let (delay, attempts) = (duration("fixed-delay")?, positive("max-attempts")?);
    let retry = match (option("retry-predicate"), strategy, delay, attempts) {
        (None, None, None, None) => None,
        (Some(predicate), Some(_), Some(delay), Some(attempts)) => {
            if !predicate.eq_ignore_ascii_case("lookup_miss") {
                return Err(Error::invalid(format!(
                    "Invalid LOOKUP hint option: unsupported retry-predicate '{predicate}', only 'lookup_miss' is supported \
                     currently"
                )));
            }
            Some(LookupRetry { delay, attempts })
        }
        _ => {
            return Err(Error::invalid(
                "Invalid LOOKUP hint: retry options can be both null or all not null",
            ));
        }
    };
    Ok(LookupHint {
        table: table.to_owned(),
        unordered,
        capacity: positive("capacity")?.map(|capacity| capacity as usize),
        timeout: duration("timeout")?,
        retry,
        shuffle: word("shuffle", &["false", "true"])? == Some(1),
    })
}
