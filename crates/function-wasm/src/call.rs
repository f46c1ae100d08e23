//! Calls of a function for the rows of a batch.

use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Fields};
use flott_expr::Value;
use flott_expr::user::ArtifactLimits;
use flott_types::{Error, Result};
use wasmtime::Engine;
use wasmtime::component::{ComponentExportIndex, InstancePre, Val};

use crate::engine::{Limits, failure, refuel, store};
use crate::shape::{Returns, RowForm, Shape, Signature};
use crate::values::{lifted, lowered};

/// A function of a component.
pub(crate) struct Function {
    pub engine: Engine,
    pub component: InstancePre<Limits>,
    pub export: ComponentExportIndex,
    pub signature: Signature,
    pub limits: ArtifactLimits,
}

impl Function {
    /// Computes a batch.
    ///
    /// # Errors
    /// If the function fails, or uses more than it may.
    pub fn evaluate(
        &self,
        args: &[Value],
        rows: usize,
        wanted: &DataType,
        computed: &Cell<usize>,
    ) -> Result<ArrayRef> {
        let mut returned = Vec::with_capacity(rows);
        let mut instance = None;
        for row in 0..rows {
            computed.set(row);
            let Some(params) = self.lowered(args, row)? else {
                returned.push(None);
                continue;
            };
            let (store, function) = match &mut instance {
                Some(instance) => instance,
                none => none.insert(self.instance()?),
            };
            refuel(store, self.limits)?;
            let mut results = [Val::Bool(false)];
            function
                .call(&mut *store, &params, &mut results)
                .map_err(|error| failure(&error, self.limits))?;
            let [result] = results;
            returned.push(Some(self.succeeded(result)?));
        }
        match &self.signature.returns {
            Returns::Value(shape) => lifted(*shape, returned),
            Returns::Rows(form, columns) => lists(*form, columns, returned, wanted),
        }
    }

    fn instance(&self) -> Result<(wasmtime::Store<Limits>, wasmtime::component::Func)> {
        let mut store = store(&self.engine, self.limits)?;
        let failed =
            |error: wasmtime::Error| failure(&error, self.limits).context("its component cannot be started");
        let instance = self.component.instantiate(&mut store).map_err(failed)?;
        let function = instance.get_func(&mut store, self.export);
        let function = function.ok_or_else(|| Error::internal("a function of a component is lost"))?;
        Ok((store, function))
    }

    /// The arguments of a row; `None` if one is NULL and cannot be.
    fn lowered(&self, args: &[Value], row: usize) -> Result<Option<Vec<Val>>> {
        let mut params = Vec::with_capacity(args.len());
        for (value, (_, shape)) in args.iter().zip(&self.signature.params) {
            match lowered(*shape, value.held().as_ref(), value.position(row))? {
                Some(param) => params.push(param),
                None => return Ok(None),
            }
        }
        Ok(Some(params))
    }

    /// The value in a `result`.
    fn succeeded(&self, result: Val) -> Result<Val> {
        match result {
            Val::Result(either) if self.signature.fallible => match either {
                Ok(Some(value)) => Ok(*value),
                Ok(None) => Err(Error::internal("a component returned no value")),
                Err(Some(error)) => match *error {
                    Val::String(message) => Err(Error::data(message)),
                    other => Err(Error::data(format!("{other:?}"))),
                },
                Err(None) => Err(Error::data("it returned an error")),
            },
            value => Ok(value),
        }
    }
}

/// The rows of a table function.
fn lists(
    form: RowForm,
    shapes: &[(String, Shape)],
    returned: Vec<Option<Val>>,
    wanted: &DataType,
) -> Result<ArrayRef> {
    let mut columns: Vec<Vec<Option<Val>>> = vec![Vec::new(); shapes.len()];
    let (mut lengths, mut valid, mut count) = (Vec::with_capacity(returned.len()), Vec::new(), 0);
    let unexpected = |found: &Val| Error::internal(format!("a component returned {found:?} for a row"));
    for rows in returned {
        valid.push(rows.is_some());
        let rows = match rows {
            None => Vec::new(),
            Some(Val::List(rows)) => rows,
            Some(other) => return Err(unexpected(&other)),
        };
        lengths.push(rows.len());
        count += rows.len();
        for row in rows {
            let values: Vec<Val> = match (form, row) {
                (RowForm::Single, value) => vec![value],
                (RowForm::Tuple, Val::Tuple(values)) => values,
                (RowForm::Record, Val::Record(fields)) => {
                    fields.into_iter().map(|(_, value)| value).collect()
                }
                (_, other) => return Err(unexpected(&other)),
            };
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(Some(value)));
        }
    }
    let columns = columns.into_iter().zip(shapes).map(|(values, (_, shape))| lifted(*shape, values));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let failed = |error| Error::internal("the rows of a table function").with_source(error);
    let DataType::List(item) = wanted else {
        return Err(Error::internal("a table function returns an ARRAY"));
    };
    let fields: Fields = match item.data_type() {
        DataType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    };
    let structs = StructArray::try_new_with_length(fields, columns, None, count).map_err(failed)?;
    let nulls = NullBuffer::from(valid);
    let nulls = (nulls.null_count() > 0).then_some(nulls);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(item.clone(), offsets, Arc::new(structs), nulls).map_err(failed)?))
}
