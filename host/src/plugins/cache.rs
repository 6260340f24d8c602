//! Manifests by the hash of their library, so that a listing starts no worker. What cannot be read is made again.

use crate::files;
use crate::worker::read_manifest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tancheck_plugin_api::manifest::Manifest;

/// The form of an entry; entries of another one are ignored.
const FORM: u32 = 1;

/// Most bytes of an entry: a manifest and a little around it.
const ENTRY_LIMIT: u64 = (1 << 20) + 4096;

/// The folder of the manifests.
#[derive(Debug)]
pub(super) struct ManifestCache {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    form: u32,
    sha256: String,
    /// As the plugin wrote it: a later host may read more in it.
    #[serde(borrow)]
    manifest: &'a RawValue,
}

impl ManifestCache {
    pub(super) fn new(cache: &Path) -> Self {
        Self { folder: cache.join("manifests") }
    }

    fn file(&self, sha256: &str) -> PathBuf {
        self.folder.join(format!("{sha256}.json"))
    }

    /// The manifest of a library, checked like one that just came from a worker.
    pub(super) fn get(&self, sha256: &str) -> Option<Manifest> {
        let mut text = Vec::new();
        File::open(self.file(sha256)).ok()?.take(ENTRY_LIMIT).read_to_end(&mut text).ok()?;
        let entry: Entry<'_> = serde_json::from_slice(&text).ok()?;
        let good = entry.form == FORM && entry.sha256 == sha256;
        good.then(|| read_manifest(entry.manifest.get().as_bytes()).ok())?
    }

    /// Keeps a manifest. A cache that cannot be written costs time and nothing else.
    pub(super) fn put(&self, sha256: &str, manifest: &[u8]) {
        if let Err(error) = self.write(sha256, manifest) {
            tracing::debug!(folder = %self.folder.display(), %error, "a manifest cannot be cached");
        }
    }

    fn write(&self, sha256: &str, manifest: &[u8]) -> io::Result<()> {
        let manifest: &RawValue = serde_json::from_slice(manifest)?;
        let entry = serde_json::to_vec(&Entry { form: FORM, sha256: sha256.to_owned(), manifest })?;
        fs::create_dir_all(&self.folder)?;
        files::write_cache(&self.file(sha256), &entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::manifest::Manifest;
    use tancheck_plugin_api::prelude::*;

    const ROWS: Input = Input::new("sample.rows", "rows").sources(&[Source::rest("/api/v2/users")]);
    const STEPS: Remedy = Remedy::new(&[Step::consult("nobody", "nothing")]).who("anybody");
    const CHECK: Check = Check::automated("sample.good")
        .title("Good")
        .cadence(&[Cadence::Weekly])
        .reads(&[&ROWS])
        .guide(&[guide("A section", 1)])
        .what("Looks.")
        .why("Because.")
        .remedy(&STEPS)
        .judge(|_, _| Ok(()));
    const PLUGIN: Plugin = Plugin::new("sample", "Sample", "0.1.0").checks(&[&CHECK]);

    fn cache() -> (tempfile::TempDir, ManifestCache, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let cache = ManifestCache::new(folder.path());
        (folder, cache, serde_json::to_vec(&Manifest::of(&PLUGIN)).unwrap())
    }

    #[test]
    fn a_manifest_comes_back_and_leaves_no_draft() {
        let (_folder, cache, text) = cache();
        assert_eq!(cache.get("aa"), None);
        cache.put("aa", &text);
        assert_eq!(cache.get("aa").unwrap(), Manifest::of(&PLUGIN));
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_entry_is_ignored_and_replaced() {
        let (_folder, cache, text) = cache();
        cache.put("aa", &text);
        cache.put("bb", &text);
        let whole = fs::read(cache.file("aa")).unwrap();
        fs::write(cache.file("aa"), &whole[..whole.len() / 2]).unwrap();
        fs::copy(cache.file("bb"), cache.file("cc")).unwrap();
        assert_eq!((cache.get("aa"), cache.get("cc")), (None, None));
        cache.put("aa", &text);
        assert!(cache.get("aa").is_some());
    }
}
