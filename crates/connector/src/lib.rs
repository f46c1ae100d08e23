//! flott-connector
