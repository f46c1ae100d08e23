//! Functions of the program that its tables call.

use flott_expr::user::FunctionDefinition;
use flott_sql::session::Session;
use flott_types::Result;

use super::StreamTableEnvironment;

impl StreamTableEnvironment {
    /// Defines a function by an identifier, as which statements can name it:
    /// `CREATE FUNCTION f AS 'identifier'`.
    ///
    /// # Errors
    /// If there is one of this identifier.
    pub fn define_function(&self, identifier: &str, function: impl Into<FunctionDefinition>) -> Result<()> {
        self.with_functions(|session| session.define_function(identifier, function))
    }

    /// Registers a function under a name that hides any other function of that name.
    ///
    /// # Errors
    /// If there is one already.
    pub fn create_temporary_system_function(
        &self,
        name: &str,
        function: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        self.with_functions(|session| session.create_temporary_system_function(name, function))
    }

    /// Registers a function in a database: `f`, `database.f` or `catalog.database.f`.
    ///
    /// # Errors
    /// If there is one already.
    pub fn create_temporary_function(
        &self,
        path: &str,
        function: impl Into<FunctionDefinition>,
    ) -> Result<()> {
        self.with_functions(|session| session.create_temporary_function(path, function))
    }

    fn with_functions(&self, register: impl FnOnce(&mut Session) -> Result<()>) -> Result<()> {
        let mut state = self.state.lock();
        register(&mut state.session)?;
        self.operators.set_functions(state.session.functions().clone());
        Ok(())
    }
}
