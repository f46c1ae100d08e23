//! `--restore` and `execution.state-recovery.path`: finds the snapshot and says what is made of it.

use flott::Result;
use flott::plan::JobGraph;
use flott::restore::{self, LATEST, Latest, RESTORE_PATH, RestorePoint};
use flott::types::JobId;

use crate::console::Console;

/// The most characters of an operator's name.
const NAME: usize = 70;

/// A job that goes on from its latest snapshot, or will the next time: when it has finished, nothing is left to go on with.
pub(crate) fn finished(graph: &JobGraph, job: JobId, console: Console) {
    if let Err(error) = restore::forget(graph, job) {
        console.warn(&format!("The checkpoints of earlier starts of the job could not be deleted: {error}"));
    }
}

/// Makes the job start from the snapshot, or anew if it is to start from its latest and has none.
pub(crate) fn prepare(graph: &mut JobGraph, wanted: &str, console: Console) -> Result<()> {
    let point = match wanted == LATEST {
        false => restore::at(graph, wanted)?,
        true => match restore::latest(graph)? {
            Latest::Snapshot(point) => point,
            Latest::Nothing { dir, others } => {
                let others = match others {
                    0 => String::new(),
                    n => format!(" (there are some of {n} other jobs)"),
                };
                console.info(&format!("No checkpoint of this job below {dir}{others}: it begins anew."));
                graph.configuration.remove(RESTORE_PATH);
                return Ok(());
            }
        },
    };
    tell(&point, console);
    graph.configuration.insert(RESTORE_PATH.to_owned(), point.url);
    Ok(())
}

fn tell(point: &RestorePoint, console: Console) {
    for damaged in &point.damaged {
        console.warn(&format!("A damaged checkpoint is passed over: {damaged}"));
    }
    let kind = if point.is_savepoint { "savepoint" } else { "checkpoint" };
    let at = chrono::DateTime::from_timestamp_millis(point.created_at);
    let at =
        at.map(|at| format!(" of {} UTC", at.naive_utc().format("%Y-%m-%d %H:%M:%S"))).unwrap_or_default();
    console.info(&format!("Restoring from {kind} {}{at}: {}", point.checkpoint, point.url));
    for (what, operators) in [("kept", &point.kept), ("new", &point.new), ("dropped", &point.dropped)] {
        for name in operators {
            console.info(&format!("  {what}: {}", short(name)));
        }
    }
}

fn short(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((at, _)) => format!("{}...", &name[..at]),
        None => name.to_owned(),
    }
}
