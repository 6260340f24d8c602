//! `connect.failed-report-listening`: the report is switched on.

use super::{GUIDE, READS, REFERENCES, existing};
use crate::WHO;
use crate::inputs::CONNECTIONS;
use tancheck_plugin_api::prelude::*;

/// `connect.failed-report-listening`
pub const LISTENING: Check = Check::automated("connect.failed-report-listening")
    .title("The report is switched on")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(READS)
    .guide(GUIDE)
    .what("Reads whether the failed connections report is enabled. With several reports, one that is on is enough.")
    .why("A report that is configured and not switched on looks exactly like a deployment without failures.")
    .limits(
        "The Console calls it Listen for this Event; the service calls it `enabled`. That both are the same \
         is an inference: compare them once on site.",
    )
    .related(&["connect.failed-report-exists"])
    .remedy(&LISTENING_REMEDY)
    .judge(listening);

const LISTENING_REMEDY: Remedy = Remedy::new(&[Step::console(
    "Modules > Connect > Connections > {subject}",
    "Edit, select Listen for this Event, Save",
)])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(REFERENCES);

fn listening(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let reports = existing(facts)?;
    if reports.iter().any(|one| one.connection.is_on()) {
        return Ok(());
    }
    if let Some(untold) = reports.iter().find(|one| one.connection.enabled.is_none()) {
        let reason = format!("whether {:?} is switched on was not told", untold.connection.name);
        return Err(Undecided::not_evaluated(reason));
    }
    for one in reports {
        report.finding(
            Finding::on(one.connection.subject())
                .says("the report is switched off")
                .expected("Listen for this Event is selected")
                .evidence(facts.seen(&CONNECTIONS, one.connection.enabled)),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{BOTH, REPORT, case};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_report_must_be_switched_on() {
        case(&LISTENING, json!(BOTH), json!(true), REPORT).judge().assert_pass();
        case(&LISTENING, json!(BOTH), json!(false), REPORT).judge().assert_findings(&["1"]);
        case(&LISTENING, json!(BOTH), json!(null), REPORT).judge().assert_undecided(Outcome::NotEvaluated);
        case(&LISTENING, json!(BOTH), json!(true), REPORT).assert_needs_its_inputs();
    }
}
