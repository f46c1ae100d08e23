//! flott-connector-basic
