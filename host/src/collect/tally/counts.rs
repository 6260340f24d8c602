//! Counts of distinct answers, in bounded memory.
//!
//! **Invariant:** no endpoint is lost: what cannot be kept is counted in `other`. For rows that the server counted, the
//! rows that are kept are exactly the commonest. For rows that are counted here, they are, as long as no more than
//! [`COUNTED`] answers differ; beyond it, answers that come late may be in `other`.

use super::{Answer, SAMPLE_NAMES};
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
}

impl Counts {
    /// Counts an answer, and perhaps remembers the endpoint's name.
    #[inline]
    pub(super) fn add(&mut self, answer: &Answer<'_>, count: u64, name: Option<&[u8]>) {
        let hash = hash_of(answer);
        let mut number = hash;
        let place = loop {
            match self.places.get(&number) {
                Some(&place) if self.entries[place].is(answer) => break place,
                Some(_) => number = number.wrapping_add(1),
                None if self.floor.is_some_and(|floor| count <= floor) => {
                    self.other = self.other.saturating_add(count);
                    return;
                }
                None => break self.insert(hash, number, answer),
            }
        };
        let entry = &mut self.entries[place];
        entry.count = entry.count.saturating_add(count);
        if let Some(name) = name {
            entry.remember(name);
        }
        if self.entries.len() >= 2 * COUNTED || self.bytes > COUNTED_BYTES {
            self.give_up_rarest();
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64, number: u64, answer: &Answer<'_>) -> usize {
        let cells: Vec<String> = answer.cells().map(super::Values::joined).collect();
        self.bytes += cells.iter().map(String::len).sum::<usize>();
        let place = self.entries.len();
        self.entries.push(Entry { hash, cells, count: 0, names: Vec::new() });
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
    fn is(&self, answer: &Answer<'_>) -> bool {
        self.cells.iter().zip(answer.cells()).all(|(text, values)| values.is(text))
    }

    fn commonest_first(one: &Self, other: &Self) -> std::cmp::Ordering {
        other.count.cmp(&one.count).then_with(|| one.cells.cmp(&other.cells))
    }

    #[inline]
    fn remember(&mut self, name: &[u8]) {
        let hash = fold(SEED, name);
        let full = self.names.len() >= SAMPLE_NAMES;
        if full && self.names.last().is_some_and(|(largest, _)| hash > *largest) {
            return;
        }
        let name = String::from_utf8_lossy(name);
        let place = self.names.binary_search_by(|(other, text)| (*other, text.as_str()).cmp(&(hash, &name)));
        if let Err(place) = place {
            self.names.insert(place, (hash, name.into_owned()));
            self.names.truncate(SAMPLE_NAMES);
        }
    }
}

const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
const FACTOR: u64 = 0xD6E8_FEB8_6659_FD93;

/// The hash of an answer; the same on every machine. It need not withstand an attack: answers with one hash are told
/// apart, and their number is bounded.
#[inline]
fn hash_of(answer: &Answer<'_>) -> u64 {
    answer.cells().fold(SEED, |hash, values| {
        let mut parts = values.iter();
        let first = fold(hash, parts.next().unwrap_or_default());
        parts.fold(first, |hash, value| fold(fold(hash, b"\n"), value))
    })
}

#[inline]
fn fold(mut hash: u64, bytes: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(FACTOR);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
        let folded = product as u64 ^ (product >> 64) as u64;
        folded
    };
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        hash = mix(hash, u64::from_le_bytes(*word));
        rest = after;
    }
    // The last eight bytes once more, or all of the few there are; and the length, which tells "a" from "a\0".
    let last = match bytes.last_chunk() {
        Some(word) => u64::from_le_bytes(*word),
        None => rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    mix(hash, last ^ (bytes.len() as u64) << 56)
}

/// Takes hashes as they are.
#[derive(Debug, Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = fold(self.0, bytes);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
