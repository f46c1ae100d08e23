//! Arguments that are programs: regular expressions, date-time patterns, JSON paths. A constant one is
//! compiled once per expression, others once per batch and distinct string.

use std::fmt::Debug;

use arrow::array::ArrayRef;
use flott_expr::function::{Argument, Call, PreparedFunction};
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{FastMap, Result};

/// Compiles the text of a program. Whether `P` can be `None` is up to the function: most return NULL for an
/// invalid program.
pub(crate) type Compile<P> = fn(&str) -> Result<P>;
/// Evaluates a call that uses programs.
pub(crate) type Run<P> = fn(&[Value], &Call<'_>, &mut Programs<'_, P>) -> Result<ArrayRef>;

/// The compiled programs of a call.
#[derive(Debug)]
pub(crate) struct Programs<'a, P> {
    fixed: Option<&'a P>,
    compiled: FastMap<String, P>,
    compile: Compile<P>,
}

impl<P> Programs<'_, P> {
    /// No programs yet.
    pub(crate) fn new(compile: Compile<P>) -> Self {
        Programs { fixed: None, compiled: FastMap::default(), compile }
    }

    /// The program of a text.
    #[inline]
    pub(crate) fn get(&mut self, text: &str) -> Result<&P> {
        if let Some(fixed) = self.fixed {
            return Ok(fixed);
        }
        if !self.compiled.contains_key(text) {
            let program = (self.compile)(text)?;
            return Ok(self.compiled.entry(text.to_owned()).or_insert(program));
        }
        Ok(&self.compiled[text])
    }
}

#[derive(Debug)]
struct Prepared<P> {
    fixed: P,
    compile: Compile<P>,
    run: Run<P>,
}

impl<P: Debug + Send + Sync> PreparedFunction for Prepared<P> {
    fn evaluate(&self, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        let mut programs =
            Programs { fixed: Some(&self.fixed), compiled: FastMap::default(), compile: self.compile };
        (self.run)(args, call, &mut programs)
    }
}

/// For `ScalarFunction::prepare`: compiles the argument at a position if it is a constant.
pub(crate) fn prepare<P: Debug + Send + Sync + 'static>(
    args: &[Argument<'_>],
    position: usize,
    compile: Compile<P>,
    run: Run<P>,
) -> Result<Option<Box<dyn PreparedFunction>>> {
    match args.get(position).and_then(|arg| arg.literal) {
        Some(Literal::String(text)) => Ok(Some(Box::new(Prepared { fixed: compile(text)?, compile, run }))),
        _ => Ok(None),
    }
}

/// For `ScalarFunction::evaluate`: compiles on demand.
pub(crate) fn evaluate<P>(
    args: &[Value],
    call: &Call<'_>,
    compile: Compile<P>,
    run: Run<P>,
) -> Result<ArrayRef> {
    run(args, call, &mut Programs::new(compile))
}
