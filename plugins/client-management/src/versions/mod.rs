//! "Review and upgrade Tanium Client versions", page 21: who runs an old client, and is that meant?

mod upgrades;

pub(crate) use upgrades::FAILED;

use crate::console::{CLIENT_UPGRADES, WHO};
use crate::inputs::{VERSION_ANSWERS, VersionRow};
use std::collections::BTreeMap;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::complete;
use tancheck_plugin_api::records::server::{CLIENT_STATUS, ClientStatus};

const GUIDE: &[GuideReference] = &[guide("Review and upgrade Tanium Client versions", 21)];

const PHASES: &str =
    "Upgrade group by group, and begin with the next group only when the one before it was tested.";

const LATEST: Setting = Setting::text("latest_version", Some("auto"))
    .about("the latest client version; `auto` takes the highest one that is seen");

const ACCEPTED: Setting = Setting::table("accepted").about(
    "earlier client versions that are accepted for a time, each with the last day and the reason: \
     `\"7.4.9.1046\" = [\"2026-09-30\", \"second phase waits for the test of the first\"]`",
);

const MAX_ACCEPTANCE: Setting = Setting::integer("max_acceptance_days", 90, 1, 730)
    .unit("days")
    .about("how long an earlier client version may be accepted at most");

pub(crate) const OUTDATED: Check = Check::automated("client-management.version-outdated")
    .title("Endpoints run the latest client version")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_STATUS, &VERSION_ANSWERS])
    .settings(&[&LATEST, &ACCEPTED, &MAX_ACCEPTANCE])
    .guide(GUIDE)
    .what(
        "Counts the clients of each version, as the server or else the endpoints tell, and reports each \
         version below `latest_version` that `accepted` does not cover. An acceptance counts until its last \
         day, for at most `max_acceptance_days`, and only with a reason. The counts are kept for later runs.",
    )
    .why("An old client lacks fixes, among them those of security, and newer modules may refuse to work with it.")
    .limits(
        "No server tells which version is the latest: with `auto` a release that nobody has installed yet \
         is not known. The server's counts include clients that left a short while ago.",
    )
    .related(&["client-management.version-accepted", "client-management.version-upgrade-failed"])
    .remedy(&UPGRADE)
    .even_if_absent()
    .judge(version_outdated);

const UPGRADE: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Shared Services > Client Management",
        "in the Health dashboard select the title of the panel Client Version, then its Interact icon (the \
         guide also prints the path Administration > Client Management)",
    ),
    Step::question(
        "Get Computer Name from all machines with Tanium Client Version equals {version}",
        "list the endpoints; filter by a computer group, All Windows for instance, or drill down",
    ),
    Step::decision("the version has to stay for a while", "write last day and reason into `accepted`"),
    Step::decision(
        "an upgrade was run and did not reach them",
        "see client-management.version-upgrade-failed for the reason",
    ),
    Step::console(
        CLIENT_UPGRADES,
        "otherwise upgrade the next group of endpoints, and test before the group after it",
    ),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[PHASES])
.references(&[
    "Tanium Client Management User Guide: Upgrading Tanium Clients",
    "Tanium Client Management User Guide: Client version and host system requirements",
    "Tanium Console User Guide: Managing question results",
]);

pub(crate) const VERSION_ACCEPTED: Check = Check::attested("client-management.version-accepted")
    .title("Earlier client versions are accepted on purpose and for a time")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&CLIENT_STATUS, &VERSION_ANSWERS])
    .settings(&[&LATEST, &ACCEPTED, &MAX_ACCEPTANCE])
    .due_every(&MAX_ACCEPTANCE)
    .guide(GUIDE)
    .what(
        "Lists each client version below the latest one that nobody accepted with a reason and a last day, \
         or whose acceptance is over or longer than `max_acceptance_days`. An entry in `accepted` settles \
         it, or a person's attestation, which is good for as many days. While no version is outdated, there \
         is nothing to accept.",
    )
    .why("What is accepted without an end stays for ever, and nobody remembers why.")
    .limits(
        "An attestation settles this check alone; for client-management.version-outdated the version has to \
         be in `accepted`.",
    )
    .related(&["client-management.version-outdated"])
    .remedy(&ACCEPT)
    .even_if_absent()
    .judge(version_accepted);

const ACCEPT: Remedy = Remedy::new(&[
    Step::decision(
        "version {version} is needed for a while",
        "write the last day and the reason into `accepted`, or attest to it with both in the note",
    ),
    Step::console(CLIENT_UPGRADES, "upgrade the endpoints when the phase before was tested"),
])
.who(WHO)
.risk(Risk::Medium, Reversible::Partly)
.cautions(&[PHASES])
.references(&["Tanium Client Management User Guide: Upgrading Tanium Clients"]);

/// The clients of one version.
#[derive(Debug, Default)]
struct Runners {
    count: u64,
    sample: Vec<String>,
}

/// The clients by version.
struct Versions {
    by_version: BTreeMap<ProductVersion, Runners>,
    latest: ProductVersion,
    /// Endpoints that answered without a version.
    unknown: u64,
    /// Where this was read.
    input: &'static Input,
}

impl Versions {
    /// As the server counts them, or as the endpoints answer where it does not.
    fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let status: Result<Vec<ClientStatus>, Undecided> = facts.rows(&CLIENT_STATUS);
        let listed = status.as_ref().ok().and_then(|rows| rows.first()).map(|status| &status.versions);
        let mut versions = match listed.filter(|versions| !versions.is_empty()) {
            Some(listed) => {
                let rows = listed.iter().map(|row| (row.version_string.clone(), row.count, Vec::new()));
                Self::from(rows.collect(), 0, &CLIENT_STATUS)
            }
            // Where neither answers, why the server does not is the better reason.
            None => Self::answered(facts).map_err(|undecided| status.err().unwrap_or(undecided))?,
        };
        let wanted = facts.text(&LATEST)?.trim();
        if !wanted.is_empty() && !wanted.eq_ignore_ascii_case("auto") {
            versions.latest = ProductVersion::new(wanted);
        }
        if versions.by_version.is_empty() {
            return Err(Undecided::not_evaluated("no client told its version"));
        }
        versions.name_some(facts);
        Ok(versions)
    }

    fn answered(facts: &Facts<'_>) -> Result<Self, Undecided> {
        if let Body::Rows(_) = facts.body(&VERSION_ANSWERS)? {
            let rows: Vec<VersionRow> = facts.rows(&VERSION_ANSWERS)?;
            let counted = rows.into_iter().map(|row| match row.count {
                Some(count) => Ok((row.version, count as u64, Vec::new())),
                None => Err(Undecided::not_evaluated(format!(
                    "client-versions.csv tells no Count for {}",
                    row.version
                ))),
            });
            return Ok(Self::from(counted.collect::<Result<_, _>>()?, 0, &VERSION_ANSWERS));
        }
        let tally = facts.tally(&VERSION_ANSWERS)?;
        let cell = |cells: &[String]| ProductVersion::new(cells.first().map_or("", String::as_str));
        let rows = tally.rows.iter().map(|row| (cell(&row.cells), row.count, row.sample.clone()));
        let unknown = tally.other + tally.without_value.values().sum::<u64>();
        Ok(Self::from(rows.collect(), unknown, &VERSION_ANSWERS))
    }

    /// The server counts versions and names nobody; the endpoints' own answers do.
    fn name_some(&mut self, facts: &Facts<'_>) {
        let Ok(Body::Tally(tally)) = facts.body(&VERSION_ANSWERS) else { return };
        for row in &tally.rows {
            let version = ProductVersion::new(row.cells.first().map_or("", String::as_str));
            let runners = self.by_version.get_mut(&version);
            if let Some(runners) = runners.filter(|runners| runners.sample.is_empty()) {
                runners.sample.clone_from(&row.sample);
            }
        }
    }

    /// A client that never registered has no version, or 0.0.0.0; it is left out.
    fn from(rows: Vec<(ProductVersion, u64, Vec<String>)>, unknown: u64, input: &'static Input) -> Self {
        let mut by_version: BTreeMap<ProductVersion, Runners> = BTreeMap::new();
        for (version, count, sample) in rows {
            if count > 0 && !version.is_unknown() {
                let runners = by_version.entry(version).or_default();
                runners.count += count;
                runners.sample.extend(sample);
            }
        }
        let latest = by_version.keys().next_back().cloned().unwrap_or_default();
        Self { by_version, latest, unknown, input }
    }

    fn total(&self) -> u64 {
        self.by_version.values().map(|runners| runners.count).sum()
    }

    /// The versions below the latest one.
    fn outdated(&self) -> impl Iterator<Item = (&ProductVersion, &Runners)> {
        self.by_version.iter().filter(|(version, _)| **version < self.latest)
    }

    /// Refuses a clean result where too few endpoints told a version, and says how the latest one is known.
    fn settle(&self, facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
        if facts.text(&LATEST).is_ok_and(|text| text.trim().eq_ignore_ascii_case("auto")) {
            report.note(format!(
                "{} counts as the latest version, being the highest one seen; set `latest_version` to be sure",
                self.latest
            ));
        }
        complete("Tanium Client Version", self.total() + self.unknown, self.unknown)
    }
}

/// What an entry of `accepted` is worth today.
enum Acceptance {
    Missing,
    Current,
    Faulty(String),
}

impl Acceptance {
    fn of(facts: &Facts<'_>, version: &ProductVersion) -> Result<Self, Undecided> {
        let accepted = facts.table(&ACCEPTED);
        let Some((_, texts)) = accepted.into_iter().find(|(key, _)| ProductVersion::new(key) == *version)
        else {
            return Ok(Self::Missing);
        };
        let day = |text: &&str| lenient::parse_time(text).ok().flatten();
        let reason = texts.iter().any(|text| day(text).is_none() && !text.trim().is_empty());
        let Some(last) = texts.iter().find_map(day) else {
            return Ok(Self::Faulty("is accepted without a last day".to_owned()));
        };
        let most = facts.integer(&MAX_ACCEPTANCE)?;
        // The last day itself still counts.
        let over = facts.days_since(last);
        Ok(if !reason {
            Self::Faulty("is accepted without a reason".to_owned())
        } else if over >= 1 {
            Self::Faulty(format!("was accepted until {over} days ago"))
        } else if -over > most {
            Self::Faulty(format!("is accepted for {} days, at most {most} are allowed", -over))
        } else {
            Self::Current
        })
    }
}

fn version_outdated(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let versions = Versions::of(facts)?;
    for (version, runners) in &versions.by_version {
        report.measure(
            &format!("client-management.client-version.{version}"),
            runners.count as f64,
            "endpoints",
        );
    }
    for (version, runners) in versions.outdated() {
        let suffix = match Acceptance::of(facts, version)? {
            Acceptance::Current => continue,
            Acceptance::Missing => String::new(),
            Acceptance::Faulty(why) => format!("; it {why}"),
        };
        report.finding(
            Finding::on(Subject::new("client version", version, version.to_string()))
                .says(format!("runs on {} of {} endpoints{suffix}", runners.count, versions.total()))
                .expected(format!("version {}", versions.latest))
                .affected(runners.count, Some(versions.total()))
                .sample(&runners.sample)
                .evidence(facts.seen(versions.input, runners.count))
                .fill("version", version),
        );
    }
    versions.settle(facts, report)
}

fn version_accepted(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let versions = Versions::of(facts)?;
    versions.settle(facts, report)?;
    if versions.outdated().next().is_none() {
        return Err(facts.absent(versions.input, format!("no client is below version {}", versions.latest)));
    }
    for (version, runners) in versions.outdated() {
        let why = match Acceptance::of(facts, version)? {
            Acceptance::Current => continue,
            Acceptance::Missing => "is not accepted by anybody".to_owned(),
            Acceptance::Faulty(why) => why,
        };
        report.finding(
            Finding::on(Subject::new("client version", version, version.to_string()))
                .says(format!("{why} and runs on {} endpoints", runners.count))
                .expected("an acceptance with a reason and a last day")
                .affected(runners.count, Some(versions.total()))
                .sample(&runners.sample)
                .evidence(facts.seen(versions.input, runners.count))
                .fill("version", version)
                .confirms(format!("version {version} while {} is the latest", versions.latest)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::{Case, tally};

    fn status(counts: &[(&str, u64)]) -> Value {
        let versions: Vec<Value> = counts
            .iter()
            .map(|(version, count)| json!({"version_string": version, "count": count}))
            .collect();
        json!([{"leader_count": 1, "versions": versions}])
    }

    fn case(check: &'static Check, counts: &[(&str, u64)]) -> Case {
        Case::of(check).rows(&CLIENT_STATUS, status(counts))
    }

    const MIXED: &[(&str, u64)] =
        &[("7.4.10.1034", 90), ("7.4.9.1046", 8), ("0.0.0.0", 5), ("7.2.314.3211", 2)];

    #[test]
    fn versions_are_compared_field_by_field_and_unregistered_clients_left_out() {
        let verdict = case(&OUTDATED, MIXED).judge();
        verdict.assert_findings(&["7.4.9.1046", "7.2.314.3211"]);
        let newest = verdict.findings().iter().find(|finding| finding.subject.key == "7.4.9.1046").unwrap();
        assert_eq!(
            newest.affected.as_ref().map(|affected| (affected.count, affected.of)),
            Some((8, Some(100)))
        );
        assert!(verdict.notes()[0].contains("highest one seen"));
        assert_eq!(verdict.measures().len(), 3);
    }

    #[test]
    fn one_version_passes_unless_a_later_one_is_known() {
        case(&OUTDATED, &[("7.4.10.1034", 90)]).judge().assert_pass();
        case(&OUTDATED, &[("7.4.10.1034", 90)]).assert_needs_its_inputs();
        case(&OUTDATED, &[("7.4.10.1034", 90)])
            .setting("latest_version", "7.6.2.1218")
            .judge()
            .assert_findings(&["7.4.10.1034"]);
        case(&OUTDATED, MIXED).setting("latest_version", "7.2.314.3211").judge().assert_pass();
    }

    #[test]
    fn endpoints_are_asked_where_the_server_lists_no_versions() {
        let asked = |counts: &[(&str, u64)]| {
            case(&OUTDATED, &[]).tally(&VERSION_ANSWERS, "Tanium Client Version", counts)
        };
        asked(&[("7.4.10.1034", 90), ("7.4.9.1046", 10)]).judge().assert_findings(&["7.4.9.1046"]);
        asked(&[]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&OUTDATED, &[]).judge().assert_undecided(Outcome::NotEvaluated);
        let mut answers = tally("x", &[("7.4.10.1034", 90)]);
        answers.without_value.insert("[current result unavailable]".into(), 10);
        asked(&[])
            .body(&VERSION_ANSWERS, Body::Tally(answers))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        Case::of(&OUTDATED)
            .unavailable(&CLIENT_STATUS, Outcome::NoPermission)
            .unavailable(&VERSION_ANSWERS, Outcome::TimedOut)
            .judge()
            .assert_undecided(Outcome::NoPermission);
    }

    #[test]
    fn an_exported_list_needs_its_counts() {
        let exported = |count: Value| {
            case(&OUTDATED, &[]).rows(
                &VERSION_ANSWERS,
                json!([{"Tanium Client Version": "7.4.10.1034", "Count": 9},
                       {"Tanium Client Version": "7.4.9.1046", "Count": count}]),
            )
        };
        exported(json!(3)).judge().assert_findings(&["7.4.9.1046"]);
        exported(Value::Null).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn accepted(check: &'static Check, texts: Value) -> Case {
        case(check, &[("7.4.10.1034", 90), ("7.4.9.1046", 10)])
            .setting("accepted", json!({"7.4.9.1046": texts}))
    }

    #[test]
    fn an_acceptance_counts_until_its_last_day() {
        for check in [&OUTDATED, &VERSION_ACCEPTED] {
            accepted(check, json!(["2026-09-28", "second phase"])).judge().assert_pass();
            accepted(check, json!(["2026-06-30", "second phase"])).judge().assert_pass();
            accepted(check, json!(["2026-06-29", "second phase"])).judge().assert_findings(&["7.4.9.1046"]);
        }
    }

    #[test]
    fn an_acceptance_without_reason_or_end_or_for_too_long_does_not_count() {
        for texts in [json!(["2026-09-28"]), json!(["second phase"]), json!(["2026-12-31", "second phase"])] {
            accepted(&OUTDATED, texts.clone()).judge().assert_findings(&["7.4.9.1046"]);
            accepted(&VERSION_ACCEPTED, texts).judge().assert_findings(&["7.4.9.1046"]);
        }
        accepted(&OUTDATED, json!(["2026-12-31", "second phase"]))
            .setting("max_acceptance_days", 365)
            .judge()
            .assert_pass();
    }

    #[test]
    fn what_nobody_accepted_awaits_an_attestation_bound_to_the_version() {
        let verdict = case(&VERSION_ACCEPTED, MIXED).judge();
        verdict.assert_findings(&["7.4.9.1046", "7.2.314.3211"]);
        assert!(verdict.findings().iter().all(|finding| finding.state.is_some()));
        case(&VERSION_ACCEPTED, &[("7.4", 9)]).judge().assert_undecided(Outcome::NotApplicable);
        case(&VERSION_ACCEPTED, MIXED).assert_needs_its_inputs();
    }
}
