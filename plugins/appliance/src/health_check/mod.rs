//! Guide: *Review the Health Check report*, page 16: the output of the TanOS Health Check. That is not the shared
//! service Health Check and has nothing to do with TPAN.

mod output;
mod sections;
mod summary;

pub(crate) use sections::{
    APPLICATIONS, DATABASE_REPLICATION, HARDWARE, NETWORK, OPERATING_SYSTEM, POSTGRES_SSL, RAID_SECURITY,
    SERVICES, USERS, VIRTUAL_MACHINE,
};
pub(crate) use summary::{ACTIONABLE_ITEMS, EULA_ACCEPTED};

use crate::inputs::{APPLIANCES, OTHER_SERVERS, TROUBLESHOOTING, appliances, in_use, subject};
use output::{DUE_EVERY_DAYS, HEALTH_OUTPUT, runs};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{SERVER_HEALTH, same_host};
use tancheck_plugin_api::records::server::LICENSE;

const GUIDE: &[GuideReference] = &[guide("Review the Health Check report", 16)];
const LIMITS: &str = "The output has no public format: an administrator writes one row for each line of it. Words that \
    the file should not hold decide nothing.";

/// The Health Check was run this month.
pub(crate) const RUN: Check = Check::hybrid("appliance.health-check-run")
    .title("The TanOS Health Check was run on each Appliance this month")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&LICENSE, &SERVER_HEALTH, &HEALTH_OUTPUT])
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &DUE_EVERY_DAYS])
    .guide(&[guide("Review the Health Check report", 16), guide("Review Appliance health", 16)])
    .applies("Appliances")
    .what("Compares the newest output of each server that reports its health with `health_check_due_every_days`.")
    .why("What nobody looks at is not healthy; every other check of the output decides nothing when it is old.")
    .limits("Takes every server for an Appliance unless `other_servers` names it. Without a file an attestation decides.")
    .related(&["appliance.hc-actionable-items"])
    .remedy(&RUN_REMEDY)
    .judge(health_check_run);

const RUN_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "TanOS on {subject} > 3 (Tanium Support) > 6",
        "display the results of the last scheduled Health Check, or run a new one",
    ),
    Step::command(
        "tanos-health-check.csv",
        "write one row for each line of the output: appliance, run_date, section, level, text",
    ),
    Step::consult(TROUBLESHOOTING, "follow it where the Health Check does not run at all"),
])
.who("a TanOS user with the role tanadmin; the role tanuser sees status menus only")
.cautions(&[
    "This is the Health Check of TanOS, not the shared service Health Check that makes TPAN reports.",
])
.references(&["Appliance Deployment Guide: Run the Health Check"]);

fn health_check_run(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    in_use(facts)?;
    let runs = runs(facts)?;
    let limit = facts.integer(&DUE_EVERY_DAYS)?;
    for name in appliances(facts)? {
        let newest = runs.iter().find(|run| same_host(&run.appliance, &name)).map(|run| run.at);
        let says = match newest.map(|at| facts.days_since(at)) {
            Some(days) if days <= limit => continue,
            Some(days) => format!("its newest Health Check is {days} days old"),
            None => "has no Health Check output".to_owned(),
        };
        report.finding(
            Finding::on(subject(&name))
                .says(says)
                .expected(format!("output of the last {limit} days"))
                .evidence(facts.seen(&HEALTH_OUTPUT, newest)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    /// A line of the output of `ts1`.
    pub(super) fn line(section: &str, level: &str, text: &str) -> Value {
        json!({"appliance": "ts1", "run_date": "2026-06-20T05:00:00Z", "section": section, "level": level, "text": text})
    }

    fn case(names: &[&str], rows: Value) -> Case {
        deployment(&RUN, names).rows(&HEALTH_OUTPUT, rows)
    }

    #[test]
    fn each_appliance_needs_a_run_of_this_month() {
        let row = line("hardware", "ok", "fans");
        case(&["ts1.example.com"], json!([row])).judge().assert_pass();
        case(&["ts1.example.com"], json!([row])).assert_needs_its_inputs();
        case(&["ts1", "ts2"], json!([row])).judge().assert_findings(&["ts2"]);
        case(&["ts1", "ts2"], json!([row])).setting("other_servers", json!(["TS2"])).judge().assert_pass();
        case(&["ts1"], json!([])).judge().assert_findings(&["ts1"]);
        let later = case(&["ts1"], json!([row]));
        later.clone().at("2026-07-20T05:00:00Z").judge().assert_pass();
        later.at("2026-07-21T05:00:00Z").judge().assert_findings(&["ts1"]);
    }

    #[test]
    fn a_file_of_another_form_decides_nothing() {
        let verdict = case(&["ts1"], json!([line("hardware", "PASSED", "fans")])).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().is_some_and(|why| why.reason.starts_with("format not recognised")));
        let mut undated = line("hardware", "ok", "fans");
        undated["run_date"] = json!("");
        case(&["ts1"], json!([undated])).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
