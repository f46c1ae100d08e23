//! flott-sql-parser
