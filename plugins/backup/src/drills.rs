//! Guide: *Test a planned failover* and *Test disaster recovery*, page 43: what was tried out.

use crate::inputs::{TANIUM_CLOUD, own_platform};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{SERVER_HOSTS, ServerHosts};
use tancheck_plugin_api::records::settings::SYSTEM_SETTINGS;

const WHO: &str =
    "a TanOS user with the role tanadmin (Appliance); Tanium Support with the administrator (Windows)";

/// How long a test is good for.
const DRILL_DUE_EVERY_DAYS: Setting = Setting::integer("drill_due_every_days", 365, 1, 1095)
    .unit("days")
    .about("how often failover, fail back and restore are tested")
    .from_guide();

/// Whether there are two Tanium Servers.
const ACTIVE_ACTIVE: Setting = Setting::choice("active_active", Some("auto"), &["auto", "yes", "no"])
    .about("whether there are several Tanium Servers; auto: as the platform says");

/// What the checks of this file have in common.
const fn drill(id: &'static str) -> Check {
    Check::attested(id)
        .cadence(&[Cadence::Annual])
        .severity(Severity::High)
        .due_every(&DRILL_DUE_EVERY_DAYS)
        .limits("Only a person can say; no route shows such a test.")
}

/// Planned failover.
pub(crate) const FAILOVER: Check = drill("backup.failover-test")
    .title("A planned failover to the secondary Tanium Server was tested")
    .reads(&[&SYSTEM_SETTINGS, &SERVER_HOSTS])
    .settings(&[&TANIUM_CLOUD, &ACTIVE_ACTIVE])
    .guide(&[guide("Test a planned failover", 43)])
    .applies("several Tanium Servers, not Tanium Cloud")
    .what("Asks once a year whether the failover to the secondary Tanium Server was tested, with date and outcome.")
    .why("The second server is there for the day on which the first one fails; that day is a bad one to find out.")
    .related(&["backup.failback-test", "appliance.hc-database-replication", "health-check.peer-heartbeat"])
    .remedy(&FAILOVER_REMEDY)
    .judge(|facts, report| {
        several_servers(facts)?;
        report.finding(
            asked("failover", "the failover to the secondary server", "has to be tested: confirm date and outcome")
                .evidence(facts.seen(&SERVER_HOSTS, "servers")),
        );
        Ok(())
    });

const FAILOVER_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the users of Tanium", "announce a window"),
    Step::decision("the servers are Appliances", "see that database replication is healthy, then follow Testing a planned failover in the Appliance Deployment Guide"),
    Step::decision("the servers run on Windows", "ask Tanium Support for the steps: the guide prints none"),
    Step::console("the Console on the secondary server", "see that the Console, the Module Server and the registration of clients work there"),
    Step::command("tancheck attest backup.failover-test --subject failover --result done --note 'DATE, outcome'", "records the test"),
])
.cautions(&["Do not improvise the steps on Windows.", "A failover test is over only when the fail back has succeeded."])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.references(&["Appliance Deployment Guide: Testing a planned failover"]);

/// Fail back.
pub(crate) const FAILBACK: Check = drill("backup.failback-test")
    .title("The fail back to the primary Tanium Server was tested")
    .reads(&[&SYSTEM_SETTINGS, &SERVER_HOSTS])
    .settings(&[&TANIUM_CLOUD, &ACTIVE_ACTIVE])
    .guide(&[guide("Test a planned failover", 43)])
    .applies("several Tanium Servers, not Tanium Cloud")
    .what("Asks once a year whether the return to the primary server after the failover test succeeded.")
    .why("A failover without a way back leaves the deployment on one leg.")
    .related(&["backup.failover-test", "appliance.hc-database-replication"])
    .remedy(&FAILBACK_REMEDY)
    .judge(|facts, report| {
        several_servers(facts)?;
        report.finding(
            asked(
                "failback",
                "the fail back to the primary server",
                "has to be tested: confirm date and outcome",
            )
            .evidence(facts.seen(&SERVER_HOSTS, "servers")),
        );
        Ok(())
    });

const FAILBACK_REMEDY: Remedy = Remedy::new(&[
    Step::decision(
        "the servers are Appliances",
        "follow Testing a planned failover in the Appliance Deployment Guide, to its end",
    ),
    Step::decision("the servers run on Windows", "ask Tanium Support for the steps: the guide prints none"),
    Step::console(
        "the Console on the primary server",
        "see that service is normal and that the databases replicate",
    ),
    Step::command(
        "tancheck attest backup.failback-test --subject failback --result done --note 'DATE, outcome'",
        "records the test",
    ),
])
.cautions(&["Do not improvise the steps on Windows."])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.references(&["Appliance Deployment Guide: Testing a planned failover"]);

/// Restore.
pub(crate) const RESTORE: Check = drill("backup.dr-restore-test")
    .title("A restore from backup was tested")
    .reads(&[&SYSTEM_SETTINGS])
    .settings(&[&TANIUM_CLOUD])
    .guide(&[
        guide("Test disaster recovery", 43),
        guide("Back up your deployment", 7),
        guide("Review and update backups and the disaster recovery plan", 35),
    ])
    .applies("not Tanium Cloud")
    .what("Asks once a year whether a restore from backup was tested: date, host, outcome, and how long it took.")
    .why("A backup that was never restored is a hope.")
    .related(&["backup.core-servers-backed-up", "backup.databases-backed-up", "backup.dr-plan-current"])
    .remedy(&RESTORE_REMEDY)
    .judge(|facts, report| {
        own_platform(facts)?;
        report.finding(
            asked("restore", "the restore from backup", "has to be tested: confirm date, host, outcome and duration")
                .evidence(facts.seen(&SYSTEM_SETTINGS, "console_is_taas")),
        );
        Ok(())
    });

const RESTORE_REMEDY: Remedy = Remedy::new(&[
    Step::consult("the infrastructure team", "prepare a host that is not in production, in a network of its own"),
    Step::decision("the servers are Appliances", "use the restore options of TanOS, as the Appliance Deployment Guide describes"),
    Step::decision("the servers run on Windows", "ask Tanium Support for the steps: the guide prints none"),
    Step::decision("the restore failed", "correct the plan or the backup and test again"),
    Step::command("tancheck attest backup.dr-restore-test --subject restore --result done --note 'DATE, HOST, outcome, duration'", "records the test"),
])
.cautions(&["Never restore over a live server to test: its present state is lost.", "Do not improvise the steps on Windows."])
.who("a TanOS user with the role tanadmin (Appliance); Tanium Support with server and database administrators (Windows)")
.risk(Risk::High, Reversible::No)
.references(&["Appliance Deployment Guide: TanOS backup and recovery"]);

fn asked(key: &str, name: &str, says: &str) -> Finding {
    Finding::on(Subject::new("task", key, name)).says(says).expected("a success within a year")
}

/// Ends a judge where there is one Tanium Server only.
fn several_servers(facts: &Facts<'_>) -> Result<(), Undecided> {
    own_platform(facts)?;
    match facts.text(&ACTIVE_ACTIVE)? {
        "yes" => return Ok(()),
        "no" => {
            return Err(Undecided::not_applicable("`active_active` says that there is one Tanium Server"));
        }
        _ => {}
    }
    let hosts: ServerHosts = facts.object(&SERVER_HOSTS)?;
    match hosts.servers.len() {
        0 => Err(Undecided::not_evaluated("server_host names no Tanium Server: set `active_active`")),
        1 => Err(facts.absent(&SERVER_HOSTS, "there is one Tanium Server")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(check: &'static Check, servers: usize) -> Case {
        let servers: Vec<_> = (0..servers).map(|id| json!({"id": id, "name": format!("ts{id}")})).collect();
        Case::of(check).object(&SERVER_HOSTS, json!({ "servers": servers }))
    }

    #[test]
    fn two_servers_have_a_failover_to_test_and_one_has_none() {
        for (check, key) in [(&FAILOVER, "failover"), (&FAILBACK, "failback")] {
            case(check, 2).judge().assert_findings(&[key]);
            case(check, 1).judge().assert_undecided(Outcome::NotApplicable);
            case(check, 0).judge().assert_undecided(Outcome::NotEvaluated);
            case(check, 2).setting("active_active", "no").judge().assert_undecided(Outcome::NotApplicable);
            case(check, 1).setting("active_active", "yes").judge().assert_findings(&[key]);
            Case::of(check).judge().assert_undecided(Outcome::NotEvaluated);
        }
    }

    #[test]
    fn every_own_platform_has_a_restore_to_test() {
        Case::of(&RESTORE).judge().assert_findings(&["restore"]);
        let cloud =
            Case::of(&RESTORE).rows(&SYSTEM_SETTINGS, json!([{"name": "console_is_taas", "value": "1"}]));
        cloud.judge().assert_undecided(Outcome::NotApplicable);
    }
}
