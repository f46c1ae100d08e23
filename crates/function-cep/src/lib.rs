//! CEP: patterns over the events of a key, and functions of what matches them.
//!
//! A [`Pattern`](pattern::Pattern) says which events follow each other; it is compiled to an automaton of
//! `flott-pattern`, which decides what matches. The function here ([`CepFunction`](function::CepFunction))
//! gives it the events of each key in the order of time, keeps those that partial matches have, and calls a
//! [`PatternProcessFunction`](process::PatternProcessFunction) with each match.
//!
//! # State
//!
//! | state | rows of a snapshot |
//! |---|---|
//! | `partial-matches` | `key -> partial matches`, where they are and how their events are linked, as JSON |
//! | `matched-events` | `(key, number) -> event`: those that some partial match has |
//! | `waiting-events` | `(key, timestamp) -> events` that the watermark has not reached |
//!
//! An event is stored once, however many partial matches have it, and is forgotten with the last of them. A
//! pattern without `within` may keep partial matches forever.
//!
//! # Cost of an event
//!
//! In event time, an entry and a timer of its key; then the conditions of its key's partial matches. A
//! snapshot writes the partial matches of the keys that changed, and events that came or went.

pub mod condition;
pub mod function;
pub mod matches;
pub mod pattern;
pub mod process;
mod progress;
