//! Finds the end of one JSON value in bytes that arrive in pieces.

use super::MAX_DEPTH;

/// The first byte at or after `at` that is no white space of JSON.
#[inline]
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// How far a value was read.
#[derive(Debug, Default)]
pub(super) struct RowScan {
    kind: Kind,
    /// Open containers of the row.
    depth: usize,
    /// Open containers around the row.
    around: usize,
    in_string: bool,
    escaped: bool,
    begun: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// An object or an array.
    #[default]
    Container,
    /// A string.
    Text,
    /// A number or a word.
    Scalar,
}

impl RowScan {
    /// A value that begins with this byte, inside `around` containers.
    pub(super) fn new(first: u8, around: usize) -> Self {
        let kind = match first {
            b'{' | b'[' => Kind::Container,
            b'"' => Kind::Text,
            _ => Kind::Scalar,
        };
        Self { kind, around, ..Self::default() }
    }

    /// Reads on; the length up to and with the value's last byte, or `None` when it goes on after these bytes.
    ///
    /// # Errors
    /// The depth, when it is too large.
    pub(super) fn run(&mut self, bytes: &[u8]) -> Result<Option<usize>, usize> {
        if self.kind == Kind::Scalar {
            let ends = |byte: &u8| matches!(byte, b',' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            return Ok(bytes.iter().position(ends));
        }
        let mut at = 0;
        if !self.begun && !bytes.is_empty() {
            self.begun = true;
            if self.kind == Kind::Text {
                self.in_string = true;
                at = 1;
            }
        }
        while at < bytes.len() {
            if self.in_string {
                at = self.string(bytes, at);
                if !self.in_string && self.depth == 0 {
                    return Ok(Some(at));
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth + self.around > MAX_DEPTH {
                        return Err(self.depth + self.around);
                    }
                }
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Ok(Some(at + 1));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Ok(None)
    }

    /// Inside a string: goes to its end, or to the end of the bytes.
    fn string(&mut self, bytes: &[u8], mut at: usize) -> usize {
        loop {
            if self.escaped && at < bytes.len() {
                self.escaped = false;
                at += 1;
            }
            let Some(found) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else { return bytes.len() };
            at += found + 1;
            if bytes[at - 1] == b'"' {
                self.in_string = false;
                return at;
            }
            self.escaped = true;
        }
    }
}
