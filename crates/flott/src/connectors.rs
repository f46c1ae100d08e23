//! The connectors and formats that are built in.

use std::sync::Arc;

use flott_connector::Registry;

/// A registry with all built-in connectors and formats.
pub fn builtin() -> Registry {
    let mut registry = Registry::new(flott_formats::builtin());
    registry.register(Arc::new(flott_connector_filesystem::FilesystemConnector));
    registry.register(Arc::new(flott_connector_datagen::DatagenConnector));
    registry.register(Arc::new(flott_connector_nexmark::NexmarkConnector));
    registry.register(Arc::new(flott_connector_basic::PrintConnector));
    registry.register(Arc::new(flott_connector_basic::BlackholeConnector));
    registry.register(Arc::new(flott_connector_basic::LatencyConnector));
    registry
}
