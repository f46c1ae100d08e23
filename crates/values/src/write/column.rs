//! Columns in the making.

use std::sync::atomic::{AtomicUsize, Ordering};

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::error::ArrowError;

use crate::json::WriteError;
use crate::shape::{Kind, Shape};

/// A column under construction.
pub(crate) enum Column {
    Unit(usize),
    Bool(BooleanBuilder),
    I8(Int8Builder),
    I16(Int16Builder),
    I32(Int32Builder),
    I64(Int64Builder),
    U8(UInt8Builder),
    U16(UInt16Builder),
    U32(UInt32Builder),
    U64(UInt64Builder),
    F32(Float32Builder),
    F64(Float64Builder),
    Text(StringBuilder),
    Enum(StringBuilder),
    Json(StringBuilder),
    Bytes(BinaryBuilder),
    List(Box<ListColumn>),
    Map(Box<MapColumn>),
    Tuple(Box<RowColumn>),
    Struct(Box<RowColumn>),
}

pub(crate) struct ListColumn {
    pub item: Column,
    pub ends: Ends,
    field: FieldRef,
}

pub(crate) struct MapColumn {
    pub key: Column,
    pub value: Column,
    pub ends: Ends,
    fields: Fields,
    entries: FieldRef,
}

/// A struct or tuple.
pub(crate) struct RowColumn {
    pub members: Vec<RowMember>,
    pub len: usize,
    nulls: NullBufferBuilder,
    fields: Fields,
}

pub(crate) struct RowMember {
    pub name: &'static str,
    aliases: Vec<&'static str>,
    pub column: Column,
}

impl RowMember {
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

/// The ends of a column's lists.
pub(crate) struct Ends {
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Ends {
    fn new(capacity: usize) -> Self {
        let mut offsets = Vec::with_capacity(capacity + 1);
        offsets.push(0);
        Ends { offsets, nulls: NullBufferBuilder::new(capacity) }
    }

    fn last(&self) -> i32 {
        self.offsets.last().copied().unwrap_or_default()
    }

    /// A list of that many elements, which are in the column already.
    pub fn push(&mut self, elements: usize) -> Result<(), WriteError> {
        let end = i32::try_from(elements).ok().and_then(|elements| self.last().checked_add(elements));
        self.offsets.push(end.ok_or_else(too_large)?);
        self.nulls.append_non_null();
        Ok(())
    }

    fn push_null(&mut self) {
        self.offsets.push(self.last());
        self.nulls.append_null();
    }

    fn finish(mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        (OffsetBuffer::new(self.offsets.into()), self.nulls.finish())
    }
}

pub(super) fn too_large() -> WriteError {
    WriteError::too_large("the values of one column exceed 2 GiB")
}

/// How many bytes of text a column may have: what arrow's offsets can count.
static MOST: AtomicUsize = AtomicUsize::new(i32::MAX as usize);

/// Limits the text of this process's columns to this many bytes, to test larger columns.
#[doc(hidden)]
pub fn limit_columns(bytes: usize) {
    MOST.store(bytes, Ordering::Relaxed);
}

/// Refuses text and bytes that arrow's offsets cannot count.
#[inline]
pub(super) fn check_room(have: usize, more: usize) -> Result<(), WriteError> {
    if have + more > MOST.load(Ordering::Relaxed) { Err(too_large()) } else { Ok(()) }
}

impl Column {
    /// For about that many values of the shape.
    pub fn new(shape: &Shape, capacity: usize) -> Self {
        let text = || StringBuilder::with_capacity(capacity, 0);
        match &shape.kind {
            Kind::Unit => Column::Unit(0),
            Kind::Bool => Column::Bool(BooleanBuilder::with_capacity(capacity)),
            Kind::I8 => Column::I8(PrimitiveBuilder::with_capacity(capacity)),
            Kind::I16 => Column::I16(PrimitiveBuilder::with_capacity(capacity)),
            Kind::I32 => Column::I32(PrimitiveBuilder::with_capacity(capacity)),
            Kind::I64 => Column::I64(PrimitiveBuilder::with_capacity(capacity)),
            Kind::U8 => Column::U8(PrimitiveBuilder::with_capacity(capacity)),
            Kind::U16 => Column::U16(PrimitiveBuilder::with_capacity(capacity)),
            Kind::U32 => Column::U32(PrimitiveBuilder::with_capacity(capacity)),
            Kind::U64 => Column::U64(PrimitiveBuilder::with_capacity(capacity)),
            Kind::F32 => Column::F32(PrimitiveBuilder::with_capacity(capacity)),
            Kind::F64 => Column::F64(PrimitiveBuilder::with_capacity(capacity)),
            Kind::Text => Column::Text(text()),
            Kind::Enum => Column::Enum(text()),
            Kind::Json(_) => Column::Json(text()),
            Kind::Bytes => Column::Bytes(BinaryBuilder::with_capacity(capacity, 0)),
            Kind::List(item) => Column::List(Box::new(ListColumn {
                item: Column::new(item, capacity),
                ends: Ends::new(capacity),
                field: item.field("item"),
            })),
            Kind::Map(key, value) => {
                let key_field = Arc::new(key.field("key").as_ref().clone().with_nullable(false));
                let fields = Fields::from(vec![key_field, value.field("value")]);
                Column::Map(Box::new(MapColumn {
                    key: Column::new(key, capacity),
                    value: Column::new(value, capacity),
                    ends: Ends::new(capacity),
                    entries: Arc::new(Field::new("entries", DataType::Struct(fields.clone()), false)),
                    fields,
                }))
            }
            Kind::Tuple(items) => {
                let member =
                    |item| RowMember { name: "", aliases: Vec::new(), column: Column::new(item, capacity) };
                Column::Tuple(RowColumn::create(shape, items.iter().map(member).collect(), capacity))
            }
            Kind::Struct(members) => {
                let members = members.iter().map(|member| RowMember {
                    name: member.name,
                    aliases: member.aliases.clone(),
                    column: Column::new(&member.value, capacity),
                });
                Column::Struct(RowColumn::create(shape, members.collect(), capacity))
            }
        }
    }

    /// How many values it has.
    pub fn len(&self) -> usize {
        match self {
            Column::Unit(len) => *len,
            Column::Bool(builder) => builder.len(),
            Column::I8(builder) => builder.len(),
            Column::I16(builder) => builder.len(),
            Column::I32(builder) => builder.len(),
            Column::I64(builder) => builder.len(),
            Column::U8(builder) => builder.len(),
            Column::U16(builder) => builder.len(),
            Column::U32(builder) => builder.len(),
            Column::U64(builder) => builder.len(),
            Column::F32(builder) => builder.len(),
            Column::F64(builder) => builder.len(),
            Column::Text(builder) | Column::Enum(builder) | Column::Json(builder) => builder.len(),
            Column::Bytes(builder) => builder.len(),
            Column::List(list) => list.ends.offsets.len() - 1,
            Column::Map(map) => map.ends.offsets.len() - 1,
            Column::Tuple(row) | Column::Struct(row) => row.len,
        }
    }

    pub fn push_null(&mut self) {
        match self {
            Column::Unit(len) => *len += 1,
            Column::Bool(builder) => builder.append_null(),
            Column::I8(builder) => builder.append_null(),
            Column::I16(builder) => builder.append_null(),
            Column::I32(builder) => builder.append_null(),
            Column::I64(builder) => builder.append_null(),
            Column::U8(builder) => builder.append_null(),
            Column::U16(builder) => builder.append_null(),
            Column::U32(builder) => builder.append_null(),
            Column::U64(builder) => builder.append_null(),
            Column::F32(builder) => builder.append_null(),
            Column::F64(builder) => builder.append_null(),
            Column::Text(builder) | Column::Enum(builder) | Column::Json(builder) => builder.append_null(),
            Column::Bytes(builder) => builder.append_null(),
            Column::List(list) => list.ends.push_null(),
            Column::Map(map) => map.ends.push_null(),
            Column::Tuple(row) | Column::Struct(row) => {
                row.members.iter_mut().for_each(|member| member.column.push_null());
                row.nulls.append_null();
                row.len += 1;
            }
        }
    }

    pub fn finish(self) -> Result<ArrayRef, WriteError> {
        // Only an inconsistent `Serialize` gets here with mismatched columns.
        let misfit = |e: ArrowError| WriteError::new(format!("the type is not written as it is read: {e}"));
        Ok(match self {
            Column::Unit(len) => Arc::new(NullArray::new(len)),
            Column::Bool(mut builder) => Arc::new(builder.finish()),
            Column::I8(mut builder) => Arc::new(builder.finish()),
            Column::I16(mut builder) => Arc::new(builder.finish()),
            Column::I32(mut builder) => Arc::new(builder.finish()),
            Column::I64(mut builder) => Arc::new(builder.finish()),
            Column::U8(mut builder) => Arc::new(builder.finish()),
            Column::U16(mut builder) => Arc::new(builder.finish()),
            Column::U32(mut builder) => Arc::new(builder.finish()),
            Column::U64(mut builder) => Arc::new(builder.finish()),
            Column::F32(mut builder) => Arc::new(builder.finish()),
            Column::F64(mut builder) => Arc::new(builder.finish()),
            Column::Text(mut builder) | Column::Enum(mut builder) | Column::Json(mut builder) => {
                Arc::new(builder.finish())
            }
            Column::Bytes(mut builder) => Arc::new(builder.finish()),
            Column::List(list) => {
                let (offsets, nulls) = list.ends.finish();
                let items = list.item.finish()?;
                Arc::new(ListArray::try_new(list.field, offsets, items, nulls).map_err(misfit)?)
            }
            Column::Map(map) => {
                let (offsets, nulls) = map.ends.finish();
                let columns = vec![map.key.finish()?, map.value.finish()?];
                let entries = StructArray::try_new(map.fields, columns, None).map_err(misfit)?;
                Arc::new(MapArray::try_new(map.entries, offsets, entries, nulls, false).map_err(misfit)?)
            }
            Column::Tuple(mut row) | Column::Struct(mut row) => {
                let nulls = row.nulls.finish();
                let columns = row.members.into_iter().map(|member| member.column.finish());
                let columns = columns.collect::<Result<Vec<_>, _>>()?;
                Arc::new(StructArray::try_new(row.fields, columns, nulls).map_err(misfit)?)
            }
        })
    }
}

impl RowColumn {
    fn create(shape: &Shape, members: Vec<RowMember>, capacity: usize) -> Box<Self> {
        let fields = match shape.field("").data_type() {
            DataType::Struct(fields) => fields.clone(),
            _ => Fields::empty(),
        };
        let nulls = NullBufferBuilder::new(capacity);
        Box::new(RowColumn { members, len: 0, nulls, fields })
    }

    /// Ends a row; members that it did not have are NULL.
    pub fn end(&mut self, complete: bool) {
        self.len += 1;
        self.nulls.append_non_null();
        if !complete {
            let len = self.len;
            let missing = self.members.iter_mut().filter(|member| member.column.len() < len);
            missing.for_each(|member| member.column.push_null());
        }
    }
}
