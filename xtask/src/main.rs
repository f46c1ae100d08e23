//! Checks of the house that no tool does.
fn main() {}
