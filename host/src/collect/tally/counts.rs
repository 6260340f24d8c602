//! Counts of distinct answers, in bounded memory.
//!
//! **Invariant:** no endpoint is lost: what cannot be kept is counted in `other`. For rows that the server counted, the
//! rows that are kept are exactly the commonest. For rows that are counted here, they are, as long as no more than
//! [`COUNTED`] answers differ; beyond it, answers that come late may be in `other`.

use super::SAMPLE_NAMES;
use super::answer::Answer;
use super::cells::hash;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use tancheck_plugin_api::facts::TallyRow;

/// Distinct answers that are delivered.
pub const KEPT_ROWS: usize = 256;
/// Distinct answers that are counted at the same time, before the rarest are given up.
const COUNTED: usize = 4096;
/// Bytes of distinct answers that are counted at the same time.
const COUNTED_BYTES: usize = 8 << 20;

#[derive(Debug, Default)]
pub(super) struct Counts {
    /// From the hash of an answer to its place; where two answers have one hash, the second has the next number.
    places: HashMap<u64, usize, BuildHasherDefault<Ready>>,
    entries: Vec<Entry>,
    bytes: usize,
    other: u64,
    /// New answers that are no commoner than this are not kept; none before the first were given up.
    floor: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    cells: Vec<String>,
    count: u64,
    /// Names with the smallest hashes, in this order: the same sample, in whatever order the rows come.
    names: Vec<(u64, String)>,
    /// No name with a larger hash is remembered.
    largest: u64,
}

/// The name of an endpoint, and its hash.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) text: &'a [u8],
    pub(super) hash: u64,
}

impl Counts {
    /// The place of an answer that is counted so often now. `None` when it is not kept: it was counted as another one.
    #[inline]
    pub(super) fn place(&mut self, answer: &Answer, row: &[u8], count: u64) -> Option<usize> {
        let mut number = answer.hash();
        loop {
            match self.places.get(&number) {
                Some(&place) if self.entries[place].is(answer, row) => return Some(place),
                Some(_) => number = number.wrapping_add(1),
                None if self.floor.is_some_and(|floor| count <= floor) => {
                    self.other = self.other.saturating_add(count);
                    return None;
                }
                None => return Some(self.insert(number, answer, row)),
            }
        }
    }

    /// Counts the answer at a place, and perhaps remembers the endpoint's name.
    #[inline]
    pub(super) fn add(&mut self, place: usize, count: u64, name: Option<Name<'_>>) {
        let entry = &mut self.entries[place];
        entry.count = entry.count.saturating_add(count);
        if let Some(name) = name
            && name.hash <= entry.largest
        {
            entry.remember(name);
        }
    }

    /// Gives up the rarest answers when there are too many; `true` when it did, and answers have other places now.
    pub(super) fn make_room(&mut self) -> bool {
        let full = self.entries.len() >= 2 * COUNTED || self.bytes > COUNTED_BYTES;
        if full {
            self.give_up_rarest();
        }
        full
    }

    #[cold]
    fn insert(&mut self, number: u64, answer: &Answer, row: &[u8]) -> usize {
        let texts = answer.texts(row).map(|text| utf8(text).to_owned());
        let cells: Vec<String> = texts.collect();
        self.bytes += cells.iter().map(String::len).sum::<usize>();
        let place = self.entries.len();
        let hash = answer.hash();
        self.entries.push(Entry { hash, cells, count: 0, names: Vec::new(), largest: u64::MAX });
        self.places.insert(number, place);
        place
    }

    #[cold]
    fn give_up_rarest(&mut self) {
        self.entries.sort_by(Entry::commonest_first);
        let keep = COUNTED.min(self.entries.len() / 2).max(1);
        for entry in self.entries.drain(keep..) {
            self.other = self.other.saturating_add(entry.count);
        }
        self.floor = self.entries.last().map(|entry| entry.count);
        self.bytes = self.entries.iter().flat_map(|entry| &entry.cells).map(String::len).sum();
        self.places.clear();
        for (place, entry) in self.entries.iter().enumerate() {
            let mut number = entry.hash;
            while self.places.contains_key(&number) {
                number = number.wrapping_add(1);
            }
            self.places.insert(number, place);
        }
    }

    /// The commonest answers, and how many endpoints gave others.
    pub(super) fn ranked(mut self) -> (Vec<TallyRow>, u64) {
        self.entries.sort_by(Entry::commonest_first);
        let rest = self.entries.drain(KEPT_ROWS.min(self.entries.len())..);
        let other = rest.fold(self.other, |sum, entry| sum.saturating_add(entry.count));
        let rows = self.entries.into_iter().map(|entry| {
            let mut sample: Vec<String> = entry.names.into_iter().map(|(_, name)| name).collect();
            sample.sort();
            TallyRow { cells: entry.cells, count: entry.count, sample }
        });
        (rows.collect(), other)
    }
}

impl Entry {
    #[inline]
    fn is(&self, answer: &Answer, row: &[u8]) -> bool {
        self.cells.iter().zip(answer.texts(row)).all(|(text, other)| text.as_bytes() == other)
    }

    fn commonest_first(one: &Self, other: &Self) -> std::cmp::Ordering {
        other.count.cmp(&one.count).then_with(|| one.cells.cmp(&other.cells))
    }

    #[cold]
    fn remember(&mut self, name: Name<'_>) {
        let text = utf8(name.text);
        let known = |(hash, known): &(u64, String)| (*hash, known.as_str()).cmp(&(name.hash, text));
        let Err(place) = self.names.binary_search_by(known) else { return };
        if place == SAMPLE_NAMES {
            return;
        }
        // The name that falls out leaves its buffer.
        let full = self.names.len() == SAMPLE_NAMES;
        let (_, mut buffer) = full.then(|| self.names.pop()).flatten().unwrap_or_default();
        buffer.clear();
        buffer.push_str(text);
        self.names.insert(place, (name.hash, buffer));
        if let Some((largest, _)) = self.names.get(SAMPLE_NAMES - 1) {
            self.largest = *largest;
        }
    }
}

fn utf8(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("rows are read as UTF-8, or not at all")
}

/// Takes hashes as they are.
#[derive(Debug, Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
