//! The documentation that a connector or format provides.

use super::AnyOption;

/// The documentation that a connector or format provides. The pages below `docs/connectors` are made of it,
/// and what a table may set is what is in its list.
#[derive(Clone, Copy, Default)]
pub struct Manual {
    /// What it is, in a sentence.
    pub summary: &'static str,
    /// What a user should know besides, in Markdown.
    pub details: &'static str,
    /// SQL that uses it: statements that create tables. They are planned by a test.
    pub example: &'static str,
    /// Its options; those of a format without the format's name.
    pub options: &'static [&'static dyn AnyOption],
}
