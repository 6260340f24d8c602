//! `tancheck plugins list|show|trust`: the plugins on this machine.

use super::output::{BAD, FAINT, GOOD, HEADING, Printer, json, to_stderr};
use super::site::Site;
use super::stop::{INCOMPLETE, OK, Stop};
use super::{Global, permissions, text};
use crate::plugins::discovery::Candidate;
use crate::plugins::{Installed, examine, trust};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::manifest::Manifest;

/// Lists, shows and trusts plugins
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the plugins that can be used, and the files that cannot and why
    List,
    /// Shows what a plugin declares
    Show {
        /// The plugin's id
        #[arg(value_name = "PLUGIN")]
        id: String,
    },
    /// Shows what library files declare and, if you agree, trusts these very files
    #[command(after_help = "Examples:
  tancheck plugins trust plugins/libtancheck_connect.so
  tancheck plugins trust --yes --package plugins/*.so")]
    Trust(Trust),
}

#[derive(Debug, Args)]
struct Trust {
    /// The library files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Agrees beforehand
    #[arg(short, long)]
    yes: bool,
    /// For packagers: trusts exactly these files of their folder, for everybody who gets the folder
    #[arg(long)]
    package: bool,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    match arguments.command {
        Command::List => list(global),
        Command::Show { id } => show(&id, global),
        Command::Trust(arguments) => super::runtime()?.block_on(trust_files(&arguments, global)),
    }
}

/// What `plugins list -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The folders that were looked through, in this order.
    folders: Vec<String>,
    /// The plugins that can be used, by id.
    plugins: Vec<Row>,
    /// Files that looked like plugins and are not used.
    refused: Vec<Refused>,
}

/// A plugin that can be used.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Row {
    /// Its id.
    id: String,
    /// The title people know it by.
    title: String,
    /// Its version.
    version: String,
    /// The API version it was built against.
    api: String,
    /// How many checks it has.
    checks: usize,
    /// Whether the configuration enables it; `null` where that depends on the licence.
    enabled: Option<bool>,
    /// Its file.
    path: String,
    /// SHA-256 of the file, lower-case hex. It is pinned: only trusted files are listed here.
    sha256: String,
}

/// A file that looked like a plugin and is not used.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Refused {
    /// The file.
    path: String,
    /// The plugin's id, where it could be read.
    id: Option<String>,
    /// Why, and what to do.
    reason: String,
}

fn list(global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = super::runtime()?.block_on(Site::unchecked(global.layers()?));
    let row = |one: &Installed| Row {
        id: one.manifest.id.clone(),
        title: one.manifest.title.clone(),
        version: one.manifest.version.clone(),
        api: one.manifest.api.clone(),
        checks: one.manifest.checks.len(),
        enabled: site.layers.enabled().map(|ids| ids.contains(&one.manifest.id)),
        path: one.library.path.display().to_string(),
        sha256: one.library.sha256.clone(),
    };
    let document = Document {
        format: 1,
        folders: site.layers.places().plugins.iter().map(|path| path.display().to_string()).collect(),
        plugins: site.catalog.installed.iter().map(row).collect(),
        refused: site
            .catalog
            .refused
            .iter()
            .map(|one| Refused {
                path: one.path.display().to_string(),
                id: one.id.clone(),
                reason: one.reason.clone(),
            })
            .collect(),
    };
    printer.document(&document, || told_list(&document))?;
    Ok(OK)
}

fn told_list(document: &Document) -> String {
    let rows: Vec<Vec<String>> = document
        .plugins
        .iter()
        .map(|row| {
            let enabled = match row.enabled {
                Some(true) => "yes",
                Some(false) => "no",
                None => "if licensed",
            };
            let hash = row.sha256.get(..12).unwrap_or(&row.sha256);
            let cells = [&row.id, &row.version, &row.checks.to_string(), enabled, hash, &row.path];
            cells.map(ToString::to_string).to_vec()
        })
        .collect();
    let mut out = text::table(&["plugin", "version", "checks", "enabled", "sha256", "file"], &rows);
    if rows.is_empty() {
        writeln!(out, "no plugin can be used; these folders were looked through:").expect("a string grows");
        for folder in &document.folders {
            writeln!(out, "  {folder}").expect("a string grows");
        }
    }
    if !document.refused.is_empty() {
        writeln!(out, "\n{BAD}not used{BAD:#}").expect("a string grows");
        for refused in &document.refused {
            // Not wrapped: the reason ends in a command to copy.
            writeln!(out, "  {}\n    {}", refused.path, refused.reason).expect("a string grows");
        }
    }
    out
}

/// What `plugins show -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Shown<'a> {
    /// The version of this document's format.
    format: u32,
    /// The library.
    path: String,
    /// SHA-256 of the file, lower-case hex.
    sha256: &'a str,
    /// Everything the plugin declares.
    #[schemars(with = "Value")]
    manifest: &'a Manifest,
}

fn show(id: &str, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = super::runtime()?.block_on(Site::unchecked(global.layers()?));
    let plugin = site.plugin(id)?;
    let (library, manifest) = (&plugin.library, &plugin.manifest);
    let path = library.path.display().to_string();
    let shown = Shown { format: 1, path, sha256: &library.sha256, manifest };
    printer.document(&shown, || told(manifest, &library.path, &library.sha256))?;
    Ok(OK)
}

/// A manifest, for a person who has to decide about it.
fn told(manifest: &Manifest, path: &Path, sha256: &str) -> String {
    let mut out = format!("{HEADING}{}{HEADING:#}  {} {}\n", manifest.id, manifest.title, manifest.version);
    out.push_str(&text::wrapped(&manifest.about, 2));
    let solutions: Vec<String> = manifest
        .solutions
        .iter()
        .map(|one| format!("{} {}", one.name, one.id).trim_end().to_owned())
        .collect();
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            writeln!(out, "  {FAINT}{name:9}{FAINT:#} {value}").expect("a string grows");
        }
    };
    fact("file", &path.display().to_string());
    fact("sha256", sha256);
    fact("api", &manifest.api);
    fact("module", &solutions.join(", "));
    fact("uses", &manifest.features.join(", "));
    let mut sources = BTreeMap::new();
    for source in manifest.inputs.iter().flat_map(|input| &input.sources) {
        *sources.entry(source.request.kind()).or_insert(0_usize) += 1;
    }
    let counted: Vec<String> = sources.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    fact("asks", &format!("{} inputs: {}", manifest.inputs.len(), counted.join(", ")));
    let wanted = permissions::wanted(&[manifest]);
    let names: Vec<&str> = wanted.iter().map(|one| one.name.as_str()).collect();
    out.push_str(&format!("\n{HEADING}Privileges{HEADING:#}\n"));
    out.push_str(&text::wrapped(
        if names.is_empty() { "none named".to_owned() } else { names.join(", ") }.as_str(),
        2,
    ));
    out.push_str(&format!("\n{HEADING}Checks{HEADING:#}\n"));
    for check in &manifest.checks {
        writeln!(out, "  {}  {FAINT}{}{FAINT:#}", check.id, check.title).expect("a string grows");
    }
    if !manifest.settings.is_empty() {
        out.push_str(&format!("\n{HEADING}Settings{HEADING:#}\n"));
        for setting in &manifest.settings {
            let value =
                if setting.default.is_null() { "(not set)".to_owned() } else { setting.default.to_string() };
            writeln!(out, "  {} = {value}  {FAINT}{}{FAINT:#}", setting.key, setting.about)
                .expect("a string grows");
        }
    }
    out
}

/// What `plugins trust -o json` prints.
#[derive(Debug, Serialize)]
struct Trusted {
    format: u32,
    trusted: Vec<TrustedPlugin>,
}

#[derive(Debug, Serialize)]
struct TrustedPlugin {
    id: String,
    version: String,
    sha256: String,
    path: String,
}

async fn trust_files(arguments: &Trust, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let layers = global.layers()?;
    let (places, limits) = (layers.places(), layers.limits());
    let mut agreed: Vec<Candidate> = Vec::new();
    let mut all = true;
    for file in &arguments.files {
        let path = std::fs::canonicalize(file)
            .map_err(|error| Stop::Usage(format!("failed to read {}: {error}", file.display())))?;
        let (candidate, manifest) = examine(&path, &limits)
            .await
            .map_err(|refusal| Stop::Usage(format!("{}: {}", refusal.path.display(), refusal.reason)))?;
        let library = &candidate.library;
        if !arguments.yes {
            to_stderr(&told(&manifest, &library.path, &library.sha256));
        }
        if arguments.yes || agrees(&manifest, global)? {
            agreed.push(candidate);
        } else {
            all = false;
        }
    }
    if arguments.package {
        let mut folders: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
        for candidate in &agreed {
            let path = &candidate.library.path;
            folders.entry(path.parent().unwrap_or(Path::new("/"))).or_default().push(path.clone());
        }
        for (folder, libraries) in folders {
            trust::write_pins(folder, &libraries).map_err(|error| Stop::Usage(error.to_string()))?;
        }
    } else {
        for candidate in &agreed {
            trust::pin(&places.state, candidate).map_err(|error| Stop::Usage(error.to_string()))?;
        }
    }
    let trusted: Vec<TrustedPlugin> = agreed
        .into_iter()
        .map(|candidate| TrustedPlugin {
            id: candidate.stamp.id,
            version: candidate.stamp.version,
            sha256: candidate.library.sha256,
            path: candidate.library.path.display().to_string(),
        })
        .collect();
    let document = Trusted { format: 1, trusted };
    printer.print(|format| {
        if format == "json" {
            return json(&document);
        }
        let line = |one: &TrustedPlugin| {
            format!("{GOOD}trusted{GOOD:#} {} {} ({})\n", one.id, one.version, one.path)
        };
        Ok(document.trusted.iter().map(line).collect())
    })?;
    Ok(if all { OK } else { INCOMPLETE })
}

fn agrees(manifest: &Manifest, global: &Global) -> Result<bool, Stop> {
    if !global.can_ask() {
        return Err(Stop::Usage(format!(
            "nobody can be asked whether {} is to be trusted; give --yes to agree beforehand",
            manifest.id
        )));
    }
    super::ask::yes(&format!("Trust {} {}?", manifest.id, manifest.version))
}
