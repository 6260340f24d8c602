//! Guide: *Configure Tanium Appliance monitoring* with its parts, page 9, and the account tanremote, page 38. One rule
//! for each check, walked over all Appliances.

use crate::inputs::{
    APPLIANCES, Appliance, Hardware, MONITORING, OTHER_SERVERS, TANADMIN, in_use, uncovered,
};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::SERVER_HEALTH;
use tancheck_plugin_api::records::server::LICENSE;

const LIMITS: &str =
    "TanOS has no public API: the check judges what somebody wrote down, and says when that was.";

/// Whether the organization has a syslog server.
const ORG_HAS_SYSLOG: Setting = Setting::choice("org_has_syslog", None, &["yes", "no"])
    .about("whether the organization has a syslog server that Appliances should send their logs to");

/// Whether the organization has an SNMP manager.
const ORG_HAS_SNMP: Setting = Setting::choice("org_has_snmp", None, &["yes", "no"])
    .about("whether the organization has an SNMP manager that should poll Appliances");

/// Whether the iDRAC interface is in use, where the file does not tell.
const IDRAC_CONFIGURED: Setting = Setting::choice("idrac_configured", None, &["yes", "no"])
    .about("whether the iDRAC interface of physical Appliances is set up, where tanos-monitoring.csv leaves it empty");

/// What all checks of this file have in common.
const fn monitored(id: &'static str) -> Check {
    Check::hybrid(id).reads(&[&LICENSE, &SERVER_HEALTH, &MONITORING]).applies("Appliances").limits(LIMITS)
}

/// At least one monitoring route is set up.
pub(crate) const IN_PLACE: Check = monitored("appliance.monitoring-in-place")
    .title("Each Appliance is monitored in at least one way")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .settings(&[&APPLIANCES, &OTHER_SERVERS])
    .guide(&[guide("Configure Tanium Appliance monitoring", 9)])
    .what("Looks for each Appliance whether TanOS alerts (to syslog or mail), syslog forwarding or SNMP is set up. One of them is enough.")
    .why("An Appliance that nobody hears from fails unnoticed until Tanium itself stands still.")
    .related(&["appliance.alert-email", "appliance.syslog-forwarding", "appliance.snmp"])
    .remedy(&IN_PLACE_REMEDY)
    .judge(|facts, report| each_appliance(facts, report, in_place));

const IN_PLACE_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the monitoring team",
        "choose the way that it can receive: alerts by mail or syslog, forwarded logs, or SNMP polls",
    ),
    Step::console(
        "TanOS on {subject}",
        "configure that way in the TanOS menus, as the Appliance Deployment Guide says",
    ),
    Step::command("tanos-monitoring.csv", "correct the row of {subject} and run tancheck again"),
])
.who(TANADMIN)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Appliance Deployment Guide: Configure alerts",
    "Appliance Deployment Guide: Configuring syslog",
    "Appliance Deployment Guide: Configuring SNMP",
]);

fn in_place(_: &Facts<'_>, one: &Appliance) -> Result<Seen, Undecided> {
    let ways =
        [recipient(&one.alert_syslog), recipient(&one.alert_email), recipient(&one.syslog_forward), one.snmp];
    Ok(if ways.contains(&Some(true)) {
        Seen::Good
    } else if ways.contains(&None) {
        Seen::unknown(one, "alerts, syslog forwarding or SNMP")
    } else {
        Seen::wrong("has neither TanOS alerts nor syslog forwarding nor SNMP", "at least one of them")
    })
}

/// Alerts go to a recipient.
pub(crate) const ALERTS_CONFIGURED: Check = monitored("appliance.alerts-configured")
    .title("TanOS alerts go to a recipient")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .settings(&[&APPLIANCES, &OTHER_SERVERS])
    .guide(&[guide("Configure TanOS alerts", 9)])
    .what("Looks for each Appliance whether a syslog server or a mail recipient is set for TanOS alerts. Forwarded logs are another setting and do not count.")
    .why("Alerts without a recipient tell nobody that a disk fails or that replication stopped.")
    .related(&["appliance.alert-email", "appliance.syslog-forwarding"])
    .remedy(&ALERTS_REMEDY)
    .judge(|facts, report| each_appliance(facts, report, alerts_configured));

const ALERTS_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {subject}", "configure alerts, best with a mail recipient"),
    Step::console("TanOS on {subject}", "send a test alert and see that it arrives"),
    Step::command("tanos-monitoring.csv", "correct the row of {subject} and run tancheck again"),
])
.who(TANADMIN)
.risk(Risk::Low, Reversible::Yes)
.references(&["Appliance Deployment Guide: Configure alerts"]);

fn alerts_configured(_: &Facts<'_>, one: &Appliance) -> Result<Seen, Undecided> {
    Ok(match (recipient(&one.alert_syslog), recipient(&one.alert_email)) {
        (Some(true), _) | (_, Some(true)) => Seen::Good,
        (Some(false), Some(false)) => {
            Seen::wrong("its TanOS alerts go nowhere", "a mail recipient or a syslog server")
        }
        _ => Seen::unknown(one, "alert_syslog or alert_email"),
    })
}

/// Alerts go to a mail recipient.
pub(crate) const ALERT_EMAIL: Check = monitored("appliance.alert-email")
    .title("TanOS alerts have a mail recipient")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .settings(&[&APPLIANCES, &OTHER_SERVERS])
    .guide(&[guide("Configure TanOS alerts", 9)])
    .what("Looks for each Appliance whose alerts go to a syslog server whether they go to a mail recipient as well.")
    .why("When the syslog server itself fails, only mail can tell: the recipient then gets a notice every 15 minutes until it works again.")
    .related(&["appliance.alerts-configured", "appliance.syslog-delivery"])
    .remedy(&EMAIL_REMEDY)
    .judge(|facts, report| each_appliance(facts, report, alert_email));

const EMAIL_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {subject}", "add an SMTP recipient to the alerts"),
    Step::decision("you choose the mailbox", "take one that several people read"),
    Step::command("tanos-monitoring.csv", "correct the row of {subject} and run tancheck again"),
])
.who(TANADMIN)
.risk(Risk::None, Reversible::Yes)
.references(&["Appliance Deployment Guide: Configure alerts"]);

fn alert_email(_: &Facts<'_>, one: &Appliance) -> Result<Seen, Undecided> {
    Ok(match (recipient(&one.alert_email), recipient(&one.alert_syslog)) {
        (Some(true), _) => Seen::Good,
        (Some(false), Some(true)) => {
            Seen::wrong("sends its alerts to syslog alone", "a mail recipient as well")
        }
        (Some(false), Some(false)) => Seen::Unknown(format!(
            "{}: alerts go nowhere at all, see appliance.alerts-configured",
            one.appliance
        )),
        _ => Seen::unknown(one, "alert_syslog or alert_email"),
    })
}

/// Logs are forwarded.
pub(crate) const SYSLOG_FORWARDING: Check = monitored("appliance.syslog-forwarding")
    .title("Appliance logs are forwarded to a remote syslog server")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &ORG_HAS_SYSLOG])
    .guide(&[guide("Configure syslog forwarding", 9)])
    .what("Where `org_has_syslog` says that there is a syslog server, looks for each Appliance whether its logs are forwarded. Alerts that go to syslog do not count.")
    .why("Logs that lie on the Appliance alone are lost with it, and an intruder can remove them.")
    .related(&["appliance.alerts-configured", "appliance.syslog-delivery"])
    .remedy(&FORWARDING_REMEDY)
    .judge(|facts, report| {
        in_use(facts)?;
        wanted(facts, &ORG_HAS_SYSLOG, "the organization has no syslog server")?;
        each_appliance(facts, report, syslog_forwarding)
    });

const FORWARDING_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "Appliance Deployment Guide: Configuring syslog",
        "read how syslog alerts and syslog forwarding differ",
    ),
    Step::console("TanOS on {subject}", "configure syslog forwarding"),
    Step::consult("the syslog administrator", "see that messages of {subject} arrive"),
    Step::command("tanos-monitoring.csv", "correct the row of {subject} and run tancheck again"),
])
.who(TANADMIN)
.risk(Risk::Low, Reversible::Yes)
.references(&["Appliance Deployment Guide: Configuring syslog"]);

fn syslog_forwarding(_: &Facts<'_>, one: &Appliance) -> Result<Seen, Undecided> {
    Ok(match recipient(&one.syslog_forward) {
        Some(true) => Seen::Good,
        Some(false) => Seen::wrong("does not forward its logs", "forwarding to the syslog server"),
        None => Seen::unknown(one, "syslog_forward"),
    })
}

/// SNMP polls work.
pub(crate) const SNMP: Check = monitored("appliance.snmp")
    .title("SNMP polls of each Appliance are set up and work")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &ORG_HAS_SNMP])
    .guide(&[guide("Configure SNMP", 9)])
    .what("Where `org_has_snmp` says that there is an SNMP manager, looks for each Appliance whether the credentials of the user tansnmp are set and whether a test poll succeeded.")
    .why("The SNMP manager shows a full disk or a hot machine before it stops the service.")
    .related(&["appliance.snmp-idrac", "appliance.monitoring-in-place"])
    .remedy(&SNMP_REMEDY)
    .judge(|facts, report| {
        in_use(facts)?;
        wanted(facts, &ORG_HAS_SNMP, "the organization has no SNMP manager")?;
        each_appliance(facts, report, snmp)
    });

const SNMP_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {subject}", "set the credentials of the user tansnmp and allow the SNMP manager"),
    Step::consult("the monitoring team", "poll {subject} once"),
    Step::command(
        "tanos-monitoring.csv",
        "correct snmp and snmp_test_ok of {subject} and run tancheck again",
    ),
])
.who("a TanOS user with the role tanadmin, with the monitoring team")
.risk(Risk::Low, Reversible::Yes)
.references(&["Appliance Deployment Guide: Configuring SNMP"]);

fn snmp(_: &Facts<'_>, one: &Appliance) -> Result<Seen, Undecided> {
    Ok(match (one.snmp, one.snmp_test_ok) {
        (Some(false), _) => {
            Seen::wrong("has no credentials for tansnmp", "credentials and a successful poll")
        }
        (_, Some(false)) => Seen::wrong("does not answer the SNMP manager", "a successful poll"),
        (Some(true), Some(true)) => Seen::Good,
        _ => Seen::unknown(one, "snmp or snmp_test_ok"),
    })
}

/// The iDRAC interface is polled.
pub(crate) const SNMP_IDRAC: Check = monitored("appliance.snmp-idrac")
    .title("The iDRAC interface of each physical Appliance is polled")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &ORG_HAS_SNMP])
    .guide(&[guide("Configure SNMP", 9)])
    .applies("physical Appliances")
    .what("Where `org_has_snmp` says that there is an SNMP manager, looks for each physical Appliance whether it polls the iDRAC interface as well.")
    .why("iDRAC tells of failing power supplies, fans and disks even while TanOS is down.")
    .related(&["appliance.snmp", "appliance.idrac-tanremote"])
    .remedy(&SNMP_IDRAC_REMEDY)
    .judge(|facts, report| {
        in_use(facts)?;
        wanted(facts, &ORG_HAS_SNMP, "the organization has no SNMP manager")?;
        each_appliance(facts, report, snmp_idrac)
    });

const SNMP_IDRAC_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {subject}", "configure SNMP for the iDRAC interface, for the user tansnmp"),
    Step::consult(
        "the monitoring team",
        "add the iDRAC interface of {subject} to the SNMP manager and poll it once",
    ),
    Step::command("tanos-monitoring.csv", "correct idrac_snmp of {subject} and run tancheck again"),
])
.who("a TanOS user with the role tanadmin, with the monitoring team")
.risk(Risk::Low, Reversible::Yes)
.references(&["Appliance Deployment Guide: Configuring SNMP"]);

fn snmp_idrac(_: &Facts<'_>, one: &Appliance) -> Result<Seen, Undecided> {
    Ok(match (one.hardware(), one.idrac_snmp) {
        (Err(why), _) => Seen::Unknown(why),
        (Ok(Hardware::Virtual | Hardware::Cloud), _) => Seen::Exempt,
        (_, Some(true)) => Seen::Good,
        (_, Some(false)) => Seen::wrong("its iDRAC interface is not polled", "polls by the SNMP manager"),
        (_, None) => Seen::unknown(one, "idrac_snmp"),
    })
}

/// The account tanremote is there.
pub(crate) const IDRAC_TANREMOTE: Check = monitored("appliance.idrac-tanremote")
    .title("The account tanremote is there wherever iDRAC is set up")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .settings(&[&APPLIANCES, &OTHER_SERVERS, &IDRAC_CONFIGURED])
    .guide(&[guide("Review and update TanOS user accounts (Appliance only)", 38)])
    .applies("physical Appliances with an iDRAC interface")
    .what("Looks for each physical Appliance with an iDRAC interface whether the predefined account tanremote is there.")
    .why("When TanOS is down, the virtual console of iDRAC is the way to see why; tanremote opens it.")
    .related(&["appliance.snmp-idrac", "appliance.tanos-users-access"])
    .remedy(&TANREMOTE_REMEDY)
    .judge(|facts, report| each_appliance(facts, report, idrac_tanremote));

const TANREMOTE_REMEDY: Remedy = Remedy::new(&[
    Step::console("TanOS on {subject}", "restore the account tanremote"),
    Step::console("iDRAC of {subject}", "open the virtual console with it"),
    Step::command("tanos-monitoring.csv", "correct tanremote_present of {subject} and run tancheck again"),
])
.who(TANADMIN)
.risk(Risk::Low, Reversible::Yes)
.references(&["Appliance Deployment Guide: Manage the iDRAC interface"]);

fn idrac_tanremote(facts: &Facts<'_>, one: &Appliance) -> Result<Seen, Undecided> {
    match one.hardware() {
        Err(why) => return Ok(Seen::Unknown(why)),
        Ok(Hardware::Virtual | Hardware::Cloud) => return Ok(Seen::Exempt),
        Ok(Hardware::Physical) => {}
    }
    let configured = match one.idrac_configured {
        Some(told) => told,
        None => facts.text(&IDRAC_CONFIGURED)? == "yes",
    };
    Ok(match (configured, one.tanremote_present) {
        (false, _) => Seen::Exempt,
        (_, Some(true)) => Seen::Good,
        (_, Some(false)) => {
            Seen::wrong("has an iDRAC interface, but no account tanremote", "the account tanremote")
        }
        (_, None) => Seen::unknown(one, "tanremote_present"),
    })
}

/// What a rule says of one Appliance.
enum Seen {
    /// It is as it should be.
    Good,
    /// The rule does not concern it.
    Exempt,
    /// It is not as it should be: what is, and what should be.
    Wrong(&'static str, &'static str),
    /// It is not known how it is.
    Unknown(String),
}

impl Seen {
    fn wrong(says: &'static str, expected: &'static str) -> Self {
        Self::Wrong(says, expected)
    }

    fn unknown(one: &Appliance, columns: &str) -> Self {
        Self::Unknown(format!("{}: tanos-monitoring.csv leaves {columns} empty", one.appliance))
    }
}

type Rule = fn(&Facts<'_>, &Appliance) -> Result<Seen, Undecided>;

/// Walks a rule over all Appliances.
fn each_appliance(facts: &Facts<'_>, report: &mut Report, rule: Rule) -> Result<(), Undecided> {
    in_use(facts)?;
    let rows: Vec<Appliance> = facts.rows(&MONITORING)?;
    let mut unknown =
        uncovered(facts, rows.iter().map(|one| one.appliance.as_str()), "tanos-monitoring.csv")?;
    let mut judged = 0;
    for one in &rows {
        match rule(facts, one)? {
            Seen::Exempt => continue,
            Seen::Good => {}
            Seen::Unknown(why) => unknown.push(why),
            Seen::Wrong(says, expected) => report.finding(
                Finding::on(one.subject())
                    .says(format!("{says}{}", one.as_of()))
                    .expected(expected)
                    .evidence(facts.seen(&MONITORING, written(one))),
            ),
        }
        judged += 1;
    }
    settle(&unknown)?;
    if judged == 0 {
        return Err(facts.absent(&MONITORING, "no Appliance is of the kind that this is about"));
    }
    Ok(())
}

/// A row as it was written down.
fn written(one: &Appliance) -> [(&'static str, String); 9] {
    let flag = |flag: Option<bool>| flag.map_or("", |yes| if yes { "yes" } else { "no" }).to_owned();
    [
        ("hardware", one.hardware.clone()),
        ("alert_syslog", one.alert_syslog.clone()),
        ("alert_email", one.alert_email.clone()),
        ("syslog_forward", one.syslog_forward.clone()),
        ("snmp", flag(one.snmp)),
        ("snmp_test_ok", flag(one.snmp_test_ok)),
        ("idrac_configured", flag(one.idrac_configured)),
        ("idrac_snmp", flag(one.idrac_snmp)),
        ("tanremote_present", flag(one.tanremote_present)),
    ]
}

/// Whether a recipient is set; `None` where nobody wrote it down.
pub(crate) fn recipient(text: &str) -> Option<bool> {
    let text = text.trim();
    (!text.is_empty()).then(|| !text.eq_ignore_ascii_case("none"))
}

/// Ends a judge where the organization does not have what the check is about.
fn wanted(facts: &Facts<'_>, setting: &'static Setting, absent: &str) -> Result<(), Undecided> {
    match facts.text(setting)? {
        "no" => Err(Undecided::not_applicable(format!("{absent} (`{}`)", setting.key()))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn healthy() -> Value {
        json!({"appliance": "ts1", "hardware": "physical", "alert_syslog": "log.example.com",
               "alert_email": "ops@example.com", "syslog_forward": "log.example.com", "snmp": "yes",
               "snmp_test_ok": "yes", "idrac_configured": "yes", "idrac_snmp": "yes", "tanremote_present": "yes",
               "captured_at": "2026-06-01"})
    }

    fn case(check: &'static Check, changes: &[(&str, &str)]) -> Case {
        let mut row = healthy();
        for (column, value) in changes {
            row[*column] = json!(value);
        }
        deployment(check, &["ts1.example.com"])
            .rows(&MONITORING, json!([row]))
            .setting("org_has_syslog", "yes")
            .setting("org_has_snmp", "yes")
    }

    const ALL: [&Check; 7] = [
        &IN_PLACE,
        &ALERTS_CONFIGURED,
        &ALERT_EMAIL,
        &SYSLOG_FORWARDING,
        &SNMP,
        &SNMP_IDRAC,
        &IDRAC_TANREMOTE,
    ];

    #[test]
    fn a_monitored_appliance_passes_everything() {
        for check in ALL {
            case(check, &[]).judge().assert_pass();
            case(check, &[]).assert_needs_its_inputs();
        }
    }

    #[test]
    fn an_appliance_without_a_row_decides_nothing() {
        for check in ALL {
            let verdict = deployment(check, &["ts1", "ts2"])
                .rows(&MONITORING, json!([healthy()]))
                .setting("org_has_syslog", "yes")
                .setting("org_has_snmp", "yes")
                .judge();
            verdict.assert_undecided(Outcome::NotEvaluated);
            assert!(verdict.undecided().is_some_and(|why| why.reason.contains("ts2 has no row")));
        }
    }

    #[test]
    fn one_way_of_monitoring_is_enough_and_none_is_found() {
        let none =
            [("alert_syslog", "none"), ("alert_email", "None"), ("syslog_forward", "none"), ("snmp", "no")];
        case(&IN_PLACE, &none).judge().assert_findings(&["ts1"]);
        case(&IN_PLACE, &none[..3]).judge().assert_pass();
        let unknown = [none[0], none[1], none[2], ("snmp", "")];
        case(&IN_PLACE, &unknown).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn alerts_need_a_recipient_and_best_one_by_mail() {
        let (syslog, mail) = (("alert_syslog", "none"), ("alert_email", "none"));
        case(&ALERTS_CONFIGURED, &[syslog, mail]).judge().assert_findings(&["ts1"]);
        case(&ALERTS_CONFIGURED, &[syslog]).judge().assert_pass();
        case(&ALERTS_CONFIGURED, &[syslog, ("alert_email", "")])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        case(&ALERT_EMAIL, &[mail]).judge().assert_findings(&["ts1"]);
        case(&ALERT_EMAIL, &[syslog]).judge().assert_pass();
        case(&ALERT_EMAIL, &[syslog, mail]).judge().assert_undecided(Outcome::NotEvaluated);
        let says = &case(&ALERT_EMAIL, &[mail]).judge().findings()[0].says.clone();
        assert!(says.contains("as of 2026-06-01"), "{says}");
    }

    #[test]
    fn what_the_organization_does_not_have_is_not_demanded() {
        case(&SYSLOG_FORWARDING, &[("syslog_forward", "none")]).judge().assert_findings(&["ts1"]);
        let none = case(&SYSLOG_FORWARDING, &[]).setting("org_has_syslog", "no");
        none.judge().assert_undecided(Outcome::NotApplicable);
        case(&SNMP, &[("snmp", "no")]).judge().assert_findings(&["ts1"]);
        case(&SNMP, &[("snmp_test_ok", "no")]).judge().assert_findings(&["ts1"]);
        case(&SNMP, &[("snmp_test_ok", "")]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&SNMP, &[]).setting("org_has_snmp", "no").judge().assert_undecided(Outcome::NotApplicable);
        let unset = deployment(&SNMP, &["ts1"]).rows(&MONITORING, json!([healthy()]));
        unset.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn only_physical_appliances_have_idrac() {
        for (check, column) in [(&SNMP_IDRAC, "idrac_snmp"), (&IDRAC_TANREMOTE, "tanremote_present")] {
            case(check, &[(column, "no")]).judge().assert_findings(&["ts1"]);
            case(check, &[(column, "")]).judge().assert_undecided(Outcome::NotEvaluated);
            case(check, &[("hardware", "virtual")]).judge().assert_undecided(Outcome::NotApplicable);
            case(check, &[("hardware", "blade")]).judge().assert_undecided(Outcome::NotEvaluated);
        }
        let silent = case(&IDRAC_TANREMOTE, &[("idrac_configured", "")]);
        silent.judge().assert_undecided(Outcome::NotEvaluated);
        silent.clone().setting("idrac_configured", "no").judge().assert_undecided(Outcome::NotApplicable);
        silent.setting("idrac_configured", "yes").judge().assert_pass();
    }

    #[test]
    fn a_word_that_is_neither_yes_nor_no_decides_nothing() {
        case(&SNMP, &[("snmp", "perhaps")]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
