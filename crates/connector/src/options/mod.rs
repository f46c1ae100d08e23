//! The options of connectors and formats.
//!
//! An option is declared once, as a constant: its key, what can be written, its default, and what it does ([`TableOption`]). From
//! the declaration it is read, typed ([`Options::get`]), and documented ([`Manual`]); nobody reads an option by a string. A connector,
//! or a format, lists its options in its manual, and who makes it from a table ([`Registry`](crate::Registry)) refuses what is not in the list, naming the
//! nearest key.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use flott_connector::{AnyOption, Formats, Manual, Options, TableOption, WithDefault};
//!
//! const RATE: TableOption<u64, WithDefault> =
//!     TableOption::number("rows-per-second", 1, u64::MAX, "rows that are made in a second").or("10");
//! const SEED: TableOption<u64> = TableOption::number("seed", 0, u64::MAX, "the same seed makes the same rows");
//! static OPTIONS: &[&dyn AnyOption] = &[&RATE, &SEED];
//! let manual = Manual { options: OPTIONS, ..Manual::default() };
//!
//! let table = BTreeMap::from([("rows-per-second".to_owned(), "7".to_owned()), ("sed".to_owned(), "1".to_owned())]);
//! let formats = Formats::default();
//! let options = Options::new("t", &table, &manual, &formats);
//! assert_eq!((options.get(&RATE).unwrap(), options.get(&SEED).unwrap()), (7, None));
//! let error = options.finish().unwrap_err().to_string();
//! assert!(error.contains("table t has no option 'sed'; did you mean 'seed'?"), "{error}");
//! ```
//!
//! A key may have a `#`, which stands for a name that the table chooses: `fields.#.min`. Such an option is read for each name by itself
//! ([`Options::get_at`]), and one of a name that nobody asked for is refused too.
//!
//! The options of a format stand behind its name: `'format' = 'csv', 'csv.field-delimiter' = ';'`. Its list has them without
//! (`field-delimiter`), and [`Options::format`] puts the two together.

mod common;
mod declaration;
mod manual;
mod read;
#[cfg(test)]
mod tests;

pub use common::{CONNECTOR, FORMAT, SCAN_PARALLELISM, SINK_PARALLELISM};
pub use declaration::{AnyOption, Effect, Optional, Presence, Required, TableOption, WithDefault};
pub use manual::Manual;
pub use read::Options;

pub(crate) use common::{CATALOG_COMMON, CATALOG_TYPE, COMMON};
