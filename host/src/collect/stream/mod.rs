//! Lists of rows, read as the bytes arrive: each row is handed on and forgotten, so memory does not grow with the list.
//!
//! The list is found by its [`Place`] in the document. Everything around it (the *outer* document) is kept, with `[]` in
//! the list's place, and read at the end: columns, counters, `cache_info`, `pageInfo`.
//!
//! **Invariant:** a document is accepted if and only if it is JSON and its list is where it should be. The outer document
//! is parsed at the end, each row is parsed by its [`TakeRow`], and what stands between the rows is checked here.

mod place;
mod problem;
mod scan;

pub use place::{Place, Step};

use super::transport::{Problem, Sink};
use place::Walk;
use scan::{RowScan, skip_space};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest row, in bytes.
pub const MAX_ROW: usize = 16 << 20;
/// The most bytes outside of the rows.
pub const MAX_OUTER: usize = 4 << 20;
/// How deep containers may be nested: the limit of `serde_json`.
pub(crate) const MAX_DEPTH: usize = 127;
/// How deep the first rows of a list may begin for [`TakeRow::quick`] to be asked; it does not count depth.
const MAX_QUICK_DEPTH: usize = 64;

/// Takes the rows of a list.
///
/// Closures over a row's text are takers, and so is `Vec<Value>`.
pub trait TakeRow: Send {
    /// A list begins. `head` is the document up to here, completed to valid JSON, with an empty list.
    ///
    /// # Errors
    /// When the list cannot be what was asked for.
    fn begin(&mut self, head: &[u8]) -> Result<(), Problem> {
        let _ = head;
        Ok(())
    }

    /// One row: one whole element of the list, valid UTF-8. The taker checks that it is JSON.
    ///
    /// # Errors
    /// When the row is not what was asked for; the number of the row is added by the caller.
    fn row(&mut self, row: &str) -> Result<(), Problem>;

    /// A short cut for rows of one known form: takes the row at the beginning of `bytes` and says how long it was.
    /// `None`, with nothing taken, leaves it to [`TakeRow::row`]. What it accepts must be valid JSON and UTF-8, and give
    /// the same result as `row`.
    fn quick(&mut self, bytes: &[u8]) -> Option<usize> {
        let _ = bytes;
        None
    }
}

impl TakeRow for Vec<Value> {
    fn row(&mut self, row: &str) -> Result<(), Problem> {
        self.push(parse(row)?);
        Ok(())
    }
}

impl<F: FnMut(&str) -> Result<(), Problem> + Send> TakeRow for F {
    fn row(&mut self, row: &str) -> Result<(), Problem> {
        self(row)
    }
}

/// Parses one row.
///
/// # Errors
/// When it is not what was asked for.
pub fn parse<T: DeserializeOwned>(row: &str) -> Result<T, Problem> {
    serde_json::from_str(row).map_err(|error| problem::not_json(&error))
}

/// A sink that hands each row of a list to a [`TakeRow`], whatever the chunks.
#[derive(Debug)]
pub struct Rows<T> {
    taker: T,
    place: Place,
    state: State,
    walk: Walk,
    /// Everything but the rows.
    outer: Vec<u8>,
    /// The beginning of a row that the end of a chunk cut.
    carry: Vec<u8>,
    scan: RowScan,
    /// Where lists were found, as JSON pointers.
    found: Vec<String>,
    rows: u64,
    /// Bytes of earlier chunks.
    before: u64,
    max_row: usize,
    max_outer: usize,
    quick: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but white space and a byte order mark was seen.
    Start,
    /// The answer begins with `<`.
    Markup,
    /// Outside of a list.
    Outer,
    /// After `[`: a row or `]`.
    First,
    /// After `,`: a row.
    Next,
    /// After a row: `,` or `]`.
    After,
    /// Within a row whose beginning is in `carry`.
    Within,
}

/// What stood around the rows.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rest {
    /// The document, with `[]` in place of each list.
    pub text: Vec<u8>,
    /// How many rows there were.
    pub rows: u64,
    /// How long the document was.
    pub bytes: u64,
}

impl Rest {
    /// The document without its rows, as a type.
    ///
    /// # Errors
    /// When it has another form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.text).map_err(|error| problem::not_json(&error))
    }
}

impl<T: TakeRow> Rows<T> {
    /// Hands the rows of the list at `place` to `taker`.
    #[must_use]
    pub fn new(place: Place, taker: T) -> Self {
        Self {
            taker,
            place,
            state: State::Start,
            walk: Walk::default(),
            outer: Vec::new(),
            carry: Vec::new(),
            scan: RowScan::default(),
            found: Vec::new(),
            rows: 0,
            before: 0,
            max_row: MAX_ROW,
            max_outer: MAX_OUTER,
            quick: true,
        }
    }

    /// Smaller limits: bytes of one row, and bytes outside of the rows.
    #[must_use]
    pub fn within(mut self, max_row: usize, max_outer: usize) -> Self {
        self.max_row = max_row;
        self.max_outer = max_outer;
        self
    }

    /// The taker, and what stood around the rows, after the last byte.
    ///
    /// # Errors
    /// When the document is cut off, is no JSON, or has no list where one was expected.
    pub fn finish(self) -> Result<(T, Rest), Problem> {
        let bytes = self.before;
        match self.state {
            State::Start => return Err(problem::empty()),
            State::Markup => return Err(problem::markup(&self.outer)),
            State::Outer => {}
            State::Within => return Err(problem::cut_row(self.rows + 1, bytes)),
            State::First | State::Next | State::After => return Err(problem::cut_list(self.rows, bytes)),
        }
        let whole = serde_json::from_slice::<Value>(&self.outer);
        let whole = whole.map_err(|error| problem::outer(&error, bytes))?;
        if self.found.is_empty() {
            return Err(problem::no_list(&self.place, &whole));
        }
        Ok((self.taker, Rest { text: self.outer, rows: self.rows, bytes }))
    }

    /// Leaves out white space, and a byte order mark, which some proxies put before UTF-8.
    fn start(&mut self, bytes: &[u8]) -> usize {
        const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            // The chunks may cut the mark: what was seen of it waits in `carry`.
            if BYTE_ORDER_MARK.get(self.carry.len()) == Some(&byte) {
                self.carry.push(byte);
            } else if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') && matches!(self.carry.len(), 0 | 3) {
                self.carry.resize(3, 0);
            } else {
                if self.carry.len() == 3 {
                    self.carry.clear();
                }
                self.outer.append(&mut self.carry);
                self.state = if byte == b'<' { State::Markup } else { State::Outer };
                return at;
            }
            at += 1;
        }
        at
    }

    /// An HTML page is read up to its title.
    fn markup(&mut self, bytes: &[u8]) -> Result<usize, Problem> {
        let space = problem::MARKUP_BYTES - self.outer.len();
        self.outer.extend_from_slice(&bytes[..bytes.len().min(space)]);
        if self.outer.len() == problem::MARKUP_BYTES {
            Err(problem::markup(&self.outer))
        } else {
            Ok(bytes.len())
        }
    }

    /// Outside of a list: copies up to the `[` of a list, and keeps count of where in the document that is.
    fn outer(&mut self, bytes: &[u8]) -> Result<usize, Problem> {
        let mut opened = false;
        let mut at = 0;
        while at < bytes.len() && !opened {
            let step =
                self.walk.take(bytes[at]).map_err(|depth| problem::too_deep(depth, self.offset(at)))?;
            opened = step && self.place.is_at(&self.walk);
            at += 1;
        }
        if self.outer.len() + at > self.max_outer {
            return Err(problem::large_outer(self.max_outer));
        }
        self.outer.extend_from_slice(&bytes[..at]);
        if opened {
            self.open()?;
        }
        Ok(at)
    }

    fn open(&mut self) -> Result<(), Problem> {
        let pointer = self.walk.pointer();
        if let Some(other) = self.found.iter().find(|other| !self.place.both(other, &pointer)) {
            return Err(problem::two_lists(other, &pointer));
        }
        self.found.push(pointer);
        self.quick = self.walk.depth() <= MAX_QUICK_DEPTH;
        let head = self.walk.completed(&self.outer);
        self.taker.begin(&head)?;
        self.state = State::First;
        Ok(())
    }

    /// Within a list: hands out the rows that are complete in these bytes.
    fn list(&mut self, bytes: &[u8]) -> Result<usize, Problem> {
        let mut at = 0;
        loop {
            at = skip_space(bytes, at);
            let Some(&byte) = bytes.get(at) else { return Ok(at) };
            match (self.state, byte) {
                (State::After, b',') => {
                    self.state = State::Next;
                    at += 1;
                }
                (State::After | State::First, b']') => {
                    self.walk.close();
                    self.outer.push(b']');
                    self.state = State::Outer;
                    return Ok(at + 1);
                }
                (State::After, _) => return Err(problem::between(self.rows, byte, self.offset(at))),
                (State::Next, b']') | (_, b',' | b'}' | b':') => {
                    return Err(problem::no_row(self.rows + 1, byte, self.offset(at)));
                }
                _ => {
                    let rest = &bytes[at..];
                    if self.quick
                        && let Some(length) = self.taker.quick(rest)
                        && length <= self.max_row
                    {
                        self.rows += 1;
                        self.state = State::After;
                        at += length;
                    } else {
                        self.scan = RowScan::new(byte, self.walk.depth());
                        self.state = State::Within;
                        return Ok(at + self.within_row(rest)?);
                    }
                }
            }
        }
    }

    /// Within a row that is not complete, or not yet scanned.
    fn within_row(&mut self, bytes: &[u8]) -> Result<usize, Problem> {
        let number = self.rows + 1;
        let end = self.scan.run(bytes).map_err(|depth| problem::deep_row(number, depth))?;
        let part = &bytes[..end.unwrap_or(bytes.len())];
        if self.carry.len() + part.len() > self.max_row {
            return Err(problem::large_row(number, self.max_row));
        }
        if end.is_none() {
            self.carry.extend_from_slice(part);
            return Ok(part.len());
        }
        if self.carry.is_empty() {
            hand(&mut self.taker, part, number)?;
        } else {
            self.carry.extend_from_slice(part);
            hand(&mut self.taker, &self.carry, number)?;
            self.carry.clear();
        }
        self.rows = number;
        self.state = State::After;
        Ok(part.len())
    }

    fn offset(&self, at: usize) -> u64 {
        self.before + at as u64
    }
}

fn hand<T: TakeRow>(taker: &mut T, row: &[u8], number: u64) -> Result<(), Problem> {
    let text = std::str::from_utf8(row).map_err(|_| problem::row(number, "it is not UTF-8"))?;
    taker.row(text).map_err(|inner| Problem { reason: problem::row(number, &inner.reason).reason, ..inner })
}

impl<T: TakeRow> Sink for Rows<T> {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let start = self.before;
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            at += match self.state {
                State::Start => self.start(rest),
                State::Markup => self.markup(rest)?,
                State::Outer => self.outer(rest)?,
                State::First | State::Next | State::After => self.list(rest)?,
                State::Within => self.within_row(rest)?,
            };
            self.before = start + at as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
