//! Rows of columns as bytes that compare like the rows (arrow's row format).

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use arrow::row::{RowConverter, RowParser, Rows, SortField};
use flott_types::{Error, Result};

/// Encodes rows of the given columns as bytes and decodes them. Reuses the buffer of the last batch, so
/// encoding does not allocate.
pub(crate) struct RowCodec {
    converter: RowConverter,
    parser: RowParser,
    /// The rows of the last batch.
    rows: Rows,
    columns: usize,
}

impl RowCodec {
    pub fn new(fields: &[FieldRef]) -> Result<Self> {
        Self::ordered(fields, &[])
    }

    /// With a sort order for the first columns; the others ascend.
    pub fn ordered(fields: &[FieldRef], order: &[SortOptions]) -> Result<Self> {
        let sort = |(at, field): (usize, &FieldRef)| {
            let options = order.get(at).copied().unwrap_or_default();
            SortField::new_with_options(field.data_type().clone(), options)
        };
        let converter = RowConverter::new(fields.iter().enumerate().map(sort).collect())
            .map_err(|e| Error::unsupported("state of this type").with_source(e))?;
        Ok(RowCodec {
            parser: converter.parser(),
            rows: converter.empty_rows(0, 0),
            converter,
            columns: fields.len(),
        })
    }

    /// Encodes a batch; [`RowCodec::row`] gives its rows until the next one.
    pub fn encode(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        if columns.len() != self.columns || columns.iter().any(|column| column.len() != rows) {
            return Err(Error::internal(format!("{} columns of {rows} rows were expected", self.columns)));
        }
        self.rows.clear();
        if self.columns > 0 {
            self.converter.append(&mut self.rows, columns).map_err(row_error)?;
        }
        Ok(())
    }

    #[inline]
    pub fn row(&self, row: usize) -> &[u8] {
        if self.columns == 0 {
            return &[];
        }
        // `data` borrows from the buffer, not from the row.
        self.rows.row(row).data()
    }

    /// The columns of rows that this codec encoded.
    pub fn decode<'a>(&self, rows: impl Iterator<Item = &'a [u8]>) -> Result<Vec<ArrayRef>> {
        if self.columns == 0 {
            return Ok(Vec::new());
        }
        let parsed: Vec<&[u8]> = rows.collect();
        self.converter.convert_rows(parsed.iter().map(|row| self.parser.parse(row))).map_err(row_error)
    }

    pub fn memory(&self) -> usize {
        self.rows.size()
    }
}

impl std::fmt::Debug for RowCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RowCodec({:?})", self.converter)
    }
}

fn row_error(error: arrow::error::ArrowError) -> Error {
    Error::internal("rows of state cannot be encoded or decoded").with_source(error)
}
