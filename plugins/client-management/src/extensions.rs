//! "Review and remediate Tanium Client health and client extension issues", page 19: failures of client extensions.

use crate::inputs::{EXTENSIONS, HealthFailure};
use crate::spread::complete;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] =
    &[guide("Review and remediate Tanium Client health and client extension issues", 19)];

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may have a failure of a client extension");

const HEALTHY_STATES: Setting =
    Setting::list("healthy_states", &["healthy", "ok", "good", "running", "loaded", "started", "success"]).about(
        "states of a client extension that are no failure; needed only where the sensor has a state and no column of \
         failures",
    );

const LIMITS: &str = "The columns of the sensor are not documented: they are recognized by their names, and the check does \
    not decide where it cannot tell the extension or the failure. The question behind the panel Health Failures is not \
    printed in the guide and may differ. An endpoint with several failures of one extension is counted for each.";

const WHO: &str =
    "a user holding the Client Management role permissions named in the Client Management user guide";

const PANEL: &str = "Administration > Shared Services > Client Management > Client Health > Deployment";

const QUESTION: &str = "Get Computer Name and Client Extensions - Status from all machines";

const LIST: Step =
    Step::console(PANEL, "select the Interact icon of the panel Health Failures to list the endpoints");

const DRILL_DOWN: Step =
    Step::question(QUESTION, "find the endpoints whose extension {subject} failed, and the failure's text");

pub(crate) const INDEX: Check = extension_check("client-management.cx-index")
    .title("No failures of the Client Index Extension")
    .what(
        "Asks every endpoint for the state of its client extensions and reports failures of the domain `index` on more \
         than `max_endpoints` endpoints.",
    )
    .why(
        "The index is what searches for files and hashes read. An endpoint whose index failed finds nothing, and looks \
         as if it had nothing.",
    )
    .related(&["endpoint-configuration.tools-status", "client-management.cx-other"])
    .remedy(&FIX_INDEX)
    .judge(cx_index);

const FIX_INDEX: Remedy = Remedy::new(&[
    LIST,
    DRILL_DOWN,
    Step::consult(
        "Tanium Client Index Extension User Guide: Reference: Common health check issues",
        "look up the failure's text and follow its entry",
    ),
    Step::decision(
        "the extension is missing or outdated",
        "see Endpoint Configuration for the state of its tools",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Tanium Client Index Extension User Guide: Reference: Common health check issues",
    "Tanium Console User Guide: Managing question results",
]);

pub(crate) const RECORDER: Check = extension_check("client-management.cx-recorder")
    .title("No failures of the Client Recorder Extension")
    .what(
        "Asks every endpoint for the state of its client extensions and reports failures of the domain `recorder` on \
         more than `max_endpoints` endpoints.",
    )
    .why("What was not recorded cannot be looked up after an incident.")
    .related(&["endpoint-configuration.tools-status", "client-management.cx-other"])
    .remedy(&FIX_RECORDER)
    .judge(cx_recorder);

const FIX_RECORDER: Remedy = Remedy::new(&[
    LIST,
    DRILL_DOWN,
    Step::consult(
        "Tanium Client Recorder Extension User Guide: Troubleshooting the Client Recorder Extension",
        "look up the failure's text and follow its entry",
    ),
    Step::decision(
        "the extension is missing or outdated",
        "see Endpoint Configuration for the state of its tools",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Tanium Client Recorder Extension User Guide: Troubleshooting the Client Recorder Extension",
    "Tanium Console User Guide: Managing question results",
]);

pub(crate) const OTHER: Check = extension_check("client-management.cx-other")
    .title("No failures of other client extensions")
    .what(
        "Asks every endpoint for the state of its client extensions and reports, domain by domain, failures of all but \
         `index` and `recorder` on more than `max_endpoints` endpoints.",
    )
    .why("Each solution does its work on endpoints through an extension; where it fails, the solution is blind.")
    .related(&["endpoint-configuration.tools-status", "client-management.cx-index", "client-management.cx-recorder"])
    .remedy(&FIX_OTHER)
    .judge(cx_other);

const FIX_OTHER: Remedy = Remedy::new(&[
    LIST,
    DRILL_DOWN,
    Step::consult(
        "Tanium Console User Guide: Troubleshoot solution-specific issues",
        "go to the guide of the solution that the domain belongs to; dec, stream and threatresponse belong to Threat \
         Response",
    ),
    Step::consult(
        "Tanium Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions",
        "reinstall or unblock the extension's tools",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[
    "Tanium Console User Guide: Troubleshoot solution-specific issues",
    "Tanium Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions",
]);

/// What the three checks have in common.
const fn extension_check(id: &'static str) -> Check {
    Check::automated(id)
        .cadence(&[Cadence::Monthly])
        .severity(Severity::Medium)
        .reads(&[&EXTENSIONS])
        .settings(&[&MAX_ENDPOINTS, &HEALTHY_STATES])
        .guide(GUIDE)
        .limits(LIMITS)
        .even_if_absent()
}

fn cx_index(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, |domain| domain == "index")
}

fn cx_recorder(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, |domain| domain == "recorder")
}

fn cx_other(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    judge(facts, report, |domain| domain != "index" && domain != "recorder")
}

fn judge(facts: &Facts<'_>, report: &mut Report, ours: impl Fn(&str) -> bool) -> Result<(), Undecided> {
    let health = Health::of(facts)?;
    let most = facts.integer(&MAX_ENDPOINTS)?.max(0) as u64;
    for (domain, failures) in health.failures.iter().filter(|(domain, _)| ours(domain)) {
        if failures.count <= most {
            continue;
        }
        let texts: Vec<&str> = failures.texts.iter().map(String::as_str).take(3).collect();
        report.finding(
            Finding::on(Subject::new("client extension", domain, domain))
                .says(format!(
                    "failed on {}{} endpoints: {}",
                    failures.up_to(),
                    failures.count,
                    texts.join("; ")
                ))
                .expected(if most == 0 {
                    "no failure".to_owned()
                } else {
                    format!("at most {most} endpoints")
                })
                .affected(failures.count, health.answered)
                .sample(&failures.sample)
                .evidence(facts.seen(&EXTENSIONS, texts)),
        );
    }
    if let Some(answered) = health.answered {
        complete("Client Extensions - Status", answered, health.unknown)?;
    }
    let unclear = health.unclear.iter().filter(|(domain, _)| ours(domain));
    let unclear: Vec<String> = unclear.map(|(domain, state)| format!("{domain}: {state:?}")).collect();
    if !unclear.is_empty() {
        return Err(Undecided::not_evaluated(format!(
            "whether these states of client extensions are failures is not known: {}; add the good ones to \
             `healthy_states`",
            unclear.join(", ")
        )));
    }
    Ok(())
}

/// The failures of one domain.
#[derive(Debug, Default, PartialEq)]
struct Failures {
    /// Endpoints, or a bit more: an endpoint counts for each of its failures.
    count: u64,
    texts: BTreeSet<String>,
    sample: Vec<String>,
}

impl Failures {
    fn up_to(&self) -> &'static str {
        // Endpoints of different failures may be the same ones; a list of names has each once.
        if self.texts.len() > 1 && self.sample.is_empty() { "up to " } else { "" }
    }

    fn add(&mut self, text: &str, count: u64) {
        self.count += count;
        self.texts.insert(if text.is_empty() { "no text".to_owned() } else { text.to_owned() });
    }
}

/// What is known about all extensions.
#[derive(Debug, Default)]
struct Health {
    failures: BTreeMap<String, Failures>,
    /// States of which it is not known whether they are failures.
    unclear: BTreeSet<(String, String)>,
    /// Endpoints that answered; unknown for an exported list of failures.
    answered: Option<u64>,
    /// Endpoints that answered without a usable value.
    unknown: u64,
}

impl Health {
    fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        match facts.body(&EXTENSIONS)? {
            Body::Rows(_) => Ok(Self::exported(&facts.rows::<HealthFailure>(&EXTENSIONS)?)),
            _ => Self::answered(facts.tally(&EXTENSIONS)?, &facts.list(&HEALTHY_STATES)),
        }
    }

    /// From the results behind the panel Health Failures: every row is a failure.
    fn exported(rows: &[HealthFailure]) -> Self {
        let mut health = Self::default();
        let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.domain.trim().is_empty()) {
            let domain = domain(&row.domain);
            let names = named.entry(domain.clone()).or_default();
            let known = !row.computer_name.is_empty() && !names.insert(&row.computer_name);
            let count = row.count.map_or(1, |count| count as u64);
            health.failures.entry(domain).or_default().add(row.failure.trim(), if known { 0 } else { count });
        }
        for (domain, names) in named {
            if let Some(failures) = health.failures.get_mut(&domain) {
                failures.sample =
                    names.into_iter().filter(|name| !name.is_empty()).take(5).map(str::to_owned).collect();
            }
        }
        health
    }

    /// From the question's counted rows: one row for each domain, state and failure.
    fn answered(tally: &Tally, healthy: &[&str]) -> Result<Self, Undecided> {
        let columns = Columns::of(tally)?;
        let mut health = Self {
            answered: Some(tally.answered),
            unknown: tally.other + tally.without_value.values().sum::<u64>(),
            ..Self::default()
        };
        for row in &tally.rows {
            for (domain_cell, told) in columns.read(&row.cells) {
                let domain = domain(&domain_cell);
                match told.verdict(healthy) {
                    Verdict::Healthy => {}
                    Verdict::Failed(text) => {
                        let failures = health.failures.entry(domain).or_default();
                        failures.add(&text, row.count);
                        failures.sample.extend(row.sample.iter().cloned());
                    }
                    Verdict::Unclear(text) => {
                        health.unclear.insert((domain, text));
                    }
                }
            }
        }
        Ok(health)
    }
}

/// The domain of an extension: `Client Index Extension` and `index` are the same.
fn domain(text: &str) -> String {
    let text = text.trim().to_lowercase();
    let known = |name: &str| text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == name);
    ["index", "recorder"].into_iter().find(|name| known(name)).map_or(text.clone(), str::to_owned)
}

/// Where the sensor tells the extension and what became of it. The vendor's documents name no column, so the names
/// that the sensor has at run time decide.
#[derive(Debug, PartialEq)]
struct Columns {
    domain: usize,
    failure: Option<usize>,
    state: Option<usize>,
}

impl Columns {
    fn of(tally: &Tally) -> Result<Self, Undecided> {
        let column = |words: &[&str]| {
            tally.columns.iter().position(|name| {
                let name = name.to_lowercase();
                words.iter().any(|word| name.contains(word))
            })
        };
        let domain = column(&["domain"]).or_else(|| column(&["extension"]));
        let others = |position: &usize| Some(*position) != domain;
        let failure = column(&["failure", "error"]).filter(others);
        let state = column(&["status", "state", "health"]).filter(others).or_else(|| {
            // The sensor's own name holds "Extensions" and "Status": a column of that name says nothing.
            tally.columns.iter().position(|name| name.eq_ignore_ascii_case("result"))
        });
        match domain {
            Some(domain) if failure.is_some() || state.is_some() => Ok(Self { domain, failure, state }),
            _ => Err(Undecided::not_evaluated(format!(
                "the columns of the sensor Client Extensions - Status tell no extension with a state or a failure; found: \
                 {}; export client-health-failures.csv instead",
                if tally.columns.is_empty() { "none".to_owned() } else { tally.columns.join(", ") }
            ))),
        }
    }

    /// The extensions of one row. Cells with several values belong together line by line.
    fn read(&self, cells: &[String]) -> Vec<(String, Told)> {
        let lines = |column: Option<usize>| -> Vec<&str> {
            column
                .and_then(|column| cells.get(column))
                .map(|cell| cell.split('\n').collect())
                .unwrap_or_default()
        };
        let (failures, states) = (lines(self.failure), lines(self.state));
        let told = |line: usize| Told {
            failure: self.failure.map(|_| failures.get(line).copied().unwrap_or_default().trim().to_owned()),
            state: self.state.map(|_| states.get(line).copied().unwrap_or_default().trim().to_owned()),
        };
        let domains = lines(Some(self.domain)).into_iter().enumerate();
        domains
            .filter(|(_, domain)| !domain.trim().is_empty())
            .map(|(line, domain)| (domain.to_owned(), told(line)))
            .collect()
    }
}

/// What the sensor says of one extension.
struct Told {
    failure: Option<String>,
    state: Option<String>,
}

enum Verdict {
    Healthy,
    Failed(String),
    Unclear(String),
}

impl Told {
    fn verdict(&self, healthy: &[&str]) -> Verdict {
        let among = |words: &[&str], text: &str| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if let Some(failure) = &self.failure
            && !among(&["", "none", "no", "false", "0", "n/a"], failure)
        {
            return Verdict::Failed(failure.clone());
        }
        let Some(state) = self.state.as_deref().filter(|state| !state.is_empty()) else {
            // A column of failures that is empty says that there is none; without one, nothing was said.
            return if self.failure.is_some() { Verdict::Healthy } else { Verdict::Unclear(String::new()) };
        };
        let lower = state.to_lowercase();
        if among(healthy, state) {
            Verdict::Healthy
        } else if ["fail", "error", "unhealthy", "crash"].iter().any(|word| lower.contains(word)) {
            Verdict::Failed(state.to_owned())
        } else if self.failure.is_some() {
            Verdict::Healthy
        } else {
            Verdict::Unclear(state.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::TallyRow;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    fn table(columns: &[&str], rows: &[(&[&str], u64)]) -> Tally {
        Tally {
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: rows
                .iter()
                .map(|(cells, count)| TallyRow {
                    cells: cells.iter().map(ToString::to_string).collect(),
                    count: *count,
                    sample: Vec::new(),
                })
                .collect(),
            answered: 100,
            expected: 100,
            ..Tally::default()
        }
    }

    fn case(check: &'static Check, tally: Tally) -> Case {
        Case::of(check).body(&EXTENSIONS, Body::Tally(tally))
    }

    fn failing(check: &'static Check) -> Case {
        let rows: &[(&[&str], u64)] = &[
            (&["index", "Healthy", ""], 97),
            (&["index", "Failed", "database is locked"], 3),
            (&["recorder", "Failed", "driver missing"], 4),
            (&["recorder", "Failed", "no space"], 2),
            (&["stream", "Failed", ""], 1),
        ];
        case(check, table(&["Domain", "Status", "Failure"], rows))
    }

    #[test]
    fn each_check_sees_its_own_domain_and_counts_endpoints() {
        failing(&INDEX).judge().assert_findings(&["index"]);
        failing(&RECORDER).judge().assert_findings(&["recorder"]);
        failing(&OTHER).judge().assert_findings(&["stream"]);
        let verdict = failing(&RECORDER).judge();
        let finding = &verdict.findings()[0];
        assert_eq!(
            finding.affected.as_ref().map(|affected| (affected.count, affected.of)),
            Some((6, Some(100)))
        );
        assert_eq!(finding.says, "failed on up to 6 endpoints: driver missing; no space");
    }

    #[test]
    fn the_limit_of_endpoints_counts() {
        failing(&INDEX).setting("max_endpoints", 3).judge().assert_pass();
        failing(&INDEX).setting("max_endpoints", 2).judge().assert_findings(&["index"]);
    }

    #[test]
    fn no_failure_passes_and_no_answer_does_not() {
        let healthy = table(&["Domain", "Status", "Failure"], &[(&["index", "Healthy", ""], 100)]);
        for check in [&INDEX, &RECORDER, &OTHER] {
            case(check, healthy.clone()).judge().assert_pass();
            case(check, healthy.clone()).assert_needs_its_inputs();
        }
        let mut silent = healthy.clone();
        silent.without_value.insert("[no results]".into(), 6);
        case(&INDEX, silent).judge().assert_undecided(Outcome::NotEvaluated);
        let nobody = Tally { answered: 0, rows: Vec::new(), ..healthy };
        case(&INDEX, nobody).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn columns_that_say_nothing_are_named() {
        let verdict = case(&INDEX, table(&["A", "B"], &[(&["index", "Failed"], 1)])).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("found: A, B"));
        case(&INDEX, table(&["Client Extensions - Status"], &[(&["index"], 1)]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn a_state_alone_is_judged_by_the_words_that_are_known() {
        let state = |state| table(&["Extension", "State"], &[(&["index", state], 100)]);
        case(&INDEX, state("Running")).judge().assert_pass();
        case(&INDEX, state("Crashed")).judge().assert_findings(&["index"]);
        let verdict = case(&INDEX, state("Dormant")).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().unwrap().reason.contains("Dormant"));
        case(&INDEX, state("Dormant")).setting("healthy_states", json!(["dormant"])).judge().assert_pass();
        case(&INDEX, state("")).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn several_values_of_one_cell_belong_together_line_by_line() {
        let tally = table(&["Domain", "Failure"], &[(&["index\nrecorder\nconfig", "\ndriver missing\n"], 5)]);
        case(&INDEX, tally.clone()).judge().assert_pass();
        case(&RECORDER, tally).judge().assert_findings(&["recorder"]);
    }

    #[test]
    fn an_exported_list_holds_failures_only() {
        let rows = json!([
            {"Domain": "Client Index Extension", "Failure": "locked", "Count": 3},
            {"Domain": "stream", "Failure": "a", "Computer Name": "one"},
            {"Domain": "stream", "Failure": "b", "Computer Name": "one"}]);
        Case::of(&INDEX).rows(&EXTENSIONS, rows.clone()).judge().assert_findings(&["index"]);
        let verdict = Case::of(&OTHER).rows(&EXTENSIONS, rows).judge();
        verdict.assert_findings(&["stream"]);
        let affected = verdict.findings()[0].affected.clone().unwrap();
        assert_eq!((affected.count, affected.sample), (1, vec!["one".to_owned()]));
        Case::of(&RECORDER).rows(&EXTENSIONS, json!([])).judge().assert_pass();
    }
}
