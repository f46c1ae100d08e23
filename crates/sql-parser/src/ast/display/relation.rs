//! The items of FROM.

use std::fmt::{Display, Formatter, Result};

use super::{As, Quoted, clause, list, parenthesised};
use crate::ast::{
    AfterMatch, Definition, ErrorsInto, Hint, HintArg, Ident, Join, JoinConstraint, JoinKind, MatchRecognize,
    Measure, Pattern, Pivot, Relation, RelationKind, RowsPerMatch, Subset, TableAlias, TableWithJoins,
    Unpivot, UnpivotColumn,
};

impl Display for TableWithJoins {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.relation.fmt(f)?;
        list(f, &self.joins, "")
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let natural = if self.constraint == JoinConstraint::Natural { " NATURAL" } else { "" };
        let kind = match self.kind {
            JoinKind::Inner => "",
            JoinKind::Left => " LEFT",
            JoinKind::Right => " RIGHT",
            JoinKind::Full => " FULL",
            JoinKind::Cross => " CROSS",
        };
        write!(f, "{natural}{kind} JOIN {}", self.relation)?;
        match &self.constraint {
            JoinConstraint::On(condition) => write!(f, " ON {condition}"),
            JoinConstraint::Using(columns) => {
                f.write_str(" USING ")?;
                parenthesised(f, columns)
            }
            JoinConstraint::None | JoinConstraint::Natural => Ok(()),
        }
    }
}

/// The hints between something before and something behind; nothing without hints.
pub(super) fn hints(f: &mut Formatter<'_>, hints: &[Hint], before: &str, behind: &str) -> Result {
    if hints.is_empty() {
        return Ok(());
    }
    write!(f, "{before}/*+ ")?;
    list(f, hints, ", ")?;
    write!(f, " */{behind}")
}

impl Display for Hint {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(&self.name)?;
        if self.args.is_empty() { Ok(()) } else { parenthesised(f, &self.args) }
    }
}

impl Display for HintArg {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            HintArg::Option(key, value) => write!(f, "{} = {}", Quoted(key), Quoted(value)),
            HintArg::Item(item) => Quoted(item).fmt(f),
        }
    }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.kind {
            RelationKind::Table(table) => {
                table.name.fmt(f)?;
                hints(f, &table.hints, " ", "")?;
                if let Some(ErrorsInto { table, hints: own }) = &table.errors {
                    write!(f, " ERRORS INTO {table}")?;
                    hints(f, own, " ", "")?;
                }
                table.as_of.iter().try_for_each(|time| write!(f, " FOR SYSTEM_TIME AS OF {time}"))?;
            }
            RelationKind::Derived { lateral, query } => write!(f, "{}({query})", side(*lateral))?,
            RelationKind::Function { lateral, name, args } => {
                write!(f, "{}TABLE({name}", side(*lateral))?;
                parenthesised(f, args)?;
                f.write_str(")")?;
            }
            RelationKind::Unnest { collections, ordinality } => {
                f.write_str("UNNEST")?;
                parenthesised(f, collections)?;
                f.write_str(if *ordinality { " WITH ORDINALITY" } else { "" })?;
            }
            RelationKind::Nested(inner) => write!(f, "({inner})")?,
            RelationKind::Pivot(pivot) => pivot.fmt(f)?,
            RelationKind::Unpivot(unpivot) => unpivot.fmt(f)?,
            RelationKind::MatchRecognize(clause) => clause.fmt(f)?,
        }
        write!(f, "{}", As(&self.alias))?;
        if let Some(sample) = &self.sample {
            let method = if sample.bernoulli { "BERNOULLI" } else { "SYSTEM" };
            write!(f, " TABLESAMPLE {method} ({})", sample.percent)?;
            sample.seed.iter().try_for_each(|seed| write!(f, " REPEATABLE ({seed})"))?;
        }
        Ok(())
    }
}

fn side(lateral: bool) -> &'static str {
    if lateral { "LATERAL " } else { "" }
}

/// A table followed by something other than an alias.
struct Inner<'a>(&'a Relation);

impl Display for Inner<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0.alias.is_some() || self.0.sample.is_some() {
            true => write!(f, "({})", self.0),
            false => self.0.fmt(f),
        }
    }
}

impl Display for TableAlias {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.name.fmt(f)?;
        if self.columns.is_empty() {
            return Ok(());
        }
        f.write_str(" ")?;
        parenthesised(f, &self.columns)
    }
}

/// One name, or several in parentheses.
fn names(f: &mut Formatter<'_>, names: &[Ident]) -> Result {
    match names {
        [one] => one.fmt(f),
        many => parenthesised(f, many),
    }
}

impl Display for Pivot {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let aliased = |f: &mut Formatter<'_>, items: &[(crate::ast::Expr, Option<Ident>)]| {
            for (index, (expr, alias)) in items.iter().enumerate() {
                write!(f, "{}{expr}{}", if index > 0 { ", " } else { "" }, As(alias))?;
            }
            Ok(())
        };
        write!(f, "{} PIVOT (", Inner(&self.table))?;
        aliased(f, &self.aggregates)?;
        f.write_str(" FOR ")?;
        names(f, &self.columns)?;
        f.write_str(" IN (")?;
        aliased(f, &self.values)?;
        f.write_str("))")
    }
}

impl Display for Unpivot {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let nulls = match self.include_nulls {
            None => "",
            Some(true) => "INCLUDE NULLS ",
            Some(false) => "EXCLUDE NULLS ",
        };
        write!(f, "{} UNPIVOT {nulls}(", Inner(&self.table))?;
        names(f, &self.values)?;
        write!(f, " FOR {} IN ", self.name)?;
        parenthesised(f, &self.columns)?;
        f.write_str(")")
    }
}

impl Display for UnpivotColumn {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        names(f, &self.columns)?;
        self.label.iter().try_for_each(|label| write!(f, " AS {}", Quoted(&label.value)))
    }
}

impl Display for MatchRecognize {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} MATCH_RECOGNIZE (", Inner(&self.table))?;
        clause(f, "PARTITION BY ", &self.partition_by)?;
        clause(f, " ORDER BY ", &self.order_by)?;
        clause(f, " MEASURES ", &self.measures)?;
        match self.rows_per_match {
            Some(RowsPerMatch::One) => f.write_str(" ONE ROW PER MATCH")?,
            Some(RowsPerMatch::All) => f.write_str(" ALL ROWS PER MATCH")?,
            None => {}
        }
        match &self.after_match {
            Some(AfterMatch::PastLastRow) => f.write_str(" AFTER MATCH SKIP PAST LAST ROW")?,
            Some(AfterMatch::ToNextRow) => f.write_str(" AFTER MATCH SKIP TO NEXT ROW")?,
            Some(AfterMatch::ToFirst(variable)) => write!(f, " AFTER MATCH SKIP TO FIRST {variable}")?,
            Some(AfterMatch::ToLast(variable)) => write!(f, " AFTER MATCH SKIP TO LAST {variable}")?,
            None => {}
        }
        write!(f, " PATTERN ({})", self.pattern)?;
        self.within.iter().try_for_each(|within| write!(f, " WITHIN {within}"))?;
        clause(f, " SUBSET ", &self.subsets)?;
        clause(f, " DEFINE ", &self.define)?;
        f.write_str(")")
    }
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} AS {}", self.expr, self.name)
    }
}

impl Display for Subset {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} = ", self.name)?;
        parenthesised(f, &self.members)
    }
}

impl Display for Definition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} AS {}", self.variable, self.condition)
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Pattern::Variable(name) => name.fmt(f),
            Pattern::Concat(parts) => list(f, parts, " "),
            Pattern::Alternation(branches) => list(f, branches, " | "),
            Pattern::Group(inner) => write!(f, "({inner})"),
            Pattern::Repeat { pattern, min, max, greedy } => {
                pattern.fmt(f)?;
                match (min, max) {
                    (0, None) => f.write_str("*")?,
                    (1, None) => f.write_str("+")?,
                    (0, Some(1)) => f.write_str("?")?,
                    (min, None) => write!(f, "{{{min},}}")?,
                    (min, Some(max)) if min == max => write!(f, "{{{min}}}")?,
                    (min, Some(max)) => write!(f, "{{{min},{max}}}")?,
                }
                f.write_str(if *greedy { "" } else { "?" })
            }
            Pattern::Permute(names) => {
                f.write_str("PERMUTE")?;
                parenthesised(f, names)
            }
            Pattern::Exclude(name) => write!(f, "{{- {name} -}}"),
            Pattern::Start => f.write_str("^"),
            Pattern::End => f.write_str("$"),
        }
    }
}
