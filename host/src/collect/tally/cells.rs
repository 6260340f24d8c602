//! The cells of one row of a result set: `{"cid":0,"data":[[{"text":"…"}],…]}`.
//!
//! Two ways lead to the same cells. [`Cells::quick`] reads rows without escapes straight from the chunk, in a few
//! instructions a byte; it knows white space, any order of keys and unknown scalars, and leaves everything else to
//! [`Cells::parse`], which reads all that `serde_json` reads. Neither allocates for a row once its buffers have grown.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt::{self, Write as _};
use std::ops::Range;

/// The cells of one row. The buffers are used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Every value of every column: its place in the row's own bytes, or in `text`.
    values: Vec<Range<usize>>,
    /// For each column, how many values there were up to its end.
    ends: Vec<usize>,
    /// The values of a row that was parsed by `serde_json`.
    text: String,
}

impl Cells {
    fn clear(&mut self) {
        self.values.clear();
        self.ends.clear();
        self.text.clear();
    }

    /// The number of columns.
    pub(super) fn columns(&self) -> usize {
        self.ends.len()
    }

    /// Where the values of a column are, in the bytes that were read.
    pub(super) fn of(&self, column: usize) -> &[Range<usize>] {
        let start = column.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start..self.ends[column]]
    }

    /// What the places of values refer to after [`Cells::parse`].
    pub(super) fn take_text(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// Gives the buffer back.
    pub(super) fn put_text(&mut self, text: String) {
        self.text = text;
    }

    /// Reads the row at the beginning of `bytes`, if it is complete and simple; its length.
    pub(super) fn quick(&mut self, bytes: &[u8]) -> Option<usize> {
        self.clear();
        let mut at = past(bytes, 0, b'{')?;
        let mut seen = false;
        loop {
            at = past(bytes, space(bytes, at), b'"')?;
            let end = text_end(bytes, at)?;
            let is_data = &bytes[at..end] == b"data";
            at = space(bytes, past(bytes, space(bytes, end + 1), b':')?);
            at = if is_data && !seen {
                seen = true;
                self.quick_columns(bytes, at)?
            } else if is_data {
                return None;
            } else {
                scalar_end(bytes, at)?
            };
            at = space(bytes, at);
            match bytes.get(at)? {
                b',' => at += 1,
                b'}' if seen => return Some(at + 1),
                _ => return None,
            }
        }
    }

    fn quick_columns(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let mut at = space(bytes, past(bytes, at, b'[')?);
        if bytes.get(at)? == &b']' {
            return Some(at + 1);
        }
        loop {
            at = space(bytes, self.quick_column(bytes, at)?);
            match bytes.get(at)? {
                b',' => at = space(bytes, at + 1),
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// `[{"text":"…"},…]`.
    #[inline]
    fn quick_column(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        const OPEN: &[u8; 10] = b"[{\"text\":\"";
        let mut at = if bytes.get(at..)?.first_chunk() == Some(OPEN) {
            at + OPEN.len()
        } else {
            let inside = space(bytes, past(bytes, at, b'[')?);
            if bytes.get(inside)? == &b']' {
                self.ends.push(self.values.len());
                return Some(inside + 1);
            }
            text_open(bytes, inside)?
        };
        loop {
            let end = text_end(bytes, at)?;
            self.values.push(at..end);
            at = end + 1;
            if bytes.get(at..)?.first_chunk() == Some(b"}]") {
                self.ends.push(self.values.len());
                return Some(at + 2);
            }
            at = space(bytes, past(bytes, space(bytes, at), b'}')?);
            match bytes.get(at)? {
                b',' => at = text_open(bytes, space(bytes, at + 1))?,
                b']' => {
                    self.ends.push(self.values.len());
                    return Some(at + 1);
                }
                _ => return None,
            }
        }
    }

    /// Reads one row, whatever JSON allows. The values are in [`Cells::take_text`].
    ///
    /// # Errors
    /// When the text is no JSON, or no row of a result set.
    pub(super) fn parse(&mut self, row: &str) -> Result<(), serde_json::Error> {
        self.clear();
        let mut json = serde_json::Deserializer::from_str(row);
        Row(self).deserialize(&mut json)?;
        json.end()
    }
}

#[inline]
fn past(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (bytes.get(at) == Some(&byte)).then_some(at + 1)
}

#[inline]
fn space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// `{"text":"`, with white space; where the text begins.
fn text_open(bytes: &[u8], at: usize) -> Option<usize> {
    const NAME: &[u8; 6] = b"\"text\"";
    let at = space(bytes, past(bytes, at, b'{')?);
    (bytes.get(at..)?.first_chunk() == Some(NAME)).then_some(())?;
    let at = past(bytes, space(bytes, at + NAME.len()), b':')?;
    past(bytes, space(bytes, at), b'"')
}

/// The end of a string without escapes, or of a plain number or word. Whatever is longer or odder is left to `serde_json`.
fn scalar_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => Some(text_end(bytes, at + 1)? + 1),
        b'0' => (!bytes.get(at + 1)?.is_ascii_alphanumeric() && bytes[at + 1] != b'.').then_some(at + 1),
        b'1'..=b'9' => {
            let digits = bytes[at..].iter().take(18).take_while(|byte| byte.is_ascii_digit()).count();
            matches!(bytes.get(at + digits)?, b',' | b'}' | b' ' | b'\n' | b'\r' | b'\t')
                .then_some(at + digits)
        }
        _ => [&b"null"[..], b"true", b"false"]
            .into_iter()
            .find(|word| bytes[at..].starts_with(word))
            .map(|word| at + word.len()),
    }
}

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;

/// Marks bytes that are zero. Marks above the lowest one may be wrong.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// Where the string that begins at `start` has its closing quote; `None` if it is cut, or holds an escape, a control
/// character or invalid UTF-8.
#[inline]
fn text_end(bytes: &[u8], start: usize) -> Option<usize> {
    const QUOTE: u64 = ONES * b'"' as u64;
    const BACKSLASH: u64 = ONES * b'\\' as u64;
    const SPACE: u64 = ONES * b' ' as u64;
    let mut at = start;
    let mut beyond_ascii = 0;
    let end = loop {
        let Some(&word) = bytes.get(at..)?.first_chunk() else {
            let rest = &bytes[at..];
            let length = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
            beyond_ascii |= u64::from(!rest[..length].is_ascii());
            break at + length;
        };
        let word = u64::from_le_bytes(word);
        let stop = zeros(word ^ QUOTE) | zeros(word ^ BACKSLASH) | (word.wrapping_sub(SPACE) & !word & HIGH);
        if stop != 0 {
            // The lowest mark is right; bytes below it belong to the string.
            beyond_ascii |= word & HIGH & (stop ^ (stop - 1)) >> 8;
            break at + (stop.trailing_zeros() / 8) as usize;
        }
        beyond_ascii |= word & HIGH;
        at += 8;
    };
    let whole = bytes[end] == b'"' && (beyond_ascii == 0 || std::str::from_utf8(&bytes[start..end]).is_ok());
    whole.then_some(end)
}

/// A row: `data` is read, other keys are checked and dropped. A key that comes twice counts by its last value, as in
/// `serde_json::Value`.
struct Row<'a>(&'a mut Cells);

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
            self.0.ends.push(self.0.values.len());
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
        self.cells.values.push(start..self.cells.text.len());
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
        self.cells.values.push(start..self.cells.text.len());
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

#[cfg(test)]
mod tests;
