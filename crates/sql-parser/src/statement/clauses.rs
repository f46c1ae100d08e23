//! DISTRIBUTED and LIKE of CREATE TABLE.

use crate::ast::{Distribution, DistributionKind, LikeFeature, LikeOption, LikeTable, MergeStrategy};
use crate::error::{ParseError, Position, Result};
use crate::parser::Parser;

impl Parser<'_> {
    /// `DISTRIBUTED [BY [HASH | RANGE] (..)] [INTO n BUCKETS]`, if it comes next.
    pub(super) fn distribution(&mut self) -> Result<Option<Distribution>> {
        let position = self.position();
        if !self.eat("DISTRIBUTED") {
            return Ok(None);
        }
        self.distribution_body(position).map(Some)
    }

    pub(super) fn distribution_body(&mut self, position: Position) -> Result<Distribution> {
        let mut distribution = Distribution { position, kind: None, columns: vec![], buckets: None };
        if self.eat("BY") {
            distribution.kind = self.eat_any(&["HASH", "RANGE"]).map(|word| match word {
                "HASH" => DistributionKind::Hash,
                _ => DistributionKind::Range,
            });
            distribution.columns = self.parenthesised(Self::ident)?;
        }
        if self.eat("INTO") {
            distribution.buckets = Some(self.unsigned()?);
            self.expect("BUCKETS")?;
        }
        match distribution.columns.is_empty() && distribution.buckets.is_none() {
            true => Err(self.unexpected("BY or INTO behind DISTRIBUTED")),
            false => Ok(distribution),
        }
    }

    /// `table [(INCLUDING ALL ..)]`
    pub(super) fn like_table(&mut self) -> Result<LikeTable> {
        const FEATURES: [(&str, LikeFeature); 8] = [
            ("ALL", LikeFeature::All),
            ("CONSTRAINTS", LikeFeature::Constraints),
            ("DISTRIBUTION", LikeFeature::Distribution),
            ("GENERATED", LikeFeature::Generated),
            ("METADATA", LikeFeature::Metadata),
            ("OPTIONS", LikeFeature::Options),
            ("PARTITIONS", LikeFeature::Partitions),
            ("WATERMARKS", LikeFeature::Watermarks),
        ];
        let source = self.object_name()?;
        let mut options: Vec<LikeOption> = vec![];
        if !self.eat_sign("(") {
            return Ok(LikeTable { source, options });
        }
        loop {
            let position = self.position();
            let strategy = match self.expect_any(&["INCLUDING", "EXCLUDING", "OVERWRITING"])? {
                "INCLUDING" => MergeStrategy::Including,
                "EXCLUDING" => MergeStrategy::Excluding,
                _ => MergeStrategy::Overwriting,
            };
            let found = FEATURES.iter().find(|(word, _)| self.eat(word));
            let (word, feature) =
                *found.ok_or_else(|| self.unexpected(&FEATURES.map(|(word, _)| word).join(" or ")))?;
            let only_options = matches!(
                feature,
                LikeFeature::All
                    | LikeFeature::Constraints
                    | LikeFeature::Distribution
                    | LikeFeature::Partitions
            );
            if strategy == MergeStrategy::Overwriting && only_options {
                return Err(ParseError::new(
                    format!("OVERWRITING {word} is not possible: use INCLUDING or EXCLUDING"),
                    position,
                ));
            }
            if options.iter().any(|option| option.feature == feature) {
                return Err(ParseError::new(format!("{word} is said twice"), position));
            }
            options.push(LikeOption { strategy, feature, position });
            self.eat_sign(",");
            if self.eat_sign(")") {
                return Ok(LikeTable { source, options });
            }
        }
    }
}
