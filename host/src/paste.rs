//! Text that somebody pastes: only facts about its blocks leave this file.
//!
//! The text can hold secrets. It is read here, from a pipe, and dropped here: it is not stored, not logged, not handed
//! to a plugin, and no error repeats any of it.

use crate::collect::export::decoded;
use crate::collect::probe::certificate;
use crate::config::show_duration;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use tancheck_plugin_api::records::pasted::PastedBlock;
use x509_parser::pem::Pem;

/// More is refused.
pub const MOST_BYTES: u64 = 1 << 20;
/// As many blocks and stray texts are told.
const MOST_BLOCKS: usize = 100;
/// Longer labels are cut: they are the only words of the text that are repeated, and only where they are words.
const LONGEST_LABEL: usize = 60;

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum PasteError {
    /// It cannot be read.
    #[error("what was piped in cannot be read ({0})")]
    Unreadable(#[from] io::Error),
    /// It is longer than anything that is meant to be pasted.
    #[error("more than {} KiB were piped in; paste the blocks alone", MOST_BYTES >> 10)]
    TooLong,
    /// It takes too long.
    #[error("{}", late(.waited, .begun))]
    Late {
        /// How long it was waited for.
        waited: Duration,
        /// Whether a part of it came.
        begun: bool,
    },
    /// There is nothing.
    #[error("nothing was piped in; give the text on stdin: tancheck paste INPUT < FILE")]
    Empty,
}

fn late(waited: &Duration, begun: &bool) -> String {
    let what = if *begun { "the end of the text did not arrive" } else { "nothing arrived" };
    let waited = show_duration(*waited);
    format!(
        "{what} on stdin within {waited} (limits.stdin_timeout); give a file: tancheck paste INPUT < FILE"
    )
}

/// The bytes of what is piped in, if they arrive in time. Who waits for a pipe that nobody closes cannot be stopped:
/// that thread ends with the program.
///
/// # Errors
/// When it cannot be read, is too long, or does not arrive in time.
pub fn piped(mut from: impl Read + Send + 'static, time: Duration) -> Result<Vec<u8>, PasteError> {
    let (done, arrived) = mpsc::channel();
    let begun = Arc::new(AtomicBool::new(false));
    let has_begun = Arc::clone(&begun);
    std::thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        let mut first = [0];
        let read = from.read(&mut first).and_then(|count| {
            has_begun.store(count > 0, Ordering::Relaxed);
            let mut bytes = first[..count].to_vec();
            if count > 0 {
                from.take(MOST_BYTES).read_to_end(&mut bytes)?;
            }
            Ok(bytes)
        });
        // Nobody listens where the time is over.
        let _ = done.send(read);
    })?;
    let bytes = match arrived.recv_timeout(time) {
        Ok(read) => read?,
        Err(RecvTimeoutError::Timeout) => {
            return Err(PasteError::Late { waited: time, begun: begun.load(Ordering::Relaxed) });
        }
        Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("the reader ended").into()),
    };
    if bytes.len() as u64 > MOST_BYTES { Err(PasteError::TooLong) } else { Ok(bytes) }
}

/// The blocks of a text in any encoding. `known` are names of bodies and the SHA-256 of each, as hexadecimal digits of
/// its base64 text without blanks.
///
/// # Errors
/// When it is empty.
pub fn blocks(bytes: &[u8], known: &[(String, String)]) -> Result<Vec<PastedBlock>, PasteError> {
    let text = decoded(bytes);
    if text.trim().is_empty() {
        return Err(PasteError::Empty);
    }
    Ok(parsed(&text, known))
}

/// A block that is still open.
struct Open<'a> {
    label: &'a str,
    line: u64,
    body: String,
}

fn parsed(text: &str, known: &[(String, String)]) -> Vec<PastedBlock> {
    let mut found = Vec::new();
    let mut open: Option<Open<'_>> = None;
    for (line, text) in (1_u64..).zip(text.lines()) {
        let text = text.trim();
        if let Some(label) = marker(text, "BEGIN") {
            found.extend(open.take().map(|block| block.told(false, known)));
            open = Some(Open { label, line, body: String::new() });
        } else if let Some(label) = marker(text, "END") {
            match open.take() {
                Some(block) => {
                    let ended = block.label == label;
                    found.push(block.told(ended, known));
                }
                None => found.push(PastedBlock { line, ..PastedBlock::default() }),
            }
        } else if let Some(block) = &mut open {
            block.body.extend(text.chars().filter(|sign| !sign.is_whitespace()));
        } else if !text.is_empty() {
            let characters = text.chars().filter(|sign| !sign.is_whitespace()).count() as u64;
            found.push(PastedBlock { line, characters, ..PastedBlock::default() });
        }
    }
    found.extend(open.map(|block| block.told(false, known)));
    found.truncate(MOST_BLOCKS);
    found
}

/// The label of `-----BEGIN LABEL-----`: capital words, nothing else.
fn marker<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let label = line.strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?.strip_suffix("-----")?;
    let is_word = |byte: u8| byte.is_ascii_uppercase() || byte == b' ';
    (label.len() <= LONGEST_LABEL && label.bytes().all(is_word)).then_some(label)
}

impl Open<'_> {
    /// What is told of the block.
    fn told(self, ended: bool, known: &[(String, String)]) -> PastedBlock {
        let bytes = base64(&self.body);
        let digest = hexadecimal(&Sha256::digest(self.body.as_bytes()));
        let name = known.iter().find(|(_, sha256)| sha256.eq_ignore_ascii_case(&digest));
        let is_certificate = self.label == "CERTIFICATE";
        PastedBlock {
            label: self.label.to_owned(),
            line: self.line,
            ended,
            characters: self.body.chars().count() as u64,
            bytes: bytes.as_ref().map(|bytes| bytes.len() as u64),
            known: name.map(|(name, _)| name.clone()).unwrap_or_default(),
            certificate: bytes.filter(|_| is_certificate).map(|bytes| certificate::facts(&bytes)),
        }
    }
}

/// The bytes of a body; nothing where it is no base64.
fn base64(body: &str) -> Option<Vec<u8>> {
    let block = format!("-----BEGIN X-----\n{body}\n-----END X-----\n");
    let (pem, _) = Pem::read(Cursor::new(block)).ok()?;
    (!pem.contents.is_empty()).then_some(pem.contents)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write as _;

    /// Longer than any test.
    const LONG: Duration = Duration::from_secs(600);

    const SECRET: &str = "aGVsbG8gd29ybGQgb2Ygc2VjcmV0cyE=";

    fn told(text: &str) -> Vec<PastedBlock> {
        let known = hexadecimal(&Sha256::digest(SECRET.as_bytes())).to_uppercase();
        parsed(text, &[("a sample".to_owned(), known)])
    }

    #[test]
    fn a_block_is_counted_and_compared_and_not_repeated() {
        let (first, second) = SECRET.split_at(9);
        let text = format!(
            "-----BEGIN PROVISION SECRET-----\r\n{first}\r\n {second}\r\n-----END PROVISION SECRET-----\r\n\r\n"
        );
        let blocks = told(&text);
        let expected = PastedBlock {
            label: "PROVISION SECRET".to_owned(),
            line: 1,
            ended: true,
            characters: 32,
            bytes: Some(23),
            known: "a sample".to_owned(),
            certificate: None,
        };
        assert_eq!(blocks, [expected]);
        let shown = serde_json::to_string(&blocks).unwrap();
        assert!(!shown.contains(first) && !shown.contains(second), "{shown}");
    }

    #[test]
    fn slips_are_told() {
        let labels = |text: &str| -> Vec<(String, bool)> {
            told(text).into_iter().map(|block| (block.label, block.ended)).collect()
        };
        let open = ("CERTIFICATE".to_owned(), false);
        assert_eq!(labels("-----BEGIN CERTIFICATE-----\nAAAA"), std::slice::from_ref(&open));
        assert_eq!(
            labels("-----BEGIN CERTIFICATE-----\nAAAA\n-----END SECRET-----"),
            std::slice::from_ref(&open)
        );
        assert_eq!(labels("-----BEGIN CERTIFICATE-----\n-----BEGIN X-----\n-----END X-----")[0], open);
        // Dashes that an editor changed, and a marker that holds more than words.
        let stray = (String::new(), false);
        assert_eq!(labels("—–BEGIN CERTIFICATE–—"), std::slice::from_ref(&stray));
        assert_eq!(labels("-----BEGIN hunter2-----"), std::slice::from_ref(&stray));
        assert_eq!(labels("-----END CERTIFICATE-----"), [stray]);
        assert_eq!(told("-----BEGIN X-----\nA*A=\n-----END X-----")[0].bytes, None);
        assert_eq!(told("-----BEGIN X-----\nAAAAA\n-----END X-----")[0].bytes, None);
        assert!(
            told("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")[0]
                .certificate
                .as_ref()
                .is_some_and(|certificate| !certificate.unreadable.is_empty())
        );
    }

    #[test]
    fn encodings_and_limits() {
        let text = "-----BEGIN X-----\nAAAA\n-----END X-----\n";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(blocks(&utf16, &[]).unwrap()[0].label, "X");
        assert!(matches!(blocks(b" \n", &[]), Err(PasteError::Empty)));
        assert!(matches!(piped(io::repeat(b'A'), LONG), Err(PasteError::TooLong)));
        let most = io::repeat(b'A').take(MOST_BYTES);
        assert_eq!(piped(most, LONG).unwrap().len() as u64, MOST_BYTES);
        assert_eq!(piped(io::empty(), LONG).unwrap(), b"");
        assert_eq!(told(&"x\n".repeat(300)).len(), MOST_BLOCKS);
    }

    #[test]
    fn what_does_not_come_is_not_waited_for() {
        let message = |text: &[u8]| {
            let (reader, mut writer) = io::pipe().unwrap();
            writer.write_all(text).unwrap();
            let error = piped(reader, Duration::from_millis(300)).unwrap_err();
            drop(writer);
            error.to_string()
        };
        let nothing = message(b"");
        assert!(
            nothing.starts_with("nothing arrived on stdin within 300ms (limits.stdin_timeout)"),
            "{nothing}"
        );
        let part = message(b"hunter2");
        assert!(
            part.starts_with("the end of the text did not arrive") && !part.contains("hunter2"),
            "{part}"
        );
    }

    proptest! {
        #[test]
        fn no_text_is_repeated(text in "[a-zA-Z0-9+/=]{12,80}", around in "[-A-Z \n]{0,80}") {
            let shown = serde_json::to_string(&told(&format!("{around}\n{text}\n{around}"))).unwrap();
            prop_assert!(!shown.contains(&text));
        }
    }
}
