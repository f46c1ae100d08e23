//! The filesystem connector through its public face, on a directory of its own for each test.

mod harness;
mod sink;
mod source;
