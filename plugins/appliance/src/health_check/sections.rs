//! One check for each section of the output; they differ in their words alone.

use super::output::{DUE_EVERY_DAYS, HEALTH_OUTPUT, Level, Run, recent_runs};
use super::{GUIDE, LIMITS};
use crate::inputs::{APPLIANCES, TANADMIN, TROUBLESHOOTING};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::same_host;
use tancheck_plugin_api::records::server::LICENSE;

/// Lines that are known and acceptable.
const IGNORE_PATTERNS: Setting = Setting::list("ignore_patterns", &[])
    .about("parts of lines of the TanOS Health Check that are known and acceptable");

/// Sections that an Appliance does not have.
const ABSENT_SECTIONS: Setting = Setting::table("absent_sections").about(
    "sections that the TanOS Health Check of an Appliance does not print, by Appliance: { zs1 = [\"database replication\"] }",
);

/// What the checks of all sections have in common.
const fn section(id: &'static str, severity: Severity) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Monthly])
        .severity(severity)
        .reads(&[&LICENSE, &HEALTH_OUTPUT])
        .settings(&[&APPLIANCES, &DUE_EVERY_DAYS, &IGNORE_PATTERNS, &ABSENT_SECTIONS])
        .guide(GUIDE)
        .applies("Appliances")
        .what("Finds each line of this section of the newest TanOS Health Check output, on each Appliance, that is a warning, a failure or an action and that `ignore_patterns` does not name. An output without the section, or older than `health_check_due_every_days`, decides nothing.")
        .limits(LIMITS)
}

/// The steps of a section's remedy: its own first.
const fn steps(first: Step) -> [Step; 4] {
    [
        first,
        Step::consult(TROUBLESHOOTING, "follow it for what the line says"),
        Step::console(
            "TanOS on {appliance}",
            "run the Health Check again and write the new output into tanos-health-check.csv",
        ),
        Step::support("if the line comes back: bring the whole output and the versions of all Appliances"),
    ]
}

const GUIDES: &[&str] = &["Appliance Deployment Guide: Run the Health Check", TROUBLESHOOTING];

/// The remedy of a section.
macro_rules! remedy {
    ($who:expr, $risk:expr, $first:expr) => {
        const {
            const STEPS: [Step; 4] = steps($first);
            &Remedy::new(&STEPS).who($who).risk($risk, Reversible::Partly).references(GUIDES)
        }
    };
}

/// Section operating system.
pub(crate) const OPERATING_SYSTEM: Check = section("appliance.hc-operating-system", Severity::High)
    .title("The TanOS Health Check has no problem with the operating system")
    .why("Tanium stands on it: full file systems or lacking memory stop services without a warning of Tanium's own.")
    .related(&["appliance.health-check-run", "health-check.server-disk"])
    .remedy(remedy!(TANADMIN, Risk::Medium, Step::console("TanOS on {appliance}", "take the TanOS action that the line names")))
    .judge(|facts, report| judge(facts, report, "operating system"));

/// Section hardware.
pub(crate) const HARDWARE: Check = section("appliance.hc-hardware", Severity::High)
    .title("The TanOS Health Check has no problem with the hardware")
    .why("A failed part is cheap while the other one still runs.")
    .related(&["appliance.health-check-run", "appliance.hc-raid-security", "health-check.server-disk"])
    .remedy(remedy!(
        TANADMIN,
        Risk::Medium,
        Step::consult(
            "iDRAC of {appliance}, or its hypervisor",
            "look at the part that the line names; open a hardware case where it failed"
        )
    ))
    .judge(|facts, report| judge(facts, report, "hardware"));

/// Section users.
pub(crate) const USERS: Check = section("appliance.hc-users", Severity::Medium)
    .title("The TanOS Health Check has no problem with users")
    .why("Accounts that are locked or expired are noticed when they are needed, which is in trouble.")
    .related(&["appliance.health-check-run", "appliance.tanos-users-access"])
    .remedy(remedy!(
        TANADMIN,
        Risk::Medium,
        Step::console(
            "TanOS on {appliance}, User Administration menu",
            "correct the account; never take away the last working tanadmin"
        )
    ))
    .judge(|facts, report| judge(facts, report, "users"));

/// Section network.
pub(crate) const NETWORK: Check = section("appliance.hc-network", Severity::High)
    .title("The TanOS Health Check has no problem with the network")
    .why("Names, times and routes that are wrong show elsewhere, as certificates that are refused or clients that are gone.")
    .related(&["appliance.health-check-run", "appliance.perf-network-io"])
    .remedy(remedy!("a TanOS user with the role tanadmin, with the networking team", Risk::Medium, Step::consult("the networking team", "correct interface, DNS, NTP, route or firewall, as the line says")))
    .judge(|facts, report| judge(facts, report, "network"));

/// Section services.
pub(crate) const SERVICES: Check = section("appliance.hc-services", Severity::High)
    .title("The TanOS Health Check has no problem with services")
    .why("A service that does not run takes a part of the platform with it.")
    .related(&[
        "appliance.health-check-run",
        "health-check.plugin-schedule-failed",
        "health-check.module-load-attempt",
    ])
    .remedy(remedy!(
        TANADMIN,
        Risk::Medium,
        Step::console(
            "TanOS on {appliance}",
            "start or repair the service that the line names, after a look at its log"
        )
    ))
    .judge(|facts, report| judge(facts, report, "services"));

/// Section applications.
pub(crate) const APPLICATIONS: Check = section("appliance.hc-applications", Severity::High)
    .title("The TanOS Health Check has no problem with applications")
    .why("The application is what the Appliance is there for.")
    .related(&[
        "appliance.health-check-run",
        "health-check.module-server-connected",
        "health-check.package-files",
    ])
    .remedy(remedy!(
        TANADMIN,
        Risk::Medium,
        Step::console(
            "TanOS on {appliance}",
            "look at the Tanium role of this member of the array and at the application that the line names"
        )
    ))
    .judge(|facts, report| judge(facts, report, "applications"));

/// Section database replication.
pub(crate) const DATABASE_REPLICATION: Check = section("appliance.hc-database-replication", Severity::Critical)
    .title("The TanOS Health Check has no problem with database replication")
    .applies("arrays of Appliances")
    .why("Without replication the second server has old data: a failover loses what came since, and a backup of it is worth as little.")
    .related(&["appliance.health-check-run", "health-check.peer-heartbeat", "health-check.pending-trust", "backup.failover-test"])
    .remedy(remedy!(TANADMIN, Risk::High, Step::decision("replication does not run on {appliance}", "restore it before any failover and before the next backup; contact Tanium Support at once if it does not recover")))
    .judge(|facts, report| judge(facts, report, "database replication"));

/// Section RAID security.
pub(crate) const RAID_SECURITY: Check = section("appliance.hc-raid-security", Severity::High)
    .title("The TanOS Health Check has no problem with RAID security")
    .why("The disks hold everything that Tanium knows of all endpoints.")
    .related(&["appliance.health-check-run", "appliance.hc-hardware"])
    .remedy(remedy!(
        TANADMIN,
        Risk::High,
        Step::support(
            "before any change: RAID settings that are wrong can cost all data; bring the line of {appliance}"
        )
    ))
    .judge(|facts, report| judge(facts, report, "RAID security"));

/// Section Postgres SSL.
pub(crate) const POSTGRES_SSL: Check = section("appliance.hc-postgres-ssl", Severity::Medium)
    .title("The TanOS Health Check has no problem with Postgres SSL")
    .why("Without it the members of an array exchange their data in the clear, or not at all once a certificate expires.")
    .related(&["appliance.health-check-run", "appliance.hc-database-replication"])
    .remedy(remedy!(TANADMIN, Risk::Medium, Step::console("TanOS on {appliance}", "restore SSL between the database members, as the line says")))
    .judge(|facts, report| judge(facts, report, "Postgres SSL"));

/// Section virtual machine.
pub(crate) const VIRTUAL_MACHINE: Check = section("appliance.hc-virtual-machine", Severity::Medium)
    .title("The TanOS Health Check has no problem with the virtual machine")
    .applies("virtual Appliances")
    .why("A virtual machine with too little makes everything slow, and nothing inside of it shows why.")
    .related(&["appliance.health-check-run", "appliance.perf-cpu-load"])
    .remedy(remedy!(
        "a TanOS user with the role tanadmin, with the virtualization team",
        Risk::Medium,
        Step::consult(
            "the virtualization team",
            "correct the resources or the guest tools of {appliance}, as the line says"
        )
    ))
    .judge(|facts, report| judge(facts, report, VIRTUAL_MACHINE_SECTION));

/// The only section that is not printed everywhere.
const VIRTUAL_MACHINE_SECTION: &str = "virtual machine";

fn judge(facts: &Facts<'_>, report: &mut Report, name: &str) -> Result<(), Undecided> {
    let (runs, mut unknown) = recent_runs(facts)?;
    let ignored: Vec<String> = facts.list(&IGNORE_PATTERNS).iter().map(|part| part.to_lowercase()).collect();
    let mut judged = 0;
    for run in &runs {
        if run.section(name).next().is_none() {
            if name == VIRTUAL_MACHINE_SECTION || is_absent(facts, run, name) {
                report.note(format!("the output of {} has no section {name}", run.appliance));
            } else {
                unknown.push(format!("the output of {} has no section {name}", run.appliance));
            }
            continue;
        }
        judged += 1;
        let bad = run.section(name).filter(|line| line.level != Level::Ok);
        for line in bad.filter(|line| !ignored.iter().any(|part| line.text.to_lowercase().contains(part))) {
            let word = match line.level {
                Level::Warning => "warns",
                _ => "reports a problem",
            };
            let subject = format!("{}: {}", run.appliance.to_lowercase(), line.key());
            report.finding(
                Finding::on(Subject::new("Health Check line", subject, &run.appliance))
                    .says(format!("the section {name} {word}: {}", line.text))
                    .expected("no warning, failure or action")
                    .fill("appliance", &run.appliance)
                    .evidence(facts.seen(&HEALTH_OUTPUT, (&line.section, &line.text, run.at))),
            );
        }
    }
    settle(&unknown)?;
    if judged == 0 {
        return Err(facts.absent(&HEALTH_OUTPUT, format!("no Appliance's output has a section {name}")));
    }
    Ok(())
}

/// Whether the site knows that an Appliance's output does not have a section.
fn is_absent(facts: &Facts<'_>, run: &Run, name: &str) -> bool {
    let table = facts.table(&ABSENT_SECTIONS);
    let mut of_this = table.iter().filter(|(appliance, _)| same_host(appliance, &run.appliance));
    of_this.any(|(_, sections)| sections.iter().any(|section| section.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::line;
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    const ALL: [(&Check, &str); 10] = [
        (&OPERATING_SYSTEM, "Operating System"),
        (&HARDWARE, "hardware"),
        (&USERS, "users"),
        (&NETWORK, "network"),
        (&SERVICES, "services"),
        (&APPLICATIONS, "applications"),
        (&DATABASE_REPLICATION, "database replication"),
        (&RAID_SECURITY, "raid security"),
        (&POSTGRES_SSL, "postgres ssl"),
        (&VIRTUAL_MACHINE, "virtual machine"),
    ];

    fn case(check: &'static Check, rows: Value) -> Case {
        deployment(check, &[]).rows(&HEALTH_OUTPUT, rows)
    }

    #[test]
    fn each_check_judges_its_section_and_no_other() {
        for (check, own) in ALL {
            let rows: Vec<Value> = ALL.iter().map(|(_, section)| line(section, "ok", "fine")).collect();
            case(check, json!(rows)).judge().assert_pass();
            case(check, json!(rows)).assert_needs_its_inputs();
            for level in ["warning", "failure", "action"] {
                let mut rows = rows.clone();
                rows.push(line(own, level, "Part 7 failed"));
                case(check, json!(rows)).judge().assert_findings(&["ts1: part failed"]);
                let ignored = case(check, json!(rows)).setting("ignore_patterns", json!(["part 7"]));
                ignored.judge().assert_pass();
            }
            let mut others = rows.clone();
            others
                .extend(ALL.iter().filter(|(_, it)| *it != own).map(|(_, it)| line(it, "failure", "broken")));
            case(check, json!(others)).judge().assert_pass();
        }
    }

    #[test]
    fn a_section_that_is_not_there_was_not_seen() {
        let rows = json!([line("users", "ok", "fine")]);
        case(&HARDWARE, rows.clone()).judge().assert_undecided(Outcome::NotEvaluated);
        case(&VIRTUAL_MACHINE, rows.clone()).judge().assert_undecided(Outcome::NotApplicable);
        let known = case(&HARDWARE, rows).setting("absent_sections", json!({"TS1": ["Hardware"]}));
        known.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn only_the_newest_run_counts_and_an_old_one_decides_nothing() {
        let run = |date: &str, level: &str| {
            let mut row = line("hardware", level, "fans");
            row["run_date"] = json!(date);
            row
        };
        let rows =
            json!([run("2026-06-10", "failure"), run("2026-06-20", "ok"), run("2026-06-12", "failure")]);
        case(&HARDWARE, rows).judge().assert_pass();
        case(&HARDWARE, json!([run("2026-05-10", "failure")]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        case(&HARDWARE, json!([])).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
