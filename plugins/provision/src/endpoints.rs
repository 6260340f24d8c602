//! Provision endpoints: is the service running on them, and in which version? The dashboard Health has no public route.

use crate::{GUIDE, WHO};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::server::{ImportedSolution, SOLUTIONS};
use tancheck_plugin_api::templates::panel::{Row, Shown, shown};

const OVERVIEW: &str = "Modules > Provision > Overview";
const FILE: &str = "provision-endpoints.csv";
const STEPS: &str = "on the dashboard Health, click Provision Endpoints and write one row for each; Service Status: Running where \
                     the icon of success is shown, else the text that is shown";
const COLUMNS: &[&str] = &["Endpoint", "Service Status", "Version", "Additional Data"];
const NONE: &str = "there is no Provision endpoint";

const SERVICES: Input = Input::new("provision.endpoints", "Provision endpoints and the state of their service").sources(&[
    Source::export(FILE, OVERVIEW, STEPS, COLUMNS),
    Source::answer(
        "On which Provision endpoints is the service not running? (names separated by commas; none where it runs on all. \
         Modules > Provision > Overview, dashboard Health)",
        Accepts::Text,
        30,
    ),
]);

const RUNNING_STATUS: Setting = Setting::list("running_status", &["Running"])
    .about("texts of Service Status that mean that the service runs");

/// The service runs on Provision endpoints.
pub(crate) const NOT_RUNNING: Check = Check::automated("provision.service-not-running")
    .title("The Provision service runs on Provision endpoints")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&SERVICES])
    .settings(&[&RUNNING_STATUS])
    .guide(GUIDE)
    .what("Looks in the list of Provision endpoints for those whose service status is not in `running_status`.")
    .why("A Provision endpoint whose service stands still installs nothing, and the devices of its site wait.")
    .limits("The dashboard has no public route, and shows an icon: the list is what an administrator wrote down, or an answer.")
    .related(&["provision.endpoint-versions", "provision.deployments"])
    .remedy(&NOT_RUNNING_REMEDY)
    .judge(not_running);

const NOT_RUNNING_REMEDY: Remedy = Remedy::new(&[
    Step::console(OVERVIEW, "on the dashboard Health, click Provision Endpoints, and Additional Data beside {subject}"),
    Step::consult("Provision User Guide: Troubleshooting Provision", "follow it for the shown state"),
    Step::decision(
        "the endpoint itself does not answer",
        "look at the endpoint first: is it online, does its Tanium Client register?",
    ),
    Step::console(OVERVIEW, "see that the dashboard shows success for {subject}"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&["Deployments that use this endpoint break off when its service is restarted: look for running ones before."])
.references(&["Provision User Guide: Troubleshooting Provision"]);

fn not_running(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows = match shown::<Row>(facts, &SERVICES)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            for name in names(&answer.value)? {
                report.finding(finding(
                    facts,
                    &SERVICES,
                    name,
                    "its service is not running, as was answered",
                ));
            }
            return Ok(());
        }
    };
    if rows.is_empty() {
        return Err(facts.absent(&SERVICES, NONE));
    }
    let running = facts.list(&RUNNING_STATUS);
    let mut unknown = Vec::new();
    for row in rows.iter().filter(|row| !row.is("Service Status", &running)) {
        let (name, status) = (row.cell("Endpoint"), row.cell("Service Status"));
        if status.is_empty() {
            unknown.push(format!("{name} has no service status"));
        } else {
            report.finding(
                finding(facts, &SERVICES, &name, &format!("the service status is {status}"))
                    .expected(running.join(" or ")),
            );
        }
    }
    settle(&unknown)
}

const INSTALLED: Input = Input::new("provision.versions", "Provision endpoints and the versions they run").sources(&[
    Source::export(FILE, OVERVIEW, STEPS, COLUMNS),
    Source::answer(
        "Which Provision endpoints run an older version than the others? (names separated by commas; none where all run \
         the same. Modules > Provision > Overview, dashboard Health)",
        Accepts::Text,
        30,
    ),
]);

const COMPARE_SOLUTION: Setting = Setting::flag("compare_solution", false).about(
    "also compare with the version of the imported solution; versions of tools and solution need not match",
);

/// All Provision endpoints run the current version.
pub(crate) const VERSIONS: Check = Check::automated("provision.endpoint-versions")
    .title("All Provision endpoints run the current version")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&INSTALLED, &SOLUTIONS])
    .settings(&[&COMPARE_SOLUTION])
    .guide(GUIDE)
    .what("Compares the version of each Provision endpoint with the highest among them; with `compare_solution`, also with the imported solution.")
    .why("An endpoint that was left out of an update may not know what newer deployments ask of it.")
    .limits("The dashboard has no public route: the list is what an administrator wrote down, or an answer. Where all endpoints are equally old, they agree.")
    .related(&["endpoint-configuration.manifest-outdated", "provision.service-not-running"])
    .remedy(&VERSIONS_REMEDY)
    .judge(versions);

const VERSIONS_REMEDY: Remedy = Remedy::new(&[
    Step::console(OVERVIEW, "on the dashboard Health, click Provision Endpoints and see the version of {subject}"),
    Step::console(
        "Administration > Shared Services > Endpoint Configuration",
        "see whether the manifest is current on {subject}, and its tools are not locked: the update comes with it",
    ),
    Step::console(OVERVIEW, "see that the versions agree; write the list again"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Partly)
.references(&["Provision User Guide: Troubleshooting Provision"]);

fn versions(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows = match shown::<Row>(facts, &INSTALLED)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            for name in names(&answer.value)? {
                report.finding(finding(facts, &INSTALLED, name, "runs an older version, as was answered"));
            }
            return Ok(());
        }
    };
    if rows.is_empty() {
        return Err(facts.absent(&INSTALLED, NONE));
    }
    let found: Vec<(String, ProductVersion)> =
        rows.iter().map(|row| (row.cell("Endpoint"), ProductVersion::new(&row.cell("Version")))).collect();
    let mut newest = found.iter().map(|(_, version)| version.clone()).max().unwrap_or_default();
    if facts.flag(&COMPARE_SOLUTION) {
        let solutions: Vec<ImportedSolution> = facts.rows(&SOLUTIONS)?;
        let own = solutions.into_iter().filter(|solution| solution.is_module("Provision"));
        newest = own.map(|solution| solution.imported_version).chain([newest]).max().unwrap_or_default();
    }
    let mut unknown = Vec::new();
    for (name, version) in &found {
        if version.is_unknown() {
            unknown.push(format!("{name} has no version"));
        } else if *version < newest {
            report.finding(
                finding(facts, &INSTALLED, name, &format!("runs version {}", version.as_str()))
                    .expected(format!("version {}", newest.as_str())),
            );
        }
    }
    settle(&unknown)
}

/// The names of an answer; none where the word says so.
fn names(answer: &tancheck_plugin_api::serde_json::Value) -> Result<Vec<&str>, Undecided> {
    let text = answer.as_str().unwrap_or_default().trim();
    if text.is_empty() {
        return Err(Undecided::not_evaluated(
            "the answer is empty: answer none, or names of Provision endpoints",
        ));
    }
    let names = text.split(',').map(str::trim);
    Ok(names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("none")).collect())
}

fn finding(facts: &Facts<'_>, input: &'static Input, name: &str, says: &str) -> Finding {
    Finding::on(Subject::new("Provision endpoint", name.to_lowercase(), name))
        .says(says)
        .evidence(facts.seen(input, [name, says]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn row(name: &str, status: &str, version: &str) -> Value {
        json!({"Endpoint": name, "Service Status": status, "Version": version, "Additional Data": ""})
    }

    fn services(rows: Value) -> Case {
        Case::of(&NOT_RUNNING).rows(&SERVICES, rows)
    }

    fn installed(rows: Value) -> Case {
        Case::of(&VERSIONS).rows(&INSTALLED, rows)
    }

    #[test]
    fn services_that_do_not_run_are_found() {
        services(json!([row("a", "running", "1"), row("B", "Stopped", "1")])).judge().assert_findings(&["b"]);
        services(json!([row("a", "Running", "1")])).judge().assert_pass();
        services(json!([row("a", "OK", "1")])).setting("running_status", json!(["ok"])).judge().assert_pass();
        Case::of(&NOT_RUNNING).answer(&SERVICES, "none").judge().assert_pass();
        Case::of(&NOT_RUNNING).answer(&SERVICES, "a, b").judge().assert_findings(&["a", "b"]);
    }

    #[test]
    fn older_versions_are_found() {
        installed(json!([row("a", "", "1.2.0.9"), row("b", "", "1.10")])).judge().assert_findings(&["a"]);
        installed(json!([row("a", "", "1.2"), row("b", "", "1.2.0")])).judge().assert_pass();
        Case::of(&VERSIONS).answer(&INSTALLED, "a").judge().assert_findings(&["a"]);
        let compared = installed(json!([row("a", "", "1.2")])).setting("compare_solution", true);
        let solution = json!([{"name": "Tanium Provision", "imported_version": "1.3"}]);
        compared.clone().rows(&SOLUTIONS, solution).judge().assert_findings(&["a"]);
        compared.judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn what_is_missing_decides_nothing() {
        services(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        installed(json!([])).judge().assert_undecided(Outcome::NotApplicable);
        services(json!([row("a", "", "1")])).judge().assert_undecided(Outcome::NotEvaluated);
        installed(json!([row("a", "", "")])).judge().assert_undecided(Outcome::NotEvaluated);
        services(json!([row("a", "Running", "1")])).assert_needs_its_inputs();
        installed(json!([row("a", "", "1")])).assert_needs_its_inputs();
    }
}
