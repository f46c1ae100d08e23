//! flott-connector-datagen
