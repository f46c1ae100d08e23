//! The options of a table and of a catalog.

use flott_connector::options::SINK_PARALLELISM;
use flott_connector::{AnyOption, Manual, Options, Required, TableOption, WithDefault};
use flott_types::{Result, Timestamp};

use crate::table::IcebergTable;

/// Where a source that watches a table begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Starting {
    /// With all of its rows.
    TableScan,
    /// With what the latest snapshot has added.
    Latest,
    /// With what the earliest snapshot has added.
    Earliest,
    /// With what the snapshot `start-snapshot-id` has added.
    SnapshotId,
}

const CATALOG_NAME: TableOption<String> =
    TableOption::text("catalog-name", "the name of the catalog, for people: a catalog in a folder has none");
pub(crate) const CATALOG_TYPE: TableOption<(), WithDefault> = TableOption::word(
    "catalog-type",
    &[("hadoop", ())],
    "the kind of catalog; `hadoop`: tables are folders of the warehouse",
)
.not_yet(&["hive", "rest", "glue", "jdbc", "nessie"])
.or("hadoop");
pub(crate) const WAREHOUSE: TableOption<String, Required> = TableOption::text(
    "warehouse",
    "the folder of the tables: local, with or without `file://`, or on an object store (`s3://BUCKET/...`, `gs://BUCKET/...`, `abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/...`)",
)
.required();
const DATABASE: TableOption<String> = TableOption::text(
    "catalog-database",
    "the database (namespace) of the table in the warehouse; by default that of the table here",
);
const TABLE: TableOption<String> = TableOption::text(
    "catalog-table",
    "the name of the table in the warehouse; by default that of the table here",
);
const STREAMING: TableOption<bool, WithDefault> =
    TableOption::flag("streaming", "whether the table is watched, and what is added is read as it comes")
        .or("false");
const MONITOR_INTERVAL: TableOption<i64, WithDefault> =
    TableOption::positive_duration("monitor-interval", "how often a watched table is looked at").or("60 s");
const STARTING: TableOption<Starting, WithDefault> = TableOption::word(
    "starting-strategy",
    &[
        ("TABLE_SCAN_THEN_INCREMENTAL", Starting::TableScan),
        ("INCREMENTAL_FROM_LATEST_SNAPSHOT", Starting::Latest),
        ("INCREMENTAL_FROM_EARLIEST_SNAPSHOT", Starting::Earliest),
        ("INCREMENTAL_FROM_SNAPSHOT_ID", Starting::SnapshotId),
    ],
    "where reading a watched table begins: with all rows, or with what the latest, the earliest or a given snapshot has added, that included",
)
.in_any_case()
.not_yet(&["INCREMENTAL_FROM_SNAPSHOT_TIMESTAMP", "INCREMENTAL_FROM_LATEST_SNAPSHOT_EXCLUSIVE"])
.or("INCREMENTAL_FROM_LATEST_SNAPSHOT");
const START_SNAPSHOT: TableOption<u64> =
    TableOption::number("start-snapshot-id", 0, u64::MAX, "the snapshot of `INCREMENTAL_FROM_SNAPSHOT_ID`");
const SNAPSHOT: TableOption<u64> =
    TableOption::number("snapshot-id", 0, u64::MAX, "the snapshot that is read; by default the latest");
const AS_OF: TableOption<u64> = TableOption::number(
    "as-of-timestamp",
    0,
    u64::MAX,
    "the snapshot that was the latest at this time is read, in milliseconds since 1970",
);
const TARGET_SIZE: TableOption<u64, WithDefault> =
    TableOption::size("write.target-file-size-bytes", "a file of data is closed when it has so many bytes")
        .or("512 mb");
const ROW_GROUP_SIZE: TableOption<u64, WithDefault> = TableOption::size(
    "write.parquet.row-group-size-bytes",
    "a row group is closed when it has about so many bytes, or when the files that a writer has open hold more than that",
)
.or("128 mb");
const UPSERT: TableOption<String> = TableOption::refused(
    "write.upsert.enabled",
    "rows are added only",
    "whether rows replace others by the primary key",
);

static OPTIONS: &[&dyn AnyOption] = &[
    &CATALOG_NAME,
    &CATALOG_TYPE,
    &WAREHOUSE,
    &DATABASE,
    &TABLE,
    &STREAMING,
    &MONITOR_INTERVAL,
    &STARTING,
    &START_SNAPSHOT,
    &SNAPSHOT,
    &AS_OF,
    &TARGET_SIZE,
    &ROW_GROUP_SIZE,
    &SINK_PARALLELISM,
    &UPSERT,
];

/// How a table is read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// In milliseconds, of a table that is watched.
    pub(crate) monitor_interval: Option<i64>,
    pub(crate) starting: Starting,
    pub(crate) start_snapshot: Option<i64>,
    pub(crate) snapshot: Option<i64>,
    pub(crate) as_of: Option<Timestamp>,
}

/// A table's options.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) table: IcebergTable,
    pub(crate) reading: Reading,
    pub(crate) target_size: u64,
    pub(crate) row_group_size: usize,
}

impl Config {
    pub(crate) fn new(name: &str, options: &Options<'_>) -> Result<Self> {
        options.get(&CATALOG_NAME)?;
        options.get(&CATALOG_TYPE)?;
        let mut parts = name.rsplit('.');
        let own_table = parts.next().unwrap_or(name);
        let own_database = parts.next().unwrap_or("default");
        let database = options.get(&DATABASE)?.unwrap_or_else(|| own_database.to_owned());
        let table = options.get(&TABLE)?.unwrap_or_else(|| own_table.to_owned());
        let id = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(Config {
            table: IcebergTable::new(&options.get(&WAREHOUSE)?, &database, &table)?,
            reading: Reading {
                monitor_interval: {
                    let interval = options.get(&MONITOR_INTERVAL)?;
                    options.get(&STREAMING)?.then_some(interval)
                },
                starting: options.get(&STARTING)?,
                start_snapshot: options.get(&START_SNAPSHOT)?.map(id),
                snapshot: options.get(&SNAPSHOT)?.map(id),
                as_of: options.get(&AS_OF)?.map(id),
            },
            target_size: options.get(&TARGET_SIZE)?,
            row_group_size: usize::try_from(options.get(&ROW_GROUP_SIZE)?).unwrap_or(usize::MAX),
        })
    }
}

pub(crate) fn manual() -> Manual {
    Manual {
        summary: "Tables of Apache Iceberg, read and written exactly once.",
        details: "\
A source and a sink, of tables in the catalog `hadoop`: each is a folder `<warehouse>/<database>/<table>`, on a disk or an object store.
A table that does not exist is created with the columns of the table here, partitioned by the values of PARTITIONED BY.
One that exists may be partitioned by `identity`, `year`, `month`, `day`, `hour`, `bucket` and `truncate`.

Reading: a snapshot of the table; with `streaming`, then what each commit adds.
Columns are found by their ids, so renamed columns and files from before are read as they should be.
Columns have the types that they have in Iceberg.
Files whose structs have other fields than the table now, or that have values only in the names of their partitions or under names of before (`add_files`), are refused.
Commits of others that replace or delete rows are passed over by a source that watches.

Writing: rows become visible with the next checkpoint, as one snapshot, and exactly once.
The snapshot says of which job and checkpoint it is (`flink.job-id`, `flink.max-committed-checkpoint-id`), as Flink's do.
Rows are added only.
After a restore from a savepoint whose own snapshot has expired, files of it that the table has had are not added again, and one that is gone ends the job.
Of earlier versions, a table names as many as its property `write.metadata.previous-versions-max` says (100), and removes others if `write.metadata.delete-after-commit.enabled` is set.

Files are Parquet; tables of version 2 of the format are written, of 1 and 2 are read.
Tables with files of deleted rows, data in Avro or ORC, and compressed metadata (`write.metadata.compression-codec`) are refused.
What a killed process has written and not committed stays in the table's folder; nobody sees it, and other engines remove it (`remove_orphan_files`).",
        example: "CREATE TABLE trips (
  id BIGINT,
  fare DECIMAL(10, 2),
  city STRING
) PARTITIONED BY (city) WITH (
  'connector' = 'iceberg',
  'catalog-name' = 'lake',
  'catalog-type' = 'hadoop',
  'warehouse' = '/data/lake'
);",
        options: OPTIONS,
    }
}
