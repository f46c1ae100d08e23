//! A line for each value of a program.

use std::fmt::{self, Debug, Display, Write as _};

use flott_batch::{Batch, Record};
use flott_connector::{Consumes, Payload, Sink, SinkContext, SinkWriter};
use flott_types::{Error, Result};

use super::{Lines, Target};

/// Appends a value to a line.
type Write<T> = fn(&T, &mut String) -> fmt::Result;

/// Writes each value as a line to standard output or standard error: `identifier:subtask> value`, as Flink
/// does. The identifier is printed if there is one, the subtask's number (from 1) if there are several.
pub struct PrintSink<T> {
    target: Target,
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
        PrintSink { target: Target::default(), write }
    }

    /// With a name at the start of each line.
    #[must_use]
    pub fn named(mut self, identifier: impl Into<String>) -> Self {
        self.target.identifier = identifier.into();
        self
    }

    /// To standard error.
    #[must_use]
    pub fn to_standard_error(mut self) -> Self {
        self.target.standard_error = true;
        self
    }
}

impl<T: Record + Display> Default for PrintSink<T> {
    fn default() -> Self {
        PrintSink::new()
    }
}

impl<T> Debug for PrintSink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrintSink({})", self.target.identifier)
    }
}

impl<T: Record> Sink for PrintSink<T> {
    fn writer(&self, context: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(self.target.writer(&context, Values(self.write)))
    }
}

impl<T: Record> Consumes<T> for PrintSink<T> {}

/// Values, by what writes one.
struct Values<T>(Write<T>);

impl<T: Record> Lines for Values<T> {
    fn append(&self, batch: Batch, prefix: &str, lines: &mut String) -> Result<()> {
        for value in &batch.into_records::<T>()?.values {
            lines.push_str(prefix);
            (self.0)(value, lines)
                .map_err(|_| Error::data("the Display or Debug of a value to be printed failed"))?;
            lines.push('\n');
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flott_batch::Records;

    use super::super::tests::context;
    use super::*;

    fn lines(sink: &PrintSink<String>, parallelism: u32) -> String {
        let values = Records::new(["a", "b"].map(String::from).to_vec());
        let mut lines = String::new();
        let prefix = sink.target.prefix(&context(1, parallelism));
        Values(sink.write).append(values.into(), &prefix, &mut lines).unwrap();
        lines
    }

    #[test]
    fn lines_begin_as_in_flink() {
        assert_eq!(lines(&PrintSink::new(), 1), "a\nb\n");
        assert_eq!(lines(&PrintSink::new(), 4), "2> a\n2> b\n");
        assert_eq!(lines(&PrintSink::new().named("out"), 1), "out> a\nout> b\n");
        assert_eq!(lines(&PrintSink::debug().named("out"), 4), "out:2> \"a\"\nout:2> \"b\"\n");
    }
}
