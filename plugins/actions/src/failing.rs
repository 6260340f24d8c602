//! Guide: *Review and update scheduled actions*, page 39: actions that do not do their work.

use crate::inputs::LAST_RESULTS;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{PACKAGE_FILES, PackageFile};

const FAILED_PCT: Setting = Setting::integer("failed_pct", 10, 0, 100)
    .unit("percent")
    .about("the share of targets on which an action may fail or expire");

/// Scheduled actions run without trouble.
pub(crate) const FAILING: Check = Check::hybrid("actions.failing")
    .title("Scheduled actions run without trouble")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Medium)
    .reads(&[&LAST_RESULTS, &PACKAGE_FILES])
    .settings(&[&FAILED_PCT])
    .guide(&[guide("Review and update scheduled actions", 39)])
    .what("Looks at the action that each enabled scheduled action issued last, once it is over: the share of targets on which it failed, expired or was not verified must not exceed `failed_pct`, and it must have reached some target at all. Failing downloads of package files are given as a possible cause.")
    .why("An action that fails everywhere looks just like a working one in the list of scheduled actions.")
    .limits("Only the last action is judged; actions that are still open are left for the next run. An empty target group also reaches nobody: confirm such an action if that is intended.")
    .related(&["actions.scheduled-review"])
    .remedy(&REMEDY)
    .judge(failing);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Action History",
        "open action {action} of {subject} and its status",
    ),
    Step::consult(
        "Console User Guide: Monitor actions",
        "what the statuses mean and how to get at the logs of an endpoint",
    ),
    Step::decision(
        "the package file did not arrive on the server ({cause})",
        "repair the download, then reissue",
    ),
    Step::console(
        "Administration > Actions > Scheduled Actions > {subject}",
        "correct package, targets or schedule",
    ),
])
.cautions(&["A corrected action runs on every target at its next start: try it on a few endpoints first."])
.who("a Console user with the Administrator reserved role, or a custom role that may write actions")
.risk(Risk::Medium, Reversible::Partly)
.references(&["Console User Guide: Monitor actions"]);

/// A scheduled action with its last results: a Gateway `ScheduledAction`, or a row of the exported history.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Scheduled {
    #[serde(deserialize_with = "lenient::id", alias = "Scheduled Action")]
    id: String,
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    name: String,
    /// `ENABLED`, `DISABLED` or `DELETED`; absent from the exported history, which lists what was issued.
    status: Option<String>,
    #[serde(rename = "lastAction")]
    last_action: Option<LastAction>,
    #[serde(rename = "Action ID", deserialize_with = "lenient::id")]
    exported_id: String,
    #[serde(rename = "Expiration", deserialize_with = "lenient::time")]
    exported_expiration: Option<Timestamp>,
    #[serde(rename = "Completed", deserialize_with = "lenient::number")]
    exported_completed: Option<f64>,
    #[serde(rename = "Failed", deserialize_with = "lenient::number")]
    exported_failed: Option<f64>,
    #[serde(rename = "Expired", deserialize_with = "lenient::number")]
    exported_expired: Option<f64>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LastAction {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    /// `PENDING`, `OPEN`, `STOPPED` or `CLOSED`; older servers: `ACTIVE`, `EXPIRED`.
    #[serde(deserialize_with = "lenient::text")]
    status: String,
    #[serde(deserialize_with = "lenient::time")]
    expiration_time: Option<Timestamp>,
    results: Results,
}

/// Endpoints by what became of the action on them.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Results {
    completed: u64,
    failed: u64,
    expired: u64,
    failed_verification: u64,
    running: u64,
    waiting: u64,
    downloading: u64,
    waiting_to_retry: u64,
}

impl Results {
    fn bad(&self) -> u64 {
        self.failed + self.expired + self.failed_verification
    }

    fn all(&self) -> u64 {
        self.bad() + self.completed + self.running + self.waiting + self.downloading + self.waiting_to_retry
    }
}

impl Scheduled {
    /// The action it issued last, from either form.
    fn last(&self) -> Option<LastAction> {
        if self.exported_id.is_empty() {
            return self.last_action.clone();
        }
        let count = |number: Option<f64>| number.unwrap_or(0.0) as u64;
        Some(LastAction {
            id: self.exported_id.clone(),
            status: String::new(),
            expiration_time: self.exported_expiration,
            results: Results {
                completed: count(self.exported_completed),
                failed: count(self.exported_failed),
                expired: count(self.exported_expired),
                ..Results::default()
            },
        })
    }
}

fn failing(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let scheduled: Vec<Scheduled> = facts.rows(&LAST_RESULTS)?;
    let limit = facts.integer(&FAILED_PCT)?;
    let files: Vec<PackageFile> = facts.rows(&PACKAGE_FILES).unwrap_or_default();
    let failed_files: Vec<String> = files
        .iter()
        .filter(|file| file.failure().is_some())
        .map(|file| match &file.package_spec {
            Some(package) => format!("{} of {}", file.name, package.label()),
            None => file.name.clone(),
        })
        .collect();
    for one in scheduled
        .iter()
        .filter(|one| one.status.as_deref().is_none_or(|word| word.eq_ignore_ascii_case("enabled")))
    {
        let Some(action) = one.last() else { continue };
        if !is_over(facts, &action, one)? {
            continue;
        }
        let (bad, all) = (action.results.bad(), action.results.all());
        let says = if all == 0 {
            "its last action is over and reached no endpoint".to_owned()
        } else if bad * 100 > all * limit.unsigned_abs() {
            format!("its last action failed or expired on {bad} of {all} endpoints ({} %)", bad * 100 / all)
        } else {
            continue;
        };
        let cause = if failed_files.is_empty() { "none seen".to_owned() } else { failed_files.join(", ") };
        report.finding(
            Finding::on(Subject::new("scheduled action", &one.id, &one.name))
                .says(says)
                .expected(format!("at most {limit} % of its targets"))
                .affected(bad, Some(all))
                .fill("action", &action.id)
                .fill("cause", cause)
                .confirms(if all == 0 { "reached nobody" } else { "failed" })
                .evidence(facts.seen(&LAST_RESULTS, [bad, all])),
        );
    }
    Ok(())
}

/// Whether an action came to its end, so that its numbers stand.
fn is_over(facts: &Facts<'_>, action: &LastAction, of: &Scheduled) -> Result<bool, Undecided> {
    match action.status.to_ascii_uppercase().as_str() {
        "CLOSED" | "STOPPED" | "EXPIRED" => Ok(true),
        "OPEN" | "ACTIVE" | "PENDING" | "" => {
            Ok(action.expiration_time.is_some_and(|end| end <= facts.now()))
        }
        other => Err(Undecided::not_evaluated(format!(
            "action {} of {} has the unknown status {other:?}",
            action.id, of.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(status: &str, results: Value) -> Case {
        Case::of(&FAILING)
            .rows(&LAST_RESULTS, json!([{"id": "1", "name": "Deploy X", "status": "ENABLED", "lastAction":
                {"id": "9", "status": status, "expirationTime": "2026-06-30T13:00:00Z", "results": results}}]))
            .rows(&PACKAGE_FILES, json!([]))
    }

    #[test]
    fn too_many_failures_are_found() {
        case("CLOSED", json!({"completed": 89, "failed": 5, "expired": 6})).judge().assert_findings(&["1"]);
        case("CLOSED", json!({"completed": 90, "failed": 10})).judge().assert_pass();
        case("CLOSED", json!({"completed": 1, "failedVerification": 1})).judge().assert_findings(&["1"]);
    }

    #[test]
    fn an_action_that_reached_nobody_is_found_once_it_is_over() {
        case("CLOSED", json!({})).judge().assert_findings(&["1"]);
        case("OPEN", json!({})).judge().assert_pass();
        case("OPEN", json!({"failed": 5})).at("2026-06-30T14:00:00Z").judge().assert_findings(&["1"]);
    }

    #[test]
    fn a_failed_download_is_named_as_cause() {
        let files =
            json!([{"name": "x.zip", "cache_status": "ERROR: 404", "package_spec": {"id": 3, "name": "X"}}]);
        let verdict = case("CLOSED", json!({"failed": 1})).rows(&PACKAGE_FILES, files).judge();
        assert_eq!(verdict.findings()[0].values["cause"], "x.zip of X");
    }

    #[test]
    fn disabled_ones_do_not_count_and_unknown_words_are_not_guessed() {
        let disabled =
            json!([{"id": "1", "name": "X", "status": "DISABLED", "lastAction": {"status": "CLOSED"}}]);
        Case::of(&FAILING).rows(&LAST_RESULTS, disabled).judge().assert_pass();
        case("LIMBO", json!({})).judge().assert_undecided(Outcome::NotEvaluated);
        case("CLOSED", json!({"failed": 1})).assert_needs_its_inputs();
    }

    #[test]
    fn the_exported_history_is_read_as_well() {
        let rows = json!([{"Action ID": "9", "Name": "Deploy X", "Scheduled Action": "1", "Start": "2026-06-01",
            "Expiration": "2026-06-02", "Completed": "1", "Failed": "1", "Expired": "0"}]);
        Case::of(&FAILING).rows(&LAST_RESULTS, rows).judge().assert_findings(&["1"]);
    }
}
