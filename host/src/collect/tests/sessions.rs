//! Sessions: what opens none, what ends one, and where the secret goes.

use super::network::{ROUTE, get, open};
use super::server::{Server, json, with};
use super::{CANARY, deployment, limits};
use crate::collect::transport::{Call, Problem, Transport};
use crate::config::{Auth, Deployment, SecretSource};
use tancheck_plugin_api::Outcome;

async fn refused(deployment: &Deployment) -> Problem {
    let problem = open(deployment, &limits()).await.expect_err("this session must not open");
    assert!(!format!("{problem:?}").contains(CANARY));
    problem
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
    let (_taken, free) = crate::collect::faked::port_without_listener();
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
