//! Logging levels of the endpoints that should not log: VDI, sensitive ones, and those with limited resources.

use super::{GUIDE, LIMITS, Levels, REFERENCES, UNSET_LEVEL};
use crate::console::{SETTINGS_TAB, WHO};
use crate::inputs::{LOG_LEVELS_LIMITED, LOG_LEVELS_SENSITIVE, LOG_LEVELS_VDI, LOG_VERBOSITY};
use crate::spread::Spread;
use tancheck_plugin_api::prelude::*;

/// The group that the vendor's page offers. It also holds virtual servers, which are no VDI.
const ALL_VIRTUAL: &str = "All Virtual Machines";

const VDI_GROUP: Setting = Setting::text("vdi_group", Some(ALL_VIRTUAL)).about(
    "the computer group of the VDI endpoints; All Virtual Machines also holds virtual servers, so name a \
     group of your own. Empty where VDI is not used",
);

const VDI_LEVEL: Setting = Setting::integer("vdi_level", 0, 0, 100)
    .about("the logging level that VDI endpoints should have")
    .from_guide();

const SENSITIVE_GROUPS: Setting = Setting::list("sensitive_groups", &[])
    .about("computer groups of sensitive endpoints; `[\"none\"]` where there are none");

const LIMITED_GROUPS: Setting = Setting::list("limited_groups", &[])
    .about("computer groups of endpoints with limited resources; `[\"none\"]` where there are none");

const SENSITIVE_LEVEL: Setting = Setting::integer("sensitive_level", 0, 0, 100)
    .about("the logging level that sensitive and limited endpoints should have")
    .from_guide();

const NO_LOG: &str =
    "At level 0 the client logs nothing: what you would want to look up later will not be there.";

pub(crate) const VDI: Check = Check::automated("client-management.log-level-vdi")
    .title("VDI endpoints have logging level 0")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&LOG_LEVELS_VDI])
    .settings(&[&VDI_GROUP, &VDI_LEVEL])
    .guide(GUIDE)
    .what(
        "Asks the members of `vdi_group` for LogVerbosityLevel and reports each level other than \
         `vdi_level`. A client without the setting has level 1.",
    )
    .why("Dozens of virtual desktops share one host's disks: what each client logs, the host writes dozens of times.")
    .limits(
        "The group All Virtual Machines also holds virtual servers: findings about it are for information. \
         Old sensors tell the setting on Windows only.",
    )
    .applies("VDI is used")
    .related(&["client-management.log-level-default"])
    .remedy(&SILENCE)
    .even_if_absent()
    .judge(log_level_vdi);

pub(crate) const SENSITIVE: Check = Check::hybrid("client-management.log-level-sensitive")
    .title("Sensitive and resource-limited endpoints have logging level 0")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&LOG_LEVELS_SENSITIVE, &LOG_LEVELS_LIMITED])
    .settings(&[&SENSITIVE_GROUPS, &LIMITED_GROUPS, &SENSITIVE_LEVEL])
    .guide(GUIDE)
    .what(
        "Asks the members of `sensitive_groups` and `limited_groups` for LogVerbosityLevel and reports each \
         level other than `sensitive_level`. A client without the setting has level 1. A person may confirm \
         a level that is meant, for an investigation for instance.",
    )
    .why("On such endpoints a log is a burden, or a place where something may end up that should not.")
    .limits(LIMITS)
    .related(&["client-management.log-level-default"])
    .remedy(&SILENCE)
    .even_if_absent()
    .judge(log_level_sensitive);

const SILENCE: Remedy = Remedy::new(&[
    Step::console(SETTINGS_TAB, "select the Computer Group {group} and look at LogVerbosityLevel"),
    Step::question(
        "Get Computer Name from all machines with Tanium Client Explicit Setting[LogVerbosityLevel] equals {level}",
        "limit the question to {group} and list the endpoints",
    ),
    Step::decision("somebody investigates these endpoints", "keep the level until the investigation is over"),
    Step::console(SETTINGS_TAB, "otherwise set LogVerbosityLevel to 0 for the members of {group}"),
    Step::decision(
        "client-management.log-level-default then reports level 0",
        "add {group} to its setting `exempt_groups`",
    ),
])
.who(WHO)
.risk(Risk::Low, Reversible::Partly)
.cautions(&[NO_LOG])
.references(REFERENCES);

fn log_level_vdi(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let group = facts.text(&VDI_GROUP)?.trim();
    if group.is_empty() {
        return Err(Undecided::not_applicable("VDI is not used: `vdi_group` is empty"));
    }
    let wanted = facts.integer(&VDI_LEVEL)?;
    let spread = Spread::of_group(facts, &LOG_LEVELS_VDI, LOG_VERBOSITY, group)?;
    if spread.answered == Some(0) && spread.silent == 0 {
        return Err(facts.absent(&LOG_LEVELS_VDI, format!("the computer group {group:?} has no members")));
    }
    let levels = Levels::of(spread, UNSET_LEVEL);
    let mixed = group.eq_ignore_ascii_case(ALL_VIRTUAL);
    if mixed {
        report.note(
            "All Virtual Machines also holds virtual servers; name a group of VDI endpoints in `vdi_group`",
        );
    }
    levels.report_others(wanted, group, report, |finding, level| {
        let finding = finding.evidence(facts.seen(&LOG_LEVELS_VDI, level));
        if mixed { finding.severity(Severity::Info) } else { finding }
    });
    levels.settle(group, report)
}

fn log_level_sensitive(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let (sensitive, limited) = (facts.list(&SENSITIVE_GROUPS), facts.list(&LIMITED_GROUPS));
    if sensitive.is_empty() && limited.is_empty() {
        return Err(Undecided::not_evaluated(
            "name the computer groups of sensitive and of limited endpoints in `sensitive_groups` and \
             `limited_groups`, or `[\"none\"]` where there are none",
        ));
    }
    let named = |groups: Vec<&'_ str>| -> Vec<String> {
        groups.iter().filter(|group| !group.eq_ignore_ascii_case("none")).map(ToString::to_string).collect()
    };
    let (sensitive, limited) = (named(sensitive), named(limited));
    if sensitive.is_empty() && limited.is_empty() {
        return Err(Undecided::not_applicable(
            "there are no sensitive and no limited endpoints, the settings say",
        ));
    }
    // Both are judged, whatever becomes of one.
    let first = judge_groups(facts, report, &LOG_LEVELS_SENSITIVE, &sensitive);
    let second = judge_groups(facts, report, &LOG_LEVELS_LIMITED, &limited);
    first.and(second)
}

fn judge_groups(
    facts: &Facts<'_>,
    report: &mut Report,
    input: &'static Input,
    groups: &[String],
) -> Result<(), Undecided> {
    if groups.is_empty() {
        return Ok(());
    }
    let wanted = facts.integer(&SENSITIVE_LEVEL)?;
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let spreads = Spread::of_groups(facts, input, LOG_VERBOSITY, &groups)?;
    let levels: Vec<(&str, Levels)> =
        spreads.into_iter().map(|(group, spread)| (group, Levels::of(spread, UNSET_LEVEL))).collect();
    for (group, levels) in &levels {
        levels.report_others(wanted, group, report, |finding, level| {
            finding.evidence(facts.seen(input, level)).confirms(format!("level {level} in {group}"))
        });
    }
    levels.into_iter().try_for_each(|(group, levels)| levels.settle(group, report))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::ItemTally;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::{Case, tally};

    fn vdi(counts: &[(&str, u64)]) -> Case {
        Case::of(&VDI).tally(&LOG_LEVELS_VDI, "x", counts).setting("vdi_group", "Desktops")
    }

    #[test]
    fn vdi_endpoints_that_log_are_found() {
        vdi(&[("0", 50)]).judge().assert_pass();
        let verdict = vdi(&[("0", 40), ("1", 8), ("41", 2)]).judge();
        verdict.assert_findings(&["Desktops/1", "Desktops/41"]);
        assert_eq!(verdict.findings()[0].severity, None);
        vdi(&[("1", 50)]).setting("vdi_level", 1).judge().assert_pass();
        vdi(&[("0", 50)]).assert_needs_its_inputs();
    }

    #[test]
    fn an_absent_setting_means_level_one() {
        let mut answers = tally("x", &[("0", 40)]);
        answers.without_value.insert("[no results]".into(), 10);
        answers.answered = 50;
        vdi(&[]).body(&LOG_LEVELS_VDI, Body::Tally(answers)).judge().assert_findings(&["Desktops/1"]);
        let rows =
            json!([{"Computer Group": "Desktops", "Setting": "ServerName", "Value": "ts1", "Count": 9}]);
        vdi(&[]).rows(&LOG_LEVELS_VDI, rows).judge().assert_findings(&["Desktops/1"]);
    }

    #[test]
    fn errors_are_not_healthy() {
        let mut answers = tally("x", &[("0", 40)]);
        answers.without_value.insert("TSE-Error: timed out".into(), 10);
        answers.answered = 50;
        vdi(&[]).body(&LOG_LEVELS_VDI, Body::Tally(answers)).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn all_virtual_machines_is_for_information() {
        let verdict = vdi(&[("1", 50)]).setting("vdi_group", ALL_VIRTUAL).judge();
        verdict.assert_findings(&["All Virtual Machines/1"]);
        assert_eq!(verdict.findings()[0].severity, Some(Severity::Info));
        assert!(verdict.notes()[0].contains("virtual servers"));
    }

    #[test]
    fn without_a_group_or_members_it_does_not_apply() {
        vdi(&[]).judge().assert_undecided(Outcome::NotApplicable);
        vdi(&[("1", 5)]).setting("vdi_group", "").judge().assert_undecided(Outcome::NotApplicable);
        let silent = Tally { expected: 10, ..tally("x", &[]) };
        vdi(&[]).body(&LOG_LEVELS_VDI, Body::Tally(silent)).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn groups(items: &[(&str, &[(&str, u64)])]) -> Body {
        let tally_of = |(item, counts): &(&str, &[(&str, u64)])| ItemTally {
            item: (*item).to_owned(),
            tally: tally("x", counts),
        };
        Body::Tallies(items.iter().map(tally_of).collect())
    }

    fn sensitive(counts: &[(&str, u64)], limited: &[(&str, u64)]) -> Case {
        Case::of(&SENSITIVE)
            .setting("sensitive_groups", json!(["Vaults"]))
            .setting("limited_groups", json!(["Kiosks"]))
            .body(&LOG_LEVELS_SENSITIVE, groups(&[("Vaults", counts)]))
            .body(&LOG_LEVELS_LIMITED, groups(&[("Kiosks", limited)]))
    }

    #[test]
    fn members_of_both_kinds_of_groups_are_judged() {
        sensitive(&[("0", 5)], &[("0", 5)]).judge().assert_pass();
        sensitive(&[("0", 5)], &[("0", 5)]).assert_needs_its_inputs();
        let verdict = sensitive(&[("1", 5)], &[("0", 4), ("41", 1)]).judge();
        verdict.assert_findings(&["Vaults/1", "Kiosks/41"]);
        assert_eq!(verdict.findings()[0].state.as_deref(), Some("level 1 in Vaults"));
    }

    #[test]
    fn groups_have_to_be_named_or_denied() {
        Case::of(&SENSITIVE).judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&SENSITIVE)
            .setting("sensitive_groups", json!(["none"]))
            .judge()
            .assert_undecided(Outcome::NotApplicable);
        sensitive(&[("0", 5)], &[]).setting("limited_groups", json!(["none"])).judge().assert_pass();
    }

    #[test]
    fn a_group_that_was_not_answered_decides_nothing() {
        sensitive(&[("0", 5)], &[("0", 5)])
            .body(&LOG_LEVELS_LIMITED, groups(&[]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
        sensitive(&[("0", 5)], &[]).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
