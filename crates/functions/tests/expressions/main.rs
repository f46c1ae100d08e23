//! Expressions as text in, types and values as text out.

mod aggregates;
mod arithmetic;
mod casts;
mod collections;
mod documents;
mod logic;
mod reader;
mod support;
mod text;
mod times;
mod wide;
