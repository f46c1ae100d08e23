//! Which crates may use the libraries that shape whatever they touch, and where libraries come from.

use super::Complaints;
use crate::workspace::Package;

/// Libraries, by the beginning of their names; who may use them; why no other crate may.
const RESTRICTED: &[(&str, &[&str], &str)] = &[
    (
        "tokio",
        &[
            // A program, whose requests take their time.
            "datastream-bench",
            "flott",
            "flott-cli",
            "flott-cluster",
            "flott-connector-*",
            "flott-datastream",
            "flott-function-operators",
            "flott-network",
            "flott-rest",
            "flott-runtime",
            "flott-storage",
        ],
        "what computes does not wait: see docs/decisions/0003-threads-and-mailboxes.md and 0008-asynchronous-functions.md",
    ),
    ("datafusion", &[], "nothing here needs it: see docs/decisions/0011-own-expression-nodes.md"),
];

pub(super) fn check(packages: &[Package]) -> Complaints {
    let mut complaints = Complaints::new();
    for package in packages {
        for dependency in &package.dependencies {
            for (library, users, why) in RESTRICTED {
                let allowed = users.iter().any(|user| {
                    user.strip_suffix('*')
                        .map_or(*user == package.name, |prefix| package.name.starts_with(prefix))
                });
                if dependency.name.starts_with(library) && !allowed {
                    complaints.push(format!("{} uses {}; {why}", package.name, dependency.name));
                }
            }
            if dependency.source.as_ref().is_some_and(|source| !source.starts_with("registry+")) {
                complaints.push(format!(
                    "{} takes {} from elsewhere than the registry; use a released version",
                    package.name, dependency.name
                ));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn of(name: &str, dependency: &str, source: &str) -> Complaints {
        let dependency = Dependency {
            name: dependency.to_owned(),
            source: Some(source.to_owned()),
            ..Dependency::default()
        };
        check(&[Package { name: name.to_owned(), roots: Vec::new(), dependencies: vec![dependency] }])
    }

    #[test]
    fn operators_know_neither_tokio_nor_datafusion() {
        assert!(
            of("flott-operators", "tokio-util", "registry+x")[0]
                .starts_with("flott-operators uses tokio-util;")
        );
        assert_eq!(of("flott-expr", "datafusion-common", "registry+x").len(), 1);
        assert_eq!(of("flott-connector-kafka", "tokio", "registry+x"), Complaints::new());
    }

    #[test]
    fn no_library_comes_from_git() {
        assert_eq!(of("flott-sql", "sqlparser", "git+https://example.org/x").len(), 1);
    }
}
