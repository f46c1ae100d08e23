//! SQL: a session, and the cluster that runs its jobs, in this process or somewhere else.

use std::net::SocketAddr;
use std::sync::Arc;

use flott_cluster::{Archive, ClusterClient, LocalCluster, LocalClusterOptions, RestorePoint, liveness};
use flott_connector::Registry;
use flott_connector::catalog::CatalogStore;
use flott_connector_filesystem::FileCatalogStore;
use flott_rest::{Rest, RestOptions};
use flott_types::{Clock, Configuration, Error, Result, SystemClock, TypeKind};

use crate::processes::Access;

pub use flott_expr::Functions;
pub use flott_expr::user::{
    AggregateDefinition, FunctionDefinition, SqlRow, SqlType, aggregate, async_scalar, async_table, scalar,
    table,
};
pub use flott_function_table as process;
pub use flott_functions::builtin as builtin_functions;
pub use flott_operators::SqlOperators;
pub use flott_sql::catalog::{CatalogObject, Catalogs};
pub use flott_sql::compiled::CompiledPlan;
pub use flott_sql::session::{
    Answer, MaterializedStep, MaterializedWork, Outcome, PlanToKeep, PlannedJob, Session,
};
pub use flott_sql_parser::ast;
pub use flott_sql_parser::{
    HighlightKind, KEYWORDS, ParseError, Position, StatementText, highlight, is_complete, is_reserved,
    split_script,
};

/// Slots of the local cluster: a limit of bookkeeping, not of threads.
const SLOTS: u32 = 65_536;

/// A session with its cluster.
pub struct Environment {
    /// Catalogs and settings.
    pub session: Session,
    /// Where jobs run.
    pub cluster: ClusterClient,
    operators: Arc<SqlOperators>,
    rest: Option<Rest>,
    /// That cluster, if it is in this process.
    local: Option<LocalCluster>,
}

impl Environment {
    /// With the built-in connectors and the default configuration.
    pub fn local() -> Result<Self> {
        Environment::new(crate::connectors::builtin(), Configuration::default())
    }

    /// With these connectors and this configuration.
    ///
    /// # Errors
    /// If the process gets no threads, or a value of the configuration cannot work.
    pub fn new(connectors: Registry, configuration: Configuration) -> Result<Self> {
        let role = configuration.get("program.role").unwrap_or("alone");
        if !role.eq_ignore_ascii_case("alone") {
            return Err(Error::unsupported(format!(
                "'program.role' {role} of an SQL session: several processes are programs of the DataStream API, or \
                 `flott jobmanager` and `flott taskmanager`"
            )));
        }
        let (connectors, functions) = (Arc::new(connectors), crate::functions::builtin());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let operators = Arc::new(SqlOperators::new(functions.clone()));
        let cluster = local_cluster(&connectors, &operators, &configuration)?;
        let session = session(connectors, functions, configuration, clock, cores())?;
        let (clients, local) = (cluster.clients(), Some(cluster));
        Ok(Environment { session, cluster: clients, operators, rest: None, local })
    }

    /// With these connectors and this configuration, and with a cluster somewhere else. Statements are planned here; tables are read and written where the tasks
    /// run. As in Flink, a job has parallelism 1 unless `parallelism.default` says otherwise.
    ///
    /// # Errors
    /// If there is no such cluster, or a value of the configuration cannot work.
    pub fn remote(connectors: Registry, configuration: Configuration, access: &Access) -> Result<Self> {
        // The cluster's folder, catalogs and savepoints may lie there.
        flott_storage::configure(configuration.iter())?;
        let cluster = crate::processes::connect(access, &configuration)?;
        Environment::on(cluster, Arc::new(connectors), configuration)
    }

    /// As [`Environment::remote`], for who has got to the cluster already.
    ///
    /// # Errors
    /// If a value of the configuration cannot work.
    pub(crate) fn on(
        cluster: ClusterClient,
        connectors: Arc<Registry>,
        configuration: Configuration,
    ) -> Result<Self> {
        let functions = crate::functions::builtin();
        let operators = Arc::new(SqlOperators::new(functions.clone()));
        let session = session(connectors, functions, configuration, Arc::new(SystemClock::new()), 1)?;
        Ok(Environment { session, cluster, operators, rest: None, local: None })
    }

    /// Whether jobs end with this process.
    pub fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// Starts the REST server if the configuration names a port (`rest.port`). Returns where it listens.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn serve_rest(&mut self) -> Result<Option<SocketAddr>> {
        let configuration = self.session.configuration();
        let settings = configuration.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        if let Some(options) = RestOptions::parse(&settings, Arc::new(SystemClock::new()))? {
            self.rest = Some(Rest::start(options, self.cluster.dispatcher())?);
        }
        Ok(self.rest.as_ref().map(Rest::address))
    }

    /// Where the REST server is found, for people.
    pub fn rest_url(&self) -> Option<String> {
        self.rest.as_ref().map(|rest| format!("{}://{}", rest.scheme(), rest.address()))
    }

    /// Defines a function by an identifier, as which statements can name it:
    /// `CREATE FUNCTION f AS 'identifier'`. As with the name of a class in Flink, the identifier may have dots.
    ///
    /// # Errors
    /// If there is one of this identifier.
    pub fn define_function(
        &mut self,
        identifier: &str,
        function: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        self.session.define_function(identifier, function)?;
        self.operators.set_functions(self.session.functions().clone());
        Ok(())
    }

    /// Registers a function under a name that hides any other function of that name
    /// (`TableEnvironment.createTemporarySystemFunction`).
    ///
    /// # Errors
    /// If there is one already.
    pub fn create_temporary_system_function(
        &mut self,
        name: &str,
        function: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        self.session.create_temporary_system_function(name, function)?;
        self.operators.set_functions(self.session.functions().clone());
        Ok(())
    }

    /// Registers a function in a database: `f`, `database.f` or `catalog.database.f`
    /// (`TableEnvironment.createTemporaryFunction`).
    ///
    /// # Errors
    /// If there is one already.
    pub fn create_temporary_function(
        &mut self,
        path: &str,
        function: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        self.session.create_temporary_function(path, function)?;
        self.operators.set_functions(self.session.functions().clone());
        Ok(())
    }
}

/// A cluster in this process.
pub(crate) fn local_cluster(
    connectors: &Arc<Registry>,
    operators: &Arc<SqlOperators>,
    configuration: &Configuration,
) -> Result<LocalCluster> {
    let settings = configuration.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    flott_storage::configure(configuration.iter())?;
    LocalCluster::start(LocalClusterOptions {
        liveness: liveness(&settings)?,
        archive: Archive::parse(&settings)?,
        ..LocalClusterOptions::new(connectors.clone(), operators.clone(), SLOTS)
    })
}

fn session(
    connectors: Arc<Registry>,
    functions: Functions,
    configuration: Configuration,
    clock: Arc<dyn Clock>,
    cores: u32,
) -> Result<Session> {
    let store = catalog_store(&configuration)?;
    let session = Session::new(connectors, functions, configuration, clock, cores);
    match store {
        Some(store) => session.with_catalog_store(store),
        None => Ok(session),
    }
}

/// The store of catalogs that the configuration names; the default keeps them in the memory of the session.
pub(crate) fn catalog_store(configuration: &Configuration) -> Result<Option<Box<dyn CatalogStore>>> {
    let kind = configuration.get("table.catalog-store.kind").unwrap_or("generic_in_memory");
    if !kind.eq_ignore_ascii_case("file") {
        return Ok(None);
    }
    match configuration.get("table.catalog-store.file.path") {
        Some(path) => Ok(Some(Box::new(FileCatalogStore::open(path)?))),
        None => Err(Error::invalid(
            "option 'table.catalog-store.kind' is 'file' and 'table.catalog-store.file.path' is missing",
        )),
    }
}

/// What EXPLAIN RESTORE answers.
pub fn explain_restore(point: &RestorePoint) -> Answer {
    let kinds = [
        ("kept", &point.kept),
        ("new", &point.new),
        ("dropped", &point.dropped),
        ("changed", &point.changed),
    ];
    let row = |what: &str, name: &String| vec![Some(what.to_owned()), Some(name.clone())];
    let rows = kinds.iter().flat_map(|(what, names)| names.iter().map(|name| row(what, name)));
    let text = || TypeKind::STRING.nullable();
    Answer {
        columns: vec![("state".to_owned(), text()), ("operator".to_owned(), text())],
        rows: rows.collect(),
    }
}

/// How many cores this process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)
}

/// Reads a script.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse_script(text: &str) -> Result<Vec<ast::ParsedStatement>> {
    Ok(flott_sql_parser::parse_script(text)?)
}
