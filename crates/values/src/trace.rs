//! The shape of a type, from its `Deserialize` alone.
//!
//! The type is deserialised from made-up values, while we watch what it asks for. Most types need one pass.
//! Where the type refuses a value (a UUID is no empty string, a variant's data cannot be made up), the next
//! pass tries another one, and at last does without: a field is left out, a sequence is empty, an `Option` is
//! none. What has been seen stays, so every pass knows more than the one before it.

mod access;
mod deserializer;

use std::fmt;

use flott_types::{Error, Result};
use serde::de::{self, DeserializeOwned};

use super::shape::{Kind, Member, NoColumn, Shape};

/// Text that types which are written as text may accept.
const SAMPLES: &[&str] = &[
    "",
    "0",
    "00000000-0000-0000-0000-000000000000",
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00",
    "1970-01-01",
    "00:00:00",
    "127.0.0.1",
    "127.0.0.1:80",
    "::1",
    "[::1]:80",
    "http://localhost/",
    "a@localhost",
    "UTC",
    "PT0S",
    "a",
];

/// Far more than any type needs; each pass learns something.
const MAX_PASSES: usize = 10_000;

/// The shape of a type, and a made-up value of it if one could be made.
pub(super) fn trace<T: DeserializeOwned>() -> Result<(Shape, Option<T>)> {
    let mut root = Node::default();
    for _ in 0..MAX_PASSES {
        match T::deserialize(Trace { node: &mut root, above: None }) {
            Ok(value) => return Ok((root.into_shape(), Some(value))),
            Err(TraceError::Refused(why)) => {
                return Err(Error::unsupported(format!(
                    "the type {} cannot be stored: {why}",
                    std::any::type_name::<T>()
                )));
            }
            Err(_) => root.failed(),
        }
        if root.state == State::Barren {
            return Ok((root.into_shape(), None));
        }
    }
    root.decide(Kind::Json(NoColumn::SelfDescribing));
    Ok((root.into_shape(), None))
}

/// What is known about a part of the type.
#[derive(Default)]
struct Node {
    kind: Option<Kind<Node>>,
    optional: bool,
    state: State,
    /// Which made-up value is next.
    attempt: usize,
    /// How many there are.
    attempts: usize,
    /// Whether the type asks for an `Option` but has not said of what.
    within_option: bool,
    /// Of an enum.
    enum_name: &'static str,
    /// Whether it must be given to its struct before its aliases are.
    first: bool,
}

#[derive(Clone, Copy, PartialEq, Default)]
enum State {
    /// Not all of its shape is known.
    #[default]
    Open,
    /// Its shape is known, and a value can be made.
    Known,
    /// Its shape is known; values cannot be made.
    Barren,
}

impl Node {
    fn decide(&mut self, kind: Kind<Node>) {
        self.kind = Some(kind);
        self.state = State::Known;
        self.within_option = false;
    }

    /// The type did not accept the value.
    fn failed(&mut self) {
        if self.kind.is_none() {
            self.decide(Kind::Json(NoColumn::SelfDescribing));
        }
        if self.state == State::Known {
            self.attempt += 1;
            self.state = if self.attempt < self.attempts { State::Open } else { State::Barren };
        }
    }

    fn into_shape(self) -> Shape {
        let open = Kind::Json(NoColumn::SelfDescribing);
        let kind = match self.kind {
            None => open,
            Some(Kind::List(item)) => Kind::List(Box::new(item.into_shape())),
            Some(Kind::Map(key, value)) => {
                let (key, value) = (key.into_shape(), value.into_shape());
                let plain =
                    !matches!(key.kind, Kind::Json(NoColumn::SelfDescribing) | Kind::Unit) && !key.optional;
                if plain { Kind::Map(Box::new(key), Box::new(value)) } else { open }
            }
            Some(Kind::Tuple(items)) => Kind::Tuple(items.into_iter().map(Node::into_shape).collect()),
            Some(Kind::Struct(members)) => Kind::Struct(
                members
                    .into_iter()
                    .map(|member| Member {
                        name: member.name,
                        aliases: member.aliases,
                        value: member.value.into_shape(),
                    })
                    .collect(),
            ),
            Some(Kind::Json(reason)) => Kind::Json(reason),
            Some(Kind::Unit) => Kind::Unit,
            Some(Kind::Bool) => Kind::Bool,
            Some(Kind::I8) => Kind::I8,
            Some(Kind::I16) => Kind::I16,
            Some(Kind::I32) => Kind::I32,
            Some(Kind::I64) => Kind::I64,
            Some(Kind::U8) => Kind::U8,
            Some(Kind::U16) => Kind::U16,
            Some(Kind::U32) => Kind::U32,
            Some(Kind::U64) => Kind::U64,
            Some(Kind::F32) => Kind::F32,
            Some(Kind::F64) => Kind::F64,
            Some(Kind::Text) => Kind::Text,
            Some(Kind::Bytes) => Kind::Bytes,
            Some(Kind::Enum) => Kind::Enum,
        };
        Shape { kind, optional: self.optional }
    }
}

/// The types around a part: one that occurs again is recursive.
#[derive(Clone, Copy)]
struct Path<'a> {
    name: &'static str,
    above: Option<&'a Path<'a>>,
}

impl Path<'_> {
    fn holds(path: Option<&Path<'_>>, name: &str) -> bool {
        path.is_some_and(|path| path.name == name || Path::holds(path.above, name))
    }
}

/// The observing deserialiser.
struct Trace<'a> {
    node: &'a mut Node,
    above: Option<&'a Path<'a>>,
}

#[derive(Debug)]
enum TraceError {
    /// The type does not accept this value; there is another pass.
    Again,
    /// The struct already accepted this field, under another name.
    Duplicate(&'static str),
    /// The type cannot be stored at all.
    Refused(&'static str),
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TraceError::Again => f.write_str("a made-up value is not accepted"),
            TraceError::Duplicate(name) => write!(f, "field {name} occurs twice"),
            TraceError::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for TraceError {}

impl de::Error for TraceError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        TraceError::Again
    }

    fn duplicate_field(field: &'static str) -> Self {
        TraceError::Duplicate(field)
    }
}
