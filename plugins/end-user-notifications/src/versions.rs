//! Versions of the installed tools, and whether they are active.

use crate::{CHAPTER, COLUMNS, DASHBOARD, GUIDE, WHO};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::panel::{Row, Shown, shown, whole};

const TOOLS: Input = Input::new(
    "end-user-notifications.tools",
    "status and version of the tools on all endpoints",
)
.sources(&[
    Source::export(
        "end-user-notifications-tools-outdated.csv",
        DASHBOARD,
        "on the dashboard Health, click the numbers above Yes and No, and export all rows with these columns",
        COLUMNS,
    ),
    Source::answer(
        "On how many endpoints are the End-User Notifications tools older than the latest, or not active? \
             (Administration > Shared Services > End-User Notifications, dashboard Health)",
        Accepts::Number,
        30,
    ),
]);

const LATEST_VERSION: Setting = Setting::text("latest_version", None)
    .about("the version that the tools should have; where unset, the highest among the endpoints");

const ACTIVE_STATUS: Setting = Setting::list("active_status", &[])
    .about("texts of Tools Status that mean installed and active; the vendor documents none");

const INACTIVE_STATUS: Setting = Setting::list("inactive_status", &[])
    .about("texts of Tools Status that mean that the tools are there but not active");

/// Endpoints run the newest tools.
pub(crate) const OUTDATED: Check = Check::automated("end-user-notifications.tools-outdated")
    .title("Endpoints run the newest End-User Notifications tools")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&TOOLS])
    .settings(&[&LATEST_VERSION, &ACTIVE_STATUS, &INACTIVE_STATUS])
    .guide(GUIDE)
    .what("Compares the version of the tools on each endpoint with `latest_version`, or with the highest among them, and looks for tools that are not active.")
    .why("Old tools may not show what newer modules want to tell, and inactive ones show nothing.")
    .limits("The dashboard has no public route. The texts of the status are not documented: name them in `active_status` and `inactive_status`; a text in neither is shown and decides nothing. Endpoints without a version are those of `end-user-notifications.tools-missing`.")
    .related(&["endpoint-configuration.manifest-outdated", "end-user-notifications.tools-missing"])
    .remedy(&REMEDY)
    .judge(outdated);

const REMEDY: Remedy = Remedy::new(&[
    Step::console(DASHBOARD, "on the dashboard Health, open the list and see which versions there are"),
    Step::decision(
        "the tools are older than the latest",
        "they are updated with the manifest of Endpoint Configuration: see that it is current on these endpoints",
    ),
    Step::consult(CHAPTER, "follow it for tools that are installed and not active"),
    Step::console(DASHBOARD, "export the list again and see that the versions agree"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Partly)
.references(&[CHAPTER]);

fn outdated(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let rows = match shown::<Row>(facts, &TOOLS)? {
        Shown::Rows(rows) => rows,
        Shown::Answer(answer) => {
            let count = whole(answer)?;
            if count > 0 {
                let says = format!("{count} endpoints run older tools, or tools that are not active");
                report.finding(finding(facts, "answered", "tools on endpoints", says, count, &[]));
            }
            return Ok(());
        }
    };
    let installed: Vec<(&Row, ProductVersion)> = rows
        .iter()
        .filter(|row| !row.cell("Tools Version").is_empty())
        .map(|row| (row, ProductVersion::new(&row.cell("Tools Version"))))
        .collect();
    let latest = match facts.text(&LATEST_VERSION) {
        Ok(text) => ProductVersion::new(text),
        Err(_) => {
            let highest = installed.iter().map(|(_, version)| version).max();
            highest.cloned().ok_or_else(|| facts.absent(&TOOLS, "no endpoint has the tools"))?
        }
    };
    let mut old: BTreeMap<&ProductVersion, Vec<String>> = BTreeMap::new();
    for (row, version) in installed.iter().filter(|(_, version)| *version < latest) {
        old.entry(version).or_default().push(row.cell("Computer Name"));
    }
    for (version, names) in &old {
        let says = format!("is older than {}", latest.as_str());
        let count = names.len() as u64;
        report.finding(
            finding(facts, version.as_str(), &format!("tools {}", version.as_str()), says, count, names)
                .expected(format!("version {}", latest.as_str())),
        );
    }
    inactive(facts, report, &installed)
}

fn inactive(
    facts: &Facts<'_>,
    report: &mut Report,
    installed: &[(&Row, ProductVersion)],
) -> Result<(), Undecided> {
    let (active, inactive) = (facts.list(&ACTIVE_STATUS), facts.list(&INACTIVE_STATUS));
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let mut names = Vec::new();
    for (row, _) in installed.iter().filter(|(row, _)| !row.is("Tools Status", &active)) {
        if row.is("Tools Status", &inactive) {
            names.push(row.cell("Computer Name"));
        } else {
            *unknown.entry(row.cell("Tools Status")).or_default() += 1;
        }
    }
    if !names.is_empty() {
        let says = format!("{} endpoints have tools that are not active", names.len());
        report.finding(finding(facts, "inactive", "inactive tools", says, names.len() as u64, &names));
    }
    let reasons = unknown.iter().map(|(status, count)| {
        format!("the status {status:?} of {count} endpoints is not known: name it in `active_status` or `inactive_status`")
    });
    settle(&reasons.collect::<Vec<_>>())
}

fn finding(facts: &Facts<'_>, key: &str, name: &str, says: String, count: u64, names: &[String]) -> Finding {
    Finding::on(Subject::new("tools version", key, name))
        .says(says)
        .affected(count, None)
        .sample(names.iter().take(10).map(String::as_str))
        .evidence(facts.seen(&TOOLS, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(tools: &[(&str, &str)]) -> Case {
        let row = |(status, version): &(&str, &str)| json!({"Computer Name": "pc1", "Tools Status": status, "Tools Version": version});
        Case::of(&OUTDATED)
            .setting("active_status", json!(["Installed"]))
            .setting("inactive_status", json!(["Stopped"]))
            .rows(&TOOLS, tools.iter().map(row).collect::<Value>())
    }

    #[test]
    fn the_same_version_everywhere_passes() {
        case(&[("Installed", "1.9.0.12"), ("Installed", "1.9.0.12"), ("Not Installed", "")])
            .judge()
            .assert_pass();
        Case::of(&OUTDATED).answer(&TOOLS, 0).judge().assert_pass();
    }

    #[test]
    fn older_and_inactive_tools_are_found() {
        case(&[("Installed", "1.9.0.12"), ("Installed", "1.10.0.1")]).judge().assert_findings(&["1.9.0.12"]);
        let chosen = case(&[("Installed", "1.9")]).setting("latest_version", "2.0");
        chosen.judge().assert_findings(&["1.9"]);
        case(&[("Stopped", "1.9")]).judge().assert_findings(&["inactive"]);
        Case::of(&OUTDATED).answer(&TOOLS, 2).judge().assert_findings(&["answered"]);
    }

    #[test]
    fn unknown_states_and_no_tools_decide_nothing() {
        let verdict = case(&[("Purple", "1.9")]).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(verdict.undecided().is_some_and(|why| why.reason.contains("Purple")));
        case(&[("Not Installed", "")]).judge().assert_undecided(Outcome::NotApplicable);
        case(&[("Installed", "1.9")]).assert_needs_its_inputs();
    }
}
