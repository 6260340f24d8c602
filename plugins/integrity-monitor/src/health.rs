//! The Health dashboard: client extensions, and the errors of endpoint monitoring.

use crate::deployment::{MONITORS, Monitored};
use crate::{GUIDE, WHO};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::complete;
use tancheck_plugin_api::records::extensions::{CLIENT_EXTENSIONS, HEALTHY_STATES, Health, judge_failures};
use tancheck_plugin_api::templates::panel::{Row, whole};

const DASHBOARD: &str = "Modules > Integrity Monitor > Overview";
const SENSOR: &str = "Client Extensions - Status";
const QUESTION: &str =
    "Get Computer Name and Operating System and IP Address and Client Extensions - Status from all machines";

const CHECK_ROWS: Input = Input::new(
    "integrity-monitor.health-check",
    "client extension issues, as the dashboard shows them",
)
.sources(&[
    Source::export(
        "integrity-monitor-client-extension.csv",
        "Modules > Integrity Monitor > Overview",
        "click Health Check in the Health dashboard and export the results with these columns",
        &["Computer Name", "Operating System", "IP Address", "Client Extension", "Status"],
    ),
    Source::answer(
        "how many endpoints have client extension issues in the Health dashboard of Integrity Monitor",
        Accepts::Number,
        31,
    ),
]);

const ERROR_ROWS: Input = Input::new(
    "integrity-monitor.endpoint-errors",
    "endpoint monitoring errors, as the dashboard shows them",
)
.sources(&[Source::export(
    "integrity-monitor-endpoint-errors.csv",
    "Modules > Integrity Monitor > Overview",
    "click each bar of the chart of endpoint monitoring errors in the Health dashboard and export the \
             endpoints of all of them with these columns",
    &["Computer Name", "Operating System", "IP Address", "Error Category", "Detail"],
)]);

const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000)
    .unit("endpoints")
    .about("how many endpoints may have an issue of one extension, or of one category");

const DOMAINS: Setting = Setting::list("domains", &["integrity", "index", "recorder"])
    .about("words in the names of the client extensions that Integrity Monitor works with");

const LIMITS: &str = "The columns of the sensor are not documented: they are recognised by their names. Where the \
    question cannot decide, the exported results of the dashboard do.";

/// The extensions that Integrity Monitor works with are well.
pub(crate) const CLIENT_EXTENSION: Check = Check::automated("integrity-monitor.client-extension")
    .title("No client extension issues in Integrity Monitor")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_EXTENSIONS, &CHECK_ROWS])
    .settings(&[&MAX_ENDPOINTS, &DOMAINS, &HEALTHY_STATES])
    .guide(GUIDE)
    .what("Asks every endpoint for the state of its client extensions and reports failures of those whose name holds a word of `domains`, on more than `max_endpoints` endpoints.")
    .why("Where these extensions fail, a changed file raises no event.")
    .limits(LIMITS)
    .related(&["client-management.cx-other", "integrity-monitor.endpoint-errors"])
    .remedy(&EXTENSION_REMEDY)
    .judge(client_extension);

const EXTENSION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        DASHBOARD,
        "click Health Check in the Health dashboard: it lists the endpoints of {subject}",
    ),
    Step::question(QUESTION, "the same by a question"),
    Step::consult(
        "Integrity Monitor User Guide: Identify and resolve issues with client extensions",
        "look up the state of the extension and follow its entry",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Integrity Monitor User Guide: Identify and resolve issues with client extensions"]);

/// Endpoints watch without errors.
pub(crate) const ENDPOINT_ERRORS: Check = Check::automated("integrity-monitor.endpoint-errors")
    .title("No endpoint monitoring health check errors")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_EXTENSIONS, &ERROR_ROWS, &MONITORS])
    .settings(&[&MAX_ENDPOINTS, &HEALTHY_STATES])
    .guide(GUIDE)
    .what("Asks every endpoint for the state of its extension of Integrity Monitor and counts the endpoints for each text of an error; more than `max_endpoints` are a finding for that text.")
    .why("An endpoint whose scan does not end, or whose database is full, misses changes.")
    .limits(LIMITS)
    .related(&["integrity-monitor.client-extension", "integrity-monitor.not-deployed"])
    .remedy(&ERRORS_REMEDY)
    .judge(endpoint_errors);

const ERRORS_REMEDY: Remedy = Remedy::new(&[
    Step::console(DASHBOARD, "click the bar of {subject} in the Health dashboard: it lists the endpoints"),
    Step::consult(
        "Integrity Monitor User Guide: Reference: Endpoint monitoring health check errors",
        "look up the error and follow its entry",
    ),
    Step::decision(
        "scans take longer than their interval",
        "watch fewer files, or lengthen the interval of the monitor, until a scan ends in time",
    ),
])
.cautions(&["A path taken out of a watchlist is no longer watched anywhere: ask its owner first."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Integrity Monitor User Guide: Reference: Endpoint monitoring health check errors"]);

fn client_extension(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let most = facts.integer(&MAX_ENDPOINTS)?;
    let domains: Vec<String> = facts.list(&DOMAINS).iter().map(|word| word.to_lowercase()).collect();
    let is_ours = |domain: &str| domains.iter().any(|word| domain.to_lowercase().contains(word));
    let asked = match Health::of(facts) {
        Ok(health) if health.answered.is_some() => {
            judge_failures(facts, report, most, is_ours)?;
            if health.domains.iter().any(|domain| is_ours(domain)) {
                return Ok(());
            }
            Undecided::not_evaluated(format!(
                "no endpoint tells of an extension that Integrity Monitor works with; the sensor {SENSOR} told of {}",
                health.domains.into_iter().collect::<Vec<_>>().join(", ")
            ))
        }
        // An exported panel lists failures: what it does not list may be healthy, or not there at all.
        Ok(_) => {
            judge_failures(facts, report, most, is_ours)?;
            Undecided::not_evaluated("the exported health failures do not tell which extensions are there")
        }
        Err(unseen) => unseen,
    };
    let count = match facts.body(&CHECK_ROWS).map_err(|_| asked)? {
        Body::Answer(answer) => whole(answer)?,
        _ => facts.rows::<Row>(&CHECK_ROWS)?.len() as u64,
    };
    if i64::try_from(count).unwrap_or(i64::MAX) > most {
        report.finding(
            Finding::on(Subject::deployment())
                .says(format!("{count} endpoints have client extension issues"))
                .expected(format!("at most {most} endpoints"))
                .affected(count, None)
                .evidence(facts.seen(&CHECK_ROWS, count)),
        );
    }
    Ok(())
}

fn endpoint_errors(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    if let Ok(monitors) = facts.rows::<Monitored>(&MONITORS)
        && monitors.is_empty()
    {
        return Err(facts.absent(&MONITORS, "there is no monitor"));
    }
    let most = facts.integer(&MAX_ENDPOINTS)?.unsigned_abs();
    let (categories, of, from, rest) = match asked(facts) {
        Ok(health) => health,
        Err(unseen) => {
            let rows: Vec<Row> = facts.rows(&ERROR_ROWS).map_err(|_| unseen)?;
            let mut categories: BTreeMap<String, u64> = BTreeMap::new();
            for row in &rows {
                *categories.entry(row.cell("Error Category")).or_default() += 1;
            }
            (categories, None, &ERROR_ROWS, Ok(()))
        }
    };
    for (text, count) in categories.into_iter().filter(|(_, count)| *count > most) {
        let name = if text.is_empty() { "an error without a text" } else { &text };
        report.finding(
            Finding::on(Subject::new("error category", text.to_lowercase(), name))
                .says(format!("is told by {count} endpoints"))
                .expected(format!("at most {most} endpoints"))
                .affected(count, of)
                .evidence(facts.seen(from, &text)),
        );
    }
    rest
}

type Asked = (BTreeMap<String, u64>, Option<u64>, &'static Input, Result<(), Undecided>);

/// The errors that endpoints tell of Integrity Monitor's own extension, and what is wrong with the answers.
fn asked(facts: &Facts<'_>) -> Result<Asked, Undecided> {
    let health = Health::of(facts)?;
    let is_ours = |domain: &str| domain.contains("integrity");
    let Some(answered) = health.answered else {
        return Err(Undecided::not_evaluated(
            "the exported health failures do not tell which extensions are there",
        ));
    };
    if !health.domains.iter().any(|domain| is_ours(domain)) {
        return Err(Undecided::not_evaluated(format!(
            "no endpoint tells of the extension of Integrity Monitor; the sensor {SENSOR} told of {}",
            health.domains.into_iter().collect::<Vec<_>>().join(", ")
        )));
    }
    let mut texts: BTreeMap<String, u64> = BTreeMap::new();
    for (_, failures) in health.failures.iter().filter(|(domain, _)| is_ours(domain)) {
        for (text, count) in &failures.texts {
            *texts.entry(text.clone()).or_default() += count;
        }
    }
    let unclear = health.unclear.iter().filter(|(domain, _)| is_ours(domain));
    let unclear = unclear.map(|(domain, state)| {
        format!(
            "whether {state:?} is an error of {domain} is not known; add it to `healthy_states` if it is none"
        )
    });
    let unclear: Vec<String> = unclear.collect();
    let rest = complete(SENSOR, answered, health.unknown).and_then(|()| settle(&unclear));
    Ok((texts, Some(answered), &CLIENT_EXTENSIONS, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::{Case, tally_of_two};

    fn case(check: &'static Check, rows: &[(&str, &str, u64)]) -> Case {
        let tally = tally_of_two(["Extension", "Status"], rows, 100);
        Case::of(check).body(&CLIENT_EXTENSIONS, Body::Tally(tally))
    }

    const HEALTHY: &[(&str, &str, u64)] =
        &[("Integrity Monitor", "Healthy", 100), ("index", "Healthy", 100), ("patch", "Crashed", 100)];
    /// The one text that the vendor documents.
    const SLOW: &str = "Scan completion took longer than configured scan interval";

    #[test]
    fn healthy_extensions_pass_whatever_others_say() {
        for check in [&CLIENT_EXTENSION, &ENDPOINT_ERRORS] {
            case(check, HEALTHY).judge().assert_pass();
            case(check, HEALTHY).assert_needs_its_inputs();
        }
    }

    #[test]
    fn failures_of_its_extensions_are_found() {
        let rows = [HEALTHY, &[("recorder", "Failed", 2)]].concat();
        case(&CLIENT_EXTENSION, &rows).judge().assert_findings(&["recorder"]);
        case(&CLIENT_EXTENSION, &rows).setting("domains", json!(["integrity"])).judge().assert_pass();
        case(&ENDPOINT_ERRORS, &rows).judge().assert_pass();
    }

    #[test]
    fn each_text_is_a_category() {
        let rows =
            [HEALTHY, &[("Integrity Monitor", SLOW, 3), ("Integrity Monitor", "Database error", 4)]].concat();
        let found = case(&ENDPOINT_ERRORS, &rows);
        found.judge().assert_findings(&[
            "database error",
            "scan completion took longer than configured scan interval",
        ]);
        found.setting("max_endpoints", 3).judge().assert_findings(&["database error"]);
        case(&CLIENT_EXTENSION, &rows).judge().assert_findings(&["integrity monitor"]);
    }

    #[test]
    fn states_that_nobody_explained_and_extensions_that_are_not_there_decide_nothing() {
        for check in [&CLIENT_EXTENSION, &ENDPOINT_ERRORS] {
            case(check, &[("Integrity Monitor", "Dormant", 100)])
                .judge()
                .assert_undecided(Outcome::NotEvaluated);
            case(check, &[("patch", "Healthy", 100)]).judge().assert_undecided(Outcome::NotEvaluated);
        }
        let none = case(&ENDPOINT_ERRORS, HEALTHY).rows(&MONITORS, json!([]));
        none.judge().assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn the_dashboard_stands_in() {
        let row = |category: &str| -> Value {
            json!({"Computer Name": "one", "Client Extension": "index", "Status": "x", "Error Category": category})
        };
        let panel = json!([{"Domain": "Integrity Monitor", "Failure": "broken", "Count": 3}]);
        let exported = Case::of(&CLIENT_EXTENSION).rows(&CLIENT_EXTENSIONS, panel);
        exported.judge().assert_findings(&["integrity monitor"]);
        let healthy = Case::of(&CLIENT_EXTENSION).rows(&CLIENT_EXTENSIONS, json!([]));
        healthy.judge().assert_undecided(Outcome::NotEvaluated);
        let errors = json!([row("Scan time"), row("Scan time"), row("Pruning")]);
        let case = Case::of(&ENDPOINT_ERRORS).rows(&ERROR_ROWS, errors);
        case.judge().assert_findings(&["pruning", "scan time"]);
        Case::of(&ENDPOINT_ERRORS).rows(&ERROR_ROWS, json!([])).judge().assert_pass();
        Case::of(&CLIENT_EXTENSION)
            .rows(&CHECK_ROWS, json!([row("")]))
            .judge()
            .assert_findings(&["deployment"]);
        Case::of(&CLIENT_EXTENSION).answer(&CHECK_ROWS, 0).judge().assert_pass();
    }
}
