//! A catalog in a folder: what is created in it is there in other sessions and after the end of this one.
//!
//! ```text
//! <path>/<database>/_database          what is said of the database; it exists if this file does
//! <path>/<database>/<object>.json      a table or a view
//! ```
//!
//! Every file is written as a whole, and a new one only if there is none of its name: of two sessions that create the same
//! table one succeeds. Nothing is cached, so that each call sees what other sessions have done.
//!
//! Names may contain anything. In names of files all but letters, digits, `_` and `-` is `=` and two hexadecimal digits for
//! each byte.

use std::collections::BTreeMap;
use std::fmt;

use flott_connector::catalog::{
    Catalog, CatalogDescription, CatalogFactory, CatalogObject, CatalogStore, DEFAULT_DATABASE, Database,
};
use flott_connector::options::{Required, WithDefault};
use flott_connector::{AnyOption, Manual, Options, TableOption};
use flott_storage::{Folder, block_on};
use flott_types::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const PATH: TableOption<String, Required> =
    TableOption::text("path", "the folder; it is created if there is none").required();
const OPENED: TableOption<String, WithDefault> = TableOption::text(
    "default-database",
    "the database that USE CATALOG opens; it is created if there is none",
)
.or(DEFAULT_DATABASE);

/// The file that says that a database exists.
const DATABASE: &str = "_database";
/// How files of tables and views end.
const OBJECT: &str = ".json";
/// The version of the files.
const VERSION: u32 = 1;

/// `filesystem`
#[derive(Clone, Copy, Default, Debug)]
pub struct FilesystemCatalogFactory;

impl CatalogFactory for FilesystemCatalogFactory {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&PATH, &OPENED];
        Manual {
            summary: "Databases, tables and views as files in a folder.",
            details: "It outlives the session, and several sessions may use it at the same time. \
                      Options of tables are in the files as they were written, also passwords: protect the folder accordingly.",
            example: "CREATE CATALOG lake WITH (
  'type' = 'filesystem',
  'path' = '/data/catalog'
);",
            options: OPTIONS,
        }
    }

    fn catalog(&self, _: &str, options: &Options<'_>) -> Result<Box<dyn Catalog>> {
        let folder = Folder::create(&options.get(&PATH)?)?;
        let catalog = FilesystemCatalog { folder, opened: options.get(&OPENED)? };
        if catalog.databases()?.is_empty() {
            let opened = catalog.opened.clone();
            // Another session may create it at the same time.
            catalog.write_new(&catalog.folder.child(&encoded(&opened)), DATABASE, &Database::default())?;
        }
        Ok(Box::new(catalog))
    }
}

/// A catalog store in a folder: a file for each catalog.
///
/// `table.catalog-store.kind` = `file`
pub struct FileCatalogStore {
    folder: Folder,
}

impl FileCatalogStore {
    /// The store in this folder, which is created if there is none.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn open(path: &str) -> Result<Self> {
        Ok(FileCatalogStore { folder: Folder::create(path)? })
    }
}

impl fmt::Debug for FileCatalogStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCatalogStore").field("folder", &self.folder.url()).finish_non_exhaustive()
    }
}

impl CatalogStore for FileCatalogStore {
    fn catalogs(&self) -> Result<BTreeMap<String, CatalogDescription>> {
        let mut found = BTreeMap::new();
        for file in block_on(self.folder.list())?.files {
            let Some(name) = file.strip_suffix(OBJECT).and_then(decoded) else { continue };
            if let Some(description) = read(&self.folder, &file)? {
                found.insert(name, description);
            }
        }
        Ok(found)
    }

    fn create(&mut self, name: &str, description: &CatalogDescription) -> Result<()> {
        match block_on(self.folder.put_new(&file_of(name), text(description)?.into()))? {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "another session has created the catalog '{name}' in the catalog store"
            ))),
        }
    }

    fn alter(&mut self, name: &str, description: &CatalogDescription) -> Result<()> {
        block_on(self.folder.put(&file_of(name), text(description)?.into()))
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        block_on(self.folder.delete(&file_of(name)))
    }
}

/// A catalog in a folder.
struct FilesystemCatalog {
    folder: Folder,
    opened: String,
}

impl fmt::Debug for FilesystemCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilesystemCatalog").field("folder", &self.folder.url()).finish_non_exhaustive()
    }
}

/// The content of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned<T> {
    version: u32,
    content: T,
}

impl FilesystemCatalog {
    /// The folder of a database that exists.
    fn existing(&self, database: &str) -> Result<Folder> {
        match self.database(database)? {
            Some(_) => Ok(self.folder.child(&encoded(database))),
            None => Err(Error::invalid(format!("there is no database '{database}'"))),
        }
    }

    /// Whether it was new.
    fn write_new<T: Serialize>(&self, folder: &Folder, name: &str, content: &T) -> Result<bool> {
        block_on(folder.put_new(name, text(content)?.into()))
    }
}

/// The content of a file, if there is one.
fn read<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>> {
    let Some(bytes) = block_on(folder.get(name))? else { return Ok(None) };
    let damaged = |error| {
        let url = folder.url_of(name);
        Error::invalid(format!("the file {url} of the catalog cannot be read")).with_source(error)
    };
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let Head { version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if version != VERSION {
        return Err(Error::unsupported(format!(
            "the file {} of the catalog has version {version}; this build reads version {VERSION}",
            folder.url_of(name)
        )));
    }
    serde_json::from_slice(&bytes).map(|read: Versioned<T>| Some(read.content)).map_err(damaged)
}

fn text<T: Serialize>(content: &T) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(&Versioned { version: VERSION, content })
        .map_err(|error| Error::internal("cannot write the catalog").with_source(error))
}

fn taken(name: &str) -> Error {
    Error::invalid(format!("'{name}' exists already"))
}

fn missing(name: &str) -> Error {
    Error::invalid(format!("there is no '{name}'"))
}

impl Catalog for FilesystemCatalog {
    fn default_database(&self) -> Result<String> {
        let all = self.databases()?;
        let first = || all.first().cloned().unwrap_or_else(|| self.opened.clone());
        Ok(if all.contains(&self.opened) { self.opened.clone() } else { first() })
    }

    fn databases(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for folder in block_on(self.folder.list())?.folders {
            let Some(name) = decoded(&folder) else { continue };
            if self.database(&name)?.is_some() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn database(&self, name: &str) -> Result<Option<Database>> {
        read(&self.folder.child(&encoded(name)), DATABASE)
    }

    fn create_database(&mut self, name: &str, database: Database) -> Result<()> {
        match self.write_new(&self.folder.child(&encoded(name)), DATABASE, &database)? {
            true => Ok(()),
            false => Err(taken(name)),
        }
    }

    fn alter_database(&mut self, name: &str, database: Database) -> Result<()> {
        block_on(self.existing(name)?.put(DATABASE, text(&database)?.into()))
    }

    fn drop_database(&mut self, name: &str) -> Result<()> {
        let folder = self.existing(name)?;
        // Last what says that it exists: if the process is killed in between, it can be dropped again, and no table of it
        // comes back with another database of its name.
        for file in block_on(folder.list())?.files.iter().filter(|file| *file != DATABASE) {
            block_on(folder.delete(file))?;
        }
        block_on(folder.delete(DATABASE))?;
        folder.remove_empty();
        Ok(())
    }

    fn objects(&self, database: &str) -> Result<Vec<(String, bool)>> {
        let folder = self.existing(database)?;
        let mut found = Vec::new();
        for file in block_on(folder.list())?.files {
            let Some(name) = file.strip_suffix(OBJECT).and_then(decoded) else { continue };
            // Another session may have dropped it since.
            if let Some(object) = read::<CatalogObject>(&folder, &file)? {
                found.push((name, object.is_view()));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn object(&self, database: &str, name: &str) -> Result<Option<CatalogObject>> {
        match self.database(database)? {
            Some(_) => read(&self.folder.child(&encoded(database)), &file_of(name)),
            None => Ok(None),
        }
    }

    fn create_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        match self.write_new(&self.existing(database)?, &file_of(name), &object)? {
            true => Ok(()),
            false => Err(taken(name)),
        }
    }

    fn alter_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        let folder = self.existing(database)?;
        match block_on(folder.get(&file_of(name)))? {
            Some(_) => block_on(folder.put(&file_of(name), text(&object)?.into())),
            None => Err(missing(name)),
        }
    }

    fn drop_object(&mut self, database: &str, name: &str) -> Result<()> {
        let folder = self.existing(database)?;
        match block_on(folder.get(&file_of(name)))? {
            Some(_) => block_on(folder.delete(&file_of(name))),
            None => Err(missing(name)),
        }
    }
}

fn file_of(name: &str) -> String {
    encoded(name) + OBJECT
}

/// A name of anything as the name of a file.
fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            // `_database` is no database's and no object's.
            b'_' if encoded.is_empty() => encoded.push_str("=5F"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("={byte:02X}")),
        }
    }
    encoded
}

/// The name, if it is that of a file of ours.
fn decoded(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((plain, behind)) = rest.split_once('=') {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, behind) = behind.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}
