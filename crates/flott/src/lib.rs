//! flott
