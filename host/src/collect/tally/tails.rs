//! Rows that end as an earlier row did, byte for byte: they give the same answer, and need not be read again.
//!
//! Where each machine has its row, its names come first and the answer after them; most machines give one of a few answers,
//! and all that the server writes after the names is then the same. What was read once, and found whole and valid there,
//! is whole and valid wherever the same bytes stand in the same place.

use super::cells::mix;
use memchr::memmem::Finder;

/// Endings that are remembered at the same time.
const SLOTS: usize = 256;
/// Longer endings are rarely the same.
const LONGEST: usize = 512;
/// What endings end with. Where it stands within a text, too little is looked up, and not found.
const END: &[u8; 3] = b"]]}";

/// How rows ended. Each ending has two slots where it can be.
#[derive(Debug)]
pub(super) struct Tails {
    slots: Vec<Tail>,
    end: Finder<'static>,
}

#[derive(Clone, Debug, Default)]
struct Tail {
    bytes: Vec<u8>,
    known: Known,
}

/// What is known of a row that ends so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The place of its answer.
    pub(super) place: usize,
    /// How many endpoints it stands for.
    pub(super) weight: u64,
}

impl Default for Tails {
    fn default() -> Self {
        Self { slots: vec![Tail::default(); SLOTS], end: Finder::new(END) }
    }
}

impl Tails {
    /// The ending at the beginning of `bytes`, if it is remembered: its length, and what is known.
    #[inline]
    pub(super) fn find(&self, bytes: &[u8]) -> Option<(usize, Known)> {
        let window = &bytes[..bytes.len().min(LONGEST)];
        let tail = &window[..self.end.find(window)? + END.len()];
        let (first, second) = slots(tail);
        let found =
            [first, second].into_iter().map(|slot| &self.slots[slot]).find(|slot| slot.bytes == tail)?;
        Some((tail.len(), found.known))
    }

    /// Remembers an ending that was read. Where both of its slots are taken, it displaces another one.
    #[cold]
    pub(super) fn remember(&mut self, tail: &[u8], known: Known) {
        if tail.len() > LONGEST {
            return;
        }
        let (first, second) = slots(tail);
        let slot = if self.slots[second].bytes.is_empty() && !self.slots[first].bytes.is_empty() {
            second
        } else {
            first
        };
        let slot = &mut self.slots[slot];
        slot.bytes.clear();
        slot.bytes.extend_from_slice(tail);
        slot.known = known;
    }

    /// Forgets all: answers have other places now.
    pub(super) fn forget(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.bytes.clear());
    }
}

/// Where an ending can be.
#[inline]
fn slots(tail: &[u8]) -> (usize, usize) {
    let (words, _) = tail.as_chunks::<8>();
    let hash = words.iter().fold(tail.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = tail.last_chunk().map_or(hash, |word| mix(hash, u64::from_le_bytes(*word)));
    (hash as usize % SLOTS, (hash >> 32) as usize % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_found_only_as_it_was_remembered() {
        let mut tails = Tails::default();
        let known = Known { place: 3, weight: 1 };
        assert_eq!(tails.find(b"On\"}]]},{"), None);
        tails.remember(b"On\"}]]}", known);
        assert_eq!(tails.find(b"On\"}]]},{"), Some((7, known)));
        for other in [&b"On\"}]]"[..], b"Of\"}]]}", b"On\"}] ]}", b"On \"}]]}", b"n\"}]]}", b"]]}", b""] {
            assert_eq!(tails.find(other), None, "{}", other.escape_ascii());
        }
        tails.forget();
        assert_eq!(tails.find(b"On\"}]]}"), None);
    }

    #[test]
    fn more_endings_than_slots_displace_each_other_and_are_never_confused() {
        let mut tails = Tails::default();
        let tail = |number: usize| format!("answer {number}\"}}]]}}").into_bytes();
        for number in 0..4 * SLOTS {
            tails.remember(&tail(number), Known { place: number, weight: 1 });
            assert_eq!(tails.find(&tail(number)).map(|(_, known)| known.place), Some(number));
        }
        let found = (0..4 * SLOTS).filter_map(|number| Some((number, tails.find(&tail(number))?.1.place)));
        let found: Vec<_> = found.collect();
        assert!(found.iter().all(|(number, place)| number == place));
        assert!((SLOTS / 2..=SLOTS).contains(&found.len()), "{}", found.len());
    }

    #[test]
    fn what_is_too_long_is_not_remembered() {
        let mut tails = Tails::default();
        for (length, found) in [(LONGEST, true), (LONGEST + 1, false)] {
            let tail = ["x".repeat(length - END.len()).as_bytes(), END].concat();
            tails.remember(&tail, Known::default());
            assert_eq!(tails.find(&tail).is_some(), found, "{length}");
        }
    }
}
