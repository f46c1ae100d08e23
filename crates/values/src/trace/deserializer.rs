//! The requests of a type, and the answers to them.

use std::any::type_name;

use serde::de::{Deserializer, Visitor};

use super::access::{Elements, Entries, Fields, Variant};
use super::{Kind, Member, NoColumn, Node, Path, SAMPLES, State, Trace, TraceError};

type Traced<T> = Result<T, TraceError>;

impl<'a> Trace<'a> {
    /// Continues inside a named type, unless it is recursive.
    fn enter<V>(self, go: impl FnOnce(&mut Node, &Path<'_>) -> Traced<V>) -> Traced<V> {
        let name = type_name::<V>();
        if Path::holds(self.above, name) {
            self.node.decide(Kind::Json(NoColumn::Recursive));
            return Err(TraceError::Again);
        }
        go(self.node, &Path { name, above: self.above })
    }

    fn text(self) -> &'static str {
        self.node.decide(Kind::Text);
        self.node.attempts = SAMPLES.len();
        SAMPLES.get(self.node.attempt).copied().unwrap_or_default()
    }

    fn tuple<'de, V: Visitor<'de>>(
        node: &mut Node,
        above: Option<&Path<'_>>,
        len: usize,
        visitor: V,
    ) -> Traced<V::Value> {
        node.within_option = false;
        if len == 0 {
            node.decide(Kind::Json(NoColumn::Empty));
        } else if !matches!(node.kind, Some(Kind::Tuple(_))) {
            node.kind = Some(Kind::Tuple((0..len).map(|_| Node::default()).collect()));
        }
        let items = match &mut node.kind {
            Some(Kind::Tuple(items)) => items.as_mut_slice(),
            _ => &mut [],
        };
        let mut elements = Elements { items, at: 0, above };
        let result = visitor.visit_seq(&mut elements);
        if elements.barren() {
            // An element that cannot be made cannot be skipped.
            node.decide(Kind::Json(NoColumn::SelfDescribing));
        } else if elements.at == len || result.is_ok() {
            node.state = State::Known;
        }
        result
    }
}

macro_rules! scalars {
    ($($method:ident $kind:ident $visit:ident $value:expr),* $(,)?) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
            self.node.decide(Kind::$kind);
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Trace<'_> {
    type Error = TraceError;

    // One rather than zero: some types are never zero.
    scalars! {
        deserialize_bool Bool visit_bool false,
        deserialize_i8 I8 visit_i8 1,
        deserialize_i16 I16 visit_i16 1,
        deserialize_i32 I32 visit_i32 1,
        deserialize_i64 I64 visit_i64 1,
        deserialize_u8 U8 visit_u8 1,
        deserialize_u16 U16 visit_u16 1,
        deserialize_u32 U32 visit_u32 1,
        deserialize_u64 U64 visit_u64 1,
        deserialize_f32 F32 visit_f32 1.0,
        deserialize_f64 F64 visit_f64 1.0,
        deserialize_char Text visit_char 'a',
        deserialize_bytes Bytes visit_borrowed_bytes &[],
        deserialize_byte_buf Bytes visit_borrowed_bytes &[],
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        self.node.decide(Kind::Json(NoColumn::Wide));
        visitor.visit_i128(1)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        self.node.decide(Kind::Json(NoColumn::Wide));
        visitor.visit_u128(1)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        visitor.visit_borrowed_str(self.text())
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        visitor.visit_string(self.text().to_owned())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        if self.node.within_option {
            return Err(TraceError::Refused(
                "an Option within an Option cannot be told from none; use an enum instead",
            ));
        }
        self.node.optional = true;
        if self.node.state == State::Barren {
            return visitor.visit_none();
        }
        self.node.within_option = true;
        let value = visitor.visit_some(Trace { node: self.node, above: self.above });
        self.node.within_option = false;
        value
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        if self.node.within_option {
            return Err(TraceError::Refused(
                "an Option of something without data cannot be told from none; use a bool instead",
            ));
        }
        self.node.decide(Kind::Unit);
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Traced<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Traced<V::Value> {
        self.enter(|node, path| visitor.visit_newtype_struct(Trace { node, above: Some(path) }))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        let node = self.node;
        node.within_option = false;
        if !matches!(node.kind, Some(Kind::List(_))) {
            node.kind = Some(Kind::List(Box::default()));
        }
        let Some(Kind::List(item)) = &mut node.kind else { return Err(TraceError::Again) };
        let (settled, some) = (item.state != State::Open, usize::from(item.state != State::Barren));
        let mut elements =
            Elements { items: &mut std::slice::from_mut(&mut **item)[..some], at: 0, above: self.above };
        let result = visitor.visit_seq(&mut elements);
        if settled || result.is_ok() {
            node.state = State::Known;
        }
        result
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Traced<V::Value> {
        Trace::tuple(self.node, self.above, len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Traced<V::Value> {
        self.enter(|node, path| Trace::tuple(node, Some(path), len, visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        let node = self.node;
        node.within_option = false;
        if !matches!(node.kind, Some(Kind::Map(..))) {
            node.kind = Some(Kind::Map(Box::default(), Box::default()));
        }
        let Some(Kind::Map(key, value)) = &mut node.kind else { return Err(TraceError::Again) };
        let settled = key.state != State::Open && value.state != State::Open;
        let result = visitor.visit_map(Entries { key, value, given: false, above: self.above });
        if settled || result.is_ok() || key.self_describing() {
            node.state = State::Known;
        }
        result
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Traced<V::Value> {
        self.enter(|node, path| {
            node.within_option = false;
            if fields.is_empty() {
                node.decide(Kind::Json(NoColumn::Empty));
            } else if !matches!(node.kind, Some(Kind::Struct(_))) {
                let open = |name: &&'static str| Member { name, aliases: Vec::new(), value: Node::default() };
                node.kind = Some(Kind::Struct(fields.iter().map(open).collect()));
            }
            let mut none = Vec::new();
            let members = match &mut node.kind {
                Some(Kind::Struct(members)) => members,
                _ => &mut none,
            };
            let mut given = Fields::new(members, path);
            let result = visitor.visit_map(&mut given);
            let complete = given.complete();
            if let (Err(TraceError::Duplicate(name)), Some(last)) = (&result, given.last()) {
                alias(members, last, name);
                return Err(TraceError::Again);
            }
            // An adjacently tagged enum requests its tag as an enum of its own name; its content varies.
            if !name.is_empty()
                && members.len() == 2
                && members.iter().any(|member| member.value.enum_name == name)
            {
                node.decide(Kind::Json(NoColumn::SelfDescribing));
            } else if complete || result.is_ok() {
                node.state = State::Known;
            }
            result
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Traced<V::Value> {
        self.enter(|node, path| {
            node.decide(Kind::Enum);
            node.attempts = variants.len();
            node.enum_name = name;
            match variants.get(node.attempt) {
                Some(name) => visitor.visit_enum(Variant { name, path }),
                None => Err(TraceError::Again),
            }
        })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Traced<V::Value> {
        // A struct that accepts any fields.
        self.node.decide(Kind::Json(NoColumn::SelfDescribing));
        Err(TraceError::Again)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        self.node.decide(Kind::Json(NoColumn::SelfDescribing));
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Traced<V::Value> {
        self.deserialize_any(visitor)
    }
}

/// The struct accepted the last field as one that it had under another name; `name` is the field's own.
fn alias(members: &mut Vec<Member<Node>>, last: usize, name: &str) {
    if members[last].name == name {
        // The other name came first: next time it comes after this one, and is known to be the alias.
        members[last].value.first = true;
        return;
    }
    let alias = members.remove(last);
    if let Some(member) = members.iter_mut().find(|member| member.name == name) {
        member.aliases.push(alias.name);
    }
}
