//! The source: finds partitions and reads them.

mod discovery;
mod enumerator;
mod group;
pub(crate) mod metadata;
mod progress;
mod reader;
mod rows;
mod split;

use std::sync::Arc;

use flott_connector::{
    Boundedness, EnumeratorContext, Options, Payload, ReaderContext, Source, SourceReader, SplitEnumerator,
};
use flott_plan::{SourceSpec, TableSpec};
use flott_types::{Error, Result};
use regex::Regex;

use crate::columns::Parts;
use crate::config::Connection;
use crate::offsets::{Looking, Offsets, Place, Specific};
use crate::options::{
    BOUNDED_MODE, BOUNDED_OFFSETS, BOUNDED_TIMESTAMP, DISCOVERY_INTERVAL, STARTUP_MODE, STARTUP_OFFSETS,
    STARTUP_TIMESTAMP, TOPIC, TOPIC_PATTERN,
};
use enumerator::KafkaEnumerator;
use reader::KafkaReader;
use rows::Layout;

/// Which topics are read.
#[derive(Clone, Debug)]
pub(crate) enum Topics {
    These(Vec<String>),
    Matching(Regex),
}

/// What is read, from where to where.
#[derive(Clone, Debug)]
pub(crate) struct SourceConfig {
    pub(crate) connection: Connection,
    pub(crate) topics: Topics,
    pub(crate) start: Place,
    pub(crate) end: Option<Place>,
    /// In milliseconds; never, if there is none.
    pub(crate) discovery_interval: Option<i64>,
}

impl SourceConfig {
    pub(crate) fn new(table: &TableSpec, options: &Options<'_>) -> Result<Self> {
        let start = place(
            options.get(&STARTUP_MODE)?,
            options.get(&STARTUP_TIMESTAMP)?,
            options.get(&STARTUP_OFFSETS)?,
            ["'scan.startup.timestamp-millis'", "'scan.startup.specific-offsets'"],
        );
        let start = start.map_err(|error| error.context(format!("table {}", table.name)))?;
        SourceConfig::from(table, options, start, options.get(&TOPIC_PATTERN)?)
    }

    /// Tables of upserts are read from the start.
    pub(crate) fn of_upsert(table: &TableSpec, options: &Options<'_>) -> Result<Self> {
        SourceConfig::from(table, options, Place::Earliest, None)
    }

    fn from(table: &TableSpec, options: &Options<'_>, start: Place, pattern: Option<Regex>) -> Result<Self> {
        let owner = || format!("table {}", table.name);
        let connection = Connection::new(table, options)?;
        let topics = match (options.get(&TOPIC)?, pattern) {
            (Some(_), Some(_)) => {
                return Err(Error::invalid(format!("{}: set 'topic' or 'topic-pattern', not both", owner())));
            }
            (Some(topics), None) => Topics::These(list(&topics)),
            (None, Some(pattern)) => Topics::Matching(pattern),
            (None, None) => {
                return Err(Error::invalid(format!("{}: the option 'topic' is missing", owner())));
            }
        };
        let end = options.get(&BOUNDED_MODE)?.map(|mode| {
            place(
                mode,
                options.get(&BOUNDED_TIMESTAMP)?,
                options.get(&BOUNDED_OFFSETS)?,
                ["'scan.bounded.timestamp-millis'", "'scan.bounded.specific-offsets'"],
            )
        });
        let end = end.transpose().map_err(|error| error.context(owner()))?;
        let is_one = matches!(&topics, Topics::These(topics) if topics.len() == 1);
        let places = [Some(&start), end.as_ref()];
        if !is_one && places.iter().any(|place| matches!(place, Some(Place::Specific(_)))) {
            return Err(Error::invalid(format!(
                "{}: specific offsets are of one topic, and there are more",
                owner()
            )));
        }
        let of_group = start == Place::Group || end == Some(Place::Group);
        if of_group && connection.group.is_none() {
            return Err(Error::invalid(format!(
                "{}: 'properties.group.id' is missing: the group's offsets are where reading begins or ends; set it, or \
                 'scan.startup.mode' to 'earliest-offset' or 'latest-offset'",
                owner()
            )));
        }
        let interval = options.get(&DISCOVERY_INTERVAL)?;
        Ok(SourceConfig {
            connection,
            topics,
            start,
            discovery_interval: (interval > 0 && end.is_none()).then_some(interval),
            end,
        })
    }

    pub(crate) fn looking(&self) -> Looking {
        Looking {
            group: self.connection.group.clone(),
            isolation: self.connection.fetch.isolation,
            reset: self.connection.fetch.reset,
        }
    }
}

/// Topics with `;` between.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(';').map(|topic| topic.trim().to_owned()).filter(|topic| !topic.is_empty()).collect()
}

fn place(
    mode: Offsets,
    timestamp: Option<u64>,
    specific: Option<Specific>,
    [timestamp_key, specific_key]: [&str; 2],
) -> Result<Place> {
    let missing = |key: &str| Error::invalid(format!("the option {key} is missing"));
    Ok(match mode {
        Offsets::Earliest => Place::Earliest,
        Offsets::Latest => Place::Latest,
        Offsets::Group => Place::Group,
        Offsets::Timestamp => Place::Timestamp(timestamp.ok_or_else(|| missing(timestamp_key))? as i64),
        Offsets::Specific => Place::Specific(specific.ok_or_else(|| missing(specific_key))?),
    })
}

/// The source of a table.
pub(crate) struct KafkaSource {
    config: Arc<SourceConfig>,
    layout: Arc<Layout>,
    limit: Option<u64>,
}

impl KafkaSource {
    pub(crate) fn new(
        config: SourceConfig,
        parts: Parts,
        spec: &SourceSpec,
        is_upsert: bool,
    ) -> Result<Self> {
        parts.key.iter().chain([&parts.value]).try_for_each(|part| part.check_errors(spec))?;
        let layout = Layout::new(parts, spec, is_upsert)?;
        // Reports wrong types at planning time.
        layout.decoders()?;
        Ok(KafkaSource { config: Arc::new(config), layout: Arc::new(layout), limit: spec.limit })
    }
}

impl Source for KafkaSource {
    fn boundedness(&self) -> Boundedness {
        if self.config.end.is_some() { Boundedness::Bounded } else { Boundedness::Unbounded }
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(KafkaEnumerator::new(self.config.clone(), restored, context)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(KafkaReader::new(&self.config, self.layout.rows()?, self.limit, context)?))
    }

    /// A partition is in order of its own.
    fn watermark_per_split(&self) -> bool {
        true
    }
}
