//! The catalog: databases and tables are folders of a warehouse. What is created in it is an Iceberg table for every engine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use flott_connector::catalog::{
    Catalog, CatalogFactory, CatalogFunction, CatalogObject, Database, Model, Table, TableColumn,
    TableColumnKind,
};
use flott_connector::options::WithDefault;
use flott_connector::{AnyOption, Manual, Options, TableOption};
use flott_plan::{Column, Schema};
use flott_storage::{Folder, block_on, files};
use flott_types::{Error, Result};
use serde_json::{Map, Value};

use crate::metadata::TableMetadata;
use crate::options::{CATALOG_TYPE, WAREHOUSE};
use crate::partition::PartitionSpec;
use crate::schema::new_fields;
use crate::table::IcebergTable;

const OPENED: TableOption<String, WithDefault> = TableOption::text(
    "default-database",
    "the database that USE CATALOG opens; it is created if there is none",
)
.or("default");

/// An empty file: an object store has no empty folders.
const MARK: &str = ".database";

/// Properties of tables that are options here.
const PASSED_ON: [&str; 2] = ["write.target-file-size-bytes", "write.parquet.row-group-size-bytes"];

/// The catalog `iceberg`.
#[derive(Clone, Copy, Default, Debug)]
pub struct IcebergCatalogFactory;

impl CatalogFactory for IcebergCatalogFactory {
    fn name(&self) -> &'static str {
        "iceberg"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&CATALOG_TYPE, &WAREHOUSE, &OPENED];
        Manual {
            summary: "Tables of Apache Iceberg in a warehouse.",
            details: "Each database is a folder, and each table one in it, as Iceberg's catalog `hadoop` has them; other engines see the same tables. \
                      A table has columns, NOT NULL and partition columns; views, functions, models, primary keys, watermarks and computed columns are refused. \
                      DROP TABLE deletes the rows too. The options of a table are read and written with [the connector](../iceberg.md).",
            example: "CREATE CATALOG lake WITH (
  'type' = 'iceberg',
  'catalog-type' = 'hadoop',
  'warehouse' = '/data/lake'
);",
            options: OPTIONS,
        }
    }

    fn catalog(&self, _: &str, options: &Options<'_>) -> Result<Box<dyn Catalog>> {
        options.get(&CATALOG_TYPE)?;
        let warehouse = options.get(&WAREHOUSE)?;
        let folder = Folder::create(&warehouse)?;
        let mut catalog = IcebergCatalog { warehouse, folder, opened: options.get(&OPENED)? };
        if catalog.databases()?.is_empty() {
            let opened = catalog.opened.clone();
            catalog.create_database(&opened, Database::default())?;
        }
        Ok(Box::new(catalog))
    }
}

struct IcebergCatalog {
    warehouse: String,
    folder: Folder,
    opened: String,
}

impl fmt::Debug for IcebergCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IcebergCatalog").field("warehouse", &self.folder.url()).finish_non_exhaustive()
    }
}

fn refused<T>(what: &str) -> Result<T> {
    Err(Error::unsupported(format!("{what} in a catalog of Iceberg tables: put it into another catalog")))
}

impl IcebergCatalog {
    fn table(&self, database: &str, name: &str) -> Result<IcebergTable> {
        IcebergTable::new(&self.warehouse, database, name)
    }

    fn check(&self, database: &str) -> Result<()> {
        match self.database(database)? {
            Some(_) => Ok(()),
            None => Err(Error::invalid(format!("there is no database '{database}'"))),
        }
    }

    /// A table as the session knows it.
    fn described(&self, database: &str, name: &str, metadata: &TableMetadata) -> Result<Table> {
        let fields = metadata.fields()?;
        let column = |field: &crate::schema::Field| TableColumn {
            name: field.name.clone(),
            kind: TableColumnKind::Physical,
            ty: field.logical(),
            comment: None,
        };
        let mut options: BTreeMap<String, String> = [
            ("connector", "iceberg"),
            ("catalog-type", "hadoop"),
            ("warehouse", &self.warehouse),
            ("catalog-database", database),
            ("catalog-table", name),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
        let mut comment = None;
        for (key, value) in metadata.properties() {
            match key {
                "comment" => comment = Some(value.to_owned()),
                key if PASSED_ON.contains(&key) => drop(options.insert(key.to_owned(), value.to_owned())),
                _ => {}
            }
        }
        Ok(Table {
            columns: fields.iter().map(column).collect(),
            partition_keys: metadata.partition_spec()?.identities().map(str::to_owned).collect(),
            options,
            comment,
            ..Table::default()
        })
    }
}

impl Catalog for IcebergCatalog {
    fn default_database(&self) -> Result<String> {
        let all = self.databases()?;
        let first = || all.first().cloned().unwrap_or_else(|| self.opened.clone());
        Ok(if all.contains(&self.opened) { self.opened.clone() } else { first() })
    }

    fn databases(&self) -> Result<Vec<String>> {
        let mut names = block_on(self.folder.list())?.folders;
        names.retain(|name| !name.starts_with(['.', '_']));
        names.sort_unstable();
        Ok(names)
    }

    fn database(&self, name: &str) -> Result<Option<Database>> {
        Ok(self.databases()?.iter().any(|other| other == name).then(Database::default))
    }

    fn create_database(&mut self, name: &str, database: Database) -> Result<()> {
        // Its name must be one of a folder.
        self.table(name, "t")?;
        if database.comment.is_some() || !database.options.is_empty() {
            return refused("a COMMENT or options of a database");
        }
        match block_on(self.folder.child(name).put_new(MARK, Bytes::new()))? {
            true => Ok(()),
            false => Err(Error::invalid(format!("'{name}' exists already"))),
        }
    }

    fn alter_database(&mut self, _: &str, _: Database) -> Result<()> {
        refused("options of a database")
    }

    fn drop_database(&mut self, name: &str) -> Result<()> {
        self.check(name)?;
        for (table, _) in self.objects(name)? {
            self.drop_object(name, &table)?;
        }
        let folder = self.folder.child(name);
        block_on(folder.delete(MARK))?;
        folder.remove_empty();
        Ok(())
    }

    fn objects(&self, database: &str) -> Result<Vec<(String, bool)>> {
        self.check(database)?;
        let folder = self.folder.child(database);
        let mut found = Vec::new();
        for name in block_on(folder.list())?.folders {
            if !name.starts_with(['.', '_']) && self.table(database, &name)?.load()?.is_some() {
                found.push((name, false));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn object(&self, database: &str, name: &str) -> Result<Option<CatalogObject>> {
        let Some(loaded) = self.table(database, name)?.load()? else { return Ok(None) };
        Ok(Some(CatalogObject::Table(Arc::new(self.described(database, name, &loaded.metadata)?))))
    }

    fn create_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        self.check(database)?;
        let CatalogObject::Table(table) = object else { return refused("a view") };
        if table.watermark.is_some() || table.primary_key.is_some() || table.distribution.is_some() {
            return refused("a table with a watermark, a primary key or buckets");
        }
        let column = |column: &TableColumn| match column.kind {
            TableColumnKind::Physical => Ok(Column { name: column.name.clone(), ty: column.ty.clone() }),
            TableColumnKind::Computed { .. } | TableColumnKind::Metadata { .. } => {
                refused(&format!("the column '{}', which is not physical,", column.name))
            }
        };
        let schema = Schema { columns: table.columns.iter().map(column).collect::<Result<_>>()? };
        let mut properties = Map::new();
        for (key, value) in &table.options {
            match key.as_str() {
                "connector" if value == "iceberg" => {}
                "connector" => return refused(&format!("a table of the connector '{value}'")),
                _ => drop(properties.insert(key.clone(), Value::String(value.clone()))),
            }
        }
        if let Some(comment) = &table.comment {
            properties.insert("comment".to_owned(), Value::String(comment.clone()));
        }
        let (fields, last) = new_fields(&schema)?;
        let spec = PartitionSpec::identity(&table.partition_keys, &fields)?;
        match self.table(database, name)?.create((&fields, last), &spec, properties)? {
            true => Ok(()),
            false => Err(Error::invalid(format!("'{name}' exists already"))),
        }
    }

    fn alter_object(&mut self, _: &str, _: &str, _: CatalogObject) -> Result<()> {
        refused("ALTER of a table")
    }

    fn drop_object(&mut self, database: &str, name: &str) -> Result<()> {
        let table = self.table(database, name)?;
        table.existing()?;
        let mut all = files::find(&table.location, &|_| true)?;
        // Last what says that there is a table, so that it can be dropped again if this is cut off.
        all.sort_by_key(|file| file.name().is_some_and(|name| name.ends_with(".metadata.json")));
        all.iter().try_for_each(files::remove)?;
        self.folder.child(database).child(name).remove_empty();
        Ok(())
    }

    fn functions(&self, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn function(&self, _: &str, _: &str) -> Result<Option<CatalogFunction>> {
        Ok(None)
    }

    fn create_function(&mut self, _: &str, _: &str, _: CatalogFunction) -> Result<()> {
        refused("a function")
    }

    fn alter_function(&mut self, _: &str, _: &str, _: CatalogFunction) -> Result<()> {
        refused("a function")
    }

    fn drop_function(&mut self, _: &str, _: &str) -> Result<()> {
        refused("a function")
    }

    fn models(&self, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn model(&self, _: &str, _: &str) -> Result<Option<Model>> {
        Ok(None)
    }

    fn create_model(&mut self, _: &str, _: &str, _: Model) -> Result<()> {
        refused("a model")
    }

    fn alter_model(&mut self, _: &str, _: &str, _: Model) -> Result<()> {
        refused("a model")
    }

    fn drop_model(&mut self, _: &str, _: &str) -> Result<()> {
        refused("a model")
    }
}
