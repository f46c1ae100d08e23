//! flott-batch
