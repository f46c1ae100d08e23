//! Catalogs: the suite finds what is wrong with them, and kinds of catalogs are found by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::Registry;
use flott_connector::catalog::{
    Catalog, CatalogFunction, CatalogObject, Database, InMemoryCatalog, InMemoryCatalogFactory, Model,
};
use flott_connector::conformance::check_catalog;
use flott_types::{ErrorKind, Result};
use parking_lot::Mutex;

#[test]
fn a_catalog_in_memory_holds_the_rules() {
    check_catalog(&|| Ok(Box::new(InMemoryCatalog::new("main"))), false).unwrap();
}

/// What is wrong with a catalog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wrong {
    Nothing,
    /// It forgets when it is opened anew.
    Forgets,
    /// Names count in any case.
    Case,
    /// To create what is there changes it.
    Replaces,
    /// What was in a database is there when one of the name is created again.
    Keeps,
    /// It opens a database that there is not.
    Opens,
    /// A database is changed with what is in it.
    Clears,
    /// A function and a table are one.
    OneName,
}

/// A catalog that all who open it share.
#[derive(Clone, Debug)]
struct Shared {
    wrong: Wrong,
    inner: Arc<Mutex<InMemoryCatalog>>,
}

impl Shared {
    fn name(&self, name: &str) -> String {
        if self.wrong == Wrong::Case { name.to_lowercase() } else { name.to_owned() }
    }
}

impl Catalog for Shared {
    fn default_database(&self) -> Result<String> {
        if self.wrong == Wrong::Opens {
            Ok("nowhere".to_owned())
        } else {
            self.inner.lock().default_database()
        }
    }

    fn databases(&self) -> Result<Vec<String>> {
        self.inner.lock().databases()
    }

    fn database(&self, name: &str) -> Result<Option<Database>> {
        let found = self.inner.lock().database(name)?;
        Ok(found.filter(|database| database.comment.as_deref() != Some("dropped")))
    }

    fn create_database(&mut self, name: &str, database: Database) -> Result<()> {
        if self.wrong == Wrong::Keeps
            && self.inner.lock().database(name)?.is_some()
            && self.database(name)?.is_none()
        {
            return self.inner.lock().alter_database(name, database);
        }
        self.inner.lock().create_database(name, database)
    }

    fn alter_database(&mut self, name: &str, database: Database) -> Result<()> {
        if self.wrong == Wrong::Clears {
            self.inner.lock().drop_database(name)?;
            return self.inner.lock().create_database(name, database);
        }
        self.inner.lock().alter_database(name, database)
    }

    fn drop_database(&mut self, name: &str) -> Result<()> {
        if self.wrong == Wrong::Keeps {
            let dropped = Database { comment: Some("dropped".to_owned()), ..Database::default() };
            return self.inner.lock().alter_database(name, dropped);
        }
        self.inner.lock().drop_database(name)
    }

    fn objects(&self, database: &str) -> Result<Vec<(String, bool)>> {
        self.inner.lock().objects(database)
    }

    fn object(&self, database: &str, name: &str) -> Result<Option<CatalogObject>> {
        if self.database(database)?.is_none() {
            return Ok(None);
        }
        self.inner.lock().object(database, &self.name(name))
    }

    fn create_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        let name = self.name(name);
        if self.wrong == Wrong::Replaces && self.object(database, &name)?.is_some() {
            return self.inner.lock().alter_object(database, &name, object);
        }
        self.inner.lock().create_object(database, &name, object)
    }

    fn alter_object(&mut self, database: &str, name: &str, object: CatalogObject) -> Result<()> {
        self.inner.lock().alter_object(database, &self.name(name), object)
    }

    fn drop_object(&mut self, database: &str, name: &str) -> Result<()> {
        self.inner.lock().drop_object(database, &self.name(name))
    }

    fn functions(&self, database: &str) -> Result<Vec<String>> {
        self.inner.lock().functions(database)
    }

    fn function(&self, database: &str, name: &str) -> Result<Option<CatalogFunction>> {
        if self.database(database)?.is_none() {
            return Ok(None);
        }
        self.inner.lock().function(database, &self.name(name))
    }

    fn create_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()> {
        if self.wrong == Wrong::OneName && self.object(database, name)?.is_some() {
            self.inner.lock().drop_object(database, name)?;
        }
        self.inner.lock().create_function(database, &self.name(name), function)
    }

    fn alter_function(&mut self, database: &str, name: &str, function: CatalogFunction) -> Result<()> {
        self.inner.lock().alter_function(database, &self.name(name), function)
    }

    fn drop_function(&mut self, database: &str, name: &str) -> Result<()> {
        self.inner.lock().drop_function(database, &self.name(name))
    }

    fn models(&self, database: &str) -> Result<Vec<String>> {
        self.inner.lock().models(database)
    }

    fn model(&self, database: &str, name: &str) -> Result<Option<Model>> {
        self.inner.lock().model(database, &self.name(name))
    }

    fn create_model(&mut self, database: &str, name: &str, model: Model) -> Result<()> {
        self.inner.lock().create_model(database, &self.name(name), model)
    }

    fn alter_model(&mut self, database: &str, name: &str, model: Model) -> Result<()> {
        self.inner.lock().alter_model(database, &self.name(name), model)
    }

    fn drop_model(&mut self, database: &str, name: &str) -> Result<()> {
        self.inner.lock().drop_model(database, &self.name(name))
    }
}

fn check(wrong: Wrong) -> Result<()> {
    let shared = Shared { wrong, inner: Arc::new(Mutex::new(InMemoryCatalog::new("main"))) };
    let open = move || -> Result<Box<dyn Catalog>> {
        let inner = Arc::new(Mutex::new(InMemoryCatalog::new("main")));
        Ok(Box::new(if wrong == Wrong::Forgets { Shared { wrong, inner } } else { shared.clone() }))
    };
    check_catalog(&open, true)
}

#[test]
fn catalogs_that_break_a_rule_are_found() {
    check(Wrong::Nothing).unwrap();
    for (wrong, what) in [
        (Wrong::Forgets, "for who opens it anew"),
        (Wrong::Case, "names: "),
        (Wrong::Replaces, "to create one that is there is no error"),
        (Wrong::Keeps, "comes back with what was in it"),
        (Wrong::Opens, "it opens the database 'nowhere'"),
        (Wrong::Clears, "goes when that is changed"),
        (Wrong::OneName, "with functions, the list of tables and views is []"),
    ] {
        let error = check(wrong).unwrap_err().to_string();
        assert!(error.contains(what), "{wrong:?}: {error}");
    }
}

#[test]
fn catalogs_are_found_by_their_type() {
    let mut registry = Registry::default();
    registry.register_catalog(Arc::new(InMemoryCatalogFactory));
    let make = |options: &[(&str, &str)]| {
        let options: BTreeMap<String, String> =
            options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        registry.catalog("c", &options)
    };
    let memory = ("type", "generic_in_memory");
    assert_eq!(make(&[memory]).unwrap().databases().unwrap(), ["default"]);
    let named = make(&[memory, ("default-database", "main")]).unwrap();
    assert_eq!(named.default_database().unwrap(), "main");
    let error = make(&[memory, ("default-databse", "main")]).unwrap_err().to_string();
    assert!(
        error.contains("catalog c has no option 'default-databse'; did you mean 'default-database'?"),
        "{error}"
    );
    assert_eq!(make(&[("type", "hive")]).unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(make(&[]).is_err());
}
