//! flott-connector-filesystem
