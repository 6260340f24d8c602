//! The catalogue: found, trusted, cached.

use crate::{built, patched, places, sandboxed};
use std::fs;
use std::path::{Path, PathBuf};
use tancheck::config::Limits;
use tancheck::plugins::{Catalog, examine, trust};

const PACKAGES: [&str; 2] = ["tancheck-hostile", "tancheck-abi-first"];

/// Plugins in a folder of their own, not yet trusted.
fn installed(folder: &Path) -> (PathBuf, Vec<PathBuf>) {
    let plugins = folder.join("plugins");
    fs::create_dir(&plugins).unwrap();
    let copies = PACKAGES.map(|package| {
        let path = plugins.join(format!("{package}.so"));
        fs::copy(built(package), &path).unwrap();
        path
    });
    (plugins, copies.to_vec())
}

fn ids(catalog: &Catalog) -> Vec<&str> {
    catalog.installed.iter().map(|one| one.manifest.id.as_str()).collect()
}

/// Limits under which no worker can start: whoever needs one fails.
fn without_workers() -> Limits {
    Limits { worker_memory: 4096, ..Limits::default() }
}

#[tokio::test]
async fn only_what_is_trusted_is_used_and_the_refusal_says_how() {
    if !sandboxed("only_what_is_trusted_is_used").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_, copies) = installed(folder.path());
    let places = places(folder.path());
    let catalog = Catalog::open(&places, &Limits::default()).await;
    assert!(catalog.installed.is_empty());
    assert_eq!(catalog.refused.len(), 2);
    for refusal in &catalog.refused {
        let command = format!("`tancheck plugins trust {}`", refusal.path.display());
        assert!(refusal.reason.contains(&command) && refusal.id.is_some(), "{}", refusal.reason);
    }

    let (candidate, manifest) = examine(&copies[0], &Limits::default()).await.unwrap();
    assert_eq!(manifest.id, "hostile");
    trust::pin(&places.state, &candidate).unwrap();
    let catalog = Catalog::open(&places, &Limits::default()).await;
    assert_eq!((ids(&catalog), catalog.refused.len()), (vec!["hostile"], 1));
    assert!(catalog.find("hostile").is_some() && catalog.find("abi-first").is_none());

    let mut changed = fs::read(&copies[0]).unwrap();
    changed.push(0);
    fs::write(&copies[0], changed).unwrap();
    let catalog = Catalog::open(&places, &Limits::default()).await;
    let refusal = catalog.refused.iter().find(|refusal| refusal.id.as_deref() == Some("hostile")).unwrap();
    assert!(refusal.reason.contains("changed since hostile"), "{}", refusal.reason);
}

#[tokio::test]
async fn a_listing_starts_no_worker_when_manifests_are_known() {
    if !sandboxed("a_listing_starts_no_worker").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (plugins, copies) = installed(folder.path());
    let places = places(folder.path());
    trust::write_pins(&plugins, &copies).unwrap();
    let blind = Catalog::open(&places, &without_workers()).await;
    assert_eq!((blind.installed.len(), blind.refused.len()), (0, 2), "these limits let no worker start");

    let first = Catalog::open(&places, &Limits::default()).await;
    assert_eq!(ids(&first), ["abi-first", "hostile"]);
    let second = Catalog::open(&places, &without_workers()).await;
    assert_eq!(ids(&second), ["abi-first", "hostile"]);
    assert_eq!(first.installed[1].manifest, second.installed[1].manifest);

    for entry in fs::read_dir(places.cache.join("manifests")).unwrap() {
        fs::write(entry.unwrap().path(), "{").unwrap();
    }
    assert_eq!(Catalog::open(&places, &without_workers()).await.installed.len(), 0);
    assert_eq!(Catalog::open(&places, &Limits::default()).await.installed.len(), 2);
    assert_eq!(Catalog::open(&places, &without_workers()).await.installed.len(), 2);
}

#[tokio::test]
async fn of_two_libraries_with_one_id_the_first_is_used_and_the_other_reported() {
    if !sandboxed("of_two_libraries_with_one_id").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (plugins, copies) = installed(folder.path());
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::copy(&copies[0], other.join("again.so")).unwrap();
    fs::write(other.join("notes.txt"), "no library, not looked at").unwrap();
    trust::write_pins(&plugins, &copies).unwrap();
    let mut places = places(folder.path());
    places.plugins = vec![folder.path().join("absent"), plugins, other];
    let catalog = Catalog::open(&places, &Limits::default()).await;
    assert_eq!(ids(&catalog), ["abi-first", "hostile"]);
    assert_eq!(catalog.find("hostile").unwrap().library.path, copies[0]);
    let [refusal] = catalog.refused.as_slice() else { panic!("{:?}", catalog.refused) };
    assert!(refusal.path.ends_with("again.so"));
    assert!(refusal.reason.contains("hostile is already there"), "{}", refusal.reason);
}

#[tokio::test]
async fn a_stamp_that_is_not_the_manifests_is_refused() {
    if !sandboxed("a_stamp_that_is_not_the_manifests").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = patched("tancheck-hostile", folder.path(), b"id=hostile\n", b"id=connect\n");
    let refusal = examine(&path, &Limits::default()).await.unwrap_err();
    assert!(refusal.reason.contains("its stamp says connect"), "{}", refusal.reason);
}

#[tokio::test]
async fn a_lock_file_that_anybody_may_write_is_no_trust() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (plugins, copies) = installed(folder.path());
    trust::write_pins(&plugins, &copies).unwrap();
    fs::set_permissions(plugins.join(trust::LOCK_FILE), fs::Permissions::from_mode(0o666)).unwrap();
    let catalog = Catalog::open(&places(folder.path()), &Limits::default()).await;
    assert_eq!((catalog.installed.len(), catalog.refused.len()), (0, 2));
    assert!(
        catalog.refused[0].reason.contains("can be written by everybody"),
        "{}",
        catalog.refused[0].reason
    );
}
