//! The catalogue: every plugin that can be used, and every file that looked like one and cannot.

use super::cache::ManifestCache;
use super::discovery::{self, Candidate, Found};
use super::seen::Seen;
use super::trust::Pins;
use super::{Installed, Refusal};
use crate::config::{Limits, Places};
use crate::worker;
use futures_util::StreamExt as _;
use std::path::Path;
use tancheck_plugin_api::manifest::Manifest;

/// The plugins of this machine.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Catalog {
    /// Those that can be used, by id.
    pub installed: Vec<Installed>,
    /// Files that are not used, and why.
    pub refused: Vec<Refusal>,
}

impl Catalog {
    /// Looks through the plugin folders. A worker is started only for a library whose manifest is not yet known.
    pub async fn open(places: &Places, limits: &Limits) -> Self {
        let (folders, cache) = (places.plugins.clone(), places.cache.clone());
        let found = tokio::task::spawn_blocking(move || discovery::look(&folders, &Seen::open(&cache))).await;
        let Found { candidates, mut refused } = found.unwrap_or_default();
        let trusted = match pins(places) {
            Ok(pins) => trusted(candidates, &pins, &mut refused),
            Err(reason) => {
                refused.extend(candidates.into_iter().map(|candidate| refuse(candidate, reason.clone())));
                Vec::new()
            }
        };
        let cache = ManifestCache::new(&places.cache);
        // Twice as many as can compute: each waits now and then, for the system or for its worker.
        let parallel = std::thread::available_parallelism().map_or(4, |cores| 2 * cores.get()).clamp(4, 16);
        let results: Vec<_> = futures_util::stream::iter(trusted)
            .map(|candidate| introduce(candidate, &cache, limits))
            .buffered(parallel)
            .collect()
            .await;
        let mut installed = Vec::new();
        for result in results {
            match result {
                Ok(one) => installed.push(one),
                Err(refusal) => refused.push(refusal),
            }
        }
        installed.sort_by(|a, b| a.manifest.id.cmp(&b.manifest.id));
        refused.sort_by(|a, b| a.path.cmp(&b.path));
        Self { installed, refused }
    }

    /// The plugin with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Installed> {
        self.installed.iter().find(|one| one.manifest.id == id)
    }
}

/// Looks at one library that need not be trusted yet, in a worker: what `plugins trust` shows before it pins.
///
/// # Errors
/// When it is no plugin for this host, or cannot be described.
pub async fn examine(path: &Path, limits: &Limits) -> Result<(Candidate, Manifest), Refusal> {
    let candidate = discovery::candidate(path)?;
    let (manifest, _) =
        describe(&candidate, limits).await.map_err(|reason| refuse(candidate.clone(), reason))?;
    Ok((candidate, manifest))
}

/// Pins of the plugin folders, then those of the state folder.
fn pins(places: &Places) -> Result<Pins, String> {
    let mut folders: Vec<&Path> = places.plugins.iter().map(AsRef::as_ref).collect();
    folders.push(&places.state);
    Pins::read(&folders).map_err(|error| error.to_string())
}

fn trusted(candidates: Vec<Candidate>, pins: &Pins, refused: &mut Vec<Refusal>) -> Vec<Candidate> {
    let mut good = Vec::new();
    for candidate in candidates {
        match pins.check(&candidate) {
            Ok(()) => good.push(candidate),
            Err(reason) => refused.push(refuse(candidate, reason)),
        }
    }
    good
}

async fn introduce(
    candidate: Candidate,
    cache: &ManifestCache,
    limits: &Limits,
) -> Result<Installed, Refusal> {
    let sha256 = &candidate.library.sha256;
    if let Some(manifest) = cache.get(sha256).filter(|manifest| matches(&candidate, manifest)) {
        return Ok(Installed { library: candidate.library, manifest });
    }
    match describe(&candidate, limits).await {
        Ok((manifest, text)) => {
            cache.put(sha256, text.as_bytes());
            Ok(Installed { library: candidate.library, manifest })
        }
        Err(reason) => Err(refuse(candidate, reason)),
    }
}

async fn describe(candidate: &Candidate, limits: &Limits) -> Result<(Manifest, String), String> {
    let described = worker::describe(&candidate.library, limits).await.map_err(|failure| failure.sentence)?;
    if !matches(candidate, &described.manifest) {
        let (stamp, manifest) = (&candidate.stamp, &described.manifest);
        return Err(format!(
            "its stamp says {} {}, its manifest {} {}; it is not what it claims to be",
            stamp.id, stamp.version, manifest.id, manifest.version
        ));
    }
    Ok((described.manifest, described.text))
}

/// Whether stamp and manifest are of the same plugin.
fn matches(candidate: &Candidate, manifest: &Manifest) -> bool {
    let stamp = &candidate.stamp;
    stamp.id == manifest.id && stamp.version == manifest.version && stamp.api.to_string() == manifest.api
}

fn refuse(candidate: Candidate, reason: String) -> Refusal {
    Refusal { path: candidate.library.path, id: Some(candidate.stamp.id), reason }
}
