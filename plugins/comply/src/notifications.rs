//! What Comply itself complains of. The guide does not ask for it.

use crate::WHO;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

/// The kinds of notifications that the vendor's description lists.
const TYPES: Setting = Setting::list(
    "notification_types",
    &[
        "CannotDownloadSbomDb",
        "CannotDownloadVulnDb",
        "ECFStaleMigrationFailure",
        "LicenseExpired",
        "LicenseExpiresSoon",
        "MigrationTdsBackfillFailure",
        "MissingAirgapJovalLicense",
        "SbomDbCurrentlyBeingDownloaded",
        "SbomLicenseExpired",
        "SbomLicenseGracePeriodExpiresSoon",
        "VulnDbCurrentlyBeingBuilt",
        "VulnDbOutOfDate",
        "VulnSourceFeedOutOfDate",
        "VulnSourceProcessFailure",
    ],
)
.about("kinds of notifications of Comply that are asked for");

/// Kinds that only tell that something is under way.
const UNDER_WAY: &[&str] = &["SbomDbCurrentlyBeingDownloaded", "VulnDbCurrentlyBeingBuilt"];

/// Notifications that nobody acknowledged. Rows have no described fields, so each kind is asked for by itself.
const OPEN: Input = Input::new("comply.notifications", "notifications of Comply that nobody acknowledged")
    .sources(&[Source::service("comply", "/v1/notifications/search?type={item}&acknowledged=false")
        .rows_under("Array")
        .each(Each::setting("notification_types"))
        .needs(&["show comply"])]);

/// Comply has no open notification.
pub(crate) const NOTIFICATIONS: Check = Check::automated("comply.notifications")
    .title("Comply has no open notification")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&OPEN])
    .settings(&[&TYPES])
    .what("Asks for the notifications of each kind in `notification_types` that nobody acknowledged. Any is a finding; a database that is just being built or downloaded is informational.")
    .why("With an old vulnerability database or an expired licence, scans go on and find nothing new.")
    .limits("Kinds that are not in `notification_types` are not seen.")
    .related(&["comply.health-other"])
    .remedy(&REMEDY)
    .judge(notifications)
    .beyond();

const REMEDY: Remedy = Remedy::new(&[
    Step::console("Modules > Comply > Overview", "read the notification {subject}"),
    Step::decision(
        "a database cannot be downloaded or is out of date",
        "check the way of the Module Server to the vendor's content, or import it by hand where there is none",
    ),
    Step::decision("a licence expires", "renew it with your account team"),
    Step::decision("a migration failed", "contact Tanium Support with a support bundle of Comply"),
    Step::console("Modules > Comply > Overview", "acknowledge it once its cause is gone"),
])
.cautions(&["Do not acknowledge what is not resolved: it does not come back."])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.references(&["Comply User Guide: Troubleshooting"]);

/// A notification, of which only the kind that was asked for is known.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Notification {
    #[serde(rename = "_of")]
    of: Asked,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    item: String,
}

fn notifications(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for notification in facts.rows::<Notification>(&OPEN)? {
        *counts.entry(notification.of.item).or_default() += 1;
    }
    for (kind, count) in counts {
        let finding = Finding::on(Subject::new("notification", &kind, &kind))
            .says(format!("{count} open"))
            .expected("none")
            .evidence(facts.seen(&OPEN, count));
        let under_way = UNDER_WAY.contains(&kind.as_str());
        report.finding(if under_way { finding.severity(Severity::Info) } else { finding });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::Case;

    #[test]
    fn each_kind_is_a_finding_of_its_own() {
        let case = Case::of(&NOTIFICATIONS).rows(&OPEN, json!([]));
        case.judge().assert_pass();
        case.assert_needs_its_inputs();
        let row = |kind: &str| json!({"_of": {"item": kind}, "anything": 1});
        let rows = json!([row("VulnDbOutOfDate"), row("VulnDbOutOfDate"), row("VulnDbCurrentlyBeingBuilt")]);
        let verdict = Case::of(&NOTIFICATIONS).rows(&OPEN, rows).judge();
        verdict.assert_findings(&["VulnDbOutOfDate", "VulnDbCurrentlyBeingBuilt"]);
        let severities: Vec<_> = verdict.findings().iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Some(Severity::Info), None]);
    }
}
