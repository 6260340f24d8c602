//! Plugins on this machine: found, trusted, listed. No library is ever loaded into this process.

mod cache;
mod catalog;
pub mod discovery;
mod seen;
pub mod stamp;
pub mod trust;

pub use catalog::{Catalog, examine};

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use tancheck_plugin_api::manifest::Manifest;

/// A library file, and what its bytes are known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its bytes, lower-case hex: what people compare.
    pub sha256: String,
    /// BLAKE3 of its bytes, lower-case hex: what is compared whenever it is loaded, in a quarter of the time.
    pub blake3: String,
}

impl Library {
    /// The library of a file that holds these bytes.
    #[must_use]
    pub fn of(path: &Path, bytes: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            sha256: hex(&Sha256::digest(bytes)),
            blake3: blake3::hash(bytes).to_hex().to_string(),
        }
    }
}

/// A plugin that can be used.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its library.
    pub library: Library,
    /// What it declares.
    pub manifest: Manifest,
}

/// A file that looked like a plugin and is not used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// The file.
    pub path: PathBuf,
    /// The plugin's id, where its stamp could be read.
    pub id: Option<String>,
    /// One sentence: why, and what to do.
    pub reason: String,
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
