//! A table in a folder of a file system or an object store (Iceberg's catalog `hadoop`): each version of its metadata
//! is a file whose name is its number, and whoever creates the next one has committed.

use std::collections::BTreeMap;

use bytes::Bytes;
use flott_storage::{Folder, Location, block_on, files};
use flott_types::{Clock, Error, FastSet, Result, SystemClock, Timestamp};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_128;

use crate::manifest::{self, DataFile, FoundFile, ManifestFile};
use crate::metadata::{COMPRESSION, Snapshot, TableMetadata};
use crate::partition::PartitionSpec;
use crate::schema::Field;

const METADATA: &str = "metadata";
const HINT: &str = "version-hint.text";
/// How often a commit is tried when others commit at the same time.
const TRIES: usize = 20;

/// A table that may exist.
#[derive(Clone, Debug)]
pub(crate) struct IcebergTable {
    pub(crate) location: Location,
    name: String,
}

/// A version that was read.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    pub(crate) metadata: TableMetadata,
    version: u64,
}

/// A number that nothing else has.
pub(crate) fn unique() -> u128 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let clock = SystemClock::default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let address = std::ptr::from_ref(&count) as usize;
    let parts = format!("{}-{}-{}-{count}-{address}", std::process::id(), clock.now(), boot());
    xxh3_128(parts.as_bytes())
}

/// Which machine it is, and since when.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default()
}

/// As a UUID of version 4.
pub(crate) fn uuid() -> String {
    let bits = unique() & !(0xf000 << 64) & !(0xc000 << 48) | (0x4000 << 64) | (0x8000 << 48);
    let hex = format!("{bits:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}

impl IcebergTable {
    /// The table of a database in a warehouse.
    pub(crate) fn new(warehouse: &str, database: &str, table: &str) -> Result<Self> {
        let mut location = Location::parse(warehouse)?;
        if let Location::Local(path) = &location {
            let absolute = std::path::absolute(path)
                .map_err(|error| Error::invalid(format!("the warehouse '{warehouse}'")).with_source(error))?;
            location = Location::Local(absolute);
        }
        for part in [database, table] {
            if part.is_empty() || part.starts_with('.') || part.contains(['/', '\\']) {
                return Err(Error::invalid(format!("'{part}' cannot be a folder of a warehouse")));
            }
            location = location.join(part);
        }
        Ok(IcebergTable { location, name: format!("{database}.{table}") })
    }

    fn folder(&self) -> Result<Folder> {
        Folder::create(&self.location.join(METADATA).to_text()?)
    }

    /// What it is now; `None` if there is none.
    pub(crate) fn load(&self) -> Result<Option<Loaded>> {
        let Some(folder) = Folder::open(&self.location.join(METADATA).to_text()?)? else { return Ok(None) };
        let hint = block_on(folder.get(HINT))?;
        let hint = hint.and_then(|hint| std::str::from_utf8(&hint).ok()?.trim().parse::<u64>().ok());
        let mut version = hint.unwrap_or(0);
        let mut read = match hint {
            Some(version) => block_on(folder.get(&file_of(version)))?,
            None => None,
        };
        let unreadable = |version: u64| {
            Error::unsupported(format!(
                "version {version} of table {} is not in the file {}, and compressed metadata is not read: set its property \
                 '{COMPRESSION}' to 'none' and let its other engine commit once",
                self.name,
                file_of(version)
            ))
        };
        if read.is_none() {
            // The hint is written after the version, and may be lost.
            let versions = block_on(folder.list())?.files;
            let newest = versions.iter().filter_map(|name| version_of(name)).max();
            // An older version would be read, and the commits since would be lost with the next one.
            match (newest, hint) {
                (None, None) => return Ok(None),
                (Some((newest, false)), hint) if hint.is_none_or(|hint| hint <= newest) => version = newest,
                (newest, hint) => {
                    let newest = newest.map_or(0, |(newest, _)| newest);
                    return Err(unreadable(hint.map_or(newest, |hint| hint.max(newest))));
                }
            }
            read = block_on(folder.get(&file_of(version)))?;
        }
        // Others may have committed since.
        while let Some(later) = block_on(folder.get(&file_of(version + 1)))? {
            version += 1;
            read = Some(later);
        }
        for compressed in compressed_files_of(version + 1) {
            if block_on(folder.get(&compressed))?.is_some() {
                return Err(unreadable(version + 1));
            }
        }
        let Some(bytes) = read else { return Ok(None) };
        let metadata = TableMetadata::from_bytes(&bytes)
            .map_err(|error| error.context(format_args!("table {}", self.name)))?;
        Ok(Some(Loaded { metadata, version }))
    }

    /// What it is now.
    pub(crate) fn existing(&self) -> Result<Loaded> {
        self.load()?.ok_or_else(|| {
            Error::invalid(format!("there is no Iceberg table '{}' at {}", self.name, self.location))
        })
    }

    /// Creates it; `false` if there is one.
    pub(crate) fn create(
        &self,
        fields: (&[Field], i32),
        spec: &PartitionSpec,
        properties: Map<String, Value>,
    ) -> Result<bool> {
        if self.load()?.is_some() {
            return Ok(false);
        }
        let now = SystemClock::default().now();
        let location = self.location.to_text()?;
        let metadata = TableMetadata::new(&uuid(), &location, now, fields, spec, properties);
        self.put(&metadata, 1)
    }

    fn put(&self, metadata: &TableMetadata, version: u64) -> Result<bool> {
        let folder = self.folder()?;
        if !block_on(folder.put_new(&file_of(version), Bytes::from(metadata.to_bytes()?)))? {
            return Ok(false);
        }
        // Whoever finds an older hint looks for later versions.
        if let Err(error) = block_on(folder.put(HINT, Bytes::from(version.to_string()))) {
            tracing::warn!("the version hint of table {} was not written: {error}", self.name);
        }
        Ok(true)
    }

    /// The files of a snapshot.
    ///
    /// # Errors
    /// If one cannot be read, or rows of theirs are deleted in files of their own.
    pub(crate) fn files(&self, snapshot: &Snapshot<'_>) -> Result<Vec<FoundFile>> {
        let mut found = Vec::new();
        for one in manifest::read_list(snapshot.manifest_list()?)? {
            if one.is_of_deletes {
                if one.files[0] != Some(0) || one.files[1] != Some(0) {
                    return Err(Error::unsupported(format!(
                        "table {} has files of deleted rows, which are not read: let its other engine rewrite them into the data \
                         (rewrite_data_files)",
                        self.name
                    )));
                }
                continue;
            }
            found.extend(manifest::read_manifest(&one.path)?);
        }
        Ok(found)
    }

    /// The files that a commit has added; none if it was no append.
    pub(crate) fn added(&self, snapshot: &Snapshot<'_>) -> Result<Vec<FoundFile>> {
        if snapshot.summary("operation") != Some("append") {
            return Ok(Vec::new());
        }
        let id = snapshot.id()?;
        let mut found = Vec::new();
        for one in manifest::read_list(snapshot.manifest_list()?)? {
            if one.snapshot == id && !one.is_of_deletes {
                found.extend(manifest::read_manifest(&one.path)?.into_iter().filter(|file| file.is_new));
            }
        }
        Ok(found)
    }

    /// Where the files of a snapshot are, whatever of their rows is deleted.
    pub(crate) fn paths(&self, snapshot: &Snapshot<'_>) -> Result<FastSet<String>> {
        let mut found = FastSet::default();
        for one in manifest::read_list(snapshot.manifest_list()?)?.iter().filter(|one| !one.is_of_deletes) {
            found.extend(manifest::read_manifest(&one.path)?.into_iter().map(|file| file.path));
        }
        Ok(found)
    }

    /// Adds files, with what is said of them in the snapshot. `done` says which of them a version of the table has
    /// already; asked anew when another commit came first.
    pub(crate) fn append(
        &self,
        files: &[DataFile],
        summary: &[(&str, String)],
        now: Timestamp,
        done: &dyn Fn(&TableMetadata) -> Result<FastSet<String>>,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let Loaded { metadata, version } = self.existing()?;
            metadata.check_writable()?;
            let done = done(&metadata)?;
            let files: Vec<DataFile> =
                files.iter().filter(|file| !done.contains(&file.path)).cloned().collect();
            if files.is_empty() {
                return Ok(());
            }
            let next = self.with_files(&metadata, version, &files, summary, now)?;
            if self.put(&next, version + 1)? {
                self.remove_superseded(&metadata, &next);
                return Ok(());
            }
        }
        Err(Error::external(format!("table {}: others commit all the time", self.name)))
    }

    /// If the table's properties want that.
    fn remove_superseded(&self, before: &TableMetadata, now: &TableMetadata) {
        for path in now.superseded(before) {
            if let Err(error) = Location::parse(path).and_then(|location| files::remove(&location)) {
                tracing::warn!("an earlier version of table {} was not removed: {error}", self.name);
            }
        }
    }

    fn with_files(
        &self,
        metadata: &TableMetadata,
        version: u64,
        files: &[DataFile],
        summary: &[(&str, String)],
        now: Timestamp,
    ) -> Result<TableMetadata> {
        let now = now.max(metadata.last_updated());
        let parent = metadata.current();
        let id = (unique() as i64) & i64::MAX;
        let sequence = metadata.next_sequence_number();
        let folder = self.folder()?;
        let fields = metadata.fields()?;
        let fields: Vec<Value> = fields.iter().map(Field::to_json).collect();
        let schema = json!({"type": "struct", "schema-id": metadata.schema_id(), "fields": fields});
        let unique_name = uuid();
        let write = |name: &str, bytes: Vec<u8>| -> Result<(String, usize)> {
            let length = bytes.len();
            match block_on(folder.put_new(name, Bytes::from(bytes)))? {
                true => Ok((self.location.join(METADATA).join(name).to_text()?, length)),
                false => Err(Error::external(format!("the file {name} exists already"))),
            }
        };
        // Others may have changed how the table is partitioned since files were written: a manifest is of one way.
        let mut by_spec: BTreeMap<i32, Vec<DataFile>> = BTreeMap::new();
        files.iter().for_each(|file| by_spec.entry(file.spec).or_default().push(file.clone()));
        let mut manifests = Vec::new();
        for (number, (spec, files)) in by_spec.iter().enumerate() {
            let spec = metadata.partition_spec_of(*spec)?;
            let bytes = manifest::manifest(files, &spec, (metadata.schema_id(), &schema), id)?;
            let (path, length) = write(&format!("{unique_name}-m{number}.avro"), bytes)?;
            manifests.push(ManifestFile::new(&path, length, files, spec.id, (id, sequence)));
        }
        if let Some(parent) = &parent {
            manifests.extend(manifest::read_list(parent.manifest_list()?)?);
        }
        let parent_id = parent.as_ref().map(Snapshot::id).transpose()?;
        let list = manifest::manifest_list(&manifests, id, parent_id, sequence)?;
        let (list, _) = write(&format!("snap-{id}-1-{unique_name}.avro"), list)?;
        let total = |key: &str, added: u64| {
            let before = parent.as_ref().map_or(Some("0"), |parent| parent.summary(key));
            before.and_then(|before| before.parse::<u64>().ok()).map(|before| (before + added).to_string())
        };
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        let size: u64 = files.iter().map(|file| file.bytes).sum();
        let mut said = Map::new();
        let mut say = |key: &str, value: String| drop(said.insert(key.to_owned(), Value::String(value)));
        say("operation", "append".to_owned());
        say("added-data-files", files.len().to_string());
        say("added-records", rows.to_string());
        say("added-files-size", size.to_string());
        for (key, added) in
            [("total-data-files", files.len() as u64), ("total-records", rows), ("total-files-size", size)]
        {
            if let Some(total) = total(key, added) {
                say(key, total);
            }
        }
        say("engine-name", "flott".to_owned());
        summary.iter().for_each(|(key, value)| say(key, value.clone()));
        let mut snapshot = json!({
            "snapshot-id": id,
            "sequence-number": sequence,
            "timestamp-ms": now,
            "summary": said,
            "manifest-list": list,
            "schema-id": metadata.schema_id(),
        });
        if let Some(parent) = parent_id {
            snapshot["parent-snapshot-id"] = json!(parent);
        }
        let before = self.location.join(METADATA).join(&file_of(version)).to_text()?;
        metadata.with_snapshot(snapshot, now, &before)
    }
}

fn file_of(version: u64) -> String {
    format!("v{version}.metadata.json")
}

/// As other engines call compressed versions, and have called them before.
fn compressed_files_of(version: u64) -> [String; 2] {
    [format!("v{version}.gz.metadata.json"), format!("v{version}.metadata.json.gz")]
}

/// Which version a file is, and whether it is compressed.
fn version_of(name: &str) -> Option<(u64, bool)> {
    let (version, kind) = name.strip_prefix('v')?.split_once('.')?;
    let version = version.parse().ok()?;
    kind.contains("metadata.json").then_some((version, kind != "metadata.json"))
}
