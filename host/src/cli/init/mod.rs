//! `tancheck init`: asks the deployment what it has, and writes a configuration that enables it.

mod modules;

use super::output::{FAINT, GOOD, Printer, WARNING, write_file};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, ask};
use crate::config::{Assignment, Auth, Flags, Layers, SecretSource};
use crate::run::presence::{Modules, Presence};
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use tancheck_plugin_api::manifest::Manifest;

/// Finds the modules that are installed and licensed, and writes a configuration that enables their plugins
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck init https://tanium.example.com --token-file /etc/tancheck/token
  tancheck init https://tanium.example.com --user health --password-file /etc/tancheck/password --to tancheck.toml")]
pub(super) struct Arguments {
    /// The address of the Tanium server
    url: Option<String>,
    /// A file whose first line is the API token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The environment variable that holds the API token
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    token_env: Option<String>,
    /// The user to log in as, without an API token
    #[arg(long, conflicts_with_all = ["token_file", "token_env"], requires = "password_file")]
    user: Option<String>,
    /// A file whose first line is the user's password
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// A PEM file with the authority that signed the server's certificate
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The file to write, instead of the place where tancheck looks for it
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Replaces a file that is there
    #[arg(long)]
    force: bool,
}

/// What `init -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The file that was written.
    file: String,
    /// Whether the installed modules are known; else plugins are enabled as licensed, at each run.
    known: bool,
    /// Plugins whose module is there, and what was seen of it.
    enabled: Vec<Choice>,
    /// Plugins whose module is not there, and why.
    left: Vec<Choice>,
    /// Modules that are there and that no plugin is about.
    without_plugin: Vec<Module>,
    /// What could not be read.
    problems: Vec<String>,
}

/// What became of a plugin.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Choice {
    /// The plugin's id.
    plugin: String,
    /// Why.
    reason: String,
}

/// A module of the deployment.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Module {
    /// Its name.
    name: String,
    /// Its solution's id.
    id: String,
    /// Its version.
    version: String,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    super::runtime()?.block_on(init(&arguments, global))
}

async fn init(arguments: &Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let layers = layers(arguments, global)?;
    let target = target(arguments, global, &layers)?;
    if target.exists() && !arguments.force {
        return Err(Stop::Usage(format!(
            "{} is there already; give --force to replace it, or --to FILE to write another one",
            target.display()
        )));
    }
    let site = Site::unchecked(layers).await;
    let session = super::login(&site.layers).await?;
    let modules = modules::ask(&session.transport()).await;
    session.close().await;
    let document = document(&modules, &site.manifests(), &target);
    write(&target, &configuration(&site.layers, &document)?)?;
    printer.document(&document, || told(&document))?;
    Ok(OK)
}

/// The configuration that is there, with what the arguments say above it.
fn layers(arguments: &Arguments, global: &Global) -> Result<Layers, Stop> {
    let mut flags = global.flags();
    // The file that is to be written need not be there yet.
    flags.config = flags.config.filter(|path| path.exists());
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    set(&mut flags, "deployment.url", arguments.url.clone(), "URL");
    set(&mut flags, "deployment.token_file", path(&arguments.token_file), "--token-file");
    set(&mut flags, "deployment.token_env", arguments.token_env.clone(), "--token-env");
    set(&mut flags, "deployment.login.user", arguments.user.clone(), "--user");
    set(&mut flags, "deployment.login.password_file", path(&arguments.password_file), "--password-file");
    set(&mut flags, "deployment.ca_file", path(&arguments.ca_file), "--ca-file");
    let layers = Layers::load(&flags)?;
    if !global.can_ask() || (layers.url().is_some() && layers.auth().is_some()) {
        return Ok(layers);
    }
    if layers.url().is_none() {
        let url = ask::line("Address of the Tanium server, such as https://tanium.example.com:")?;
        set(&mut flags, "deployment.url", Some(url), "the address");
    }
    if layers.auth().is_none() {
        let file = ask::line("File whose first line is the API token:")?;
        set(&mut flags, "deployment.token_file", Some(file), "the file");
    }
    Ok(Layers::load(&flags)?)
}

fn set(flags: &mut Flags, key: &str, value: Option<String>, flag: &str) {
    let assignment = |value| Assignment { key: key.to_owned(), value, flag: flag.to_owned() };
    flags.set.extend(value.map(assignment));
}

fn target(arguments: &Arguments, global: &Global, layers: &Layers) -> Result<PathBuf, Stop> {
    let named =
        arguments.to.as_ref().or(global.config.as_ref()).map(PathBuf::as_path).or_else(|| layers.file());
    // Nobody named one and none is there: root writes the system's, everybody else their own.
    let is_root = rustix::process::geteuid().is_root() && std::env::var_os("XDG_CONFIG_HOME").is_none();
    let mut places = layers.looked_for().iter().map(PathBuf::as_path);
    let usual = if is_root { places.next_back() } else { places.next() };
    let path =
        named.or(usual).ok_or_else(|| Stop::Usage("give --to FILE: there is no home folder".to_owned()))?;
    std::path::absolute(path).map_err(|error| Stop::Usage(format!("{}: {error}", path.display())))
}

fn document(modules: &Modules, manifests: &[&Manifest], target: &Path) -> Document {
    let (mut enabled, mut left) = (Vec::new(), Vec::new());
    for manifest in manifests.iter().filter(|_| modules.is_known()) {
        let choice = |reason: &str| Choice { plugin: manifest.id.clone(), reason: one_line(reason) };
        match modules.presence(manifest, super::engine::this_second()) {
            Presence::NotLicensed(reason) | Presence::NotImported(reason) => left.push(choice(&reason)),
            Presence::There => {
                enabled
                    .push(choice(modules.seen(manifest).as_deref().unwrap_or("about the platform itself")));
            }
        }
    }
    let module = |one: crate::run::document::Module| Module {
        name: one_line(&one.name),
        id: one_line(&one.id),
        version: one_line(&one.version),
    };
    Document {
        format: 1,
        file: target.display().to_string(),
        known: modules.is_known(),
        enabled,
        left,
        without_plugin: modules.not_looked_at(manifests, manifests).into_iter().map(module).collect(),
        problems: modules.problems.clone(),
    }
}

/// What the server says stands in comments of the file: it may not end them.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The text of the configuration.
fn configuration(layers: &Layers, document: &Document) -> Result<String, Stop> {
    let deployment = layers.deployment()?;
    let mut out =
        String::from("# Written by tancheck init. All keys: tancheck config explain\n\n[deployment]\n");
    let mut line = |text: &str| writeln!(out, "{text}").expect("a string grows");
    line(&format!("url = {}", quoted(deployment.url.as_str().trim_end_matches('/'))));
    if deployment.url.host_str() != Some(&deployment.id) {
        line(&format!("id = {}", quoted(&deployment.id)));
    }
    match &deployment.auth {
        Auth::Token(source) => line(&secret("token", source)?),
        Auth::Login { user, domain, password } => {
            line(&format!("login.user = {}", quoted(user)));
            if let Some(domain) = domain {
                line(&format!("login.domain = {}", quoted(domain)));
            }
            line(&secret("login.password", password)?);
        }
    }
    if let Some(path) = &deployment.ca_file {
        line(&format!("ca_file = {}", quoted(&absolute(path)?)));
    }
    line("\n[modules]");
    if document.known {
        line("enable = [");
        for one in &document.enabled {
            line(&format!("    {}, # {}", quoted(&one.plugin), one.reason));
        }
        line("]");
        for one in &document.left {
            line(&format!("# {}: {}", one.plugin, one.reason));
        }
    } else {
        line("# The installed solutions could not be read: each run enables what the licence covers.");
        line("enable = \"licensed\"");
    }
    for one in &document.without_plugin {
        line(&format!("# {} ({}) is installed, and no plugin is about it.", one.name, one.id));
    }
    Ok(out)
}

fn secret(prefix: &str, source: &SecretSource) -> Result<String, Stop> {
    Ok(match source {
        SecretSource::File(path) => format!("{prefix}_file = {}", quoted(&absolute(path)?)),
        SecretSource::Env(name) => format!("{prefix}_env = {}", quoted(name)),
        SecretSource::Command(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
            format!("{prefix}_command = [{}]", words.join(", "))
        }
        SecretSource::Fd(number) => format!("{prefix}_fd = {number}"),
        SecretSource::Credential(name) => format!("{prefix}_credential = {}", quoted(name)),
    })
}

/// Relative paths of the command line mean another place in the file.
fn absolute(path: &Path) -> Result<String, Stop> {
    let path = std::path::absolute(path)
        .map_err(|error| Stop::Usage(format!("failed to find {}: {error}", path.display())))?;
    Ok(path.display().to_string())
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn write(target: &Path, text: &str) -> Result<(), Stop> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Stop::Internal(format!("failed to make {}: {error}", folder.display())))?;
    }
    // Without secrets, but it names a program that may print them: only its owner changes it.
    write_file(target, text.as_bytes(), Some(0o644))
}

fn told(document: &Document) -> String {
    let mut out = String::new();
    let mut line = |text: &str| writeln!(out, "{text}").expect("a string grows");
    for problem in &document.problems {
        line(&format!("{WARNING}{problem}{WARNING:#}"));
    }
    for one in &document.enabled {
        line(&format!("{GOOD}enabled{GOOD:#}      {} {FAINT}({}){FAINT:#}", one.plugin, one.reason));
    }
    for one in &document.left {
        line(&format!("{FAINT}left away    {} ({}){FAINT:#}", one.plugin, one.reason));
    }
    for one in &document.without_plugin {
        line(&format!(
            "{WARNING}not covered{WARNING:#}  {} {}: no plugin is about it",
            one.name, one.version
        ));
    }
    if !document.known {
        line("plugins are enabled as licensed, at each run");
    }
    line(&format!("\nwritten: {}", document.file));
    line("next: tancheck doctor, then tancheck run");
    out
}
