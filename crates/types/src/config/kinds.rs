//! What there is to say about a configuration key.

/// A key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct ConfigOption {
    /// The key. Of a [`ValueKind::Map`]: the prefix before the dot.
    pub key: &'static str,
    /// What its value must look like.
    pub kind: ValueKind,
    /// The default, as it would be written; empty for none.
    pub default: &'static str,
    /// Whether it does something here.
    pub effect: Effect,
    /// What it does, or why it does nothing.
    pub description: &'static str,
}

/// What a value must look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// `true` or `false`
    Flag,
    /// A whole number.
    Number,
    /// A number with a fraction.
    Fraction,
    /// A duration: `10 s`
    Duration,
    /// A size: `64 mb`
    Memory,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// Any keys below this one.
    Map,
}

/// Whether a key does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It does what it says.
    Works,
    /// It is Flink's and is accepted; there is nothing here for it to act on.
    Accepted,
}

pub(super) const fn works(
    key: &'static str,
    kind: ValueKind,
    default: &'static str,
    description: &'static str,
) -> ConfigOption {
    ConfigOption { key, kind, default, effect: Effect::Works, description }
}

pub(super) const fn accepted(key: &'static str, kind: ValueKind, description: &'static str) -> ConfigOption {
    ConfigOption { key, kind, default: "", effect: Effect::Accepted, description }
}
