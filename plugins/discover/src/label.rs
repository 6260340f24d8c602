//! The label by which endpoints that lost the client are noticed.

use crate::inputs::{LABELS, Label};
use crate::{LABEL_NAME, WHO};
use tancheck_plugin_api::prelude::*;

const LABEL_ALIASES: Setting = Setting::list("label_aliases", &[])
    .about("other names that the label of disconnected endpoints may have");

/// Such a label is there.
pub(crate) const DISCONNECTED_LABEL: Check = Check::hybrid("discover.disconnected-label")
    .title("A Discover label marks endpoints that became unmanaged")
    .cadence(&[Cadence::Setup])
    .severity(Severity::Medium)
    .reads(&[&LABELS])
    .settings(&[&LABEL_NAME, &LABEL_ALIASES])
    .guide(&[
        guide("Configure alerts for disconnected Tanium Clients", 9),
        guide("Check the endpoint count", 12),
    ])
    .what("Looks for an automatic label with the name `label_name`, or one of `label_aliases`. Somebody confirms once that its conditions mark endpoints that had the Tanium Client; the confirmation ends when the label changes.")
    .why("A client that a local administrator removed is missing from every list of the Console. Only Discover still sees the endpoint.")
    .limits("The conditions of a label cannot be read.")
    .related(&["discover.client-audit-profile", "discover.unmanaged-endpoints", "connect.disconnected-client-alert"])
    .remedy(&REMEDY)
    .judge(disconnected_label);

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Discover > Labels", "look at {subject}: its type, and the conditions that put it on an interface"),
    Step::decision(
        "there is none",
        "make one of type Automatic whose conditions mark endpoints that were managed and are not managed now (Client \
         Management User Guide: Audit and remediate disconnected Tanium Clients)",
    ),
    Step::decision("it is a standard label", "make an automatic one in its place: a standard one is put on by hand"),
    Step::command(
        "tancheck attest discover.disconnected-label --subject {key} --result done",
        "records that its conditions mark what they should",
    ),
    Step::decision("alerts go through Connect", "use the label as the source of that connection"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Client Management User Guide: Audit and remediate disconnected Tanium Clients",
    "Discover User Guide: Automatically label interfaces",
]);

fn disconnected_label(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let labels: Vec<Label> = facts.rows(&LABELS)?;
    let name = facts.text(&LABEL_NAME)?;
    let names = [vec![name], facts.list(&LABEL_ALIASES)].concat();
    let named: Vec<&Label> = names
        .iter()
        .filter_map(|name| labels.iter().find(|label| label.name.eq_ignore_ascii_case(name)))
        .collect();
    let is = |label: &&&Label, kind: &str| label.kind.eq_ignore_ascii_case(kind);
    if let Some(label) = named.iter().find(|label| is(label, "automatic")) {
        let changed = label.modified.map_or_else(|| label.conditions.clone(), |time| time.to_string());
        report.finding(
            Finding::on(subject(&label.name))
                .says("is there; whether its conditions mark the right endpoints has to be confirmed once")
                .fill("key", label.name.to_lowercase())
                .confirms(format!("automatic, as of {changed}"))
                .evidence(facts.seen(&LABELS, [&label.name, &label.kind])),
        );
        return Ok(());
    }
    if let Some(label) = named.iter().find(|label| is(label, "standard")) {
        report.finding(
            Finding::on(subject(&label.name))
                .severity(Severity::Low)
                .says("is a standard label, which somebody has to put on by hand")
                .expected("an automatic label")
                .fill("key", label.name.to_lowercase())
                .evidence(facts.seen(&LABELS, [&label.name, &label.kind])),
        );
        return Ok(());
    }
    if let Some(label) = named.first() {
        return Err(Undecided::not_evaluated(format!(
            "the type {:?} of the label {} is not known",
            label.kind, label.name
        )));
    }
    if let Some(gap) = facts.gaps(&LABELS)?.first() {
        return Err(Undecided::not_evaluated(format!(
            "no such label is in the list, which is not complete: {gap}"
        )));
    }
    report.finding(
        Finding::on(subject(name))
            .says(format!("no label is called {}", names.join(" or ")))
            .expected("an automatic label for endpoints that lost the client")
            .fill("key", name.to_lowercase())
            .evidence(facts.seen(&LABELS, labels.len())),
    );
    Ok(())
}

fn subject(name: &str) -> Subject {
    Subject::new("label", name.to_lowercase(), name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(name: &str, kind: &str) -> Case {
        let rows: Value = json!([{"name": name, "type": kind, "modifiedTime": "2026-01-02T00:00:00Z"}]);
        Case::of(&DISCONNECTED_LABEL).rows(&LABELS, rows)
    }

    #[test]
    fn an_automatic_label_is_confirmed_until_it_changes() {
        let verdict = case("disconnected", "AUTOMATIC").judge();
        verdict.assert_findings(&["disconnected"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("automatic, as of 2026-01-02T00:00:00Z"));
        case("disconnected", "AUTOMATIC").assert_needs_its_inputs();
        let other = case("Gone", "AUTOMATIC").setting("label_aliases", json!(["gone"])).judge();
        assert!(other.findings()[0].state.is_some());
    }

    #[test]
    fn a_standard_or_missing_label_is_found() {
        let standard = case("Disconnected", "STANDARD").judge();
        standard.assert_findings(&["disconnected"]);
        assert_eq!(
            (standard.findings()[0].severity, &standard.findings()[0].state),
            (Some(Severity::Low), &None)
        );
        let missing = case("Other", "AUTOMATIC").judge();
        missing.assert_findings(&["disconnected"]);
        assert_eq!(missing.findings()[0].state, None, "nobody can confirm a label that is not there");
        case("Other", "AUTOMATIC").gap(&LABELS, "cut").judge().assert_undecided(Outcome::NotEvaluated);
        case("Disconnected", "MAGIC").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_exported_list_is_read() {
        let rows = json!([{"Name": "Disconnected", "Type": "Automatic", "Conditions": "Last Managed is older than 1 day"}]);
        let verdict = Case::of(&DISCONNECTED_LABEL).rows(&LABELS, rows).judge();
        assert_eq!(
            verdict.findings()[0].state.as_deref(),
            Some("automatic, as of Last Managed is older than 1 day")
        );
    }
}
