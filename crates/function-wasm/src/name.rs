//! The names by which plans call functions of components: `wasm:export@hash?fuel=1&memory=2:path`.

use std::fmt;

use flott_expr::user::{ArtifactLimits, LOADED};
use flott_types::{Error, Result};

/// A function of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Name<'a> {
    /// The name under which the component exports it.
    pub export: &'a str,
    /// The hash of the file's contents.
    pub hash: &'a str,
    /// What it may use.
    pub limits: ArtifactLimits,
    /// The file.
    pub path: &'a str,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { export, hash, limits: ArtifactLimits { fuel, memory }, path } = self;
        write!(f, "{LOADED}{export}@{hash}?fuel={fuel}&memory={memory}:{path}")
    }
}

impl<'a> Name<'a> {
    pub fn parse(text: &'a str) -> Result<Self> {
        let parts = || {
            let (export, rest) = text.strip_prefix(LOADED)?.split_once('@')?;
            let (hash, rest) = rest.split_once('?')?;
            let (limits, path) = rest.split_once(':')?;
            let (fuel, memory) = limits.strip_prefix("fuel=")?.split_once("&memory=")?;
            let limits = ArtifactLimits { fuel: fuel.parse().ok()?, memory: memory.parse().ok()? };
            Some(Name { export, hash, limits, path })
        };
        parts()
            .ok_or_else(|| Error::invalid(format!("'{text}' is not the name of a function in WebAssembly")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_needed() {
        let limits = ArtifactLimits { fuel: 10, memory: 65_536 };
        let name = Name { export: "add-one", hash: "00ff", limits, path: "/tmp/a:b?c@d.wasm" };
        let text = name.to_string();
        assert_eq!(text, "wasm:add-one@00ff?fuel=10&memory=65536:/tmp/a:b?c@d.wasm");
        assert_eq!(Name::parse(&text).unwrap(), name);
        assert!(Name::parse("wasm:add-one").is_err());
    }
}
