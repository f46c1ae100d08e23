//! Configuration: Flink's keys, typed values, and errors that name the nearest key.
//!
//! [`OPTIONS`] lists the keys that mean something here; `docs/configuration.md` is generated from it. A key
//! of Flink's that has no effect here (the JVM's memory, say; all of them are in `flink_options.tsv`) is
//! accepted with a note, so that a user's `config.yaml` works unchanged; any other unknown key is an error.

mod flink;
mod kinds;
mod options;
mod parse;
pub mod secrets;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use kinds::{ConfigOption, Effect, ValueKind};
pub use options::OPTIONS;
pub use parse::{parse_duration, parse_memory_size};

use crate::error::{Error, Result};

/// Keys and values as the user wrote them, later ones over earlier ones.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Configuration {
    values: BTreeMap<String, String>,
}

impl Configuration {
    /// The value of a key, as text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Sets a key after checking it and its value.
    ///
    /// # Errors
    /// If there is no such key (the nearest one is named), or the value is not of the key's type.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if flink::kind(key).is_none() {
            option(key)?;
        }
        check(key, value)?;
        self.values.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Like [`Configuration::set`], but accepts unknown keys, as Flink's SQL client does: see [`note`].
    ///
    /// # Errors
    /// If the key is known and the value is not of its type.
    pub fn set_any(&mut self, key: &str, value: &str) -> Result<()> {
        if option(key).is_ok() || flink::kind(key).is_some() {
            return self.set(key, value);
        }
        self.values.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Forgets a key, so that its default counts again.
    pub fn reset(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Keys and values, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A number, or the default.
    pub fn number(&self, key: &str, default: i64) -> Result<i64> {
        match self.get(key) {
            None => Ok(default),
            Some(text) => text.trim().parse().map_err(|_| wrong(key, text, "a whole number")),
        }
    }

    /// `true` or `false`, or the default.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(text) => Err(wrong(key, text, "true or false")),
        }
    }

    /// A duration in milliseconds, or the default.
    pub fn duration(&self, key: &str, default: i64) -> Result<i64> {
        match self.get(key) {
            None => Ok(default),
            Some(text) => parse_duration(text).ok_or_else(|| wrong(key, text, DURATION)),
        }
    }
}

/// Checks a value against its key; an unknown key takes any value.
///
/// # Errors
/// If the value is not of the key's type.
pub fn check(key: &str, value: &str) -> Result<()> {
    match (option(key), flink::kind(key)) {
        (Ok(own), _) => own.kind.check(key, value),
        (Err(_), Some(kind)) => kind.check(key, value),
        (Err(_), None) => Ok(()),
    }
}

/// What a user who sets a key should know: that it has no effect here, or that it is unknown.
pub fn note(key: &str) -> Option<String> {
    match (option(key), flink::kind(key)) {
        (Ok(own), _) if own.effect == Effect::Accepted => {
            Some(format!("option '{key}' has no effect: {}", own.description))
        }
        (Ok(_), _) => None,
        (Err(_), Some(_)) => Some(format!("option '{key}' is one of Flink's that has no effect here")),
        (Err(unknown), None) => Some(unknown.message().to_owned()),
    }
}

const DURATION: &str = "a duration such as '500 ms', '10 s', '5 min', '1 h' or '1 d'";

/// The option of a key.
///
/// # Errors
/// If there is none; the message names the nearest key.
pub fn option(key: &str) -> Result<&'static ConfigOption> {
    // An exact match wins over a prefix.
    let named = OPTIONS.iter().find(|option| option.kind != ValueKind::Map && option.key == key);
    let below = || {
        let is_below = |option: &&ConfigOption| {
            option.kind == ValueKind::Map
                && key.strip_prefix(option.key).is_some_and(|rest| rest.starts_with('.'))
        };
        OPTIONS.iter().find(is_below)
    };
    named.or_else(below).ok_or_else(|| {
        let nearest = nearest(OPTIONS.iter().map(|option| option.key), key);
        let hint = nearest.map(|key| format!("; did you mean '{key}'?")).unwrap_or_default();
        Error::invalid(format!("there is no option '{key}'{hint}"))
    })
}

impl ValueKind {
    /// Checks a value.
    fn check(self, key: &str, value: &str) -> Result<()> {
        let text = value.trim();
        let (fits, expected) = match self {
            ValueKind::Text | ValueKind::Map => (true, String::new()),
            ValueKind::Flag => {
                (matches!(text.to_ascii_lowercase().as_str(), "true" | "false"), "true or false".to_owned())
            }
            ValueKind::Number => (text.parse::<i64>().is_ok(), "a whole number".to_owned()),
            ValueKind::Fraction => (text.parse::<f64>().is_ok(), "a number".to_owned()),
            ValueKind::Duration => (parse_duration(text).is_some(), DURATION.to_owned()),
            ValueKind::Memory => {
                (parse_memory_size(text).is_some(), "a size such as '512 kb' or '64 mb'".to_owned())
            }
            ValueKind::Choice(choices) => {
                let normal = text.to_ascii_lowercase().replace('_', "-");
                let known =
                    choices.iter().any(|choice| choice.to_ascii_lowercase().replace('_', "-") == normal);
                (known, format!("one of {}", choices.join(", ")))
            }
        };
        if fits { Ok(()) } else { Err(wrong(key, value, &expected)) }
    }
}

fn wrong(key: &str, value: &str, expected: &str) -> Error {
    Error::invalid(format!("option '{key}' is '{value}'; expected {expected}"))
}

/// The known word that is nearest to an unknown one.
pub fn nearest<'a>(known: impl IntoIterator<Item = &'a str>, word: &str) -> Option<&'a str> {
    known.into_iter().min_by_key(|known| distance(known, word))
}

/// The known word that is nearest to an unknown one, if it is plausible: at most a third of the characters
/// differ.
pub fn similar<'a>(known: impl IntoIterator<Item = &'a str>, word: &str) -> Option<&'a str> {
    let long = |near: &str| near.chars().count().max(word.chars().count());
    nearest(known, word).filter(|near| distance(near, word) * 3 <= long(near))
}

/// The edit distance: how many characters must be changed, added or removed to turn one word into the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replace = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_word_is_one_that_could_be_meant() {
        let known = ["path", "format"];
        assert_eq!(similar(known, "pth"), Some("path"));
        assert_eq!(similar(known, "colour"), None);
        assert_eq!(similar([], "x"), None);
    }

    #[test]
    fn a_wrong_key_names_the_nearest() {
        let error = Configuration::default().set("paralellism.default", "2").unwrap_err();
        assert_eq!(
            error.message(),
            "there is no option 'paralellism.default'; did you mean 'parallelism.default'?"
        );
    }

    #[test]
    fn a_wrong_value_says_what_is_expected() {
        let mut configuration = Configuration::default();
        let error = configuration.set("execution.checkpointing.interval", "often").unwrap_err();
        assert!(error.message().contains("is 'often'; expected a duration"), "{error}");
        assert!(configuration.set("execution.runtime-mode", "AUTOMATIC").is_ok());
        assert!(configuration.set("execution.runtime-mode", "fast").is_err());
        assert!(configuration.set("pipeline.operator-chaining.enabled", "yes").is_err());
    }

    #[test]
    fn keys_are_listed_once_and_sorted() {
        for pair in OPTIONS.windows(2) {
            assert!(pair[0].key < pair[1].key, "{} before {}", pair[0].key, pair[1].key);
        }
    }
}
