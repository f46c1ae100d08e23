//! Connectors and formats by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_plan::{LookupSpec, SinkSpec, SourceSpec, TableSpec};
use flott_types::config::similar;
use flott_types::{Error, FastMap, LogicalType, Result};

use crate::catalog::{Catalog, CatalogFactory};
use crate::lookup::{LookupTable, ModelProvider};
use crate::options::CATALOG_TYPE;
use crate::{Formats, Manual, Options, Sink, Source};

/// What a connector may ask when a statement is planned.
#[derive(Clone, Debug)]
pub struct TableContext {
    /// Whether the job is bounded by choice (`execution.runtime-mode: batch`).
    pub batch: bool,
    /// The session time zone's name (`table.local-time-zone`).
    pub zone: String,
    /// The configuration of the session.
    pub configuration: flott_types::Configuration,
}

/// A connector: makes sources and sinks of tables. Everything wrong with a table's options is said when the
/// source or sink is made, at planning. The options are given, and are read by the keys of the [`Manual`];
/// what is not in it is refused by the [`Registry`].
pub trait Connector: Send + Sync {
    /// The name in `'connector' = '...'`.
    fn name(&self) -> &'static str;

    /// What it says of itself, with the list of its options. By default it has none.
    fn manual(&self) -> Manual {
        Manual::default()
    }

    /// Reads a table. The default refuses.
    fn source(
        &self,
        spec: &SourceSpec,
        options: &Options<'_>,
        context: &TableContext,
    ) -> Result<Arc<dyn Source>> {
        let _ = (options, context);
        Err(Error::invalid(format!(
            "connector '{}' cannot be read from (table {})",
            self.name(),
            spec.table.name
        )))
    }

    /// Writes to a table. The default refuses.
    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, context: &TableContext) -> Result<Arc<dyn Sink>> {
        let _ = (options, context);
        Err(Error::invalid(format!(
            "connector '{}' cannot be written to (table {})",
            self.name(),
            spec.table.name
        )))
    }

    /// Finds rows of a table by key. The default refuses.
    fn lookup(
        &self,
        spec: &LookupSpec,
        options: &Options<'_>,
        context: &TableContext,
    ) -> Result<Arc<dyn LookupTable>> {
        let _ = (options, context);
        Err(Error::invalid(format!(
            "connector '{}' cannot be looked up (table {})",
            self.name(),
            spec.table.name
        )))
    }

    /// The metadata columns that can be read: key and type as Flink spells it.
    fn readable_metadata(&self, spec: &TableSpec, options: &Options<'_>) -> Vec<(String, LogicalType)> {
        let _ = (spec, options);
        Vec::new()
    }

    /// Whether a source of this table produces fields of ROWs as columns of their own (`SourceSpec::paths`),
    /// so that the other fields need not be read.
    fn projects_fields(&self, spec: &TableSpec, options: &Options<'_>) -> bool {
        let _ = (spec, options);
        false
    }

    /// Whether a source of this table sends records that it cannot read to the table of ERRORS INTO, if its
    /// spec asks for them.
    fn reports_errors(&self) -> bool {
        false
    }

    /// Whether a sink puts rows in the place of those that a table holds, if its spec asks for that (INSERT OVERWRITE).
    fn overwrites(&self) -> bool {
        false
    }

    /// Whether a source of this table sends watermarks of its own, which a table can declare with
    /// `SOURCE_WATERMARK()`.
    fn sends_watermarks(&self, spec: &TableSpec, options: &Options<'_>) -> bool {
        let _ = (spec, options);
        false
    }

    /// The kinds of changes a source of this table produces.
    ///
    /// # Errors
    /// If the options do not say.
    fn source_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        let _ = (spec, options);
        Ok(Changelog::InsertOnly)
    }

    /// The kinds of changes a sink of this table takes.
    ///
    /// # Errors
    /// If the options do not say.
    fn sink_changelog(&self, spec: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        let _ = (spec, options);
        Ok(Changelog::InsertOnly)
    }
}

/// Which row kinds a stream has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changelog {
    /// +I
    InsertOnly,
    /// +I, +U, -D: the last row of each key counts
    Upsert,
    /// +I, -U, +U, -D
    Retract,
}

/// The connectors and formats of a process. Whoever builds it says which there are.
#[derive(Clone, Default)]
pub struct Registry {
    connectors: FastMap<&'static str, Arc<dyn Connector>>,
    formats: Formats,
    catalogs: FastMap<&'static str, Arc<dyn CatalogFactory>>,
    models: FastMap<&'static str, Arc<dyn ModelProvider>>,
}

/// A table, with the connector that it names.
pub struct ConnectedTable<'a> {
    connector: &'a Arc<dyn Connector>,
    spec: &'a TableSpec,
    options: Options<'a>,
}

impl Registry {
    /// With these formats and no connectors.
    pub fn new(formats: Formats) -> Self {
        Registry { formats, ..Registry::default() }
    }

    /// Adds a connector; one of the same name is replaced.
    pub fn register(&mut self, connector: Arc<dyn Connector>) {
        self.connectors.insert(connector.name(), connector);
    }

    /// The formats, to which others may be added.
    pub fn formats_mut(&mut self) -> &mut Formats {
        &mut self.formats
    }

    /// The formats.
    pub fn formats(&self) -> &Formats {
        &self.formats
    }

    /// Adds a kind of catalog; one of the same name is replaced.
    pub fn register_catalog(&mut self, factory: Arc<dyn CatalogFactory>) {
        self.catalogs.insert(factory.name(), factory);
    }

    /// All kinds of catalogs, in the order of their names.
    pub fn catalogs(&self) -> impl Iterator<Item = &Arc<dyn CatalogFactory>> {
        self.catalog_types().into_iter().filter_map(|name| self.catalogs.get(name))
    }

    fn catalog_types(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.catalogs.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// Adds a provider of models; one of the same name is replaced.
    pub fn register_model(&mut self, provider: Arc<dyn ModelProvider>) {
        self.models.insert(provider.name(), provider);
    }

    /// All providers of models, in the order of their names.
    pub fn models(&self) -> impl Iterator<Item = &Arc<dyn ModelProvider>> {
        self.providers().into_iter().filter_map(|name| self.models.get(name))
    }

    fn providers(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.models.keys().copied().collect();
        names.sort_unstable();
        names
    }

    fn model(&self, spec: &LookupSpec) -> Result<Arc<dyn LookupTable>> {
        let (table, kind) = (&spec.table, spec.table.connector.as_str());
        let provider = self.models.get(kind).ok_or_else(|| {
            let names = self.providers().iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { "none".to_owned() } else { names };
            Error::invalid(format!(
                "Unable to create a model provider for model '{}': there is no provider '{kind}'; there is: {names}",
                table.name
            ))
        })?;
        let options = Options::of_model(&table.name, &table.options, &provider.manual(), &self.formats);
        let model = provider.predict(spec, &options)?;
        options.finish()?;
        Ok(model)
    }

    /// The catalog of this name, of the kind that its options say.
    ///
    /// # Errors
    /// If there is no such kind, or its options are wrong.
    pub fn catalog(&self, name: &str, values: &BTreeMap<String, String>) -> Result<Box<dyn Catalog>> {
        let types =
            || self.catalog_types().iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let Some(kind) = values.get(CATALOG_TYPE.key()) else {
            return Err(Error::invalid(format!(
                "CREATE CATALOG needs WITH ('{}' = ...); there is: {}",
                CATALOG_TYPE.key(),
                types()
            )));
        };
        let factory = self.catalogs.get(kind.as_str()).ok_or_else(|| {
            Error::unsupported(format!("a catalog of type '{kind}'; there is: {}", types()))
        })?;
        let options = Options::of_catalog(name, values, &factory.manual(), &self.formats);
        let catalog = factory.catalog(name, &options)?;
        options.finish()?;
        Ok(catalog)
    }

    /// All connectors, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Connector>> {
        self.names().into_iter().filter_map(|name| self.connectors.get(name))
    }

    fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = self.connectors.keys().copied().collect();
        names.sort_unstable();
        names
    }

    /// The connector of this name, or an error that lists the names there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn Connector>> {
        self.connectors.get(name).ok_or_else(|| {
            let names = self.names();
            let hint = similar(names.iter().copied(), name);
            let hint = hint.map(|near| format!(" (did you mean '{near}'?)")).unwrap_or_default();
            Error::invalid(format!("there is no connector '{name}'{hint}; there are: {}", names.join(", ")))
        })
    }

    /// A table with its connector.
    ///
    /// # Errors
    /// If there is no such connector.
    pub fn table<'a>(&'a self, spec: &'a TableSpec) -> Result<ConnectedTable<'a>> {
        let connector = self.get(&spec.connector)?;
        let options = Options::new(&spec.name, &spec.options, &connector.manual(), &self.formats);
        Ok(ConnectedTable { connector, spec, options })
    }

    /// The source of a spec.
    pub fn source(&self, spec: &SourceSpec, context: &TableContext) -> Result<Arc<dyn Source>> {
        let table = self.table(&spec.table)?;
        if spec.errors && !table.connector.reports_errors() {
            return Err(Error::invalid(format!(
                "ERRORS INTO: the connector '{}' of table {} has no records that cannot be read",
                table.connector.name(),
                spec.table.name
            )));
        }
        let source = table.connector.source(spec, &table.options, context)?;
        table.options.finish()?;
        Ok(source)
    }

    /// The sink of a spec.
    pub fn sink(&self, spec: &SinkSpec, context: &TableContext) -> Result<Arc<dyn Sink>> {
        let table = self.table(&spec.table)?;
        if spec.overwrite && !context.batch {
            return Err(Error::invalid(format!(
                "Streaming mode not support overwrite: INSERT OVERWRITE of {}",
                spec.table.name
            )));
        }
        if spec.overwrite && !table.connector.overwrites() {
            return Err(Error::unsupported(format!(
                "INSERT OVERWRITE requires a connector that replaces what a table holds; '{}' appends (table {})",
                table.connector.name(),
                spec.table.name
            )));
        }
        let sink = table.connector.sink(spec, &table.options, context)?;
        table.options.finish()?;
        Ok(sink)
    }

    /// The table or model of a spec that is looked up.
    pub fn lookup(&self, spec: &LookupSpec, context: &TableContext) -> Result<Arc<dyn LookupTable>> {
        if spec.model {
            return self.model(spec);
        }
        let table = self.table(&spec.table)?;
        let lookup = table.connector.lookup(spec, &table.options, context)?;
        table.options.finish()?;
        Ok(lookup)
    }
}

impl ConnectedTable<'_> {
    /// [`Connector::readable_metadata`]
    pub fn readable_metadata(&self) -> Vec<(String, LogicalType)> {
        self.connector.readable_metadata(self.spec, &self.options)
    }

    /// [`Connector::projects_fields`]
    pub fn projects_fields(&self) -> bool {
        self.connector.projects_fields(self.spec, &self.options)
    }

    /// [`Connector::sends_watermarks`]
    pub fn sends_watermarks(&self) -> bool {
        self.connector.sends_watermarks(self.spec, &self.options)
    }

    /// [`Connector::source_changelog`]
    pub fn source_changelog(&self) -> Result<Changelog> {
        self.connector.source_changelog(self.spec, &self.options)
    }

    /// [`Connector::sink_changelog`]
    pub fn sink_changelog(&self) -> Result<Changelog> {
        self.connector.sink_changelog(self.spec, &self.options)
    }
}
