//! Evaluates a path on a document, as the JsonPath library does.
//!
//! A path without wildcards is definite: it returns one value, and a step that leads nowhere is an error. Any
//! other path returns an array, which may be empty, and ignores steps that lead nowhere.

use std::borrow::Cow;

use super::path::{Aggregate, Path, Step};
use super::value::Json;

/// What a path leads to. `Ok(None)`: nothing, or a JSON null, which is an error for a strict path. `Err` says
/// what is wrong; a lax path returns it only if the path or document cannot be evaluated at all.
pub(super) fn evaluate<'a>(path: &Path, document: &'a Json) -> Result<Option<Cow<'a, Json>>, String> {
    let steps = path.steps.as_ref().map_err(String::clone)?;
    if *document == Json::Null {
        return Err("a JSON null has no paths".to_owned());
    }
    let definite = path.is_definite();
    let mut walk = Walk { lax: path.lax, found: Vec::new() };
    let result = match walk.follow(steps, document, true) {
        Ok(()) if !definite => {
            let found = walk.found.into_iter().map(Cow::into_owned).collect();
            Some(Cow::Owned(Json::Array(found)))
        }
        Ok(()) => match walk.found.pop() {
            Some(found) => Some(found),
            None if path.lax => None,
            None => return Err(format!("No results for path: {}", show(steps))),
        },
        Err(_) if path.lax => (!definite).then(|| Cow::Owned(Json::Array(Vec::new()))),
        Err(error) => return Err(error),
    };
    match result.filter(|found| **found != Json::Null) {
        None if !path.lax => {
            Err("Strict jsonpath mode requires a non empty returned value, but is null".to_owned())
        }
        found => Ok(found),
    }
}

fn show(steps: &[Step]) -> String {
    let mut out = "$".to_owned();
    for step in steps {
        match step {
            Step::Member(name) => out.push_str(&format!("['{name}']")),
            Step::Index(index) => out.push_str(&format!("[{index}]")),
            other => out.push_str(&format!("[{other:?}]")),
        }
    }
    out
}

struct Walk<'a> {
    lax: bool,
    found: Vec<Cow<'a, Json>>,
}

impl<'a> Walk<'a> {
    /// `definite`: whether all previous steps were.
    fn follow(&mut self, steps: &[Step], value: &'a Json, definite: bool) -> Result<(), String> {
        let Some((step, rest)) = steps.split_first() else {
            self.found.push(Cow::Borrowed(value));
            return Ok(());
        };
        let still = definite && step.is_definite();
        match step {
            Step::Member(name) => self.member(name, rest, value, definite),
            Step::Members(names) => self.members(names, rest, value, definite),
            Step::Index(index) => {
                if let Some(elements) = self.elements(value, definite)? {
                    self.element(*index, rest, elements, still)?;
                }
                Ok(())
            }
            Step::Indices(indices) => {
                if let Some(elements) = self.elements(value, definite)? {
                    for index in indices {
                        self.element(*index, rest, elements, still)?;
                    }
                }
                Ok(())
            }
            Step::Slice(from, to) => {
                if let Some(elements) = self.elements(value, definite)? {
                    for index in slice(*from, *to, elements.len() as i64) {
                        self.element(index, rest, elements, still)?;
                    }
                }
                Ok(())
            }
            Step::All => {
                for child in children(value) {
                    // Branches that lead nowhere are skipped.
                    let before = self.found.len();
                    if self.follow(rest, child, still).is_err() {
                        self.found.truncate(before);
                    }
                }
                Ok(())
            }
            Step::Scan => self.scan(rest, value),
            Step::Call(aggregate) => {
                let result = call(*aggregate, value)?;
                self.found.push(Cow::Owned(result));
                Ok(())
            }
        }
    }

    fn member(&mut self, name: &str, rest: &[Step], value: &'a Json, definite: bool) -> Result<(), String> {
        if !matches!(value, Json::Object(_)) {
            return if definite {
                Err(format!("Expected to find an object with property ['{name}']"))
            } else {
                Ok(())
            };
        }
        match value.get(name) {
            Some(found) => self.follow(rest, found, definite),
            None if rest.is_empty() || !definite || self.lax => Ok(()),
            None => Err(format!("Missing property in path ['{name}']")),
        }
    }

    /// At the end of a path, several members make one object.
    fn members(
        &mut self,
        names: &[String],
        rest: &[Step],
        value: &'a Json,
        definite: bool,
    ) -> Result<(), String> {
        if !rest.is_empty() {
            for name in names {
                self.member(name, rest, value, definite)?;
            }
            return Ok(());
        }
        if !matches!(value, Json::Object(_)) {
            return if definite { Err("Expected to find an object".to_owned()) } else { Ok(()) };
        }
        let members =
            names.iter().filter_map(|name| Some((name.clone(), value.get(name)?.clone()))).collect();
        self.found.push(Cow::Owned(Json::Object(members)));
        Ok(())
    }

    fn elements(&self, value: &'a Json, definite: bool) -> Result<Option<&'a [Json]>, String> {
        match value {
            Json::Array(elements) => Ok(Some(elements)),
            _ if definite && !self.lax => Err("an index can only be applied to arrays".to_owned()),
            _ => Ok(None),
        }
    }

    /// An index outside the array leads nowhere, silently.
    fn element(
        &mut self,
        index: i64,
        rest: &[Step],
        elements: &'a [Json],
        definite: bool,
    ) -> Result<(), String> {
        let index = if index < 0 { index + elements.len() as i64 } else { index };
        match usize::try_from(index).ok().and_then(|index| elements.get(index)) {
            Some(element) => self.follow(rest, element, definite),
            None => Ok(()),
        }
    }

    /// The step after `..`, tried at every level of the document.
    fn scan(&mut self, steps: &[Step], value: &'a Json) -> Result<(), String> {
        let Some((step, rest)) = steps.split_first() else {
            return Ok(());
        };
        let fits = match (step, value) {
            (Step::Member(name), Json::Object(_)) => value.get(name).is_some(),
            (Step::Members(names), Json::Object(_)) => {
                !rest.is_empty() || names.iter().all(|name| value.get(name).is_some())
            }
            (Step::Index(_) | Step::Indices(_) | Step::Slice(..), Json::Array(_)) => true,
            (Step::All, Json::Array(_) | Json::Object(_)) => true,
            _ => false,
        };
        if fits {
            match value {
                // In an array, steps after the first are tried on every element, even if the first one fails.
                Json::Array(elements) if !rest.is_empty() => {
                    for element in elements {
                        self.follow(rest, element, false)?;
                    }
                }
                _ => self.follow(steps, value, false)?,
            }
        }
        for child in children(value) {
            self.scan(steps, child)?;
        }
        Ok(())
    }
}

fn children(value: &Json) -> Box<dyn Iterator<Item = &Json> + '_> {
    match value {
        Json::Array(elements) => Box::new(elements.iter()),
        Json::Object(members) => Box::new(members.iter().map(|(_, value)| value)),
        _ => Box::new(std::iter::empty()),
    }
}

fn slice(from: Option<i64>, to: Option<i64>, length: i64) -> std::ops::Range<i64> {
    match (from, to) {
        (Some(from), Some(to)) => from..to.min(length),
        (Some(from), None) => (if from < 0 { from + length } else { from }).max(0)..length,
        (None, Some(to)) => 0..(if to < 0 { to + length } else { to }).min(length),
        (None, None) => 0..length,
    }
}

fn call(aggregate: Aggregate, value: &Json) -> Result<Json, String> {
    if aggregate == Aggregate::Length {
        return Ok(match value {
            Json::Array(elements) => Json::Integer(elements.len().to_string()),
            Json::Object(members) => Json::Integer(members.len().to_string()),
            _ => Json::Null,
        });
    }
    let numbers: Vec<f64> = children(value)
        .filter_map(|child| match child {
            Json::Integer(text) | Json::Decimal(text) => text.parse().ok(),
            _ => None,
        })
        .collect();
    if numbers.is_empty() || !matches!(value, Json::Array(_)) {
        return Err("Aggregation function attempted to calculate value using empty array".to_owned());
    }
    let sum: f64 = numbers.iter().sum();
    let result = match aggregate {
        Aggregate::Min => numbers.iter().copied().fold(f64::INFINITY, f64::min),
        Aggregate::Max => numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Aggregate::Average => sum / numbers.len() as f64,
        Aggregate::Sum | Aggregate::Length => sum,
    };
    let mut text = String::new();
    flott_batch::text::write_double(&mut text, result);
    Ok(Json::Decimal(text))
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn at(path: &str, document: &str) -> Result<Option<String>, String> {
        let document = parse(document).unwrap();
        let found = evaluate(&Path::new(path).unwrap(), &document)?;
        Ok(found.map(|found| {
            let mut out = String::new();
            found.write(&mut out);
            out
        }))
    }

    const DOCUMENT: &str = r#"{"a": 1, "b": "text", "c": [1, 2, {"d": null}], "e": {"f": true}}"#;

    #[test]
    fn follows_paths() {
        let cases = [
            ("$.a", Some("1")),
            ("$.c[2]", Some(r#"{"d":null}"#)),
            ("lax $.c[2].d", None),
            ("$['a']", Some("1")),
            ("$..f", Some("[true]")),
            ("$.c.length()", Some("3")),
            ("$.c[0,1]", Some("[1,2]")),
            ("$.c[-1:]", Some(r#"[{"d":null}]"#)),
            ("lax $.c[*]", Some(r#"[1,2,{"d":null}]"#)),
            ("lax $.zz", None),
            ("lax $.zz.y", None),
            ("$['a','b']", Some(r#"{"a":1,"b":"text"}"#)),
            ("$.*.f", Some("[true]")),
            ("lax $.a[0]", None),
            ("lax $.zz[*]", Some("[]")),
        ];
        for (path, expected) in cases {
            assert_eq!(at(path, DOCUMENT), Ok(expected.map(str::to_owned)), "{path}");
        }
    }

    #[test]
    fn strict_paths_fail() {
        for path in ["$.c[2].d", "$.zz", "$.zz.y", "$.a.b", "$.a[0]", "$.c[9]", "a..["] {
            assert!(at(path, DOCUMENT).is_err(), "{path}");
        }
        assert!(at("lax $", "null").is_err());
        assert_eq!(at("$..f", "1"), Ok(Some("[]".to_owned())));
    }
}
