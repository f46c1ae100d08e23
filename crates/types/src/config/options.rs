//! All configuration keys.

/// A key of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct ConfigOption {
    /// The key. Of a [`ValueKind::Map`]: the prefix before the dot.
    pub key: &'static str,
    /// What its value must look like.
    pub kind: ValueKind,
    /// The default, as it would be written; empty for none.
    pub default: &'static str,
    /// Whether it does something here.
    pub effect: Effect,
    /// What it does, or why it does nothing.
    pub description: &'static str,
}

/// What a value must look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// `true` or `false`
    Flag,
    /// A whole number.
    Number,
    /// A number with a fraction.
    Fraction,
    /// A duration: `10 s`
    Duration,
    /// A size: `64 mb`
    Memory,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// Any keys below this one.
    Map,
}

/// Whether a key does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It does what it says.
    Works,
    /// It is Flink's and is accepted; there is nothing here for it to act on.
    Accepted,
}

const fn works(
    key: &'static str,
    kind: ValueKind,
    default: &'static str,
    description: &'static str,
) -> ConfigOption {
    ConfigOption { key, kind, default, effect: Effect::Works, description }
}

const fn accepted(key: &'static str, kind: ValueKind, description: &'static str) -> ConfigOption {
    ConfigOption { key, kind, default: "", effect: Effect::Accepted, description }
}

use ValueKind::{Choice, Duration, Flag, Fraction, Map, Memory, Number, Text};

/// All keys, sorted.
pub const OPTIONS: &[ConfigOption] = &[
    accepted("blob.server.port", Text, "no blobs are served: jobs are deployed as plans"),
    works(
        "cluster.registration.initial-timeout",
        Duration,
        "100 ms",
        "a TaskManager without an answer to its registration registers again after this long, then after twice as long, and so on",
    ),
    works("cluster.registration.max-timeout", Duration, "30 s", "the longest time between two registrations"),
    accepted("env", Map, "options of the JVM and its start scripts"),
    works(
        "execution.buffer-timeout.enabled",
        Flag,
        "true",
        "whether rows are sent on before a batch is full",
    ),
    works(
        "execution.buffer-timeout.interval",
        Duration,
        "100 ms",
        "rows wait at most this long for their batch to fill",
    ),
    works(
        "execution.checkpointing.dir",
        Text,
        "",
        "where checkpoints are kept: a folder or a file:// URL; without it they are kept in memory and end with the process",
    ),
    works(
        "execution.checkpointing.externalized-checkpoint-retention",
        Choice(&["NO_EXTERNALIZED_CHECKPOINTS", "DELETE_ON_CANCELLATION", "RETAIN_ON_CANCELLATION"]),
        "RETAIN_ON_CANCELLATION",
        "what happens to the checkpoints of a cancelled job",
    ),
    works(
        "execution.checkpointing.interval",
        Duration,
        "",
        "how often a checkpoint is started; by default there are none",
    ),
    works(
        "execution.checkpointing.max-concurrent-checkpoints",
        Number,
        "1",
        "how many checkpoints may run at once",
    ),
    works(
        "execution.checkpointing.min-pause",
        Duration,
        "0 ms",
        "the minimum time between the end of a checkpoint and the start of the next",
    ),
    works(
        "execution.checkpointing.mode",
        Choice(&["EXACTLY_ONCE", "AT_LEAST_ONCE"]),
        "EXACTLY_ONCE",
        "whether a row may be counted twice after a failure",
    ),
    works("execution.checkpointing.num-retained", Number, "1", "how many completed checkpoints are kept"),
    works("execution.checkpointing.savepoint-dir", Text, "", "where savepoints are written"),
    works("execution.checkpointing.timeout", Duration, "10 min", "a checkpoint that takes longer is aborted"),
    works(
        "execution.checkpointing.tolerable-failed-checkpoints",
        Number,
        "0",
        "how many checkpoints may fail in a row before the job does",
    ),
    accepted(
        "execution.checkpointing.unaligned.enabled",
        Flag,
        "barriers are aligned; unaligned ones are not built",
    ),
    works(
        "execution.runtime-mode",
        Choice(&["STREAMING", "BATCH", "AUTOMATIC"]),
        "STREAMING",
        "how queries are planned: BATCH requires bounded inputs, drops no late rows and may sort",
    ),
    works(
        "execution.state-recovery.allow-older-checkpoint",
        Flag,
        "false",
        "whether a job continues from an older checkpoint when the newest is damaged, even though its sinks then write again what was published since",
    ),
    works(
        "execution.state-recovery.ignore-unclaimed-state",
        Flag,
        "false",
        "whether state that no operator of the job claims may be left behind",
    ),
    works(
        "execution.state-recovery.path",
        Text,
        "",
        "the checkpoint or savepoint a job starts from; `latest` for the newest of the job, across all its starts",
    ),
    works(
        "heartbeat.interval",
        Duration,
        "10 s",
        "how often the JobManager asks its TaskManagers whether they are alive; read when the cluster starts",
    ),
    works(
        "heartbeat.timeout",
        Duration,
        "50 s",
        "a TaskManager that is silent for this long is lost, with its slots; one that hears nothing for this long stops its tasks",
    ),
    works(
        "io.tmp.dirs",
        Text,
        "",
        "folders for spilling to local disk, of which the first is used: for rows of results beyond 64 MB that wait for a \
         checkpoint; by default the system's temporary folder",
    ),
    accepted("jobmanager", Map, "JobManager and TaskManager run in one process here"),
    works("parallelism.default", Number, "", "subtasks of each operator; by default the number of cores"),
    works(
        "pipeline.auto-watermark-interval",
        Duration,
        "200 ms",
        "a watermark is sent when it has advanced by more than this",
    ),
    works(
        "pipeline.cached-files",
        Text,
        "",
        "files that a program's functions find by name: name:NAME,path:PATH;name:...",
    ),
    works(
        "pipeline.job-key",
        Text,
        "",
        "identifies the job across all its starts; by default `pipeline.name`, the name of a program, or what a statement means",
    ),
    works("pipeline.max-parallelism", Number, "", "the number of key groups; by default Flink's rule"),
    works("pipeline.name", Text, "", "the job's name"),
    accepted("pipeline.object-reuse", Flag, "batches are never copied between chained operators"),
    works(
        "pipeline.operator-chaining.enabled",
        Flag,
        "true",
        "whether operators run in one task where they can",
    ),
    works(
        "resourcemanager.standalone.start-up-time",
        Duration,
        "0 ms",
        "how long a cluster waits for TaskManagers after its start; after that, a job that needs more slots than there are fails at once",
    ),
    accepted("rest", Map, "the REST server needs no tuning"),
    works("rest.address", Text, "localhost", "the same as rest.bind-address, which comes first"),
    works(
        "rest.bind-address",
        Text,
        "localhost",
        "where the REST server listens; read when the cluster starts",
    ),
    works("rest.bind-port", Text, "", "the same as rest.port, and comes first"),
    works(
        "rest.port",
        Text,
        "",
        "the port of the REST server, or a range of ports of which the first free one is taken; 0 is any free port; \
         without it there is no REST server; read when the cluster starts",
    ),
    works(
        "restart-strategy.exponential-delay.attempts-before-reset-backoff",
        Number,
        "",
        "restarts within one back-off before the job fails; by default unlimited",
    ),
    works(
        "restart-strategy.exponential-delay.backoff-multiplier",
        Fraction,
        "1.5",
        "the factor by which the delay grows",
    ),
    works("restart-strategy.exponential-delay.initial-backoff", Duration, "1 s", "the first delay"),
    works("restart-strategy.exponential-delay.jitter-factor", Fraction, "0.1", "by how much a delay varies"),
    works("restart-strategy.exponential-delay.max-backoff", Duration, "1 min", "the longest delay"),
    works(
        "restart-strategy.exponential-delay.reset-backoff-threshold",
        Duration,
        "1 h",
        "running this long without a failure resets the delay to the first",
    ),
    works("restart-strategy.failure-rate.delay", Duration, "1 s", "the delay before a restart"),
    works(
        "restart-strategy.failure-rate.failure-rate-interval",
        Duration,
        "1 min",
        "the period in which failures are counted",
    ),
    works(
        "restart-strategy.failure-rate.max-failures-per-interval",
        Number,
        "1",
        "more failures than this end the job",
    ),
    works("restart-strategy.fixed-delay.attempts", Number, "1", "how often the job is restarted"),
    works("restart-strategy.fixed-delay.delay", Duration, "1 s", "the delay before a restart"),
    works(
        "restart-strategy.type",
        Choice(&[
            "none",
            "off",
            "disable",
            "fixed-delay",
            "fixeddelay",
            "failure-rate",
            "failurerate",
            "exponential-delay",
            "exponentialdelay",
        ]),
        "",
        "exponential-delay with checkpoints, none without",
    ),
    works(
        "sink.committer.retries",
        Number,
        "10",
        "how often the commit of a sink's output is retried before the job restarts",
    ),
    works(
        "slot.request.timeout",
        Duration,
        "5 min",
        "how long a job waits for its slots before it fails and says which are missing",
    ),
    works(
        "sql-client.display.max-column-width",
        Number,
        "30",
        "a longer value is cut in the tables of the shell",
    ),
    works(
        "sql-client.execution.max-table-result.rows",
        Number,
        "1000000",
        "the rows that the shell's table mode keeps",
    ),
    works(
        "sql-client.execution.result-mode",
        Choice(&["TABLE", "CHANGELOG", "TABLEAU"]),
        "TABLE",
        "how the shell shows results",
    ),
    works("sql-client.verbose", Flag, "false", "whether the shell shows errors with all their causes"),
    accepted("state.backend.incremental", Flag, "checkpoints are always incremental"),
    accepted(
        "state.backend.type",
        Choice(&["hashmap", "rocksdb", "forst"]),
        "state is held in memory; spilling is not built",
    ),
    works(
        "table.catalog-store.file.path",
        Text,
        "",
        "the folder of the catalog store of kind `file`; read when the session starts",
    ),
    works(
        "table.catalog-store.kind",
        Choice(&["generic_in_memory", "file"]),
        "generic_in_memory",
        "where CREATE CATALOG keeps what it was told: for this session, or in a folder for later ones; read when the session starts",
    ),
    works("table.display.max-column-width", Number, "30", "a longer value is cut in printed tables"),
    works("table.dml-sync", Flag, "false", "whether an INSERT waits for its job to end"),
    works(
        "table.exec.async-lookup.buffer-capacity",
        Number,
        "100",
        "the maximum number of asynchronous lookups in flight in a subtask; the hint LOOKUP sets it for one table",
    ),
    accepted(
        "table.exec.async-lookup.key-ordered-enabled",
        Flag,
        "the changes of a key always stay in order",
    ),
    works(
        "table.exec.async-lookup.output-mode",
        Text,
        "ORDERED",
        "ORDERED: the results of lookups are emitted in the order of the rows; ALLOW_UNORDERED: as they arrive, but never past a watermark, and only for append-only input",
    ),
    works(
        "table.exec.async-lookup.timeout",
        Duration,
        "3 min",
        "a lookup that takes longer, with all its attempts, fails the job; 0 means no limit",
    ),
    works("table.exec.batch-size", Number, "4096", "rows per batch"),
    accepted("table.exec.disabled-operators", Text, "there is one operator for each task"),
    accepted(
        "table.exec.mini-batch.allow-latency",
        Duration,
        "aggregations emit the net change of each batch of input, without waiting",
    ),
    accepted(
        "table.exec.mini-batch.enabled",
        Flag,
        "aggregations emit the net change of each batch of input, without waiting",
    ),
    accepted(
        "table.exec.mini-batch.size",
        Number,
        "aggregations emit the net change of each batch of input, without waiting",
    ),
    works(
        "table.exec.over.several-windows",
        Flag,
        "false",
        "a SELECT over a stream may have OVERs of different windows, which Flink refuses: each is computed by an operator of its own",
    ),
    works(
        "table.exec.resource.default-parallelism",
        Number,
        "-1",
        "overrides parallelism.default for SQL when above 0",
    ),
    works(
        "table.exec.sink.not-null-enforcer",
        Choice(&["ERROR", "DROP"]),
        "ERROR",
        "what happens to a row with NULL in a NOT NULL column of the table it is written to: the job fails, or the row is dropped and counted in numRecordsOutErrors",
    ),
    works(
        "table.exec.sink.require-on-conflict",
        Flag,
        "true",
        "an INSERT whose rows change by another key than the table's primary key needs ON CONFLICT",
    ),
    works(
        "table.exec.sink.type-length-enforcer",
        Choice(&["IGNORE"]),
        "IGNORE",
        "CHAR, VARCHAR, BINARY and VARBINARY values are written as they are, whatever the length of the column; TRIM_PAD and ERROR are not built",
    ),
    works(
        "table.exec.sink.upsert-materialize",
        Choice(&["AUTO", "NONE", "FORCE"]),
        "AUTO",
        "whether sinks get one row for each primary key: AUTO where rows change by another key, NONE never, FORCE always",
    ),
    works(
        "table.exec.source.idle-timeout",
        Duration,
        "0 ms",
        "a source without rows for this long is idle: it no longer holds back event time",
    ),
    works(
        "table.exec.state.ttl",
        Duration,
        "0 ms",
        "state of a key, of a join's row or of a Top-N's row that was not written for this long is dropped, in processing time; 0 keeps it",
    ),
    works(
        "table.local-time-zone",
        Text,
        "default",
        "the session's time zone: a name such as Europe/Berlin, or an offset",
    ),
    works(
        "table.optimizer.agg-phase-strategy",
        Choice(&["AUTO", "TWO_PHASE", "ONE_PHASE"]),
        "AUTO",
        "whether rows are aggregated before they are exchanged",
    ),
    works(
        "table.optimizer.reuse-source-enabled",
        Flag,
        "true",
        "a table that a job reads in several places is read once, with all columns that any of them needs",
    ),
    works(
        "task.cancellation.interval",
        Duration,
        "30 s",
        "how often a warning reports a cancelled task that has not ended",
    ),
    works(
        "task.cancellation.timeout",
        Duration,
        "180 s",
        "a task that has not ended this long after it was cancelled is given up, and its slot is lost; 0 waits forever",
    ),
    accepted("taskmanager", Map, "JobManager and TaskManager run in one process here"),
    works(
        "taskmanager.memory.segment-size",
        Memory,
        "1 mb",
        "batches between tasks are cut to about this many bytes (Flink's default is smaller: it sends bytes, not columns)",
    ),
    works(
        "taskmanager.network.memory.buffers-per-channel",
        Number,
        "4",
        "a channel between two tasks holds this many times the segment size, and one batch more",
    ),
    works(
        "taskmanager.network.memory.floating-buffers-per-gate",
        Number,
        "64",
        "all channels of a task together hold this many times the segment size, and one batch more (Flink's is on top of the channels' own)",
    ),
];
