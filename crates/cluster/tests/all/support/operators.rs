//! Operators of the tests, in place of a Calc with a certain name.

use std::sync::Arc;

use flott_batch::codec::RecordsReader;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_connector::GeneratorFactory;
use flott_operator::{Context, Operator, TaskInfo};
use flott_operators::SqlOperators;
use flott_plan::{ChainedNode, JobGraph, Schema, TableSpec, WatermarkSpec};
use flott_runtime::{ConstantRows, Constraint, OperatorFactory, Outside, TaskOptions};
use flott_types::{Result, Timestamp, Watermark};

/// `watermarks`: passes rows on and emits v of the last as a watermark. `ticker`: emits a row every few milliseconds. The
/// others break a rule each.
pub struct TestOperators;

fn sql() -> SqlOperators {
    SqlOperators::new(flott_functions::builtin())
}

impl OperatorFactory for TestOperators {
    fn build(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
        outside: &Outside,
    ) -> Result<Box<dyn Operator>> {
        Ok(match node.node.name.as_str() {
            "watermarks" => Box::new(Watermarks),
            "ticker" => Box::new(Ticker { left: 5 }),
            "back" => Box::new(Breaker(|context| {
                context.output.watermark(Watermark(5))?;
                context.output.watermark(Watermark(4))
            })),
            "types" => Box::new(Breaker(|context| {
                let schema = arrow_type::schema([("v", &super::bigint())]);
                let columns = arrow::array::RecordBatch::new_empty(schema);
                context.output.emit(ChangeBatch::insert_only(columns).into())
            })),
            _ => return sql().build(node, info, options, outside),
        })
    }

    fn constant_rows(
        &self,
        node: &ChainedNode,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<ConstantRows> {
        sql().constant_rows(node, info, options)
    }

    fn watermarks(
        &self,
        spec: &WatermarkSpec,
        schema: &Schema,
        info: &TaskInfo,
        options: &TaskOptions,
    ) -> Result<GeneratorFactory> {
        sql().watermarks(spec, schema, info, options)
    }

    fn check(&self, plan: &JobGraph) -> Result<()> {
        sql().check(plan)
    }

    fn records(&self, node: &ChainedNode, tag: Option<&str>) -> Result<Option<RecordsReader>> {
        sql().records(node, tag)
    }

    fn constraint(&self, table: &TableSpec, options: &TaskOptions) -> Result<Option<Box<dyn Constraint>>> {
        sql().constraint(table, options)
    }
}

struct Watermarks;

impl Operator for Watermarks {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Batch::Changes(changes) = &batch else { return Ok(()) };
        let last = super::pairs(changes.columns()).last().map_or(0, |(_, v)| *v);
        context.output.emit(batch)?;
        context.output.watermark(Watermark(last))
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if watermark == Watermark::MAX { context.output.watermark(watermark) } else { Ok(()) }
    }
}

struct Ticker {
    left: i64,
}

impl Operator for Ticker {
    fn open(&mut self, _: flott_state::RestoredState, context: &mut Context<'_>) -> Result<()> {
        context.schedule(context.now + 2);
        Ok(())
    }

    fn process(&mut self, _: usize, _: Batch, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let column = Arc::new(arrow::array::Int64Array::from(vec![self.left]));
        let columns = vec![column.clone() as arrow::array::ArrayRef, column];
        let columns =
            arrow::array::RecordBatch::try_new(arrow_type::schema(super::schema().iter()), columns).unwrap();
        context.output.emit(ChangeBatch::insert_only(columns).into())?;
        self.left -= 1;
        if self.left > 0 {
            context.schedule(now + 2);
        }
        Ok(())
    }
}

struct Breaker(fn(&mut Context<'_>) -> Result<()>);

impl Operator for Breaker {
    fn process(&mut self, _: usize, _: Batch, context: &mut Context<'_>) -> Result<()> {
        (self.0)(context)
    }
}
