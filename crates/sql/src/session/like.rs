//! CREATE TABLE ... LIKE.

use flott_sql_parser::ast::{LikeFeature, LikeTable, MergeStrategy};
use flott_types::{Error, Result};

use super::Session;
use super::create::Declared;
use crate::catalog::{CatalogObject, Table, TableColumn, TableColumnKind};

impl Session {
    /// The declared parts, merged with those of another table according to the options.
    pub(super) fn merged_like(&self, own: Declared, like: &LikeTable) -> Result<Table> {
        let path = self.path(&like.source)?;
        let base = match self.catalogs.lookup(&path)? {
            Some(CatalogObject::Table(table)) => Table::clone(&table),
            Some(CatalogObject::View(_)) => {
                return Err(Error::invalid(format!("LIKE takes a table; {path} is a view")));
            }
            None => {
                return Err(Error::invalid(format!("Source table '{path}' of the LIKE clause not found")));
            }
        };
        let strategy = |feature: LikeFeature| strategy_of(like, feature);
        // Physical columns are always included; the declared ones follow.
        let mut columns: Vec<TableColumn> = Vec::new();
        for column in base.columns {
            let keep = match &column.kind {
                TableColumnKind::Physical => true,
                TableColumnKind::Computed { .. } => {
                    strategy(LikeFeature::Generated)? != MergeStrategy::Excluding
                }
                TableColumnKind::Metadata { .. } => {
                    strategy(LikeFeature::Metadata)? != MergeStrategy::Excluding
                }
            };
            if keep {
                columns.push(column);
            }
        }
        for column in own.columns {
            match columns.iter().position(|known| known.name == column.name) {
                None => columns.push(column),
                Some(index) => {
                    let feature = match (&columns[index].kind, &column.kind) {
                        (TableColumnKind::Computed { .. }, TableColumnKind::Computed { .. }) => {
                            LikeFeature::Generated
                        }
                        (TableColumnKind::Metadata { .. }, TableColumnKind::Metadata { .. }) => {
                            LikeFeature::Metadata
                        }
                        _ => {
                            return Err(Error::invalid(format!(
                                "A column named '{}' already exists in the base table.",
                                column.name
                            )));
                        }
                    };
                    if strategy(feature)? != MergeStrategy::Overwriting {
                        return Err(Error::invalid(format!(
                            "column '{}' already exists in the base table; add OVERWRITING GENERATED or METADATA",
                            column.name
                        )));
                    }
                    columns[index] = column;
                }
            }
        }
        let watermark = match (base.watermark, own.watermark, strategy(LikeFeature::Watermarks)?) {
            (_, Some(own), MergeStrategy::Excluding | MergeStrategy::Overwriting) => Some(own),
            (None, own, _) => own,
            (Some(_), Some(own), MergeStrategy::Including) => {
                return Err(Error::invalid(format!(
                    "There already exists a watermark on '{}' in the base table. You might want to specify EXCLUDING \
                     WATERMARKS or OVERWRITING WATERMARKS.",
                    own.column
                )));
            }
            (Some(_), None, MergeStrategy::Excluding) => None,
            (base, None, _) => base,
        };
        let primary_key = match (base.primary_key, own.primary_key, strategy(LikeFeature::Constraints)?) {
            (_, own, MergeStrategy::Excluding) => own,
            (Some(_), Some(_), _) => {
                return Err(Error::invalid(
                    "The base table already has a primary key. You might want to specify EXCLUDING CONSTRAINTS.",
                ));
            }
            (base, own, _) => own.or(base),
        };
        let excluded = strategy(LikeFeature::Partitions)? == MergeStrategy::Excluding;
        let partition_keys = match (base.partition_keys, own.partition_keys) {
            (_, own) if excluded => own,
            (base, own) if !base.is_empty() && !own.is_empty() => {
                return Err(Error::invalid(
                    "The base table already has partitions defined. You might want to specify EXCLUDING PARTITIONS.",
                ));
            }
            (base, own) => {
                if own.is_empty() {
                    base
                } else {
                    own
                }
            }
        };
        let options = match strategy(LikeFeature::Options)? {
            MergeStrategy::Excluding => own.options,
            MergeStrategy::Overwriting => {
                let mut options = base.options;
                options.extend(own.options);
                options
            }
            MergeStrategy::Including => {
                let mut options = base.options;
                for (key, value) in own.options {
                    if options.contains_key(&key) {
                        return Err(Error::invalid(format!(
                            "There already exists an option ['{key}'] in the base table. You might want to specify EXCLUDING \
                             OPTIONS or OVERWRITING OPTIONS."
                        )));
                    }
                    options.insert(key, value);
                }
                options
            }
        };
        let comment = own.comment.or(base.comment);
        let distribution = match (base.distribution, own.distribution, strategy(LikeFeature::Distribution)?) {
            (_, own, MergeStrategy::Excluding) => own,
            (Some(_), Some(_), _) => {
                return Err(Error::invalid(
                    "The base table already has a distribution defined. You might want to specify EXCLUDING DISTRIBUTION.",
                ));
            }
            (base, own, _) => own.or(base),
        };
        let own =
            Declared { columns, watermark, primary_key, partition_keys, options, comment, distribution };
        Ok(own.into_table())
    }
}

/// How a feature is merged: as specified for it, or for ALL, or Flink's default (everything included, options
/// overwritten).
fn strategy_of(like: &LikeTable, feature: LikeFeature) -> Result<MergeStrategy> {
    let said = |wanted: LikeFeature| like.options.iter().rev().find(|option| option.feature == wanted);
    if let Some(option) = said(feature) {
        let may_overwrite = matches!(
            feature,
            LikeFeature::Options | LikeFeature::Generated | LikeFeature::Watermarks | LikeFeature::Metadata
        );
        if option.strategy == MergeStrategy::Overwriting && !may_overwrite {
            return Err(Error::invalid(format!(
                "OVERWRITING does not apply to this feature, at {}",
                option.position
            )));
        }
        return Ok(option.strategy);
    }
    Ok(match (said(LikeFeature::All), feature) {
        (Some(option), _) => option.strategy,
        (None, LikeFeature::Options) => MergeStrategy::Overwriting,
        (None, _) => MergeStrategy::Including,
    })
}
