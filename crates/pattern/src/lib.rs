//! Row patterns: finds the places in a sequence of rows where one variable follows another, each as often as
//! its quantifier says. It is the state machine behind SQL's MATCH_RECOGNIZE, with Flink's semantics.
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
//! # Runs
//!
//! A partial match is a [`Run`]. The rows of a match are consecutive, and the variables come in the order of
//! the pattern, so a run consists of its first row and the number of rows that each variable has taken. It is
//! a few numbers however long it gets, and no buffer of shared rows is needed. The caller keeps the rows from
//! [`Matcher::first_row`] on.
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
//! A run may begin at every row. A match is reported when no run that began earlier is still open, in the
//! order of first rows; each reported match ends other runs as [`Skip`] says.

mod matcher;
mod pattern;
mod run;

pub use matcher::{Conditions, Matcher, StepError};
pub use pattern::{Pattern, Skip, Variable};
pub use run::Run;
