//! Hints behind SELECT: each names tables of its FROM, and must find them.
//!
//! How to join is decided here, so that the hints BROADCAST, SHUFFLE_HASH, SHUFFLE_MERGE, NEST_LOOP and MULTI_JOIN change nothing.
//! STATE_TTL says how long the rows of a table are kept by the joins and the aggregation of its SELECT, LOOKUP how a table is looked up.

use flott_sql_parser::ast::{Hint, HintArg};
use flott_types::Result;
use flott_types::config::parse_duration;

use super::lookup_hint::lookup_hint;
use super::{Binder, Scope, at, wrong};
use crate::logical::{LookupHint, Rel};

/// The hints of a SELECT that is open.
#[derive(Default)]
pub(super) struct OpenHints {
    lookups: Vec<(LookupHint, bool)>,
    named: Vec<Named>,
}

/// A table that a hint names.
struct Named {
    hint: usize,
    table: String,
    ttl: Option<i64>,
    found: bool,
}

impl Binder<'_> {
    /// Binds the FROM of a SELECT with these hints, each of which must find its tables.
    pub(super) fn under_hints<T>(&self, hints: &[Hint], from: impl FnOnce() -> Result<T>) -> Result<T> {
        self.hints.borrow_mut().push(open(hints)?);
        let bound = from();
        let read = self.hints.borrow_mut().pop().unwrap_or_default();
        let bound = bound?;
        let lost = |table: &str, hint: &Hint| {
            wrong(
                format!(
                    "The options of following hints cannot match the name of input tables or views: `{table}` in `{}`",
                    hint.name
                ),
                hint,
            )
        };
        let lookups = hints.iter().filter(|hint| hint.name == "LOOKUP");
        if let Some((hint, (of, _))) = lookups.zip(&read.lookups).find(|(_, (_, found))| !found) {
            return Err(lost(&of.table, hint));
        }
        match read.named.iter().find(|named| !named.found) {
            Some(named) => Err(lost(&named.table, &hints[named.hint])),
            None => Ok(bound),
        }
    }

    /// The hint LOOKUP for a table of this name; of several the first.
    pub(super) fn lookup_hint(&self, table: &str) -> Option<LookupHint> {
        let mut open = self.hints.borrow_mut();
        let mut of_table = open.last_mut()?.lookups.iter_mut().filter(|(hint, _)| hint.table == table);
        let (hint, found) = of_table.next()?;
        *found = true;
        of_table.for_each(|(_, found)| *found = true);
        Some(hint.clone())
    }

    /// A relation of FROM, with what the hints of its SELECT say of it.
    pub(super) fn hinted(&self, mut rel: Rel, scope: &mut Scope<'_>) -> Rel {
        let mut open = self.hints.borrow_mut();
        let (Some(open), [(name, _)]) = (open.last_mut(), scope.relations.as_slice()) else { return rel };
        let mut ttl = None;
        for named in open.named.iter_mut().filter(|named| named.table == *name) {
            named.found = true;
            ttl = ttl.or(named.ttl);
        }
        if ttl.is_some() {
            rel.fields.iter_mut().chain(&mut scope.fields).for_each(|field| field.state_ttl = ttl);
        }
        rel
    }
}

fn open(hints: &[Hint]) -> Result<OpenHints> {
    let mut open = OpenHints::default();
    for (at_hint, hint) in hints.iter().enumerate() {
        match hint.name.as_str() {
            "LOOKUP" => open.lookups.push((at(lookup_hint(hint), hint)?, false)),
            "STATE_TTL" => {
                for arg in &hint.args {
                    let HintArg::Option(table, value) = arg else {
                        return Err(wrong(
                            "Invalid list options in STATE_TTL hint, only support key-value options.",
                            hint,
                        ));
                    };
                    let Some(ttl) = parse_duration(value) else {
                        return Err(wrong(
                            format!("Invalid STATE_TTL hint value: '{value}' is no duration, such as '1d'"),
                            hint,
                        ));
                    };
                    open.named.push(Named {
                        hint: at_hint,
                        table: table.clone(),
                        ttl: Some(ttl),
                        found: false,
                    });
                }
            }
            "BROADCAST" | "SHUFFLE_HASH" | "SHUFFLE_MERGE" | "NEST_LOOP" | "MULTI_JOIN" => {
                let tables = hint.args.iter().map(|arg| match arg {
                    HintArg::Item(table) | HintArg::Option(table, _) => table.clone(),
                });
                open.named.extend(tables.map(|table| Named {
                    hint: at_hint,
                    table,
                    ttl: None,
                    found: false,
                }));
            }
            name => return Err(wrong(format!("there is no hint '{name}'"), hint)),
        }
    }
    Ok(open)
}
