//! From wants to facts: merging, fallback, privileges, the site's own routes, the plan, interruption.

use super::{Memory, config, now};
use crate::collect::Want;
use crate::collect::collector::{Collected, Collector, Offline};
use crate::collect::faked::Faked;
use crate::collect::plan::plan;
use crate::collect::progress::{Event, Progress};
use crate::collect::session::Account;
use crate::collect::transport::{Call, Problem, Sink, Transport};
use crate::config::{Config, InputOverride};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::{Answer, Body, Supplied, Unavailable};

/// An input of the plugin `x` with these sources, as a manifest writes them.
pub(super) fn want(id: &str, sources: Value) -> Want {
    let input = json!({"id": id, "about": "what it is", "sources": sources});
    let settings = json!({"name": "All / Computers", "unset": null, "list": ["a b", "c"]});
    let Value::Object(settings) = settings else { unreachable!() };
    Want { plugin: "x".to_owned(), input: serde_json::from_value(input).unwrap(), settings }
}

pub(super) fn rest(path: &str) -> Value {
    json!({"kind": "rest", "path": path, "shape": "rows"})
}

fn export(columns: &[&str]) -> Value {
    json!({"kind": "export", "file": "users.csv", "page": "Administration > Users", "steps": "Export", "columns": columns,
        "shape": "rows"})
}

fn answer() -> Value {
    json!({"kind": "answer", "prompt": "How many?", "accepts": "number", "valid_days": 30, "shape": "rows"})
}

pub(super) fn site() -> Config {
    config("https://tanium.example", Path::new("/nowhere"))
}

pub(super) async fn collect(net: &Faked, wants: &[Want]) -> Collected {
    collect_at(&site(), net, Account::default(), wants).await
}

async fn collect_at(config: &Config, net: &Faked, account: Account, wants: &[Want]) -> Collected {
    let collector =
        Collector::new(config, net.clone(), Arc::new(Memory::default()), now()).with_account(account);
    collector.collect(wants, &Progress::silent()).await
}

pub(super) fn supplied<'a>(collected: &'a Collected, input: &str) -> &'a Supplied {
    &collected.inputs[&("x".to_owned(), input.to_owned())]
}

pub(super) fn missing(collected: &Collected, input: &str) -> Unavailable {
    match &supplied(collected, input).body {
        Body::Unavailable(missing) => missing.clone(),
        other => panic!("{other:?}"),
    }
}

fn account(privileges: &[&str]) -> Account {
    let privileges = privileges.iter().map(|&name| name.to_owned()).collect();
    Account { user: "ann".to_owned(), persona: None, privileges: Some(privileges) }
}

#[tokio::test]
async fn identical_requests_are_sent_once() {
    let list = json!({"data": [{"id": 1, "a": 1}, {"id": 2}]});
    let net = Faked::default().at("/api/v2/users", &list);
    let mut other_plugin = want("platform.users", json!([rest("/api/v2/users")]));
    other_plugin.plugin = "y".to_owned();
    let mut filtered = rest("/api/v2/users");
    filtered["only_with"] = json!("a");
    let wants = [
        want("platform.users", json!([rest("/api/v2/users")])),
        other_plugin,
        want("x.with-a", json!([filtered])),
    ];
    let [one, other, third] = &wants;
    let turned = [third, one, other].map(Clone::clone);
    let turned = collect(&Faked::default().at("/api/v2/users", &list), &turned).await;
    assert_eq!((turned.requests_sent, turned.requests_saved), (1, 2), "whoever sends it");
    let collected = collect(&net, &wants).await;
    assert_eq!(net.calls().len(), 1);
    assert_eq!((collected.requests_sent, collected.requests_saved), (1, 2));
    assert_eq!(collected.bytes, list.to_string().len() as u64);
    assert_eq!(collected.timings.len(), 1);
    assert_eq!(collected.timings[0].0, "GET /api/v2/users");
    let shared = &collected.inputs[&("y".to_owned(), "platform.users".to_owned())];
    assert_eq!(**shared, *supplied(&collected, "platform.users"));
    assert_eq!(shared.body, Body::Rows(vec![json!({"id": 1, "a": 1}), json!({"id": 2})]));
    assert_eq!((shared.source.as_str(), shared.request.as_str()), ("rest", "GET /api/v2/users"));
    assert_eq!(supplied(&collected, "x.with-a").body, Body::Rows(vec![json!({"id": 1, "a": 1})]));
}

/// Two plugins ask the same, and one of them wants names: the question is asked once.
#[tokio::test(start_paused = true)]
async fn who_wants_names_shares_the_answers_with_who_does_not() {
    let count = |value: &str, count: &str| json!({"data": [[{"text": value}], [{"text": count}]]});
    let set = json!({"mr_tested": 10, "estimated_total": 10,
        "columns": [{"name": "State", "hash": 3}, {"name": "Count", "hash": 0}],
        "rows": [count("On", "9"), count("Off", "1")]});
    let net = Faked::default()
        .at("/api/v2/parse_question", &json!({"data": [{"from_canonical_text": 1}]}))
        .at("/api/v2/questions", &json!({"data": {"id": 7}}))
        .at("/api/v2/result_info/question/7", &json!({"data": {"result_infos": [set]}}))
        .at("/api/v2/result_data/question/7", &json!({"data": {"result_sets": [set]}}))
        .at(
            "/api/v2/result_data/question/7?row_start=0&row_count=10",
            &json!({"data": {"result_sets": [set]}}),
        );
    let text = "Get State from all machines";
    let plain = json!({"kind": "question", "text": text, "shape": "rows"});
    let sample = "Get Computer Name from all machines with State equals {value}";
    let sampled = json!({"kind": "question", "text": text, "sample": sample, "shape": "rows"});
    let mut each = json!({"kind": "question", "text": "Get {item} from all machines", "shape": "rows"});
    each["each"] = json!({"setting": "sensors", "variables": [], "limit": 5});
    let mut each = want("x.each", json!([each]));
    each.settings = Map::from_iter([("sensors".to_owned(), json!(["State"]))]);
    let plain = [want("x.plain", json!([plain])), each];
    let named = want("x.named", json!([sampled]));
    for [first, second] in plain.iter().flat_map(|plain| [[plain, &named], [&named, plain]]) {
        let before = net.calls().len();
        let wants = [first.clone(), second.clone()];
        let collected = collect(&net, &wants).await;
        let asked = net.calls()[before..].iter().filter(|call| call.path == "/api/v2/questions").count();
        assert_eq!(asked, 2, "the question, and which endpoint said Off");
        assert_eq!(collected.requests_saved, 1);
        for want in wants {
            let tally = match &supplied(&collected, &want.input.id).body {
                Body::Tally(tally) => tally,
                Body::Tallies(items) => &items[0].tally,
                other => panic!("{other:?}"),
            };
            assert_eq!((tally.rows.len(), tally.answered), (2, 10), "{}", want.input.id);
        }
    }
}

#[tokio::test]
async fn a_later_round_has_what_an_earlier_one_brought() {
    let net = Faked::default().at("/api/v2/users", &json!([{"id": 1}])).at("/api/v2/runs/1", &json!([{}]));
    let collector = Collector::new(&site(), net.clone(), Arc::new(Memory::default()), now());
    let users = want("x.users", json!([rest("/api/v2/users")]));
    let broken = want("x.broken", json!([rest("/api/v2/broken")]));
    collector.collect(&[users.clone(), broken.clone()], &Progress::silent()).await;
    let mut runs = rest("/api/v2/runs/{id}");
    runs["each"] = json!({"input": "x.users", "variables": [["id", "id"]], "limit": 5});
    let wants = [want("x.runs", json!([runs])), users, broken];
    let collected = collector.collect(&wants, &Progress::silent()).await;
    let asked = |path: &str| net.calls().iter().filter(|call| call.path == path).count();
    assert_eq!((asked("/api/v2/users"), asked("/api/v2/runs/1")), (1, 1));
    assert_eq!(asked("/api/v2/broken"), 2, "what failed is tried again");
    assert_eq!((collected.inputs.len(), collected.requests_sent, collected.requests_saved), (3, 4, 1));
}

#[tokio::test]
async fn settings_and_options_make_requests_different() {
    let path = "/api/v2/x/All%20%2F%20Computers";
    let net = Faked::default().at(path, &json!([])).at("/api/v2/x/b", &json!([]));
    let mut other = want("x.a", json!([rest("/api/v2/x/{setting:name}")]));
    other.plugin = "y".to_owned();
    other.settings = Map::from_iter([("name".to_owned(), json!("b"))]);
    let collected = collect(&net, &[want("x.a", json!([rest("/api/v2/x/{setting:name}")])), other]).await;
    assert_eq!((collected.requests_sent, collected.requests_saved), (2, 0));
    assert!(net.calls().iter().any(|call| call.path == path), "{:?}", net.calls());
}

#[tokio::test]
async fn the_first_source_that_answers_wins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users.csv"), "Name\nann\n").unwrap();
    let file = std::fs::File::options().write(true).open(folder.path().join("users.csv")).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000)).unwrap();
    let net = Faked::default().failing_at("/api/v2/users", Outcome::NotEvaluated, "gone", 404);
    let config = config("https://tanium.example", folder.path());
    let wants = [want("x.users", json!([rest("/api/v2/users"), export(&["name"]), answer()]))];
    let collected = collect_at(&config, &net, Account::default(), &wants).await;
    let users = supplied(&collected, "x.users");
    assert_eq!(users.body, Body::Rows(vec![json!({"name": "ann"})]));
    assert_eq!(users.source, "export");
    assert_eq!(users.request, folder.path().join("users.csv").display().to_string());
    assert_eq!(users.at.as_second(), 1_700_000_000, "the file's own time");
}

#[tokio::test]
async fn exported_rows_without_ids_are_no_list_to_ask_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users.csv"), "Name\nann\n").unwrap();
    let net = Faked::default().failing_at("/api/v2/users", Outcome::NoPermission, "no", 403);
    let config = config("https://tanium.example", folder.path());
    let mut roles = rest("/api/v2/users/{id}/roles");
    roles["each"] = json!({"input": "x.users", "variables": [["id", "id"]], "limit": 9});
    let wants =
        [want("x.users", json!([rest("/api/v2/users"), export(&["name"])])), want("x.roles", json!([roles]))];
    let collected = collect_at(&config, &net, Account::default(), &wants).await;
    assert_eq!(
        missing(&collected, "x.roles").reason,
        "the exported rows of x.users do not tell id",
        "an empty list would prove that nobody has a role"
    );
}

#[tokio::test]
async fn where_nothing_answers_the_best_source_speaks_and_the_others_are_offered() {
    let net =
        Faked::default().failing_at("/api/v2/users", Outcome::NoPermission, "GET /api/v2/users: no", 403);
    let mut source = rest("/api/v2/users");
    source["needs"] = json!(["read user"]);
    let wants = [want("x.users", json!([source, rest("/api/v2/other"), export(&["name"]), answer()]))];
    let collected = collect(&net, &wants).await;
    assert_eq!(missing(&collected, "x.users"), Unavailable {
        outcome: Outcome::NoPermission,
        reason: "GET /api/v2/users: no; it needs the privilege `read user`; or export it from Administration > Users to \
                 /nowhere/users.csv (Export); or answer `tancheck answer x.users` (How many?)"
            .to_owned(),
    });
    assert_eq!(supplied(&collected, "x.users").source, "");
}

#[tokio::test]
async fn a_file_that_is_there_but_useless_is_spoken_of() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("users.csv"), "Other\nann\n").unwrap();
    let net = Faked::default().failing_at("/api/v2/users", Outcome::Unreachable, "no way", 500);
    let config = config("https://tanium.example", folder.path());
    let wants = [want("x.users", json!([rest("/api/v2/users"), export(&["name"])]))];
    let reason = missing(&collect_at(&config, &net, Account::default(), &wants).await, "x.users").reason;
    let file = folder.path().join("users.csv");
    assert_eq!(
        reason,
        format!(
            "no way; {}: line 1: the column \"name\" is not there, only Other; export it again from Administration > \
             Users (Export)",
            file.display()
        )
    );
}

#[tokio::test]
async fn a_privilege_that_is_known_to_be_lacking_saves_the_request() {
    let net = Faked::default().at("/api/v2/users", &json!([]));
    let mut source = rest("/api/v2/users");
    source["needs"] = json!(["read user", "Read Persona"]);
    let wants = [want("x.users", json!([source]))];
    let collected = collect_at(&site(), &net, account(&["read persona"]), &wants).await;
    assert_eq!(net.calls().len(), 0);
    assert_eq!(
        missing(&collected, "x.users"),
        Unavailable {
            outcome: Outcome::NoPermission,
            reason: "GET /api/v2/users: the account ann lacks the privilege `read user`".to_owned(),
        }
    );
    let collected = collect_at(&site(), &net, account(&["administrator"]), &wants).await;
    assert_eq!(supplied(&collected, "x.users").body, Body::Rows(vec![]), "the administrator holds all");
    let collected = collect_at(&site(), &net, Account::default(), &wants).await;
    assert_eq!(supplied(&collected, "x.users").body, Body::Rows(vec![]), "what is not known is tried");
}

#[tokio::test]
async fn a_list_that_is_cut_to_own_rows_has_a_gap() {
    let net = Faked::default().at("/api/v2/users", &json!([]));
    let mut source = rest("/api/v2/users");
    source["complete_with"] = json!(["connect read all"]);
    let wants = [want("x.users", json!([source]))];
    let gaps = |collected: Collected| supplied(&collected, "x.users").gaps.clone();
    assert_eq!(
        gaps(collect_at(&site(), &net, account(&["connect read"]), &wants).await),
        ["only what the account owns is shown: the account ann lacks the privilege `connect read all`"]
    );
    assert_eq!(gaps(collect_at(&site(), &net, account(&["connect read all"]), &wants).await), [""; 0]);
}

#[tokio::test]
async fn a_setting_that_is_not_set_is_named() {
    let wants = [want("x.users", json!([rest("/api/v2/users/{setting:unset}")]))];
    let collected = collect(&Faked::default(), &wants).await;
    assert_eq!(
        missing(&collected, "x.users"),
        Unavailable { outcome: Outcome::NotEvaluated, reason: "set `unset` under [modules.x]".to_owned() }
    );
}

#[tokio::test]
async fn the_site_may_point_an_input_elsewhere() {
    let net = Faked::default().at("/plugin/products/dec/v2/list", &json!({"result": {"all": [{"id": 1}]}}));
    let mut config = site();
    config.inputs.insert(
        "x.users".to_owned(),
        InputOverride {
            service: Some("dec".to_owned()),
            path: "/v2/list".to_owned(),
            rows: Some("/result/all".to_owned()),
        },
    );
    let wants = [want("x.users", json!([rest("/api/v2/users"), export(&["name"])]))];
    let collected = collect_at(&config, &net, Account::default(), &wants).await;
    let users = supplied(&collected, "x.users");
    assert_eq!(users.body, Body::Rows(vec![json!({"id": 1})]));
    assert_eq!(
        (users.source.as_str(), users.request.as_str()),
        ("service", "GET /plugin/products/dec/v2/list")
    );
    // The declared route is not asked behind it; the file is.
    let net = Faked::default();
    let reason = missing(&collect_at(&config, &net, Account::default(), &wants).await, "x.users").reason;
    assert_eq!(net.calls().len(), 1);
    assert!(reason.contains("or export it from"), "{reason}");
}

#[tokio::test]
async fn other_kinds_deliver_their_bodies() {
    let gateway = json!({"data": {"myAPITokens": {"tokens": [{"id": 5}]}}});
    let net = Faked::default()
        .text_at("/metrics", "tanium_has_baton 1\n")
        .at("/plugin/products/gateway/graphql", &gateway)
        .at("/api/v2/client_count", &json!({"data": 9834}))
        .at("/api/v2/license", &json!({"data": {"days": 7}}));
    let mut count = rest("/api/v2/client_count");
    count["shape"] = json!("value");
    let mut license = rest("/api/v2/license");
    license["shape"] = json!("object");
    let wants = [
        want("x.metrics", json!([{"kind": "metrics", "families": ["tanium_has_baton"], "shape": "rows"}])),
        want(
            "x.tokens",
            json!([{"kind": "gateway", "query": "{ myAPITokens { tokens { id } } }",
            "connection": "myAPITokens", "rows_key": "tokens", "shape": "rows"}]),
        ),
        want("x.count", json!([count])),
        want("x.license", json!([license])),
        want("x.series", json!([{"kind": "history", "series": "x.leaders", "days": 7, "shape": "rows"}])),
    ];
    let collected = collect(&net, &wants).await;
    assert!(
        matches!(&supplied(&collected, "x.metrics").body, Body::Samples(samples) if samples[0].value == 1.0)
    );
    assert_eq!(supplied(&collected, "x.tokens").body, Body::Rows(vec![json!({"id": 5})]));
    assert_eq!(supplied(&collected, "x.count").body, Body::Value(json!(9834)));
    assert_eq!(supplied(&collected, "x.license").body, Body::Object(json!({"days": 7})));
    assert!(matches!(&supplied(&collected, "x.series").body, Body::Points(points) if points[0].value == 7.0));
}

#[tokio::test]
async fn an_answer_is_as_old_as_it_is() {
    let at = "2026-06-20T08:00:00Z".parse().unwrap();
    let given = Answer { value: json!(3), by: "ann".to_owned(), at, note: String::new() };
    let local = Memory { answer: Some(given.clone()), ..Memory::default() };
    let collector = Collector::new(&site(), Faked::default(), Arc::new(local), now());
    let collected = collector.collect(&[want("x.count", json!([answer()]))], &Progress::silent()).await;
    let count = supplied(&collected, "x.count");
    assert_eq!((count.at, &count.body), (at, &Body::Answer(given)));
    assert_eq!(count.request, "tancheck answer x.count");
}

#[tokio::test]
async fn the_longest_chain_goes_first() {
    let mut config = site();
    config.limits.calls_in_flight = 1;
    let seconds = [("GET /api/v2/slow", 60.0), ("GET /api/v2/head", 1.0), ("GET /api/v2/tail/{id}", 90.0)];
    let seconds = seconds.map(|(key, seconds)| (key.to_owned(), seconds)).into();
    let local = Memory { seconds, ..Memory::default() };
    let mut tail = rest("/api/v2/tail/{id}");
    tail["each"] = json!({"input": "x.head", "variables": [["id", "id"]], "limit": 5});
    let wants = [
        want("x.quick", json!([rest("/api/v2/quick")])),
        // Its first source never answered, so that only the second is known.
        want("x.slow", json!([rest("/api/v2/gone"), rest("/api/v2/slow")])),
        want("x.tail", json!([tail])),
        want("x.head", json!([rest("/api/v2/head")])),
    ];
    let net = Faked::default().at("/api/v2/head", &json!([{"id": 1}])).at("/api/v2/tail/1", &json!([]));
    let collector = Collector::new(&config, net.clone(), Arc::new(local), now());
    collector.collect(&wants, &Progress::silent()).await;
    let paths: Vec<String> = net.calls().into_iter().map(|call| call.path).collect();
    assert_eq!(paths[0], "/api/v2/head", "91 s hang on it: {paths:?}");
    let place = |path: &str| paths.iter().position(|other| other == path).unwrap();
    assert!(place("/api/v2/gone") < place("/api/v2/quick"), "{paths:?}");
}

#[tokio::test]
async fn progress_is_told() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let progress = Progress::to(move |event| log.lock().unwrap().push(event.clone()));
    let net = Faked::default().at("/api/v2/users", &json!([]));
    let collector = Collector::new(&site(), net, Arc::new(Memory::default()), now());
    collector.collect(&[want("x.users", json!([rest("/api/v2/users")]))], &progress).await;
    let events = events.lock().unwrap();
    let request = "GET /api/v2/users".to_owned();
    assert_eq!(events[0], Event::Started { request });
    assert!(matches!(&events[1], Event::Finished { bytes: 2, problem: None, .. }), "{events:?}");
    let settled = Event::Input {
        plugin: "x".to_owned(),
        input: "x.users".to_owned(),
        source: "rest".to_owned(),
        outcome: None,
    };
    assert_eq!(events[2..], [settled]);
}

/// Answers one path and never the others.
#[derive(Clone)]
struct Hanging;

impl Transport for Hanging {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        if call.path != "/api/v2/users" {
            std::future::pending::<()>().await;
        }
        let mut sink = sink();
        sink.feed(b"[]")?;
        Ok(sink)
    }
}

#[tokio::test]
async fn what_was_settled_before_an_interruption_is_kept() {
    let settled = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&settled);
    let progress = Progress::to(move |event| {
        if matches!(event, Event::Input { .. }) {
            told.notify_one();
        }
    });
    let collector = Collector::new(&site(), Hanging, Arc::new(Memory::default()), now());
    let wants =
        [want("x.users", json!([rest("/api/v2/users")])), want("x.never", json!([rest("/api/v2/never")]))];
    tokio::select! {
        _ = collector.collect(&wants, &progress) => panic!("one of them never comes"),
        () = settled.notified() => {}
    }
    let collected = collector.so_far();
    assert_eq!(supplied(&collected, "x.users").body, Body::Rows(vec![]));
    assert_eq!(
        missing(&collected, "x.never"),
        Unavailable {
            outcome: Outcome::NotEvaluated,
            reason: "the run was interrupted before x.never was collected".to_owned(),
        }
    );
}

#[tokio::test]
async fn without_a_deployment_what_lies_here_is_still_read() {
    let problem = Problem::new(Outcome::Unreachable, "https://tanium.example refuses connections");
    let collector = Collector::new(&site(), Offline::because(problem), Arc::new(Memory::default()), now());
    let wants = [
        want("x.users", json!([rest("/api/v2/users")])),
        want("x.series", json!([{"kind": "history", "series": "x.leaders", "days": 7, "shape": "rows"}])),
    ];
    let collected = collector.collect(&wants, &Progress::silent()).await;
    assert_eq!(missing(&collected, "x.users").outcome, Outcome::Unreachable);
    assert!(matches!(supplied(&collected, "x.series").body, Body::Points(_)));
}

#[test]
fn the_plan_names_every_request_and_sends_none() {
    let mut privileged = rest("/api/v2/users?since={since:1d}");
    privileged["needs"] = json!(["read user"]);
    privileged["complete_with"] = json!(["read all"]);
    let mut runs = json!({"kind": "service", "service": "connect", "path": "/v1/connections/{id}/runs", "shape": "rows"});
    runs["each"] = json!({"input": "x.users", "variables": [["id", "id"]], "limit": 20});
    let question = json!({"kind": "question", "text": "Get Online from all machines", "shape": "rows"});
    let wants = [
        want("x.users", json!([privileged, export(&["name"])])),
        want("x.same", json!([rest("/api/v2/users?since={since:24h}")])),
        want("x.runs", json!([runs])),
        want("x.online", json!([question, answer()])),
        want("x.file", json!([rest("/api/v2/{setting:unset}"), export(&["name"])])),
    ];
    let seconds = [("GET /api/v2/users?since=2026-06-29T12:00:00Z".to_owned(), 2.5)].into();
    let local = Memory { seconds, ..Memory::default() };
    let mut config = site();
    let planned = plan(&config, &wants, &local, now());
    insta::assert_json_snapshot!(planned);
    config.deployment.questions = false;
    let planned = plan(&config, &wants, &local, now());
    assert!(planned.iter().all(|request| request.kind != "question"), "the answer is planned instead");
    assert!(planned.iter().any(|request| request.label == "tancheck answer x.online"));
}
