//! Row patterns: finds the places in a sequence of rows where one variable follows another, each as often as
//! its quantifier says. It is the state machine behind SQL's MATCH_RECOGNIZE and behind the CEP of programs,
//! with Flink's semantics.
//!
//! The machine is pure: it knows rows by their numbers and asks its caller, through [`Conditions`], whether a
//! row may be a variable. It does no I/O, keeps no rows, and reads no clock.
//!
//! ```
//! use flott_pattern::{Conditions, Matcher, Pattern, Run, Skip, Variable};
//!
//! // PATTERN (A+ B): one or more rows above 10, then one that is not.
//! let pattern = Pattern::new(vec![Variable::new(1, None, true), Variable::once()], None, Skip::PastLastRow);
//! struct Above(Vec<i64>);
//! impl Conditions for Above {
//!     type Error = ();
//!     fn holds(&mut self, variable: usize, _: &Run, row: u64) -> Result<bool, ()> {
//!         Ok((self.0[row as usize] > 10) == (variable == 0))
//!     }
//! }
//! let mut prices = Above(vec![11, 12, 3, 4, 20, 5]);
//! let mut matcher = Matcher::default();
//! let mut found = Vec::new();
//! for row in 0..6 {
//!     found.extend(matcher.step(&pattern, row as i64, &mut prices).unwrap());
//! }
//! let rows: Vec<_> = found.iter().map(|run| run.rows()).collect();
//! assert_eq!(rows, [0..3, 4..6]);
//! ```
//!
//! # One machine, two representations
//!
//! A pattern is compiled to an [`Automaton`]: states, and edges that *take* a row, *ignore* it, or *proceed*
//! with it to another state. [`Partials`] are the partial matches over one sequence of rows; each follows all
//! edges that a row passes. Both are those of Flink's CEP library, and so are the matches and their order;
//! golden results of the library are among the tests.
//!
//! What rows a partial match has is kept by [`Paths`], in one of two forms:
//!
//! - In SQL's patterns the rows of a match are consecutive, so a [`Run`] is its first row and the variables in
//!   the order in which they took rows, each with how many. It is a few numbers however long a variable goes
//!   on. [`Matcher`] is the machine for these.
//! - A program's patterns ([`Stage`]) may pass rows over, repeat groups and exclude what must not come. Their
//!   rows are links in a [`Buffer`] that partial matches share.
//!
//! The caller keeps the rows.
//!
//! # Greedy
//!
//! As in Flink, a greedy variable does not compete by backtracking. The variable after it takes no row that
//! the greedy one would take, so `A+ B` ends at the first row that is a B and not an A, and `A{1,2} B` does
//! not match three rows that are all A and B. A reluctant variable allows both; the match that is found first
//! wins, because it ends the other runs with its first row. A quantifier that leaves no choice of length
//! (`A`, `A?`, `A{3}`) is never greedy.
//!
//! # Which matches are found
//!
//! A match may begin at every row. If matches skip ([`Skip`]), one is reported when no partial match that
//! began earlier is still open, in the order of first rows, and each reported match ends others. Otherwise
//! every match is reported with the row that completes it.

mod automaton;
mod compile;
mod engine;
mod heap;
mod matcher;
mod node;
mod paths;
mod pattern;
mod run;
mod sequence;
mod skip;

pub use automaton::{Automaton, Shape, Test};
pub use engine::{Ask, Ended, Partials, StepError};
pub use matcher::{Conditions, Matcher};
pub use node::Node;
pub use paths::{Buffer, Paths};
pub use pattern::{Pattern, Variable};
pub use run::Run;
pub use sequence::{Contiguity, Malformed, Stage, Times};
pub use skip::Skip;
