//! flott-cluster
