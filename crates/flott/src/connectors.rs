//! The connectors, formats and kinds of catalogs that are built in.

use std::sync::Arc;

use flott_connector::Registry;

/// A registry of everything that is built in.
pub fn builtin() -> Registry {
    let mut registry = Registry::new(flott_formats::builtin());
    registry.register(Arc::new(flott_connector_filesystem::FilesystemConnector));
    registry.register(Arc::new(flott_connector_datagen::DatagenConnector));
    #[cfg(feature = "kafka")]
    {
        registry.register(Arc::new(flott_connector_kafka::KafkaConnector));
        registry.register(Arc::new(flott_connector_kafka::UpsertKafkaConnector));
    }
    #[cfg(feature = "iceberg")]
    {
        registry.register(Arc::new(flott_connector_iceberg::IcebergConnector));
        registry.register_catalog(Arc::new(flott_connector_iceberg::IcebergCatalogFactory));
    }
    registry.register(Arc::new(flott_connector_nexmark::NexmarkConnector));
    registry.register(Arc::new(flott_connector_savepoint::SavepointConnector));
    registry.register(Arc::new(flott_connector_basic::PrintConnector));
    registry.register(Arc::new(flott_connector_basic::BlackholeConnector));
    registry.register(Arc::new(flott_connector_basic::LatencyConnector));
    registry.register_catalog(Arc::new(flott_connector::catalog::InMemoryCatalogFactory));
    registry.register_catalog(Arc::new(flott_connector_filesystem::FilesystemCatalogFactory));
    registry.register_model(Arc::new(flott_connector_openai::OpenAiProvider));
    registry
}
