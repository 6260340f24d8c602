//! The strings of a row, read eight bytes at a time: in one pass their ends are found, and their hashes made.

/// A string that holds no escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) length: usize,
    /// [`hash`] of its bytes.
    pub(super) hash: u64,
}

const ONES: u64 = u64::MAX / 255;
const HIGH: u64 = ONES << 7;
const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
const FACTOR: u64 = 0xD6E8_FEB8_6659_FD93;

/// The string at the beginning of `bytes`, up to its closing quote; `None` if it is cut, or holds an escape, a control
/// character or invalid UTF-8.
#[inline]
pub(super) fn text(bytes: &[u8]) -> Option<Text> {
    let (mut rest, mut hash, mut beyond_ascii) = (bytes, SEED, 0);
    while let Some((word, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        let stop = stops(word);
        if stop != 0 {
            // The lowest mark is right; bytes below it belong to the string.
            let within = word & (stop ^ (stop - 1)) >> 8;
            let length = bytes.len() - rest.len() + lowest(stop);
            let is_utf8 = (beyond_ascii | within) & HIGH == 0 || is_utf8(&bytes[..length]);
            let whole = bytes[length] == b'"' && is_utf8;
            return whole.then(|| Text { length, hash: last(hash, within, length) });
        }
        beyond_ascii |= word;
        hash = mix(hash, word);
        rest = after;
    }
    text_at_end(bytes)
}

/// The string at the beginning of `bytes`, where fewer than eight are left before a word held its end.
#[cold]
#[inline(never)]
fn text_at_end(bytes: &[u8]) -> Option<Text> {
    let length = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '))?;
    let whole = bytes[length] == b'"' && is_utf8(&bytes[..length]);
    whole.then(|| Text { length, hash: self::hash(&bytes[..length]) })
}

/// Marks quotes, backslashes and control characters. Marks above the lowest one may be wrong.
#[inline]
fn stops(word: u64) -> u64 {
    const QUOTE: u64 = ONES * b'"' as u64;
    const BACKSLASH: u64 = ONES * b'\\' as u64;
    const SPACE: u64 = ONES * b' ' as u64;
    let quote = (word ^ QUOTE).wrapping_sub(ONES);
    let backslash = (word ^ BACKSLASH).wrapping_sub(ONES);
    let control = word.wrapping_sub(SPACE);
    (quote | backslash | control) & !word & HIGH
}

/// How many digits these bytes begin with.
#[inline]
pub(super) fn digits(bytes: &[u8]) -> usize {
    const ZEROS: u64 = ONES * b'0' as u64;
    const TEN: u64 = ONES * (0x80 - 10);
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let value = u64::from_le_bytes(*word) ^ ZEROS;
        // Marks what is ten or more; nothing carries into the next byte.
        let stop = (((value & !HIGH) + TEN) | value) & HIGH;
        if stop != 0 {
            return bytes.len() - rest.len() + lowest(stop);
        }
        rest = after;
    }
    bytes.len() - rest.len() + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Which byte has the lowest mark.
#[inline]
fn lowest(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

#[inline(never)]
fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// The hash of a string; the same on every machine. It need not withstand an attack: strings with one hash are told apart,
/// and their number is bounded.
#[inline]
pub(in super::super) fn hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let hash = words.iter().fold(SEED, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let rest = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
    last(hash, rest, bytes.len())
}

/// The last bytes, and the length, which tells "a" from "a\0".
#[inline]
fn last(hash: u64, rest: u64, length: usize) -> u64 {
    mix(hash, rest ^ (length as u64) << 56)
}

/// A hash and one more word.
#[inline]
pub(in super::super) fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word) * u128::from(FACTOR);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
    let folded = product as u64 ^ (product >> 64) as u64;
    folded
}
