//! Dependencies between our crates point down only.

use super::Complaints;
use crate::workspace::Package;

/// The layers, lowest first. A crate may use the crates of lower layers, but none of its own layer.
const LAYERS: &[&[&str]] = &[
    &["flott-dashboard", "flott-types"],
    &["flott-tls"],
    &[
        "flott-storage",
        "flott-batch",
        "flott-checkpoint",
        "flott-kafka",
        "flott-pattern",
        "flott-plan",
        "flott-sql-parser",
    ],
    &["flott-state"],
    &["flott-operator", "flott-values"],
    &["flott-connector"],
    &["flott-runtime"],
    &["flott-expr", "flott-files", "flott-formats", "flott-function"],
    &["flott-functions", "flott-function-table", "flott-function-wasm"],
    &[
        "flott-operators",
        "flott-function-cep",
        "flott-function-operators",
        "flott-function-windows",
        CONNECTORS,
    ],
    &["flott-cluster", "flott-sql"],
    &["flott-network", "flott-rest"],
    &["flott-datastream"],
    &["flott-testkit"],
    &["flott"],
    &["flott-cli"],
];

/// All crates of `crates/connectors`: leaves, which only the facade puts together.
const CONNECTORS: &str = "flott-connector-*";

/// Pairs that would be allowed by the layers and are not, tests apart: the plan stands between planner and
/// runtime, so that neither sees the other; jobs are independent of which operators and connectors there are,
/// and expressions of which functions; what a connector is made of does not know how it is run; a program
/// does without SQL.
const APART: &[(&str, &str)] = &[
    ("flott-sql", "flott-runtime"),
    ("flott-sql", "flott-operators"),
    ("flott-sql", "flott-functions"),
    ("flott-sql", "flott-function-table"),
    ("flott-sql", CONNECTORS),
    ("flott-cluster", "flott-expr"),
    ("flott-cluster", "flott-operators"),
    ("flott-cluster", CONNECTORS),
    ("flott-expr", "flott-runtime"),
    ("flott-functions", "flott-runtime"),
    ("flott-operators", "flott-functions"),
    ("flott-files", "flott-runtime"),
    ("flott-formats", "flott-runtime"),
    (CONNECTORS, "flott-runtime"),
    ("flott-values", "flott-runtime"),
    ("flott-function-operators", "flott-function-windows"),
    ("flott-datastream", "flott-expr"),
    ("flott-datastream", "flott-functions"),
    ("flott-datastream", "flott-function-table"),
    ("flott-datastream", "flott-operators"),
    ("flott-datastream", "flott-sql"),
];

/// What the facade has only with its feature `sql`: whoever writes programs does without.
const WITH_SQL: &[&str] = &[
    "flott-expr",
    "flott-function-table",
    "flott-function-wasm",
    "flott-functions",
    "flott-operators",
    "flott-sql",
    "flott-sql-parser",
    CONNECTORS,
];

/// Not part of what is built for users.
const OUTSIDE: &[&str] =
    &["conformance-faults", "datastream-bench", "differential-answers", "examples", "loops", "xtask"];

/// Crates whose documentation has whole programs in it, which need what is above: for tests only.
const EXAMPLES: &[(&str, &str)] = &[
    ("flott-connector-combinators", "flott-datastream"),
    ("flott-function", "flott-datastream"),
    ("flott-function-cep", "flott-datastream"),
    ("flott-function-operators", "flott-datastream"),
    ("flott-function-windows", "flott-datastream"),
];

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
        for dependency in ours.filter(|dependency| dependency.name != package.name) {
            let name = dependency.name.as_str();
            let edge = format!("{} -> {name}", package.name);
            if dependency.for_tests && EXAMPLES.contains(&(package.name.as_str(), name)) {
                continue;
            }
            match self::layer(name) {
                Some(below) if below < layer => {}
                Some(same) if same == layer => complaints.push(format!("{edge} stays within a layer")),
                Some(_) => complaints.push(format!("{edge} points up")),
                None => complaints.push(format!("{edge} leads to a crate that is in no layer")),
            }
            let always = package.name == "flott" && !dependency.optional && !dependency.for_tests;
            if always && WITH_SQL.iter().any(|of_sql| matches(of_sql, name)) {
                complaints.push(format!("{edge}: only with the feature sql (`optional = true`)"));
            }
            let apart = APART.iter().any(|(from, to)| matches(from, &package.name) && matches(to, name));
            if apart && !dependency.for_tests {
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
        let dependency = |name: &&str| Dependency { name: (*name).to_owned(), ..Dependency::default() };
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
        assert_eq!(of("flott-sql", &["flott-operators"]).len(), 1);
        assert_eq!(of("flott-connector-basic", &["flott-runtime"]).len(), 1);
    }

    #[test]
    fn the_runtime_knows_no_operator_and_no_expression() {
        assert_eq!(of("flott-runtime", &["flott-operators"]), ["flott-runtime -> flott-operators points up"]);
        assert_eq!(of("flott-runtime", &["flott-expr"]), ["flott-runtime -> flott-expr points up"]);
        assert_eq!(of("flott-operators", &["flott-runtime", "flott-expr"]), Complaints::new());
    }

    #[test]
    fn tests_may_combine_what_is_kept_apart() {
        let mut cluster = package("flott-cluster", &["flott-operators"]);
        assert_eq!(check(std::slice::from_ref(&cluster)).len(), 1);
        cluster.dependencies[0].for_tests = true;
        assert_eq!(check(&[cluster]), Complaints::new());
    }

    #[test]
    fn programs_do_without_sql() {
        let mut facade = package("flott", &["flott-datastream", "flott-sql"]);
        let complaint = "flott -> flott-sql: only with the feature sql (`optional = true`)";
        assert_eq!(check(std::slice::from_ref(&facade)), [complaint]);
        facade.dependencies[1].optional = true;
        assert_eq!(check(&[facade]), Complaints::new());
    }

    #[test]
    fn examples_may_be_whole_programs() {
        let mut function = package("flott-function", &["flott-datastream"]);
        assert_eq!(check(std::slice::from_ref(&function)), ["flott-function -> flott-datastream points up"]);
        function.dependencies[0].for_tests = true;
        assert_eq!(check(&[function]), Complaints::new());
    }

    #[test]
    fn every_crate_has_its_place() {
        assert!(of("flott-something", &[])[0].contains("flott-something is in no layer"));
        assert!(of("flott-cli", &["elsewhere"])[0].contains("leads to a crate that is in no layer"));
    }
}
