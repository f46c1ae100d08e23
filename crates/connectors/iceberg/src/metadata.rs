//! The metadata of a table: a JSON document, of which each version is a file.
//!
//! What is not known here stays in the document as it is.

use flott_types::{Error, FastMap, Result, Timestamp};
use serde_json::{Map, Value, json};

use crate::partition::PartitionSpec;
use crate::schema::{self, Field, number, text};

/// The property by which other engines write versions that are not read here.
pub(crate) const COMPRESSION: &str = "write.metadata.compression-codec";

/// How many earlier versions a version names, unless the table's property says otherwise.
const PREVIOUS_VERSIONS: usize = 100;

/// One version of a table.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct TableMetadata(Value);

/// What one commit has made of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot<'a>(&'a Value);

impl<'a> Snapshot<'a> {
    pub(crate) fn id(&self) -> Result<i64> {
        number(self.0, "snapshot-id")
    }

    pub(crate) fn parent(&self) -> Option<i64> {
        self.0.get("parent-snapshot-id").and_then(Value::as_i64).filter(|id| *id >= 0)
    }

    pub(crate) fn at(&self) -> Result<Timestamp> {
        number(self.0, "timestamp-ms")
    }

    /// Where its list of manifests is.
    pub(crate) fn manifest_list(&self) -> Result<&'a str> {
        text(self.0, "manifest-list").map_err(|_| {
            Error::unsupported(
                "a snapshot without a list of manifests: the table was written in version 1 of the format",
            )
        })
    }

    /// What is said of it.
    pub(crate) fn summary(&self, key: &str) -> Option<&'a str> {
        self.0.get("summary")?.get(key)?.as_str()
    }
}

impl TableMetadata {
    /// A table without rows.
    pub(crate) fn new(
        uuid: &str,
        location: &str,
        now: Timestamp,
        (fields, last): (&[Field], i32),
        spec: &PartitionSpec,
        properties: Map<String, Value>,
    ) -> Self {
        let columns: Vec<Value> = fields.iter().map(Field::to_json).collect();
        TableMetadata(json!({
            "format-version": 2,
            "table-uuid": uuid,
            "location": location,
            "last-sequence-number": 0,
            "last-updated-ms": now,
            "last-column-id": last,
            "current-schema-id": 0,
            "schemas": [{"type": "struct", "schema-id": 0, "fields": columns}],
            "default-spec-id": 0,
            "partition-specs": [{"spec-id": 0, "fields": spec.to_json()}],
            "last-partition-id": spec.last_id(),
            "default-sort-order-id": 0,
            "sort-orders": [{"order-id": 0, "fields": []}],
            "properties": properties,
            "current-snapshot-id": -1,
            "refs": {},
            "snapshots": [],
            "statistics": [],
            "snapshot-log": [],
            "metadata-log": [],
        }))
    }

    /// From a file.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            Error::data("the metadata of an Iceberg table cannot be read").with_source(error)
        })?;
        match number::<u32>(&value, "format-version")? {
            1 | 2 => Ok(TableMetadata(value)),
            version => Err(Error::unsupported(format!(
                "version {version} of the format of Iceberg tables; there are 1 and 2"
            ))),
        }
    }

    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(&self.0)
            .map_err(|error| Error::internal("metadata cannot be written").with_source(error))
    }

    pub(crate) fn location(&self) -> Result<&str> {
        text(&self.0, "location")
    }

    /// Rows can be added in the way of version 2 only.
    pub(crate) fn check_writable(&self) -> Result<()> {
        let compression = self.properties().find(|(key, _)| *key == COMPRESSION);
        if let Some((_, codec)) = compression.filter(|(_, codec)| !codec.eq_ignore_ascii_case("none")) {
            return Err(Error::unsupported(format!(
                "writing to an Iceberg table whose property '{COMPRESSION}' is '{codec}': set it to 'none'"
            )));
        }
        match number::<u32>(&self.0, "format-version")? {
            2 => Ok(()),
            version => Err(Error::unsupported(format!(
                "writing to an Iceberg table of version {version}: set its property 'format-version' to 2"
            ))),
        }
    }

    fn list(&self, key: &str) -> &[Value] {
        self.0.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn schema_id(&self) -> i32 {
        number(&self.0, "current-schema-id").unwrap_or(0)
    }

    /// The current columns.
    pub(crate) fn fields(&self) -> Result<Vec<Field>> {
        let id = self.schema_id();
        let current = self.list("schemas").iter().find(|schema| number(schema, "schema-id").ok() == Some(id));
        let current = current.or_else(|| self.0.get("schema"));
        schema::fields(current.ok_or_else(|| Error::data("the table has no schema"))?)
    }

    /// How new rows are partitioned.
    pub(crate) fn partition_spec(&self) -> Result<PartitionSpec> {
        let id: i32 = number(&self.0, "default-spec-id").unwrap_or(0);
        let specs = self.list("partition-specs");
        let current = specs.iter().find(|spec| number(spec, "spec-id").ok() == Some(id));
        PartitionSpec::from_json(id, current.unwrap_or(&Value::Null), &self.fields()?)
    }

    /// How rows of before, or of writers that do not know of a change yet, are partitioned.
    pub(crate) fn partition_spec_of(&self, id: i32) -> Result<PartitionSpec> {
        let found = self.list("partition-specs").iter().find(|spec| number(spec, "spec-id").ok() == Some(id));
        let found = found.ok_or_else(|| {
            Error::state(format!(
                "the table has no partition spec {id} any more, by which files were written"
            ))
        })?;
        PartitionSpec::from_json(id, found, &self.fields()?)
    }

    /// Whether some files may be partitioned by the value of this column as it is, and not hold it themselves.
    pub(crate) fn is_identity(&self, id: i32) -> bool {
        let specs = self.list("partition-specs").iter();
        let fields = specs.filter_map(|spec| spec.get("fields")?.as_array()).flatten();
        // As tables of version 1 have it.
        fields.chain(self.list("partition-spec")).any(|field| {
            number(field, "source-id").ok() == Some(id) && text(field, "transform").ok() == Some("identity")
        })
    }

    /// Whether the column may have other names in files without ids.
    pub(crate) fn is_mapped(&self, field: &Field) -> Result<bool> {
        let Some((_, mapping)) = self.properties().find(|(key, _)| *key == "schema.name-mapping.default")
        else {
            return Ok(false);
        };
        let mapping: Vec<Value> = serde_json::from_str(mapping).map_err(|error| {
            Error::data("the property 'schema.name-mapping.default' cannot be read").with_source(error)
        })?;
        let own = mapping.iter().find(|of| number(of, "field-id").ok() == Some(field.id));
        Ok(own.and_then(|own| own.get("names")) != Some(&json!([field.name])))
    }

    /// When it was changed last: later versions cannot be from before, whatever a clock says.
    pub(crate) fn last_updated(&self) -> Timestamp {
        number(&self.0, "last-updated-ms").unwrap_or(Timestamp::MIN)
    }

    pub(crate) fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.get("properties").and_then(Value::as_object).into_iter().flatten();
        all.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    pub(crate) fn snapshot(&self, id: i64) -> Option<Snapshot<'_>> {
        self.list("snapshots").iter().map(Snapshot).find(|snapshot| snapshot.id().ok() == Some(id))
    }

    /// What the table is now; `None` if it has never had rows.
    pub(crate) fn current(&self) -> Option<Snapshot<'_>> {
        self.snapshot(self.0.get("current-snapshot-id")?.as_i64()?)
    }

    /// A snapshot and those before it, newest first.
    pub(crate) fn ancestors<'a>(&'a self, from: Option<Snapshot<'a>>) -> impl Iterator<Item = Snapshot<'a>> {
        let all = self.list("snapshots").iter().map(Snapshot);
        let by_id: FastMap<i64, Snapshot<'a>> =
            all.filter_map(|snapshot| Some((snapshot.id().ok()?, snapshot))).collect();
        let count = by_id.len();
        std::iter::successors(from, move |snapshot| by_id.get(&snapshot.parent()?).copied()).take(count)
    }

    /// The snapshot that was current at a time.
    pub(crate) fn as_of(&self, at: Timestamp) -> Option<Snapshot<'_>> {
        self.ancestors(self.current()).find(|snapshot| snapshot.at().is_ok_and(|its| its <= at))
    }

    pub(crate) fn next_sequence_number(&self) -> i64 {
        number::<i64>(&self.0, "last-sequence-number").unwrap_or(0) + 1
    }

    /// How many earlier versions a version names.
    fn previous_versions(&self) -> usize {
        let told = self.properties().find(|(key, _)| *key == "write.metadata.previous-versions-max");
        told.and_then(|(_, told)| told.parse().ok()).unwrap_or(PREVIOUS_VERSIONS).max(1)
    }

    /// Whether versions that are not named any more are removed.
    fn removes_versions(&self) -> bool {
        let told = self.properties().find(|(key, _)| *key == "write.metadata.delete-after-commit.enabled");
        told.is_some_and(|(_, told)| told.eq_ignore_ascii_case("true"))
    }

    /// The files of the earlier versions that it names.
    fn versions_named(&self) -> impl Iterator<Item = &str> {
        self.list("metadata-log").iter().filter_map(|version| text(version, "metadata-file").ok())
    }

    /// The files of versions that were named before this version and are to be removed.
    pub(crate) fn superseded<'a>(&self, before: &'a TableMetadata) -> Vec<&'a str> {
        if !self.removes_versions() {
            return Vec::new();
        }
        let named: Vec<&str> = self.versions_named().collect();
        let earlier = before.versions_named();
        earlier.filter(|file| !named.contains(file)).collect()
    }

    /// The table with another snapshot, which is current.
    pub(crate) fn with_snapshot(&self, snapshot: Value, now: Timestamp, before: &str) -> Result<Self> {
        let mut next = self.clone();
        let kept = self.previous_versions();
        let (id, sequence): (i64, i64) =
            (number(&snapshot, "snapshot-id")?, number(&snapshot, "sequence-number")?);
        let earlier = self.0.get("last-updated-ms").cloned().unwrap_or(Value::from(now));
        let document = next.0.as_object_mut().ok_or_else(|| Error::data("metadata that is no object"))?;
        let mut push = |key: &str, value: Value| match document.entry(key).or_insert_with(|| json!([])) {
            Value::Array(all) => all.push(value),
            other => *other = json!([value]),
        };
        push("snapshots", snapshot);
        push("snapshot-log", json!({"snapshot-id": id, "timestamp-ms": now}));
        push("metadata-log", json!({"metadata-file": before, "timestamp-ms": earlier}));
        if let Some(Value::Array(log)) = document.get_mut("metadata-log") {
            log.drain(..log.len().saturating_sub(kept));
        }
        document.insert("current-snapshot-id".to_owned(), json!(id));
        document.insert("last-sequence-number".to_owned(), json!(sequence));
        document.insert("last-updated-ms".to_owned(), json!(now));
        let refs = document.entry("refs").or_insert_with(|| json!({}));
        if let Some(refs) = refs.as_object_mut() {
            let main = refs.entry("main").or_insert_with(|| json!({"type": "branch"}));
            main["snapshot-id"] = json!(id);
        }
        Ok(next)
    }
}
