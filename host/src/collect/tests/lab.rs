//! The whole way against the lab: log in, collect everything that plugins share, behave when it misbehaves.

use super::{CANARY, Memory, config, limits};
use crate::collect::Want;
use crate::collect::collector::{Collected, Collector};
use crate::collect::http::Line;
use crate::collect::progress::{Event, Progress};
use crate::collect::session::Session;
use crate::collect::transport::{Call, Problem, Transport};
use crate::collect::wire::Wire;
use crate::config::{Auth, Config, SecretSource};
use secrecy::SecretString;
use serde_json::{Map, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tancheck_lab::{Behaviour, Lab};
use tancheck_plugin_api::facts::{Body, Supplied};
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::records::{actions, people, server};
use tancheck_plugin_api::{Check, Each, Input, Outcome, Plugin, Source};

const QUESTION: Input = Input::new("x.question", "versions of clients")
    .sources(&[Source::question("Get Tanium Client Version from all machines")]);
const METRICS: Input = Input::new("x.metrics", "days left on the licence")
    .sources(&[Source::metrics(&["tanium_licensed_days_left"])]);
const PAGED: Input =
    Input::new("x.paged", "sensors, page by page")
        .sources(&[Source::rest("/api/v2/sensors").options(r#"{"row_count":7}"#).paged()]);
const WHOLE: Input = Input::new("x.whole", "sensors at once").sources(&[Source::rest("/api/v2/sensors")]);
const EACH: Input = Input::new("x.each", "each group again").sources(&[Source::rest("/api/v2/groups/{id}")
    .object()
    .each(Each::row_of("platform.groups").variables(&[("id", "id")]).limit(500))]);

const CHECK: Check = Check::automated("x.everything").reads(&[
    &server::CLIENT_STATUS,
    &server::CLIENT_COUNT,
    &server::LICENSE,
    &server::SOLUTIONS,
    &server::PLUGIN_SCHEDULES,
    &server::SERVER_INFO,
    &actions::SCHEDULED_ACTIONS,
    &actions::ACTION_GROUPS,
    &actions::GROUPS,
    &people::USERS,
    &people::PERSONAS,
    &people::USER_GROUPS,
    &QUESTION,
    &METRICS,
    &PAGED,
    &WHOLE,
    &EACH,
]);
const PLUGIN: Plugin = Plugin::new("x", "Everything", "1.0.0").checks(&[&CHECK]);

fn lab() -> Lab {
    Lab::builder().endpoints(200).start().unwrap()
}

fn wants(ids: &[&str]) -> Vec<Want> {
    Want::of(&Manifest::of(&PLUGIN), ids.iter().copied(), &Map::new())
}

fn everything() -> Vec<Want> {
    let manifest = Manifest::of(&PLUGIN);
    let ids: Vec<&str> = manifest.inputs.iter().map(|input| input.id.as_str()).collect();
    Want::of(&manifest, ids, &Map::new())
}

async fn open(config: &Config, secret: &str) -> Result<Session, Problem> {
    let line = Line::hasty(Wire::new(&config.deployment, &config.limits)?);
    Session::begin(line, &config.deployment.auth, SecretString::from(secret)).await
}

async fn collect_with(lab: &Lab, token: &str, wants: &[Want], progress: &Progress) -> Collected {
    let config = config(&lab.url(), Path::new("/nowhere"));
    let session = open(&config, token).await.unwrap();
    let collector = Collector::new(&config, session.transport(), Arc::new(Memory::default()), lab.now());
    collector.with_account(session.account().clone()).collect(wants, progress).await
}

async fn collect(lab: &Lab, wants: &[Want]) -> Collected {
    collect_with(lab, lab.token(), wants, &Progress::silent()).await
}

fn of<'a>(collected: &'a Collected, input: &str) -> &'a Supplied {
    &collected.inputs[&("x".to_owned(), input.to_owned())]
}

fn missing(collected: &Collected, input: &str) -> (Outcome, String) {
    match &of(collected, input).body {
        Body::Unavailable(missing) => (missing.outcome, missing.reason.clone()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everything_that_plugins_share_is_collected_whole() {
    let lab = lab();
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let progress = Progress::to(move |event| log.lock().unwrap().push(event.clone()));
    let collected = collect_with(&lab, lab.token(), &everything(), &progress).await;
    for (place, supplied) in &collected.inputs {
        assert!(!matches!(supplied.body, Body::Unavailable(_)), "{}: {:?}", place.1, supplied.body);
        assert_eq!(supplied.gaps, [""; 0], "{}", place.1);
    }
    let (Body::Rows(paged), Body::Rows(whole)) =
        (&of(&collected, "x.paged").body, &of(&collected, "x.whole").body)
    else {
        panic!("rows were expected");
    };
    assert!(paged.len() > 7 && paged == whole, "{} rows by page, {} at once", paged.len(), whole.len());
    assert!(
        matches!(&of(&collected, "platform.client-count").body, Body::Value(count) if *count == json!(200))
    );
    assert!(matches!(&of(&collected, "platform.client-status").body, Body::Rows(rows) if rows.len() == 1));
    assert!(
        matches!(&of(&collected, "x.each").body, Body::Rows(rows) if rows.iter().all(|row| row["_of"]["id"].is_string()))
    );
    let Body::Tally(tally) = &of(&collected, "x.question").body else { panic!("a tally was expected") };
    assert!(tally.answered > 190 && !tally.rows.is_empty(), "{tally:?}");
    assert!(collected.requests_sent > 19 && collected.bytes > 10_000, "{collected:?}");
    assert!(
        collected
            .timings
            .iter()
            .any(|(key, _)| key == "question Get Tanium Client Version from all machines")
    );
    let events = events.lock().unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::Question { answered, .. } if *answered > 190)));
    let token = lab.token();
    assert!(
        !format!("{events:?}{collected:?}").contains(token),
        "the token is nowhere in what is told and delivered"
    );
}

#[tokio::test]
async fn only_reading_requests_are_made() {
    let lab = lab();
    collect(&lab, &everything()).await;
    let allowed = [
        "/api/v2/session/validate",
        "/api/v2/parse_question",
        "/api/v2/questions",
        "/plugin/products/gateway/graphql",
    ];
    for request in lab.requests() {
        let reads =
            request.method == "GET" || (request.method == "POST" && allowed.contains(&request.path.as_str()));
        assert!(reads, "{} {}", request.method, request.path);
    }
}

#[tokio::test]
async fn tls_is_trusted_by_the_authoritys_file_only() {
    let lab = Lab::builder().endpoints(10).tls().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&lab.url(), folder.path());
    let problem = open(&config, lab.token()).await.unwrap_err();
    assert_eq!(problem.outcome, Outcome::Unreachable);
    let expected = format!("the certificate of {} is not trusted", lab.url());
    assert!(problem.reason.contains(&expected), "{problem}");
    assert!(problem.reason.ends_with("name it in deployment.ca_file"), "{problem}");
    assert_eq!(lab.requests().len(), 0, "no secret was sent");

    let file = folder.path().join("ca.pem");
    lab.write_authority(&file).unwrap();
    config.deployment.ca_file = Some(file.clone());
    assert!(open(&config, lab.token()).await.is_ok());

    let other = Lab::builder().endpoints(10).tls().start().unwrap();
    other.write_authority(&file).unwrap();
    let problem = open(&config, lab.token()).await.unwrap_err();
    assert!(
        problem.reason.contains("(deployment.ca_file) does not hold the authority that signed it"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_missing_privilege_is_known_before_it_is_asked() {
    let lab = lab();
    let token = lab.token_with(&["use token", "read user"]);
    let collected =
        collect_with(&lab, &token, &wants(&["platform.personas", "platform.users"]), &Progress::silent())
            .await;
    let (outcome, reason) = missing(&collected, "platform.personas");
    assert_eq!(outcome, Outcome::NoPermission);
    assert_eq!(
        reason,
        "GET /api/v2/personas: the account least.privilege lacks the privilege `read persona`"
    );
    assert!(lab.requests().iter().all(|request| request.path != "/api/v2/personas"));
    assert!(matches!(of(&collected, "platform.users").body, Body::Rows(_)));
}

#[tokio::test]
async fn a_privilege_that_goes_during_the_run_is_named_by_the_server() {
    let lab = lab();
    let config = config(&lab.url(), Path::new("/nowhere"));
    let session = open(&config, lab.token()).await.unwrap();
    lab.withhold_privilege("read persona");
    lab.withhold_privilege("administrator");
    let problem = session.transport().send(&Call::get("/api/v2/personas"), Vec::<u8>::new).await.unwrap_err();
    assert_eq!((problem.outcome, problem.status), (Outcome::NoPermission, Some(403)));
    assert!(problem.reason.contains("read persona"), "{problem}");
}

#[tokio::test]
async fn a_token_that_is_revoked_is_told_at_once_and_later() {
    let lab = lab();
    let config = config(&lab.url(), Path::new("/nowhere"));
    let problem = open(&config, CANARY).await.unwrap_err();
    assert!(problem.reason.contains("api_token_trusted_ip_address_list"), "{problem}");
    assert!(!format!("{problem:?}").contains(CANARY));
    let session = open(&config, lab.token()).await.unwrap();
    lab.revoke_token(lab.token());
    let problem = session.transport().send(&Call::get("/api/v2/users"), Vec::<u8>::new).await.unwrap_err();
    assert!(problem.reason.contains("no longer accepts the API token"), "{problem}");
}

#[tokio::test]
async fn a_session_that_expires_is_renewed() {
    let lab = lab();
    let mut config = config(&lab.url(), Path::new("/nowhere"));
    let password = SecretSource::Env("UNUSED".to_owned());
    config.deployment.auth = Auth::Login { user: lab.user().to_owned(), domain: None, password };
    let session = open(&config, lab.password()).await.unwrap();
    assert_eq!(session.user(), lab.user());
    lab.expire_session();
    let transport = session.transport();
    transport.send(&Call::get("/api/v2/users"), Vec::<u8>::new).await.unwrap();
    session.close().await;
    let logout = lab.requests().into_iter().filter(|request| request.path == "/api/v2/session/logout");
    assert_eq!(logout.count(), 1);
    assert!(!format!("{transport:?}").contains(lab.password()));
    let wrong = open(&config, "wrong").await.unwrap_err();
    assert!(wrong.reason.contains("refuses the login of"), "{wrong}");
}

#[tokio::test]
async fn a_flaky_server_costs_nothing_but_time() {
    let lab = lab();
    lab.behaviour("/api/v2/*", Behaviour::Flaky(3));
    let mut config = config(&lab.url(), Path::new("/nowhere"));
    config.limits.retries = 8;
    let session = open(&config, lab.token()).await.unwrap();
    let collector = Collector::new(&config, session.transport(), Arc::new(Memory::default()), lab.now());
    let collected = collector
        .collect(&wants(&["platform.users", "platform.groups", "x.paged"]), &Progress::silent())
        .await;
    for (place, supplied) in &collected.inputs {
        assert!(matches!(supplied.body, Body::Rows(_)), "{}: {:?}", place.1, supplied.body);
        assert_eq!(supplied.gaps, [""; 0], "{}", place.1);
    }
}

#[tokio::test]
async fn every_misbehaviour_is_undecided_and_never_an_empty_list() {
    let cases = [
        (Behaviour::Status(500, None), Outcome::Unreachable, "failed (HTTP 500"),
        (Behaviour::Status(404, None), Outcome::NotEvaluated, "has no such object"),
        (Behaviour::Html, Outcome::Unreachable, "HTML page instead of data"),
        (Behaviour::Truncated, Outcome::Unreachable, "broke off"),
        (Behaviour::Malformed, Outcome::NotEvaluated, "the answer ends in the middle of its JSON"),
        (
            Behaviour::RedirectTo("https://elsewhere.example/".to_owned()),
            Outcome::Unreachable,
            "redirects to https://elsewhere.example",
        ),
        (Behaviour::Reset, Outcome::Unreachable, "given up after 2 repetitions"),
        (Behaviour::EmptyBody, Outcome::NotEvaluated, "the answer is empty, JSON was expected"),
        (
            Behaviour::WrongEnvelope,
            Outcome::NotEvaluated,
            "a list was expected bare, under data or under body",
        ),
    ];
    let lab = lab();
    for (behaviour, outcome, words) in cases {
        lab.clear_behaviours();
        lab.behaviour("/api/v2/user_groups", behaviour.clone());
        let collected = collect(&lab, &wants(&["platform.user-groups"])).await;
        let (found, reason) = missing(&collected, "platform.user-groups");
        assert_eq!(found, outcome, "{behaviour:?}: {reason}");
        assert!(reason.contains(words), "{behaviour:?}: {reason}");
        assert!(!reason.contains(lab.token()), "{behaviour:?}");
    }
}

#[tokio::test]
async fn the_calls_of_a_run_are_limited() {
    let lab = lab();
    let mut config = config(&lab.url(), Path::new("/nowhere"));
    config.limits = crate::config::Limits { total_calls: 4, ..limits() };
    let session = open(&config, lab.token()).await.unwrap();
    let collector = Collector::new(&config, session.transport(), Arc::new(Memory::default()), lab.now());
    let collected = collector.collect(&everything(), &Progress::silent()).await;
    assert!(lab.requests().len() <= 4);
    let cut = collected.inputs.values().filter_map(|supplied| match &supplied.body {
        Body::Unavailable(missing) => Some(&missing.reason),
        _ => None,
    });
    let cut: Vec<&String> = cut.collect();
    assert!(
        cut.len() > 10 && cut.iter().any(|reason| reason.contains("raise limits.total_calls")),
        "{cut:?}"
    );
}
