//! Calls of process table functions: `f(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), uid => 'x')`.

use flott_expr::bind;
use flott_expr::fold_once;
use flott_expr::user::{ProcessParameter, TableTraits, UserFunction};
use flott_plan::{ChangelogMode, Expr, Literal, ProcessTableSpec, ProcessedTable, SortKey};
use flott_sql_parser::ast::{Argument, ArgumentValue, Expr as Ast, ExprKind, Ident, ObjectName, Relation};
use flott_types::{LogicalType, Result, TypeKind};

use super::expr::ExprBinder;
use super::query::sort_key;
use super::select::unique_names;
use super::window::{Data, by_name, table_of};
use super::{Binder, Scope, at, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode, TimeAttribute, is_time_attribute_type};
use crate::optimize::is_deterministic;

/// What every such function takes behind its own parameters.
const IMPLICIT: [&str; 2] = ["on_time", "uid"];

impl Binder<'_> {
    /// The relation that a call gives.
    pub(super) fn process_table(
        &self,
        function: &UserFunction,
        name: &ObjectName,
        args: &[Argument],
        node: &Relation,
    ) -> Result<Rel> {
        let Some(process) = function.process() else {
            return Err(wrong(format!("{name} takes no tables"), node));
        };
        if !self.context.streaming {
            return Err(unsupported(format!("the process table function {name} in batch mode"), node));
        }
        let parameters = process.parameters();
        let names: Vec<&str> = parameters.iter().map(ProcessParameter::name).chain(IMPLICIT).collect();
        let given = by_name(&name.to_string(), &names, args, node)?;
        let (own, implicit) = given.split_at(parameters.len());
        let mut inputs = Vec::new();
        let mut tables = Vec::new();
        let mut arguments = Vec::new();
        for (parameter, given) in parameters.iter().zip(own) {
            match parameter {
                ProcessParameter::Table { name: table, traits } => {
                    let given = given.ok_or_else(|| {
                        wrong(format!("the call of {name} lacks the table '{table}'"), node)
                    })?;
                    let (input, bound) = self.processed(name, table, *traits, inputs.len(), given)?;
                    inputs.push(input);
                    tables.push(bound);
                }
                ProcessParameter::Scalar { name: argument, ty, optional } => {
                    let ty = ty.kind.clone().with_nullable(ty.nullable);
                    arguments.push(self.constant(name, argument, ty, *optional, *given, node)?);
                }
            }
        }
        partitions_match(&inputs, &tables, name, node)?;
        if tables.len() > 1 && tables.iter().any(|table| table.passes_columns) {
            return Err(wrong(
                "Pass-through columns are not supported if multiple table arguments are declared.",
                node,
            ));
        }
        let traits = parameters.iter().filter_map(|parameter| match parameter {
            ProcessParameter::Table { name, traits } => Some((name.as_str(), *traits)),
            ProcessParameter::Scalar { .. } => None,
        });
        let traits: Vec<(&str, TableTraits)> = traits.collect();
        let rowtime = self.on_time(implicit[0], &inputs, &mut tables, &traits, node)?;
        let uid = self.uid(implicit[1], name)?;

        let mut fields: Vec<Field> = Vec::new();
        for (input, table) in inputs.iter().zip(&tables) {
            let kept: Vec<usize> = match &table.partition {
                _ if table.passes_columns => (0..input.fields.len()).collect(),
                Some(partition) => partition.clone(),
                None => Vec::new(),
            };
            fields.extend(kept.into_iter().map(|column| {
                let field = &input.fields[column];
                // Where all columns pass through, so does the time.
                let time = field.time.filter(|_| table.passes_columns);
                let nullable = field.ty.nullable || tables.len() > 1;
                Field::timed(field.name.clone(), field.ty.clone().with_nullable(nullable), time)
            }));
        }
        let columns = function.columns().iter();
        fields.extend(columns.map(|column| Field::new(column.name.clone(), column.ty.clone())));
        if let Some(ty) = rowtime {
            fields.push(Field::timed("rowtime", ty, Some(TimeAttribute::Event)));
        }
        unique_names(&mut fields);
        if inputs.is_empty() {
            let ty = TypeKind::Int.not_null();
            let row = vec![Expr::literal(Literal::Integer(0), ty.clone())];
            inputs.push(Rel::new(RelNode::Values(vec![row]), vec![Field::new("ZERO", ty)]));
            tables.push(ProcessedTable { nothing: true, ..ProcessedTable::default() });
        }
        let spec = ProcessTableSpec {
            function: function.called().to_owned(),
            uid,
            tables,
            arguments,
            ttl: 0,
            output: ChangelogMode::insert_only(),
        };
        Ok(Rel::new(RelNode::ProcessTable { inputs, spec }, fields))
    }

    /// A table argument.
    fn processed(
        &self,
        function: &ObjectName,
        name: &str,
        traits: TableTraits,
        position: usize,
        given: &ArgumentValue,
    ) -> Result<(Rel, ProcessedTable)> {
        let Some(data) = table_of(given) else {
            return Err(wrong(format!("the argument '{name}' of {function} is TABLE t or a query"), given));
        };
        let plain = data.partition_by.is_empty() && data.order_by.is_empty();
        if !(traits.set || plain) {
            let (what, clause) = match data.partition_by.is_empty() {
                false => ("partitioned", "PARTITION BY"),
                true => ("ordered", "ORDER BY"),
            };
            return Err(wrong(
                format!(
                    "Only tables with set semantics may be {what}. Invalid {clause} clause in the {position}-th operand of \
                     table function '{function}'"
                ),
                given,
            ));
        }
        if traits.takes_updates && traits.passes_columns {
            return Err(wrong("Signatures with updating inputs must not pass columns through.", given));
        }
        let input = self.table_argument(&data)?;
        let partition = match traits.set {
            false => None,
            true => Some(columns_of_partition(&input, &data)?),
        };
        if partition.as_ref().is_some_and(Vec::is_empty) && !traits.optional_partition {
            return Err(wrong(
                format!("Table argument '{name}' requires a PARTITION BY clause for parallel processing"),
                given,
            ));
        }
        let table = ProcessedTable {
            columns: input.fields.iter().map(|field| field.name.clone()).collect(),
            partition,
            order: self.order_of_table(&input, name, &data, given)?,
            passes_columns: traits.passes_columns,
            takes_updates: traits.takes_updates,
            requires_update_before: traits.requires_update_before,
            requires_full_delete: traits.requires_full_delete,
            ..ProcessedTable::default()
        };
        Ok((input, table))
    }

    fn order_of_table(
        &self,
        input: &Rel,
        name: &str,
        data: &Data<'_>,
        given: &ArgumentValue,
    ) -> Result<Vec<SortKey>> {
        let scope = Scope::of(None, input.fields.clone(), None);
        let mut keys = Vec::with_capacity(data.order_by.len());
        for item in data.order_by {
            let Expr::Column { index, .. } = ExprBinder::scalar(self, &scope).bind(&item.expr)? else {
                return Err(wrong("ORDER BY of a table argument takes columns", &item.expr));
            };
            keys.push(sort_key(index, item));
        }
        let Some(first) = keys.first() else { return Ok(keys) };
        let field = &input.fields[first.column];
        let refused = |why: String| {
            Err(wrong(format!("Invalid ORDER BY clause for table argument '{name}'. {why}"), given))
        };
        if !is_time_attribute_type(&field.ty) {
            return refused(format!(
                "The first ORDER BY column must be a TIMESTAMP or TIMESTAMP_LTZ column (up to precision 3). However, column \
                 '{}' has data type '{}'.",
                field.name, field.ty
            ));
        }
        if first.descending {
            return refused(
                "The first ORDER BY column on a timestamp column must be in ascending order.".to_owned(),
            );
        }
        match field.time {
            Some(TimeAttribute::Event) => Ok(keys),
            _ => Err(no_time(&field.name, "ORDER BY", given)),
        }
    }

    /// A constant argument, as a value of its parameter's type.
    fn constant(
        &self,
        function: &ObjectName,
        name: &str,
        ty: LogicalType,
        optional: bool,
        given: Option<&ArgumentValue>,
        node: &Relation,
    ) -> Result<Expr> {
        let null = || Ok(Expr::literal(Literal::Null, ty.clone().with_nullable(true)));
        match given {
            None if optional => null(),
            Some(ArgumentValue::Default(_)) if optional => null(),
            None => Err(wrong(format!("the call of {function} lacks the argument '{name}'"), node)),
            Some(ArgumentValue::Default(_)) => {
                Err(wrong("DEFAULT is only allowed for optional parameters", node))
            }
            Some(ArgumentValue::Expr(expr)) => {
                let scope = Scope::of(None, Vec::new(), None);
                let bound = ExprBinder::scalar(self, &scope).bind(expr)?;
                if !bind::assignable(bound.ty(), &ty.clone().with_nullable(true)) {
                    return Err(wrong(
                        format!("the argument '{name}' of {function} is {}; it takes {ty}", bound.ty()),
                        expr,
                    ));
                }
                let nullable = bound.ty().nullable;
                let wanted = ty.with_nullable(nullable);
                // It stays what it is when the job is restored.
                let seed = self.context.query_time as u64;
                let constant = fold_once(at(bind::cast(bound, wanted, false), expr)?, self.context, seed)?;
                match is_deterministic(&constant, &self.context.functions) {
                    true => Ok(constant),
                    false => Err(wrong(
                        format!(
                            "the argument '{name}' of {function} is a constant, and this cannot be computed when the query is planned"
                        ),
                        expr,
                    )),
                }
            }
            Some(other) => Err(wrong(format!("the argument '{name}' of {function} is a value"), other)),
        }
    }

    /// `on_time => DESCRIPTOR(ts)`: each column is the event time of the tables that have it. Gives the type of the time.
    fn on_time(
        &self,
        given: Option<&ArgumentValue>,
        inputs: &[Rel],
        tables: &mut [ProcessedTable],
        traits: &[(&str, TableTraits)],
        node: &Relation,
    ) -> Result<Option<LogicalType>> {
        let columns = match given {
            None | Some(ArgumentValue::Default(_)) => {
                let missing = traits.iter().find(|(_, traits)| traits.requires_time);
                return match missing {
                    None => Ok(None),
                    Some((name, _)) => Err(wrong(
                        format!(
                            "Table argument '{name}' requires a time attribute. Please provide one using the implicit `on_time` \
                             argument. For example: myFunction(..., on_time => DESCRIPTOR(`my_timestamp`))"
                        ),
                        node,
                    )),
                };
            }
            Some(ArgumentValue::Descriptor(_, columns)) if !columns.is_empty() => columns,
            Some(other) => return Err(wrong("on_time is a DESCRIPTOR of columns", other)),
        };
        let mut times: Vec<LogicalType> = Vec::new();
        for ((input, table), (name, _)) in inputs.iter().zip(tables.iter_mut()).zip(traits) {
            if let Some((place, ty)) = time_of_table(columns, input, name)? {
                table.time = Some(place);
                times.push(ty);
            }
        }
        let known = |column: &Ident| {
            inputs.iter().any(|input| input.fields.iter().any(|field| field.name == column.value))
        };
        if let Some(unknown) = columns.iter().find(|column| !known(column)) {
            return Err(unknown_time(unknown));
        }
        let missing = tables.iter().zip(traits).filter(|(table, _)| table.time.is_none());
        let missing: Vec<&str> = missing.map(|(_, (name, _))| *name).collect();
        if !missing.is_empty() {
            return Err(wrong(
                format!(
                    "Invalid time attribute declaration. If multiple tables are declared, the `on_time` argument must reference a \
                     time column for each table argument or none. Missing time attributes for: [{}]",
                    missing.join(", ")
                ),
                node,
            ));
        }
        at(bind::common_type(&times), node).map(Some)
    }

    /// `uid => 'x'`; the function's name without it.
    fn uid(&self, given: Option<&ArgumentValue>, name: &ObjectName) -> Result<String> {
        let refused = |found: &str, place: &ArgumentValue| {
            wrong(
                format!(
                    "Invalid unique identifier for process table function. The `uid` argument must be a string literal that \
                     follows the pattern [a-zA-Z_][a-zA-Z-_0-9]*. But found: {found}"
                ),
                place,
            )
        };
        match given {
            None | Some(ArgumentValue::Default(_)) => Ok(name.parts().last().cloned().unwrap_or_default()),
            Some(place @ ArgumentValue::Expr(expr)) => {
                let scope = Scope::of(None, Vec::new(), None);
                match ExprBinder::scalar(self, &scope).bind(expr)? {
                    Expr::Literal { value: Literal::String(uid), .. } if is_uid(&uid) => Ok(uid),
                    Expr::Literal { value: Literal::String(uid), .. } => Err(refused(&uid, place)),
                    _ => Err(refused(&expr.to_string(), place)),
                }
            }
            Some(other) => Err(refused(&other.to_string(), other)),
        }
    }
}

/// Whether a text follows `[a-zA-Z_][a-zA-Z-_0-9]*`.
fn is_uid(text: &str) -> bool {
    let starts = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(starts) && text.chars().all(|c| starts(c) || c.is_ascii_digit() || c == '-')
}

fn columns_of_partition(input: &Rel, data: &Data<'_>) -> Result<Vec<usize>> {
    let mut columns = Vec::new();
    for expr in data.partition_by {
        let members = match &expr.kind {
            ExprKind::Row(members) => members.as_slice(),
            _ => std::slice::from_ref(expr),
        };
        for member in members {
            columns.push(column_of_partition(input, member)?);
        }
    }
    Ok(columns)
}

fn column_of_partition(input: &Rel, member: &Ast) -> Result<usize> {
    let Some(name) = member.as_ident() else {
        return Err(wrong("PARTITION BY of a table argument takes columns", member));
    };
    input.fields.iter().position(|field| field.name == name.value).ok_or_else(|| {
        let known: Vec<&str> = input.fields.iter().map(|field| field.name.as_str()).collect();
        wrong(
            format!(
                "Invalid column '{}' for PARTITION BY clause. Available columns are: [{}]",
                name.value,
                known.join(", ")
            ),
            member,
        )
    })
}

/// Tables that are taken together have partitions of the same types, in order.
fn partitions_match(
    inputs: &[Rel],
    tables: &[ProcessedTable],
    name: &ObjectName,
    node: &Relation,
) -> Result<()> {
    let keys = |(input, table): (&Rel, &ProcessedTable)| {
        let partition = table.partition.as_ref()?;
        Some(partition.iter().map(|column| input.fields[*column].ty.kind.clone()).collect::<Vec<_>>())
    };
    let mut all = inputs.iter().zip(tables).map(keys);
    let Some(first) = all.next() else { return Ok(()) };
    for other in all {
        if first.is_none() || other.is_none() {
            return Err(wrong(format!("{name} takes several tables, which must have set semantics"), node));
        }
        if first != other {
            return Err(wrong(
                "Invalid PARTITION BY columns. The number of columns and their data types must match across all involved table \
                 arguments",
                node,
            ));
        }
    }
    Ok(())
}

/// The column of a table that `on_time` names, with the type of the event time that it gives.
pub(super) fn time_of_table(
    columns: &[Ident],
    input: &Rel,
    table: &str,
) -> Result<Option<(usize, LogicalType)>> {
    let mut found = columns.iter().filter_map(|column| {
        Some((column, input.fields.iter().position(|field| field.name == column.value)?))
    });
    let Some((column, place)) = found.next() else { return Ok(None) };
    if let Some((second, _)) = found.next() {
        return Err(wrong(
            format!(
                "Ambiguous time attribute found. The `on_time` argument must reference at most one column in each table \
                 argument. Currently, table argument '{table}' contains both '{}' and '{}'",
                column.value, second.value
            ),
            second,
        ));
    }
    Ok(Some((place, time_column(&input.fields[place], table, column)?)))
}

/// `on_time` names a column that no table has.
pub(super) fn unknown_time(column: &Ident) -> flott_types::Error {
    wrong(
        format!(
            "Invalid time attribute declaration. Each column in the `on_time` argument must reference at least one column \
             in one of the table arguments. Unknown references: [{}]",
            column.value
        ),
        column,
    )
}

fn time_column(field: &Field, table: &str, column: &Ident) -> Result<LogicalType> {
    if !is_time_attribute_type(&field.ty) {
        return Err(wrong(
            format!(
                "Unsupported data type for time attribute. The `on_time` argument must reference a TIMESTAMP or TIMESTAMP_LTZ \
                 column (up to precision 3). However, column '{}' in table argument '{table}' has data type '{}'.",
                field.name, field.ty
            ),
            column,
        ));
    }
    match field.time {
        Some(TimeAttribute::Event) => Ok(field.ty.clone().with_nullable(false)),
        _ => Err(no_time(&field.name, "the `on_time` argument", column)),
    }
}

fn no_time(column: &str, place: &str, node: &impl super::Place) -> flott_types::Error {
    wrong(
        format!(
            "Column '{column}' is not a valid time attribute. Only columns with a watermark declaration qualify for {place}. Also, \
             make sure that the watermarked column is forwarded without any modification."
        ),
        node,
    )
}
