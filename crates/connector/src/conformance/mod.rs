//! The rules for every source, sink, lookup and catalog, as functions for the tests of connectors:
//! [`check_source`], [`check_sink`], [`check_lookup`], [`check_catalog`].
//!
//! They do what the runtime does, and what can happen to it: run with one and with several subtasks, take a
//! snapshot at any moment, fail, and restart with more or fewer subtasks. An error says which rule was
//! broken, and after which steps.
//!
//! ```
//! # use std::sync::Arc;
//! # use flott_batch::Batch;
//! # use flott_connector::{Source, conformance::{check_source, SourceUnderTest}};
//! # use flott_types::{Clock, Result};
//! struct MySource { /* ... */ }
//!
//! impl SourceUnderTest for MySource {
//!     fn source(&self) -> Result<Arc<dyn Source>> {
//!         // As the JobManager and each task would make it.
//! #       unimplemented!()
//!     }
//!     fn texts(&self, batch: Batch) -> Result<Vec<String>> {
//!         // A row is compared as its text.
//! #       unimplemented!()
//!     }
//!     fn expected(&self) -> Vec<String> {
//! #       unimplemented!()
//!     }
//! }
//! ```

mod by_hand;
mod catalog;
mod drive;
mod lookup;
mod sink;
mod source;

pub use by_hand::ByHand;
pub use catalog::check_catalog;
pub use lookup::{LookupUnderTest, check_lookup};
pub use sink::{SinkUnderTest, check_sink, commit, commit_restored};
pub use source::{SourceUnderTest, check_source};

use flott_types::{Error, Result};

/// A rule that was broken.
fn broken(what: impl Into<String>) -> Error {
    Error::internal(what)
}

/// Refuses rows that are lost, doubled or made up; they need not be in order.
/// Whether none of the rows is there more often than expected.
fn no_other_rows(found: &[String], expected: &[String], when: &str) -> Result<()> {
    let count = |rows: &[String], row: &String| rows.iter().filter(|other| *other == row).count();
    match found.iter().find(|row| count(found, row) > count(expected, row)) {
        Some(row) => Err(broken(format!(
            "{when}: '{row}' is there {} times instead of {} at most",
            count(found, row),
            count(expected, row)
        ))),
        None => Ok(()),
    }
}

fn same_rows(mut found: Vec<String>, mut expected: Vec<String>, when: &str) -> Result<()> {
    found.sort();
    expected.sort();
    if found == expected {
        return Ok(());
    }
    let count = |rows: &[String], row: &String| rows.iter().filter(|other| *other == row).count();
    let wrong = found.iter().chain(&expected).find(|row| count(&found, row) != count(&expected, row));
    let wrong = wrong.map_or(String::new(), |row| {
        format!("; '{row}' is there {} times instead of {}", count(&found, row), count(&expected, row))
    });
    Err(broken(format!("{when}: {} rows instead of {}{wrong}", found.len(), expected.len())))
}
