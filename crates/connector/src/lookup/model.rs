//! Models: they answer to rows as a table that is looked up answers to keys.

use std::sync::Arc;

use flott_plan::LookupSpec;
use flott_types::Result;

use super::LookupTable;
use crate::{Manual, Options};

/// Who answers for models: found by `CREATE MODEL ... WITH ('provider' = '...')`.
pub trait ModelProvider: Send + Sync {
    /// The name in `'provider' = '...'`.
    fn name(&self) -> &'static str;

    /// What it says of itself, with the list of its options.
    fn manual(&self) -> Manual;

    /// The model of a spec: a table whose keys are the columns that go into the model and whose other columns are what comes out.
    /// Each row that comes out of one that went in is a row of it.
    ///
    /// # Errors
    /// What is wrong with the columns or the options.
    fn predict(&self, spec: &LookupSpec, options: &Options<'_>) -> Result<Arc<dyn LookupTable>>;
}
