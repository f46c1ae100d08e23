//! Values of two streams as one type.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// A value of either of two streams. Assigners, triggers and evictors of a window join see these.
///
/// In snapshots it is not text, as other enums with data are, but a row of two columns, one of which is NULL:
/// so users' types stay columns.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "Columns<L, R>")]
pub enum TaggedUnion<L, R> {
    /// Of the first stream.
    First(L),
    /// Of the second stream.
    Second(R),
}

impl<L, R> TaggedUnion<L, R> {
    /// The value, if it is of the first stream.
    pub fn first(&self) -> Option<&L> {
        match self {
            TaggedUnion::First(first) => Some(first),
            TaggedUnion::Second(_) => None,
        }
    }

    /// The value, if it is of the second stream.
    pub fn second(&self) -> Option<&R> {
        match self {
            TaggedUnion::First(_) => None,
            TaggedUnion::Second(second) => Some(second),
        }
    }
}

#[derive(Deserialize)]
struct Columns<L, R> {
    first: Option<One<L>>,
    second: Option<One<R>>,
}

/// A struct, to distinguish a value that is itself `None` from a missing one.
#[derive(Serialize, Deserialize)]
struct One<T> {
    value: T,
}

impl<L: Serialize, R: Serialize> Serialize for TaggedUnion<L, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let one = |value| One { value };
        let mut columns = serializer.serialize_struct("TaggedUnion", 2)?;
        columns.serialize_field("first", &self.first().map(one))?;
        columns.serialize_field("second", &self.second().map(|value| One { value }))?;
        columns.end()
    }
}

impl<L, R> TryFrom<Columns<L, R>> for TaggedUnion<L, R> {
    type Error = &'static str;

    fn try_from(columns: Columns<L, R>) -> Result<Self, &'static str> {
        match columns {
            // Both are present only when the codec determines the shape of the type.
            Columns { first: Some(One { value }), .. } => Ok(TaggedUnion::First(value)),
            Columns { second: Some(One { value }), .. } => Ok(TaggedUnion::Second(value)),
            Columns { first: None, second: None } => Err("a value of neither stream"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flott_values::ColumnCodec;

    #[test]
    fn values_of_either_stream_come_back_out_of_columns() {
        type Value = TaggedUnion<Option<f64>, (String, ())>;
        let values: [Value; 4] = [
            TaggedUnion::First(None),
            TaggedUnion::First(Some(f64::INFINITY)),
            TaggedUnion::Second(("x".to_owned(), ())),
            TaggedUnion::Second((String::new(), ())),
        ];
        let codec = ColumnCodec::<Value>::new("value").unwrap();
        let column = codec.encode(&values).unwrap();
        assert_eq!(codec.decode(&column).unwrap(), values);
        assert_eq!(codec.type_text(), "{first: {value: DOUBLE}, second: {value: {f0: STRING, f1: NULL}}}");
    }
}
