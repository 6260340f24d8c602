//! Result sets, counted: how many endpoints gave which answer, in memory that does not grow with the endpoints.
//!
//! The server counts where it can: then each row is a distinct answer with its `Count`. Where it delivers one row for each
//! machine, the rows are counted here, and the machines' names become a small sample that does not depend on their order.
//!
//! * Cells such as `[no results]` are never a value. An endpoint without any value is counted in `without_value`; where
//!   only some of its cells have none, these are empty.
//! * Several values of one cell are joined by a line feed, without those that are no value.

mod answer;
mod cells;
mod counts;
mod tails;

use super::stream::{Place, Rest, Rows, TakeRow};
use super::transport::Problem;
use answer::{Answer, is_special};
use cells::Cells;
use counts::{Counts, Name};
use serde::Deserialize;
use std::collections::BTreeMap;
use tails::{Known, Tails};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::Tally;
use tancheck_plugin_api::lenient;

pub use counts::KEPT_ROWS;

/// Names of endpoints kept for each answer.
pub const SAMPLE_NAMES: usize = 10;
/// Rows that come before the names of their columns are kept until these are known; at most so many bytes.
const MAX_WAITING: usize = 16 << 20;
/// Distinct texts of cells without value.
const MAX_TEXTS: usize = 64;

/// The sensor hash of the column that counts.
const COUNT: u64 = 0;
const COMPUTER_NAME: u64 = 3_409_330_187;
const COMPUTER_ID: u64 = 3_556_221_173;

/// A result set: its counted rows, and what stood around them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ResultSet {
    /// The counted answers.
    pub tally: Tally,
    /// The question that was answered.
    pub question_id: u64,
    /// How long ago it was asked, where the server says.
    pub seconds_since_issued: u64,
    /// Rows that were delivered.
    pub rows: u64,
    /// Rows that the server has.
    pub rows_there: u64,
    /// Whether the rows name the machines.
    pub named: bool,
}

/// The sink for a result set.
#[must_use]
pub fn sink() -> Rows<Tallier> {
    Rows::new(Place::result_sets(), Tallier::default())
}

/// The counted rows of a result set, after its last byte.
///
/// # Errors
/// When the document is cut off, or is no result set.
pub fn finish(rows: Rows<Tallier>) -> Result<ResultSet, Problem> {
    let (tallier, rest) = rows.finish()?;
    tallier.finish(&rest)
}

/// Counts the rows of a result set.
#[derive(Debug, Default)]
pub struct Tallier {
    roles: Option<Roles>,
    sets: usize,
    cells: Cells,
    counting: Counting,
    /// Rows that came before their columns.
    waiting: Vec<String>,
    waiting_bytes: usize,
}

/// What was counted so far.
#[derive(Debug, Default)]
struct Counting {
    answer: Answer,
    counts: Counts,
    without_value: BTreeMap<String, u64>,
    tails: Tails,
}

/// Which column is what.
#[derive(Debug, Default)]
struct Roles {
    columns: usize,
    count: Option<usize>,
    name: Option<usize>,
    /// The columns that make an answer, and their names.
    answer: Vec<usize>,
    names: Vec<String>,
    /// How many columns name the machine, where all of these come before the answer.
    leading: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
struct Document {
    data: Option<Sets>,
    #[serde(default)]
    result_sets: Vec<Set>,
}

#[derive(Debug, Default, Deserialize)]
struct Sets {
    #[serde(default)]
    result_sets: Vec<Set>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Set {
    columns: Option<Vec<Column>>,
    question_id: u64,
    seconds_since_issued: u64,
    row_count: u64,
    filtered_row_count: Option<u64>,
    tested: u64,
    mr_tested: Option<u64>,
    estimated_total: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Column {
    #[serde(deserialize_with = "lenient::id")]
    hash: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
}

impl Document {
    fn read(text: &[u8]) -> Result<Vec<Set>, Problem> {
        let read = serde_json::from_slice::<Self>(text)
            .map_err(|error| wrong(format!("the result set is not understood: {error}")))?;
        Ok(read.data.map_or(read.result_sets, |data| data.result_sets))
    }
}

impl Roles {
    fn of(columns: &[Column]) -> Self {
        let mut roles = Self { columns: columns.len(), ..Self::default() };
        for (index, column) in columns.iter().enumerate() {
            let named = |name: &str| column.name.eq_ignore_ascii_case(name);
            match column.hash.parse::<u64>() {
                Ok(COUNT) => roles.count = Some(index),
                Ok(COMPUTER_NAME) => roles.name = Some(index),
                Ok(COMPUTER_ID) => roles.name = roles.name.or(Some(index)),
                _ if named("Count") && index + 1 == columns.len() => roles.count = Some(index),
                _ if named("Computer Name") => roles.name = Some(index),
                _ if named("Computer ID") => roles.name = roles.name.or(Some(index)),
                _ => {
                    roles.answer.push(index);
                    roles.names.push(column.name.clone());
                }
            }
        }
        let names_machine = |index| roles.count != Some(index) && !roles.answer.contains(&index);
        let leading = roles.answer.first().copied();
        roles.leading = leading.filter(|&leading| {
            leading > 0 && (0..columns.len()).all(|index| names_machine(index) == (index < leading))
        });
        roles
    }

    /// The machine's name.
    #[inline(always)]
    fn name_in<'a>(&self, cells: &Cells, row: &'a [u8]) -> Option<Name<'a>> {
        let value = cells.of(self.name?).first()?;
        let text = &row[value.place.clone()];
        (!is_special(text)).then_some(Name { text, hash: value.hash })
    }
}

impl TakeRow for Tallier {
    fn begin(&mut self, head: &[u8]) -> Result<(), Problem> {
        self.sets += 1;
        let set = Document::read(head)?.pop().unwrap_or_default();
        if self.sets == 1 {
            self.roles = set.columns.map(|columns| Roles::of(&columns));
        }
        Ok(())
    }

    fn row(&mut self, row: &str) -> Result<(), Problem> {
        if self.sets > 1 {
            return Err(wrong("it belongs to a second result set, one was asked for".to_owned()));
        }
        let Some(roles) = self.roles.take() else {
            return self.wait(row);
        };
        let added = self.add(&roles, row);
        self.roles = Some(roles);
        added
    }

    fn quick(&mut self, bytes: &[u8]) -> Option<usize> {
        let roles = self.roles.as_ref().filter(|_| self.sets == 1)?;
        let Some(tail) = roles.leading.and_then(|columns| self.cells.leading(bytes, columns)) else {
            return self.quick_row(bytes);
        };
        let again = self.counting.count_again(&self.cells, roles, bytes, tail);
        again.or_else(|| self.quick_tail(bytes, tail))
    }
}

impl Tallier {
    /// Counts a row of which nothing was read yet.
    #[inline(never)]
    fn quick_row(&mut self, bytes: &[u8]) -> Option<usize> {
        let length = self.cells.quick(bytes)?;
        self.counting.count(&self.cells, self.roles.as_ref()?, &bytes[..length]).ok()?;
        Some(length)
    }

    /// Counts a row of which the leading columns were read, and remembers how it ends.
    #[inline(never)]
    fn quick_tail(&mut self, bytes: &[u8], tail: usize) -> Option<usize> {
        let length = self.cells.quick_after(bytes, tail)?;
        if let Some(known) = self.counting.count(&self.cells, self.roles.as_ref()?, &bytes[..length]).ok()? {
            self.counting.tails.remember(&bytes[tail..length], known);
        }
        Some(length)
    }

    fn add(&mut self, roles: &Roles, row: &str) -> Result<(), Problem> {
        if self.cells.quick(row.as_bytes()) == Some(row.len()) {
            return self.counting.count(&self.cells, roles, row.as_bytes()).map(drop);
        }
        self.cells.parse(row).map_err(|error| wrong(error.to_string()))?;
        let text = self.cells.take_text();
        let counted = self.counting.count(&self.cells, roles, text.as_bytes());
        self.cells.put_text(text);
        counted.map(drop)
    }

    fn wait(&mut self, row: &str) -> Result<(), Problem> {
        // What is no JSON is reported now, as row number so and so.
        self.cells.parse(row).map_err(|error| wrong(error.to_string()))?;
        self.waiting_bytes += row.len();
        if self.waiting_bytes > MAX_WAITING {
            return Err(wrong(format!(
                "it comes before the columns of its result set, and so do {MAX_WAITING} bytes of other rows"
            )));
        }
        self.waiting.push(row.to_owned());
        Ok(())
    }

    fn finish(mut self, rest: &Rest) -> Result<ResultSet, Problem> {
        let Some(set) = Document::read(&rest.text)?.into_iter().next() else {
            return Err(wrong("the answer holds no result set".to_owned()));
        };
        let roles = match (self.roles.take(), &set.columns) {
            (Some(roles), _) => roles,
            (None, Some(columns)) => Roles::of(columns),
            (None, None) if self.waiting.is_empty() => Roles::default(),
            (None, None) => return Err(wrong("the result set does not name its columns".to_owned())),
        };
        for (index, row) in std::mem::take(&mut self.waiting).iter().enumerate() {
            self.add(&roles, row).map_err(|problem| {
                wrong(format!("row {} of the answer is not understood: {}", index + 1, problem.reason))
            })?;
        }
        let (rows, other) = self.counting.counts.ranked();
        let tally = Tally {
            columns: roles.names,
            rows,
            other,
            answered: set.mr_tested.unwrap_or(set.tested),
            expected: set.estimated_total,
            without_value: self.counting.without_value,
        };
        Ok(ResultSet {
            tally,
            question_id: set.question_id,
            seconds_since_issued: set.seconds_since_issued,
            rows: rest.rows,
            named: roles.name.is_some(),
            rows_there: set.filtered_row_count.unwrap_or(set.row_count),
        })
    }
}

impl Counting {
    /// Counts a row, and says what was counted where, if it is an answer that is kept. Nothing is counted when it is no row
    /// of this result set.
    ///
    /// # Errors
    /// When it has not the columns of the result set, or no count.
    fn count(&mut self, cells: &Cells, roles: &Roles, row: &[u8]) -> Result<Option<Known>, Problem> {
        let weight = weight(cells, roles, row)?;
        if let Some(without) = self.answer.take(cells, &roles.answer, row) {
            self.count_without(without, weight);
            return Ok(None);
        }
        let Some(place) = self.counts.place(&self.answer, row, weight) else { return Ok(None) };
        let known = Known { place, weight };
        self.counts.add(place, weight, roles.name_in(cells, row));
        if self.counts.make_room() {
            self.tails.forget();
            return Ok(None);
        }
        Ok(Some(known))
    }

    /// Counts the row at the beginning of `bytes` once more, if it ends from `tail` as one before; its length.
    #[inline]
    fn count_again(&mut self, cells: &Cells, roles: &Roles, bytes: &[u8], tail: usize) -> Option<usize> {
        let (length, known) = self.tails.find(&bytes[tail..])?;
        self.counts.add(known.place, known.weight, roles.name_in(cells, bytes));
        Some(tail + length)
    }

    #[cold]
    fn count_without(&mut self, text: &[u8], weight: u64) {
        let text = String::from_utf8_lossy(text);
        let without = &mut self.without_value;
        let known = without.contains_key(text.as_ref()) || without.len() < MAX_TEXTS;
        let text = if known { text.as_ref() } else { "TSE-Error: …" };
        match without.get_mut(text) {
            Some(count) => *count = count.saturating_add(weight),
            None => drop(without.insert(text.to_owned(), weight)),
        }
    }
}

/// How many endpoints a row stands for.
#[inline]
fn weight(cells: &Cells, roles: &Roles, row: &[u8]) -> Result<u64, Problem> {
    if cells.columns() != roles.columns {
        let reason = format!("it has {} cells, the result set {} columns", cells.columns(), roles.columns);
        return Err(wrong(reason));
    }
    let Some(column) = roles.count else { return Ok(1) };
    let text = match cells.of(column) {
        [value] => &row[value.place.clone()],
        _ => &[],
    };
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| wrong(format!("its Count is `{}`", text.escape_ascii())))
}

fn wrong(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}

#[cfg(test)]
mod tests;
