//! The description of MATCH_RECOGNIZE, as Flink's EXPLAIN writes it.

use flott_plan::{
    Column, PatternCondition, PatternReference, PatternShape, PatternSkip, PatternSpec, PatternValue,
    PatternVariable, Schema,
};

use super::describe;
use crate::logical::Field;

pub(super) fn describe(spec: &PatternSpec, input: &Schema, output: &[Field]) -> String {
    let partition = match spec.partition.is_empty() {
        true => String::new(),
        false => format!("partitionBy=[{}], ", describe::names(&spec.partition, input)),
    };
    let time = spec.time_column.map_or("proctime".to_owned(), |time| describe::names(&[time], input));
    let further = match spec.order.is_empty() {
        true => String::new(),
        false => format!(", {}", describe::sort_keys(&spec.order, input)),
    };
    let references = read(spec, &spec.references, input);
    let measures = spec.measures.iter().zip(&output[spec.partition.len()..]);
    let measures: Vec<String> = measures
        .map(|(expr, field)| format!("{} AS {}", describe::expr(expr, &references), field.name))
        .collect();
    let pattern = match &spec.shape {
        Some(shape) => written(spec, shape),
        None => spec.variables.iter().map(quantified).collect::<Vec<_>>().join(" "),
    };
    let within = spec.within.map(|within| format!(", within=[{within} ms]")).unwrap_or_default();
    let define: Vec<String> =
        spec.variables.iter().filter_map(|variable| defined(spec, variable, input)).collect();
    format!(
        "Match({partition}orderBy=[{time} ASC{further}], measures=[{}], rowsPerMatch=[ONE ROW PER MATCH], after=[{}], \
         pattern=[({})]{within}, define=[{{{}}}])",
        measures.join(", "),
        skip(spec),
        pattern,
        define.join(", ")
    )
}

fn quantified(variable: &PatternVariable) -> String {
    format!("{}{}", variable.name, quantifier(variable.min, variable.max, variable.greedy))
}

/// A pattern as it is written.
fn written(spec: &PatternSpec, shape: &PatternShape) -> String {
    let name = |variable: &usize| spec.variables.get(*variable).map_or("", |variable| &variable.name);
    let all = |parts: &[PatternShape], between: &str| {
        parts.iter().map(|part| written(spec, part)).collect::<Vec<_>>().join(between)
    };
    match shape {
        PatternShape::Variable(variable) => name(variable).to_owned(),
        PatternShape::Sequence(parts) => all(parts, " "),
        PatternShape::Choice(parts) => format!("({})", all(parts, " | ")),
        PatternShape::Permute(variables) => {
            format!("PERMUTE({})", variables.iter().map(name).collect::<Vec<_>>().join(", "))
        }
        PatternShape::Repeat { shape, min, max, greedy } => {
            let inner = written(spec, shape);
            let quantifier = quantifier(*min, *max, *greedy);
            match **shape {
                PatternShape::Variable(_) | PatternShape::Choice(_) => format!("{inner}{quantifier}"),
                _ => format!("({inner}){quantifier}"),
            }
        }
    }
}

fn quantifier(min: u32, max: Option<u32>, greedy: bool) -> String {
    let quantifier = match (min, max) {
        (1, Some(1)) => return String::new(),
        (0, None) => "*".to_owned(),
        (1, None) => "+".to_owned(),
        (0, Some(1)) => "?".to_owned(),
        (min, None) => format!("{{{min},}}"),
        (min, Some(max)) if min == max => format!("{{{min}}}"),
        (min, Some(max)) => format!("{{{min},{max}}}"),
    };
    format!("{quantifier}{}", if greedy { "" } else { "?" })
}

fn defined(spec: &PatternSpec, variable: &PatternVariable, input: &Schema) -> Option<String> {
    let condition = match variable.condition.as_ref()? {
        PatternCondition::Row(condition) => describe::expr(condition, input),
        PatternCondition::Path { references, condition } => {
            describe::expr(condition, &read(spec, references, input))
        }
    };
    Some(format!("{}={condition}", variable.name))
}

fn skip(spec: &PatternSpec) -> String {
    let name = |variable: usize| spec.variables.get(variable).map_or("", |variable| variable.name.as_str());
    match spec.skip {
        PatternSkip::ToNextRow => "SKIP TO NEXT ROW".to_owned(),
        PatternSkip::PastLastRow => "SKIP PAST LAST ROW".to_owned(),
        PatternSkip::ToFirst(variable) => format!("SKIP TO FIRST {}", name(variable)),
        PatternSkip::ToLast(variable) => format!("SKIP TO LAST {}", name(variable)),
    }
}

/// What expressions read, as columns with names in words.
fn read(spec: &PatternSpec, references: &[PatternReference], input: &Schema) -> Schema {
    let name = |reference: &PatternReference| {
        let rows = match reference.variables.len() == spec.variables.len() {
            true => "*".to_owned(),
            false => {
                let names = reference.variables.iter().filter_map(|variable| spec.variables.get(*variable));
                names.map(|variable| variable.name.as_str()).collect::<Vec<_>>().join("|")
            }
        };
        match &reference.value {
            PatternValue::First { column, offset } => {
                format!("FIRST({rows}.{}, {offset})", describe::names(&[*column], input))
            }
            PatternValue::Last { column, offset } => {
                format!("LAST({rows}.{}, {offset})", describe::names(&[*column], input))
            }
            PatternValue::Classifier => "CLASSIFIER()".to_owned(),
            PatternValue::Aggregate(call) => format!("{rows}.{}", describe::aggregate_call(call, input)),
        }
    };
    let column = |reference: &PatternReference| Column { name: name(reference), ty: reference.ty.clone() };
    Schema { columns: references.iter().map(column).collect() }
}
