//! The connectors against real brokers: `make test-services` starts them and says where they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod conformance;
mod table;
