//! flott-checkpoint
