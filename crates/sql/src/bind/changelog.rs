//! The table functions TO_CHANGELOG and FROM_CHANGELOG.

use flott_expr::fold;
use flott_plan::{ChangeCodes, Expr, Literal};
use flott_sql_parser::ast::{Argument, ArgumentValue, Ident, Relation};
use flott_types::{LogicalType, Result, TypeKind};

use super::expr::ExprBinder;
use super::process_table::{time_of_table, unknown_time};
use super::select::unique_names;
use super::window::{by_name, table_of};
use super::{Binder, Scope, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode};

/// The parameters of both.
const PARAMETERS: [&str; 5] = ["INPUT", "OP", "OP_MAPPING", "ON_TIME", "UID"];

/// The kinds of changes, in the order of [`ChangeCodes`].
const KINDS: [&str; 4] = ["INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"];

/// What both functions take.
struct Parts<'a> {
    input: Rel,
    /// The name of the column with the codes.
    op: String,
    op_at: Option<&'a Ident>,
    mapping: Option<Vec<(String, String)>>,
    /// The column that `on_time` names, and the type of the event time that it gives.
    time: Option<(usize, LogicalType)>,
}

/// What is known about the contents of a MAP of strings.
pub(super) enum Pairs {
    Constant(Vec<(String, String)>),
    Null,
    Unknown,
}

impl Binder<'_> {
    /// `TO_CHANGELOG(input => TABLE t, op => DESCRIPTOR(op), op_mapping => MAP['INSERT', 'I'])`, and its
    /// inverse; `None` for other functions.
    pub(crate) fn changelog_function(
        &self,
        function: &str,
        args: &[Argument],
        node: &Relation,
    ) -> Result<Option<Rel>> {
        match function {
            "TO_CHANGELOG" => {
                self.changes_as_rows(self.changelog_parts(function, args, node)?, node).map(Some)
            }
            "FROM_CHANGELOG" => {
                self.rows_as_changes(self.changelog_parts(function, args, node)?, node).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn changelog_parts<'a>(
        &self,
        function: &str,
        args: &'a [Argument],
        node: &Relation,
    ) -> Result<Parts<'a>> {
        let args = by_name(function, &PARAMETERS, args, node)?;
        let data = args[0].ok_or_else(|| wrong(format!("{function} lacks its argument input"), node))?;
        let Some(table) = table_of(data) else {
            return Err(wrong(format!("the argument input of {function} is TABLE t or a query"), data));
        };
        if !table.partition_by.is_empty() || !table.order_by.is_empty() {
            return Err(wrong(
                format!("{function} takes rows one by one: its input has neither PARTITION BY nor ORDER BY"),
                data,
            ));
        }
        let input = self.table_argument(&table)?;
        let time = match args[3] {
            None | Some(ArgumentValue::Default(_)) => None,
            Some(on_time) if function == "FROM_CHANGELOG" => {
                return Err(unsupported(format!("on_time of {function}"), on_time));
            }
            Some(ArgumentValue::Descriptor(_, columns)) if !columns.is_empty() => {
                match time_of_table(columns, &input, "input")? {
                    Some((place, ty)) => Some((place, ty)),
                    None => return Err(unknown_time(&columns[0])),
                }
            }
            Some(other) => return Err(wrong("on_time is a DESCRIPTOR of columns", other)),
        };
        let op_at = match args[1] {
            None => None,
            Some(ArgumentValue::Descriptor(_, columns)) if columns.len() == 1 => columns.first(),
            Some(other) => {
                return Err(wrong("the argument op is a DESCRIPTOR of exactly one column", other));
            }
        };
        let mapping = match args[2] {
            None => None,
            Some(ArgumentValue::Expr(expr)) => {
                let scope = Scope::of(None, Vec::new(), None);
                let bound = ExprBinder::scalar(self, &scope).bind(expr)?;
                match self.text_pairs(&bound)? {
                    Pairs::Constant(pairs) => Some(pairs),
                    Pairs::Null => None,
                    Pairs::Unknown => {
                        return Err(wrong(
                            "the argument op_mapping is a MAP of constant texts, MAP['INSERT', 'I', ...]",
                            expr,
                        ));
                    }
                }
            }
            Some(other) => return Err(wrong("the argument op_mapping is a MAP of constant texts", other)),
        };
        let op = op_at.map_or_else(|| "op".to_owned(), |column| column.value.clone());
        Ok(Parts { input, op, op_at, mapping, time })
    }

    /// The pairs of a constant MAP of strings; if keys repeat, the last one wins.
    pub(super) fn text_pairs(&self, map: &Expr) -> Result<Pairs> {
        let args = match map {
            Expr::Literal { value: Literal::Null, .. } => return Ok(Pairs::Null),
            Expr::Cast { input, .. } => return self.text_pairs(input),
            Expr::Call { function, args, .. } if function == "MAP" => args,
            _ => return Ok(Pairs::Unknown),
        };
        let mut texts = Vec::with_capacity(args.len());
        for arg in args {
            match fold(arg.clone(), self.context)? {
                Expr::Literal { value: Literal::String(text), .. } => texts.push(text),
                _ => return Ok(Pairs::Unknown),
            }
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in texts.chunks_exact(2) {
            pairs.retain(|(key, _)| *key != pair[0]);
            pairs.push((pair[0].clone(), pair[1].clone()));
        }
        Ok(Pairs::Constant(pairs))
    }

    fn changes_as_rows(&self, parts: Parts<'_>, node: &Relation) -> Result<Rel> {
        let Parts { input, op, op_at, mapping, time } = parts;
        if input.fields.iter().any(|field| field.name == op) {
            let message = format!(
                "the input of TO_CHANGELOG has a column '{op}' already: choose another with op => DESCRIPTOR(...)"
            );
            return Err(match op_at {
                Some(at) => wrong(message, at),
                None => wrong(message, node),
            });
        }
        let mut codes = ChangeCodes::default();
        match mapping {
            None => codes.0 = KINDS.map(|kind| vec![kind.to_owned()]),
            Some(pairs) => {
                for (kinds, code) in pairs {
                    for kind in kinds.split(',') {
                        let at = kind_at(kind.trim(), node)?;
                        if !codes.0[at].is_empty() {
                            return Err(twice(kind.trim(), "", node));
                        }
                        codes.0[at].push(code.clone());
                    }
                }
            }
        }
        let mut fields = vec![Field::new(op, TypeKind::STRING.nullable())];
        let Some((column, ty)) = time else {
            fields.extend(input.fields.iter().map(plain));
            return Ok(Rel::new(RelNode::ToChangelog { input: Box::new(input), codes }, fields));
        };
        // The columns stay what they are, and the time of each change follows them.
        let kept = |field: &Field| Field { time: field.time, ..plain(field) };
        fields.extend(input.fields.iter().map(kept));
        let rel = Rel::new(RelNode::ToChangelog { input: Box::new(input), codes }, fields);
        let names = rel.fields.iter().map(|field| field.name.clone());
        let mut exprs: Vec<(Expr, String)> = rel.columns().into_iter().zip(names).collect();
        exprs.push((Expr::Column { index: column + 1, ty: ty.clone() }, "rowtime".to_owned()));
        let mut rel = rel.project(exprs);
        if let Some(rowtime) = rel.fields.last_mut() {
            rowtime.ty = ty;
        }
        unique_names(&mut rel.fields);
        Ok(rel)
    }

    fn rows_as_changes(&self, parts: Parts<'_>, node: &Relation) -> Result<Rel> {
        let Parts { input, op, op_at, mapping, time: _ } = parts;
        let Some(column) = input.fields.iter().position(|field| field.name == op) else {
            let message = format!("the input of FROM_CHANGELOG has no column '{op}' for the operations");
            return Err(match op_at {
                Some(at) => wrong(message, at),
                None => wrong(message, node),
            });
        };
        let ty = &input.fields[column].ty;
        if !ty.kind.is_character() {
            return Err(wrong(
                format!("the operations of FROM_CHANGELOG are of type STRING, and '{op}' is {ty}"),
                node,
            ));
        }
        let mut codes = ChangeCodes::default();
        match mapping {
            None => codes.0 = KINDS.map(|kind| vec![kind.to_owned()]),
            Some(pairs) => {
                for (texts, kind) in pairs {
                    let at = kind_at(&kind, node)?;
                    if !codes.0[at].is_empty() {
                        let hint =
                            ": write the codes of one kind with commas between them, MAP['c, r', 'INSERT']";
                        return Err(twice(&kind, hint, node));
                    }
                    for code in texts.split(',').map(str::trim) {
                        if codes.0.iter().flatten().any(|known| known == code) {
                            let message = format!("op_mapping has the code '{code}' twice");
                            return Err(wrong(message, node));
                        }
                        codes.0[at].push(code.to_owned());
                    }
                }
                if codes.0[1].is_empty() && !codes.0[2].is_empty() {
                    return Err(unsupported(
                        "an op_mapping of FROM_CHANGELOG with UPDATE_AFTER and without UPDATE_BEFORE (upserts)",
                        node,
                    ));
                }
            }
        }
        let mut fields: Vec<Field> = input.fields.iter().map(plain).collect();
        fields.remove(column);
        Ok(Rel::new(RelNode::FromChangelog { input: Box::new(input), column, codes }, fields))
    }
}

/// The column without its time attribute.
fn plain(field: &Field) -> Field {
    Field { shown: field.shown, ..Field::new(field.name.clone(), field.ty.clone()) }
}

fn kind_at(kind: &str, node: &Relation) -> Result<usize> {
    KINDS.iter().position(|known| *known == kind).ok_or_else(|| {
        wrong(
            format!("op_mapping has the unknown change operation '{kind}'; there are {}", KINDS.join(", ")),
            node,
        )
    })
}

fn twice(kind: &str, hint: &str, node: &Relation) -> flott_types::Error {
    wrong(format!("op_mapping has the change operation '{kind}' twice{hint}"), node)
}
