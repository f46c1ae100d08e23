//! What is wrong with a record of bytes, and where.

use std::borrow::Cow;

/// Why a value was not read, and of which field it is: a path from the innermost field outwards.
#[derive(Debug)]
pub(crate) struct Bad(Box<(Cow<'static, str>, Vec<String>)>);

impl Bad {
    pub(crate) fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Bad(Box::new((what.into(), Vec::new())))
    }

    /// The value is of this field.
    pub(crate) fn within(mut self, field: &str) -> Self {
        self.0.1.push(field.to_owned());
        self
    }
}

impl std::fmt::Display for Bad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, path) = &*self.0;
        if !path.is_empty() {
            let path: Vec<&str> = path.iter().rev().map(String::as_str).collect();
            write!(f, "field '{}': ", path.join("."))?;
        }
        f.write_str(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_the_outside() {
        assert_eq!(Bad::new("no").within("b").within("a").to_string(), "field 'a.b': no");
    }
}
