//! The stage of a run: its own cluster, and the handles for disturbing it.

use std::sync::Arc;

use flott::Result;
use flott::cluster::{LocalCluster, LocalClusterOptions};
use flott::connector::Registry;
use flott::sql::{SqlOperators, builtin_functions};
use flott_testkit::Faults;
use tempfile::TempDir;

use crate::committed::Committed;
use crate::pace::Pace;
use crate::paced::Paced;
use crate::rows::Rows;

/// More than any case needs.
const SLOTS: u32 = 1_024;

/// The stage of one run.
pub struct Stage {
    /// Where jobs run.
    pub cluster: LocalCluster,
    /// What tables may name.
    pub registry: Arc<Registry>,
    /// How fast sources read.
    pub pace: Arc<Pace>,
    /// The rows of VALUES.
    pub rows: Rows,
    /// What was committed.
    pub committed: Committed,
    /// Failures of operators.
    pub faults: Faults,
    /// The folder of snapshots.
    pub snapshots: TempDir,
}

impl Stage {
    /// An empty one.
    ///
    /// # Errors
    /// If there are no threads, or no folder.
    pub fn new() -> Result<Self> {
        let no_folder = |error| flott::Error::external("there is no folder for snapshots").with_source(error);
        let snapshots = tempfile::tempdir().map_err(no_folder)?;
        let (pace, rows) = (Arc::new(Pace::open()), Rows::default());
        let (committed, faults) = (Committed::default(), Faults::default());
        let mut readable = flott::connectors::builtin();
        let mut registry = Registry::new(readable.formats().clone());
        readable.register(Arc::new(rows.clone()));
        for inner in readable.iter() {
            registry.register(Arc::new(Paced { pace: pace.clone(), inner: inner.clone() }));
        }
        readable.catalogs().for_each(|catalog| registry.register_catalog(catalog.clone()));
        registry.register(Arc::new(committed.clone()));
        let registry = Arc::new(registry);
        let operators = faults.around(Arc::new(SqlOperators::new(builtin_functions())));
        let options = LocalClusterOptions::new(registry.clone(), operators, SLOTS);
        let cluster = LocalCluster::start(options)?;
        Ok(Stage { cluster, registry, pace, rows, committed, faults, snapshots })
    }
}
