//! A line for each value.

use std::fmt::{self, Debug, Display, Write as _};
use std::io::Write as _;
use std::marker::PhantomData;

use flott_batch::{Batch, Record};
use flott_connector::{Consumes, Payload, Sink, SinkContext, SinkWriter};
use flott_types::{Error, Result};

/// Appends a value to a line.
type Write<T> = fn(&T, &mut String) -> fmt::Result;

/// Writes each value as a line to standard output or standard error: `identifier:subtask> value`, as Flink does. The identifier is
/// there where one is given, the subtask's number (from 1) where there are several.
pub struct PrintSink<T> {
    identifier: String,
    standard_error: bool,
    write: Write<T>,
}

impl<T: Record> PrintSink<T> {
    /// Writes values as their `Display` does.
    pub fn new() -> Self
    where
        T: Display,
    {
        PrintSink::with(|value, line| write!(line, "{value}"))
    }

    /// Writes values as their `Debug` does.
    pub fn debug() -> Self
    where
        T: Debug,
    {
        PrintSink::with(|value, line| write!(line, "{value:?}"))
    }

    fn with(write: Write<T>) -> Self {
        PrintSink { identifier: String::new(), standard_error: false, write }
    }

    /// With a name in front of each line.
    #[must_use]
    pub fn named(self, identifier: impl Into<String>) -> Self {
        PrintSink { identifier: identifier.into(), ..self }
    }

    /// To standard error.
    #[must_use]
    pub fn to_standard_error(self) -> Self {
        PrintSink { standard_error: true, ..self }
    }

    fn prefix(&self, context: &SinkContext) -> String {
        let several = context.parallelism > 1;
        let number = if several { (context.subtask.0 + 1).to_string() } else { String::new() };
        let colon = if several && !self.identifier.is_empty() { ":" } else { "" };
        let end = if several || !self.identifier.is_empty() { "> " } else { "" };
        format!("{}{colon}{number}{end}", self.identifier)
    }
}

impl<T: Record + Display> Default for PrintSink<T> {
    fn default() -> Self {
        PrintSink::new()
    }
}

impl<T> Debug for PrintSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrintSink({})", self.identifier)
    }
}

impl<T: Record> Sink for PrintSink<T> {
    fn writer(&self, context: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(PrintWriter {
            prefix: self.prefix(&context),
            standard_error: self.standard_error,
            write: self.write,
            lines: String::new(),
            value: PhantomData,
        }))
    }
}

impl<T: Record> Consumes<T> for PrintSink<T> {}

struct PrintWriter<T> {
    prefix: String,
    standard_error: bool,
    write: Write<T>,
    /// The lines of a batch, written in one go so that those of other subtasks do not come between.
    lines: String,
    value: PhantomData<fn(T)>,
}

impl<T> PrintWriter<T> {
    fn add_lines(&mut self, values: &[T]) -> Result<()> {
        for value in values {
            self.lines.push_str(&self.prefix);
            (self.write)(value, &mut self.lines)
                .map_err(|_| Error::data("the Display or Debug of a value to be printed failed"))?;
            self.lines.push('\n');
        }
        Ok(())
    }
}

fn cannot_print(error: std::io::Error) -> Error {
    Error::output("cannot print values", error)
}

impl<T: Record> SinkWriter for PrintWriter<T> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        self.lines.clear();
        self.add_lines(&batch.into_records::<T>()?.values)?;
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

    fn lines(sink: &PrintSink<String>, parallelism: u32) -> String {
        let context = SinkContext {
            job: JobId(1),
            attempt: 0,
            subtask: SubtaskIndex(1),
            parallelism,
            restored: None,
            schema: None,
            metrics: Default::default(),
            waker: Default::default(),
            clock: Arc::new(ManualClock::new(0)),
        };
        let mut writer = PrintWriter {
            prefix: sink.prefix(&context),
            standard_error: false,
            write: sink.write,
            lines: String::new(),
            value: PhantomData,
        };
        writer.add_lines(&["a".to_owned(), "b".to_owned()]).unwrap();
        writer.lines
    }

    #[test]
    fn lines_begin_as_in_flink() {
        assert_eq!(lines(&PrintSink::new(), 1), "a\nb\n");
        assert_eq!(lines(&PrintSink::new(), 4), "2> a\n2> b\n");
        assert_eq!(lines(&PrintSink::new().named("out"), 1), "out> a\nout> b\n");
        assert_eq!(lines(&PrintSink::debug().named("out"), 4), "out:2> \"a\"\nout:2> \"b\"\n");
    }
}
