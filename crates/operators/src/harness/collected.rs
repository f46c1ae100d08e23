//! The output of an operator under test, as text, and the invariants of any changelog.

use std::collections::BTreeMap;

use flott_batch::{Batch, ChangeBatch, WatermarkStatus, pretty};
use flott_operator::Output;
use flott_types::{LogicalType, Result, Watermark};

/// What an operator has sent.
#[derive(Default)]
pub(super) struct Collected {
    pub types: Vec<LogicalType>,
    pub text: String,
    pub batches: Vec<ChangeBatch>,
    /// The result of the changelog so far: how often each row is present.
    pub rows: BTreeMap<String, i64>,
    /// Whether +U comes without -U.
    pub upsert: bool,
    pub watermark: Option<Watermark>,
}

impl Collected {
    /// Checks the invariants of a changelog.
    fn check(&mut self, text: &str) {
        if self.upsert {
            return;
        }
        let lines: Vec<_> = text.lines().map(|line| line.split_at_checked(3).unwrap_or((line, ""))).collect();
        for (at, (kind, row)) in lines.iter().enumerate() {
            let next = lines.get(at + 1).map(|(kind, _)| kind.trim());
            let before = at.checked_sub(1).map(|before| lines[before].0.trim());
            match kind.trim() {
                "-U" => assert_eq!(next, Some("+U"), "-U without +U in\n{text}"),
                "+U" => assert_eq!(before, Some("-U"), "+U without -U in\n{text}"),
                _ => (),
            }
            let count = self.rows.entry((*row).to_owned()).or_default();
            *count += if kind.starts_with('+') { 1 } else { -1 };
            assert!(*count >= 0, "{kind}{row} retracts what is not there");
            if *count == 0 {
                self.rows.remove(*row);
            }
        }
    }
}

impl Output for Collected {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else { panic!("records") };
        for (column, ty) in batch.columns().columns().iter().zip(&self.types) {
            assert_eq!(*column.data_type(), flott_batch::arrow_type::to_arrow(ty));
        }
        assert_eq!(batch.columns().num_columns(), self.types.len());
        let text = pretty::print(&batch, &self.types);
        self.check(&text);
        self.text.push_str(&text);
        self.batches.push(batch);
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        assert!(self.watermark.is_none_or(|before| before <= watermark), "the watermark went back");
        self.watermark = Some(watermark);
        self.text.push_str(&format!("watermark {watermark}\n"));
        Ok(())
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        let status = if status == WatermarkStatus::Idle { "idle\n" } else { "active\n" };
        self.text.push_str(status);
        Ok(())
    }
}
