//! The options of connectors and formats.
//!
//! An option is declared once, as a constant: its key, its possible values, its default, and what it does
//! ([`TableOption`]). The declaration is used to read it, typed ([`Options::get`]), and to document it
//! ([`Manual`]); no option is read by a string. A connector or format lists its options in its manual, and
//! the [`Registry`](crate::Registry) that creates it from a table refuses any option that is not in the list
//! and suggests the nearest key.
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
//! A key may contain a `#`, which stands for a name that the table chooses: `fields.#.min`. Such an option is
//! read for each name ([`Options::get_at`]), and one with a name that is never read is refused too.
//!
//! The options of a format are prefixed with its name: `'format' = 'csv', 'csv.field-delimiter' = ';'`. Its
//! list has them without the prefix (`field-delimiter`), and [`Options::format`] adds it.

mod common;
mod declaration;
mod manual;
mod read;
#[cfg(test)]
mod tests;

pub use common::{CONNECTOR, FORMAT, PROVIDER, SCAN_PARALLELISM, SINK_PARALLELISM};
pub use declaration::{AnyOption, Effect, Optional, Presence, Required, TableOption, WithDefault};
pub use manual::Manual;
pub use read::Options;

pub(crate) use common::{CATALOG_COMMON, CATALOG_TYPE, COMMON, MODEL_COMMON};
