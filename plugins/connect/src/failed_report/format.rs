//! `connect.failed-report-format`: the report has the format the receiving team needs.

use super::{GUIDE, READS, REFERENCES, existing};
use crate::WHO;
use crate::inputs::{Connection, DETAILS, Element};
use std::collections::BTreeSet;
use tancheck_plugin_api::prelude::*;

const FORMATS: &[&str] = &["CSV", "DSV", "HTML", "JSON"];

/// The format that the receiving team asked for.
const FORMAT: Setting = Setting::choice("format", None, FORMATS)
    .about("format of the failed connections report, as agreed with the team that receives it");

/// `connect.failed-report-format`
pub const AS_AGREED: Check = Check::hybrid("connect.failed-report-format")
    .title("The report has the format and settings the receiving team needs")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Low)
    .reads(READS)
    .settings(&[&FORMAT])
    .learns(&[&FORMAT])
    .guide(GUIDE)
    .what(
        "Derives the format of the failed connections report from its elements and compares it with \
         `format`, which records what was agreed with the receiving team. Without a recorded agreement, \
         somebody has to confirm the format that is in use.",
    )
    .why("A receiver that cannot read the report drops it, often without telling anybody.")
    .limits("What the receiving team needs beyond the format cannot be seen.")
    .related(&["connect.failed-report-exists"])
    .remedy(&FORMAT_REMEDY)
    .judge(as_agreed);

const FORMAT_REMEDY: Remedy = Remedy::new(&[
    Step::consult(
        "the team that receives the report",
        "agree on CSV, delimiter separated values, HTML or JSON",
    ),
    Step::command(
        "format = \"…\" under [modules.connect]",
        "record the agreement in the configuration of tancheck",
    ),
    Step::console(
        "Modules > Connect > Connections > {subject}",
        "Edit, and set the format and the HTTP settings to what was agreed; Save",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["A new format may stop the receiver from reading the report: change both ends together."])
.references(REFERENCES);

fn as_agreed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let agreed = facts.text(&FORMAT).ok();
    let reports = existing(facts)?;
    // Several reports may have several formats; then no single one is what the site expects.
    let formats: BTreeSet<Option<&str>> = reports.iter().map(|one| format_of(&one.connection)).collect();
    if let [Some(format)] = formats.into_iter().collect::<Vec<_>>()[..]
        && FORMATS.contains(&format)
    {
        report.propose(&FORMAT, format, format!("what {} sends", reports[0].connection.name));
    }
    for one in reports {
        let Some(format) = format_of(&one.connection) else {
            let reason = format!("the format of {:?} is not told by its elements", one.connection.name);
            return Err(Undecided::not_evaluated(reason));
        };
        let says = match agreed {
            Some(agreed) if agreed == format => continue,
            Some(agreed) => format!("sends {format}, and {agreed} was agreed"),
            None => format!("sends {format}, and no agreement with the receiving team is recorded"),
        };
        report.finding(
            Finding::on(one.connection.subject())
                .says(says)
                .expected(agreed.unwrap_or("a recorded agreement"))
                .confirms(format!("format={format}"))
                .evidence(facts.seen(&DETAILS, format)),
        );
    }
    Ok(())
}

/// The format by the routes of the elements; `columns` only selects columns.
fn format_of(connection: &Connection) -> Option<&str> {
    let is_format = |element: &&Element| element.category() == "formats" && !element.is("columns");
    let last = connection.streams.iter().rfind(is_format)?;
    let known = [("csvs", "CSV"), ("rowfieldseparators", "DSV"), ("htmls", "HTML"), ("stringifies", "JSON")];
    Some(known.iter().find(|(kind, _)| last.is(kind)).map_or(last.kind(), |(_, name)| name))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{BOTH, REPORT, case};
    use super::*;
    use serde_json::json;

    #[test]
    fn the_format_must_be_the_agreed_one() {
        let case = |streams| case(&AS_AGREED, json!(BOTH), json!(true), streams);
        case(REPORT).setting("format", "CSV").judge().assert_pass();
        case(REPORT).setting("format", "JSON").judge().assert_findings(&["1"]);
        let open = case(REPORT).judge();
        open.assert_findings(&["1"]);
        assert_eq!(open.proposal("format"), Some(&json!("CSV")));
        assert_eq!(open.findings()[0].state.as_deref(), Some("format=CSV"));
        let columns = &["/v1/sources/events/5", "/v1/formats/columns/1"];
        case(columns).setting("format", "CSV").judge().assert_undecided(Outcome::NotEvaluated);
        case(REPORT).setting("format", "CSV").assert_needs_its_inputs();
    }
}
