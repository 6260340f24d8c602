//! `cargo xtask new-plugin ID`: a plugin that builds, loads, and has a test that can fail.
#![expect(clippy::print_stdout, reason = "tasks talk to the terminal")]

use crate::build::root;
use anyhow::{Context, Result, bail};
use std::path::Path;

const CARGO: &str = include_str!("new_plugin/Cargo.toml.in");
const LIB: &str = include_str!("new_plugin/lib.rs.in");
const INPUTS: &str = include_str!("new_plugin/inputs.rs.in");
const CHECKS: &str = include_str!("new_plugin/checks.rs.in");
const TEST: &str = include_str!("new_plugin/manifest.rs.in");
const SITE: &str = include_str!("new_plugin/site.toml.in");

/// Where the matrix looks for what it has to know about a plugin.
const SITES: &str = "tests/e2e/tests/matrix/sites";

/// Makes the plugin in `plugins/ID`, and its site for the matrix.
pub(crate) fn run(id: &str) -> Result<()> {
    let folder = root().join("plugins").join(id);
    make(id, root())?;
    println!(
        "made {} and {SITES}/{id}.toml\nnext: edit src/inputs.rs and src/checks.rs, then `cargo test -p tancheck-{id}` \
         and `cargo xtask docs`",
        folder.strip_prefix(root()).unwrap_or(&folder).display()
    );
    Ok(())
}

fn make(id: &str, root: &Path) -> Result<()> {
    let is_kebab = id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !id.ends_with('-')
        && !id.contains("--");
    if !is_kebab {
        bail!(
            "{id:?} is no plugin id: use lower-case letters, digits and single dashes, such as `patch` or `client-health`"
        );
    }
    let folder = root.join("plugins").join(id);
    if folder.exists() {
        bail!("{} is there already", folder.display());
    }
    let title = id.split('-').map(capitalised).collect::<Vec<_>>().join(" ");
    let fill = |text: &str| {
        text.replace("{{id}}", id).replace("{{title}}", &title).replace("{{crate}}", &id.replace('-', "_"))
    };
    for (path, text) in [
        (folder.join("Cargo.toml"), CARGO),
        (folder.join("src/lib.rs"), LIB),
        (folder.join("src/inputs.rs"), INPUTS),
        (folder.join("src/checks.rs"), CHECKS),
        (folder.join("tests/manifest.rs"), TEST),
        (root.join(SITES).join(format!("{id}.toml")), SITE),
    ] {
        std::fs::create_dir_all(path.parent().context("a file has a folder")?)?;
        std::fs::write(&path, fill(text)).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_is_filled_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("plugins/client-health");
        make("client-health", folder.path()).unwrap();
        for file in ["Cargo.toml", "src/lib.rs", "src/inputs.rs", "src/checks.rs", "tests/manifest.rs"] {
            let text = std::fs::read_to_string(plugin.join(file)).unwrap();
            assert!(!text.contains("{{"), "{file}");
        }
        assert!(std::fs::read_to_string(plugin.join("src/lib.rs")).unwrap().contains("\"Client Health\""));
        let site = std::fs::read_to_string(folder.path().join(SITES).join("client-health.toml")).unwrap();
        assert!(site.contains("\"client-health.failed-schedules\"") && !site.contains("{{"));
        assert!(make("client-health", folder.path()).unwrap_err().to_string().contains("there already"));
        assert!(make("Bad Name", folder.path()).is_err());
    }
}
