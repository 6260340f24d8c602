//! The cells of one row of a result set: `{"cid":0,"data":[[{"text":"…"}],…]}`.
//!
//! Two ways lead to the same cells. [`Cells::quick`] reads rows without escapes straight from the chunk, in a few
//! instructions a byte; it knows white space, any order of keys and unknown scalars, and leaves everything else to
//! [`Cells::parse`], which reads all that `serde_json` reads. Neither allocates for a row once its buffers have grown.

mod parse;
mod text;

use parse::Row;
use serde::de::DeserializeSeed;
use std::ops::Range;
use std::slice;
use text::{Text, digits, text};

pub(super) use text::{hash, mix};

/// The cells of one row. The buffers are used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Every value of every column.
    values: Vec<Value>,
    columns: usize,
    /// For each column, how many values there were up to its end; empty as long as each has exactly one.
    ends: Vec<usize>,
    /// The values of a row that was parsed by `serde_json`.
    text: String,
}

/// One value of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// Its place in the row's own bytes, or in [`Cells::take_text`].
    pub(super) place: Range<usize>,
    /// The [`hash`] of its bytes.
    pub(super) hash: u64,
}

/// What canonical rows consist of, besides values.
const ID: &[u8] = b"{\"cid\":";
const DATA: &[u8] = b",\"data\":[[{\"text\":\"";
const FIRST: &[u8] = b"[{\"text\":\"";
const NEXT: &[u8] = b"\"}],[{\"text\":\"";

/// Numbers of so many digits are exact; longer ones are left to `serde_json`.
const MAX_DIGITS: usize = 18;

impl Cells {
    fn clear(&mut self) {
        self.values.clear();
        self.columns = 0;
        self.ends.clear();
        self.text.clear();
    }

    /// The number of columns.
    #[inline]
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The values of a column.
    #[inline]
    pub(super) fn of(&self, column: usize) -> &[Value] {
        if self.ends.is_empty() {
            return slice::from_ref(&self.values[column]);
        }
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

    /// The last value is all text from `start`.
    fn push_text_from(&mut self, start: usize) {
        let place = start..self.text.len();
        self.values.push(Value { hash: hash(&self.text.as_bytes()[place.clone()]), place });
    }

    #[inline]
    fn end_column(&mut self) {
        self.columns += 1;
        if self.columns != self.values.len() || !self.ends.is_empty() {
            self.end_uneven_column();
        }
    }

    #[cold]
    fn end_uneven_column(&mut self) {
        if self.ends.is_empty() {
            self.ends.extend(1..self.columns);
        }
        self.ends.push(self.values.len());
    }

    /// Reads the row at the beginning of `bytes`, if it is complete and simple; its length.
    #[inline]
    pub(super) fn quick(&mut self, bytes: &[u8]) -> Option<usize> {
        self.clear();
        let rest = Quick { cells: self, whole: bytes.len() }.row(bytes)?;
        Some(bytes.len() - rest.len())
    }

    /// Reads the first columns of the row at the beginning of `bytes`, if they are written as servers do; where the text of
    /// the next one begins.
    #[inline]
    pub(super) fn leading(&mut self, bytes: &[u8], columns: usize) -> Option<usize> {
        self.clear();
        let mut row = Quick { cells: self, whole: bytes.len() };
        let mut rest = head(bytes)?;
        for _ in 0..columns {
            rest = row.value(rest)?.strip_prefix(NEXT)?;
            row.cells.end_column();
        }
        Some(bytes.len() - rest.len())
    }

    /// Reads the columns after [`Cells::leading`] and the end of the row; the row's length.
    #[cold]
    pub(super) fn quick_after(&mut self, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = Quick { cells: self, whole: bytes.len() }.row_from(&bytes[at..])?;
        Some(bytes.len() - rest.len())
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

/// A row that is read straight from the chunk. Each step takes the bytes that are left, and returns those after what it
/// read; the form in which servers write is compared as a whole first.
struct Quick<'a> {
    cells: &'a mut Cells,
    /// How many bytes there were before the first step.
    whole: usize,
}

impl Quick<'_> {
    fn row<'b>(&mut self, row: &'b [u8]) -> Option<&'b [u8]> {
        if let Some(text) = head(row) {
            return self.row_from(text);
        }
        let (is_data, value) = key(row.strip_prefix(b"{")?)?;
        let rest = if is_data { self.columns(value)? } else { scalar(value)? };
        self.more_keys(rest, is_data)
    }

    /// From the text of a cell to the end of the row.
    fn row_from<'b>(&mut self, text: &'b [u8]) -> Option<&'b [u8]> {
        let rest = self.values(text)?;
        let rest = self.more_columns(rest)?;
        self.more_keys(rest, true)
    }

    fn more_keys<'b>(&mut self, mut rest: &'b [u8], mut seen: bool) -> Option<&'b [u8]> {
        loop {
            match space(rest).split_first()? {
                (b'}', after) => return seen.then_some(after),
                (b',', after) => {
                    let (is_data, value) = key(after)?;
                    if is_data && seen {
                        return None;
                    }
                    seen |= is_data;
                    rest = if is_data { self.columns(value)? } else { scalar(value)? };
                }
                _ => return None,
            }
        }
    }

    fn columns<'b>(&mut self, list: &'b [u8]) -> Option<&'b [u8]> {
        let rest = space(list.strip_prefix(b"[")?);
        if let Some(rest) = rest.strip_prefix(b"]") {
            return Some(rest);
        }
        let rest = self.column(rest)?;
        self.more_columns(rest)
    }

    #[inline]
    fn more_columns<'b>(&mut self, mut rest: &'b [u8]) -> Option<&'b [u8]> {
        loop {
            match space(rest).split_first()? {
                (b',', after) => rest = self.column(space(after))?,
                (b']', after) => return Some(after),
                _ => return None,
            }
        }
    }

    /// `[{"text":"…"},…]`.
    fn column<'b>(&mut self, column: &'b [u8]) -> Option<&'b [u8]> {
        if let Some(text) = column.strip_prefix(FIRST) {
            return self.values(text);
        }
        let value = space(column.strip_prefix(b"[")?);
        if let Some(rest) = value.strip_prefix(b"]") {
            self.cells.end_column();
            return Some(rest);
        }
        self.values(text_open(value)?)
    }

    /// Values from the first text of a column to the end of this column, or of one after it.
    fn values<'b>(&mut self, mut rest: &'b [u8]) -> Option<&'b [u8]> {
        loop {
            let end = self.value(rest)?;
            if let Some(text) = end.strip_prefix(NEXT) {
                self.cells.end_column();
                rest = text;
                continue;
            }
            match space(space(&end[1..]).strip_prefix(b"}")?).split_first()? {
                (b',', value) => rest = text_open(space(value))?,
                (b']', after) => {
                    self.cells.end_column();
                    return Some(after);
                }
                _ => return None,
            }
        }
    }

    /// Takes a text; returns what begins with its closing quote.
    #[inline]
    fn value<'b>(&mut self, rest: &'b [u8]) -> Option<&'b [u8]> {
        let Text { length, hash } = text(rest)?;
        let start = self.whole - rest.len();
        self.cells.values.push(Value { place: start..start + length, hash });
        Some(&rest[length..])
    }
}

/// The beginning of a canonical row, up to its first text.
#[inline]
fn head(row: &[u8]) -> Option<&[u8]> {
    number(row.strip_prefix(ID)?)?.strip_prefix(DATA)
}

/// A key and its colon: whether it is `data`, and what comes then.
fn key(rest: &[u8]) -> Option<(bool, &[u8])> {
    let rest = space(rest).strip_prefix(b"\"")?;
    let (key, rest) = rest.split_at(text(rest)?.length);
    let value = space(&rest[1..]).strip_prefix(b":")?;
    Some((key == b"data", space(value)))
}

#[inline]
fn space(mut rest: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\n' | b'\r' | b'\t', after)) = rest.split_first() {
        rest = after;
    }
    rest
}

/// `{"text":"`, with white space.
fn text_open(rest: &[u8]) -> Option<&[u8]> {
    let name = space(rest.strip_prefix(b"{")?).strip_prefix(b"\"text\"")?;
    space(space(name).strip_prefix(b":")?).strip_prefix(b"\"")
}

/// A string without escapes, a plain number or a word. Whatever is longer or odder is left to `serde_json`.
fn scalar(rest: &[u8]) -> Option<&[u8]> {
    match rest.first()? {
        b'"' => Some(&rest[1 + text(&rest[1..])?.length + 1..]),
        b'0'..=b'9' => number(rest),
        _ => [&b"null"[..], b"true", b"false"].into_iter().find_map(|word| rest.strip_prefix(word)),
    }
}

/// A whole number, not negative.
#[inline]
fn number(rest: &[u8]) -> Option<&[u8]> {
    let length = digits(rest);
    let plain = match rest.first()? {
        b'0' => length == 1,
        _ => (1..=MAX_DIGITS).contains(&length),
    };
    plain.then(|| &rest[length..])
}

#[cfg(test)]
mod tests;
