//! Lines on standard output or standard error, as Flink prints them: `identifier:subtask> line`.
//!
//! The identifier stands there where one is given, the subtask's number (from 1) where there are several. What a line says of a
//! row is in `rows`, what it says of a program's value in `values`.

mod rows;
mod values;

use std::io::Write as _;

use flott_batch::Batch;
use flott_connector::{SinkContext, SinkWriter};
use flott_types::{Error, Result};

pub use rows::PrintConnector;
pub use values::PrintSink;

/// Where lines go and what stands before them.
#[derive(Clone, Debug, Default)]
struct Target {
    identifier: String,
    standard_error: bool,
}

impl Target {
    fn prefix(&self, context: &SinkContext) -> String {
        let several = context.parallelism > 1;
        let number = if several { (context.subtask.0 + 1).to_string() } else { String::new() };
        let colon = if several && !self.identifier.is_empty() { ":" } else { "" };
        let end = if several || !self.identifier.is_empty() { "> " } else { "" };
        format!("{}{colon}{number}{end}", self.identifier)
    }

    fn writer<L: Lines + 'static>(&self, context: &SinkContext, source: L) -> Box<dyn SinkWriter> {
        let (prefix, standard_error) = (self.prefix(context), self.standard_error);
        Box::new(PrintWriter { source, prefix, standard_error, lines: String::new() })
    }
}

/// What makes lines of a batch.
trait Lines: Send {
    /// Appends a line for each record, each behind the prefix.
    fn append(&self, batch: Batch, prefix: &str, lines: &mut String) -> Result<()>;
}

struct PrintWriter<L> {
    source: L,
    prefix: String,
    standard_error: bool,
    /// The lines of a batch, written in one go so that those of other subtasks do not come between.
    lines: String,
}

fn cannot_print(error: std::io::Error) -> Error {
    Error::output("cannot print", error)
}

impl<L: Lines> SinkWriter for PrintWriter<L> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        self.lines.clear();
        self.source.append(batch, &self.prefix, &mut self.lines)?;
        match self.standard_error {
            true => std::io::stderr().lock().write_all(self.lines.as_bytes()),
            false => std::io::stdout().lock().write_all(self.lines.as_bytes()),
        }
        .map_err(cannot_print)
    }

    fn flush(&mut self) -> Result<()> {
        let flushed = if self.standard_error { std::io::stderr().flush() } else { std::io::stdout().flush() };
        flushed.map_err(cannot_print)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flott_types::clock::ManualClock;
    use flott_types::{JobId, SubtaskIndex};

    use super::*;

    pub(super) fn context(subtask: u32, parallelism: u32) -> SinkContext {
        SinkContext {
            job: JobId(1),
            attempt: 0,
            subtask: SubtaskIndex(subtask),
            parallelism,
            restored: None,
            schema: None,
            metrics: Default::default(),
            waker: Default::default(),
            clock: Arc::new(ManualClock::new(0)),
        }
    }

    #[test]
    fn the_prefix_is_flinks() {
        let prefix = |identifier: &str, parallelism| {
            Target { identifier: identifier.to_owned(), standard_error: false }
                .prefix(&context(1, parallelism))
        };
        assert_eq!(prefix("", 1), "");
        assert_eq!(prefix("", 4), "2> ");
        assert_eq!(prefix("out", 1), "out> ");
        assert_eq!(prefix("out", 4), "out:2> ");
    }
}
