//! Hints: `/*+ OPTIONS('k' = 'v') */` behind a table, `/*+ BROADCAST(t), STATE_TTL('a' = '1d') */` behind
//! SELECT.

use crate::error::Position;

/// One hint.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hint {
    /// Its name in capitals: OPTIONS, STATE_TTL, LOOKUP, BROADCAST ..
    pub name: String,
    /// What is in its parentheses.
    pub args: Vec<HintArg>,
    /// Its position.
    pub position: Position,
}

/// An argument of a hint.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum HintArg {
    /// `'key' = 'value'`
    Option(String, String),
    /// A name (dots included), string or number.
    Item(String),
}

impl Hint {
    /// The key-value arguments.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.args.iter().filter_map(|arg| match arg {
            HintArg::Option(key, value) => Some((key.as_str(), value.as_str())),
            HintArg::Item(_) => None,
        })
    }
}
