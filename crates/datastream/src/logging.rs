//! The default logging of programs: warnings and failures on standard error.

use std::io::IsTerminal;
use std::sync::Once;

use flott_cluster::{BeganFrom, JobClient, RestorePoint};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// The environment variable that chooses what is logged: `info`, `flott_cluster=debug`.
const LOG: &str = "FLOTT_LOG";

/// What a job started from is logged even where only warnings are.
const BEGINNING: &str = "flott::beginning";

fn by_default() -> Targets {
    Targets::new().with_default(LevelFilter::WARN).with_target(BEGINNING, LevelFilter::INFO)
}

/// Reports what a job continued from, if it was asked to continue.
pub(crate) fn tell_beginning(client: &JobClient) {
    let (job, beginning) = (client.name(), client.beginning());
    match &beginning.from {
        BeganFrom::Nothing => {}
        BeganFrom::NoState { dir, others } => {
            tracing::info!(target: BEGINNING, job, dir, others, "the job has no snapshot there yet: it starts from the beginning");
        }
        BeganFrom::Finished { .. } => {
            tracing::info!(target: BEGINNING, job, "the job has finished before: there is nothing left to do");
        }
        BeganFrom::Snapshot(RestorePoint { url, kept, new, dropped, changed, .. }) => {
            let (kept, new, dropped) = (kept.join(", "), new.join(", "), dropped.join(", "));
            tracing::info!(target: BEGINNING, job, from = url, kept, new, dropped, "the job continues from a snapshot");
            if !changed.is_empty() {
                let changed = changed.join("; ");
                tracing::info!(target: BEGINNING, job, changed, "the program differs from the one that wrote the snapshot");
            }
        }
    }
    for warning in &beginning.warnings {
        tracing::warn!(job, "{warning}");
    }
}

/// Prints warnings, unless the program has its own subscriber. `FLOTT_LOG` selects more.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let wanted = std::env::var(LOG).ok().filter(|text| !text.is_empty());
        let (filter, wrong) = match wanted.as_deref().map(str::parse::<Targets>) {
            None => (by_default(), None),
            Some(Ok(filter)) => (filter, None),
            Some(Err(error)) => (by_default(), Some(error)),
        };
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false);
        // An existing subscriber stays.
        let installed = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
        if let (Ok(()), Some(error)) = (installed, wrong) {
            tracing::warn!(%error, "{LOG} is not a filter such as 'info' or 'flott_cluster=debug'");
        }
    });
}
