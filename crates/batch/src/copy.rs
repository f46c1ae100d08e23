//! Copying values by serialising them within a process: how a value that is not `Clone` gets to a second
//! receiver, or into a second attempt.
//!
//! MessagePack with names instead of positions supports whatever a type does with serde. Values that it
//! cannot distinguish are refused when they are written: `Some(None)` and `Some(())` would come back as
//! `None`.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde::ser::{self, Error, Serialize, Serializer};

/// A value in bytes.
///
/// # Errors
/// If it cannot be serialised, or would come back as a different value.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, rmp_serde::encode::Error> {
    let mut bytes = Vec::new();
    let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    value.serialize(Faithful { inner: &mut serializer, within_some: false })?;
    Ok(bytes)
}

/// The value that was written.
///
/// # Errors
/// If it cannot be deserialised.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, rmp_serde::decode::Error> {
    rmp_serde::from_slice(bytes)
}

/// A serializer that refuses a `Some` whose content reads like `None`.
struct Faithful<S> {
    inner: S,
    within_some: bool,
}

/// A part of a value.
struct Part<'a, T: ?Sized> {
    value: &'a T,
    within_some: bool,
}

impl<T: Serialize + ?Sized> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Faithful { inner, within_some: self.within_some })
    }
}

fn whole<T: ?Sized>(value: &T) -> Part<'_, T> {
    Part { value, within_some: false }
}

impl<S: Serializer> Faithful<S> {
    fn nothing(&self) -> Result<(), S::Error> {
        match self.within_some {
            true => Err(S::Error::custom(
                "Some(None) and Some(()) cannot be distinguished from None; use an enum instead of an Option in an Option",
            )),
            false => Ok(()),
        }
    }
}

/// Parts go through [`Faithful`] too.
struct Parts<C>(C);

macro_rules! as_they_are {
    ($($name:ident: $type:ty),*) => {
        $(fn $name(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$name(value)
        })*
    };
}

impl<S: Serializer> Serializer for Faithful<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<S::SerializeSeq>;
    type SerializeTuple = Parts<S::SerializeTuple>;
    type SerializeTupleStruct = Parts<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<S::SerializeTupleVariant>;
    type SerializeMap = Parts<S::SerializeMap>;
    type SerializeStruct = Parts<S::SerializeStruct>;
    type SerializeStructVariant = Parts<S::SerializeStructVariant>;

    as_they_are!(
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8]
    );

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.nothing()?;
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Part { value, within_some: true })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.nothing()?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, at, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // Nothing is written of the struct itself.
        self.inner.serialize_newtype_struct(name, &Part { value, within_some: self.within_some })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, at, variant, &whole(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.inner.serialize_seq(len).map(Parts)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.inner.serialize_tuple(len).map(Parts)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.inner.serialize_tuple_struct(name, len).map(Parts)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.inner.serialize_tuple_variant(name, at, variant, len).map(Parts)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.inner.serialize_map(len).map(Parts)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.inner.serialize_struct(name, len).map(Parts)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        at: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.inner.serialize_struct_variant(name, at, variant, len).map(Parts)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! elements {
    ($($trait:ident: $method:ident),*) => {
        $(impl<C: ser::$trait> ser::$trait for Parts<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.0.$method(&whole(value))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.0.end()
            }
        })*
    };
}

elements!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl<C: ser::$trait> ser::$trait for Parts<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), C::Error> {
                self.0.serialize_field(name, &whole(value))
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                self.0.skip_field(name)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.0.end()
            }
        })*
    };
}

fields!(SerializeStruct, SerializeStructVariant);

impl<C: ser::SerializeMap> ser::SerializeMap for Parts<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.0.serialize_key(&whole(key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.0.serialize_value(&whole(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.0.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    enum Kind {
        Unit,
        New(Option<i32>),
        Tuple(i8, char),
        Named { text: Option<String>, empty: () },
    }

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct All {
        kinds: Vec<Kind>,
        map: BTreeMap<u8, Option<(f64, bool)>>,
        big: i128,
        wrapped: Option<Wrapped>,
    }

    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Wrapped(Option<u16>);

    fn there_and_back<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, String> {
        let bytes = write(value).map_err(|error| error.to_string())?;
        read(&bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn values_come_back_as_they_were() {
        let kinds =
            vec![Kind::Unit, Kind::New(None), Kind::Tuple(-1, 'x'), Kind::Named { text: None, empty: () }];
        let map = BTreeMap::from([(1, None), (2, Some((0.5, true)))]);
        let all = All { kinds, map, big: -5, wrapped: Some(Wrapped(Some(7))) };
        assert_eq!(there_and_back(&all).unwrap(), all);
        assert_eq!(there_and_back(&[Some(Some(1)), None]).unwrap(), [Some(Some(1)), None]);
    }

    #[test]
    fn what_would_come_back_as_none_is_refused() {
        for error in [
            there_and_back(&vec![Some(None::<i32>)]).map(drop),
            there_and_back(&(1, Some(()))).map(drop),
            there_and_back(&Some(Wrapped(None))).map(drop),
        ] {
            assert!(error.unwrap_err().contains("cannot be distinguished from None"));
        }
    }
}
