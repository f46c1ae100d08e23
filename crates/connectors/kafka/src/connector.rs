//! The connectors themselves: from a table's options to a source or sink.

use std::sync::Arc;

use flott_connector::{Changelog, Connector, Manual, Options, Sink, Source, TableContext};
use flott_plan::{SinkSpec, SourceSpec, TableSpec};
use flott_types::{LogicalType, Result};

use crate::columns::Parts;
use crate::options;
use crate::sink::{KafkaSink, SinkConfig};
use crate::source::{KafkaSource, SourceConfig, metadata};

/// The connector `kafka`.
#[derive(Debug, Default)]
pub struct KafkaConnector;

/// The connector `upsert-kafka`.
#[derive(Debug, Default)]
pub struct UpsertKafkaConnector;

impl Connector for KafkaConnector {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn manual(&self) -> Manual {
        options::manual()
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        let parts = Parts::new(&spec.table, options)?;
        let config = SourceConfig::new(&spec.table, options)?;
        Ok(Arc::new(KafkaSource::new(config, parts, spec, false)?))
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let parts = Parts::new(&spec.table, options)?;
        Ok(Arc::new(KafkaSink::new(SinkConfig::new(spec, options)?, parts, spec)?))
    }

    fn reports_errors(&self) -> bool {
        true
    }

    fn readable_metadata(&self, _: &TableSpec, _: &Options<'_>) -> Vec<(String, LogicalType)> {
        metadata::readable()
    }

    fn source_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        Ok(Parts::new(spec, options)?.changelog())
    }

    fn sink_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        Ok(Parts::new(spec, options)?.changelog())
    }
}

impl Connector for UpsertKafkaConnector {
    fn name(&self) -> &'static str {
        "upsert-kafka"
    }

    fn manual(&self) -> Manual {
        options::upsert_manual()
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        let parts = Parts::of_upsert(&spec.table, options)?;
        let config = SourceConfig::of_upsert(&spec.table, options)?;
        Ok(Arc::new(KafkaSource::new(config, parts, spec, true)?))
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let parts = Parts::of_upsert(&spec.table, options)?;
        Ok(Arc::new(KafkaSink::new(SinkConfig::of_upsert(spec, options)?, parts, spec)?))
    }

    fn reports_errors(&self) -> bool {
        true
    }

    fn readable_metadata(&self, _: &TableSpec, _: &Options<'_>) -> Vec<(String, LogicalType)> {
        metadata::readable()
    }

    fn source_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        Parts::of_upsert(spec, options).map(|_| Changelog::Upsert)
    }

    fn sink_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        Parts::of_upsert(spec, options).map(|_| Changelog::Upsert)
    }
}
