//! `protobuf`: messages of a definition in a file.
//!
//! The definition is the text of a `.proto` file, which is compiled here, or a descriptor set. A column is the field of
//! its name; a message within is a ROW, a repeated field an ARRAY, a map a MAP, and an enum its name or its
//! number. `google.protobuf.Timestamp` is a message like any other: `ROW<seconds BIGINT, nanos INT>`.
//!
//! Of proto3 a number or text that was not sent is its default, because nobody can tell the two apart; an
//! `optional` field, a member of a `oneof`, a message, and all fields of proto2 are NULL then, and so are
//! empty collections. With `read-default-values` all of them are their defaults.
//!
//! The crate `prost-reflect` knows definitions. Its dynamic messages are not used: they are a tree of values
//! with allocations for each field, and what is wanted are columns (`decode.rs`).

mod decode;
mod descriptor;
mod encode;
mod resolve;
mod wire;

use std::sync::Arc;

use flott_connector::format::{MessageDecoder, MessageEncoder, MessageFormat};
use flott_connector::{
    AnyOption, Format, FormatFactory, Manual, Options, Required, TableOption, WithDefault,
};
use flott_plan::Schema;
use flott_types::{Error, Result};
use prost_reflect::MessageDescriptor;

const MESSAGE: TableOption<String, Required> = TableOption::text(
    "message-class-name",
    "the message: its full name (`shop.v1.Order`), or that of its Java class, as Flink has it (`com.shop.OrderProto$Order`)",
)
.required();
const DEFINITION: TableOption<String> = TableOption::text(
    "definition",
    "the message's definition, as it would be in a `.proto` file; either this or `descriptor-file`",
);
const DESCRIPTOR: TableOption<String> = TableOption::text(
    "descriptor-file",
    "a file with the message's definition: a `.proto` file, beside which imports are looked for, or a descriptor set \
     (`protoc --include_imports --descriptor_set_out`); every process of the cluster reads it",
);
const IGNORE_ERRORS: TableOption<bool, WithDefault> =
    TableOption::flag("ignore-parse-errors", "a message that cannot be read is skipped instead of an error")
        .or("false");
const READ_DEFAULTS: TableOption<bool, WithDefault> = TableOption::flag(
    "read-default-values",
    "a field that a message does not have is the default of its definition instead of NULL",
)
.or("false");
const NULL: TableOption<String, WithDefault> = TableOption::text(
    "write-null-string-literal",
    "what is written for a NULL text in an ARRAY or MAP; other NULLs there are 0, FALSE, or empty",
)
.or("");

/// The format `protobuf`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProtobufFactory;

impl FormatFactory for ProtobufFactory {
    fn name(&self) -> &'static str {
        "protobuf"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] =
            &[&MESSAGE, &DEFINITION, &DESCRIPTOR, &IGNORE_ERRORS, &READ_DEFAULTS, &NULL];
        Manual {
            summary: "Protocol Buffers: messages of a definition in a file.",
            details: "\
For messages only.
A column is the field of its name, and each column needs one.
Where Flink has a class of Java's on its class path, here the definition is in the table or in a file.

A number or a text of proto3 that a message does not have is its default.
NULL are `optional` fields, members of a `oneof`, messages, and empty collections that it does not have, and all fields of proto2; `read-default-values` makes them defaults.

| SQL | Protobuf |
|---|---|
| STRING | string, or an enum by its name |
| BOOLEAN, BYTES, FLOAT, DOUBLE | bool, bytes, float, double |
| INT | int32, uint32, sint32, fixed32, sfixed32, or an enum by its number |
| BIGINT | int64, uint64, sint64, fixed64, sfixed64; and those of 32 bits |
| ROW | a message; `google.protobuf.Timestamp` is `ROW<seconds BIGINT, nanos INT>` |
| ARRAY, MAP | repeated, map |

Numbers without a sign are those of Java: of the same bits with a sign.",
            example: "CREATE TABLE orders (id BIGINT, items ARRAY<STRING>, placed ROW<seconds BIGINT, nanos INT>) WITH (
  'connector' = 'kafka',
  'topic' = 'orders',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'protobuf',
  'protobuf.message-class-name' = 'shop.v1.Order',
  'protobuf.definition' = '
    syntax = \"proto3\";
    package shop.v1;
    import \"google/protobuf/timestamp.proto\";
    message Order {
      int64 id = 1;
      repeated string items = 2;
      google.protobuf.Timestamp placed = 3;
    }'
);",
            options: OPTIONS,
        }
    }

    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>> {
        let origin = match (options.get(&DEFINITION)?, options.get(&DESCRIPTOR)?) {
            (Some(text), None) => descriptor::Origin::Text(text),
            (None, Some(file)) => descriptor::Origin::File(file),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Error::invalid(format!(
                    "the message is defined by '{}' or by '{}': set one of them",
                    options.key(&DEFINITION),
                    options.key(&DESCRIPTOR)
                )));
            }
        };
        Ok(Arc::new(Protobuf {
            message: descriptor::message(&origin, &options.get(&MESSAGE)?)?,
            ignore_errors: options.get(&IGNORE_ERRORS)?,
            read_defaults: options.get(&READ_DEFAULTS)?,
            null: options.get(&NULL)?,
        }))
    }
}

/// `protobuf` with its options.
#[derive(Debug)]
struct Protobuf {
    message: MessageDescriptor,
    ignore_errors: bool,
    read_defaults: bool,
    null: String,
}

impl Format for Protobuf {
    fn name(&self) -> &'static str {
        ProtobufFactory.name()
    }

    fn leaves_out_errors(&self) -> bool {
        self.ignore_errors
    }

    fn messages(&self) -> Option<&dyn MessageFormat> {
        Some(self)
    }
}

impl MessageFormat for Protobuf {
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn MessageDecoder>> {
        Ok(Box::new(decode::ProtobufDecoder::new(self, schema, projection)?))
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn MessageEncoder>> {
        Ok(Box::new(encode::ProtobufEncoder::new(self, schema)?))
    }
}

fn invalid(what: String) -> Error {
    Error::invalid(format!("the format 'protobuf': {what}"))
}
