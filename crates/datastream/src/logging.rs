//! What a program sees of its jobs when it says nothing of logging: warnings and failures, on standard error.

use std::io::IsTerminal;
use std::sync::Once;

use flott_cluster::{BeganFrom, JobClient, RestorePoint};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// Chooses what is logged: `info`, `flott_cluster=debug`.
const LOG: &str = "FLOTT_LOG";

/// What a job began with is told also where only warnings are.
const BEGINNING: &str = "flott::beginning";

fn by_default() -> Targets {
    Targets::new().with_default(LevelFilter::WARN).with_target(BEGINNING, LevelFilter::INFO)
}

/// Says what a job continued from, if it was to continue from something.
pub(crate) fn tell_beginning(client: &JobClient) {
    let (job, beginning) = (client.name(), client.beginning());
    match &beginning.from {
        BeganFrom::Nothing => {}
        BeganFrom::NoState { dir, others } => {
            tracing::info!(target: BEGINNING, job, dir, others, "the job has no snapshot there yet: it starts over");
        }
        BeganFrom::Finished { .. } => {
            tracing::info!(target: BEGINNING, job, "the job has finished before: there is nothing left to do");
        }
        BeganFrom::Snapshot(RestorePoint { url, kept, new, dropped, changed, .. }) => {
            let (kept, new, dropped) = (kept.join(", "), new.join(", "), dropped.join(", "));
            tracing::info!(target: BEGINNING, job, from = url, kept, new, dropped, "the job continues from a snapshot");
            if !changed.is_empty() {
                let changed = changed.join("; ");
                tracing::info!(target: BEGINNING, job, changed, "the program is another one than wrote the snapshot");
            }
        }
    }
    for warning in &beginning.warnings {
        tracing::warn!(job, "{warning}");
    }
}

/// Lets warnings be printed, unless the program listens itself. `FLOTT_LOG` says what else.
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
        // Somebody who listens already goes on doing so.
        let installed = tracing_subscriber::registry().with(layer.with_filter(filter)).try_init();
        if let (Ok(()), Some(error)) = (installed, wrong) {
            tracing::warn!(%error, "{LOG} is not a filter such as 'info' or 'flott_cluster=debug'");
        }
    });
}
