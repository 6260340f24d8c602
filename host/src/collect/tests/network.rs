//! Every way in which a network, a proxy or a server spoils a request: the sentence a person then reads.

use super::server::{Server, json, with};
use super::{CANARY, deployment, limits};
use crate::collect::http::{HttpTransport, Line};
use crate::collect::progress::{Event, Progress};
use crate::collect::session::Session;
use crate::collect::transport::{Call, Problem, Transport};
use crate::collect::wire::Wire;
use crate::config::{Auth, Deployment, Limits, SecretSource};
use secrecy::SecretString;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tancheck_plugin_api::Outcome;

const ROUTE: &str = "/api/v2/users";

async fn open(deployment: &Deployment, limits: &Limits) -> Result<Session, Problem> {
    let line = Line::hasty(Wire::new(deployment, limits)?);
    Session::begin(line, &deployment.auth, SecretString::from(CANARY)).await
}

async fn refused(deployment: &Deployment) -> Problem {
    let problem = open(deployment, &limits()).await.expect_err("this session must not open");
    assert!(!format!("{problem:?}").contains(CANARY));
    problem
}

async fn transport(server: &Server, limits: &Limits) -> HttpTransport {
    open(&deployment(&server.url), limits).await.unwrap().transport()
}

/// What a request comes to whose every answer is this.
async fn sentence(answer: Vec<u8>) -> (Outcome, String) {
    let server = Server::after_login(move |_, _| answer.clone()).await;
    let problem = get(&server, &limits()).await.unwrap_err();
    (problem.outcome, problem.reason.replace(&server.url, "URL"))
}

async fn get(server: &Server, limits: &Limits) -> Result<String, Problem> {
    let transport = transport(server, limits).await;
    let body = transport.send(&Call::get(ROUTE), Vec::<u8>::new).await;
    if let Err(problem) = &body {
        assert!(!format!("{problem:?} {transport:?}").contains(CANARY), "{problem:?}");
    }
    body.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn login(url: &str) -> Deployment {
    let password = SecretSource::Env("UNUSED".to_owned());
    let auth = Auth::Login { user: "ann".to_owned(), domain: Some("corp".to_owned()), password };
    Deployment { auth, ..deployment(url) }
}

#[tokio::test]
async fn a_url_that_leads_nowhere_is_named() {
    assert_eq!(
        refused(&deployment("http://tanium.example")).await.reason,
        "deployment.url: http://tanium.example would send the secret in the clear; use https (plain http is for \
         loopback addresses)"
    );
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let problem = refused(&deployment(&format!("http://{free}"))).await;
    assert_eq!(
        problem.reason,
        format!(
            "POST /api/v2/session/validate: http://{free} refuses connections; check the port in deployment.url and \
             whether the server runs; given up after 2 repetitions (limits.retries)"
        )
    );
    assert_eq!(problem.outcome, Outcome::Unreachable);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_named() {
    let problem = refused(&deployment("https://tanium.invalid")).await;
    assert_eq!(problem.outcome, Outcome::Unreachable);
    // A proxy of the machine that runs this test answers in its own way.
    if std::env::var_os("HTTPS_PROXY").is_none() && std::env::var_os("https_proxy").is_none() {
        assert_eq!(
            problem.reason,
            "POST /api/v2/session/validate: the name in https://tanium.invalid cannot be resolved; check \
             deployment.url and this machine's DNS"
        );
    }
}

#[tokio::test]
async fn a_plain_server_behind_https_is_told() {
    let server = Server::saying(|_, _| json(200, "{}")).await;
    let problem = refused(&deployment(&server.url.replace("http", "https"))).await;
    assert!(problem.reason.contains("does not speak TLS as expected"), "{problem}");
    assert!(problem.reason.contains("check scheme and port in deployment.url"), "{problem}");
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_named() {
    let missing = Deployment { ca_file: Some("/nowhere/ca.pem".into()), ..deployment("https://127.0.0.1:1") };
    assert_eq!(
        refused(&missing).await.reason,
        "deployment.ca_file: /nowhere/ca.pem cannot be read (No such file or directory (os error 2))"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "no certificate").unwrap();
    let empty = Deployment { ca_file: Some(file.path().into()), ..deployment("https://127.0.0.1:1") };
    assert_eq!(
        refused(&empty).await.reason,
        format!("deployment.ca_file: {} holds no PEM certificate", file.path().display())
    );
}

#[tokio::test]
async fn a_token_that_is_not_accepted_says_why() {
    let server = Server::saying(|_, _| json(200, r#"{"text":"Invalid session"}"#)).await;
    let problem = refused(&deployment(&server.url)).await;
    assert_eq!(
        problem.reason,
        format!(
            "{} does not know the API token (Invalid session): it is wrong, expired or revoked; make a new one in the \
             Console under Administration > API Tokens",
            server.url
        ),
        "the body decides, not the status"
    );
    assert_eq!(problem.outcome, Outcome::NoPermission);

    let server = Server::saying(|_, _| json(401, r#"{"text":"Unauthorized"}"#)).await;
    assert_eq!(
        refused(&deployment(&server.url)).await.reason,
        format!(
            "{} does not accept the API token (HTTP 401: Unauthorized): it is wrong or expired, or this machine's \
             address is not among the token's trusted_ip_addresses or the global setting \
             api_token_trusted_ip_address_list",
            server.url
        )
    );
}

#[tokio::test]
async fn a_server_of_another_kind_is_told() {
    let server = Server::saying(|_, _| with(404, "Content-Type: text/html\r\n", "<html>nginx</html>")).await;
    assert_eq!(
        refused(&deployment(&server.url)).await.reason,
        format!(
            "{} does not answer like a Tanium server; check deployment.url (HTTP 404: an HTML page)",
            server.url
        )
    );
    let server = Server::saying(|_, _| with(200, "", "<!DOCTYPE html><title>Sign in</title>")).await;
    assert_eq!(
        refused(&deployment(&server.url)).await.reason,
        format!(
            "POST /api/v2/session/validate: {} answered with an HTML page instead of data: a proxy or a sign-in page \
             is in between; check deployment.url and the proxy settings",
            server.url
        )
    );
    let server = Server::saying(|_, _| with(200, "", "hello")).await;
    assert!(refused(&deployment(&server.url)).await.reason.contains("did not answer with JSON"));
    for (status, body) in [(200, r#"{"hello":"world"}"#), (404, r#"{"message":"no such page"}"#)] {
        let server = Server::saying(move |_, _| json(status, body)).await;
        let problem = refused(&deployment(&server.url)).await;
        assert_eq!(problem.outcome, Outcome::Unreachable);
        assert!(problem.reason.contains("does not answer like a Tanium server"), "{}", problem.reason);
    }
}

#[tokio::test]
async fn an_old_server_that_cannot_validate_tokens_is_asked_on() {
    let server = Server::saying(|request, _| match request.starts_with("GET /api/v2/session/current") {
        true => json(200, r#"{"data":{"user":{"name":"ann"}}}"#),
        false => json(400, r#"{"text":"Invalid object route: session/validate"}"#),
    })
    .await;
    assert_eq!(open(&deployment(&server.url), &limits()).await.unwrap().user(), "ann");
}

#[tokio::test]
async fn a_refused_login_names_the_user_and_not_the_password() {
    let server = Server::saying(|_, _| json(401, &format!(r#"{{"text":"bad password {CANARY}"}}"#))).await;
    assert_eq!(
        refused(&login(&server.url)).await.reason,
        format!(
            "{} refuses the login of ann: check user, domain and password, or use an API token where password logins \
             are switched off (HTTP 401: bad password [secret])",
            server.url
        )
    );
    assert!(server.requests()[0].contains(r#""domain":"corp""#));
    assert!(
        !server.requests()[0].to_ascii_lowercase().contains("\nsession:"),
        "no session is sent with a login"
    );
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
async fn a_session_that_ends_is_opened_again_once_for_all() {
    // Session 1 ends when it was used for its first request; session 2 lives on.
    let logins = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::saying(move |request, _| {
        let session = request.lines().find_map(|line| line.strip_prefix("session: ")).unwrap_or_default();
        match request.split(' ').nth(1).unwrap_or_default() {
            "/api/v2/session/login" => {
                let number = logins.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
                json(200, &format!(r#"{{"data":{{"session":"s{number}"}}}}"#))
            }
            "/api/v2/session/current" => json(200, r#"{"data":{"user":{"name":"ann"}}}"#),
            _ if session == "s1" => json(403, r#"{"text":"Invalid session"}"#),
            "/api/v2/session/logout" => json(200, "{}"),
            _ => json(200, "[7]"),
        }
    })
    .await;
    let session = open(&login(&server.url), &limits()).await.unwrap();
    let transport = session.transport();
    let call = Call::get(ROUTE);
    let sends = (0..5).map(|_| transport.send(&call, Vec::<u8>::new));
    for answer in futures_util::future::join_all(sends).await {
        assert_eq!(answer.unwrap(), b"[7]");
    }
    assert_eq!(server.asked("/session/login"), 2);
    session.close().await;
    assert_eq!(server.asked("/session/logout"), 1);
}

#[tokio::test]
async fn a_token_that_ends_during_the_run_is_told() {
    let valid = std::sync::atomic::AtomicBool::new(true);
    let server = Server::saying(move |request, _| {
        if request.contains("/session/validate") && valid.swap(false, std::sync::atomic::Ordering::SeqCst) {
            return json(200, r#"{"data":{"session":"x"}}"#);
        }
        if request.contains("/session/current") {
            return json(200, r#"{"data":{"user":{}}}"#);
        }
        json(401, &format!(r#"{{"text":"Unauthorized {CANARY}"}}"#))
    })
    .await;
    assert_eq!(
        get(&server, &limits()).await.unwrap_err().reason,
        format!(
            "{} no longer accepts the API token: it expired or was revoked during the run; make a new one and run again",
            server.url
        )
    );
}

#[tokio::test]
async fn a_refusal_under_a_good_session_is_about_the_account() {
    let server = Server::after_login(|_, _| json(403, r#"{"text":"Forbidden"}"#)).await;
    let problem = get(&server, &limits()).await.unwrap_err();
    assert_eq!(problem.reason, "GET /api/v2/users: the account may not read this (HTTP 403: Forbidden)");
    assert_eq!(problem.outcome, Outcome::NoPermission);
}

#[tokio::test]
async fn the_secret_goes_into_the_session_header_and_nowhere_else() {
    let server = Server::after_login(|_, _| json(200, "[]")).await;
    get(&server, &limits()).await.unwrap();
    for request in server.requests() {
        let elsewhere: Vec<&str> =
            request.lines().filter(|line| line.contains(CANARY) && !line.starts_with("session: ")).collect();
        let body = format!(r#"{{"session":"{CANARY}"}}"#);
        assert!(
            elsewhere.is_empty()
                || (request.starts_with("POST /api/v2/session/validate") && elsewhere == [body.as_str()]),
            "{elsewhere:?}"
        );
    }
    let session = open(&deployment(&server.url), &limits()).await.unwrap();
    assert!(!format!("{session:?}").contains(CANARY));
}

#[tokio::test]
async fn no_log_line_holds_the_secret() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || Lines(Arc::clone(&writer)))
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let server = Server::after_login(|_, number| match number {
        0 => json(503, &format!(r#"{{"text":"{CANARY}"}}"#)),
        _ => json(403, &format!(r#"{{"text":"{CANARY} is not enough"}}"#)),
    })
    .await;
    let problem = get(&server, &limits()).await.unwrap_err();
    drop(guard);
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    assert!(log.contains("repeating") && log.contains("GET /api/v2/users"), "there is a log: {log}");
    assert!(!log.contains(CANARY), "{log}");
    assert!(problem.reason.ends_with("(HTTP 403: [secret] is not enough)"), "{problem}");
}

/// Where log lines go.
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
