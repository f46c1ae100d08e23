//! Completion of keywords, functions, option keys, and the names that the session knows.

use std::sync::Arc;

use flott_sql::catalog::{CatalogObject, Catalogs};
use flott_sql::session::{Outcome, Session};
use flott_sql_parser::{HighlightKind, KEYWORDS, highlight, is_reserved};
use flott_types::FastSet;
use flott_types::config::OPTIONS;

/// More suggestions are of no use to anybody.
const MOST: usize = 200;

/// The names of a session at one moment.
#[derive(Default)]
pub struct Names {
    catalogs: Vec<String>,
    /// Catalog and database.
    databases: Vec<(String, String)>,
    relations: Vec<Relation>,
    functions: Arc<[String]>,
    current_catalog: String,
    current_database: String,
}

struct Relation {
    catalog: String,
    database: String,
    name: String,
    columns: Vec<String>,
}

impl Names {
    /// What the session knows now. Functions do not change and are handed in.
    pub fn of(session: &Session, functions: &Arc<[String]>) -> Self {
        let catalogs = session.catalogs();
        let mut names = Names {
            catalogs: catalogs.catalogs.keys().cloned().collect(),
            functions: Arc::clone(functions),
            current_catalog: catalogs.current_catalog.clone(),
            current_database: catalogs.current_database.clone(),
            ..Names::default()
        };
        names.add_objects(catalogs);
        names
    }

    fn add_objects(&mut self, catalogs: &Catalogs) {
        // What a catalog does not tell now is not suggested.
        for (catalog, named) in &catalogs.catalogs {
            for database in named.catalog.databases().unwrap_or_default() {
                for (name, _) in named.catalog.objects(&database).unwrap_or_default() {
                    if let Ok(Some(object)) = named.catalog.object(&database, &name) {
                        self.relations.push(relation(catalog, &database, &name, &object));
                    }
                }
                self.databases.push((catalog.clone(), database));
            }
        }
        for (path, object) in &catalogs.temporary {
            self.relations.push(relation(&path.catalog, &path.database, &path.object, object));
        }
    }

    fn is_current(&self, relation: &Relation) -> bool {
        relation.catalog == self.current_catalog && relation.database == self.current_database
    }
}

fn relation(catalog: &str, database: &str, name: &str, object: &CatalogObject) -> Relation {
    let columns = match object {
        CatalogObject::Table(table) => table.columns.iter().map(|column| column.name.clone()).collect(),
        CatalogObject::View(view) => view.columns.iter().map(|(name, _)| name.clone()).collect(),
    };
    Relation { catalog: catalog.to_owned(), database: database.to_owned(), name: name.to_owned(), columns }
}

/// As SHOW FUNCTIONS lists them.
pub fn functions(session: &mut Session) -> Arc<[String]> {
    let parsed = flott_sql_parser::parse_script("SHOW FUNCTIONS").unwrap_or_default();
    match parsed.first().map(|show| session.execute(show)) {
        Some(Ok(Outcome::Table(answer))) => answer.rows.into_iter().flatten().flatten().collect(),
        _ => Arc::default(),
    }
}

/// The words that may stand at a place of a text (in bytes), the likeliest first, and where the word begins
/// that they replace.
pub fn suggest(names: &Names, line: &str, at: usize) -> (usize, Vec<String>) {
    let (start, mut words) = all(names, line, at);
    words.truncate(MOST);
    (start, words)
}

fn all(names: &Names, line: &str, at: usize) -> (usize, Vec<String>) {
    let before = line.get(..at).unwrap_or(line);
    let open = highlight(before)
        .last()
        .filter(|(range, kind)| {
            let text = &before[range.clone()];
            *kind == HighlightKind::Comment && !text.ends_with("*/")
                || *kind == HighlightKind::Text && (text.len() == 1 || !text.ends_with('\''))
        })
        .map(|(range, kind)| (range.clone(), *kind));
    match open {
        Some((range, HighlightKind::Text)) => {
            let command = before[..range.start].trim().to_ascii_uppercase();
            let start = range.start + 1;
            let keys = OPTIONS.iter().map(|option| option.key.to_owned());
            let wanted = ["SET", "RESET"].iter().any(|word| command.ends_with(word));
            let keys = keys.filter(|key| wanted && key.starts_with(&before[start..]));
            (start, keys.collect())
        }
        Some(_) => (at, Vec::new()),
        None => word(names, line, before),
    }
}

fn word(names: &Names, line: &str, before: &str) -> (usize, Vec<String>) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let start = before
        .rfind(|c| !is_part(c))
        .map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let typed = &before[start..];
    let candidates = match before[..start].strip_suffix('.') {
        Some(front) => {
            let from = front.rfind(|c: char| !is_part(c) && c != '`').map_or(0, |at| at + 1);
            qualified(names, line, front.get(from..).unwrap_or("").trim_matches('`'))
        }
        None => unqualified(names, line, typed),
    };
    let mut seen = FastSet::default();
    let fits = |name: &String| name.get(..typed.len()).is_some_and(|head| head.eq_ignore_ascii_case(typed));
    (start, candidates.into_iter().filter(fits).filter(|name| seen.insert(name.clone())).collect())
}

/// After `name.`: columns of a table or of its alias, tables of a database, databases of a catalog.
fn qualified(names: &Names, line: &str, qualifier: &str) -> Vec<String> {
    let table = alias_of(names, line, qualifier).unwrap_or(qualifier);
    let columns = names
        .relations
        .iter()
        .filter(|relation| relation.name == table)
        .flat_map(|relation| &relation.columns);
    let tables = names
        .relations
        .iter()
        .filter(|relation| relation.database == qualifier)
        .map(|relation| &relation.name);
    let databases =
        names.databases.iter().filter(|(catalog, _)| catalog == qualifier).map(|(_, database)| database);
    columns.chain(tables).chain(databases).map(|name| quoted(name)).collect()
}

fn unqualified(names: &Names, line: &str, typed: &str) -> Vec<String> {
    let words: Vec<&str> = words(line);
    let mentioned = names.relations.iter().filter(|relation| words.contains(&relation.name.as_str()));
    let mut found: Vec<String> =
        mentioned.flat_map(|relation| &relation.columns).map(|name| quoted(name)).collect();
    found.extend(
        names
            .relations
            .iter()
            .filter(|relation| names.is_current(relation))
            .map(|relation| quoted(&relation.name)),
    );
    found.extend(
        names
            .databases
            .iter()
            .filter(|(catalog, _)| *catalog == names.current_catalog)
            .map(|(_, name)| quoted(name)),
    );
    found.extend(names.catalogs.iter().map(|name| quoted(name)));
    if typed.is_empty() {
        return found;
    }
    let lower = typed.chars().all(|c| !c.is_uppercase());
    let cased = |word: &str| if lower { word.to_lowercase() } else { word.to_uppercase() };
    found.extend(KEYWORDS.iter().map(|word| cased(word)));
    found.extend(names.functions.iter().map(|word| cased(word)));
    found
}

/// The table that goes by this name in `FROM table AS name` or `FROM table name`.
fn alias_of<'a>(names: &'a Names, line: &str, alias: &str) -> Option<&'a str> {
    let words = words(line);
    let table_before = |at: usize| {
        let before = *words.get(at.checked_sub(1)?)?;
        let table = if before.eq_ignore_ascii_case("AS") { *words.get(at.checked_sub(2)?)? } else { before };
        names.relations.iter().map(|relation| relation.name.as_str()).find(|name| *name == table)
    };
    (0..words.len()).filter(|at| words[*at] == alias).find_map(table_before)
}

/// Names and keywords of a line, without back quotes.
fn words(line: &str) -> Vec<&str> {
    let is_word = |kind: HighlightKind| matches!(kind, HighlightKind::Name | HighlightKind::Keyword);
    let found = highlight(line).into_iter().filter(|(_, kind)| is_word(*kind));
    found.map(|(range, _)| line[range].trim_matches('`')).collect()
}

/// A name as it must be written.
fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    if plain && !is_reserved(name) { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suggested(text: &str) -> String {
        let relation = |name: &str, columns: &[&str]| Relation {
            catalog: "c".to_owned(),
            database: "db".to_owned(),
            name: name.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        let names = Names {
            catalogs: vec!["c".to_owned()],
            databases: vec![("c".to_owned(), "db".to_owned())],
            relations: vec![relation("orders", &["id", "amount", "order"]), relation("other", &["x"])],
            functions: ["sum".to_owned(), "substring".to_owned()].into(),
            current_catalog: "c".to_owned(),
            current_database: "db".to_owned(),
        };
        let cursor = text.find('|').unwrap();
        suggest(&names, &text.replace('|', ""), cursor).1.join(" ")
    }

    #[test]
    fn names_come_before_keywords() {
        assert!(suggested("SELECT * FROM o|").starts_with("orders other object"));
        assert!(suggested("SELECT a| FROM orders").starts_with("amount abs"));
        assert_eq!(suggested("SELECT SUBSTR|"), "SUBSTRING");
        assert_eq!(suggested("SELECT substr|"), "substring");
    }

    #[test]
    fn a_qualifier_narrows() {
        assert_eq!(suggested("SELECT orders.| FROM orders"), "id amount `order`");
        assert_eq!(suggested("SELECT o.a| FROM orders AS o"), "amount");
        assert_eq!(suggested("SELECT q.x| FROM other q"), "x");
        assert_eq!(suggested("SELECT * FROM db.ot|"), "other");
        assert_eq!(suggested("USE c.|"), "db");
    }

    #[test]
    fn option_keys_are_completed_in_set() {
        assert_eq!(suggested("SET 'parallelism.d|"), "parallelism.default");
        assert_eq!(suggested("SELECT 'parallelism.d|"), "");
        assert_eq!(suggested("SELECT 1 -- sel|"), "");
    }
}
