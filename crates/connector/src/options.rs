//! The WITH options of a table, read with errors that name the table and the key.

use std::collections::BTreeMap;
use std::str::FromStr;

use flott_types::{Error, FastSet, Result};

/// A table's options while a connector reads them. [`Options::finish`] refuses those that nobody read.
pub struct Options<'a> {
    table: &'a str,
    values: &'a BTreeMap<String, String>,
    read: FastSet<String>,
}

impl<'a> Options<'a> {
    /// The options of a table. `connector` counts as read.
    pub fn new(table: &'a str, values: &'a BTreeMap<String, String>) -> Self {
        Options { table, values, read: FastSet::from_iter(["connector".to_owned()]) }
    }

    /// The text of an option.
    pub fn text(&mut self, key: &str) -> Option<&'a str> {
        self.read.insert(key.to_owned());
        self.values.get(key).map(String::as_str)
    }

    /// The text of an option that must be there.
    pub fn required(&mut self, key: &str) -> Result<&'a str> {
        let table = self.table;
        self.text(key).ok_or_else(|| Error::invalid(format!("table {table} lacks the option '{key}'")))
    }

    /// A parsed option; `expected` says in words what can be written.
    pub fn parsed<T: FromStr>(&mut self, key: &str, expected: &str) -> Result<Option<T>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        text.trim().parse().map(Some).map_err(|_| self.wrong(key, text, expected))
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str, default: bool) -> Result<bool> {
        let Some(text) = self.text(key) else {
            return Ok(default);
        };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.wrong(key, text, "true or false")),
        }
    }

    /// A duration in milliseconds, written `500 ms`, `10 min`, `1 d`.
    pub fn millis(&mut self, key: &str) -> Result<Option<i64>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let millis = crate::quantity::parse_millis(text);
        millis.map(Some).ok_or_else(|| self.wrong(key, text, "a duration such as '500 ms' or '10 min'"))
    }

    /// A size in bytes, written `64 kb`, `128MB`.
    pub fn bytes(&mut self, key: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let bytes = crate::quantity::parse_bytes(text);
        bytes.map(Some).ok_or_else(|| self.wrong(key, text, "a size such as '64 kb' or '128 mb'"))
    }

    /// The keys that start with a prefix; they count as read.
    pub fn with_prefix(&mut self, prefix: &str) -> Vec<(&'a str, &'a str)> {
        let found: Vec<_> = self.values.iter().filter(|(key, _)| key.starts_with(prefix)).collect();
        self.read.extend(found.iter().map(|(key, _)| (*key).clone()));
        found.into_iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    /// An error about the value of an option.
    pub fn wrong(&self, key: &str, value: &str, expected: &str) -> Error {
        Error::invalid(format!("table {}: option '{key}' is '{value}'; expected {expected}", self.table))
    }

    /// Refuses options that nobody read.
    pub fn finish(self) -> Result<()> {
        match self.values.keys().find(|key| !self.read.contains(*key)) {
            None => Ok(()),
            Some(key) => {
                let mut known: Vec<&str> = self.read.iter().map(String::as_str).collect();
                known.sort_unstable();
                Err(Error::invalid(format!(
                    "table {} has no option '{key}'; it has: {}",
                    self.table,
                    known.join(", ")
                )))
            }
        }
    }
}
