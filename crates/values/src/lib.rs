//! Values of users' types as arrow columns, and the hash of keys.
//!
//! State of the DataStream API holds values of any type that serde knows. In snapshots they are columns with
//! real names and types, so that other tools can read them and so that a later version of the type finds its
//! fields by name. [`ColumnCodec`] asks the type for its shape once, by deserialising from nothing, and then
//! writes and reads values without anything between them and arrow's buffers. [`key_hash()`] is the hash of
//! the column that a key would make, computed from the key itself.
//!
//! # How types are represented in columns
//!
//! | type | column |
//! |---|---|
//! | `bool`, integers, floats | Boolean, Int8 to Int64, UInt8 to UInt64, Float32, Float64 |
//! | `String`, `char`, types that serialise as text (dates, UUIDs, addresses) | Utf8 |
//! | bytes (`serde_bytes`) | Binary |
//! | `Option<T>` | the column of `T`; every column may hold NULL |
//! | struct | Struct, fields by their serialised names |
//! | tuple, tuple struct, array | Struct with fields `f0`, `f1`, ... |
//! | newtype struct | the column of what is in it |
//! | sequence, set | List |
//! | map | Map |
//! | enum | Utf8: the name of the variant, or `{"Variant":data}` as JSON if it has data |
//! | `()`, unit struct | Null |
//! | `i128`, `u128`; types that say what they are only in data (untagged or internally tagged enums, flattened structs, `serde_json::Value`); recursive types where they recur; structs without fields | Utf8: JSON |
//!
//! Fields of the last two Utf8 kinds carry `flott.encoding` = `enum` or `json` in their metadata. Only the
//! part of a type that has no columnar form is text; the fields around it are columns.
//!
//! [`RowCodec`] does the same for the rows of a table, whose columns have SQL's types.
//!
//! # Invariants
//!
//! - What was encoded comes back equal, or encoding fails and says why: JSON has no NaN, no infinities and no
//!   maps with compound keys; `Option<Option<T>>` is refused when the codec is made.
//! - The columns are a storage format, and so is the text of enums and JSON, which keys are hashed by.
//! - `key_hash(key)` equals [`hash_columns`](flott_batch::hash::hash_columns) over the column of the key, for
//!   every type that [`ColumnCodec::for_keys`] accepts.

mod changes;
mod column;
mod json;
mod key_hash;
mod read;
mod row;
mod schema_text;
mod shape;
mod trace;
mod write;

pub use column::ColumnCodec;
pub use json::json_text;
pub use key_hash::key_hash;
pub use row::{RowCodec, RowReader, RowWriter};
pub use schema_text::type_text;
pub use write::limit_columns;

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "users' types hold maps of the standard library")]
mod tests;
