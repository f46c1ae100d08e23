//! Tables of [Apache Iceberg](https://iceberg.apache.org/spec/): the connector and the catalog `iceberg`.
//!
//! ```text
//! <warehouse>/<database>/<table>/metadata/v<n>.metadata.json    each version of the table; whoever creates the next has committed
//! <warehouse>/<database>/<table>/metadata/snap-<id>-....avro    the manifests of a snapshot
//! <warehouse>/<database>/<table>/metadata/<uuid>-m0.avro        the files that a commit has added
//! <warehouse>/<database>/<table>/data/...parquet                rows
//! ```
//!
//! - `schema`, `partition`, `metadata`, `manifest`: the format of tables. It is our own, because the crate of the project needs another
//!   version of arrow than the rest (`docs/decisions/0022-iceberg-of-our-own.md`).
//! - `table` reads and commits versions; a commit that loses against another is made again on top of that.
//! - `sink`, `committer`: writers hand over files that are complete, and the job makes them one snapshot for each checkpoint.
//!   Whether a checkpoint was committed before shows in the table itself.
//! - `source`, `enumerator`: a snapshot is a list of files, and what a commit has added is one too.
//! - `catalog`: the tables of a warehouse by name.
//!
//! A row costs its encoding as Parquet; a checkpoint writes two Avro files and one of JSON for each table, and reads the list of
//! manifests, which has an entry for each commit.

mod avro;
mod catalog;
mod committer;
mod connector;
mod data_file;
mod enumerator;
mod manifest;
mod metadata;
mod options;
mod partition;
mod schema;
mod sink;
mod source;
mod table;

pub use catalog::IcebergCatalogFactory;
pub use connector::IcebergConnector;
