//! Plugins as real libraries in real workers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking and says when it is skipped"
)]

mod broken;
mod catalog;
mod hostile;

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tancheck::config::Limits;
use tancheck::plugins::Library;
use tancheck::worker;

const PACKAGES: &[&str] = &["tancheck-hostile", "tancheck-hostile-constructor"];

/// The library of a package, built once for all tests.
fn built(package: &str) -> &'static Path {
    static LIBRARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let libraries = LIBRARIES.get_or_init(|| tancheck_test_support::build(PACKAGES));
    worker::use_program(env!("CARGO_BIN_EXE_tancheck").into());
    &libraries[package]
}

fn library(path: &Path) -> Library {
    let digest = Sha256::digest(std::fs::read(path).unwrap());
    Library { path: path.to_owned(), sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect() }
}

/// Whether workers can be sandboxed here; says so where they cannot.
async fn sandboxed(test: &str) -> bool {
    let failure = worker::describe(&library(built("tancheck-hostile")), &Limits::default()).await.err();
    let missing = failure.filter(|failure| failure.sentence.contains("this system lacks"));
    if let Some(failure) = &missing {
        eprintln!("{test} is SKIPPED: {failure}");
    }
    missing.is_none()
}
