//! Functions that answer later: closures that return futures.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::ArrayRef;
use flott_types::{Error, Result};

use super::call::{FunctionBody, rows_of};
use super::failure::with_arguments;
use super::types::{SqlRow, SqlType, typed};
use super::{Body, FunctionDefinition, FunctionKind, UserFunction};
use crate::function::Determinism;
use crate::value::Value;

/// The columns of the answer to one row: one row of a scalar function, any number of a table function.
pub type AsyncAnswer = Pin<Box<dyn Future<Output = Result<Vec<ArrayRef>>> + Send>>;

type Asks = dyn Fn(&[Value], usize) -> Result<AsyncAnswer> + Send + Sync;

/// Asks for the answer to a row of arguments.
#[derive(Clone)]
pub(super) struct AsyncBody(Arc<Asks>);

/// A function that returns a value for each row, later. While one row waits, others are asked for. Its future runs on a tokio runtime.
///
/// ```
/// use flott_expr::user::async_scalar;
/// # async fn find(id: i64) -> flott_types::Result<String> { Ok(id.to_string()) }
///
/// let name = async_scalar(|id: i64| async move { find(id).await });
/// # let _ = name;
/// ```
pub fn async_scalar<Args, T: SqlType, F: FunctionBody<Args>>(body: F) -> FunctionDefinition
where
    F::Returned: Future<Output = Result<T>> + Send + 'static,
{
    FunctionDefinition {
        kind: FunctionKind::AsyncScalar,
        params: F::params(),
        names: Vec::new(),
        result: typed::<T>(),
        determinism: Determinism::Always,
        body: Body::Async(AsyncBody(Arc::new(move |args, row| {
            Ok(match body.call(args, row)? {
                None => Box::pin(ready(Ok(vec![T::array(vec![None])]))),
                Some(answer) => Box::pin(async move { Ok(vec![T::array(vec![Some(answer.await?)])]) }),
            })
        }))),
    }
}

/// A function that returns rows for each row, later: as [`table`](super::table), with a future.
///
/// ```
/// use flott_expr::user::async_table;
///
/// let words = async_table(|text: String| async move { Ok(text.split(' ').map(str::to_owned).collect::<Vec<_>>()) });
/// # let _ = words;
/// ```
pub fn async_table<Args, T: SqlRow, F: FunctionBody<Args>>(body: F) -> FunctionDefinition
where
    F::Returned: Future<Output = Result<Vec<T>>> + Send + 'static,
{
    FunctionDefinition {
        kind: FunctionKind::AsyncTable,
        params: F::params(),
        names: Vec::new(),
        result: rows_of::<T>(),
        determinism: Determinism::Always,
        body: Body::Async(AsyncBody(Arc::new(move |args, row| {
            Ok(match body.call(args, row)? {
                None => Box::pin(ready(Ok(T::columns(Vec::new())))),
                Some(answer) => Box::pin(async move { Ok(T::columns(answer.await?)) }),
            })
        }))),
    }
}

impl UserFunction {
    /// Whether it answers later.
    pub fn is_async(&self) -> bool {
        matches!(self.definition.body, Body::Async(_))
    }

    /// Whether it answers the same each time.
    pub fn is_pure(&self) -> bool {
        self.definition.determinism == Determinism::Always
    }

    /// Asks for the answer to a row of arguments, of a function that answers later.
    ///
    /// # Errors
    /// That of the function, with the arguments.
    pub fn ask(&self, args: &[Value], row: usize) -> Result<AsyncAnswer> {
        let Body::Async(AsyncBody(body)) = &self.definition.body else {
            return Err(Error::internal(format!("'{}' answers at once", self.shown)));
        };
        let failed = |error| with_arguments(&self.shown, args, row, error);
        let answer = body(args, row).map_err(failed)?;
        let (shown, args) = (self.shown.clone(), args.to_vec());
        Ok(Box::pin(async move { answer.await.map_err(|error| with_arguments(&shown, &args, row, error)) }))
    }
}

impl fmt::Debug for AsyncBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncBody")
    }
}
