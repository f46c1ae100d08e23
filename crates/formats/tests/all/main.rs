//! Formats through their public face: text in, text out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod avro;
mod bulk;
mod case;
mod changes;
mod container;
mod csv;
mod errors;
mod json;
mod protobuf;
mod registry;
mod values;
