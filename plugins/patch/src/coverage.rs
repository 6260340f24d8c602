//! Guide: *Review and remediate Patch coverage*, page 30.

use crate::WHO;
use crate::inputs::{
    COVERAGE, COVERAGE_PANEL, COVERAGE_REPORT, PROCESS_ANSWERS, PROCESS_PANEL, PROCESS_SENSOR, count, share,
};
use records::reports::{self, REPORTS, ResultRow};
use std::collections::BTreeMap;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and remediate Patch coverage", 30)];
const COVERAGE_GUIDE: &str = "Patch User Guide: Monitor and troubleshoot Patch coverage";

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may be without a running Patch process, in error, or in need of attention");

/// The Patch process runs everywhere.
pub(crate) const NOT_RUNNING: Check = Check::automated("patch.process-not-running")
    .title("The Patch process runs on all endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&PROCESS_ANSWERS, &PROCESS_PANEL])
    .settings(&[&MAX_ENDPOINTS, &PROCESS_SENSOR])
    .guide(GUIDE)
    .what("Counts the endpoints that the panel Running Patch shows under No. More than `max_endpoints` are a finding.")
    .why("Without its process an endpoint neither scans nor installs.")
    .limits(PROCESS_LIMITS)
    .related(&["patch.start-process-action-group", "patch.process-error"])
    .remedy(&NOT_RUNNING_REMEDY)
    .judge(|facts, report| process(facts, report, "no", "the Patch process does not run"));

const PROCESS_LIMITS: &str = "The sensor behind the panel is not public: name it in `process_sensor`, or export the panel. Endpoints that answer without a value are told with the outcome, and count neither as good nor as bad.";

const NOT_RUNNING_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Overview, dashboard Health",
        "click the number above No in the panel Running Patch",
    ),
    Step::consult("the Patch User Guide, coverage", "how to bring the process up on these endpoints"),
    Step::console(
        "Administration > Actions > Scheduled Actions > Patch - Start Patch Process",
        "look whether its action group holds these endpoints; see patch.start-process-action-group",
    ),
])
.cautions(&["Do not delete the action: it belongs to Patch."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&[COVERAGE_GUIDE]);

/// The Patch process is not in error.
pub(crate) const ERROR: Check = Check::automated("patch.process-error")
    .title("The Patch process is nowhere in error")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&PROCESS_ANSWERS, &PROCESS_PANEL])
    .settings(&[&MAX_ENDPOINTS, &PROCESS_SENSOR])
    .guide(GUIDE)
    .what("Counts the endpoints that the panel Running Patch shows under Error. More than `max_endpoints` are a finding.")
    .why("A process in error neither scans nor installs, and starting it again may not help.")
    .limits(PROCESS_LIMITS)
    .related(&["patch.process-not-running"])
    .remedy(&ERROR_REMEDY)
    .judge(|facts, report| process(facts, report, "error", "the Patch process is in error"));

const ERROR_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Overview, dashboard Health",
        "click the number above Error in the panel Running Patch",
    ),
    Step::consult("the Patch User Guide, coverage", "what the error means and how to correct it"),
    Step::support("send the Patch log of one of these endpoints if the guide does not help"),
])
.who(WHO)
.references(&[COVERAGE_GUIDE]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProcessRow {
    #[serde(rename = "Computer Name", deserialize_with = "lenient::text")]
    computer: String,
    #[serde(rename = "Patch process status", deserialize_with = "lenient::text")]
    status: String,
}

/// Endpoints by status of their process: how many, and a few names.
#[derive(Default)]
struct Statuses {
    by_status: BTreeMap<String, (u64, Vec<String>)>,
    without_value: u64,
}

impl Statuses {
    fn add(&mut self, status: &str, endpoints: u64, names: &[String]) {
        let (count, known) = self.by_status.entry(status.trim().to_lowercase()).or_default();
        *count += endpoints;
        known.extend(names.iter().take(10_usize.saturating_sub(known.len())).cloned());
    }

    fn endpoints(&self) -> u64 {
        self.by_status.values().map(|(count, _)| count).sum()
    }
}

/// The judge of both checks about the process.
fn process(facts: &Facts<'_>, report: &mut Report, status: &str, says: &str) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_ENDPOINTS)?.unsigned_abs();
    let (statuses, input) = statuses(facts)?;
    if statuses.without_value > 0 {
        report.note(format!("{} endpoints answered without a value", statuses.without_value));
    }
    let unknown: Vec<String> = statuses
        .by_status
        .iter()
        .filter(|(word, _)| !matches!(word.as_str(), "yes" | "no" | "error"))
        .map(|(word, (endpoints, _))| {
            format!("{endpoints} endpoints have the unknown process status {word:?}")
        })
        .collect();
    if let Some((endpoints, names)) = statuses.by_status.get(status)
        && *endpoints > limit
    {
        let all = statuses.endpoints();
        report.finding(
            Finding::on(Subject::new("endpoints", format!("process-{status}"), "endpoints"))
                .says(format!("{says} on {} endpoints", share(*endpoints, all)))
                .expected(format!("at most {limit}"))
                .affected(*endpoints, Some(all))
                .sample(names.iter().map(String::as_str))
                .evidence(facts.seen(input, [*endpoints, all])),
        );
    }
    settle(&unknown)
}

/// The statuses as endpoints answer, or as the exported panel tells them; and which of the two told.
fn statuses(facts: &Facts<'_>) -> Result<(Statuses, &'static Input), Undecided> {
    let answered = of_answers(facts);
    match answered {
        Ok(statuses) => Ok((statuses, &PROCESS_ANSWERS)),
        Err(reason) => match of_process_panel(facts) {
            Ok(statuses) => Ok((statuses, &PROCESS_PANEL)),
            // What keeps the question from being asked is of use to those who chose the question.
            Err(_) if facts.text(&PROCESS_SENSOR).is_ok() => Err(reason),
            Err(missing) => Err(missing),
        },
    }
}

fn of_answers(facts: &Facts<'_>) -> Result<Statuses, Undecided> {
    let tally = facts.tally(&PROCESS_ANSWERS)?;
    if tally.columns.len() != 1 {
        return Err(Undecided::not_evaluated(format!(
            "the sensor in `process_sensor` has the columns {}; one column with Yes, No or Error was expected",
            tally.columns.join(", ")
        )));
    }
    let mut statuses = Statuses { without_value: tally.without_value.values().sum(), ..Statuses::default() };
    for row in &tally.rows {
        statuses.add(row.cells.first().map_or("", String::as_str), row.count, &row.sample);
    }
    if statuses.by_status.is_empty() {
        return Err(Undecided::not_evaluated("no endpoint answered whether the Patch process runs"));
    }
    Ok(statuses)
}

fn of_process_panel(facts: &Facts<'_>) -> Result<Statuses, Undecided> {
    let mut statuses = Statuses::default();
    for row in facts.rows::<ProcessRow>(&PROCESS_PANEL)? {
        if has_no_value(&row.status) {
            statuses.without_value += 1;
        } else {
            statuses.add(&row.status, 1, &[row.computer]);
        }
    }
    Ok(statuses)
}

/// What stands where an endpoint has nothing to tell.
fn has_no_value(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    matches!(text.as_str(), "" | "[no results]" | "[current result unavailable]")
        || text.starts_with("tse-error")
}

/// No endpoint needs attention.
pub(crate) const NEEDS_ATTENTION: Check = Check::automated("patch.coverage-needs-attention")
    .title("No endpoint needs attention in the coverage of Patch")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&REPORTS, &COVERAGE, &COVERAGE_PANEL])
    .settings(&[&MAX_ENDPOINTS])
    .guide(GUIDE)
    .what("Counts the endpoints with the status Needs Attention in the report Patch Coverage Status; without that report, in the exported panel Patch Coverage or by an answer. More than `max_endpoints` are a finding.")
    .why("These endpoints are supported by Patch but cannot be patched as they are.")
    .limits("The columns of the report are not documented: the one with Status in its name is read, and a report without such a column leaves the check undecided. Other values are told with the outcome.")
    .related(&["patch.process-not-running", "patch.process-error", "reporting.required-reports"])
    .remedy(&NEEDS_ATTENTION_REMEDY)
    .judge(needs_attention);

const NEEDS_ATTENTION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Modules > Patch > Overview, dashboard Health",
        "click the number above Needs Attention in the panel Patch Coverage, or open the report Patch Coverage Status",
    ),
    Step::consult("the Patch User Guide, coverage", "what to do about the details: {details}"),
])
.who(WHO)
.references(&[COVERAGE_GUIDE]);

/// What somebody has to look at.
const ATTENTION: &str = "needs attention";

/// Endpoints by coverage status, and those that need attention by what else their rows say.
#[derive(Default)]
struct Coverage {
    by_status: BTreeMap<String, u64>,
    details: BTreeMap<String, u64>,
    all: u64,
}

impl Coverage {
    fn add(&mut self, status: &str, detail: &str, endpoints: u64) {
        self.all += endpoints;
        *self.by_status.entry(status.trim().to_owned()).or_default() += endpoints;
        if status.trim().eq_ignore_ascii_case(ATTENTION) && !detail.trim().is_empty() {
            *self.details.entry(detail.trim().to_owned()).or_default() += endpoints;
        }
    }

    fn needing_attention(&self) -> u64 {
        self.with(ATTENTION)
    }

    fn supported(&self) -> u64 {
        self.all - self.with("unsupported")
    }

    fn with(&self, status: &str) -> u64 {
        let same = self.by_status.iter().filter(|(word, _)| word.eq_ignore_ascii_case(status));
        same.map(|(_, count)| count).sum()
    }

    /// The commonest details, for the remedy.
    fn details(&self) -> String {
        let mut details: Vec<(&String, &u64)> = self.details.iter().collect();
        details.sort_by_key(|(_, endpoints)| std::cmp::Reverse(**endpoints));
        let told = details.into_iter().take(5).map(|(detail, endpoints)| format!("{detail} ({endpoints})"));
        let told: Vec<String> = told.collect();
        if told.is_empty() { "none told".to_owned() } else { told.join(", ") }
    }
}

fn needs_attention(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let limit = facts.integer(&MAX_ENDPOINTS)?.unsigned_abs();
    let (coverage, input): (Coverage, &'static Input) = match of_report(facts) {
        Ok(coverage) => (coverage, &COVERAGE),
        Err(reason) => match of_panel(facts) {
            Ok(coverage) => (coverage, &COVERAGE_PANEL),
            Err(_) => return Err(reason),
        },
    };
    let others = coverage.by_status.iter().filter(|(word, _)| !word.eq_ignore_ascii_case(ATTENTION));
    let others: Vec<String> = others.map(|(word, endpoints)| format!("{word}: {endpoints}")).collect();
    if !others.is_empty() {
        report.note(format!("other endpoints by coverage status: {}", others.join(", ")));
    }
    let endpoints = coverage.needing_attention();
    // The panel lists, and a number counts, only those that need attention.
    if input.id() == COVERAGE.id() {
        let supported = coverage.supported();
        report.measure_share("patch.tools-coverage", supported - endpoints, supported);
    }
    if endpoints > limit {
        report.finding(
            Finding::on(Subject::new("endpoints", "needs-attention", "endpoints"))
                .says(format!("{endpoints} endpoints need attention"))
                .expected(format!("at most {limit}"))
                .affected(endpoints, (coverage.all > endpoints).then_some(coverage.all))
                .fill("details", coverage.details())
                .evidence(facts.seen(input, &coverage.by_status)),
        );
    }
    Ok(())
}

/// The coverage as the report tells it.
fn of_report(facts: &Facts<'_>) -> Result<Coverage, Undecided> {
    let all: Vec<reports::Report> = facts.rows(&REPORTS)?;
    let Some(found) = reports::named(&all, COVERAGE_REPORT)? else {
        return Err(Undecided::not_evaluated(format!(
            "there is no report {COVERAGE_REPORT}; export the panel Patch Coverage, or say its number"
        )));
    };
    let columns: Vec<String> = found.columns().map(str::to_lowercase).collect();
    let with = |word: &str| columns.iter().position(|name| name.contains(word));
    let status = columns.iter().position(|name| name.contains("status") && !name.contains("detail"));
    let Some(status) = status else {
        return Err(Undecided::not_evaluated(format!(
            "the report {COVERAGE_REPORT} has no column with Status in its name, but {}",
            columns.join(", ")
        )));
    };
    let mut coverage = Coverage::default();
    let rows: Vec<ResultRow> = facts.rows(&COVERAGE)?;
    for row in rows.iter().filter(|row| row.report() == found.id) {
        let value = row.cell(status);
        if !has_no_value(&value) {
            coverage.add(&value, &with("detail").map(|at| row.cell(at)).unwrap_or_default(), row.count);
        }
    }
    if coverage.all == 0 {
        let reason = format!("the report {COVERAGE_REPORT} tells the status of no endpoint");
        return Err(Undecided::not_evaluated(reason));
    }
    Ok(coverage)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PanelRow {
    #[serde(rename = "Patch coverage status", deserialize_with = "lenient::text")]
    status: String,
    #[serde(rename = "Details", deserialize_with = "lenient::text")]
    details: String,
}

/// The coverage as the exported panel or a person tells it.
fn of_panel(facts: &Facts<'_>) -> Result<Coverage, Undecided> {
    let mut coverage = Coverage::default();
    if let Body::Answer(answer) = facts.body(&COVERAGE_PANEL)? {
        let endpoints = count(&answer.value).ok().flatten();
        let endpoints =
            endpoints.ok_or_else(|| Undecided::not_evaluated("the answer is no number of endpoints"))?;
        coverage.add("Needs Attention", "", endpoints);
        return Ok(coverage);
    }
    for row in facts.rows::<PanelRow>(&COVERAGE_PANEL)? {
        if !has_no_value(&row.status) {
            coverage.add(&row.status, &row.details, 1);
        }
    }
    Ok(coverage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn endpoints_are_counted_by_the_status_of_their_process() {
        let case = |check, counts: &[(&str, u64)]| {
            Case::of(check).tally(&PROCESS_ANSWERS, "Running", counts).judge()
        };
        case(&NOT_RUNNING, &[("Yes", 900)]).assert_pass();
        case(&NOT_RUNNING, &[("Yes", 900), ("No", 1)]).assert_findings(&["process-no"]);
        case(&NOT_RUNNING, &[("Yes", 900), ("Error", 1)]).assert_pass();
        case(&ERROR, &[("Yes", 900), ("No", 1)]).assert_pass();
        case(&ERROR, &[("Yes", 900), ("Error", 2)]).assert_findings(&["process-error"]);
        case(&ERROR, &[("Yes", 900), ("Sleeping", 2)]).assert_undecided(Outcome::NotEvaluated);
        case(&ERROR, &[]).assert_undecided(Outcome::NotEvaluated);
        let allowed = Case::of(&ERROR).tally(&PROCESS_ANSWERS, "Running", &[("Error", 2)]);
        allowed.setting("max_endpoints", 2).judge().assert_pass();
        Case::of(&NOT_RUNNING).tally(&PROCESS_ANSWERS, "Running", &[("Yes", 1)]).assert_needs_its_inputs();
    }

    #[test]
    fn an_exported_panel_names_the_endpoints() {
        let row = |status: &str| json!({"Computer Name": "a", "Operating System": "W", "IP Address": "1", "Patch process status": status});
        let case = |rows| Case::of(&NOT_RUNNING).rows(&PROCESS_PANEL, rows).judge();
        case(json!([])).assert_pass();
        let verdict = case(json!([row("No"), row("Error"), row("[no results]")]));
        verdict.assert_findings(&["process-no"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().unwrap().sample, ["a"]);
        assert_eq!(verdict.notes(), ["1 endpoints answered without a value"]);
    }

    #[test]
    fn a_sensor_with_several_columns_is_not_guessed() {
        let mut tally = tancheck_plugin_api::testing::tally("Running", &[("Yes", 1)]);
        tally.columns.push("Reason".to_owned());
        let case = Case::of(&ERROR).body(&PROCESS_ANSWERS, Body::Tally(tally));
        case.judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn report(id: &str, columns: &[&str]) -> Value {
        let columns: Vec<Value> = columns.iter().map(|name| json!({"name": name})).collect();
        json!({"id": id, "name": COVERAGE_REPORT, "viewDetails": {"columns": columns}})
    }

    fn case(reports: Value, rows: &[(&str, u64)]) -> Case {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(status, count)| {
                json!({"count": count, "_of": {"id": "7"},
                "columns": [{"values": ["a"]}, {"values": [status]}, {"values": ["Tools missing"]}]})
            })
            .collect();
        Case::of(&NEEDS_ATTENTION).rows(&REPORTS, reports).rows(&COVERAGE, json!(rows))
    }

    fn good() -> Value {
        json!([report("7", &["Computer Name", "Coverage Status", "Status Details"])])
    }

    #[test]
    fn the_report_is_counted_by_its_status() {
        let verdict = case(good(), &[("Optimal", 90)]).judge();
        verdict.assert_pass();
        assert_eq!(verdict.notes(), ["other endpoints by coverage status: Optimal: 90"]);
        let verdict = case(good(), &[("Optimal", 90), ("Needs Attention", 10), ("Unsupported", 9)]).judge();
        let kept = &verdict.measures()[0];
        assert_eq!((kept.series.as_str(), kept.value), ("patch.tools-coverage", 90.0));
        let verdict = case(good(), &[("Optimal", 90), ("Needs attention", 3)]).judge();
        verdict.assert_findings(&["needs-attention"]);
        assert_eq!(verdict.findings()[0].values["details"], "Tools missing (3)");
        case(good(), &[("Needs Attention", 3)]).setting("max_endpoints", 3).judge().assert_pass();
        case(good(), &[("Optimal", 90)]).assert_needs_its_inputs();
    }

    #[test]
    fn a_report_that_cannot_be_read_decides_nothing() {
        case(good(), &[]).judge().assert_undecided(Outcome::NotEvaluated);
        case(good(), &[("[no results]", 9)]).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([report("7", &["Computer Name"])]), &[("Optimal", 9)])
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        let two = json!([report("7", &["Status"]), report("8", &["Status"])]);
        case(two, &[("Optimal", 9)]).judge().assert_undecided(Outcome::NotEvaluated);
        case(json!([]), &[]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_the_report_the_panel_or_an_answer_counts() {
        let row = json!({"Computer Name": "a", "Patch coverage status": "Needs Attention", "Details": "Tools missing"});
        let panel = |rows| case(json!([]), &[]).rows(&COVERAGE_PANEL, rows).judge();
        panel(json!([])).assert_pass();
        let listed = panel(json!([row]));
        listed.assert_findings(&["needs-attention"]);
        assert_eq!(listed.measures().len(), 0, "of how many is not known");
        let answer = |number: u64| case(json!([]), &[]).answer(&COVERAGE_PANEL, number).judge();
        answer(0).assert_pass();
        answer(4).assert_findings(&["needs-attention"]);
    }
}
