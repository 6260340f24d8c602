//! "Review and adjust the distribution of Tanium Client registration traffic", page 20: the servers clients may try.

mod zone_servers;

pub(crate) use zone_servers::{BALANCE, ENOUGH};

use crate::console::{SETTINGS_TAB, WHO};
use crate::inputs::{SERVER_LISTS, SERVER_NAME_LIST};
use crate::spread::{Held, Spread};
use std::collections::BTreeSet;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::hosts::{SERVER_HEALTH, SERVER_HOSTS, ServerHealth, ServerHosts};

const GUIDE: &[GuideReference] =
    &[guide("Review and adjust the distribution of Tanium Client registration traffic", 20)];

/// The danger of every remedy here (the client cannot be told the right list once it has a wrong one).
const CUT_OFF: &str = "A wrong ServerNameList cuts clients off, and what would correct it cannot reach them \
    any more. Deploy to a few endpoints first, see them register again, and only then to the others.";

const APPROVED: Setting = Setting::list("approved_servers", &[])
    .about("every Tanium Server and Zone Server that a client may have in its ServerNameList");

const REQUIRED: Setting =
    Setting::list("required_servers", &[]).about("servers that every ServerNameList has to hold");

const PLANNED: Setting = Setting::table("planned_endpoints").about(
    "how many endpoints are to have a ServerNameList: the servers, separated by commas, and the number, \
     such as `\"ts1.example.com,zs1.example.com\" = [\"5000\"]`",
);

const MIN_SERVERS: Setting = Setting::integer("min_servers", 2, 1, 20)
    .unit("servers")
    .about("how many servers a client should have to try");

const BALANCED: Setting = Setting::list("balanced_names", &[])
    .about("names that stand for several servers, behind a load balancer or a round-robin record");

pub(crate) const LISTS: Check = Check::automated("client-management.server-name-list")
    .title("Clients are told the right servers")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::High)
    .reads(&[&SERVER_LISTS])
    .settings(&[&APPROVED, &REQUIRED, &PLANNED])
    .learns(&[&APPROVED, &REQUIRED])
    .guide(GUIDE)
    .what(
        "Asks every endpoint for its ServerNameList and reports each distinct list that names a server \
         outside `approved_servers`, lacks one of `required_servers`, or is held by more endpoints than \
         `planned_endpoints` says. Lists are compared as sets: order, case and port do not matter.",
    )
    .why(
        "A client that is told a wrong server registers there, or nowhere. A server that was taken out of \
         service but is still in the lists costs each client a failed attempt.",
    )
    .limits(
        "Does not decide without `approved_servers`; it then shows the lists it saw. Clients that cannot \
         register at all do not answer (GET /api/v2/unregistered_clients names them). Old sensors answer on \
         Windows only.",
    )
    .related(&["client-management.server-name-list-single"])
    .remedy(&SET_LISTS)
    .even_if_absent()
    .judge(server_name_list);

const SET_LISTS: Remedy = Remedy::new(&[
    Step::question(
        "Get Computer Name and Tanium Client Explicit Setting[ServerNameList] from all machines",
        "find the endpoints that hold {subject}",
    ),
    Step::decision("the list is right", "add its servers to `approved_servers`"),
    Step::console(
        SETTINGS_TAB,
        "see ServerNameList with its Count, and decide on the list that each computer group should have",
    ),
    Step::action(
        "the package of your content that sets ServerNameList",
        "deploy it with the full list to a few of these endpoints, see that they register, then to the others",
    ),
    Step::api("GET /api/v2/unregistered_clients", "shows clients that tried to register and were refused"),
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.cautions(&[CUT_OFF])
.references(&[
    "Tanium Client Management User Guide: Configuring connections to the Tanium Core Platform",
    "Tanium Client Management User Guide: Content for configuring connections to Tanium Cloud",
]);

pub(crate) const SINGLE: Check = Check::automated("client-management.server-name-list-single")
    .title("Clients have more than one server to try")
    .cadence(&[Cadence::Monthly])
    .severity(Severity::Medium)
    .reads(&[&SERVER_LISTS, &SERVER_HOSTS, &SERVER_HEALTH])
    .settings(&[&MIN_SERVERS, &APPROVED, &BALANCED])
    .guide(GUIDE)
    .what(
        "Reports each distinct ServerNameList with fewer than `min_servers` names, where the deployment has \
         more than one server that clients can reach. A name in `balanced_names` counts as several servers.",
    )
    .why("A client with a single server to try is lost for as long as that server is down.")
    .limits(
        "The name of a load balancer counts as one server unless it is in `balanced_names`. Old sensors \
         answer on Windows only.",
    )
    .applies("more than one server that clients can reach")
    .related(&["client-management.server-name-list"])
    .remedy(&EXTEND)
    .even_if_absent()
    .judge(server_name_list_single);

const EXTEND: Remedy = Remedy::new(&[
    Step::decision("the name stands for several servers", "add it to `balanced_names`"),
    Step::consult("the networking team", "which further Tanium Servers or Zone Servers can these endpoints reach?"),
    Step::action(
        "the package of your content that sets ServerNameList",
        "deploy it with the longer list to a few of these endpoints, see that they register, then to the others",
    ),
])
.who(WHO)
.risk(Risk::High, Reversible::Partly)
.cautions(&[CUT_OFF])
.references(&["Tanium Client Management User Guide: Configuring connections to the Tanium Core Platform"]);

/// The servers of a list, in lower case and without ports. The order means nothing: a client picks at random.
fn servers(list: &str) -> BTreeSet<String> {
    list.split(',').map(server).filter(|name| !name.is_empty()).collect()
}

/// One server's name, in lower case and without its port.
fn server(name: &str) -> String {
    let name = name.trim().to_lowercase();
    let port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((address, _)) = name.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address.to_owned();
    }
    match name.split_once(':') {
        Some((host, rest)) if port(rest) => host.to_owned(),
        _ => name,
    }
}

/// The distinct lists, each with the endpoints that hold it, whatever the order of its servers.
fn distinct(spread: &Spread) -> Vec<(BTreeSet<String>, Held)> {
    let mut lists: Vec<(BTreeSet<String>, Held)> = Vec::new();
    for held in &spread.held {
        let set = servers(&held.value);
        match lists.iter_mut().find(|(known, _)| *known == set) {
            Some((_, known)) => {
                known.count += held.count;
                known.sample.extend(held.sample.iter().cloned());
            }
            None => lists.push((set, held.clone())),
        }
    }
    lists
}

fn joined(servers: &BTreeSet<String>) -> String {
    servers.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

fn server_name_list(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let spread = Spread::of(facts, &SERVER_LISTS, SERVER_NAME_LIST)?.absent_is_unknown();
    let lists = distinct(&spread);
    let approved: BTreeSet<String> = facts.list(&APPROVED).into_iter().map(server).collect();
    propose(facts, report, &spread, &lists);
    if approved.is_empty() {
        let seen: Vec<String> = lists
            .iter()
            .take(5)
            .map(|(set, held)| format!("{} ({} endpoints)", joined(set), held.count))
            .collect();
        return Err(Undecided::not_evaluated(format!(
            "name the servers that clients may use in `approved_servers`; seen: {}",
            if seen.is_empty() { "none".to_owned() } else { seen.join("; ") }
        )));
    }
    let required: BTreeSet<String> = facts.list(&REQUIRED).into_iter().map(server).collect();
    let planned = planned(facts)?;
    for (set, held) in &lists {
        let mut reasons = Vec::new();
        let foreign: BTreeSet<String> = set.difference(&approved).cloned().collect();
        if !foreign.is_empty() {
            reasons.push(format!("names {}, which is not approved", joined(&foreign)));
        }
        let lacking: BTreeSet<String> = required.difference(set).cloned().collect();
        if !lacking.is_empty() {
            reasons.push(format!("lacks {}", joined(&lacking)));
        }
        let plan = planned.iter().find(|(servers, _)| servers == set).map(|(_, plan)| *plan);
        if let Some(plan) = plan.filter(|plan| held.count > *plan) {
            reasons.push(format!("is held by more than the {plan} endpoints it is planned for"));
        }
        if !reasons.is_empty() {
            report.finding(
                Finding::on(Subject::new("server name list", joined(set), joined(set)))
                    .says(format!("{} ({} endpoints)", reasons.join("; "), held.count))
                    .expected("approved servers only, the required ones among them")
                    .affected(held.count, Some(spread.total()))
                    .sample(&held.sample)
                    .evidence(facts.seen(&SERVER_LISTS, &held.value)),
            );
        }
    }
    spread.settle(SERVER_NAME_LIST, report)
}

/// The servers that any list names, and those that every list names.
fn propose(facts: &Facts<'_>, report: &mut Report, spread: &Spread, lists: &[(BTreeSet<String>, Held)]) {
    let is_whole = spread.settle(SERVER_NAME_LIST, &mut Report::default()).is_ok();
    let Some((first, _)) = lists.first().filter(|_| is_whole) else { return };
    let named: BTreeSet<String> = lists.iter().flat_map(|(set, _)| set).cloned().collect();
    let common: Vec<&String> =
        first.iter().filter(|name| lists.iter().all(|(set, _)| set.contains(*name))).collect();
    let written = |setting: &'static Setting, names: &mut dyn Iterator<Item = &String>| {
        let known = facts.list(setting);
        let kept =
            |name: &String| known.iter().find(|text| server(text) == *name).map(|text| (*text).to_owned());
        names.map(|name| kept(name).unwrap_or_else(|| name.clone())).collect::<Vec<String>>()
    };
    let seen = format!("distinct lists: {}, on endpoints: {}", lists.len(), spread.total());
    report.propose(&APPROVED, written(&APPROVED, &mut named.iter()), &*seen);
    report.propose(&REQUIRED, written(&REQUIRED, &mut common.into_iter()), seen);
}

/// How many endpoints each list is planned for.
fn planned(facts: &Facts<'_>) -> Result<Vec<(BTreeSet<String>, u64)>, Undecided> {
    let plan = |(list, numbers): (&str, Vec<&str>)| match numbers.first().map(|text| text.trim().parse()) {
        Some(Ok(number)) => Ok((servers(list), number)),
        _ => Err(Undecided::not_evaluated(format!("`planned_endpoints` has no number for {list:?}"))),
    };
    facts.table(&PLANNED).into_iter().map(plan).collect()
}

fn server_name_list_single(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let hosts: ServerHosts = facts.object(&SERVER_HOSTS)?;
    let zone_servers = zone_servers(facts)?;
    let approved = facts.list(&APPROVED);
    if hosts.servers.len() + zone_servers.len() < 2 && approved.len() < 2 {
        return Err(facts.absent(&SERVER_HEALTH, "the deployment has one server that clients can reach"));
    }
    let least = facts.integer(&MIN_SERVERS)?.max(1) as usize;
    let balanced: BTreeSet<String> = facts.list(&BALANCED).into_iter().map(server).collect();
    let spread = Spread::of(facts, &SERVER_LISTS, SERVER_NAME_LIST)?.absent_is_unknown();
    for (set, held) in distinct(&spread) {
        if set.len() >= least || set.iter().any(|name| balanced.contains(name)) {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("server name list", joined(&set), joined(&set)))
                .says(format!("is all that {} endpoints have to try", held.count))
                .expected(format!("at least {least} servers"))
                .affected(held.count, Some(spread.total()))
                .sample(held.sample)
                .evidence(facts.seen(&SERVER_LISTS, &held.value)),
        );
    }
    spread.settle(SERVER_NAME_LIST, report)
}

/// The Zone Servers in service, in lower case and without ports.
fn zone_servers(facts: &Facts<'_>) -> Result<BTreeSet<String>, Undecided> {
    let health: ServerHealth = facts.object(&SERVER_HEALTH)?;
    let roles = health.servers.ok_or_else(|| {
        Undecided::not_evaluated("the server health lists no servers, so the Zone Servers are not known")
    })?;
    Ok(roles.zone_servers.iter().map(|zone| server(&zone.name)).filter(|name| !name.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;
    use tancheck_plugin_api::testing::{Case, tally};

    const PAIR: &str = "ts1.example.com,zs1.example.com:17472";

    fn lists(counts: &[(&str, u64)]) -> Case {
        Case::of(&LISTS)
            .tally(&SERVER_LISTS, "Tanium Client Explicit Setting", counts)
            .setting("approved_servers", json!(["TS1.example.com", "zs1.example.com"]))
    }

    #[test]
    fn lists_are_sets_without_case_and_port() {
        assert_eq!(servers("B:17472, a"), servers("A,b"));
        assert_eq!(server("[2001:db8::1]:17472"), "2001:db8::1");
        assert_eq!(server("2001:db8::1"), "2001:db8::1");
        lists(&[(PAIR, 90), ("ZS1.example.com,ts1.example.com", 10)]).judge().assert_pass();
        lists(&[(PAIR, 90)]).assert_needs_its_inputs();
    }

    #[test]
    fn a_server_that_is_not_approved_is_found_once_for_each_list() {
        let verdict = lists(&[(PAIR, 90), ("old,ts1.example.com", 6), ("TS1.example.com,old", 4)]).judge();
        verdict.assert_findings(&["old,ts1.example.com"]);
        let affected = verdict.findings()[0].affected.clone().unwrap();
        assert_eq!((affected.count, affected.of), (10, Some(100)));
    }

    #[test]
    fn the_servers_of_all_lists_are_proposed_and_those_of_each_are_required() {
        let seen = lists(&[(PAIR, 90), ("ts1.example.com,ZS2.example.com", 6)]);
        let verdict =
            seen.clone().setting("approved_servers", json!(["TS1.example.com:17472", "old"])).judge();
        let approved = json!(["TS1.example.com:17472", "zs1.example.com", "zs2.example.com"]);
        assert_eq!(verdict.proposal("approved_servers"), Some(&approved));
        assert_eq!(verdict.proposal("required_servers"), Some(&json!(["ts1.example.com"])));
        assert_eq!(verdict.proposals()[0].seen, "distinct lists: 2, on endpoints: 96");
        let none = seen.setting("approved_servers", json!([])).judge();
        assert!(none.undecided().is_some() && none.proposal("approved_servers").is_some());
        let mut answers = tally("x", &[(PAIR, 90)]);
        answers.without_value.insert("TSE-Error: No Sensor Definition for this Platform".into(), 60);
        answers.answered = 150;
        let half = lists(&[]).body(&SERVER_LISTS, Body::Tally(answers)).judge();
        assert_eq!(half.proposals(), []);
    }

    #[test]
    fn a_required_server_may_not_be_missing() {
        let case = lists(&[("ts1.example.com", 90)]);
        case.judge().assert_pass();
        case.setting("required_servers", json!(["zs1.example.com"]))
            .judge()
            .assert_findings(&["ts1.example.com"]);
    }

    #[test]
    fn more_endpoints_than_planned_are_found() {
        let planned = |number| lists(&[(PAIR, 90)]).setting("planned_endpoints", json!({PAIR: number}));
        planned("90").judge().assert_pass();
        planned("89").judge().assert_findings(&["ts1.example.com,zs1.example.com"]);
        planned("many").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn without_approved_servers_the_lists_are_shown() {
        let verdict = Case::of(&LISTS).tally(&SERVER_LISTS, "x", &[(PAIR, 90)]).judge();
        verdict.assert_undecided(Outcome::NotEvaluated);
        assert!(
            verdict.undecided().unwrap().reason.contains("ts1.example.com,zs1.example.com (90 endpoints)")
        );
    }

    #[test]
    fn endpoints_that_tell_no_list_are_not_healthy() {
        let mut answers = tally("x", &[(PAIR, 90)]);
        answers.without_value.insert("[no results]".into(), 4);
        answers.answered = 94;
        lists(&[]).body(&SERVER_LISTS, Body::Tally(answers.clone())).judge().assert_pass();
        answers.without_value.insert("TSE-Error: No Sensor Definition for this Platform".into(), 6);
        answers.answered = 100;
        lists(&[]).body(&SERVER_LISTS, Body::Tally(answers)).judge().assert_undecided(Outcome::NotEvaluated);
    }

    fn single(counts: &[(&str, u64)], servers: usize, zones: &[&str]) -> Case {
        let zones: Vec<_> = zones.iter().map(|name| json!({"name": name, "capacity": 1})).collect();
        Case::of(&SINGLE)
            .tally(&SERVER_LISTS, "x", counts)
            .object(&SERVER_HOSTS, json!({"servers": vec![json!({"id": 1, "name": "ts"}); servers]}))
            .object(&SERVER_HEALTH, json!({"servers": {"zone_servers": zones}}))
    }

    #[test]
    fn a_list_of_one_server_is_found_where_there_are_more() {
        single(&[(PAIR, 90), ("ts1", 10)], 1, &["zs1"]).judge().assert_findings(&["ts1"]);
        single(&[(PAIR, 90)], 2, &[]).judge().assert_pass();
        single(&[(PAIR, 90)], 2, &[])
            .setting("min_servers", 3)
            .judge()
            .assert_findings(&["ts1.example.com,zs1.example.com"]);
        single(&[(PAIR, 90)], 2, &[]).assert_needs_its_inputs();
    }

    #[test]
    fn a_name_that_stands_for_several_servers_is_enough() {
        single(&[("pool", 10)], 2, &[]).setting("balanced_names", json!(["Pool"])).judge().assert_pass();
    }

    #[test]
    fn a_deployment_with_one_server_has_nothing_to_list() {
        single(&[("ts1", 10)], 1, &[]).judge().assert_undecided(Outcome::NotApplicable);
        single(&[("ts1", 10)], 1, &[])
            .setting("approved_servers", json!(["ts1", "zs1"]))
            .judge()
            .assert_findings(&["ts1"]);
    }
}
