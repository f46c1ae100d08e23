//! The `flott` binary.
fn main() {}
