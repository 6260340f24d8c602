//! Every way in which a network, a proxy or a server spoils a request: the sentence a person then reads.

use super::server::{Server, json, with};
use super::{CANARY, deployment, limits};
use crate::collect::http::{HttpTransport, Line};
use crate::collect::progress::{Event, Progress};
use crate::collect::session::Session;
use crate::collect::transport::{Call, Problem, Transport};
use crate::collect::wire::Wire;
use crate::config::{Deployment, Limits};
use secrecy::SecretString;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tancheck_plugin_api::Outcome;

pub(super) const ROUTE: &str = "/api/v2/users";

pub(super) async fn open(deployment: &Deployment, limits: &Limits) -> Result<Session, Problem> {
    let line = Line::hasty(Wire::new(deployment, limits)?);
    Session::begin(line, &deployment.auth, SecretString::from(CANARY)).await
}

pub(super) async fn transport(server: &Server, limits: &Limits) -> HttpTransport {
    open(&deployment(&server.url), limits).await.unwrap().transport()
}

/// What a request comes to whose every answer is this.
async fn sentence(answer: Vec<u8>) -> (Outcome, String) {
    let server = Server::after_login(move |_, _| answer.clone()).await;
    let problem = get(&server, &limits()).await.unwrap_err();
    (problem.outcome, problem.reason.replace(&server.url, "URL"))
}

pub(super) async fn get(server: &Server, limits: &Limits) -> Result<String, Problem> {
    let transport = transport(server, limits).await;
    let body = transport.send(&Call::get(ROUTE), Vec::<u8>::new).await;
    if let Err(problem) = &body {
        assert!(!format!("{problem:?} {transport:?}").contains(CANARY), "{problem:?}");
    }
    body.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[tokio::test]
async fn statuses_become_sentences() {
    let (outcome, reason) =
        sentence(json(403, r#"{"text":"RBACInsufficientPrivilege: missing privilege read user"}"#)).await;
    assert_eq!(outcome, Outcome::NoPermission);
    assert_eq!(
        reason,
        "GET /api/v2/users: the account may not read this (HTTP 403: RBACInsufficientPrivilege: missing privilege \
         read user)"
    );
    let (outcome, reason) =
        sentence(json(404, r#"{"text":"REST Object Not Found Exception: SensorNotFound: gone"}"#)).await;
    assert_eq!(outcome, Outcome::NotEvaluated);
    assert_eq!(
        reason,
        "GET /api/v2/users: the server has no such object, or the account may not see it (HTTP 404: REST Object Not \
         Found Exception: SensorNotFound: gone)"
    );
    let (outcome, reason) = sentence(json(400, r#"{"text":"Invalid object route: users"}"#)).await;
    assert_eq!(outcome, Outcome::NotEvaluated);
    assert_eq!(
        reason,
        "GET /api/v2/users: the server refused the request (HTTP 400: Invalid object route: users)"
    );
    let (outcome, reason) = sentence(json(500, r#"{"error":{"message":"boom"}}"#)).await;
    assert_eq!(outcome, Outcome::Unreachable);
    assert_eq!(reason, "GET /api/v2/users: the server, or the module's service, failed (HTTP 500: boom)");
}

#[tokio::test]
async fn callers_get_status_and_words() {
    let server = Server::after_login(|_, _| json(404, r#"{"text":"SensorNotFound: gone"}"#)).await;
    let problem = get(&server, &limits()).await.unwrap_err();
    assert_eq!((problem.status, problem.said.as_str()), (Some(404), "SensorNotFound: gone"));
}

#[tokio::test]
async fn an_html_page_is_no_answer() {
    for answer in [
        with(200, "Content-Type: text/html; charset=utf-8\r\n", "Sign in"),
        with(200, "Content-Type: application/json\r\n", "\n <HTML><form>"),
    ] {
        let (outcome, reason) = sentence(answer).await;
        assert_eq!(outcome, Outcome::Unreachable);
        assert_eq!(
            reason,
            "GET /api/v2/users: URL answered with an HTML page instead of data: a proxy or a sign-in page is in \
             between; check deployment.url and the proxy settings"
        );
    }
}

#[tokio::test]
async fn a_redirect_off_the_origin_names_both_and_is_not_followed() {
    let other = Server::saying(|_, _| json(200, "[]")).await;
    let location = format!("Location: {}/api/v2/users?x={CANARY}\r\n", other.url);
    let (outcome, reason) = sentence(with(302, &location, "")).await;
    assert_eq!(outcome, Outcome::Unreachable);
    assert_eq!(
        reason,
        format!(
            "GET /api/v2/users: URL redirects to {}, which is not followed; if that is the deployment, set \
             deployment.url to it",
            other.url
        )
    );
    assert_eq!(other.requests().len(), 0, "not even a connection");
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_to_readable_places() {
    let server = Server::after_login(|request, _| match request.starts_with("GET /api/v2/users ") {
        true => with(307, "Location: /api/v2/users/\r\n", ""),
        false => json(200, "[1]"),
    })
    .await;
    assert_eq!(get(&server, &limits()).await.unwrap(), "[1]");
    let (_, reason) = sentence(with(302, "Location: /auth/signin\r\n", "")).await;
    assert!(reason.contains("URL redirects to URL/auth/signin, which is not followed"), "{reason}");
    let (_, reason) = sentence(with(302, "Location: /api/v2/users\r\n", "")).await;
    assert!(reason.contains("redirects to URL/api/v2/users"), "a circle ends: {reason}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_asked_again_and_told() {
    let half = b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{\"data\":[".to_vec();
    let server =
        Server::after_login(move |_, number| if number < 2 { half.clone() } else { json(200, "[7]") }).await;
    assert_eq!(get(&server, &limits()).await.unwrap(), "[7]", "no byte of the broken answers is kept");
    let half = b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{\"data\":[".to_vec();
    let (outcome, reason) = sentence(half).await;
    assert_eq!(outcome, Outcome::Unreachable);
    assert_eq!(
        reason,
        "GET /api/v2/users: the answer broke off after 9 bytes; given up after 2 repetitions (limits.retries)"
    );
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_asked_again() {
    let server =
        Server::after_login(|_, number| if number == 0 { Vec::new() } else { json(200, "[7]") }).await;
    assert_eq!(get(&server, &limits()).await.unwrap(), "[7]");
    let (outcome, reason) = sentence(Vec::new()).await;
    assert_eq!(outcome, Outcome::Unreachable);
    assert!(
        reason.starts_with("GET /api/v2/users: the connection broke off before an answer of URL ("),
        "{reason}"
    );
}

#[tokio::test]
async fn a_busy_server_is_given_its_time() {
    for (status, headers) in
        [(429, "Retry-After: 0\r\n"), (503, "Retry-After: Tue, 30 Jun 2020 12:00:00 GMT\r\n"), (503, "")]
    {
        let server = Server::after_login(move |_, number| {
            if number < 2 { with(status, headers, r#"{"text":"busy"}"#) } else { json(200, "[7]") }
        })
        .await;
        assert_eq!(get(&server, &limits()).await.unwrap(), "[7]", "{status} {headers}");
        assert_eq!(server.asked(ROUTE), 3);
    }
    let (outcome, reason) = sentence(json(429, r#"{"text":"Too Many Requests"}"#)).await;
    assert_eq!(outcome, Outcome::Unreachable);
    assert_eq!(
        reason,
        "GET /api/v2/users: the server is asked too often; lower limits.calls_in_flight (HTTP 429: Too Many Requests); \
         given up after 2 repetitions (limits.retries)"
    );
    let (_, reason) = sentence(with(503, "Retry-After: 3600\r\n", "")).await;
    assert_eq!(
        reason,
        "GET /api/v2/users: the server, or the module's service, failed (HTTP 503); it asks to wait 3600 s"
    );
}

#[tokio::test]
async fn repetitions_are_told() {
    let server =
        Server::after_login(|_, number| if number == 0 { json(503, "") } else { json(200, "[]") }).await;
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let progress = Progress::to(move |event| log.lock().unwrap().push(event.clone()));
    let transport = transport(&server, &limits()).await.with_progress(progress);
    transport.send(&Call::get(ROUTE), Vec::<u8>::new).await.unwrap();
    let events = events.lock().unwrap();
    assert!(
        matches!(&events[..], [Event::Retried { request, .. }] if request == "GET /api/v2/users"),
        "{events:?}"
    );
}

#[tokio::test]
async fn limits_are_named() {
    let server = Server::after_login(|_, _| json(200, &"x".repeat(1000))).await;
    let small = Limits { response_bytes: 999, ..limits() };
    assert_eq!(
        get(&server, &small).await.unwrap_err().reason,
        "GET /api/v2/users: the answer is longer than 999 bytes (raise limits.response_bytes if that is intended)"
    );
    let small = Limits { total_bytes: 500, ..limits() };
    assert_eq!(
        get(&server, &small).await.unwrap_err().reason,
        "GET /api/v2/users: the run has received more than 500 bytes (raise limits.total_bytes if that is intended)"
    );
    let few = Limits { total_calls: 2, ..limits() };
    let problem = get(&server, &few).await.unwrap_err();
    assert_eq!(
        problem.reason,
        "GET /api/v2/users: not sent, the run has made 2 requests (raise limits.total_calls if that is intended)"
    );
    assert_eq!(problem.outcome, Outcome::NotEvaluated);
}

#[tokio::test]
async fn a_slow_answer_times_out() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let hasty = Limits { request_timeout: Duration::from_millis(50), retries: 0, ..limits() };
    let problem = open(&deployment(&url), &hasty).await.unwrap_err();
    assert_eq!(problem.outcome, Outcome::TimedOut);
    assert_eq!(
        problem.reason,
        "POST /api/v2/session/validate: no complete answer within 0.05 s (limits.request_timeout)"
    );
}

#[tokio::test]
async fn a_question_that_may_have_arrived_is_not_asked_twice() {
    let server = Server::after_login(|_, _| Vec::new()).await;
    let transport = transport(&server, &limits()).await;
    let call = Call::post("/api/v2/questions", json!({"query_text": "Get Online from all machines"}));
    transport.send(&call, Vec::<u8>::new).await.unwrap_err();
    assert_eq!(server.asked("/api/v2/questions"), 1);
}

#[tokio::test]
async fn what_changes_something_does_not_leave_this_machine() {
    let server = Server::after_login(|_, _| json(200, "{}")).await;
    let transport = transport(&server, &limits()).await;
    let before = server.requests().len();
    let call = Call::post("/api/v2/saved_actions", json!({}));
    let problem = transport.send(&call, Vec::<u8>::new).await.unwrap_err();
    assert!(problem.reason.starts_with("POST /api/v2/saved_actions was not sent"), "{problem}");
    assert_eq!(server.requests().len(), before);
}

#[tokio::test]
async fn a_server_that_repeats_the_secret_is_quoted_without_it() {
    let server = Server::after_login(|_, number| match number {
        0 => json(503, &format!(r#"{{"text":"{CANARY}"}}"#)),
        _ => json(403, &format!(r#"{{"text":"{CANARY} is not enough"}}"#)),
    })
    .await;
    let problem = get(&server, &limits()).await.unwrap_err();
    assert!(problem.reason.ends_with("(HTTP 403: [secret] is not enough)"), "{problem}");
}
