//! Programs: the code behind plans.
//!
//! A plan is data and can cross a network; a closure cannot. So a plan refers to a function by its program
//! and a number, and every process that runs tasks of the job has the program. A cluster finds it in
//! [`Programs`], which is a factory of operators and a connector of sources and sinks.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_batch::codec::RecordsReader;
use flott_connector::{
    AnyOption, Connector, GeneratorFactory, Manual, Options, Registry, Required, Sink, Source, TableContext,
    TableOption,
};
use flott_operator::{Operator, TaskInfo};
use flott_plan::{
    ChainedNode, JobGraph, OperatorSpec, Outline, Schema, SinkSpec, SourceSpec, TableSpec, WatermarkSpec,
};
use flott_runtime::{ConstantRows, Constraint, OperatorFactory, Outside, TaskOptions};
use flott_types::{Error, FastMap, Result};
use parking_lot::Mutex;

/// The connector for sources and sinks of programs.
pub(crate) const CONNECTOR: &str = "program";

/// Makes the operator of one subtask.
pub(crate) type MakeOperator =
    Arc<dyn Fn(&TaskInfo, &TaskOptions) -> Result<Box<dyn Operator>> + Send + Sync>;

/// The program's name.
pub(crate) const PROGRAM: TableOption<String, Required> =
    TableOption::text("program", "the program that has the function").required();
/// The number of a source or sink in the program.
pub(crate) const NODE: TableOption<u64, Required> =
    TableOption::number("node", 0, u64::MAX, "the number of the function in the program").required();

/// In the configuration of a job with operators that a planner made: the program that they are part of.
pub(crate) const RUNNING_PROGRAM: &str = "flott.program";

/// One function, source or sink.
pub(crate) enum ProgramNode {
    Source(Arc<dyn Source>),
    Operator(MakeOperator),
    Sink(Arc<dyn Sink>),
    Collect,
    /// All of it is in the plan.
    Planned,
}

/// What runs the operators that a planner made: their factory, and the connectors that they ask.
#[derive(Clone)]
pub struct Tables {
    /// Makes the operators.
    pub operators: Arc<dyn OperatorFactory>,
    /// The connectors of their tables.
    pub registry: Arc<Registry>,
}

/// What a node sends.
pub(crate) enum Sends {
    Records(Outputs),
    Columns,
}

/// For each output of a node (the main one, and the side outputs that are read) the type of its records.
pub(crate) type Outputs = BTreeMap<Option<String>, RecordsReader>;

/// The code of one job.
pub struct Program {
    nodes: Vec<ProgramNode>,
    sends: Vec<Sends>,
    outline: Outline,
    tables: Option<Tables>,
}

impl Program {
    pub(crate) fn new(
        nodes: Vec<ProgramNode>,
        sends: Vec<Sends>,
        outline: Outline,
        tables: Option<Tables>,
    ) -> Self {
        Program { nodes, sends, outline, tables }
    }
}

/// The programs of a process. Clones share them.
#[derive(Clone, Default)]
pub struct Programs(Arc<Mutex<FastMap<String, Arc<Program>>>>);

impl Programs {
    /// A registry with these connectors, and with the sources and sinks of programs.
    pub fn registry(&self, connectors: Registry) -> Registry {
        let mut registry = connectors;
        registry.register(Arc::new(self.clone()));
        registry
    }

    /// Registers a program under a name.
    pub fn add(&self, name: &str, program: Program) {
        self.0.lock().insert(name.to_owned(), Arc::new(program));
    }

    /// Unregisters a program. Its running tasks do not need it any more.
    pub fn remove(&self, name: &str) {
        self.0.lock().remove(name);
    }

    fn get(&self, name: &str) -> Result<Arc<Program>> {
        let program = self.0.lock().get(name).cloned();
        program.ok_or_else(|| Error::invalid(format!("this process does not have the program '{name}'")))
    }

    /// What runs the operators of this job that a planner made.
    fn tables(&self, name: &str, options: &TaskOptions) -> Result<Tables> {
        let program =
            options.configuration.get(RUNNING_PROGRAM).map(|program| self.get(program)).transpose()?;
        program.and_then(|program| program.tables.clone()).ok_or_else(|| not_of_a_program(name))
    }

    /// The source or sink that a table in a plan stands for.
    fn of_table(&self, options: &Options<'_>) -> Result<(Arc<Program>, usize)> {
        Ok((self.get(&options.get(&PROGRAM)?)?, options.get(&NODE)? as usize))
    }
}

fn other_node(name: &str) -> Error {
    Error::invalid(format!(
        "the program differs from the one that the plan was made from: '{name}' is something else in it"
    ))
}

/// Programs provide their functions, not the operators of SQL plans.
fn not_of_a_program(name: &str) -> Error {
    Error::invalid(format!("'{name}' is an SQL operator, and this program has no tables"))
}

impl Connector for Programs {
    fn name(&self) -> &'static str {
        CONNECTOR
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&PROGRAM, &NODE];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        let (program, node) = self.of_table(options)?;
        match program.nodes.get(node) {
            Some(ProgramNode::Source(source)) => Ok(source.clone()),
            _ => Err(other_node(&spec.table.name)),
        }
    }

    /// A table's own connector was asked when the table was planned; a source of functions is never asked for them.
    fn reports_errors(&self) -> bool {
        true
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let (program, node) = self.of_table(options)?;
        match program.nodes.get(node) {
            Some(ProgramNode::Sink(sink)) => Ok(sink.clone()),
            _ => Err(other_node(&spec.table.name)),
        }
    }
}

impl OperatorFactory for Programs {
    fn build(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
        outside: &Outside,
    ) -> Result<Box<dyn Operator>> {
        let OperatorSpec::Function { program, node: number } = &node.node.spec else {
            let Tables { operators, registry } = self.tables(&node.node.name, options)?;
            return operators.build(node, info, options, &Outside { registry, ..outside.clone() });
        };
        match self.get(program)?.nodes.get(*number as usize) {
            Some(ProgramNode::Operator(factory)) => {
                factory(info, &TaskOptions { memory: outside.memory.clone(), ..options.clone() })
            }
            _ => Err(other_node(&node.node.name)),
        }
    }

    fn constant_rows(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<ConstantRows> {
        self.tables(&node.node.name, options)?.operators.constant_rows(node, info, options)
    }

    fn watermarks(
        &self,
        spec: &WatermarkSpec,
        schema: &Schema,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<GeneratorFactory> {
        self.tables(&info.name, options)?.operators.watermarks(spec, schema, info, options)
    }

    fn check(&self, plan: &JobGraph) -> Result<()> {
        let Some(outline) = &plan.outline else { return Ok(()) };
        let functions = plan.vertices.iter().flat_map(|vertex| &vertex.operators);
        let programs = functions.filter_map(|operator| match &operator.node.spec {
            OperatorSpec::Function { program, .. } => Some(program.as_str()),
            OperatorSpec::Source(spec) => spec.table.options.get(PROGRAM.key()).map(String::as_str),
            _ => None,
        });
        let Some(name) = programs.into_iter().next() else { return Ok(()) };
        let own = self.get(name)?;
        let (wanted, found) = (outline.fingerprint(), own.outline.fingerprint());
        if wanted == found {
            return Ok(());
        }
        let differences = outline.differences("the plan", &own.outline, "this process");
        Err(Error::invalid(format!(
            "the program of this process differs from the one that the plan was made from (fingerprints {found} and {wanted}): {}; every process of a job must run the same executable, with the same arguments",
            differences.join("; ")
        )))
    }

    fn records(&self, node: &ChainedNode, tag: Option<&str>) -> Result<Option<RecordsReader>> {
        let (program, number) = match &node.node.spec {
            OperatorSpec::Function { program, node: number } => (self.get(program)?, *number as usize),
            OperatorSpec::Source(spec) => {
                let option = |key: &str| spec.table.options.get(key);
                let number = option(NODE.key()).and_then(|number| number.parse().ok());
                let (Some(program), Some(number)) = (option(PROGRAM.key()), number) else {
                    return Err(not_of_a_program(&node.node.name));
                };
                (self.get(program)?, number)
            }
            // What a planner made sends columns.
            _ => return Ok(None),
        };
        match program.sends.get(number) {
            Some(Sends::Columns) => Ok(None),
            Some(Sends::Records(outputs)) => match outputs.get(&tag.map(str::to_owned)) {
                Some(reader) => Ok(Some(*reader)),
                None => Err(other_node(&node.node.name)),
            },
            None => Err(other_node(&node.node.name)),
        }
    }

    /// A sink of a program takes values, not columns; but its tables take columns.
    fn constraint(&self, table: &TableSpec, options: &TaskOptions) -> Result<Option<Box<dyn Constraint>>> {
        match table.schema.is_empty() {
            true => Ok(None),
            false => self.tables(&table.name, options)?.operators.constraint(table, options),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::StreamExecutionEnvironment;
    use crate::graph::Settings;

    use super::*;

    fn built(describe: impl FnOnce(&StreamExecutionEnvironment)) -> (JobGraph, Program) {
        let env = StreamExecutionEnvironment::new();
        describe(&env);
        let settings = Settings {
            name: "job".to_owned(),
            parallelism: 2,
            max_parallelism: 16,
            chaining: true,
            outlives: false,
            configuration: BTreeMap::new(),
        };
        env.shared.graph.build("p", &settings).unwrap()
    }

    #[test]
    fn a_process_with_another_program_says_what_differs() {
        let count = |env: &StreamExecutionEnvironment| {
            env.from_sequence(1, 3).map(|n| n * 2).name("double").uid("d").discard();
        };
        let (plan, own) = built(count);
        let plan = JobGraph::from_json(&plan.to_json().unwrap()).unwrap();
        let programs = Programs::default();
        programs.add("p", own);
        programs.check(&plan).unwrap();

        programs.add("p", built(count).1);
        programs.check(&plan).unwrap();

        let other = built(|env| {
            env.from_sequence(1, 3).map(|n| n.to_string()).name("text").uid("d").discard();
        });
        programs.add("p", other.1);
        let told = programs.check(&plan).unwrap_err().to_string();
        assert!(
            told.contains("operator 1 is called 'double' in the plan and 'text' in this process"),
            "{told}"
        );
        assert!(told.contains("operator 1 sends 'i64' in the plan and 'alloc::string::String'"), "{told}");
        programs.remove("p");
        assert!(programs.check(&plan).unwrap_err().to_string().contains("does not have the program"));
    }
}
