//! The made-up contents of sequences, maps, structs and enums.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::{Kind, Member, NoColumn, Node, Path, State, Trace, TraceError};

type Traced<T> = Result<T, TraceError>;

impl Node {
    /// Gives the type a value for this part, or records that it was not accepted.
    fn give<'de, S: DeserializeSeed<'de>>(&mut self, seed: S, above: Option<&Path<'_>>) -> Traced<S::Value> {
        let result = seed.deserialize(Trace { node: self, above });
        if result.is_err() {
            self.failed();
        }
        result
    }

    pub(super) fn self_describing(&self) -> bool {
        matches!(self.kind, Some(Kind::Json(NoColumn::SelfDescribing)))
    }
}

/// The elements of a sequence or tuple.
pub(super) struct Elements<'a> {
    pub items: &'a mut [Node],
    pub at: usize,
    pub above: Option<&'a Path<'a>>,
}

impl Elements<'_> {
    /// Whether it came to an element that cannot be made.
    pub fn barren(&self) -> bool {
        self.items.get(self.at).is_some_and(|item| item.state == State::Barren && !item.optional)
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_> {
    type Error = TraceError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<Option<S::Value>> {
        if self.barren() {
            return Err(TraceError::Again);
        }
        let Some(item) = self.items.get_mut(self.at) else { return Ok(None) };
        let value = item.give(seed, self.above)?;
        self.at += 1;
        Ok(Some(value))
    }
}

/// The one entry of a map.
pub(super) struct Entries<'a> {
    pub key: &'a mut Node,
    pub value: &'a mut Node,
    pub given: bool,
    pub above: Option<&'a Path<'a>>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<Option<S::Value>> {
        // Without a key the value cannot be requested: such a map is treated as self-describing.
        let barren = self.key.state == State::Barren || self.value.state == State::Barren;
        if barren || std::mem::replace(&mut self.given, true) {
            return Ok(None);
        }
        self.key.give(seed, self.above).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<S::Value> {
        self.value.give(seed, self.above)
    }
}

/// The fields of a struct, except those that cannot be made.
pub(super) struct Fields<'a> {
    members: &'a mut [Member<Node>],
    order: std::vec::IntoIter<usize>,
    last: Option<usize>,
    exhausted: bool,
    path: &'a Path<'a>,
}

impl<'a> Fields<'a> {
    pub fn new(members: &'a mut [Member<Node>], path: &'a Path<'a>) -> Self {
        let mut order: Vec<usize> = (0..members.len()).collect();
        order.sort_by_key(|at| !members[*at].value.first);
        Fields { members, order: order.into_iter(), last: None, exhausted: false, path }
    }

    /// Whether all fields were asked for, and their shapes are known.
    pub fn complete(&self) -> bool {
        self.exhausted && self.members.iter().all(|member| member.value.state != State::Open)
    }

    /// The field that was given last.
    pub fn last(&self) -> Option<usize> {
        self.last
    }
}

impl<'de> MapAccess<'de> for &mut Fields<'_> {
    type Error = TraceError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<Option<S::Value>> {
        let members = &self.members;
        let next = self.order.find(|at| members[*at].value.state != State::Barren);
        let Some(next) = next else {
            self.exhausted = true;
            return Ok(None);
        };
        self.last = Some(next);
        let name: StrDeserializer<'_, TraceError> = self.members[next].name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Traced<S::Value> {
        match self.last {
            Some(at) => self.members[at].value.give(seed, Some(self.path)),
            None => Err(TraceError::Again),
        }
    }
}

/// A variant of an enum.
pub(super) struct Variant<'a> {
    pub name: &'static str,
    pub path: &'a Path<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = TraceError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Traced<(S::Value, Self)> {
        let name: StrDeserializer<'_, TraceError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

/// The data of variants is always text: its shape is not kept.
impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = TraceError;

    fn unit_variant(self) -> Traced<()> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Traced<S::Value> {
        seed.deserialize(Trace { node: &mut Node::default(), above: Some(self.path) })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Traced<V::Value> {
        Trace { node: &mut Node::default(), above: Some(self.path) }.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Traced<V::Value> {
        // The resulting type is the enum again, which is not a recursion.
        Trace { node: &mut Node::default(), above: self.path.above }.deserialize_struct("", fields, visitor)
    }
}
