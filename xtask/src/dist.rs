//! `cargo xtask dist`: one folder that can be handed on.
#![expect(clippy::print_stdout, reason = "tasks talk to the terminal")]

use crate::build::{self, root};
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Builds with the profile `dist` and puts host, worker, plugins, pins and documents into `dist/`.
pub(crate) fn run() -> Result<()> {
    let built = build::build(&["--profile", "dist"])?;
    let folder = root().join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("failed to empty {}", folder.display()))?;
    }
    let plugins = folder.join("plugins");
    fs::create_dir_all(&plugins)?;
    let host = folder.join("tancheck");
    copy(&built.tancheck, &host)?;
    copy(&built.worker, &folder.join("tancheck-worker"))?;
    let mut libraries = Vec::new();
    for library in &built.plugins {
        let target = plugins.join(library.file_name().context("a library has a name")?);
        copy(library, &target)?;
        libraries.push(target);
    }
    build::trust(&host, &libraries)?;
    for document in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&root().join(document), &folder.join(document))?;
    }
    copy_tree(&root().join("docs"), &folder.join("docs"))?;
    println!("{}: tancheck and {} plugins", folder.display(), libraries.len());
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("failed to copy {} to {}", from.display(), to.display()))?;
    Ok(())
}
