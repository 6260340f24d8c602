//! Rows as `serde_json` reads them: all that JSON allows, with the same strictness as `serde_json::Value`.

use super::Cells;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Write as _};

/// A row: `data` is read, other keys are checked and dropped. A key that comes twice counts by its last value, as in
/// `serde_json::Value`.
pub(super) struct Row<'a>(pub(super) &'a mut Cells);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a row with `data`")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = false;
        while let Some(is_data) = map.next_key_seed(Is("data"))? {
            if is_data {
                seen = true;
                self.0.clear();
                map.next_value_seed(Columns(self.0))?;
            } else {
                map.next_value_seed(Checked)?;
            }
        }
        if seen { Ok(()) } else { Err(A::Error::missing_field("data")) }
    }
}

/// Whether a key is this one.
struct Is(&'static str);

impl<'de> DeserializeSeed<'de> for Is {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Is {
    type Value = bool;
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }
    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

struct Columns<'a>(&'a mut Cells);

impl<'de> DeserializeSeed<'de> for Columns<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Columns<'_> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of cells")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<(), A::Error> {
        while cells.next_element_seed(Cell { cells: self.0, level: Level::Cell })?.is_some() {
            self.0.end_column();
        }
        Ok(())
    }
}

/// The values of a cell: a list of `{"text": …}`. A bare text or number is taken as well.
struct Cell<'a> {
    cells: &'a mut Cells,
    level: Level,
}

#[derive(PartialEq, Eq)]
enum Level {
    Cell,
    Value,
    Text,
}

impl Cell<'_> {
    fn push(self, value: impl fmt::Display) {
        let start = self.cells.text.len();
        // Writing to a string cannot fail.
        let _ = write!(self.cells.text, "{value}");
        self.cells.push_text_from(start);
    }
}

impl<'de> DeserializeSeed<'de> for Cell<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Cell<'_> {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the values of a cell")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let start = self.cells.text.len();
        self.cells.text.push_str(text);
        self.cells.push_text_from(start);
        Ok(())
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(value);
        Ok(())
    }
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(value);
        Ok(())
    }
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(value);
        Ok(())
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(value);
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push("");
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        if self.level != Level::Cell {
            return Err(A::Error::custom("a cell holds a list of lists"));
        }
        while values.next_element_seed(Cell { cells: self.cells, level: Level::Value })?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.level == Level::Text {
            return Err(A::Error::custom("the `text` of a cell is an object"));
        }
        let before = self.cells.values.len();
        while let Some(is_text) = map.next_key_seed(Is("text"))? {
            if is_text {
                self.cells.values.truncate(before);
                map.next_value_seed(Cell { cells: self.cells, level: Level::Text })?;
            } else {
                map.next_value_seed(Checked)?;
            }
        }
        if self.cells.values.len() == before + 1 { Ok(()) } else { Err(A::Error::missing_field("text")) }
    }
}

/// Any value, dropped, but read as strictly as `serde_json::Value` reads it.
struct Checked;

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();
    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Checked)?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(Is(""))?.is_some() {
            map.next_value_seed(Checked)?;
        }
        Ok(())
    }
}
