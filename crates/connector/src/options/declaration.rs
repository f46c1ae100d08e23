//! The declaration of an option.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use flott_types::config::secrets::shown;
use flott_types::config::{parse_duration, parse_memory_size};
use flott_types::{Error, Result};

/// An option: what it is called, what can be written, and what it does. `T` is what it is read as, `P` says
/// what is read where it is not set: [`Optional`], [`Required`], [`WithDefault`].
#[derive(Clone, Copy, Debug)]
pub struct TableOption<T: 'static, P = Optional> {
    key: &'static str,
    form: Form<T>,
    default: Option<&'static str>,
    effect: Effect,
    description: &'static str,
    presence: PhantomData<fn() -> P>,
}

/// What can be written.
#[derive(Clone, Copy, Debug)]
enum Form<T: 'static> {
    /// What a function reads.
    Read { kind: &'static str, expected: &'static str, read: fn(&str) -> Option<T> },
    /// A whole number.
    Number { min: u64, max: u64, convert: fn(u64) -> T },
    /// One of these words. `later` are words of Flink's that are refused by name.
    Word { words: &'static [(&'static str, T)], later: &'static [&'static str], any_case: bool },
}

/// From here on a limit is that of the type and not worth telling.
const ANY_NUMBER: u64 = u32::MAX as u64;

/// What an option does here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// What its description says.
    Works,
    /// It is Flink's and is accepted; this is why there is nothing for it to act on.
    Nothing(&'static str),
    /// It is Flink's and is refused; this is what there is instead.
    Refused(&'static str),
}

/// Whether an option must be set, and what it is read as where it is not.
pub trait Presence<T> {
    /// What is read.
    type Value;
    /// Whether a table must have it.
    const REQUIRED: bool;
    /// Completes what a table has. `absent` gives the default, or the complaint that there is none.
    fn complete(set: Option<T>, absent: impl FnOnce() -> Result<T>) -> Result<Self::Value>;
}

/// `None` where it is not set.
#[derive(Clone, Copy, Debug)]
pub struct Optional;

/// It must be set.
#[derive(Clone, Copy, Debug)]
pub struct Required;

/// It has a default.
#[derive(Clone, Copy, Debug)]
pub struct WithDefault;

impl<T> Presence<T> for Optional {
    type Value = Option<T>;
    const REQUIRED: bool = false;

    fn complete(set: Option<T>, _: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        Ok(set)
    }
}

impl<T> Presence<T> for Required {
    type Value = T;
    const REQUIRED: bool = true;

    fn complete(set: Option<T>, absent: impl FnOnce() -> Result<T>) -> Result<T> {
        set.map_or_else(absent, Ok)
    }
}

impl<T> Presence<T> for WithDefault {
    type Value = T;
    const REQUIRED: bool = false;

    fn complete(set: Option<T>, absent: impl FnOnce() -> Result<T>) -> Result<T> {
        set.map_or_else(absent, Ok)
    }
}

impl<T: 'static> TableOption<T> {
    /// An option that a function reads. `kind` is what it is in one or two words, for documents; `expected`
    /// says what can be written.
    pub const fn parsed(
        key: &'static str,
        kind: &'static str,
        expected: &'static str,
        read: fn(&str) -> Option<T>,
        description: &'static str,
    ) -> Self {
        TableOption::of(key, Form::Read { kind, expected, read }, description)
    }

    /// One of these words, each with what it is read as.
    pub const fn word(
        key: &'static str,
        words: &'static [(&'static str, T)],
        description: &'static str,
    ) -> Self {
        TableOption::of(key, Form::Word { words, later: &[], any_case: false }, description)
    }

    const fn of(key: &'static str, form: Form<T>, description: &'static str) -> Self {
        TableOption { key, form, default: None, effect: Effect::Works, description, presence: PhantomData }
    }
}

impl TableOption<String> {
    /// Any text.
    pub const fn text(key: &'static str, description: &'static str) -> Self {
        TableOption::parsed(key, "text", "a text", |text| Some(text.to_owned()), description)
    }

    /// An option of Flink's that is refused; `instead` is what there is.
    pub const fn refused(key: &'static str, instead: &'static str, description: &'static str) -> Self {
        let mut option = TableOption::text(key, description);
        option.effect = Effect::Refused(instead);
        option
    }
}

impl TableOption<bool> {
    /// `true` or `false`, in any case.
    pub const fn flag(key: &'static str, description: &'static str) -> Self {
        TableOption::word(key, &[("true", true), ("false", false)], description).in_any_case()
    }
}

impl TableOption<u64> {
    /// A whole number from `min` to `max`.
    pub const fn number(key: &'static str, min: u64, max: u64, description: &'static str) -> Self {
        TableOption::of(key, Form::Number { min, max, convert: |number| number }, description)
    }

    /// A size in bytes: `64 kb`, `128MB`.
    pub const fn size(key: &'static str, description: &'static str) -> Self {
        const EXPECTED: &str = "a size such as '64 kb' or '128 mb'";
        TableOption::parsed(key, "size", EXPECTED, parse_memory_size, description)
    }
}

impl TableOption<u32> {
    /// A whole number from `min` to `max`.
    pub const fn number32(key: &'static str, min: u32, max: u32, description: &'static str) -> Self {
        let form = Form::Number { min: min as u64, max: max as u64, convert: |number| number as u32 };
        TableOption::of(key, form, description)
    }
}

impl TableOption<i64> {
    /// A duration in milliseconds: `500 ms`, `10 min`.
    pub const fn duration(key: &'static str, description: &'static str) -> Self {
        const EXPECTED: &str = "a duration such as '500 ms' or '10 min'";
        TableOption::parsed(key, "duration", EXPECTED, parse_duration, description)
    }

    /// A duration in milliseconds, above 0.
    pub const fn positive_duration(key: &'static str, description: &'static str) -> Self {
        const EXPECTED: &str = "a duration above 0, such as '500 ms' or '10 min'";
        TableOption::parsed(
            key,
            "duration",
            EXPECTED,
            |text| parse_duration(text).filter(|millis| *millis > 0),
            description,
        )
    }
}

impl<T: 'static, P> TableOption<T, P> {
    /// It must be set.
    pub const fn required(self) -> TableOption<T, Required> {
        let (default, effect) = (self.default, self.effect);
        self.with(default, effect)
    }

    /// Where it is not set, it is as if this were written.
    pub const fn or(self, default: &'static str) -> TableOption<T, WithDefault> {
        let effect = self.effect;
        self.with(Some(default), effect)
    }

    /// It is accepted, and does nothing, because.
    pub const fn without_effect(self, why: &'static str) -> Self {
        let default = self.default;
        self.with(default, Effect::Nothing(why))
    }

    const fn with<Q>(self, default: Option<&'static str>, effect: Effect) -> TableOption<T, Q> {
        let TableOption { key, form, description, .. } = self;
        TableOption { key, form, default, effect, description, presence: PhantomData }
    }

    /// Words count in any case. Of an option that is one of several words.
    pub const fn in_any_case(mut self) -> Self {
        if let Form::Word { words, later, .. } = self.form {
            self.form = Form::Word { words, later, any_case: true };
        }
        self
    }

    /// Words that Flink has and that are refused by name. Of an option that is one of several words.
    pub const fn not_yet(mut self, later: &'static [&'static str]) -> Self {
        if let Form::Word { words, any_case, .. } = self.form {
            self.form = Form::Word { words, later, any_case };
        }
        self
    }

    /// Its key.
    pub const fn key(&self) -> &'static str {
        self.key
    }
}

impl<T: Clone + 'static, P: Presence<T>> TableOption<T, P> {
    /// Reads it from a table by itself, for who reads an option that is not its own: a planner.
    ///
    /// # Errors
    /// If the value is none, or there is none and it must be set.
    pub fn read_from(&self, values: &BTreeMap<String, String>) -> Result<P::Value> {
        self.complete(self.key, values.get(self.key).map(String::as_str))
    }

    /// What the text of the option under this key says.
    pub(super) fn complete(&self, key: &str, text: Option<&str>) -> Result<P::Value> {
        let set = text.map(|text| self.parse(key, text)).transpose()?;
        P::complete(set, || match self.default {
            Some(default) => self.parse(key, default),
            None => Err(Error::invalid(format!("the option '{key}' is missing"))),
        })
    }

    fn parse(&self, key: &str, text: &str) -> Result<T> {
        if let Form::Word { later, words, .. } = &self.form
            && later.iter().any(|word| word.eq_ignore_ascii_case(text.trim()))
        {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            return Err(not_built(key, text, &words.join(", ")));
        }
        self.form.read(text).ok_or_else(|| wrong(key, text, &self.form.expected()))
    }
}

/// The complaint about a value.
pub(super) fn wrong(key: &str, text: &str, expected: &str) -> Error {
    let text = shown(key, text);
    Error::invalid(format!("option '{key}' is '{text}'; expected {expected}"))
}

/// The complaint about what Flink has.
pub(super) fn not_built(key: &str, text: &str, there_is: &str) -> Error {
    let text = shown(key, text);
    Error::unsupported(format!("the option '{key}' = '{text}' is not built yet; there is: {there_is}"))
}

impl<T: Clone> Form<T> {
    fn read(&self, text: &str) -> Option<T> {
        match self {
            Form::Read { read, .. } => read(text),
            Form::Number { min, max, convert } => {
                text.trim().parse().ok().filter(|number| (min..=max).contains(&number)).map(convert)
            }
            Form::Word { words, any_case, .. } => {
                let text = text.trim();
                let is = |word: &str| if *any_case { word.eq_ignore_ascii_case(text) } else { word == text };
                words.iter().find(|(word, _)| is(word)).map(|(_, value)| value.clone())
            }
        }
    }

    fn expected(&self) -> String {
        match self {
            Form::Read { expected, .. } => (*expected).to_owned(),
            Form::Number { min: 0, max: ANY_NUMBER.., .. } => "a whole number".to_owned(),
            Form::Number { min, max: ANY_NUMBER.., .. } => {
                format!("a number above {}", min.saturating_sub(1))
            }
            Form::Number { min, max, .. } => format!("a number from {min} to {max}"),
            Form::Word { words, .. } => match words {
                [(one, _)] => (*one).to_owned(),
                [rest @ .., (last, _)] => {
                    let rest: Vec<&str> = rest.iter().map(|(word, _)| *word).collect();
                    format!("{} or {last}", rest.join(", "))
                }
                [] => "nothing".to_owned(),
            },
        }
    }
}

/// An option whatever its type: for lists, documents and checks.
pub trait AnyOption: Sync {
    /// Its key.
    fn key(&self) -> &'static str;
    /// What can be written, in Markdown.
    fn kind(&self) -> String;
    /// What counts where it is not set.
    fn default_text(&self) -> Option<&'static str>;
    /// Whether it must be set.
    fn is_required(&self) -> bool;
    /// What it does here.
    fn effect(&self) -> Effect;
    /// What it does, for a reader who does not know it.
    fn description(&self) -> &'static str;
    /// Whether a text under this key can be taken.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, key: &str, text: &str) -> Result<()>;
}

impl<T: Clone + Sync + 'static, P: Presence<T>> AnyOption for TableOption<T, P> {
    fn key(&self) -> &'static str {
        self.key
    }

    fn kind(&self) -> String {
        match &self.form {
            Form::Read { kind, .. } => (*kind).to_owned(),
            Form::Number { .. } => "whole number".to_owned(),
            Form::Word { words, .. } => {
                words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn default_text(&self) -> Option<&'static str> {
        self.default
    }

    fn is_required(&self) -> bool {
        P::REQUIRED
    }

    fn effect(&self) -> Effect {
        self.effect
    }

    fn description(&self) -> &'static str {
        self.description
    }

    fn check(&self, key: &str, text: &str) -> Result<()> {
        match self.effect {
            Effect::Refused(instead) => Err(not_built(key, text, instead)),
            Effect::Works | Effect::Nothing(_) => self.parse(key, text).map(|_| ()),
        }
    }
}
