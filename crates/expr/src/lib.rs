//! flott-expr
