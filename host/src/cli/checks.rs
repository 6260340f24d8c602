//! `tancheck checks list|show`: the checks of the plugins on this machine; offline.

use super::output::{FAINT, Printer};
use super::site::Site;
use super::stop::{OK, Stop};
use super::{Global, explain, text};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;
use tancheck_plugin_api::manifest::{Check, Manifest};
use tancheck_plugin_api::{Cadence, Kind};

/// Lists the checks, or shows one of them
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the checks of all plugins; asks nobody
    #[command(after_help = "Examples:
  tancheck checks list --module connect
  tancheck checks list --cadence weekly --kind automated -o json")]
    List(Filter),
    /// Shows one check; the same as tancheck explain
    Show(explain::Arguments),
}

#[derive(Debug, Args)]
struct Filter {
    /// Only checks of this plugin; may be repeated
    #[arg(short, long, value_name = "PLUGIN")]
    module: Vec<String>,
    /// Only checks of this cadence; may be repeated
    #[arg(short, long, value_parser = cadences())]
    cadence: Vec<Cadence>,
    /// Only checks of this kind
    #[arg(short, long, value_parser = kinds())]
    kind: Option<Kind>,
}

/// Cadences on the command line.
pub(super) fn cadences() -> impl TypedValueParser<Value = Cadence> {
    PossibleValuesParser::new(Cadence::ALL.map(Cadence::name))
        .try_map(|name| Cadence::ALL.into_iter().find(|one| one.name() == name).ok_or("no such cadence"))
}

const KINDS: [(&str, Kind); 3] =
    [("automated", Kind::Automated), ("attested", Kind::Attested), ("hybrid", Kind::Hybrid)];

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(KINDS.map(|(name, _)| name)).try_map(|name| {
        KINDS.into_iter().find(|(one, _)| *one == name).map(|(_, kind)| kind).ok_or("no such kind")
    })
}

/// The name of a kind.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    KINDS.into_iter().find(|(_, one)| *one == kind).map_or("automated", |(name, _)| name)
}

/// What `checks list -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The checks, by plugin, in the order of the guide.
    checks: Vec<Row>,
}

/// One check.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Row {
    /// `<plugin>.<problem-or-state>`.
    id: String,
    /// The plugin's id.
    plugin: String,
    /// How often the guide asks for it.
    cadence: Vec<String>,
    /// `automated`, `attested` or `hybrid`.
    kind: String,
    /// The severity of its findings, unless they say otherwise.
    severity: String,
    /// The good state.
    title: String,
    /// Where a guide of the vendor asks for it.
    guide: Vec<Guide>,
    /// Ids of the inputs it reads.
    inputs: Vec<String>,
    /// Keys of its settings.
    settings: Vec<String>,
    /// Keys of those that `tancheck learn` proposes values for.
    learns: Vec<String>,
    /// Not asked for by a guide of the vendor.
    beyond: bool,
}

/// A place in a guide of the vendor.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Guide {
    /// Which guide: `maintenance guide`, or the title and version of a module's own.
    of: String,
    /// Section title.
    section: String,
    /// Page.
    page: u16,
}

impl Row {
    fn of(manifest: &Manifest, check: &Check) -> Self {
        Self {
            id: check.id.clone(),
            plugin: manifest.id.clone(),
            cadence: check.cadence.iter().map(|one| one.name().to_owned()).collect(),
            kind: kind_name(check.kind).to_owned(),
            severity: check.severity.name().to_owned(),
            title: check.title.clone(),
            guide: check
                .guide
                .iter()
                .map(|one| Guide { of: one.title().to_owned(), section: one.section.clone(), page: one.page })
                .collect(),
            inputs: check.inputs.clone(),
            settings: check.settings.clone(),
            learns: check.learns.clone(),
            beyond: check.beyond,
        }
    }
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    match arguments.command {
        Command::List(filter) => list(&filter, global),
        Command::Show(arguments) => explain::run(arguments, global),
    }
}

fn list(filter: &Filter, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = Site::open(global)?;
    for module in &filter.module {
        site.plugin(module)?;
    }
    let wanted = |(plugin, check): &(&crate::plugins::Installed, &Check)| {
        (filter.module.is_empty() || filter.module.contains(&plugin.manifest.id))
            && (filter.cadence.is_empty() || check.cadence.iter().any(|one| filter.cadence.contains(one)))
            && filter.kind.is_none_or(|kind| check.kind == kind)
    };
    let checks: Vec<Row> =
        site.checks().filter(wanted).map(|(plugin, check)| Row::of(&plugin.manifest, check)).collect();
    if checks.is_empty() {
        return Err(Stop::Usage(match site.catalog.installed.as_slice() {
            [] => "no plugin can be used here; \"tancheck plugins list\" tells why".to_owned(),
            _ => "no check matches".to_owned(),
        }));
    }
    let document = Document { format: 1, checks };
    printer.document(&document, || told(&document.checks))?;
    Ok(OK)
}

fn told(checks: &[Row]) -> String {
    let rows: Vec<Vec<String>> = checks
        .iter()
        .map(|row| {
            let cells = [&row.id, &row.severity, &row.cadence.join(","), &row.kind, &row.title];
            cells.map(Clone::clone).to_vec()
        })
        .collect();
    let table = text::table(&["check", "severity", "cadence", "kind", "good state"], &rows);
    let checks = if rows.len() == 1 { "check" } else { "checks" };
    format!("{table}{FAINT}{} {checks}{FAINT:#}\n", rows.len())
}
