//! The log: a line for each metric, as Flink's reporter for SLF4J writes them.

use super::Pushes;
use super::identifiers::Formats;
use super::samples::Sample;

pub(super) struct Log(Formats);

impl Log {
    pub fn new(formats: Formats) -> Self {
        Log(formats)
    }
}

impl Pushes for Log {
    fn push(&mut self, samples: &[Sample]) {
        for sample in samples {
            tracing::info!("{}: {}", self.0.identifier(sample, str::to_owned), sample.value);
        }
    }
}
