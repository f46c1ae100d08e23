//! flott-operator
