//! Logging levels of all endpoints, and of Client Containers, which have a level of their own.

use super::{GUIDE, Levels, REFERENCES, UNSET_LEVEL};
use crate::console::{SETTINGS_TAB, WHO};
use crate::inputs::{
    LOG_LEVELS, LOG_LEVELS_CONTAINERS, LOG_LEVELS_EXEMPT, LOG_LEVELS_INVESTIGATED, LOG_VERBOSITY,
};
use crate::spread::{Held, Spread};
use tancheck_plugin_api::prelude::*;

const DEFAULT_LEVEL: Setting = Setting::integer("default_level", 1, 0, 100)
    .about("the logging level that clients should have")
    .from_guide();

const EXEMPT_GROUPS: Setting = Setting::list("exempt_groups", &[]).about(
    "computer groups whose level may differ from the default: those meant for level 0 (VDI, sensitive, \
     limited). Choose groups that do not share members",
);

const INVESTIGATION_GROUPS: Setting = Setting::table("investigation_groups").about(
    "computer groups whose level is raised for an investigation, each with the last day of it: `\"Case \
     4711\" = [\"2026-07-31\"]`",
);

const CONTAINER_GROUP: Setting = Setting::text("container_group", None)
    .about("the computer group that holds the Client Containers; leave it out where there are none");

const CONTAINER_LEVEL: Setting = Setting::integer("container_level", 10, 0, 100)
    .about("the logging level that Client Containers have")
    .from_guide();

pub(crate) const DEFAULT: Check = Check::automated("client-management.log-level-default")
    .title("Clients use the default logging level 1")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Low)
    .reads(&[&LOG_LEVELS, &LOG_LEVELS_EXEMPT, &LOG_LEVELS_INVESTIGATED, &LOG_LEVELS_CONTAINERS])
    .settings(&[&DEFAULT_LEVEL, &EXEMPT_GROUPS, &INVESTIGATION_GROUPS, &CONTAINER_GROUP])
    .guide(GUIDE)
    .what(
        "Asks every endpoint for LogVerbosityLevel and reports each level other than `default_level`. A \
         client without the setting has level 1. Members of `exempt_groups`, of `investigation_groups` \
         whose day is not over, and of `container_group` are left out.",
    )
    .why(
        "A higher level costs each client processor time and disk space, day after day. At level 0 there is \
         no log to look into when something goes wrong.",
    )
    .limits(
        "Members of the groups are counted, not compared by name: where groups share members, or where \
         members did not answer both questions, the check does not decide. Old sensors tell the setting on \
         Windows only. Which endpoints are new since the last run is not told.",
    )
    .related(&[
        "client-management.log-level-vdi",
        "client-management.log-level-sensitive",
        "client-management.log-level-containers",
    ])
    .remedy(&SET_DEFAULT)
    .even_if_absent()
    .judge(log_level_default);

const SET_DEFAULT: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name from all machines with Tanium Client Explicit Setting[LogVerbosityLevel] equals {level}",
        "list the endpoints",
    ),
    Step::decision(
        "somebody investigates these endpoints",
        "put them into a computer group, and that group with the last day into `investigation_groups`",
    ),
    Step::decision("they are meant for level 0", "add their computer group to `exempt_groups`"),
    Step::console(SETTINGS_TAB, "otherwise set LogVerbosityLevel back to 1 for these endpoints"),
])
.who(WHO)
.risk(Risk::Low, Reversible::Yes)
.cautions(&[
    "Ask before lowering a level: an investigation may need it.",
    "Client Containers keep level 10; no action can change it.",
])
.references(REFERENCES);

pub(crate) const CONTAINERS: Check = Check::automated("client-management.log-level-containers")
    .title("Client Containers keep logging level 10")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Info)
    .reads(&[&LOG_LEVELS_CONTAINERS])
    .settings(&[&CONTAINER_GROUP, &CONTAINER_LEVEL])
    .guide(GUIDE)
    .what(
        "Asks the members of `container_group` for LogVerbosityLevel and reports each level other than \
         `container_level`. A container without the setting has its default, level 10.",
    )
    .why("Client Containers have a default of their own, and no action can change it. It must not be taken for a fault.")
    .limits("No public sensor tells a container from another endpoint: the site has to name the group.")
    .applies("Client Containers are used")
    .related(&["client-management.log-level-default"])
    .remedy(&ASK_SUPPORT)
    .even_if_absent()
    .judge(log_level_containers);

const ASK_SUPPORT: Remedy = Remedy::new(&[Step::support(
    "ask to have the logging level of the Client Containers in {group} changed from {level}; bring the list \
     of endpoints and the reason",
)])
.who("Tanium Support")
.cautions(&["Never deploy an action for this: the level of Client Containers cannot be changed by actions."])
.references(&["Tanium Core Platform Deployment Reference Guide: Logging levels"]);

/// Endpoints whose level is none of this check's business.
#[derive(Default)]
struct Exempt(Vec<Levels>);

impl Exempt {
    fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        let mut exempt = Self::default();
        let groups = facts.list(&EXEMPT_GROUPS);
        if !groups.is_empty() {
            exempt.add(Spread::of_groups(facts, &LOG_LEVELS_EXEMPT, LOG_VERBOSITY, &groups)?);
        }
        let open = open_investigations(facts)?;
        if !open.is_empty() {
            exempt.add(Spread::of_groups(facts, &LOG_LEVELS_INVESTIGATED, LOG_VERBOSITY, &open)?);
        }
        if let Some(group) = container_group(facts) {
            let spread = Spread::of_group(facts, &LOG_LEVELS_CONTAINERS, LOG_VERBOSITY, group)?;
            exempt.add(vec![(group, spread)]);
        }
        Ok(exempt)
    }

    fn add(&mut self, groups: Vec<(&str, Spread)>) {
        self.0.extend(groups.into_iter().map(|(_, spread)| Levels::of(spread, UNSET_LEVEL)));
    }

    fn count(&self, level: i64) -> u64 {
        self.0.iter().map(|levels| levels.count(level)).sum()
    }

    /// How many of the endpoints at a level are left when the members of the groups are taken out, or why that is not
    /// known. `unseen` endpoints did not tell their level.
    fn leave(&self, level: i64, count: u64, unseen: u64) -> Result<u64, String> {
        let members = self.count(level);
        // More members than endpoints: some did not answer when all were asked, or belong to two groups.
        if members > count + unseen {
            return Err(format!(
                "the exempt groups share members: {members} of them for {count} endpoints at level {level}"
            ));
        }
        let left = count.saturating_sub(members);
        let silent: u64 = self.0.iter().map(Levels::unseen).sum();
        if left > 0 && left <= silent {
            return Err(format!(
                "{left} endpoints at level {level} may be members of exempt groups that did not answer"
            ));
        }
        Ok(left)
    }
}

/// Groups under investigation whose last day is not over.
fn open_investigations<'a>(facts: &Facts<'a>) -> Result<Vec<&'a str>, Undecided> {
    let mut open = Vec::new();
    for (group, days) in facts.table(&INVESTIGATION_GROUPS) {
        let Some(Ok(Some(last))) = days.first().map(|day| lenient::parse_time(day)) else {
            return Err(Undecided::not_evaluated(format!(
                "`investigation_groups` tells no last day for {group:?}; write it as \"2026-07-31\""
            )));
        };
        if facts.days_since(last) < 1 {
            open.push(group);
        }
    }
    Ok(open)
}

fn container_group<'a>(facts: &Facts<'a>) -> Option<&'a str> {
    facts.text(&CONTAINER_GROUP).ok().map(str::trim).filter(|group| !group.is_empty())
}

fn log_level_default(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let wanted = facts.integer(&DEFAULT_LEVEL)?;
    let levels = Levels::of(Spread::of(facts, &LOG_LEVELS, LOG_VERBOSITY)?, UNSET_LEVEL);
    let exempt = Exempt::of(facts)?;
    let mut open = Vec::new();
    for (level, held) in levels.at.iter().filter(|(level, _)| **level != wanted) {
        let left = match exempt.leave(*level, held.count, levels.unseen()) {
            Ok(0) if !levels.spread.unlisted => continue,
            Ok(left) => left,
            Err(why) => {
                open.push(why);
                continue;
            }
        };
        // With exempt groups the names may be those of their members.
        let sample = if exempt.0.is_empty() { held.sample.clone() } else { Vec::new() };
        let left = Held { count: left, sample, ..Held::default() };
        let finding = Finding::on(Subject::new("logging level", level, format!("level {level}")))
            .expected(format!("level {wanted}"))
            .evidence(facts.seen(&LOG_LEVELS, held.count))
            .fill("level", level);
        let mut finding = levels.told(finding, &left);
        if *level == 0 {
            finding.says.push_str(", and their clients log nothing");
        }
        report.finding(finding);
    }
    settle(&open)?;
    levels.settle(LOG_VERBOSITY, report)
}

fn log_level_containers(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let Some(group) = container_group(facts) else {
        return Err(Undecided::not_applicable("no group of Client Containers is named in `container_group`"));
    };
    let wanted = facts.integer(&CONTAINER_LEVEL)?;
    let spread = Spread::of_group(facts, &LOG_LEVELS_CONTAINERS, LOG_VERBOSITY, group)?;
    let levels = Levels::of(spread, 10);
    levels.report_others(wanted, group, report, |finding, level| {
        finding.evidence(facts.seen(&LOG_LEVELS_CONTAINERS, level))
    });
    levels.settle(group, report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::facts::ItemTally;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::{Case, tally};

    fn case(counts: &[(&str, u64)]) -> Case {
        Case::of(&DEFAULT).tally(&LOG_LEVELS, "Tanium Client Explicit Setting", counts)
    }

    fn groups(items: &[(&str, &[(&str, u64)])]) -> Body {
        let tally_of = |(item, counts): &(&str, &[(&str, u64)])| ItemTally {
            item: (*item).to_owned(),
            tally: tally("x", counts),
        };
        Body::Tallies(items.iter().map(tally_of).collect())
    }

    #[test]
    fn the_default_and_the_absent_setting_pass() {
        let mut answers = tally("x", &[("1", 90)]);
        answers.without_value.insert("[no results]".into(), 10);
        answers.answered = 100;
        let case = case(&[]).body(&LOG_LEVELS, Body::Tally(answers));
        case.judge().assert_pass();
        case.assert_needs_its_inputs();
    }

    #[test]
    fn every_other_level_is_found_and_level_zero_apart() {
        let verdict = case(&[("1", 90), ("41", 6), ("0", 4)]).judge();
        verdict.assert_findings(&["0", "41"]);
        let off = verdict.findings().iter().find(|finding| finding.subject.key == "0").unwrap();
        assert!(off.says.contains("log nothing"));
        assert_eq!(off.affected.as_ref().map(|affected| (affected.count, affected.of)), Some((4, Some(100))));
        case(&[("1", 90), ("41", 6)]).setting("default_level", 41).judge().assert_findings(&["1"]);
    }

    #[test]
    fn errors_and_odd_values_are_not_healthy() {
        let mut answers = tally("x", &[("1", 94)]);
        answers.without_value.insert("[current result unavailable]".into(), 6);
        answers.answered = 100;
        case(&[]).body(&LOG_LEVELS, Body::Tally(answers)).judge().assert_undecided(Outcome::NotEvaluated);
        case(&[("1", 94), ("loud", 6)]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn members_of_exempt_groups_are_left_out() {
        let exempt = |counts: &[(&str, u64)], members: &[(&str, u64)]| {
            case(counts)
                .setting("exempt_groups", json!(["VDI"]))
                .body(&LOG_LEVELS_EXEMPT, groups(&[("VDI", members)]))
        };
        exempt(&[("1", 90), ("0", 10)], &[("0", 10)]).judge().assert_pass();
        exempt(&[("1", 90), ("0", 10)], &[("0", 10)]).assert_needs_its_inputs();
        let verdict = exempt(&[("1", 90), ("0", 10)], &[("0", 8)]).judge();
        verdict.assert_findings(&["0"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().map(|affected| affected.count), Some(2));
    }

    #[test]
    fn members_that_did_not_answer_leave_it_open() {
        let mut members = tally("x", &[("0", 8)]);
        members.expected = 10;
        let body = Body::Tallies(vec![ItemTally { item: "VDI".into(), tally: members }]);
        case(&[("1", 90), ("0", 10)])
            .setting("exempt_groups", json!(["VDI"]))
            .body(&LOG_LEVELS_EXEMPT, body)
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn groups_that_share_members_leave_it_open() {
        case(&[("1", 90), ("0", 10)])
            .setting("exempt_groups", json!(["VDI", "Labs"]))
            .body(&LOG_LEVELS_EXEMPT, groups(&[("VDI", &[("0", 8)]), ("Labs", &[("0", 6)])]))
            .judge()
            .assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn an_investigation_counts_until_its_last_day_is_over() {
        let until = |day: &str| {
            case(&[("1", 90), ("41", 10)])
                .setting("investigation_groups", json!({"Case": day}))
                .body(&LOG_LEVELS_INVESTIGATED, groups(&[("Case", &[("41", 10)])]))
        };
        until("2026-06-30").judge().assert_pass();
        until("2026-06-29").judge().assert_findings(&["41"]);
        until("soon").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn containers_are_left_out_here_and_judged_by_their_own_level() {
        let containers = |check: &'static Check, counts: &[(&str, u64)]| {
            Case::of(check)
                .tally(&LOG_LEVELS, "x", &[("1", 90), ("10", 10)])
                .tally(&LOG_LEVELS_CONTAINERS, "x", counts)
                .setting("container_group", "Containers")
        };
        containers(&DEFAULT, &[("10", 10)]).judge().assert_pass();
        containers(&CONTAINERS, &[("10", 10)]).judge().assert_pass();
        let verdict = containers(&CONTAINERS, &[("10", 9), ("1", 1)]).judge();
        verdict.assert_findings(&["Containers/1"]);
        let case = Case::of(&CONTAINERS)
            .tally(&LOG_LEVELS_CONTAINERS, "x", &[("10", 10)])
            .setting("container_group", "Containers");
        case.assert_needs_its_inputs();
    }

    #[test]
    fn a_container_without_the_setting_has_its_own_default() {
        let mut answers = tally("x", &[]);
        answers.without_value.insert("[no results]".into(), 3);
        answers.answered = 3;
        Case::of(&CONTAINERS)
            .body(&LOG_LEVELS_CONTAINERS, Body::Tally(answers))
            .setting("container_group", "Containers")
            .judge()
            .assert_pass();
    }

    #[test]
    fn without_a_group_there_are_no_containers() {
        Case::of(&CONTAINERS).judge().assert_undecided(Outcome::NotApplicable);
        Case::of(&CONTAINERS)
            .setting("container_group", " ")
            .judge()
            .assert_undecided(Outcome::NotApplicable);
    }

    #[test]
    fn no_remedy_of_containers_is_an_action() {
        let steps = format!("{ASK_SUPPORT:?}");
        assert!(!steps.contains("Action {") && steps.contains("Support {"));
    }

    #[test]
    fn an_exported_page_without_the_setting_says_that_all_have_the_default() {
        let rows =
            json!([{"Computer Group": "All Computers", "Setting": "ServerName", "Value": "ts1", "Count": 9}]);
        Case::of(&DEFAULT).rows(&LOG_LEVELS, rows).judge().assert_pass();
    }
}
