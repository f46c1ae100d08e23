//! Models: CREATE, ALTER, DROP, SHOW and DESCRIBE MODEL.

use flott_sql_parser::ast::{AlterModel, AlterModelOperation, CreateModel, DropRelation, ObjectName, Show};
use flott_types::config::secrets;
use flott_types::{Error, Result, TypeKind};

use super::create::{declared_column, options_map};
use super::show::{matches, quoted, sql_type};
use super::{Answer, Session};
use crate::catalog::{Model, ObjectPath, TableColumn};

impl Session {
    pub(super) fn create_model(&mut self, create: &CreateModel) -> Result<()> {
        let path = self.path(&create.name)?;
        if create.options.is_empty() {
            return Err(Error::invalid(format!(
                "Model property list can not be empty, at {}: WITH ('provider' = ...)",
                create.position
            )));
        }
        if create.output.is_empty() && !create.input.is_empty() {
            return Err(Error::invalid(format!(
                "Output column list can not be empty with non-empty input column list, at {}",
                create.position
            )));
        }
        for columns in [&create.input, &create.output] {
            for (at, column) in columns.iter().enumerate() {
                if columns[..at].iter().any(|other| other.name.value == column.name.value) {
                    return Err(Error::invalid(format!(
                        "the model has two columns '{}', at {}",
                        column.name.value, column.name.position
                    )));
                }
            }
        }
        let model = Model {
            input: create.input.iter().map(declared_column).collect(),
            output: create.output.iter().map(declared_column).collect(),
            options: options_map(&create.options),
            comment: create.comment.as_ref().map(|comment| comment.value.clone()),
        };
        self.catalogs.database(&path.catalog, &path.database)?;
        let exists = match create.temporary {
            true => self.catalogs.temporary_models.contains_key(&path),
            false => self.permanent_model(&path)?.is_some(),
        };
        if exists {
            return match create.if_not_exists {
                true => Ok(()),
                false => Err(Error::invalid(format!(
                    "Model {}.{} already exists in Catalog {}.",
                    path.database, path.object, path.catalog
                ))),
            };
        }
        if create.temporary {
            self.catalogs.temporary_models.insert(path, model);
            return Ok(());
        }
        let catalog = &mut self.catalogs.catalog_mut(&path.catalog)?.catalog;
        catalog.create_model(&path.database, &path.object, model)
    }

    pub(super) fn alter_model(&mut self, alter: &AlterModel) -> Result<()> {
        let path = self.path(&alter.name)?;
        if self.catalogs.temporary_models.contains_key(&path) {
            return Err(Error::invalid(format!("Model {path} is a temporary model.")));
        }
        let Some(mut model) = self.permanent_model(&path)? else {
            return match alter.if_exists {
                true => Ok(()),
                false => Err(Error::invalid(format!("Model {path} doesn't exist."))),
            };
        };
        match &alter.operation {
            AlterModelOperation::Set(set) if set.is_empty() => {
                return Err(Error::invalid("ALTER MODEL SET does not support empty option."));
            }
            AlterModelOperation::Reset(keys) if keys.is_empty() => {
                return Err(Error::invalid("ALTER MODEL RESET does not support empty key."));
            }
            AlterModelOperation::Set(set) => model.options.extend(options_map(set)),
            AlterModelOperation::Reset(keys) => {
                model.options.retain(|key, _| !keys.iter().any(|gone| gone.value == *key));
            }
            AlterModelOperation::Rename(name) => return self.rename_model(&path, name, model),
        }
        let catalog = &mut self.catalogs.catalog_mut(&path.catalog)?.catalog;
        catalog.alter_model(&path.database, &path.object, model)
    }

    fn rename_model(&mut self, from: &ObjectPath, to: &ObjectName, model: Model) -> Result<()> {
        let to = self.path(to)?;
        if to.catalog != from.catalog || to.database != from.database {
            return Err(Error::invalid(format!(
                "a model keeps its database when it is renamed: {from} cannot become {to}"
            )));
        }
        if self.permanent_model(&to)?.is_some() {
            return Err(Error::invalid(format!(
                "Could not execute ALTER MODEL {} RENAME TO {}. Model {}.{} already exists in Catalog {}.",
                from.plain(),
                to.plain(),
                to.database,
                to.object,
                to.catalog
            )));
        }
        let catalog = &mut self.catalogs.catalog_mut(&from.catalog)?.catalog;
        catalog.create_model(&to.database, &to.object, model)?;
        catalog.drop_model(&from.database, &from.object)
    }

    pub(super) fn drop_model(&mut self, drop: &DropRelation) -> Result<()> {
        let path = self.path(&drop.name)?;
        let found = match drop.temporary {
            true => self.catalogs.temporary_models.remove(&path).is_some(),
            false => self.permanent_model(&path)?.is_some(),
        };
        match (found, drop.temporary) {
            (true, true) => Ok(()),
            (true, false) => {
                let catalog = &mut self.catalogs.catalog_mut(&path.catalog)?.catalog;
                catalog.drop_model(&path.database, &path.object)
            }
            (false, _) if drop.if_exists => Ok(()),
            (false, temporary) => Err(Error::invalid(format!(
                "{}Model with identifier '{}' does not exist.",
                if temporary { "Temporary " } else { "" },
                path.plain()
            ))),
        }
    }

    fn permanent_model(&self, path: &ObjectPath) -> Result<Option<Model>> {
        match self.catalogs.catalogs.get(&path.catalog) {
            Some(named) => named.catalog.model(&path.database, &path.object),
            None => Ok(None),
        }
    }

    /// The names that SHOW MODELS lists.
    pub(super) fn model_names(&self, show: &Show) -> Result<Vec<String>> {
        let (catalog, database) = match &show.scope {
            Some(name) => self.database_path(name)?,
            None => (self.catalogs.current_catalog.clone(), self.catalogs.current_database.clone()),
        };
        self.catalogs.database(&catalog, &database)?;
        let mut names = self.catalogs.catalog(&catalog)?.catalog.models(&database)?;
        let temporary = self.catalogs.temporary_models.keys();
        let here = temporary.filter(|path| path.catalog == catalog && path.database == database);
        names.extend(here.map(|path| path.object.clone()));
        names.sort_unstable();
        names.dedup();
        names.retain(|name| matches(name, show.filter.as_ref()));
        Ok(names)
    }

    /// SHOW CREATE MODEL. Secrets are not shown.
    pub(super) fn show_create_model(&self, name: &ObjectName) -> Result<Answer> {
        let path = self.path(name)?;
        let Some(model) = self.catalogs.model(&path)? else {
            return Err(Error::invalid(format!(
                "Could not execute SHOW CREATE MODEL. Model with identifier {path} does not exist."
            )));
        };
        let temporary = self.catalogs.temporary_models.contains_key(&path);
        let kind = if temporary { "TEMPORARY MODEL" } else { "MODEL" };
        let mut text = format!("CREATE {kind} {path}\n");
        for (word, columns) in [("INPUT", &model.input), ("OUTPUT", &model.output)] {
            if !columns.is_empty() {
                let columns: Vec<String> = columns.iter().map(column).collect();
                text.push_str(&format!("{word} ({})\n", columns.join(", ")));
            }
        }
        if let Some(comment) = &model.comment {
            text.push_str(&format!("COMMENT '{}'\n", escaped(comment)));
        }
        let options = model.options.iter();
        let options: Vec<String> = options
            .map(|(key, value)| format!("  '{}' = '{}'", escaped(key), escaped(&secrets::shown(key, value))))
            .collect();
        text.push_str(&format!("WITH (\n{}\n)\n", options.join(",\n")));
        Ok(Answer::list("result", [text]))
    }

    /// DESCRIBE MODEL
    pub(super) fn describe_model(&self, name: &ObjectName) -> Result<Answer> {
        let path = self.path(name)?;
        let Some(model) = self.catalogs.model(&path)? else {
            return Err(Error::invalid(format!(
                "Model with the identifier '{}' doesn't exist.",
                path.plain()
            )));
        };
        let text = || TypeKind::STRING.nullable();
        let flag = || TypeKind::Boolean.nullable();
        let mut columns = vec![
            ("name".to_owned(), text()),
            ("type".to_owned(), text()),
            ("null".to_owned(), flag()),
            ("is input".to_owned(), flag()),
        ];
        let all = || model.input.iter().chain(&model.output);
        let commented = all().any(|column| column.comment.is_some());
        if commented {
            columns.push(("comment".to_owned(), text()));
        }
        let word = |is: bool| Some(if is { "TRUE" } else { "FALSE" }.to_owned());
        let rows = all().enumerate().map(|(at, column)| {
            let mut row = vec![
                Some(column.name.clone()),
                Some(column.ty.kind.to_string()),
                word(column.ty.nullable),
                word(at < model.input.len()),
            ];
            if commented {
                row.push(column.comment.clone());
            }
            row
        });
        Ok(Answer { columns, rows: rows.collect() })
    }
}

fn column(column: &TableColumn) -> String {
    let comment = column.comment.as_ref().map(|comment| format!(" COMMENT '{}'", escaped(comment)));
    format!("{} {}{}", quoted(&column.name), sql_type(&column.ty), comment.unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('\'', "''")
}
