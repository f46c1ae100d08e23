//! Reads the options of a table.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use flott_types::config::similar;
use flott_types::{Error, FastSet, Result};

use super::declaration::{not_built, wrong};
use super::{AnyOption, CATALOG_COMMON, COMMON, Effect, MODEL_COMMON, Manual, Presence, TableOption};
use crate::format::{Format, Formats};

/// The options of a table while a connector or format is made from them. Errors name the table and the key.
pub struct Options<'a> {
    /// What they are of, for messages: `table t`.
    owner: String,
    values: &'a BTreeMap<String, String>,
    /// What may be set.
    declared: &'static [&'static dyn AnyOption],
    /// What all of its kind have.
    common: &'static [&'static dyn AnyOption],
    /// What stands before each key: the name of a format.
    prefix: String,
    formats: &'a Formats,
    /// What counts where a table sets nothing, by whoever uses the format.
    presets: BTreeMap<&'static str, String>,
    /// Keys that were read under a name of the table's choice, and the prefixes of formats.
    named: RefCell<FastSet<String>>,
    prefixes: RefCell<Vec<String>>,
}

impl<'a> Options<'a> {
    /// The options of a table, of which those in the manual may be set.
    pub fn new(
        table: &str,
        values: &'a BTreeMap<String, String>,
        manual: &Manual,
        formats: &'a Formats,
    ) -> Self {
        Options {
            owner: format!("table {table}"),
            values,
            declared: manual.options,
            common: COMMON,
            prefix: String::new(),
            formats,
            presets: BTreeMap::new(),
            named: RefCell::default(),
            prefixes: RefCell::default(),
        }
    }

    /// The options of a catalog.
    pub(crate) fn of_catalog(
        name: &str,
        values: &'a BTreeMap<String, String>,
        manual: &Manual,
        formats: &'a Formats,
    ) -> Self {
        let owner = format!("catalog {name}");
        Options { owner, common: CATALOG_COMMON, ..Options::new(name, values, manual, formats) }
    }

    /// The options of a model.
    pub(crate) fn of_model(
        name: &str,
        values: &'a BTreeMap<String, String>,
        manual: &Manual,
        formats: &'a Formats,
    ) -> Self {
        let owner = format!("model {name}");
        Options { owner, common: MODEL_COMMON, ..Options::new(name, values, manual, formats) }
    }

    /// What an option is set to: `T`, or `Option<T>` if it need not be set and has no default.
    ///
    /// # Errors
    /// If the value is none of its type, or there is none and it must be set.
    pub fn get<T: Clone + 'static, P: Presence<T>>(&self, option: &TableOption<T, P>) -> Result<P::Value> {
        self.read(option, self.key(option))
    }

    /// What an option of a name of the table's choice is set to: the name stands for the `#` in the key.
    ///
    /// # Errors
    /// As [`Options::get`].
    pub fn get_at<T: Clone + 'static, P: Presence<T>>(
        &self,
        option: &TableOption<T, P>,
        name: &str,
    ) -> Result<P::Value> {
        let key = self.key_at(option, name);
        self.named.borrow_mut().insert(key.clone());
        self.read(option, key)
    }

    fn read<T: Clone + 'static, P: Presence<T>>(
        &self,
        option: &TableOption<T, P>,
        key: String,
    ) -> Result<P::Value> {
        if !self.all().any(|declared| declared.key() == option.key()) {
            return Err(Error::internal(format!("the option '{}' is not in its list", option.key())));
        }
        let text = self.values.get(&key).or_else(|| self.presets.get(option.key())).map(String::as_str);
        option.complete(&key, text).map_err(|error| self.of_table(error))
    }

    /// Whether an option is set.
    pub fn is_set<T: 'static, P>(&self, option: &TableOption<T, P>) -> bool {
        self.values.contains_key(&self.key(option))
    }

    /// The key of an option as the table writes it.
    pub fn key<T: 'static, P>(&self, option: &TableOption<T, P>) -> String {
        format!("{}{}", self.prefix, option.key())
    }

    /// The key of an option of a name of the table's choice.
    pub fn key_at<T: 'static, P>(&self, option: &TableOption<T, P>, name: &str) -> String {
        format!("{}{}", self.prefix, option.key().replacen('#', name, 1))
    }

    /// An error about what an option is set to, for who knows more than its type.
    pub fn wrong<T: 'static, P>(&self, option: &TableOption<T, P>, expected: &str) -> Error {
        self.wrong_key(&self.key(option), expected)
    }

    /// As [`Options::wrong`], of an option of a name of the table's choice.
    pub fn wrong_at<T: 'static, P>(&self, option: &TableOption<T, P>, name: &str, expected: &str) -> Error {
        self.wrong_key(&self.key_at(option, name), expected)
    }

    fn wrong_key(&self, key: &str, expected: &str) -> Error {
        self.of_table(wrong(key, self.text(key), expected))
    }

    /// An error about what an option is set to, where Flink takes it and `there_is` is what there is here.
    pub fn not_built<T: 'static, P>(&self, option: &TableOption<T, P>, there_is: &str) -> Error {
        let key = self.key(option);
        self.of_table(not_built(&key, self.text(&key), there_is))
    }

    fn text(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }

    /// The format that an option (`format`, `value.format`) names, with that format's own options.
    ///
    /// # Errors
    /// If it is not set, there is no such format, or something is wrong with its options.
    pub fn format<P>(&self, option: &TableOption<String, P>) -> Result<Arc<dyn Format>>
    where
        P: Presence<String, Value = String>,
    {
        self.format_with(option, BTreeMap::new())
    }

    /// As [`Options::format`], with values of the format's options where the table sets none: what the
    /// connector knows. A format that has no such option does not look at them.
    ///
    /// # Errors
    /// As [`Options::format`].
    pub fn format_with<P>(
        &self,
        option: &TableOption<String, P>,
        presets: BTreeMap<&'static str, String>,
    ) -> Result<Arc<dyn Format>>
    where
        P: Presence<String, Value = String>,
    {
        let name = self.get(option)?;
        let factory = self.formats.get(&name).map_err(|error| self.of_table(error))?;
        let key = self.key(option);
        let prefix = format!("{}{name}.", key.strip_suffix("format").unwrap_or_default());
        self.prefixes.borrow_mut().push(prefix.clone());
        let options = Options {
            owner: self.owner.clone(),
            values: self.values,
            declared: factory.manual().options,
            common: &[],
            prefix,
            formats: self.formats,
            presets,
            named: RefCell::default(),
            prefixes: RefCell::default(),
        };
        let format = factory.format(&options)?;
        options.finish()?;
        Ok(format)
    }

    /// Refuses options that there are not, and values of others that nobody looked at.
    ///
    /// # Errors
    /// What is wrong, and what the table could have.
    pub fn finish(&self) -> Result<()> {
        let prefixes = self.prefixes.borrow();
        let ours = self.values.iter().filter(|(key, _)| key.starts_with(&self.prefix));
        for (key, text) in ours.filter(|(key, _)| !prefixes.iter().any(|prefix| key.starts_with(prefix))) {
            match self.all().find(|option| self.is(*option, key)) {
                Some(option) => option.check(key, text).map_err(|error| self.of_table(error))?,
                None => match self.prefix.rsplit_terminator('.').next() {
                    None => return Err(self.unknown(key)),
                    // Flink reads over what a format does not know, and scripts for it have such options.
                    Some(_) => self.formats.warn_once(format!("{}; it is not used", self.unknown(key))),
                },
            }
        }
        Ok(())
    }

    /// The options there are: its own, and those that every table has.
    fn all(&self) -> impl Iterator<Item = &'static dyn AnyOption> {
        self.declared.iter().chain(self.common).copied()
    }

    /// Whether a key is that of an option. One of a name of the table's choice is if it was asked for.
    fn is(&self, option: &dyn AnyOption, key: &str) -> bool {
        let Some(own) = key.strip_prefix(&self.prefix) else { return false };
        match option.key().split_once('#') {
            None => option.key() == own,
            Some((head, tail)) => {
                own.starts_with(head) && own.ends_with(tail) && self.named.borrow().contains(key)
            }
        }
    }

    fn unknown(&self, key: &str) -> Error {
        let mut known: Vec<String> = self
            .all()
            .filter(|option| option.effect() == Effect::Works)
            .map(|option| format!("{}{}", self.prefix, option.key()))
            .collect();
        known.sort_unstable();
        let (owner, list) = (&self.owner, known.join(", "));
        let hint = match similar(known.iter().map(String::as_str), key) {
            Some(near) => format!("did you mean '{near}'? It has"),
            None => "it has".to_owned(),
        };
        Error::invalid(match self.prefix.rsplit_terminator('.').next() {
            None => format!("{owner} has no option '{key}'; {hint}: {list}"),
            Some(format) => {
                format!("{owner}: the format '{format}' has no option '{key}'; {hint}: {list}")
            }
        })
    }

    fn of_table(&self, error: Error) -> Error {
        error.context(&self.owner)
    }
}
