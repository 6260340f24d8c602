//! Building: cargo, and where its artefacts lie.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}

/// The cargo that runs this task.
pub(crate) fn cargo_command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command to its end.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("failed to start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// What a build of the workspace made.
pub(crate) struct Built {
    /// The host.
    pub(crate) tancheck: PathBuf,
    /// The program of its workers.
    pub(crate) worker: PathBuf,
    /// The lab.
    pub(crate) lab: PathBuf,
    /// The libraries of the plugins under `plugins/`.
    pub(crate) plugins: Vec<PathBuf>,
}

impl Built {
    /// Links the host and the plugins into a folder of their own, where no later build replaces them.
    pub(crate) fn keep(&self) -> Result<PathBuf> {
        let folder = self.tancheck.with_file_name("tested");
        let _absent_at_first = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        for file in self.plugins.iter().chain([&self.tancheck, &self.worker]) {
            let to = folder.join(file.file_name().context("an artefact has a name")?);
            std::fs::hard_link(file, &to)
                .or_else(|_| std::fs::copy(file, &to).map(drop))
                .with_context(|| format!("failed to link {} to {}", file.display(), to.display()))?;
        }
        Ok(folder)
    }
}

/// Builds the workspace for development and trusts the plugins that it made.
pub(crate) fn workspace() -> Result<Built> {
    build(&[])
}

/// Builds the workspace with these further arguments.
pub(crate) fn build(arguments: &[&str]) -> Result<Built> {
    let output = cargo_command()
        .args(["build", "--workspace", "--message-format=json-render-diagnostics"])
        // Libraries that only tests load would lie beside the plugins.
        .args([
            "--exclude",
            "tancheck-hostile*",
            "--exclude",
            "tancheck-abi*",
            "--exclude",
            "tancheck-guided",
        ])
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("failed to start cargo")?;
    if !output.status.success() {
        bail!("the build failed");
    }
    let mut tancheck = None;
    let mut worker = None;
    let mut lab = None;
    let mut plugins = Vec::new();
    let ours = root().join("plugins");
    for line in output.stdout.split(|&byte| byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
        if message["reason"] != "compiler-artifact" {
            continue;
        }
        let is_plugin =
            message["manifest_path"].as_str().is_some_and(|path| Path::new(path).starts_with(&ours));
        let is_library = |path: &&str| path.ends_with(std::env::consts::DLL_SUFFIX);
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if is_plugin {
            plugins.extend(files.filter(is_library).map(PathBuf::from));
        }
        match (message["target"]["name"].as_str(), message["executable"].as_str()) {
            (Some("tancheck"), Some(path)) => tancheck = Some(PathBuf::from(path)),
            (Some("tancheck-worker"), Some(path)) => worker = Some(PathBuf::from(path)),
            (Some("tancheck-lab"), Some(path)) => lab = Some(PathBuf::from(path)),
            _ => {}
        }
    }
    plugins.sort();
    let tancheck = tancheck.context("the build made no tancheck")?;
    trust(&tancheck, &plugins)?;
    Ok(Built {
        tancheck,
        worker: worker.context("the build made no tancheck-worker")?,
        lab: lab.context("the build made no tancheck-lab")?,
        plugins,
    })
}

/// Pins the plugins that were built together with the host.
pub(crate) fn trust(tancheck: &Path, plugins: &[PathBuf]) -> Result<()> {
    let output = Command::new(tancheck)
        .args(["plugins", "trust", "--yes", "--package"])
        .args(plugins)
        .output()
        .context("failed to start tancheck")?;
    if !output.status.success() {
        bail!("`tancheck plugins trust` failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
