//! Calls and windows.

use std::fmt::{Display, Formatter, Result};

use super::{clause, list, parenthesised};
use crate::ast::{
    Argument, ArgumentValue, Call, FrameBound, JsonBehavior, JsonClauses, NamedWindow, OrderItem, Over,
    Quantifier, TableArgument, TableSource, WindowFrame, WindowSpec,
};

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.name.fmt(f)?;
        if self.parentheses {
            f.write_str(match self.quantifier {
                None => "(",
                Some(Quantifier::Distinct) => "(DISTINCT ",
                Some(Quantifier::All) => "(ALL ",
            })?;
            match is_key_value(self) {
                true => key_values(f, &self.args)?,
                false => list(f, &self.args, ", ")?,
            }
            clause(f, " ORDER BY ", &self.order_by)?;
            self.json.iter().try_for_each(|json| json.fmt(f))?;
            f.write_str(")")?;
        }
        if let Some(ignore) = self.ignore_nulls {
            f.write_str(if ignore { " IGNORE NULLS" } else { " RESPECT NULLS" })?;
        }
        if !self.within_group.is_empty() {
            clause(f, " WITHIN GROUP (ORDER BY ", &self.within_group)?;
            f.write_str(")")?;
        }
        self.filter.iter().try_for_each(|filter| write!(f, " FILTER (WHERE {filter})"))?;
        self.over.iter().try_for_each(|over| write!(f, " OVER {over}"))
    }
}

fn is_key_value(call: &Call) -> bool {
    call.json.is_some()
        && call.name.single().is_some_and(|name| {
            ["JSON_OBJECT", "JSON_OBJECTAGG"].iter().any(|known| name.value.eq_ignore_ascii_case(known))
        })
}

fn key_values(f: &mut Formatter<'_>, args: &[Argument]) -> Result {
    for (index, pair) in args.chunks(2).enumerate() {
        if let [key, value] = pair {
            write!(f, "{}KEY {key} VALUE {value}", if index > 0 { ", " } else { "" })?;
        }
    }
    Ok(())
}

impl Display for JsonClauses {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.returning.iter().try_for_each(|ty| write!(f, " RETURNING {ty}"))?;
        match self.wrapper {
            Some(crate::ast::JsonWrapper::Without) => f.write_str(" WITHOUT WRAPPER")?,
            Some(wrapper) => write!(f, " WITH {} WRAPPER", wrapper.as_str())?,
            None => {}
        }
        self.on_empty.iter().try_for_each(|behavior| write!(f, " {behavior} ON EMPTY"))?;
        self.on_error.iter().try_for_each(|behavior| write!(f, " {behavior} ON ERROR"))?;
        match self.absent_on_null {
            Some(true) => f.write_str(" ABSENT ON NULL"),
            Some(false) => f.write_str(" NULL ON NULL"),
            None => Ok(()),
        }
    }
}

impl Display for JsonBehavior {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            JsonBehavior::Default(expr) => write!(f, "DEFAULT {expr}"),
            other => f.write_str(other.as_str()),
        }
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.name.iter().try_for_each(|name| write!(f, "{name} => "))?;
        self.value.fmt(f)
    }
}

impl Display for ArgumentValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            ArgumentValue::Expr(expr) => expr.fmt(f),
            ArgumentValue::Star(_) => f.write_str("*"),
            ArgumentValue::Table(table) => table.fmt(f),
            ArgumentValue::Descriptor(_, columns) => {
                f.write_str("DESCRIPTOR")?;
                parenthesised(f, columns)
            }
            ArgumentValue::Model(_, name) => write!(f, "MODEL {name}"),
            ArgumentValue::Default(_) => f.write_str("DEFAULT"),
        }
    }
}

impl Display for TableArgument {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.source {
            TableSource::Name(name) => write!(f, "TABLE {name}")?,
            TableSource::Query(query) => write!(f, "TABLE ({query})")?,
        }
        if !self.partition_by.is_empty() {
            f.write_str(" PARTITION BY ")?;
            parenthesised(f, &self.partition_by)?;
        }
        if !self.order_by.is_empty() {
            f.write_str(" ORDER BY ")?;
            parenthesised(f, &self.order_by)?;
        }
        Ok(())
    }
}

impl Display for OrderItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.expr.fmt(f)?;
        if let Some(descending) = self.descending {
            f.write_str(if descending { " DESC" } else { " ASC" })?;
        }
        match self.nulls_first {
            Some(true) => f.write_str(" NULLS FIRST"),
            Some(false) => f.write_str(" NULLS LAST"),
            None => Ok(()),
        }
    }
}

impl Display for Over {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Over::Name(name) => name.fmt(f),
            Over::Window(spec) => spec.fmt(f),
        }
    }
}

impl Display for NamedWindow {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} AS {}", self.name, self.spec)
    }
}

impl Display for WindowSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("(")?;
        let mut blank = "";
        if let Some(base) = &self.base {
            base.fmt(f)?;
            blank = " ";
        }
        if !self.partition_by.is_empty() {
            f.write_str(blank)?;
            clause(f, "PARTITION BY ", &self.partition_by)?;
            blank = " ";
        }
        if !self.order_by.is_empty() {
            f.write_str(blank)?;
            clause(f, "ORDER BY ", &self.order_by)?;
            blank = " ";
        }
        self.frame.iter().try_for_each(|frame| write!(f, "{blank}{frame}"))?;
        f.write_str(")")
    }
}

impl Display for WindowFrame {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let units = if self.rows { "ROWS" } else { "RANGE" };
        match &self.end {
            Some(end) => write!(f, "{units} BETWEEN {} AND {end}", self.start),
            None => write!(f, "{units} {}", self.start),
        }
    }
}

impl Display for FrameBound {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            FrameBound::CurrentRow => f.write_str("CURRENT ROW"),
            FrameBound::Preceding(None) => f.write_str("UNBOUNDED PRECEDING"),
            FrameBound::Following(None) => f.write_str("UNBOUNDED FOLLOWING"),
            FrameBound::Preceding(Some(distance)) => write!(f, "{distance} PRECEDING"),
            FrameBound::Following(Some(distance)) => write!(f, "{distance} FOLLOWING"),
        }
    }
}
