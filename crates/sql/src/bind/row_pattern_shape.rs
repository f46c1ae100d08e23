//! MATCH_RECOGNIZE: how the variables of a pattern follow each other.

use flott_plan::{PatternShape, PatternVariable};
use flott_sql_parser::ast::{Ident, Pattern};
use flott_types::{Error, Result};

use super::{unsupported, unsupported_but, wrong};

/// The option that allows patterns that Flink refuses.
pub(crate) const EXTENDED_PATTERNS: &str = "table.exec.match-recognize.extended";

/// PERMUTE of more variables would make too many orders.
const MOST_PERMUTED: usize = 5;

/// Refuses what Flink refuses.
pub(super) fn refuse_extended(pattern: &Pattern) -> Result<()> {
    let refused = |what: &str| {
        let (what, instead) = (format!("{what} in a PATTERN"), instead());
        Err(match first_name(pattern) {
            Some(name) => unsupported_but(what, &instead, name),
            None => Error::unsupported(format!("{what} is not supported: {instead}")),
        })
    };
    match pattern {
        Pattern::Variable(_) => Ok(()),
        Pattern::Concat(parts) => parts.iter().try_for_each(refuse_extended),
        Pattern::Group(inner) => refuse_extended(inner),
        Pattern::Repeat { pattern, .. } => match ungrouped(pattern) {
            Pattern::Variable(_) => Ok(()),
            _ => refused("a group with a quantifier"),
        },
        Pattern::Alternation(_) => refused("'|' (alternation)"),
        Pattern::Permute(_) => refused("PERMUTE"),
        Pattern::Exclude(_) => refused("'{- -}'"),
        Pattern::Start | Pattern::End => Err(anchor()),
    }
}

/// How to get what Flink refuses.
pub(super) fn instead() -> String {
    format!("SET '{EXTENDED_PATTERNS}' = 'true' allows it")
}

fn anchor() -> Error {
    Error::unsupported("an anchor ('^' or '$') in a PATTERN is not supported")
}

/// The variables of a pattern in which they come one after the other, each with its quantifier; `None` for
/// other patterns.
pub(super) fn in_a_row(pattern: &Pattern) -> Result<Option<Vec<(Ident, PatternVariable)>>> {
    let one = |name: &Ident, min: u32, max: Option<u32>, greedy: bool| {
        let variable = PatternVariable { name: name.value.clone(), min, max, greedy, condition: None };
        Some(vec![(name.clone(), variable)])
    };
    Ok(match pattern {
        Pattern::Variable(name) | Pattern::Exclude(name) => one(name, 1, Some(1), false),
        Pattern::Concat(parts) => {
            let parts = parts.iter().map(in_a_row).collect::<Result<Option<Vec<_>>>>()?;
            parts.map(|parts| parts.into_iter().flatten().collect())
        }
        Pattern::Group(inner) => in_a_row(inner)?,
        Pattern::Repeat { pattern, min, max, greedy } => match ungrouped(pattern) {
            Pattern::Variable(name) => {
                check_quantifier((*min, *max), *greedy, name)?;
                one(name, *min, *max, *greedy)
            }
            _ => None,
        },
        Pattern::Alternation(_) | Pattern::Permute(_) | Pattern::Start | Pattern::End => None,
    })
}

fn ungrouped(mut pattern: &Pattern) -> &Pattern {
    while let Pattern::Group(group) = pattern {
        pattern = group;
    }
    pattern
}

fn check_quantifier((min, max): (u32, Option<u32>), greedy: bool, place: &Ident) -> Result<()> {
    if max.is_some_and(|max| max < min.max(1)) {
        let message = "the upper bound of a quantifier must be at least 1, and not below the lower bound";
        return Err(wrong(message, place));
    }
    if !greedy && (min, max) == (0, Some(1)) {
        return Err(unsupported("a reluctant optional variable (`??`)", place));
    }
    Ok(())
}

/// The variables that were met so far.
#[derive(Default)]
pub(super) struct Shapes {
    pub variables: Vec<(Ident, PatternVariable)>,
}

impl Shapes {
    /// The shape of a pattern. `needed`: a match always has it.
    pub fn shape(&mut self, pattern: &Pattern, needed: bool) -> Result<PatternShape> {
        Ok(match pattern {
            Pattern::Variable(name) | Pattern::Exclude(name) => {
                PatternShape::Variable(self.variable(name, needed))
            }
            Pattern::Concat(parts) => PatternShape::Sequence(self.shapes(parts, needed)?),
            Pattern::Alternation(parts) => PatternShape::Choice(self.shapes(parts, false)?),
            Pattern::Group(inner) => self.shape(inner, needed)?,
            Pattern::Repeat { pattern, min, max, greedy } => {
                let shape = self.shape(pattern, needed && *min > 0)?;
                if let Some(place) = first_name(pattern) {
                    check_quantifier((*min, *max), *greedy, place)?;
                }
                PatternShape::Repeat { shape: Box::new(shape), min: *min, max: *max, greedy: *greedy }
            }
            Pattern::Permute(names) => {
                if let Some(more) = names.get(MOST_PERMUTED) {
                    return Err(unsupported(format!("PERMUTE of more than {MOST_PERMUTED} variables"), more));
                }
                PatternShape::Permute(names.iter().map(|name| self.variable(name, needed)).collect())
            }
            Pattern::Start | Pattern::End => return Err(anchor()),
        })
    }

    fn shapes(&mut self, patterns: &[Pattern], needed: bool) -> Result<Vec<PatternShape>> {
        patterns.iter().map(|pattern| self.shape(pattern, needed)).collect()
    }

    /// The position of a variable. One that comes at several places is one variable.
    fn variable(&mut self, name: &Ident, needed: bool) -> usize {
        let known = self.variables.iter().position(|(_, variable)| variable.name == name.value);
        let place = known.unwrap_or_else(|| {
            let name_of = name.value.clone();
            let variable =
                PatternVariable { name: name_of, min: 0, max: None, greedy: false, condition: None };
            self.variables.push((name.clone(), variable));
            self.variables.len() - 1
        });
        let min = &mut self.variables[place].1.min;
        *min = (*min).max(u32::from(needed));
        place
    }
}

fn first_name(pattern: &Pattern) -> Option<&Ident> {
    match pattern {
        Pattern::Variable(name) | Pattern::Exclude(name) => Some(name),
        Pattern::Permute(names) => names.first(),
        Pattern::Concat(parts) | Pattern::Alternation(parts) => parts.iter().find_map(first_name),
        Pattern::Group(inner) => first_name(inner),
        Pattern::Repeat { pattern, .. } => first_name(pattern),
        Pattern::Start | Pattern::End => None,
    }
}
