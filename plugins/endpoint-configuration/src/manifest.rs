//! The manifest on endpoints compared with the latest one.

use crate::inputs::{MANIFEST, MANIFEST_PACKAGES, ManifestPackage, ManifestRow, OVERVIEW_REVISION, QUESTION};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::{column_with, columns_of, complete, unusable};
use tancheck_plugin_api::templates::panel::whole;

/// The setting of all checks that compare revisions.
pub(crate) const LAG_REVISIONS: Setting = Setting::integer("lag_revisions", 0, 0, 1000)
    .unit("revisions")
    .about("how many revisions behind the latest an endpoint may be");

const GRACE_MINUTES: Setting = Setting::integer("grace_minutes", 120, 0, 10_080)
    .unit("minutes")
    .about("how long endpoints have for a new manifest before an older one counts");

/// Endpoints have the latest manifest.
pub(crate) const OUTDATED: Check = Check::automated("endpoint-configuration.manifest-outdated")
    .title("Endpoints have the latest manifest")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&MANIFEST, &MANIFEST_PACKAGES, &OVERVIEW_REVISION])
    .settings(&[&LAG_REVISIONS, &GRACE_MINUTES])
    .guide(&[
        guide("Verify whether endpoints have the latest manifest", 26),
        guide("Update the manifest", 27),
    ])
    .what("Asks every endpoint for the revision of its manifest and compares it with the version in the names of the manifest packages, else with the revision that the Overview page shows. Endpoints that are more than `lag_revisions` behind are reported, once the latest manifest is older than `grace_minutes`.")
    .why("The manifest tells an endpoint which tools and settings it is to have. Without the latest one it gets neither.")
    .limits("Every change of configuration or tools makes a new manifest. Endpoints that do not answer are unknown, not outdated. The packages for Windows and for the others are expected to have the same version; where they differ, the lower one counts.")
    .related(&["endpoint-configuration.manifest-locked", "endpoint-configuration.manifest-update-failed"])
    .remedy(&REMEDY)
    .judge(manifest_outdated);

const REMEDY: Remedy = Remedy::new(&[
    Step::question(QUESTION, "sort the results by Revision; {latest} is the latest"),
    Step::decision(
        "action lock is on on these endpoints",
        "stop here and go to endpoint-configuration.manifest-locked: no action runs there",
    ),
    Step::question(
        "Get Endpoint Configuration - Manifest Metadata?maxAge=60 from all machines",
        "select the rows of outdated endpoints and use Deploy Action",
    ),
    Step::action(
        "Endpoint Configuration - Manifest [Windows] (v. {latest})",
        "to the outdated Windows endpoints, in an action of its own",
    ),
    Step::action(
        "Endpoint Configuration - Manifest [Non-Windows] (v. {latest})",
        "to all other outdated endpoints, in a second action",
    ),
    Step::question(
        "Get Endpoint Configuration - Manifest Metadata?maxAge=60 from all machines",
        "ask again, and see that these endpoints have revision {latest}",
    ),
])
.cautions(&[
    "Two packages, two actions: never send the Windows package to other systems, nor one action to all.",
    "The version in the package's name has to be the latest revision; read it anew, it changes with every configuration.",
])
.who("a user holding the Endpoint Configuration role permissions named in the Endpoint Configuration user guide, who may write actions")
.risk(Risk::Low, Reversible::No)
.references(&["Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions"]);

/// Endpoints with one revision and one state of action lock.
pub(crate) struct Holders {
    pub(crate) revision: u64,
    /// In the words of the endpoints; empty where they do not tell.
    pub(crate) lock: String,
    pub(crate) count: u64,
}

impl Holders {
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.eq_ignore_ascii_case("Action Lock On")
    }

    pub(crate) fn is_unlocked(&self) -> bool {
        self.lock.eq_ignore_ascii_case("Action Lock Off")
    }
}

/// What endpoints told, and what they should have.
pub(crate) struct Manifests {
    pub(crate) holders: Vec<Holders>,
    /// The latest revision.
    pub(crate) latest: u64,
    /// When it became the latest, where that is known.
    pub(crate) since: Option<Timestamp>,
    lag: u64,
    answered: Option<u64>,
    unknown: u64,
}

impl Manifests {
    /// The check reads [`MANIFEST`], [`MANIFEST_PACKAGES`] and [`OVERVIEW_REVISION`], and has [`LAG_REVISIONS`].
    pub(crate) fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let (latest, since) = latest(facts)?;
        let lag = facts.integer(&LAG_REVISIONS)?.unsigned_abs();
        let mut all = Self { holders: Vec::new(), latest, since, lag, answered: None, unknown: 0 };
        if let Body::Rows(_) = facts.body(&MANIFEST)? {
            for row in facts.rows::<ManifestRow>(&MANIFEST)? {
                all.add(&row.revision, &row.lock, row.count.unwrap_or(1.0) as u64);
            }
            return Ok(all);
        }
        let tally = facts.tally(&MANIFEST)?;
        let Some(revision) = column_with(tally, &["revision"]) else {
            return Err(Undecided::not_evaluated(format!(
                "the sensor Endpoint Configuration - Manifest Metadata has no column Revision; found: {}",
                columns_of(tally)
            )));
        };
        let lock = column_with(tally, &["action lock"]);
        for row in &tally.rows {
            let cell = |column: usize| row.cells.get(column).map_or("", String::as_str);
            all.add(cell(revision), lock.map_or("", cell), row.count);
        }
        all.answered = Some(tally.answered);
        all.unknown += unusable(tally);
        Ok(all)
    }

    /// Several manifests of one endpoint are judged by the lowest revision.
    fn add(&mut self, revision: &str, lock: &str, count: u64) {
        let lowest = revision.split('\n').map(|one| one.trim().parse::<u64>().ok()).min().flatten();
        match lowest {
            Some(revision) => self.holders.push(Holders { revision, lock: lock.trim().to_owned(), count }),
            None => self.unknown += count,
        }
    }

    /// Endpoints that are behind.
    pub(crate) fn outdated(&self) -> impl Iterator<Item = &Holders> {
        let enough = self.latest.saturating_sub(self.lag);
        self.holders.iter().filter(move |holders| holders.revision < enough)
    }

    /// Refuses a clean result where too many endpoints told no revision.
    pub(crate) fn complete(&self) -> Result<(), Undecided> {
        let counted: u64 = self.holders.iter().map(|holders| holders.count).sum();
        let answered = self.answered.unwrap_or(counted + self.unknown);
        complete("Endpoint Configuration - Manifest Metadata", answered, self.unknown)
    }

    /// All endpoints that told a revision.
    pub(crate) fn total(&self) -> u64 {
        self.holders.iter().map(|holders| holders.count).sum()
    }
}

/// The latest revision, and since when.
fn latest(facts: &Facts<'_>) -> Result<(u64, Option<Timestamp>), Undecided> {
    let packages = facts.rows::<ManifestPackage>(&MANIFEST_PACKAGES);
    match packages.as_deref().map(newest) {
        Ok(Some(found)) => return Ok(found),
        Ok(None) => {}
        Err(unseen) => {
            return match overview(facts) {
                Ok(revision) => Ok((revision, None)),
                Err(_) => Err(unseen.clone()),
            };
        }
    }
    overview(facts).map(|revision| (revision, None)).map_err(|_| {
        Undecided::not_evaluated(
            "no package is called Endpoint Configuration - Manifest … (v. N), so the latest revision is not known; \
             answer endpoint-configuration.overview-revision",
        )
    })
}

fn overview(facts: &Facts<'_>) -> Result<u64, Undecided> {
    whole(facts.answer(&OVERVIEW_REVISION)?)
}

/// The lower one of the newest packages for Windows and for the others.
fn newest(packages: &[ManifestPackage]) -> Option<(u64, Option<Timestamp>)> {
    let of = |mark: &str| {
        let fits = |package: &&ManifestPackage| {
            package.deleted_flag != Some(true) && package.name.to_lowercase().contains(mark)
        };
        let versions =
            packages.iter().filter(fits).filter_map(|one| Some((version(&one.name)?, one.modification_time)));
        versions.max()
    };
    match (of("[windows]"), of("[non-windows]")) {
        (Some(windows), Some(others)) => Some(windows.min(others)),
        (windows, others) => windows.or(others),
    }
}

/// The number behind `(v. ` at the end of a package's name.
fn version(name: &str) -> Option<u64> {
    let (_, rest) = name.rsplit_once("(v.")?;
    rest.trim().strip_suffix(')')?.trim().parse().ok()
}

fn manifest_outdated(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let manifests = Manifests::of(facts)?;
    let behind: u64 = manifests.outdated().map(|holders| holders.count).sum();
    if behind == 0 {
        return manifests.complete();
    }
    let grace = facts.integer(&GRACE_MINUTES)?;
    if let Some(minutes) = manifests.since.map(|since| facts.since(since).as_mins())
        && minutes < grace
    {
        return Err(Undecided::not_evaluated(format!(
            "{behind} endpoints have an older manifest, but the latest one is only {minutes} minutes old; run again \
             after {grace}"
        )));
    }
    let mut each: Vec<String> = manifests
        .outdated()
        .map(|holders| match holders.lock.as_str() {
            "" => format!("revision {} on {}", holders.revision, holders.count),
            lock => format!("revision {} on {} ({lock})", holders.revision, holders.count),
        })
        .collect();
    each.sort_unstable();
    report.finding(
        Finding::on(Subject::deployment())
            .says(format!("{behind} endpoints have an older manifest: {}", each.join(", ")))
            .expected(format!("revision {}", manifests.latest))
            .affected(behind, Some(manifests.total()))
            .fill("latest", manifests.latest)
            .evidence(facts.seen(&MANIFEST, &each)),
    );
    manifests.complete()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::{Case, tally_of_two};

    pub(crate) fn tally(rows: &[(&str, &str, u64)]) -> Tally {
        tally_of_two(["Revision", "Action Lock Status"], rows, 100)
    }

    pub(crate) fn packages(changed: &str) -> Value {
        let package = |kind: &str, version: u64| {
            json!({"name": format!("Endpoint Configuration - Manifest [{kind}] (v. {version})"),
                   "modification_time": changed})
        };
        json!([package("Windows", 128), package("Non-Windows", 128), package("Windows", 127)])
    }

    pub(crate) fn case(check: &'static Check, rows: &[(&str, &str, u64)]) -> Case {
        Case::of(check)
            .body(&MANIFEST, Body::Tally(tally(rows)))
            .rows(&MANIFEST_PACKAGES, packages("2026-06-01T00:00:00Z"))
    }

    #[test]
    fn older_revisions_are_found_and_newer_ones_are_not() {
        case(&OUTDATED, &[("128", "Action Lock Off", 60), ("129", "", 40)]).judge().assert_pass();
        case(&OUTDATED, &[("128", "Action Lock Off", 100)]).assert_needs_its_inputs();
        let behind = case(&OUTDATED, &[("128", "Action Lock Off", 97), ("127", "Action Lock On", 3)]);
        let verdict = behind.judge();
        verdict.assert_findings(&["deployment"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.count), Some(3));
        behind.setting("lag_revisions", 1).judge().assert_pass();
    }

    #[test]
    fn a_new_manifest_gets_some_grace() {
        let case =
            case(&OUTDATED, &[("127", "", 100)]).rows(&MANIFEST_PACKAGES, packages("2026-06-30T11:00:00Z"));
        case.judge().assert_undecided(Outcome::NotEvaluated);
        case.setting("grace_minutes", 60).judge().assert_findings(&["deployment"]);
    }

    #[test]
    fn the_overview_stands_in_for_the_packages() {
        let shown = |revision: Value| {
            Case::of(&OUTDATED)
                .body(&MANIFEST, Body::Tally(tally(&[("128", "", 100)])))
                .answer(&OVERVIEW_REVISION, revision)
        };
        shown(json!(128)).judge().assert_pass();
        shown(json!(130)).judge().assert_findings(&["deployment"]);
        shown(json!(128)).rows(&MANIFEST_PACKAGES, json!([])).judge().assert_pass();
        let none = Case::of(&OUTDATED).body(&MANIFEST, Body::Tally(tally(&[("128", "", 100)])));
        none.rows(&MANIFEST_PACKAGES, json!([{"name": "Manifest"}]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn packages_of_different_versions_count_by_the_lower_one() {
        let rows = json!([{"name": "Endpoint Configuration - Manifest [Windows] (v. 130)"},
                          {"name": "Endpoint Configuration - Manifest [Non-Windows] (v. 128)"},
                          {"name": "Endpoint Configuration - Manifest [Non-Windows] (v. 140)", "deleted_flag": 1}]);
        case(&OUTDATED, &[("128", "", 100)]).rows(&MANIFEST_PACKAGES, rows.clone()).judge().assert_pass();
        case(&OUTDATED, &[("127", "", 100)])
            .rows(&MANIFEST_PACKAGES, rows)
            .judge()
            .assert_findings(&["deployment"]);
    }

    #[test]
    fn endpoints_without_a_revision_are_unknown() {
        case(&OUTDATED, &[("128", "", 94), ("damaged", "", 6)])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let other = Tally { columns: vec!["Name".to_owned()], ..tally(&[]) };
        case(&OUTDATED, &[])
            .body(&MANIFEST, Body::Tally(other))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_is_read() {
        let rows = json!([{"Revision": "128", "Action Lock Status": "Action Lock Off", "Count": 90},
                          {"Revision": 101, "Action Lock Status": "Action Lock On", "Count": "10"}]);
        let verdict = case(&OUTDATED, &[]).rows(&MANIFEST, rows).judge();
        verdict.assert_findings(&["deployment"]);
        assert!(verdict.findings()[0].says.contains("revision 101 on 10 (Action Lock On)"));
    }
}
