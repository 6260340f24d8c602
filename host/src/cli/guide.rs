//! `tancheck guide PLUGIN PROCEDURE`: the steps of a procedure, with the deployment's own values, each with its
//! verification. tancheck changes nothing; a person takes the steps.

use super::Global;
use super::engine::{Circumstances, Ground, Which};
use super::guided::{cautions, faint, origin, risk, sentence};
use super::inquiry::Inquiry;
use super::output::{BAD, FAINT, GOOD, HEADING, Printer, WARNING};
use super::site::Site;
use super::stop::{INCOMPLETE, OK, Stop};
use super::text;
use crate::diagnose::Values;
use crate::diagnose::procedure::{FORMAT, Guard, Procedure, Task, Value, texts, verifying};
use crate::diagnose::scout::Scout;
use crate::hint::hint;
use crate::plugins::Installed;
use crate::report::page::clean;
use crate::run::exit::FINDING;
use crate::run::outcome::word_of;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::manifest;

/// Shows the steps of a procedure with the values of this deployment; changes nothing
#[derive(Debug, Args)]
#[command(after_help = "\
A value that is not known is shown as <what it is: how to tell it>. --verify runs the checks that prove the steps and shows
what they came to.

Examples:
  tancheck guide direct-connect
  tancheck guide direct-connect cert-renew-rollout
  tancheck guide direct-connect cert-renew-rollout --verify
  tancheck guide direct-connect uninstall-endpoints --anyway

Exit codes: 0 shown, 1 held back by its guard, or --verify has findings, 2 usage or configuration, 3 the guard or a
verifying check could not decide.")]
pub(super) struct Arguments {
    /// The plugin whose module is worked on
    #[arg(value_name = "PLUGIN")]
    plugin: String,
    /// The procedure; without it, all are listed
    #[arg(value_name = "PROCEDURE")]
    procedure: Option<String>,
    /// Runs the checks that verify the steps
    #[arg(long, requires = "procedure")]
    verify: bool,
    /// Shows the steps although the guard holds the procedure back
    #[arg(long, requires = "procedure")]
    anyway: bool,
    #[command(flatten)]
    circumstances: Circumstances,
}

/// What `guide PLUGIN -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct List {
    /// The version of this document's format.
    format: u32,
    /// The plugin.
    plugin: String,
    /// Its procedures.
    procedures: Vec<Listed>,
}

/// A procedure in the list.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Listed {
    /// Its id.
    id: String,
    /// Its title.
    title: String,
    /// When it is needed.
    about: String,
    /// How many steps it has.
    steps: usize,
    /// The risk of the change: `none`, `low`, `medium`, `high`.
    risk: String,
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let runtime = super::runtime()?;
    let code = runtime.block_on(async {
        match &arguments.procedure {
            None => list(&Site::load(global).await?, &arguments.plugin, &printer),
            Some(id) => show(&arguments, id, global, &printer).await,
        }
    });
    runtime.shutdown_background();
    code
}

fn list(site: &Site, plugin: &str, printer: &Printer) -> Result<u8, Stop> {
    let manifest = &with_procedures(site, plugin)?.manifest;
    let listed = |one: &manifest::Procedure| Listed {
        id: one.id.clone(),
        title: one.title.clone(),
        about: one.about.clone(),
        steps: one.tasks.len(),
        risk: word_of(&one.risk),
    };
    let document = List {
        format: FORMAT,
        plugin: manifest.id.clone(),
        procedures: manifest.procedures.iter().map(listed).collect(),
    };
    printer.document(&document, || {
        let row =
            |one: &Listed| vec![one.id.clone(), one.steps.to_string(), one.risk.clone(), clean(&one.title)];
        let rows: Vec<Vec<String>> = document.procedures.iter().map(row).collect();
        let more = faint(&format!("tancheck guide {} PROCEDURE shows the steps", document.plugin), 0);
        format!("{}{more}", text::table(&["procedure", "steps", "risk", "title"], &rows))
    })?;
    Ok(OK)
}

fn with_procedures<'a>(site: &'a Site, id: &str) -> Result<&'a Installed, Stop> {
    let plugin = site.plugin(id)?;
    if plugin.manifest.procedures.is_empty() {
        let others = site.manifests().into_iter().filter(|one| !one.procedures.is_empty());
        let others: Vec<&str> = others.map(|one| one.id.as_str()).collect();
        let others = if others.is_empty() {
            "none does".to_owned()
        } else {
            format!("those that do: {}", others.join(", "))
        };
        return Err(Stop::Usage(format!("the plugin {id} declares no procedures; {others}")));
    }
    Ok(plugin)
}

async fn show(arguments: &Arguments, id: &str, global: &Global, printer: &Printer) -> Result<u8, Stop> {
    let ground = Ground::load(&Which::from(&arguments.circumstances), global).await?;
    let plugin = with_procedures(&ground.site, &arguments.plugin)?;
    let manifest = &plugin.manifest;
    let procedure = manifest.procedure(id).ok_or_else(|| {
        let ids = manifest.procedures.iter().map(|one| one.id.as_str());
        Stop::Usage(format!("the plugin {} has no procedure {id:?}{}", manifest.id, hint(id, ids)))
    })?;
    let inquiry = Inquiry::new(&ground);
    let (setup, workers) = (inquiry.setup(), inquiry.workers());
    let scout = Scout::new(&setup, plugin, &inquiry, &workers);
    let guard = match &procedure.guard {
        None => None,
        Some(guard) => {
            let (about, read) = match manifest.reading(&guard.reading) {
                Some(reading) => {
                    (reading.about.as_str(), scout.read(reading, None).await.map(|read| read.text))
                }
                None => ("", Err(format!("the plugin has no reading {}", guard.reading))),
            };
            Some(Guard::of(about, &guard.why, read, arguments.anyway))
        }
    };
    let refused = guard.as_ref().is_some_and(|guard| guard.refuses);
    let results = match arguments.verify && !refused {
        true => scout.check(&verifying(procedure)).await,
        false => Vec::new(),
    };
    let values = Values::new(scout.values(&procedure.values, &texts(procedure)).await, None);
    let deployment = &ground.config.deployment.id;
    let mut document = Procedure::of(&manifest.id, deployment, procedure, &values, guard, &results);
    document.problems = scout.problems().await;
    document.problems.extend(inquiry.unreached().map(str::to_owned));
    document.problems.sort();
    document.problems.dedup();
    scout.stop().await;
    inquiry.close().await;
    printer.document(&document, || told(&document))?;
    Ok(code(&document))
}

fn code(document: &Procedure) -> u8 {
    let refused = document.guard.as_ref().filter(|guard| guard.refuses);
    let mut outcomes: Vec<Outcome> =
        document.tasks.iter().flat_map(|task| &task.checks).filter_map(|check| check.outcome).collect();
    outcomes.extend(refused.map(|guard| match guard.against.as_slice() {
        [] => Outcome::NotEvaluated,
        _ => Outcome::Finding,
    }));
    if outcomes.contains(&Outcome::Finding) {
        FINDING
    } else if outcomes.iter().all(|outcome| outcome.is_decided()) {
        OK
    } else {
        INCOMPLETE
    }
}

/// The procedure for people.
fn told(document: &Procedure) -> String {
    let mut out = format!(
        "{HEADING}{}{HEADING:#}  {FAINT}{} · {}{FAINT:#}\n",
        clean(&document.title),
        document.plugin,
        document.deployment
    );
    out.push_str(&text::wrapped(&clean(&document.about), 2));
    out.push_str(&faint(&risk(&document.who, &document.risk, &document.reversible), 2));
    out.push_str(&cautions(&document.cautions));
    out.push_str(&values(&document.values));
    if let Some(guard) = &document.guard {
        out.push_str(&of_guard(guard, document));
    }
    if !document.tasks.is_empty() {
        out.push('\n');
    }
    for (number, task) in (1..).zip(&document.tasks) {
        out.push_str(&of_task(number, task));
    }
    if let Some(next) = document.next.as_ref().filter(|_| !document.tasks.is_empty()) {
        write!(out, "\n  Then: {HEADING}tancheck guide {} {next}{HEADING:#}\n", document.plugin)
            .expect("a string grows");
    }
    for section in &document.sections {
        out.push_str(&faint(&clean(section), 2));
    }
    for problem in &document.problems {
        let lines = text::wrapped(&format!("Problem: {}", clean(problem)), 2);
        out.push_str(&lines.replacen("Problem:", &format!("{WARNING}Problem:{WARNING:#}"), 1));
    }
    out
}

/// The values of this deployment, and how to tell those that are missing.
fn values(values: &[Value]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{HEADING}This deployment{HEADING:#}\n");
    let width = values.iter().map(|value| value.about.chars().count()).max().unwrap_or(0);
    for value in values {
        let line = match &value.value {
            Some(read) => clean(read),
            None => format!("{WARNING}not known{WARNING:#}: {}", clean(&value.hint)),
        };
        writeln!(out, "  {:width$}  {line}", clean(&value.about)).expect("a string grows");
    }
    out
}

fn of_guard(guard: &Guard, document: &Procedure) -> String {
    let mut out = String::from("\n");
    let verdict = match (guard.refuses, &guard.unknown, guard.against.is_empty()) {
        (true, Some(_), _) => {
            format!("{BAD}Held back{BAD:#}, because it could not be seen that it does no harm")
        }
        (true, None, _) => format!("{BAD}Held back{BAD:#}"),
        (false, Some(_), _) => {
            format!("{WARNING}Shown although nobody could see whether it does harm{WARNING:#}")
        }
        (false, None, false) => format!("{WARNING}Shown although it does harm{WARNING:#}"),
        (false, None, true) => format!("{GOOD}Nothing stands against it{GOOD:#}"),
    };
    writeln!(out, "{verdict}  {FAINT}looked for: {}{FAINT:#}", clean(&guard.about)).expect("a string grows");
    if !guard.against.is_empty() || guard.unknown.is_some() {
        out.push_str(&text::wrapped(&clean(&guard.why), 2));
    }
    for says in guard.against.iter().chain(&guard.unknown) {
        out.push_str(&text::wrapped(&format!("- {}", clean(says)), 2));
    }
    if guard.refuses {
        let command = format!("tancheck guide {} {} --anyway", document.plugin, document.procedure);
        writeln!(out, "\n  To see the steps all the same: {HEADING}{command}{HEADING:#}")
            .expect("a string grows");
    }
    out
}

fn of_task(number: usize, task: &Task) -> String {
    let mut out = text::item(number, &sentence(&task.step), 2);
    if let Some(seen) = &task.seen {
        out.push_str(&faint(&format!("✓ {} ({})", clean(seen), origin(task.from_guide)), 5));
    }
    for check in &task.checks {
        let outcome = match check.outcome {
            None => String::new(),
            Some(Outcome::Pass) => format!("  {GOOD}pass{GOOD:#}"),
            Some(outcome @ Outcome::Finding) => format!("  {BAD}{outcome}{BAD:#}"),
            Some(outcome) => format!("  {WARNING}{outcome}{WARNING:#}"),
        };
        writeln!(out, "     {FAINT}✓ tancheck run --check {}{FAINT:#}{outcome}", check.id)
            .expect("a string grows");
        if check.outcome != Some(Outcome::Pass) {
            check.says.iter().take(3).for_each(|says| out.push_str(&text::wrapped(&clean(says), 9)));
        }
    }
    out
}
