//! The operators that tasks run for SQL.

use std::sync::Arc;

use chrono_tz::Tz;
use flott_batch::codec::RecordsReader;
use flott_connector::GeneratorFactory;
use flott_expr::Functions;
use flott_operator::{Operator, TaskInfo};
use flott_plan::{ChainedNode, JobGraph, OperatorSpec, Schema, TableSpec, WatermarkSpec};
use flott_runtime::options::{BATCH_SIZE, Reader};
use flott_runtime::{ConstantRows, Constraint, OperatorFactory, Outside, TaskOptions};
use flott_types::{Error, Result};
use parking_lot::RwLock;

use crate::constraint::{NotNull, NotNullColumns};
use crate::stateless::watermark_expression::WatermarkExpression;
use crate::{BuildContext, build, values};

const TIME_ZONE: &str = "table.local-time-zone";
const NOT_NULL: &str = "table.exec.sink.not-null-enforcer";

/// What operators read of a session's settings when they run. All else is in the plan.
pub const SETTINGS: [&str; 3] = [TIME_ZONE, NOT_NULL, BATCH_SIZE];

/// The operators of SQL, for tasks of any SQL plan.
#[derive(Clone, Default, Debug)]
pub struct SqlOperators {
    functions: Arc<RwLock<Functions>>,
}

impl SqlOperators {
    /// Operators whose expressions may call these functions.
    pub fn new(functions: Functions) -> Self {
        SqlOperators { functions: Arc::new(RwLock::new(functions)) }
    }

    /// Replaces the functions that expressions of newly started jobs may call. They must include all earlier
    /// ones.
    pub fn set_functions(&self, functions: Functions) {
        *self.functions.write() = functions;
    }

    /// What an operator of this job knows of it.
    fn context(&self, info: &TaskInfo, options: &TaskOptions) -> Result<BuildContext> {
        let mut seed = u64::from(info.subtask.0) ^ options.submitted_at as u64;
        for byte in info.uid.0.bytes() {
            seed = (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(BuildContext {
            time_zone: time_zone(options)?,
            query_time: options.submitted_at,
            streaming: !options.batch,
            seed,
            max_parallelism: info.max_parallelism,
            functions: self.functions.read().clone(),
            options: Some(Arc::new(options.clone())),
            ..BuildContext::default()
        })
    }
}

fn time_zone(options: &TaskOptions) -> Result<Tz> {
    let read = Reader(&options.configuration);
    match read.text(TIME_ZONE) {
        None | Some("default") => Ok(Tz::UTC),
        Some(zone) => zone.parse().map_err(|_| read.wrong(TIME_ZONE, "a zone such as Europe/Berlin or UTC")),
    }
}

fn not_null(options: &TaskOptions) -> Result<NotNull> {
    let read = Reader(&options.configuration);
    match read.text(NOT_NULL).map(str::to_ascii_lowercase).as_deref() {
        None | Some("error") => Ok(NotNull::Error),
        Some("drop") => Ok(NotNull::Drop),
        Some(_) => Err(read.wrong(NOT_NULL, "ERROR or DROP")),
    }
}

impl OperatorFactory for SqlOperators {
    fn build(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
        outside: &Outside,
    ) -> Result<Box<dyn Operator>> {
        let context = BuildContext { memory: Some(outside.memory.clone()), ..self.context(info, options)? };
        build(node, &context, outside)
    }

    fn constant_rows(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<ConstantRows> {
        let OperatorSpec::Values { rows } = &node.node.spec else {
            return Err(Error::internal(format!("'{}' has no constant rows", node.node.name)));
        };
        // They are the same in every subtask that may compute them.
        let seed = options.submitted_at as u64;
        let context = BuildContext { seed, ..self.context(info, options)? };
        let (rows, schema) = (rows.clone(), node.node.schema.clone());
        Ok(Box::new(move || values::evaluate(&rows, &schema, &context)))
    }

    fn watermarks(
        &self,
        spec: &WatermarkSpec,
        schema: &Schema,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<GeneratorFactory> {
        Ok(WatermarkExpression::new(spec, schema, &self.context(info, options)?)?.factory())
    }

    /// What a program computes is code of that program, and not in the plan.
    fn check(&self, plan: &JobGraph) -> Result<()> {
        let operators = plan.vertices.iter().flat_map(|vertex| &vertex.operators);
        let of_program = |operator: &ChainedNode| {
            let OperatorSpec::Function { program, .. } = &operator.node.spec else { return None };
            Some(program.clone())
        };
        match operators.filter_map(of_program).next() {
            None => Ok(()),
            Some(program) => Err(Error::unsupported(format!(
                "program '{program}' on this cluster: its functions are code of its own process, and the TaskManagers here run plans \
                 of SQL. Run the program itself: it has a cluster of its own"
            ))),
        }
    }

    /// SQL sends only columns.
    fn records(&self, _: &ChainedNode, _: Option<&str>) -> Result<Option<RecordsReader>> {
        Ok(None)
    }

    fn constraint(&self, table: &TableSpec, options: &TaskOptions) -> Result<Option<Box<dyn Constraint>>> {
        let constraint = NotNullColumns::of(table, not_null(options)?);
        Ok(constraint.map(|constraint| Box::new(constraint) as Box<dyn Constraint>))
    }
}
