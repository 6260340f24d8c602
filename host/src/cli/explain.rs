//! `tancheck explain CHECK`: what a check looks at, why, and what to do about its findings; offline.

use super::output::{FAINT, HEADING, Printer, WARNING};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, checks, sources, text};
use crate::config::{Explanation, InputOverride};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use tancheck_plugin_api::manifest::{Check, Input, Manifest, Remedy};

/// Explains a check: what it looks at, why, when it can be wrong, and what to do; asks nobody
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tancheck explain connect.failed-connections")]
pub(super) struct Arguments {
    /// The check's id, as "tancheck checks list" shows it
    #[arg(value_name = "CHECK")]
    id: String,
}

/// What `explain -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document<'a> {
    /// The version of this document's format.
    format: u32,
    /// The plugin's id.
    plugin: &'a str,
    /// The check, as its plugin declares it.
    #[schemars(with = "Value")]
    check: &'a Check,
    /// The inputs it reads, as its plugin declares them.
    #[schemars(with = "Value")]
    inputs: Vec<&'a Input>,
    /// Those inputs that the configuration re-points: id and request.
    repointed: Vec<Repointed>,
    /// Its settings: the values in force and where they come from.
    settings: Vec<Explanation>,
}

/// An input that the configuration re-points.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Repointed {
    /// The input's id.
    input: String,
    /// What is asked instead.
    request: String,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = Site::open(global)?;
    let (plugin, check) = site.check(&arguments.id)?;
    let manifest = &plugin.manifest;
    let inputs: Vec<&Input> = check.inputs.iter().filter_map(|id| manifest.input(id)).collect();
    let repointed = site
        .layers
        .inputs()
        .into_iter()
        .filter(|(id, _)| check.inputs.contains(id))
        .map(|(input, other)| Repointed { input, request: route(&other) })
        .collect();
    let document = Document {
        format: 1,
        plugin: &manifest.id,
        check,
        inputs,
        repointed,
        settings: settings(&site, manifest, check)?,
    };
    printer.document(&document, || told(&document, manifest))?;
    Ok(OK)
}

fn route(other: &InputOverride) -> String {
    match &other.service {
        Some(service) => format!("GET /plugin/products/{service}{}", other.path),
        None => format!("GET {}", other.path),
    }
}

fn settings(site: &Site, manifest: &Manifest, check: &Check) -> Result<Vec<Explanation>, Stop> {
    let mut all = Vec::new();
    for key in check.settings.iter().chain(&check.due_every) {
        let path = format!("modules.{}.{key}", manifest.id);
        all.extend(site.layers.explain(Some(&path), &[manifest])?);
    }
    all.dedup();
    Ok(all)
}

fn told(document: &Document<'_>, manifest: &Manifest) -> String {
    let check = document.check;
    let mut out = Lines::default();
    let cadence: Vec<&str> = check.cadence.iter().map(|one| one.name()).collect();
    out.line(&format!("{HEADING}{}{HEADING:#}  {}", check.id, check.title));
    out.line(&format!(
        "{FAINT}{} · {} · {} · severity {}{FAINT:#}",
        manifest.title,
        checks::kind_name(check.kind),
        cadence.join(", "),
        check.severity
    ));
    for guide in &check.guide {
        let (title, section, page) = (guide.title(), &guide.section, guide.page);
        out.line(&format!("{FAINT}{title}: {section}, page {page}{FAINT:#}"));
    }
    if check.beyond {
        out.line(&format!("{FAINT}not asked for by a guide of the vendor{FAINT:#}"));
    }
    out.section("What it does", &check.what);
    out.section("Why it matters", &check.why);
    out.section("Where it applies", &check.applies);
    out.section("When it can be wrong", &check.limits);
    if check.even_if_absent {
        out.section("Modules", "It is judged even where the module is not installed or licensed.");
    }
    out.inputs(document);
    out.settings(&document.settings);
    out.learns(check);
    if let Some(remedy) = &check.remedy {
        out.remedy(remedy, &check.id, if check.judged { "What to do" } else { "The task" });
    }
    out.section("See also", &check.related.join(", "));
    out.section("Earlier ids", &check.aliases.join(", "));
    out.0
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn line(&mut self, line: &str) {
        writeln!(self.0, "{line}").expect("a string grows");
    }

    fn heading(&mut self, heading: &str) {
        self.line(&format!("\n{HEADING}{heading}{HEADING:#}"));
    }

    fn section(&mut self, heading: &str, text: &str) {
        if !text.is_empty() {
            self.heading(heading);
            self.0.push_str(&text::wrapped(text, 2));
        }
    }

    fn inputs(&mut self, document: &Document<'_>) {
        if document.inputs.is_empty() {
            return;
        }
        self.heading("What it reads");
        for input in &document.inputs {
            self.line(&format!("  {}  {FAINT}{}{FAINT:#}", input.id, input.about));
            if let Some(other) = document.repointed.iter().find(|other| other.input == input.id) {
                self.line(&format!("    {WARNING}as configured: {}{WARNING:#}", other.request));
            }
            for (number, source) in (1..).zip(&input.sources) {
                self.0
                    .push_str(&text::wrapped(&format!("{number}. {}", sources::told(source, &input.id)), 4));
                if let Some(privileges) = sources::privileges(source) {
                    self.0.push_str(&text::wrapped(&privileges, 7));
                }
            }
        }
    }

    fn settings(&mut self, settings: &[Explanation]) {
        if settings.is_empty() {
            return;
        }
        self.heading("Settings");
        for one in settings {
            let value = if one.value.is_null() { "(not set)".to_owned() } else { one.value.to_string() };
            let place = one.place.as_deref().unwrap_or(&one.from);
            self.line(&format!("  {} = {value}  {FAINT}{place}{FAINT:#}", one.key));
            let about = one.about.trim_end_matches('.');
            self.0.push_str(&text::wrapped(&format!("{about}; accepts {}", one.accepts), 4));
        }
    }

    fn learns(&mut self, check: &Check) {
        if check.learns.is_empty() {
            return;
        }
        let learned = format!("Can be learned: {} (tancheck learn {})", check.learns.join(", "), check.id);
        self.0.push_str(&text::wrapped(&learned, 2));
    }

    fn remedy(&mut self, remedy: &Remedy, check: &str, heading: &str) {
        self.heading(heading);
        for (number, step) in (1..).zip(&remedy.steps) {
            self.0.push_str(&text::item(number, &told_step(step), 2));
        }
        for caution in &remedy.cautions {
            self.line(&format!("  {WARNING}Caution:{WARNING:#} {caution}"));
        }
        self.0.push_str(&text::wrapped(
            &format!(
                "Risk {}; reversible: {}; who: {}.",
                word(&remedy.risk),
                word(&remedy.reversible),
                remedy.who.trim_end_matches('.')
            ),
            2,
        ));
        let verify = if remedy.verify.is_empty() { check } else { &remedy.verify };
        self.line(&format!("  Afterwards: tancheck run --check {verify}"));
        for reference in &remedy.references {
            self.line(&format!("  {FAINT}{reference}{FAINT:#}"));
        }
    }
}

/// The name of a value that is a word in JSON.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// One step of a remedy, as a sentence.
fn told_step(step: &BTreeMap<String, String>) -> String {
    let part = |key: &str| step.get(key).map_or("", String::as_str);
    let text = part("text");
    let (lead, text) = match part("do") {
        "console" => (format!("Console > {}", part("path")), text),
        "question" => (format!("Ask: {}", part("question")), text),
        "action" => (format!("Deploy {}", part("package")), text),
        "command" => (format!("Run: {}", part("command")), text),
        "api" => (format!("API: {}", part("route")), text),
        "decision" => (format!("If {}", part("when")), part("then")),
        "consult" => (format!("Ask {}", part("whom")), text),
        "support" => ("Tanium Support".to_owned(), text),
        _ => (part("do").to_owned(), text),
    };
    if text.is_empty() { lead } else { format!("{lead}: {text}") }
}
