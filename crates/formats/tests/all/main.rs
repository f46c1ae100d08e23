//! Formats through their public face: text in, text out.

mod case;
mod changes;
mod csv;
mod json;
