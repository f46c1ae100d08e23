//! The merged values of accumulators.

use std::any::type_name;
use std::collections::BTreeMap;

use flott_cluster::JobMetrics;
use flott_operator::AccumulatorReport;
use flott_types::{Error, Result};

use flott_function::accumulator::Accumulator;

/// The accumulators of a job at one moment.
#[derive(Clone, Default, Debug)]
pub struct Totals(BTreeMap<String, Vec<AccumulatorReport>>);

impl Totals {
    pub(crate) fn new(metrics: &JobMetrics) -> Self {
        let mut parts: BTreeMap<String, Vec<AccumulatorReport>> = BTreeMap::new();
        for (_, operator) in metrics.operators() {
            for part in &operator.accumulators {
                parts.entry(part.name.clone()).or_default().push(part.clone());
            }
        }
        Totals(parts)
    }

    /// The names of the accumulators.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value of an accumulator, merged over all subtasks; `None` if there is none of that name.
    ///
    /// # Errors
    /// If the functions that create it use another type, or a part of it could not be serialised.
    pub fn get<A: Accumulator>(&self, name: &str) -> Result<Option<A::Output>> {
        let Some(parts) = self.0.get(name) else { return Ok(None) };
        let mut total = A::default();
        for part in parts {
            let wrong = |what: String| Error::invalid(format!("accumulator '{name}': {what}"));
            if part.kind != type_name::<A>() {
                return Err(wrong(format!("it is a {} and not a {}", part.kind, type_name::<A>())));
            }
            let text = part.value.as_ref().map_err(|why| wrong(why.clone()))?;
            total.merge(serde_json::from_str(text).map_err(|why| wrong(why.to_string()))?);
        }
        Ok(Some(total.into_value()))
    }
}
