//! What these checks read: imported solutions, and the versions that the Solutions page offers.

use std::collections::BTreeMap;
use tancheck_plugin_api::jiff::civil::Date;
use tancheck_plugin_api::jiff::tz::TimeZone;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{ImportedSolution, SERVER_INFO, SOLUTIONS, ServerInfo};

/// The section of the guide.
pub(crate) const SECTION: &str = "Review and import solution updates";
/// The guide prints no path to it.
pub(crate) const PAGE: &str = "the Solutions page of the Console";
/// Who may import.
pub(crate) const WHO: &str =
    "a Console user with the Administrator reserved role, or a custom role that may import signed content";
/// Documents of the vendor.
pub(crate) const GUIDES: &[&str] = &["Console User Guide: Import or update specific solutions"];

/// The versions that can be imported. No public route tells them.
pub(crate) const AVAILABLE: Input = Input::new("solutions.available", "versions of solutions that can be imported")
    .sources(&[Source::export(
        "solutions.csv",
        PAGE,
        "write down all solutions with their imported and available versions; Type is Module, Shared Service or Content, \
         and where nothing newer is offered the available version is the imported one",
        &["Name", "Solution ID", "Type", "Imported Version", "Available Version"],
    )]);

/// Since when updates wait, as earlier runs saw them.
pub(crate) const WAITING: Input = Input::new("solutions.waiting", "updates that waited in earlier runs")
    .sources(&[Source::history("solutions.waiting.*", 400)]);

/// How long an update may wait.
pub(crate) const GRACE_DAYS: Setting = Setting::integer("grace_days", 0, 0, 365)
    .unit("days")
    .about("how long an update may wait before it is reported")
    .from_guide();

/// Updates that wait on purpose.
pub(crate) const DEFERRALS: Setting = Setting::table("deferrals").about(
    "updates that wait on purpose, by solution id or name: { \"99-200-0008\" = [\"2026-09-30\", \"lab test\"] } with the \
     date until which they wait and the reason",
);

/// A solution on the Solutions page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Offered {
    /// Its name.
    #[serde(rename = "Name", deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// `NN-NNN-NNNN`.
    #[serde(rename = "Solution ID", deserialize_with = "lenient::text")]
    pub(crate) id: String,
    /// Module, Shared Service or Content.
    #[serde(rename = "Type", deserialize_with = "lenient::text")]
    kind: String,
    /// The imported version when the file was written.
    #[serde(rename = "Imported Version")]
    imported: ProductVersion,
    /// The version that can be imported.
    #[serde(rename = "Available Version")]
    pub(crate) available: ProductVersion,
}

/// What a solution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A module or a shared service: it has a workbench.
    Module,
    /// Content only.
    Content,
}

/// An update that can be imported.
pub(crate) struct Update {
    /// The solution.
    pub(crate) offered: Offered,
    /// What it is.
    pub(crate) kind: Kind,
    /// The version that is imported now.
    pub(crate) imported: ProductVersion,
    /// Days since a run first saw it wait; 0 for the first time.
    pub(crate) waits_days: i64,
}

impl Update {
    /// The subject of a finding about it.
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("solution", &self.offered.id, &self.offered.name)
    }
}

/// The updates that wait, and the solutions about which nothing is known, with the reason.
pub(crate) struct Offers {
    /// Updates, in the order of the list.
    pub(crate) updates: Vec<Update>,
    /// What each solution is about which nothing is known, and why.
    pub(crate) unknown: Vec<(Kind, String)>,
}

/// Compares what is imported with what can be. That an update waits is stored for later runs.
pub(crate) fn offers(facts: &Facts<'_>, report: &mut Report) -> Result<Offers, Undecided> {
    let installed: Vec<ImportedSolution> = facts.rows(&SOLUTIONS)?;
    let installed: BTreeMap<String, ImportedSolution> = installed
        .into_iter()
        .filter(|solution| solution.deleted_flag != Some(true))
        .map(|solution| (solution.solution_id.clone(), solution))
        .collect();
    let offered: Vec<Offered> = facts.rows(&AVAILABLE)?;
    let mut offers = Offers { updates: Vec::new(), unknown: Vec::new() };
    for offer in &offered {
        judge_offer(facts, report, &installed, offer, &mut offers)?;
    }
    let modules = workbenches(facts);
    for (id, solution) in installed.iter().filter(|(id, _)| !offered.iter().any(|offer| offer.id == **id)) {
        let kind = if modules.contains(&plain(&solution.name)) { Kind::Module } else { Kind::Content };
        offers
            .unknown
            .push((kind, format!("{} ({id}) is not in the list of available versions", solution.name)));
    }
    Ok(offers)
}

fn judge_offer(
    facts: &Facts<'_>,
    report: &mut Report,
    installed: &BTreeMap<String, ImportedSolution>,
    offer: &Offered,
    offers: &mut Offers,
) -> Result<(), Undecided> {
    let kind = match offer.kind.trim().to_lowercase().as_str() {
        "module" | "shared service" => Kind::Module,
        "content" => Kind::Content,
        other => {
            let why = format!("{} has the unknown type {other:?}", offer.name);
            offers.unknown.extend([(Kind::Module, why.clone()), (Kind::Content, why)]);
            return Ok(());
        }
    };
    // What is not imported has no update; the page offers it all the same.
    let Some(solution) = installed.get(&offer.id) else { return Ok(()) };
    let imported = &solution.imported_version;
    if imported.is_unknown() || offer.available.is_unknown() {
        let why = format!("{}: imported {imported}, available {}", offer.name, offer.available);
        offers.unknown.push((kind, why));
        return Ok(());
    }
    if offer.imported > *imported {
        offers
            .unknown
            .push((kind, format!("{} is older than the list of available versions says", offer.name)));
        return Ok(());
    }
    if offer.available > *imported {
        let series = format!("{}.{}.{}", WAITING.id(), offer.id, offer.available);
        report.measure(&series, 1.0, "seen");
        let first =
            facts.points(&WAITING)?.iter().filter(|point| point.series == series).map(|point| point.at).min();
        offers.updates.push(Update {
            offered: offer.clone(),
            kind,
            imported: imported.clone(),
            waits_days: first.map_or(0, |first| facts.days_since(first)),
        });
    }
    Ok(())
}

/// The names of the workbenches, in plain form; empty where the diagnostics do not tell.
fn workbenches(facts: &Facts<'_>) -> Vec<String> {
    let info: ServerInfo = facts.object(&SERVER_INFO).unwrap_or_default();
    info.section("Installed_Workbenches").map(|(name, _)| plain(name)).collect()
}

/// A name as solutions and workbenches have in common: without `Tanium`, ` (DEV)`, blanks and signs.
pub(crate) fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.trim_end_matches("(dev)").trim();
    let name = name.strip_prefix("tanium ").unwrap_or(name);
    name.chars().filter(|character| character.is_alphanumeric()).collect()
}

/// Until when an update waits on purpose, and why.
pub(crate) struct Deferral<'a> {
    /// The last day.
    pub(crate) until: Date,
    /// The reason; may be empty.
    pub(crate) reason: &'a str,
}

impl Deferral<'_> {
    /// Whether it still holds.
    pub(crate) fn is_in_date(&self, facts: &Facts<'_>) -> bool {
        self.until >= facts.now().to_zoned(TimeZone::UTC).date()
    }
}

/// The deferral of a solution, where the site has one.
pub(crate) fn deferral<'a>(facts: &Facts<'a>, offered: &Offered) -> Result<Option<Deferral<'a>>, Undecided> {
    let table = facts.table(&DEFERRALS);
    let named = |key: &&str| **key == offered.id || key.eq_ignore_ascii_case(&offered.name);
    let Some((key, entry)) = table.iter().find(|(key, _)| named(key)) else { return Ok(None) };
    let until = entry.first().and_then(|date| date.parse::<Date>().ok()).ok_or_else(|| {
        Undecided::not_evaluated(format!(
            "`deferrals` holds {entry:?} for {key}; write a date such as 2026-09-30 first"
        ))
    })?;
    Ok(Some(Deferral { until, reason: entry.get(1).copied().unwrap_or_default() }))
}
