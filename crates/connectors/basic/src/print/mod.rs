//! Lines on standard output or standard error, as Flink prints them: `identifier:subtask> line`.
//!
//! The identifier is printed if there is one, the subtask's number (from 1) if there are several. `rows`
//! formats rows, `values` formats the values of a program.

mod rows;
mod values;

use std::io::Write;

use flott_batch::Batch;
use flott_connector::{SinkContext, SinkWriter};
use flott_types::{Error, Result};

pub use rows::PrintConnector;
pub use values::PrintSink;

/// Where lines go, and their prefix.
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
        let out: Box<dyn Write + Send> =
            if self.standard_error { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
        Box::new(PrintWriter { source, prefix: self.prefix(context), out, lines: String::new() })
    }
}

/// Turns a batch into lines.
trait Lines: Send {
    /// Appends a line for each record, each with the prefix.
    fn append(&self, batch: Batch, prefix: &str, lines: &mut String) -> Result<()>;
}

struct PrintWriter<L> {
    source: L,
    prefix: String,
    /// Locked while a batch's lines are written.
    out: Box<dyn Write + Send>,
    /// Writes the lines of a batch in one go, so that those of other subtasks do not come in between.
    lines: String,
}

fn cannot_print(error: std::io::Error) -> Error {
    Error::output("cannot print", error)
}

impl<L: Lines> SinkWriter for PrintWriter<L> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        self.lines.clear();
        self.source.append(batch, &self.prefix, &mut self.lines)?;
        self.out.write_all(self.lines.as_bytes()).map_err(cannot_print)
    }

    fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(cannot_print)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use flott_batch::pretty;
    use flott_connector::conformance::{SinkUnderTest, check_sink};
    use flott_connector::{Payload, Sink};
    use flott_types::clock::ManualClock;
    use flott_types::{JobId, SubtaskIndex, TypeKind};
    use parking_lot::Mutex;

    use super::*;

    /// What would be seen.
    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Lines of the two sinks, on a screen that a test sees.
    impl Sink for Screen {
        fn writer(&self, context: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
            let (prefix, out) = (Target::default().prefix(&context), Box::new(self.clone()));
            let source = rows::Rows(vec![TypeKind::Int.nullable()]);
            Ok(Box::new(PrintWriter { source, prefix, out, lines: String::new() }))
        }
    }

    impl SinkUnderTest for Screen {
        fn sink(&self) -> Result<Arc<dyn Sink>> {
            Ok(Arc::new(self.clone()))
        }

        fn batch(&self, number: usize) -> Batch {
            let rows = format!("+I {number}\n-D {number}");
            Batch::Changes(pretty::parse(&rows, &[TypeKind::Int.nullable()]).unwrap())
        }

        fn rows(&self, number: usize) -> Vec<String> {
            vec![format!("+I[{number}]"), format!("-D[{number}]")]
        }

        fn visible(&self) -> Result<Vec<String>> {
            let text = String::from_utf8_lossy(&self.0.lock()).into_owned();
            Ok(text.lines().map(str::to_owned).collect())
        }
    }

    #[test]
    fn what_is_printed_holds_the_rules() {
        check_sink(&|| Box::new(Screen::default())).unwrap();
    }

    pub(super) fn context(subtask: u32, parallelism: u32) -> SinkContext {
        SinkContext {
            job: JobId(1),
            attempt: 0,
            succession: None,
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
