//! The rules for every catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_types::{Result, TypeKind};

use super::broken;
use crate::catalog::{
    Catalog, CatalogFunction, CatalogObject, Database, FunctionLanguage, FunctionResource,
    FunctionResourceKind, Model, Table, TableColumn, TableColumnKind, View,
};

/// Holds a catalog against the rules. `open` opens it, also while it is open already: as another session
/// would.
///
/// - what was created is there, as it was given, for who opens the catalog anew too if it `lasts`; what was
///   dropped is not;
/// - looking up unused names, and databases that do not exist, is not an error;
/// - an existing object cannot be created, and a missing one cannot be changed or dropped;
/// - a database goes with all that is in it;
/// - names are what they are: with blanks, quotes, dots and in any case;
/// - the database that it opens exists.
///
/// The databases that the rules use begin with `rules`, and are gone when they hold.
///
/// # Errors
/// The rule that is broken, and when.
pub fn check_catalog(open: &dyn Fn() -> Result<Box<dyn Catalog>>, lasts: bool) -> Result<()> {
    let mut catalog = open()?;
    opened(&*catalog)?;
    databases(&mut *catalog).map_err(|error| error.context("databases"))?;
    objects(&mut *catalog).map_err(|error| error.context("tables and views"))?;
    functions(&mut *catalog).map_err(|error| error.context("functions"))?;
    if lasts {
        let other = open()?;
        expect(
            other.object(STRANGE, STRANGE)? == Some(table("a")),
            "a table is not there for who opens it anew",
        )?;
        expect(
            other.function(STRANGE, STRANGE)? == Some(function("a")),
            "a function is not there for who opens it anew",
        )?;
    }
    models(&mut *catalog).map_err(|error| error.context("models"))?;
    if lasts {
        expect(
            open()?.model(STRANGE, STRANGE)? == Some(model("a")),
            "a model is not there for who opens it anew",
        )?;
    }
    names(&mut *catalog).map_err(|error| error.context("names"))?;
    catalog.drop_database("rules")?;
    catalog.drop_database(STRANGE)?;
    expect(
        catalog.object(STRANGE, STRANGE)?.is_none() && catalog.function(STRANGE, STRANGE)?.is_none(),
        "a table or function is there although its database was dropped",
    )?;
    catalog.create_database(STRANGE, Database::default())?;
    expect(
        catalog.objects(STRANGE)?.is_empty()
            && catalog.functions(STRANGE)?.is_empty()
            && catalog.models(STRANGE)?.is_empty(),
        "a database that was dropped comes back with what was in it",
    )?;
    catalog.drop_database(STRANGE)?;
    opened(&*catalog)
}

const STRANGE: &str = "rules of `a.b` \"C\" 'd'";

fn expect(holds: bool, otherwise: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(broken(otherwise)) }
}

fn refused(result: Result<()>, what: &str) -> Result<()> {
    expect(result.is_err(), &format!("{what} is no error"))
}

fn opened(catalog: &dyn Catalog) -> Result<()> {
    let (name, all) = (catalog.default_database()?, catalog.databases()?);
    expect(all.contains(&name), &format!("it opens the database '{name}'; there are {all:?}"))?;
    expect(all.is_sorted(), "databases are not sorted")
}

fn database(comment: &str) -> Database {
    let options = BTreeMap::from([("k".to_owned(), comment.to_owned())]);
    Database { comment: Some(comment.to_owned()), options }
}

fn table(column: &str) -> CatalogObject {
    let column = TableColumn {
        name: column.to_owned(),
        kind: TableColumnKind::Physical,
        ty: TypeKind::Int.nullable(),
        comment: None,
    };
    CatalogObject::Table(Arc::new(Table { columns: vec![column], ..Table::default() }))
}

fn view() -> CatalogObject {
    CatalogObject::View(Arc::new(View {
        text: "SELECT 1 AS a".to_owned(),
        columns: vec![("a".to_owned(), TypeKind::Int.not_null())],
        times: vec![None],
        sources: vec!["a".to_owned()],
        comment: Some("one".to_owned()),
        catalog: "c".to_owned(),
        database: "rules".to_owned(),
    }))
}

fn databases(catalog: &mut dyn Catalog) -> Result<()> {
    expect(catalog.database("rules")?.is_none(), "one that was not created is there")?;
    refused(catalog.drop_database("rules"), "to drop one that is not there")?;
    refused(catalog.alter_database("rules", database("x")), "to change one that is not there")?;
    catalog.create_database("rules", database("first"))?;
    expect(catalog.database("rules")? == Some(database("first")), "one is not there as it was created")?;
    refused(catalog.create_database("rules", database("x")), "to create one that is there")?;
    catalog.alter_database("rules", database("second"))?;
    expect(catalog.database("rules")? == Some(database("second")), "one is not there as it was changed")?;
    catalog.create_database(STRANGE, Database::default())?;
    let all = catalog.databases()?;
    expect(all.contains(&STRANGE.to_owned()) && all.is_sorted(), &format!("the list is {all:?}"))
}

fn objects(catalog: &mut dyn Catalog) -> Result<()> {
    expect(catalog.object("rules", "t")?.is_none(), "one that was not created is there")?;
    expect(catalog.object("rules of nobody", "t")?.is_none(), "one is there in a database that is not")?;
    refused(
        catalog.create_object("rules of nobody", "t", table("a")),
        "to create one in a database that is not there",
    )?;
    refused(catalog.alter_object("rules", "t", table("a")), "to change one that is not there")?;
    refused(catalog.drop_object("rules", "t"), "to drop one that is not there")?;
    catalog.create_object("rules", "t", table("a"))?;
    catalog.create_object("rules", "s", view())?;
    catalog.create_object(STRANGE, STRANGE, table("a"))?;
    refused(catalog.create_object("rules", "t", view()), "to create one that is there")?;
    let list = catalog.objects("rules")?;
    expect(list == [("s".to_owned(), true), ("t".to_owned(), false)], &format!("the list is {list:?}"))?;
    expect(catalog.object("rules", "s")? == Some(view()), "a view is not there as it was created")?;
    catalog.alter_object("rules", "t", table("b"))?;
    expect(catalog.object("rules", "t")? == Some(table("b")), "a table is not there as it was changed")?;
    catalog.alter_database("rules", database("third"))?;
    expect(catalog.objects("rules")?.len() == 2, "what is in a database goes when that is changed")?;
    catalog.drop_object("rules", "t")?;
    expect(catalog.object("rules", "t")?.is_none(), "one that was dropped is there")?;
    expect(catalog.object(STRANGE, STRANGE)? == Some(table("a")), "one of another database has gone too")
}

fn function(identifier: &str) -> CatalogFunction {
    let file = FunctionResource { kind: FunctionResourceKind::Artifact, uri: format!("/{identifier}") };
    CatalogFunction {
        identifier: identifier.to_owned(),
        language: FunctionLanguage::Rust,
        resources: vec![file],
    }
}

fn functions(catalog: &mut dyn Catalog) -> Result<()> {
    expect(catalog.function("rules", "f")?.is_none(), "one that was not created is there")?;
    expect(catalog.function("rules of nobody", "f")?.is_none(), "one is there in a database that is not")?;
    refused(
        catalog.create_function("rules of nobody", "f", function("a")),
        "to create one in a database that is not there",
    )?;
    refused(catalog.alter_function("rules", "f", function("a")), "to change one that is not there")?;
    refused(catalog.drop_function("rules", "f"), "to drop one that is not there")?;
    // One may have the name of a table, which both keep.
    for name in ["s", "f"] {
        catalog.create_function("rules", name, function("a"))?;
    }
    catalog.create_function(STRANGE, STRANGE, function("a"))?;
    refused(catalog.create_function("rules", "f", function("b")), "to create one that is there")?;
    let list = catalog.functions("rules")?;
    expect(list == ["f", "s"], &format!("the list is {list:?}"))?;
    let list = catalog.objects("rules")?;
    expect(
        list == [("s".to_owned(), true)],
        &format!("with functions, the list of tables and views is {list:?}"),
    )?;
    expect(
        catalog.object("rules", "s")? == Some(view()),
        "a view is not there beside a function of its name",
    )?;
    catalog.alter_function("rules", "f", function("b"))?;
    expect(catalog.function("rules", "f")? == Some(function("b")), "one is not there as it was changed")?;
    catalog.drop_function("rules", "f")?;
    expect(catalog.function("rules", "f")?.is_none(), "one that was dropped is there")?;
    expect(catalog.function("rules", "s")? == Some(function("a")), "another has gone too")
}

fn model(comment: &str) -> Model {
    let options = BTreeMap::from([("provider".to_owned(), "p".to_owned())]);
    Model { comment: Some(comment.to_owned()), options, ..Model::default() }
}

fn models(catalog: &mut dyn Catalog) -> Result<()> {
    expect(catalog.model("rules", "s")?.is_none(), "one that was not created is there")?;
    expect(catalog.model("rules of nobody", "s")?.is_none(), "one is there in a database that is not")?;
    refused(catalog.alter_model("rules", "s", model("a")), "to change one that is not there")?;
    refused(catalog.drop_model("rules", "s"), "to drop one that is not there")?;
    // A view and a function have this name.
    catalog.create_model("rules", "s", model("a"))?;
    catalog.create_model(STRANGE, STRANGE, model("a"))?;
    refused(catalog.create_model("rules", "s", model("b")), "to create one that is there")?;
    catalog.alter_model("rules", "s", model("b"))?;
    expect(catalog.model("rules", "s")? == Some(model("b")), "one is not there as it was changed")?;
    expect(catalog.models("rules")? == ["s"], "the list is not what was created")?;
    expect(catalog.object("rules", "s")? == Some(view()), "a view is not there beside a model of its name")?;
    catalog.drop_model("rules", "s")?;
    expect(catalog.model("rules", "s")?.is_none(), "one that was dropped is there")
}

fn names(catalog: &mut dyn Catalog) -> Result<()> {
    for name in ["T", "t", "t.t", "t t", "t`", "ü"] {
        catalog.create_object("rules", name, table(name))?;
    }
    for name in ["T", "t", "t.t", "t t", "t`", "ü"] {
        expect(
            catalog.object("rules", name)? == Some(table(name)),
            &format!("'{name}' is not what it was created as"),
        )?;
    }
    Ok(())
}
