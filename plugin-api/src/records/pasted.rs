//! What is told of text that somebody pastes into `tancheck paste`: facts about its blocks, never the blocks.

use super::probe::Certificate;
use crate::lenient;
use serde::{Deserialize, Serialize};

/// A block between `-----BEGIN …-----` and `-----END …-----`, or text outside of blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PastedBlock {
    /// What its first line calls it, such as `CERTIFICATE`; empty for text outside of blocks.
    #[serde(deserialize_with = "lenient::text")]
    pub label: String,
    /// The line it begins on.
    pub line: u64,
    /// Its last line is there, with the same words as its first one.
    pub ended: bool,
    /// Characters of its body, without blanks and line ends.
    pub characters: u64,
    /// Bytes that the body decodes to as base64; nothing where it does not.
    pub bytes: Option<u64>,
    /// The name of the known body that it equals; empty: it equals none.
    #[serde(deserialize_with = "lenient::text")]
    pub known: String,
    /// What a block called `CERTIFICATE` says, where it decodes.
    pub certificate: Option<Certificate>,
}
