//! What one row answers: the text of each cell that counts, or why it has none.

use super::cells::{Cells, Value, hash, mix};
use std::ops::Range;

/// The answer of one row. The buffers are used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Answer {
    cells: Vec<Cell>,
    /// The texts of cells that had not exactly one value.
    joined: Vec<u8>,
    hash: u64,
}

#[derive(Debug)]
struct Cell {
    place: Range<usize>,
    /// Whether the place is in `joined`, and not in the row.
    is_joined: bool,
}

impl Answer {
    /// Takes the answer from a row. Where all of its cells have no value, their text comes back instead: an error, if there
    /// is one among them.
    #[inline]
    pub(super) fn take<'a>(&mut self, cells: &Cells, columns: &[usize], row: &'a [u8]) -> Option<&'a [u8]> {
        self.cells.clear();
        self.joined.clear();
        self.hash = 0;
        let mut valued = false;
        let mut without = None;
        for &column in columns {
            match cells.of(column) {
                [value] if !is_special(&row[value.place.clone()]) => {
                    valued = true;
                    self.hash = mix(self.hash, value.hash);
                    self.cells.push(Cell { place: value.place.clone(), is_joined: false });
                }
                values => valued |= self.join(values, row, &mut without),
            }
        }
        without.filter(|_| !valued)
    }

    /// Joins the values of a cell, without those that are none; whether there was one.
    #[cold]
    fn join<'a>(&mut self, values: &[Value], row: &'a [u8], without: &mut Option<&'a [u8]>) -> bool {
        let start = self.joined.len();
        let mut valued = false;
        for value in values {
            let text = &row[value.place.clone()];
            if !is_special(text) {
                if valued {
                    self.joined.push(b'\n');
                }
                self.joined.extend_from_slice(text);
                valued = true;
            } else if without.is_none_or(|found| found.starts_with(b"[") && text.starts_with(b"T")) {
                *without = Some(text);
            }
        }
        let place = start..self.joined.len();
        self.hash = mix(self.hash, hash(&self.joined[place.clone()]));
        self.cells.push(Cell { place, is_joined: true });
        valued
    }

    /// The same for the same texts, however they were written.
    #[inline]
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// The texts of the cells.
    #[inline]
    pub(super) fn texts<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.cells.iter().map(move |cell| {
            let bytes = if cell.is_joined { &self.joined } else { row };
            &bytes[cell.place.clone()]
        })
    }
}

/// Whether a value says that there is none.
#[inline]
pub(super) fn is_special(value: &[u8]) -> bool {
    matches!(value, [b'[' | b'T', ..]) && is_special_text(value)
}

#[cold]
fn is_special_text(value: &[u8]) -> bool {
    const SPECIAL: [&[u8]; 4] = [
        b"[no results]",
        b"[current result unavailable]",
        b"[current results unavailable]",
        b"[results currently unavailable]",
    ];
    SPECIAL.contains(&value) || value.starts_with(b"TSE-Error:")
}
