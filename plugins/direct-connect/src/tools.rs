//! Tools and configuration on endpoints: the packages, the scheduled actions that bring them, and what arrived.

use crate::chapters::{ENDPOINT_CONNECTION, TROUBLESHOOTING};
use crate::inputs::endpoints::TOOLS;
use crate::setup::ACTION_GROUP;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{
    PACKAGES, Package, SCHEDULED_ACTIONS, ScheduleStatus, ScheduledAction,
};
use tancheck_plugin_api::records::answers::{NO_RESULTS, complete, failed};
use tancheck_plugin_api::records::extensions::{CLIENT_EXTENSIONS, HEALTHY_STATES, judge_failures};

pub(crate) const DEPLOY_TOOLS: &str = "Deploy Direct Connect - Tools";
pub(crate) const CONFIGURE: &str = "Deploy Direct Connect - Configure Extension";

const ACTION_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "look at {subject}: status, action group, approval, last run",
    ),
    Step::decision("it is disabled", "find out who disabled it and why, then enable it"),
    Step::decision("it waits for approval", "let somebody approve it"),
    Step::decision(
        "it is in another action group",
        "assign it to the action group of Direct Connect; never add computers to Default instead",
    ),
    Step::console(
        crate::inputs::HOME,
        "where the action is missing: save the settings of Endpoint Connection again, which makes it",
    ),
])
.cautions(&["Do not delete or copy these actions: Direct Connect owns them."])
.who("a Console user with the Administrator reserved role, or a custom role that may write actions")
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: Troubleshoot endpoint connection issues"]);

macro_rules! actions {
    ($($check:ident = $id:literal, $name:ident, $title:literal, $why:literal, $aliases:expr;)*) => {
        $(pub(crate) const $check: Check = Check::automated($id)
            .title($title)
            .aliases($aliases)
            .cadence(&[Cadence::Monthly])
            .severity(Severity::High)
            .reads(&[&SCHEDULED_ACTIONS])
            .settings(&[&ACTION_GROUP])
            .guide(TROUBLESHOOTING)
            .what("Looks for the scheduled action by the beginning of its name, for an operating system may follow: it has to be there, enabled, approved, not past its end, in the action group `action_group`, and issued at least once.")
            .why($why)
            .limits("On how many endpoints its last run failed is looked at by actions.failing.")
            .related(&["direct-connect.tools-installed", "direct-connect.action-group-target", "actions.failing"])
            .remedy(&ACTION_REMEDY)
            .judge(|facts, report| scheduled(facts, report, $name));)*
    };
}

actions! {
    DEPLOY = "direct-connect.deploy-tools-action", DEPLOY_TOOLS, "The tools of Direct Connect are deployed",
        "Endpoints that join while this action rests can never be connected to.", &["direct-connect.actions"];
    CONFIGURATION = "direct-connect.configure-extension-action", CONFIGURE,
        "The settings of Direct Connect are deployed",
        "While it rests, endpoints keep an old name, port or certificate.", &[];
}

pub(crate) fn scheduled(facts: &Facts<'_>, report: &mut Report, name: &str) -> Result<(), Undecided> {
    let all: Vec<ScheduledAction> = facts.rows(&SCHEDULED_ACTIONS)?;
    let is_it = |action: &&ScheduledAction| {
        action.name.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
            && action.status() != Some(ScheduleStatus::Deleted)
    };
    let own: Vec<&ScheduledAction> = all.iter().filter(is_it).collect();
    if own.is_empty() {
        if let Some(gap) = facts.gaps(&SCHEDULED_ACTIONS)?.first() {
            let reason = format!("{name} is not in the list, which is not complete: {gap}");
            return Err(Undecided::not_evaluated(reason));
        }
        report.finding(
            Finding::on(Subject::new("scheduled action", name.to_lowercase(), name))
                .says("is missing")
                .expected("an enabled scheduled action")
                .evidence(facts.seen(&SCHEDULED_ACTIONS, all.len())),
        );
        return Ok(());
    }
    let group = facts.text(&ACTION_GROUP)?;
    let mut undecided = Vec::new();
    for action in own {
        let trouble = match action.why_not_deployed(facts) {
            Ok(None) => misses(action, group),
            Ok(Some(trouble)) => Some(trouble.to_owned()),
            Err(unknown) => {
                undecided.push(unknown.reason);
                continue;
            }
        };
        if let Some(trouble) = trouble {
            report.finding(
                Finding::on(Subject::new("scheduled action", &action.id, &action.name))
                    .says(trouble)
                    .expected(format!("enabled, approved, in {group}, and issued"))
                    .evidence(facts.seen(&SCHEDULED_ACTIONS, [&action.status, &action.action_group.name])),
            );
        }
    }
    settle(&undecided)
}

/// Why an action that the server issues reaches nobody.
fn misses(action: &ScheduledAction, group: &str) -> Option<String> {
    let own = &action.action_group.name;
    if !own.is_empty() && !own.eq_ignore_ascii_case(group) {
        return Some(format!("is in the action group {own}, not in {group}"));
    }
    action.last_start_time.is_none().then(|| "was never issued".to_owned())
}

/// The module made its packages.
pub(crate) const CONTENT: Check = Check::automated("direct-connect.content-build")
    .title("Direct Connect built the packages with its configuration")
    .cadence(&[Cadence::Setup, Cadence::AsNeeded])
    .severity(Severity::High)
    .reads(&[&PACKAGES])
    .guide(ENDPOINT_CONNECTION)
    .what("Looks for packages whose names begin with Direct Connect, beside those that remove the tools. Saving the settings of Endpoint Connection makes one for each operating system.")
    .why("Without the packages endpoints do not learn whom to connect to.")
    .limits("Right after the settings were saved the build may still be on its way: give it an hour.")
    .related(&["direct-connect.setup-complete", "direct-connect.configure-extension-action"])
    .remedy(&CONTENT_REMEDY)
    .judge(content);

const CONTENT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Direct Connect > Settings > Endpoint Connection",
        "save the settings again, with your own password, and read the message",
    ),
    Step::decision("it shows an error", "correct the Fully Qualified Domain Name and save once more"),
    Step::support("with a support package of the module, if no package appears within an hour"),
])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure Endpoint Connection settings"]);

/// Packages that take the tools away.
pub(crate) const REMOVE: &str = "Direct Connect - Remove";

pub(crate) fn own_packages(facts: &Facts<'_>) -> Result<Vec<String>, Undecided> {
    let packages: Vec<Package> = facts.rows(&PACKAGES)?;
    let own = packages
        .into_iter()
        .filter(|one| one.deleted_flag != Some(true) && one.name.starts_with("Direct Connect"));
    Ok(own.map(|package| package.name).collect())
}

fn content(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let own = own_packages(facts)?;
    if own.iter().any(|name| !name.starts_with(REMOVE)) {
        return Ok(());
    }
    report.finding(
        Finding::on(Subject::new("content", "packages", "the packages of Direct Connect"))
            .says("were not built")
            .expected("packages for every supported operating system")
            .evidence(facts.seen(&PACKAGES, &own)),
    );
    Ok(())
}

const MISSING_PERCENT: Setting = Setting::integer("tools_missing_percent", 25, 1, 100)
    .unit("percent")
    .about("from which share on endpoints without the tools are a high finding instead of a medium one");

/// The tools arrived.
pub(crate) const INSTALLED: Check = Check::automated("direct-connect.tools-installed")
    .title("Endpoints have the tools of Direct Connect")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&TOOLS])
    .settings(&[&MISSING_PERCENT])
    .guide(TROUBLESHOOTING)
    .what("Counts what endpoints answer for Direct Connect - Tools Version. Windows, Mac and Linux Package Installed are good; an answer that names a package and does not say that it is installed, or no answer at all, counts as without tools: medium, and high from `tools_missing_percent` on.")
    .why("Without the tools no session opens.")
    .limits("Answers that name no package are shown and not judged. The sensor tells no version to compare.")
    .related(&["direct-connect.deploy-tools-action", "direct-connect.os-supported", "direct-connect.exclusion-targets-present"])
    .caused_by(&[Cause::check("direct-connect.setup-complete"), Cause::check("direct-connect.action-group-target"), Cause::check("direct-connect.deploy-tools-action")])
    .remedy(&INSTALLED_REMEDY)
    .judge(installed);

const INSTALLED_REMEDY: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Direct Connect - Tools Version from all machines",
        "see which endpoints these are, by operating system",
    ),
    Step::console(
        "Administration > Actions > Scheduled Actions",
        "see that Deploy Direct Connect - Tools reaches them, and wait for one run",
    ),
    Step::command(
        "tancheck explain direct-connect.exclusions-windows",
        "if the action runs and the tools do not stay: the security exclusions",
    ),
    Step::console(
        "Administration > Shared Services > Endpoint Configuration > Tools",
        "where the platform has it: what it says of these endpoints",
    ),
])
.who("a user with the role Direct Connect Administrator")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Troubleshoot endpoint connection issues"]);

fn installed(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let tally = facts.tally(&TOOLS)?;
    let without = tally.without_value.get(NO_RESULTS).copied().unwrap_or(0);
    let mut missing: BTreeMap<String, u64> = BTreeMap::new();
    if without > 0 {
        missing.insert("no answer".to_owned(), without);
    }
    let mut undecided = Vec::new();
    for row in &tally.rows {
        let text = row.cells.first().map_or("", String::as_str);
        let lower = text.to_lowercase();
        if lower.contains("package installed") {
            continue;
        }
        if lower.contains("package") {
            *missing.entry(text.to_owned()).or_default() += row.count;
        } else {
            undecided.push(format!("what {text:?} on {} endpoints means is not known", row.count));
        }
    }
    let total = tally.valued() + without;
    let most = facts.integer(&MISSING_PERCENT)?.unsigned_abs();
    let all: u64 = missing.values().sum();
    if undecided.is_empty() {
        report.measure_share("direct-connect.tools-coverage", total.saturating_sub(all), total);
    }
    let severity = if all * 100 >= total * most { Severity::High } else { Severity::Medium };
    for (text, count) in missing {
        report.finding(
            Finding::on(Subject::new("answer", text.to_lowercase(), format!("endpoints that say {text}")))
                .says(format!("{count} of {total} endpoints have no tools of Direct Connect"))
                .expected("Windows, Mac or Linux Package Installed")
                .severity(severity)
                .affected(count, Some(total))
                .evidence(facts.seen(&TOOLS, &text)),
        );
    }
    settle(&undecided)?;
    complete("Direct Connect - Tools Version", total + failed(tally), failed(tally))
}

/// The extension runs.
pub(crate) const EXTENSION: Check = Check::automated("direct-connect.extension-health")
    .title("The client extension of Direct Connect does not fail")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&CLIENT_EXTENSIONS])
    .settings(&[&HEALTHY_STATES])
    .guide(TROUBLESHOOTING)
    .what("Looks for failures of the domain dec among those that endpoints tell of their client extensions.")
    .why("Where the extension fails, no session opens.")
    .limits("The columns of the sensor are not documented; where they cannot be told, nothing is decided.")
    .related(&["threat-response.failure-dec", "client-management.cx-other"])
    .caused_by(&[Cause::check("direct-connect.tools-installed")])
    .remedy(&EXTENSION_REMEDY)
    .judge(|facts, report| judge_failures(facts, report, 0, |domain| domain == "dec"));

const EXTENSION_REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Shared Services > Client Management > Client Health > Deployment", "panel Health Failures: the Interact icon of the domain dec shows the endpoints"),
    Step::command("tancheck diagnose direct-connect --endpoint NAME", "for one of them: what keeps it from connecting"),
    Step::consult("Endpoint Configuration User Guide: Identify and resolve issues with endpoint tools or client extensions", "for the others"),
])
.who("a user who may see client health")
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Troubleshoot endpoint connection issues"]);

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::Body;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::{Case, tally};

    fn case(change: (&str, Value)) -> Case {
        let mut action = json!({"id": 7, "name": "Deploy Direct Connect - Tools [Windows]", "status": 0,
            "approved_flag": true, "last_start_time": "2026-06-30T00:00:00", "end_time": "Never",
            "action_group": {"id": 61, "name": "Tanium Direct Connect"}, "last_action": {"id": 7001}});
        action[change.0] = change.1;
        Case::of(&DEPLOY).rows(&SCHEDULED_ACTIONS, json!([action]))
    }

    #[test]
    fn an_action_that_deploys_passes() {
        case(("id", json!(7))).judge().assert_pass();
        case(("id", json!(7))).assert_needs_its_inputs();
    }

    #[test]
    fn whatever_keeps_an_action_from_deploying_is_found() {
        for change in [
            ("status", json!(1)),
            ("approved_flag", json!(false)),
            ("last_start_time", json!("Never")),
            ("end_time", json!("2026-06-01T00:00:00")),
            ("action_group", json!({"id": 3, "name": "Default"})),
        ] {
            case(change).judge().assert_findings(&["7"]);
        }
        let gone = [("status", json!(2)), ("name", json!("Other"))];
        for change in gone {
            case(change).judge().assert_findings(&["deploy direct connect - tools"]);
        }
        let own = case(("name", json!("Other"))).gap(&SCHEDULED_ACTIONS, "only own actions");
        own.judge().assert_undecided(Outcome::NotEvaluated);
        case(("status", json!(9))).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn packages_are_built() {
        let case = |name: &str| {
            Case::of(&CONTENT)
                .rows(&PACKAGES, json!([{"name": name}, {"name": "Direct Connect - Remove Tools [Linux]"}]))
        };
        case("Direct Connect - Tools").judge().assert_pass();
        case("Direct Connect - Tools").assert_needs_its_inputs();
        case("Patch - Tools").judge().assert_findings(&["packages"]);
    }

    #[test]
    fn endpoints_without_tools_are_counted() {
        let case = |counts: &[(&str, u64)], silent: u64| {
            let mut answers = tally("Direct Connect - Tools Version", counts);
            answers.answered += silent;
            if silent > 0 {
                answers.without_value.insert(NO_RESULTS.to_owned(), silent);
            }
            Case::of(&INSTALLED).body(&TOOLS, Body::Tally(answers))
        };
        let good = [("Windows Package Installed", 60), ("Mac Package Installed", 40)];
        case(&good, 0).judge().assert_pass();
        case(&good, 0).assert_needs_its_inputs();
        let few = case(&good, 1).judge();
        few.assert_findings(&["no answer"]);
        assert_eq!(few.findings()[0].severity, Some(Severity::Medium));
        let many = case(&[("Windows Package Installed", 75), ("Windows Package Required", 25)], 0).judge();
        many.assert_findings(&["windows package required"]);
        let kept = &many.measures()[0];
        assert_eq!((kept.series.as_str(), kept.value), ("direct-connect.tools-coverage", 75.0));
        assert_eq!(many.findings()[0].severity, Some(Severity::High));
        case(&[("Linux Package Installed", 9), ("7.1", 1)], 0)
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn failures_of_the_own_domain_count() {
        let case = |domain: &str| {
            Case::of(&EXTENSION)
                .rows(&CLIENT_EXTENSIONS, json!([{"Domain": domain, "Failure": "it broke", "Count": 3}]))
        };
        case("Direct Connect").judge().assert_findings(&["dec"]);
        case("stream").judge().assert_pass();
        case("stream").assert_needs_its_inputs();
    }
}
