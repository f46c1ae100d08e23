//! Dependencies between our crates point down only.

use super::Complaints;
use crate::workspace::Package;

/// The layers, lowest first. A crate may use the crates of lower layers, and none of its own.
const LAYERS: &[&[&str]] = &[
    &["flott-types"],
    &["flott-batch", "flott-checkpoint", "flott-pattern", "flott-plan", "flott-sql-parser"],
    &["flott-state"],
    &["flott-connector", "flott-operator"],
    &["flott-expr", "flott-files", "flott-formats"],
    &["flott-operators", CONNECTORS],
    &["flott-runtime"],
    &["flott-cluster", "flott-sql"],
    &["flott-datastream"],
    &["flott-testkit"],
    &["flott"],
    &["flott-cli"],
];

/// All crates of `crates/connectors`: leaves, which only the facade puts together.
const CONNECTORS: &str = "flott-connector-*";

/// Pairs that would be allowed by the layers and are not: the plan stands between planner and runtime, so that neither sees
/// the other; jobs are independent of which connectors there are.
const APART: &[(&str, &str)] = &[
    ("flott-sql", "flott-runtime"),
    ("flott-cluster", "flott-expr"),
    ("flott-runtime", CONNECTORS),
    ("flott-cluster", CONNECTORS),
    ("flott-sql", CONNECTORS),
];

/// Not part of what is built for users.
const OUTSIDE: &[&str] = &["conformance-faults", "datastream-bench", "examples", "loops", "xtask"];

pub(super) fn check(packages: &[Package]) -> Complaints {
    let mut complaints = Complaints::new();
    for package in packages.iter().filter(|package| !OUTSIDE.contains(&package.name.as_str())) {
        let Some(layer) = layer(&package.name) else {
            complaints.push(format!(
                "{} is in no layer; give it a place in xtask/src/check/layers.rs",
                package.name
            ));
            continue;
        };
        let ours = package.dependencies.iter().filter(|dependency| dependency.source.is_none());
        for name in ours.map(|dependency| dependency.name.as_str()).filter(|name| *name != package.name) {
            let edge = format!("{} -> {name}", package.name);
            match self::layer(name) {
                Some(below) if below < layer => {}
                Some(same) if same == layer => complaints.push(format!("{edge} stays within a layer")),
                Some(_) => complaints.push(format!("{edge} points up")),
                None => complaints.push(format!("{edge} leads to a crate that is in no layer")),
            }
            if APART.iter().any(|(from, to)| matches(from, &package.name) && matches(to, name)) {
                complaints.push(format!("{edge}: these two must not know each other"));
            }
        }
    }
    complaints
}

fn layer(name: &str) -> Option<usize> {
    LAYERS.iter().position(|crates| crates.iter().any(|pattern| matches(pattern, name)))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency { name: (*name).to_owned(), source: None };
        Package {
            name: name.to_owned(),
            roots: Vec::new(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    fn of(name: &str, dependencies: &[&str]) -> Complaints {
        check(&[package(name, dependencies)])
    }

    #[test]
    fn down_is_fine() {
        assert_eq!(of("flott-operators", &["flott-types", "flott-state", "flott-expr"]), Complaints::new());
        assert_eq!(
            of("flott-connector-filesystem", &["flott-connector", "flott-formats"]),
            Complaints::new()
        );
        assert_eq!(of("xtask", &["flott-types"]), Complaints::new());
    }

    #[test]
    fn up_and_sideways_name_the_edge() {
        assert_eq!(of("flott-state", &["flott-runtime"]), ["flott-state -> flott-runtime points up"]);
        assert_eq!(of("flott-plan", &["flott-batch"]), ["flott-plan -> flott-batch stays within a layer"]);
    }

    #[test]
    fn planner_and_runtime_are_kept_apart() {
        assert_eq!(
            of("flott-sql", &["flott-runtime"]),
            ["flott-sql -> flott-runtime: these two must not know each other"]
        );
        assert_eq!(of("flott-cluster", &["flott-connector-basic"]).len(), 1);
    }

    #[test]
    fn every_crate_has_its_place() {
        assert!(of("flott-something", &[])[0].contains("flott-something is in no layer"));
        assert!(of("flott-cli", &["elsewhere"])[0].contains("leads to a crate that is in no layer"));
    }
}
