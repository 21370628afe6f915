//! Values as JSON for `JSON.parse`: one call of JavaScript where a writer of its values makes one a
//! property, and of what `serde_json` writes no more than findings, trees and traces have.

use std::fmt::{Display, Write as _};

use serde::Serialize;
use serde::ser::{self, Impossible};

/// The text so far.
#[derive(Debug, Default)]
pub(crate) struct Json {
    text: String,
}

/// Why a value is no JSON.
#[derive(Debug)]
pub(crate) struct Error(String);

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Error {
        Error(message.to_string())
    }
}

/// A value as JSON; a number with a fraction, bytes and variants with content are none of ours.
pub(crate) fn text_of<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let mut json = Json::default();
    value.serialize(&mut json)?;
    Ok(json.text)
}

#[cold]
fn foreign<T>() -> Result<T, Error> {
    Err(Error("a value that this module does not write".to_owned()))
}

impl Json {
    /// The comma between two values.
    fn comma(&mut self) {
        if !self.text.ends_with(['{', '[', ':']) && !self.text.is_empty() {
            self.text.push(',');
        }
    }
    #[inline(never)]
    fn open(&mut self, bracket: char) -> &mut Json {
        self.comma();
        self.text.push(bracket);
        self
    }
    #[inline(never)]
    fn close(&mut self, bracket: char) {
        self.text.push(bracket);
    }
    #[inline(never)]
    fn plain(&mut self, value: &str) {
        self.comma();
        self.text.push_str(value);
    }
    #[inline(never)]
    fn number(&mut self, value: u64) {
        self.comma();
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{value}");
    }
    #[inline(never)]
    fn quoted(&mut self, value: &str) {
        self.comma();
        self.text.push('"');
        for c in value.chars() {
            match c {
                '"' | '\\' => self.text.extend(['\\', c]),
                '\0'..='\x1F' => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(c));
                }
                _ => self.text.push(c),
            }
        }
        self.text.push('"');
    }
    #[inline(never)]
    fn key(&mut self, key: &str) {
        self.quoted(key);
        self.text.push(':');
    }
}

impl<'j> ser::Serializer for &'j mut Json {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = &'j mut Json;
    type SerializeTuple = &'j mut Json;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = &'j mut Json;
    type SerializeStruct = &'j mut Json;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_bool(self, v: bool) -> Result<(), Error> {
        self.plain(if v { "true" } else { "false" });
        Ok(())
    }
    fn serialize_i8(self, v: i8) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }
    fn serialize_i16(self, v: i16) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }
    fn serialize_i32(self, v: i32) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }
    fn serialize_i64(self, v: i64) -> Result<(), Error> {
        u64::try_from(v).map_or_else(|_| foreign(), |v| self.serialize_u64(v))
    }
    fn serialize_u8(self, v: u8) -> Result<(), Error> {
        self.number(v.into());
        Ok(())
    }
    fn serialize_u16(self, v: u16) -> Result<(), Error> {
        self.number(v.into());
        Ok(())
    }
    fn serialize_u32(self, v: u32) -> Result<(), Error> {
        self.number(v.into());
        Ok(())
    }
    fn serialize_u64(self, v: u64) -> Result<(), Error> {
        self.number(v);
        Ok(())
    }
    fn serialize_f32(self, _: f32) -> Result<(), Error> {
        foreign()
    }
    fn serialize_f64(self, _: f64) -> Result<(), Error> {
        foreign()
    }
    fn serialize_char(self, v: char) -> Result<(), Error> {
        self.serialize_str(v.encode_utf8(&mut [0; 4]))
    }
    fn serialize_str(self, v: &str) -> Result<(), Error> {
        self.quoted(v);
        Ok(())
    }
    fn serialize_bytes(self, _: &[u8]) -> Result<(), Error> {
        foreign()
    }
    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Error> {
        self.plain("null");
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Error> {
        foreign()
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<&'j mut Json, Error> {
        Ok(self.open('['))
    }
    fn serialize_tuple(self, _: usize) -> Result<&'j mut Json, Error> {
        Ok(self.open('['))
    }
    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        foreign()
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        foreign()
    }
    fn serialize_map(self, _: Option<usize>) -> Result<&'j mut Json, Error> {
        Ok(self.open('{'))
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<&'j mut Json, Error> {
        Ok(self.open('{'))
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Impossible<(), Error>, Error> {
        foreign()
    }
}

impl ser::SerializeSeq for &mut Json {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Error> {
        self.close(']');
        Ok(())
    }
}

impl ser::SerializeTuple for &mut Json {
    type Ok = ();
    type Error = Error;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Error> {
        self.close(']');
        Ok(())
    }
}

impl ser::SerializeMap for &mut Json {
    type Ok = ();
    type Error = Error;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        key.serialize(&mut **self)?;
        self.text.push(':');
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Error> {
        self.close('}');
        Ok(())
    }
}

impl ser::SerializeStruct for &mut Json {
    type Ok = ();
    type Error = Error;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.key(key);
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Error> {
        self.close('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Current,
    }

    #[derive(Serialize)]
    struct Inner {
        span: [u64; 2],
        none: Option<u32>,
        some: Option<String>,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Outer<'a> {
        #[serde(flatten)]
        inner: Inner,
        a_text: &'a str,
        empty: Vec<Inner>,
        inners: Vec<Inner>,
        word: Word,
        flag: bool,
        map: BTreeMap<String, u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        skipped: Option<u8>,
    }

    fn inner(some: &str) -> Inner {
        Inner {
            span: [0, u64::MAX],
            none: None,
            some: Some(some.to_owned()),
        }
    }

    #[test]
    fn values_are_those_of_serde_json() {
        let sample = Outer {
            inner: inner("{"),
            a_text: "\"\\\u{0}\n\u{1F}\u{7F}あ\u{2028}𠮷:",
            empty: Vec::new(),
            inners: vec![inner("["), inner("")],
            word: Word::Current,
            flag: true,
            map: BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]),
            skipped: None,
        };
        let read: serde_json::Value =
            serde_json::from_str(&super::text_of(&sample).unwrap()).unwrap();
        assert_eq!(read, serde_json::to_value(&sample).unwrap());
        assert_eq!(super::text_of("").unwrap(), "\"\"");
        assert!(super::text_of(&1.5).is_err() && super::text_of(&-1).is_err());
    }
}
