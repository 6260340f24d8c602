//! The reputation sources: each with its present configuration, which a person confirms once.

use crate::failed_requests::{FAILURES, PANEL};
use crate::{GUIDE, SOURCES_CHAPTER, WHO};
use tancheck_plugin_api::prelude::*;

const PAGE: &str = "Modules > Reputation > Settings";

const SOURCES: Input =
    Input::new("reputation.sources", "the configured reputation sources").sources(&[Source::export(
        "reputation-sources-configured.csv",
        PAGE,
        "write one row for each reputation source; Enabled and Key Present: yes or no, never the key itself",
        &["Source", "Enabled", "Address", "Key Present", "Maximum Hashes Processed Per Day"],
    )]);

/// Reputation sources are configured as approved.
pub(crate) const CONFIGURED: Check = Check::hybrid("reputation.sources-configured")
    .title("Reputation sources are configured as approved")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SOURCES, &FAILURES])
    .guide(GUIDE)
    .what("Lists each reputation source with its present configuration until a person confirms it. The confirmation ends when something in it changes, or when requests begin to fail.")
    .why("A source with a wrong key or address answers nothing, and unrated files look like files without a bad reputation.")
    .limits("The settings of sources have no public route: the list is what an administrator wrote down. When a provider's key ends is not visible.")
    .related(&["reputation.failed-requests"])
    .remedy(&REMEDY)
    .judge(configured);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(PAGE, "open {subject} and compare with the account at the provider: enabled, address, key, maximum of hashes"),
    Step::consult(SOURCES_CHAPTER, "correct what differs: key, address, proxy"),
    Step::command(
        "tancheck attest reputation.sources-configured --subject {source} --result done",
        "records that the configuration is as approved; it holds until the configuration changes",
    ),
    Step::console("Modules > Trends > Boards > Reputation", "after a change, watch Failed Outbound API Requests"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Never write the key of a source into an export or a ticket."])
.references(&[SOURCES_CHAPTER])
.verify("reputation.failed-requests");

#[derive(Deserialize)]
struct SourceRow {
    #[serde(rename = "Source", default, deserialize_with = "lenient::text")]
    name: String,
    #[serde(rename = "Enabled", default, deserialize_with = "lenient::flag")]
    enabled: Option<bool>,
    #[serde(rename = "Address", default, deserialize_with = "lenient::text")]
    address: String,
    #[serde(rename = "Key Present", default, deserialize_with = "lenient::flag")]
    key: Option<bool>,
    #[serde(rename = "Maximum Hashes Processed Per Day", default, deserialize_with = "lenient::text")]
    maximum: String,
}

fn configured(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let sources: Vec<SourceRow> = facts.rows(&SOURCES)?;
    if sources.is_empty() {
        return Err(facts.absent(&SOURCES, "no reputation source is configured"));
    }
    let failing = failing(facts, report);
    for source in &sources {
        let (Some(enabled), Some(key)) = (source.enabled, source.key) else {
            return Err(Undecided::not_evaluated(format!(
                "{} has no yes or no under Enabled or Key Present",
                source.name
            )));
        };
        let word = |flag| if flag { "yes" } else { "no" };
        let mut state = format!(
            "enabled: {}, address: {}, key: {}, maximum of hashes: {}",
            word(enabled),
            source.address.trim(),
            word(key),
            source.maximum.trim()
        );
        if failing.iter().any(|name| name.is_empty() || name.eq_ignore_ascii_case(source.name.trim())) {
            state.push_str(", requests fail");
        }
        report.finding(
            Finding::on(Subject::new(
                "reputation source",
                source.name.trim().to_lowercase(),
                source.name.trim(),
            ))
            .says(format!("its configuration awaits a confirmation ({state})"))
            .fill("source", source.name.trim().to_lowercase())
            .confirms(&state)
            .evidence(facts.seen(&SOURCES, &state)),
        );
    }
    Ok(())
}

/// The sources to which requests fail; an empty name stands for all, where only a number was read off.
fn failing(facts: &Facts<'_>, report: &mut Report) -> Vec<String> {
    match PANEL.count(facts) {
        Ok(counted) if counted.count == 0 => Vec::new(),
        Ok(counted) if counted.groups.is_empty() => vec![String::new()],
        Ok(counted) => {
            counted.groups.into_iter().filter(|(_, count)| *count > 0).map(|(name, _)| name).collect()
        }
        Err(why) => {
            report.note(format!("whether requests fail is not known: {}", why.reason));
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(failures: Value) -> Case {
        let source = |name: &str| {
            json!({"Source": name, "Enabled": "yes", "Address": "https://a.example",
            "Key Present": "yes", "Maximum Hashes Processed Per Day": "1000"})
        };
        Case::of(&CONFIGURED)
            .rows(&SOURCES, json!([source("VirusTotal"), source("Other")]))
            .rows(&FAILURES, failures)
    }

    #[test]
    fn each_source_is_listed_with_its_state() {
        let verdict = case(json!([])).judge();
        verdict.assert_findings(&["other", "virustotal"]);
        let state = "enabled: yes, address: https://a.example, key: yes, maximum of hashes: 1000";
        assert!(verdict.findings().iter().all(|finding| finding.state.as_deref() == Some(state)));
    }

    #[test]
    fn failures_change_the_state_of_their_source() {
        let verdict = case(json!([{"Source": "VirusTotal", "Value": "2"}])).judge();
        let state = |key: &str| {
            let finding = verdict.findings().iter().find(|finding| finding.subject.key == key).unwrap();
            finding.state.clone().unwrap()
        };
        assert!(state("virustotal").ends_with("requests fail") && !state("other").ends_with("requests fail"));
        let unread = case(json!([])).unavailable(&FAILURES, Outcome::NotEvaluated).judge();
        assert!(unread.notes()[0].contains("not known"));
    }

    #[test]
    fn no_source_and_unclear_words_decide_nothing() {
        case(json!([])).rows(&SOURCES, json!([])).judge().assert_undecided(Outcome::NotApplicable);
        case(json!([]))
            .rows(&SOURCES, json!([{"Source": "x"}]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        case(json!([])).assert_needs_its_inputs();
    }
}
