//! Formats through their public face: text in, text out.

#![expect(clippy::unwrap_used, reason = "tests")]

mod case;
mod changes;
mod csv;
mod json;
