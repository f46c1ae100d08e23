//! `--restore` and `execution.state-recovery.path`: says what a job continued from.

use flott::cluster::JobClient;
use flott::restore::{BeganFrom, RestorePoint};

use crate::console::Console;

/// The most characters of an operator's name.
const NAME: usize = 70;

/// Tells what a job continued from, if there is something to tell.
pub(crate) fn tell(job: &JobClient, console: Console) {
    let beginning = job.beginning();
    match &beginning.from {
        BeganFrom::Nothing => {}
        BeganFrom::NoState { dir, others } => {
            let others = match others {
                0 => String::new(),
                1 => " (there is one of another job)".to_owned(),
                n => format!(" (there are some of {n} other jobs)"),
            };
            console.info(&format!("No checkpoint of this job below {dir}{others}: it starts from the beginning."));
        }
        BeganFrom::Snapshot(point) => tell_point(point, console),
        BeganFrom::Finished { at } => console.info(&format!(
            "Job '{}' has finished{}, and there is nothing left to do. To run it again, start it without --restore.",
            job.name(),
            time(*at).replace(" of ", " at ")
        )),
    }
    for warning in &beginning.warnings {
        console.warn(warning);
    }
}

fn tell_point(point: &RestorePoint, console: Console) {
    let kind = if point.is_savepoint { "savepoint" } else { "checkpoint" };
    let at = time(point.created_at);
    console.info(&format!("Restoring from {kind} {}{at}: {}", point.checkpoint, point.url));
    for (what, operators) in [("kept", &point.kept), ("new", &point.new)] {
        for name in operators {
            console.info(&format!("  {what}: {}", short(name)));
        }
    }
    for name in &point.dropped {
        console.warn(&format!("State that no operator of the job claims is dropped: {}", short(name)));
    }
}

fn time(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp_millis(at);
    at.map(|at| format!(" of {} UTC", at.naive_utc().format("%Y-%m-%d %H:%M:%S"))).unwrap_or_default()
}

fn short(name: &str) -> String {
    match name.char_indices().nth(NAME) {
        Some((at, _)) => format!("{}...", &name[..at]),
        None => name.to_owned(),
    }
}
