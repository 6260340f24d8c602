//! Guide: *Configure TanOS alerts* and *Configure syslog forwarding*, page 9: do messages arrive, and does somebody act?

use crate::inputs::{APPLIANCES, Appliance, MONITORING, TANADMIN, TROUBLESHOOTING, in_use};
use crate::monitoring::recipient;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::LICENSE;

/// How long an Appliance may be silent.
const SILENCE_MINUTES: Setting = Setting::integer("silence_minutes", 60, 1, 100_000)
    .unit("minutes")
    .about("how long the syslog server may have heard nothing of an Appliance");

/// The last message of the most silent Appliance.
const LAST_MESSAGE: Input =
    Input::new("appliance.last-syslog-message", "the last message of the Appliance that is silent longest")
        .sources(&[Source::answer(
            "Look at the syslog server: of the Appliance that has been silent longest, when did the last message arrive \
             (as 2026-11-30 14:05, UTC)?",
            Accepts::Text,
            31,
        )]);

/// Notices about a syslog server that failed.
const FAILURE_NOTICES: Input = Input::new(
    "appliance.syslog-failure-notices",
    "notices about a failing syslog server",
)
.sources(&[Source::answer(
    "Did the mail recipient of TanOS alerts get notices about a failing syslog server since the last review?",
    Accepts::YesNo,
    31,
)]);

/// The syslog server accepts the messages.
pub(crate) const DELIVERY: Check = Check::hybrid("appliance.syslog-delivery")
    .title("The syslog server accepts the Appliances' messages")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&LICENSE, &MONITORING, &LAST_MESSAGE, &FAILURE_NOTICES])
    .settings(&[&APPLIANCES, &SILENCE_MINUTES])
    .guide(&[guide("Configure TanOS alerts", 9), guide("Configure syslog forwarding", 9)])
    .applies("Appliances that forward their logs")
    .what("Takes two answers: whether failure notices came by mail, and when the syslog server last heard of the Appliance that has been silent longest. The silence is measured until the time of the answer.")
    .why("Forwarding that is set up and does not arrive looks like peace, and leaves no trail.")
    .limits("Both are what a person read off; the answers are good for 31 days.")
    .related(&["appliance.alert-email", "appliance.syslog-forwarding"])
    .remedy(&DELIVERY_REMEDY)
    .judge(syslog_delivery);

const DELIVERY_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the syslog administrator and the networking team",
        "repair the syslog server, the network or the firewall between it and the Appliances",
    ),
    Step::decision(
        "the syslog server was retired for good",
        "set another one, or turn syslog forwarding off in TanOS, which ends the notices as well",
    ),
    Step::command(
        "tancheck answer appliance.last-syslog-message TIME",
        "after the next message arrived; and `tancheck answer appliance.syslog-failure-notices no`",
    ),
])
.cautions(&[
    "Turning forwarding off only to silence the notices removes the trail of the logs: repair it instead.",
])
.who("a TanOS user with the role tanadmin, and the syslog administrator")
.risk(Risk::Low, Reversible::Yes)
.references(&["Appliance Deployment Guide: Configuring syslog"]);

fn syslog_delivery(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    in_use(facts)?;
    let rows: Vec<Appliance> = facts.rows(&MONITORING)?;
    if !rows.is_empty() && rows.iter().all(|one| recipient(&one.syslog_forward) == Some(false)) {
        return Err(facts.absent(&MONITORING, "no Appliance forwards its logs"));
    }
    let notices = facts.answer(&FAILURE_NOTICES);
    if notices.as_ref().is_ok_and(|answer| answer.value.as_bool() == Some(true)) {
        report.finding(
            Finding::on(Subject::new("syslog", "notices", "the syslog server"))
                .says("failed: the mail recipient got notices about it")
                .expected("no such notices")
                .evidence(facts.seen(&FAILURE_NOTICES, true)),
        );
    }
    let last = facts.answer(&LAST_MESSAGE)?;
    let told = last.value.as_str().unwrap_or_default();
    let Some(arrived) = lenient::parse_time(told).ok().flatten() else {
        return Err(Undecided::not_evaluated(format!(
            "the answer {told:?} is no time: answer appliance.last-syslog-message as 2026-11-30 14:05"
        )));
    };
    let minutes = last.at.duration_since(arrived).as_mins();
    let limit = facts.integer(&SILENCE_MINUTES)?;
    if minutes > limit {
        report.finding(
            Finding::on(Subject::new("syslog", "silence", "the syslog server"))
                .says(format!("had heard nothing of an Appliance for {minutes} minutes"))
                .expected(format!("a message within {limit} minutes"))
                .evidence(facts.seen(&LAST_MESSAGE, told)),
        );
    }
    notices.map(|_| ())
}

/// Somebody followed up on what monitoring showed.
pub(crate) const ALERTS_TRIAGED: Check = Check::attested("appliance.monitoring-alerts-triaged")
    .title("What Appliance monitoring showed was followed up")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&LICENSE])
    .settings(&[&APPLIANCES, &TRIAGE_DUE_EVERY_DAYS])
    .due_every(&TRIAGE_DUE_EVERY_DAYS)
    .guide(&[guide("Configure Tanium Appliance monitoring", 9)])
    .applies("Appliances")
    .what("Asks whether each alert of an Appliance was followed up, or none came.")
    .why("An alert that nobody acts on was sent for nothing.")
    .related(&["appliance.monitoring-in-place"])
    .remedy(&TRIAGED_REMEDY)
    .judge(|facts, report| {
        in_use(facts)?;
        report.finding(
            Finding::on(Subject::new("task", "alerts", "Appliance alerts"))
                .says(
                    "have to be followed up: confirm for each alert who did what about it, or that none came",
                )
                .expected("person and action for each alert")
                .evidence(facts.seen(&LICENSE, "appliance")),
        );
        Ok(())
    });

/// How long such a confirmation is good for.
const TRIAGE_DUE_EVERY_DAYS: Setting = Setting::integer("triage_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how often somebody confirms that alerts of Appliances were followed up");

const TRIAGED_REMEDY: Remedy = Remedy::new(&[
    Step::consult(TROUBLESHOOTING, "follow it for the alert"),
    Step::command(
        "tancheck attest appliance.monitoring-alerts-triaged --subject alerts --result done --note 'alert, person, action'",
        "records what was done about which alert; `--note none` where none came",
    ),
    Step::support("if an alert cannot be resolved: bring the output of the TanOS Health Check"),
])
.who(TANADMIN)
.references(&[TROUBLESHOOTING]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::tests::deployment;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn case(last: &str, notices: bool) -> Case {
        deployment(&DELIVERY, &[])
            .rows(&MONITORING, json!([{"appliance": "ts1", "syslog_forward": "log.example.com"}]))
            .answer(&LAST_MESSAGE, last)
            .answer(&FAILURE_NOTICES, notices)
    }

    #[test]
    fn messages_that_arrive_pass_and_silence_is_found() {
        case("2026-06-30 11:30", false).judge().assert_pass();
        case("2026-06-30T11:00:00Z", false).judge().assert_pass();
        case("2026-06-30 10:59", false).judge().assert_findings(&["silence"]);
        case("2026-06-30 11:30", true).judge().assert_findings(&["notices"]);
        case("2026-06-30 10:00", true).judge().assert_findings(&["notices", "silence"]);
        case("2026-06-30 11:30", false).assert_needs_its_inputs();
    }

    #[test]
    fn silence_is_measured_until_the_answer_was_given() {
        let later = case("2026-06-30 11:30", false).at("2026-07-10T12:00:00Z");
        later.judge().assert_pass();
    }

    #[test]
    fn what_is_no_time_or_not_forwarded_is_not_judged() {
        case("just now", false).judge().assert_undecided(Outcome::NotEvaluated);
        let none = case("2026-06-30 11:30", false)
            .rows(&MONITORING, json!([{"appliance": "ts1", "syslog_forward": "none"}]));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn alerts_await_a_person_where_there_are_appliances() {
        deployment(&ALERTS_TRIAGED, &[]).judge().assert_findings(&["alerts"]);
        let none = deployment(&ALERTS_TRIAGED, &[]).setting("appliances", "no");
        none.judge().assert_undecided(Outcome::NotApplicable);
        Case::of(&ALERTS_TRIAGED).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
