//! window_start, window_end and window_time.

use std::sync::Arc;

use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType};
use flott_types::{Error, Result};

use crate::support::Zone;

/// Appends the window columns to an output.
pub(super) struct WindowColumns {
    /// The types of the requested columns.
    types: [Option<DataType>; 3],
    zone: Zone,
}

impl WindowColumns {
    /// The last columns of the schema are those requested by `wanted`.
    pub fn new(schema: &SchemaRef, wanted: [bool; 3], zone: Zone) -> Result<Self> {
        let count = wanted.iter().filter(|wanted| **wanted).count();
        let fields = schema.fields().len().checked_sub(count).map(|first| &schema.fields()[first..]);
        let mut fields =
            fields.ok_or_else(|| Error::internal("the output has too few columns for the window"))?.iter();
        let mut types = [None, None, None];
        for (ty, wanted) in types.iter_mut().zip(wanted) {
            *ty = if wanted { fields.next().map(|field| field.data_type().clone()) } else { None };
            if let Some(other) =
                ty.as_ref().filter(|ty| !PrimitiveArray::<TimestampMicrosecondType>::is_compatible(ty))
            {
                return Err(Error::internal(format!("a window column cannot be {other}")));
            }
        }
        Ok(WindowColumns { types, zone })
    }

    /// Appends the columns for windows given by local start and end.
    pub fn append(&self, columns: &mut Vec<ArrayRef>, starts: &[i64], ends: &[i64]) {
        let column = |millis: &mut dyn Iterator<Item = i64>, ty: &DataType| -> ArrayRef {
            let micros = millis.map(|at| at.saturating_mul(1000)).collect();
            Arc::new(PrimitiveArray::<TimestampMicrosecondType>::new(micros, None).with_data_type(ty.clone()))
        };
        let [start, end, time] = &self.types;
        columns.extend(start.iter().map(|ty| column(&mut starts.iter().copied(), ty)));
        columns.extend(end.iter().map(|ty| column(&mut ends.iter().copied(), ty)));
        columns.extend(time.iter().map(|ty| match ty {
            DataType::Timestamp(_, Some(_)) => {
                column(&mut ends.iter().map(|end| self.zone.epoch(end - 1)), ty)
            }
            _ => column(&mut ends.iter().map(|end| end - 1), ty),
        }));
    }
}
