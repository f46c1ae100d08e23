//! The records that a source cannot read: a side output of it, with columns of its own.
//!
//! `FROM t ERRORS INTO bad` sends them to another table instead of failing the job. They travel as the side
//! output [`ERRORS`] of the source, so barriers cut both outputs in the same place, and every record is in
//! exactly one of them.

use flott_types::TypeKind;

use crate::{Node, OperatorSpec, Schema};

/// The side output of a source for the records that it cannot read.
pub const ERRORS: &str = "errors";

/// Its columns. A table that takes the records has some of them, found by their names.
pub fn errors_schema() -> Schema {
    let headers = TypeKind::Map(Box::new(TypeKind::STRING.nullable()), Box::new(TypeKind::BYTES.nullable()));
    let columns = [
        ("record", TypeKind::BYTES),
        ("record_key", TypeKind::BYTES),
        ("reason", TypeKind::STRING),
        ("table_name", TypeKind::STRING),
        ("topic", TypeKind::STRING),
        ("topic_partition", TypeKind::Int),
        ("topic_offset", TypeKind::BigInt),
        ("file_path", TypeKind::STRING),
        ("file_position", TypeKind::BigInt),
        ("record_timestamp", TypeKind::TimestampLtz(3)),
        ("headers", headers),
    ];
    Schema::new(columns.map(|(name, kind)| (name, kind.nullable())))
}

impl Node {
    /// The columns of its output, or of a side output.
    pub fn output(&self, tag: Option<&str>) -> Schema {
        match (&self.spec, tag) {
            (OperatorSpec::Source(spec), Some(ERRORS)) if spec.errors => errors_schema(),
            _ => self.schema.clone(),
        }
    }
}
