//! Guide: *Review and update backups and the disaster recovery plan*, page 35: support bundles of all solutions, every 90
//! days, kept for 180.

use crate::sets::{EXEMPT_SOLUTIONS, Set, sets, solutions};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::SERVER_INFO;
use tancheck_plugin_api::templates::{BUNDLE_INTERVAL_DAYS, SUPPORT_BUNDLES};

const SECTION: &str = "Review and update backups and the disaster recovery plan";
const WHO: &str = "a user with access to the workbench of each solution";
const LIMITS: &str = "No public route makes or lists bundles: the inventory is what an administrator or a script wrote \
    down. Without a column set, bundles no more than seven days apart count as one set.";
const MAKE: Step = Step::console(
    "the workbench of each licensed solution",
    "make its support bundle, as the solution's user guide says",
);

/// A set was made lately.
pub(crate) const SET_AGE: Check = Check::hybrid("support.bundle-set-age")
    .title("A complete set of support bundles was made in the last 90 days")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&SUPPORT_BUNDLES, &SERVER_INFO])
    .settings(&[&BUNDLE_INTERVAL_DAYS, &EXEMPT_SOLUTIONS])
    .guide(&[guide(SECTION, 35), guide("Contact Tanium Support", 10)])
    .what("Looks in the inventory of stored bundles for the newest set that covers every installed solution, and compares its age with `bundle_interval_days`.")
    .why("After a failure a bundle shows the failure; only one from before shows what was different.")
    .limits(LIMITS)
    .related(&["support.bundle-set-complete", "support.bundle-retention"])
    .remedy(&AGE_REMEDY)
    .judge(bundle_set_age);

const AGE_REMEDY: Remedy = Remedy::new(&[
    MAKE,
    Step::decision("all bundles are made", "put them into one folder that carries the date"),
    Step::command(
        "support-bundles.csv",
        "add a row for each bundle: module, created, file, and in a column set the folder's name",
    ),
])
.who(WHO)
.cautions(&["Bundles hold configuration and logs: keep them where only administrators can read them."])
.references(&["the user guide of each solution: troubleshooting"]);

fn bundle_set_age(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sets = sets(facts)?;
    let solutions = solutions(facts)?;
    let limit = facts.integer(&BUNDLE_INTERVAL_DAYS)?;
    let complete = sets.iter().find(|set| set.lacks(&solutions).is_empty());
    let says = match (complete, sets.first()) {
        (Some(set), _) if facts.days_since(set.made) <= limit => return Ok(()),
        (Some(set), _) => {
            format!("the newest complete set, {}, is {} days old", set.name, facts.days_since(set.made))
        }
        (None, Some(newest)) => format!(
            "no set is complete; the newest, {}, lacks {} of {} solutions",
            newest.name,
            newest.lacks(&solutions).len(),
            solutions.len()
        ),
        (None, None) => "no set of bundles is in the inventory".to_owned(),
    };
    report.finding(
        Finding::on(Subject::new("bundle set", "newest", "the set of support bundles"))
            .says(says)
            .expected(format!("a complete set of the last {limit} days"))
            .evidence(facts.seen(&SUPPORT_BUNDLES, sets.first().map(|set| set.made))),
    );
    Ok(())
}

/// The set covers every solution.
pub(crate) const SET_COMPLETE: Check = Check::hybrid("support.bundle-set-complete")
    .title("The latest set of support bundles covers every solution")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&SUPPORT_BUNDLES, &SERVER_INFO])
    .settings(&[&EXEMPT_SOLUTIONS])
    .guide(&[guide(SECTION, 35)])
    .what("Compares the latest set with the workbenches that are installed, without `exempt_solutions`. Each solution without a bundle is found.")
    .why("The solution that was left out is the one that fails.")
    .limits(LIMITS)
    .related(&["support.bundle-set-age"])
    .remedy(&COMPLETE_REMEDY)
    .judge(bundle_set_complete);

const COMPLETE_REMEDY: Remedy = Remedy::new(&[
    Step::console("the workbench of {subject}", "make its support bundle, as its user guide says"),
    Step::decision("{subject} offers no bundle (the guide does not list Benchmark, Certificate Manager, Directory Query, Engage and Feed)", "name it in `exempt_solutions`"),
    Step::command("support-bundles.csv", "add the row of the bundle to the latest set"),
])
.who(WHO)
.cautions(&["Bundles hold configuration and logs: keep them where only administrators can read them."])
.references(&["the user guide of the solution: troubleshooting"]);

fn bundle_set_complete(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sets = sets(facts)?;
    let solutions = solutions(facts)?;
    let Some(latest) = sets.first() else {
        return Err(Undecided::not_evaluated(
            "the inventory of bundles holds no set, see support.bundle-set-age",
        ));
    };
    for name in latest.lacks(&solutions) {
        report.finding(
            Finding::on(Subject::new("solution", name.to_ascii_lowercase(), name))
                .says(format!("has no bundle in the latest set, {}", latest.name))
                .expected("a bundle in each set")
                .evidence(facts.seen(&SUPPORT_BUNDLES, &latest.modules)),
        );
    }
    Ok(())
}

/// How long sets are kept.
const BUNDLE_KEEP_DAYS: Setting = Setting::integer("bundle_keep_days", 180, 1, 3650)
    .unit("days")
    .about("how long a set of support bundles is kept")
    .from_guide();

/// Sets that earlier runs saw: the value is when they were made, in seconds since 1970.
const SEEN_SETS: Input = Input::new("support.sets-seen", "sets of bundles that earlier runs saw")
    .sources(&[Source::history("support.bundle-set.*", 400)]);

const SERIES: &str = "support.bundle-set.";

/// Sets are kept.
pub(crate) const RETENTION: Check = Check::hybrid("support.bundle-retention")
    .title("Sets of support bundles are kept for 180 days")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&SUPPORT_BUNDLES, &SEEN_SETS])
    .settings(&[&BUNDLE_KEEP_DAYS])
    .guide(&[guide(SECTION, 35)])
    .what("Finds sets that earlier runs saw, that are younger than `bundle_keep_days`, and that the inventory no longer lists. Older sets may go.")
    .why("Trouble that began slowly shows in the comparison with a bundle from before it.")
    .limits("A set that came and went between two runs was never seen.")
    .related(&["support.bundle-set-age"])
    .remedy(&RETENTION_REMEDY)
    .judge(bundle_retention);

const RETENTION_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the file backup of the place where bundles are kept",
        "restore the set of {subject} if it is there",
    ),
    Step::decision("a clean-up job removed it", "let the job keep 180 days"),
    Step::command("support-bundles.csv", "list the set again"),
])
.who("the platform administrator")
.cautions(&["Bundles hold configuration and logs: protect the place where they are kept."]);

fn bundle_retention(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let listed: Vec<Set> = sets(facts)?;
    let series = |set: &Set| format!("{SERIES}{}", set.name.to_ascii_lowercase());
    for set in &listed {
        report.measure(&series(set), set.made.as_second() as f64, "seconds since 1970");
    }
    let seen = facts.points(&SEEN_SETS)?;
    let earlier = seen.iter().filter(|point| point.at < facts.now());
    let mut known: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
    for point in earlier {
        known.insert(&point.series, point.value);
    }
    if known.is_empty() {
        return Err(Undecided::not_evaluated(
            "no earlier run saw a set of bundles: run again after the next one",
        ));
    }
    let limit = facts.integer(&BUNDLE_KEEP_DAYS)?;
    for (name, made) in known.into_iter().filter(|(name, _)| !listed.iter().any(|set| series(set) == **name))
    {
        let Ok(made) = Timestamp::from_second(made as i64) else { continue };
        let days = facts.days_since(made);
        if days < limit {
            let name = name.strip_prefix(SERIES).unwrap_or(name);
            report.finding(
                Finding::on(Subject::new("bundle set", name, name))
                    .says(format!("is {days} days old and no longer listed"))
                    .expected(format!("sets are kept for {limit} days"))
                    .evidence(
                        facts.seen(&SUPPORT_BUNDLES, listed.iter().map(|set| &set.name).collect::<Vec<_>>()),
                    ),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::{Body, Point};
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn bundle(module: &str, created: &str, set: &str) -> Value {
        json!({"module": module, "created": created, "file": "a.zip", "set": set})
    }

    fn case(check: &'static Check, bundles: &[Value]) -> Case {
        let workbenches = json!({"Connect": {"name": "Connect"}, "End-User_Notifications": {"name": "End-User Notifications"},
            "CommonUIComponents": {"name": "CommonUIComponents"}});
        Case::of(check)
            .rows(&SUPPORT_BUNDLES, json!(bundles))
            .object(&SERVER_INFO, json!({"Diagnostics": {"Installed_Workbenches": workbenches}}))
    }

    fn both(created: &str, set: &str) -> Vec<Value> {
        vec![bundle("connect", created, set), bundle("End-User Notifications", created, set)]
    }

    #[test]
    fn the_newest_complete_set_counts() {
        case(&SET_AGE, &both("2026-06-01", "")).judge().assert_pass();
        case(&SET_AGE, &both("2026-06-01", "")).assert_needs_its_inputs();
        case(&SET_AGE, &both("2026-03-20", "")).judge().assert_findings(&["newest"]);
        let half = [both("2026-06-01", ""), vec![bundle("connect", "2026-06-29", "")]].concat();
        case(&SET_AGE, &half).judge().assert_pass();
        let never = [bundle("connect", "2026-06-29", "")];
        case(&SET_AGE, &never).judge().assert_findings(&["newest"]);
        case(&SET_AGE, &[]).judge().assert_findings(&["newest"]);
        case(&SET_AGE, &never)
            .setting("exempt_solutions", json!(["end-user notifications"]))
            .judge()
            .assert_pass();
        case(&SET_AGE, &[bundle("connect", "", "")]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn each_solution_that_the_latest_set_lacks_is_found() {
        case(&SET_COMPLETE, &both("2026-06-01", "")).judge().assert_pass();
        case(&SET_COMPLETE, &both("2026-06-01", "")).assert_needs_its_inputs();
        let half = [both("2026-04-01", ""), vec![bundle("connect", "2026-06-29", "")]].concat();
        case(&SET_COMPLETE, &half).judge().assert_findings(&["end-user notifications"]);
        // Five days apart is one set, unless the sets have names.
        let slow = [bundle("connect", "2026-06-01", ""), bundle("End-User Notifications", "2026-06-06", "")];
        case(&SET_COMPLETE, &slow).judge().assert_pass();
        let named =
            [bundle("connect", "2026-06-01", "a"), bundle("End-User Notifications", "2026-06-06", "b")];
        case(&SET_COMPLETE, &named).judge().assert_findings(&["connect"]);
        case(&SET_COMPLETE, &[]).judge().assert_undecided(Outcome::NotEvaluated);
        let blind = case(&SET_COMPLETE, &slow).object(&SERVER_INFO, json!({"Diagnostics": {}}));
        blind.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_young_set_that_is_no_longer_listed_is_found() {
        let seen = |made: &[&str]| {
            let point = |made: &&str| Point {
                series: format!("{SERIES}{made}"),
                at: "2026-06-23T12:00:00Z".parse().unwrap(),
                value: format!("{made}T00:00:00Z").parse::<Timestamp>().unwrap().as_second() as f64,
            };
            Body::Points(made.iter().map(point).collect())
        };
        let case = |made: &[&str]| case(&RETENTION, &both("2026-06-01", "")).body(&SEEN_SETS, seen(made));
        case(&["2026-06-01"]).judge().assert_pass();
        case(&["2026-06-01"]).judge().assert_pass();
        case(&["2026-06-01", "2026-03-01"]).judge().assert_findings(&["2026-03-01"]);
        case(&["2026-06-01", "2025-12-01"]).judge().assert_pass();
        case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
        assert_eq!(case(&[]).judge().measures()[0].series, "support.bundle-set.2026-06-01");
    }
}
