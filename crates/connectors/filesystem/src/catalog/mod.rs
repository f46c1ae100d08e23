//! A catalog in a folder: what is created in it is there in other sessions and after the end of this one.
//!
//! ```text
//! <path>/<database>/_database          what is said of the database; it exists if this file does
//! <path>/<database>/<object>.json      a table or a view
//! <path>/<database>/<name>.function    a function
//! <path>/<database>/<name>.model       a model
//! ```
//!
//! Every file is written as a whole, and a new one only if there is none of its name: of two sessions that create the same
//! table one succeeds. Nothing is cached, so that each call sees what other sessions have done.

mod files;
mod store;

use std::fmt;

use flott_connector::catalog::{
    Catalog, CatalogFactory, CatalogFunction, CatalogObject, DEFAULT_DATABASE, Database, Model,
};
use flott_connector::options::{Required, WithDefault};
use flott_connector::{AnyOption, Manual, Options, TableOption};
use flott_storage::{Folder, block_on};
use flott_types::{Error, Result};
use serde::Serialize;

use self::files::{
    create, decoded, encoded, file_of, file_of_function, file_of_model, named, named_function, named_model,
    read, replace,
};
pub use self::store::FileCatalogStore;

const PATH: TableOption<String, Required> =
    TableOption::text("path", "the folder; it is created if there is none").required();
const OPENED: TableOption<String, WithDefault> = TableOption::text(
    "default-database",
    "the database that USE CATALOG opens; it is created if there is none",
)
.or(DEFAULT_DATABASE);

/// The file that says that a database exists.
const DATABASE: &str = "_database";
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
            summary: "Databases, tables, views, functions and models as files in a folder.",
            details: "It outlives the session, and several sessions may use it at the same time. \
                      Options of tables and models are in the files as they were written, also passwords and keys: protect the folder accordingly.",
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
            create(&catalog.folder.child(&encoded(&opened)), DATABASE, &Database::default())?;
        }
        Ok(Box::new(catalog))
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

impl FilesystemCatalog {
    /// The folder of a database that exists.
    fn existing(&self, database: &str) -> Result<Folder> {
        match self.database(database)? {
            Some(_) => Ok(self.folder.child(&encoded(database))),
            None => Err(Error::invalid(format!("there is no database '{database}'"))),
        }
    }

    /// A file in a database that had none of this name.
    fn create(&self, database: &str, name: &str, file: &str, content: &impl Serialize) -> Result<()> {
        match create(&self.existing(database)?, file, content)? {
            true => Ok(()),
            false => Err(taken(name)),
        }
    }

    /// Another content for a file that is there.
    fn alter(&self, database: &str, name: &str, file: &str, content: &impl Serialize) -> Result<()> {
        let folder = self.existing(database)?;
        match block_on(folder.get(file))? {
            Some(_) => replace(&folder, file, content),
            None => Err(missing(name)),
        }
    }

    /// A file that is there goes.
    fn remove(&self, database: &str, name: &str, file: &str) -> Result<()> {
        let folder = self.existing(database)?;
        match block_on(folder.get(file))? {
            Some(_) => block_on(folder.delete(file)),
            None => Err(missing(name)),
        }
    }
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
        match create(&self.folder.child(&encoded(name)), DATABASE, &database)? {
            true => Ok(()),
            false => Err(taken(name)),
        }
    }

    fn alter_database(&mut self, name: &str, database: Database) -> Result<()> {
        replace(&self.existing(name)?, DATABASE, &database)
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
            let Some(name) = named(&file) else { continue };
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
        self.create(database, name, &file_of(name), &object)
    }

    fn alter_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        self.alter(database, name, &file_of(name), &object)
    }

    fn drop_object(&mut self, database: &str, name: &str) -> Result<()> {
        self.remove(database, name, &file_of(name))
    }

    fn functions(&self, database: &str) -> Result<Vec<String>> {
        let files = block_on(self.existing(database)?.list())?.files;
        let mut names: Vec<String> = files.iter().filter_map(|file| named_function(file)).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn function(&self, database: &str, name: &str) -> Result<Option<CatalogFunction>> {
        match self.database(database)? {
            Some(_) => read(&self.folder.child(&encoded(database)), &file_of_function(name)),
            None => Ok(None),
        }
    }

    fn create_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()> {
        self.create(database, name, &file_of_function(name), &function)
    }

    fn alter_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()> {
        self.alter(database, name, &file_of_function(name), &function)
    }

    fn drop_function(&mut self, database: &str, name: &str) -> Result<()> {
        self.remove(database, name, &file_of_function(name))
    }
    fn models(&self, database: &str) -> Result<Vec<String>> {
        let files = block_on(self.existing(database)?.list())?.files;
        let mut names: Vec<String> = files.iter().filter_map(|file| named_model(file)).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn model(&self, database: &str, name: &str) -> Result<Option<Model>> {
        match self.database(database)? {
            Some(_) => read(&self.folder.child(&encoded(database)), &file_of_model(name)),
            None => Ok(None),
        }
    }

    fn create_model(&mut self, database: &str, name: &str, model: Model) -> Result<()> {
        self.create(database, name, &file_of_model(name), &model)
    }

    fn alter_model(&mut self, database: &str, name: &str, model: Model) -> Result<()> {
        self.alter(database, name, &file_of_model(name), &model)
    }

    fn drop_model(&mut self, database: &str, name: &str) -> Result<()> {
        self.remove(database, name, &file_of_model(name))
    }
}
