//! Which fields two versions of a type do not have in common.

use arrow::datatypes::{DataType, Field};

use super::shape::{Kind, Shape, tuple_field};

/// Fields by their paths.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct FieldChanges {
    /// Stored, but not read by the type.
    pub dropped: Vec<String>,
    /// In the type, but not stored.
    pub new: Vec<String>,
}

impl FieldChanges {
    /// Compares what is stored with what a type reads.
    pub(super) fn between(stored: &Field, shape: &Shape) -> Self {
        let mut changes = FieldChanges::default();
        changes.walk("", stored, shape);
        changes
    }

    fn walk(&mut self, path: &str, stored: &Field, shape: &Shape) {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match (&shape.kind, stored.data_type()) {
            (Kind::Struct(members), DataType::Struct(fields)) => {
                let reads = |at: usize, name: &str| {
                    let member = &members[at];
                    member.name == name || member.aliases.contains(&name)
                };
                for field in fields {
                    match (0..members.len()).find(|at| reads(*at, field.name())) {
                        Some(at) => self.walk(&below(field.name()), field, &members[at].value),
                        None => self.dropped.push(below(field.name())),
                    }
                }
                for (at, member) in members.iter().enumerate() {
                    if !fields.iter().any(|field| reads(at, field.name())) {
                        self.new.push(below(member.name));
                    }
                }
            }
            (Kind::Tuple(items), DataType::Struct(fields)) => {
                for (at, item) in items.iter().enumerate() {
                    let name = tuple_field(at);
                    if let Some(field) = fields.iter().find(|field| *field.name() == name) {
                        self.walk(&below(&name), field, item);
                    }
                }
            }
            (Kind::List(item), DataType::List(field)) => self.walk(path, field, item),
            (Kind::Map(_, value), DataType::Map(entries, _)) => {
                if let DataType::Struct(entry) = entries.data_type()
                    && let [_, field] = &entry[..]
                {
                    self.walk(path, field, value);
                }
            }
            _ => {}
        }
    }
}
