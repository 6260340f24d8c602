//! What the doctor sees on this machine.

use super::{Line, State};
use crate::cli::site::Site;
use crate::config::{Auth, Layers, Places, SecretSource, secret};
use crate::worker;
use rustix::fs::{Access, access};
use secrecy::SecretString;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

pub(super) fn configuration(site: &Site, lines: &mut Vec<Line>) {
    let name = "configuration";
    let layers = &site.layers;
    match layers.file() {
        Some(file) => lines.push(Line::ok(name, file.display().to_string())),
        None => {
            let places: Vec<String> =
                layers.looked_for().iter().map(|path| path.display().to_string()).collect();
            let seen = format!("no file found (looked for {})", places.join(", "));
            lines.push(Line::warn(name, seen, "write one with \"tancheck init\""));
        }
    }
    if let Err(error) = layers.check(&site.manifests(), &site.refused()) {
        lines.extend(error.0.iter().map(|one| Line::fail(name, one.to_string(), "correct it there")));
    }
    if let Err(error) = layers.deployment() {
        lines.extend(
            error
                .0
                .iter()
                .map(|one| Line::fail(name, one.to_string(), "\"tancheck init\" writes what is needed")),
        );
    }
}

pub(super) fn plugins(site: &Site, lines: &mut Vec<Line>) {
    let name = "plugins";
    let folders: Vec<String> =
        site.layers.places().plugins.iter().map(|path| path.display().to_string()).collect();
    let enabled: Vec<&str> = site.enabled().iter().map(|one| one.manifest.id.as_str()).collect();
    match (site.catalog.installed.len(), enabled.as_slice()) {
        (0, _) => lines.push(Line::fail(
            name,
            format!("none can be used; looked through {}", folders.join(", ")),
            "put the plugins into one of these folders, or set places.plugins",
        )),
        (count, []) => lines.push(Line::fail(
            name,
            format!("{count} are trusted, and none of them is enabled"),
            "name some of them in modules.enable",
        )),
        (count, enabled) => {
            let how = if site.layers.enabled().is_none() { "as licensed" } else { "enabled" };
            lines.push(Line::ok(name, format!("{count} trusted, {how}: {}", enabled.join(", "))));
        }
    }
    for refusal in &site.catalog.refused {
        let wanted = match (&refusal.id, site.layers.enabled()) {
            (Some(id), Some(enabled)) => enabled.contains(id),
            _ => false,
        };
        let seen = format!("{}: {}", refusal.path.display(), refusal.reason);
        let todo = "see the sentence, or remove the file";
        lines.push(if wanted { Line::fail(name, seen, todo) } else { Line::warn(name, seen, todo) });
    }
}

/// Starts one plugin as a run would.
pub(super) async fn sandbox(site: &Site, lines: &mut Vec<Line>) {
    let name = "sandbox";
    let Some(plugin) = site.catalog.installed.first() else {
        lines.push(Line::skipped(name, "there is no plugin to start"));
        return;
    };
    let limits = site.layers.limits();
    lines.push(match worker::describe(&plugin.library, &limits).await {
        Ok(described) if described.sandbox.is_full() => Line::ok(name, described.sandbox.to_string()),
        Ok(described) => Line::warn(
            name,
            described.sandbox.to_string(),
            "use a kernel with landlock and seccomp, or trust plugins of known origin only",
        ),
        Err(failure) => Line::fail(
            name,
            format!("{} could not be started: {failure}", plugin.manifest.id),
            "if the kernel has no full sandbox, set limits.allow_weak_sandbox",
        ),
    });
}

pub(super) fn places(places: &Places, lines: &mut Vec<Line>) {
    for (name, folder) in [("state", &places.state), ("cache", &places.cache)] {
        lines.push(writable(name, folder));
    }
    let exports = &places.exports;
    lines.push(match std::fs::read_dir(exports) {
        Ok(entries) => {
            let files = entries.flatten().filter(|entry| entry.path().is_file()).count();
            Line::ok("exports", format!("{}, {files} files", exports.display()))
        }
        // Nobody needs the folder before the first export.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Line::ok("exports", format!("{}, not there yet", exports.display()))
        }
        Err(error) => Line::fail(
            "exports",
            format!("{} cannot be read: {error}", exports.display()),
            "let this user read it, or set places.exports",
        ),
    });
}

/// Whether a folder, or the nearest one above it, can be written; nothing is written to find out.
fn writable(name: &'static str, folder: &Path) -> Line {
    let shown = folder.display();
    let Some(there) = folder.ancestors().find(|path| path.exists()) else {
        return Line::fail(name, format!("{shown} is nowhere"), format!("set places.{name}"));
    };
    let metadata = std::fs::metadata(there);
    if !metadata.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        return Line::fail(name, format!("{} is no folder", there.display()), format!("set places.{name}"));
    }
    if there == folder && metadata.is_ok_and(|metadata| metadata.mode() & 0o002 != 0) {
        return Line::fail(
            name,
            format!("{shown} can be written by everybody"),
            format!("run chmod o-w {shown}"),
        );
    }
    match access(there, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) if there == folder => Line::ok(name, shown.to_string()),
        Ok(()) => Line::ok(name, format!("{shown}, made when needed")),
        Err(error) => Line::fail(
            name,
            format!("{} cannot be written: {error}", there.display()),
            format!("let this user write it, or set places.{name}"),
        ),
    }
}

/// Reads the token or password, as a run would.
pub(super) async fn secret(layers: &Layers, lines: &mut Vec<Line>) -> Option<SecretString> {
    let (name, source) = match layers.auth()? {
        Auth::Token(source) => ("token", source),
        Auth::Login { password, .. } => ("password", password),
    };
    if let SecretSource::File(path) = &source
        && let Ok(Some(warning)) = secret::permissions(path)
    {
        let line = Line::warn(name, warning, "keep it to this user");
        lines.push(line);
    }
    let asked = source.clone();
    // A program may take a while.
    let read = tokio::task::spawn_blocking(move || secret::read(&asked)).await.ok()?;
    match read {
        Ok(secret) => {
            let seen = format!("read from {source}");
            let warned = lines.last().is_some_and(|line| line.name == name && line.state == State::Warn);
            lines.extend((!warned).then(|| Line::ok(name, seen)));
            Some(secret)
        }
        Err(error) => {
            lines.push(Line::fail(name, error.to_string(), "see \"tancheck config explain deployment\""));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_that_is_not_there_yet_is_well_if_it_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let later = folder.path().join("a/b");
        assert_eq!(writable("state", &later).state, State::Ok);
        assert!(!later.exists());
        std::fs::write(folder.path().join("a"), "").unwrap();
        assert_eq!(
            writable("state", &later).seen,
            format!("{} is no folder", folder.path().join("a").display())
        );
    }

    #[test]
    fn a_folder_that_everybody_writes_is_not_well() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let line = writable("state", folder.path());
        assert_eq!(line.state, State::Fail);
        assert!(line.todo.unwrap().starts_with("run chmod o-w"));
    }
}
