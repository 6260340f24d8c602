//! `tancheck permissions`: the least privilege for what is enabled, and what the present account lacks.

use super::output::{BAD, FAINT, GOOD, HEADING, Printer, WARNING};
use super::site::Site;
use super::stop::{INCOMPLETE, OK, Stop};
use super::{Global, text};
use crate::config::Auth;
use clap::Args;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use tancheck_plugin_api::manifest::Manifest;

/// Shows the least privilege for the enabled plugins, and which check needs which privilege
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tancheck permissions
  tancheck permissions --module connect --compare")]
pub(super) struct Arguments {
    /// Only for this plugin; may be repeated
    #[arg(short, long, value_name = "PLUGIN")]
    module: Vec<String>,
    /// Logs in and tells what the present account lacks
    #[arg(long)]
    compare: bool,
}

/// How much depends on a privilege.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Need {
    /// The server refuses without it.
    Required,
    /// Without it lists are cut to the account's own objects: findings still count, a pass does not.
    Complete,
    /// Only a second way to an input needs it.
    Fallback,
}

/// What `permissions -o json` prints.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Document {
    /// The version of this document's format.
    format: u32,
    /// The plugins that were looked at.
    plugins: Vec<String>,
    /// The privileges, the most needed first.
    privileges: Vec<Privilege>,
    /// Inputs that are asked of the deployment and name no privilege: the vendor's documents name none.
    undocumented: Vec<String>,
    /// The account that is compared with; `null` without `--compare`.
    account: Option<Account>,
}

/// A privilege.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(super) struct Privilege {
    /// Its name, as the API spells it.
    pub(super) name: String,
    /// How much depends on it.
    need: Need,
    /// Checks that need it.
    checks: Vec<String>,
    /// Inputs that need it.
    inputs: Vec<String>,
    /// Whether the account has it; `null` without `--compare`, or where the server does not tell.
    held: Option<bool>,
}

/// The account of the present token or login.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Account {
    /// The user's name; empty if the server did not tell.
    user: String,
    /// The persona; `null` without one.
    persona: Option<String>,
    /// Whether the server told the account's privileges.
    told: bool,
    /// Whether it is the administrator, who may everything.
    administrator: bool,
}

/// The privileges that these plugins want, the most needed first.
pub(super) fn wanted(manifests: &[&Manifest]) -> Vec<Privilege> {
    let mut found: BTreeMap<&str, Found<'_>> = BTreeMap::new();
    for manifest in manifests {
        for check in &manifest.checks {
            for input in check.inputs.iter().filter_map(|id| manifest.input(id)) {
                let remote = input.sources.iter().filter(|source| source.request.is_remote());
                for (place, source) in remote.enumerate() {
                    let required = if place == 0 { Need::Required } else { Need::Fallback };
                    let complete = if place == 0 { Need::Complete } else { Need::Fallback };
                    let needs = source.needs.iter().map(|name| (name, required));
                    for (name, need) in needs.chain(source.complete_with.iter().map(|name| (name, complete)))
                    {
                        found.entry(name).or_default().add(need, &check.id, &input.id);
                    }
                }
            }
        }
    }
    let mut privileges: Vec<Privilege> = found
        .into_iter()
        .map(|(name, found)| Privilege {
            name: name.to_owned(),
            need: found.need.unwrap_or(Need::Fallback),
            checks: found.checks.into_iter().map(str::to_owned).collect(),
            inputs: found.inputs.into_iter().map(str::to_owned).collect(),
            held: None,
        })
        .collect();
    privileges.sort_by(|one, other| (one.need, &one.name).cmp(&(other.need, &other.name)));
    privileges
}

/// The names of the least role: what is required, and what makes lists whole.
pub(super) fn least(manifests: &[&Manifest]) -> Vec<String> {
    wanted(manifests).into_iter().filter(|one| one.need != Need::Fallback).map(|one| one.name).collect()
}

#[derive(Default)]
struct Found<'a> {
    need: Option<Need>,
    checks: BTreeSet<&'a str>,
    inputs: BTreeSet<&'a str>,
}

impl<'a> Found<'a> {
    fn add(&mut self, need: Need, check: &'a str, input: &'a str) {
        self.need = Some(self.need.map_or(need, |before| before.min(need)));
        self.checks.insert(check);
        self.inputs.insert(input);
    }
}

/// Inputs whose first way to the deployment names no privilege.
fn undocumented(manifests: &[&Manifest]) -> Vec<String> {
    let inputs = manifests.iter().flat_map(|manifest| &manifest.inputs);
    let names_none = inputs.filter(|input| {
        let first = input.sources.iter().find(|source| source.request.is_remote());
        first.is_some_and(|source| source.needs.is_empty() && source.complete_with.is_empty())
    });
    names_none.map(|input| input.id.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) fn run(arguments: Arguments, global: &Global) -> Result<u8, Stop> {
    super::runtime()?.block_on(permissions(&arguments, global))
}

async fn permissions(arguments: &Arguments, global: &Global) -> Result<u8, Stop> {
    let printer = Printer::text_or_json(global)?;
    let site = Site::load(global).await?;
    let plugins = match arguments.module.as_slice() {
        [] => site.enabled(),
        ids => ids.iter().map(|id| site.plugin(id)).collect::<Result<_, _>>()?,
    };
    let manifests: Vec<&Manifest> = plugins.iter().map(|one| &one.manifest).collect();
    if manifests.is_empty() {
        return Err(Stop::Usage("no plugin is enabled; \"tancheck plugins list\" tells why".to_owned()));
    }
    let mut privileges = wanted(&manifests);
    if matches!(site.layers.auth(), Some(Auth::Token(_)))
        && !privileges.iter().any(|one| one.name == USE_TOKEN)
    {
        let need = Need::Required;
        let own = Privilege {
            name: USE_TOKEN.to_owned(),
            need,
            checks: Vec::new(),
            inputs: Vec::new(),
            held: None,
        };
        privileges.insert(0, own);
    }
    let account = if arguments.compare { Some(compare(&site, &mut privileges).await?) } else { None };
    let lacks = privileges.iter().any(|one| one.held == Some(false) && one.need != Need::Fallback);
    let document = Document {
        format: 1,
        plugins: manifests.iter().map(|manifest| manifest.id.clone()).collect(),
        privileges,
        undocumented: undocumented(&manifests),
        account,
    };
    printer.document(&document, || told(&document))?;
    Ok(if lacks { INCOMPLETE } else { OK })
}

/// Without this privilege the server accepts no API token of the account.
const USE_TOKEN: &str = "use token";

async fn compare(site: &Site, privileges: &mut [Privilege]) -> Result<Account, Stop> {
    let session = super::login(&site.layers).await?;
    let account = session.account().clone();
    session.close().await;
    for privilege in privileges {
        let name = std::slice::from_ref(&privilege.name);
        privilege.held = account.privileges.is_some().then(|| account.lacking(name).is_empty());
    }
    Ok(Account {
        administrator: account.is_administrator(),
        told: account.privileges.is_some(),
        user: account.user,
        persona: account.persona,
    })
}

fn told(document: &Document) -> String {
    let mut out = String::new();
    let mut line = |text: &str| writeln!(out, "{text}").expect("a string grows");
    line(&format!("{FAINT}for the plugins {}{FAINT:#}", document.plugins.join(", ")));
    let groups = [
        (Need::Required, "The least role: without these the server refuses"),
        (Need::Complete, "And these, so that lists are whole: without them nothing that reads them can pass"),
        (Need::Fallback, "Only for a second way to an input"),
    ];
    for (need, heading) in groups {
        let of_group: Vec<&Privilege> = document.privileges.iter().filter(|one| one.need == need).collect();
        if of_group.is_empty() {
            continue;
        }
        line(&format!("\n{HEADING}{heading}{HEADING:#}"));
        for one in of_group {
            let held = match one.held {
                Some(true) => format!("{GOOD}has{GOOD:#}    "),
                Some(false) => format!("{BAD}lacks{BAD:#}  "),
                None => String::new(),
            };
            line(&format!("  {held}{}", one.name));
            let checks =
                if one.checks.is_empty() { "tancheck itself".to_owned() } else { one.checks.join(", ") };
            line(&format!("{FAINT}{}{FAINT:#}", text::wrapped(&checks, 6).trim_end()));
        }
    }
    if !document.undocumented.is_empty() {
        line(&format!("\n{HEADING}Inputs for which the vendor's documents name no privilege{HEADING:#}"));
        line(text::wrapped(&document.undocumented.join(", "), 2).trim_end());
    }
    if let Some(account) = &document.account {
        let who = if account.user.is_empty() { "the account" } else { &account.user };
        let verdict = if account.administrator {
            format!(
                "{WARNING}{who} is the administrator: it may everything, more than tancheck needs{WARNING:#}"
            )
        } else if account.told {
            let lacks = document.privileges.iter().filter(|one| one.held == Some(false)).count();
            format!("{who} lacks {lacks} of {} privileges", document.privileges.len())
        } else {
            format!("{WARNING}the server does not tell what {who} may{WARNING:#}")
        };
        line(&format!("\n{verdict}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::{Check, Input, Plugin, Source};

    const FIRST: Input = Input::new("sample.first", "First").sources(&[
        Source::rest("/api/v2/a").needs(&["read a"]).complete_with(&["read all"]),
        Source::service("sample", "/b").needs(&["read b"]),
    ]);
    const SECOND: Input =
        Input::new("sample.second", "Second").sources(&[Source::service("sample", "/b").needs(&["read b"])]);
    const THIRD: Input = Input::new("sample.third", "Third").sources(&[Source::rest("/api/v2/c")]);
    const ONE: Check = Check::automated("sample.one").reads(&[&FIRST]);
    const TWO: Check = Check::automated("sample.two").reads(&[&FIRST, &SECOND, &THIRD]);
    const SAMPLE: Plugin = Plugin::new("sample", "Sample", "0.1.0").checks(&[&ONE, &TWO]);

    #[test]
    fn a_privilege_counts_where_it_is_needed_most() {
        let manifest = Manifest::of(&SAMPLE);
        let told: Vec<(String, Need, usize)> =
            wanted(&[&manifest]).into_iter().map(|one| (one.name, one.need, one.checks.len())).collect();
        let expected =
            [("read a", Need::Required, 2), ("read b", Need::Required, 2), ("read all", Need::Complete, 2)];
        assert_eq!(told, expected.map(|(name, need, checks)| (name.to_owned(), need, checks)));
        assert_eq!(undocumented(&[&manifest]), ["sample.third"]);
    }
}
