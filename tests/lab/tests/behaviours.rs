//! Ways to misbehave, each as a client sees it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{get, try_get};
use std::time::Duration;
use tancheck_lab::{Behaviour, Lab};

const PATH: &str = "/api/v2/action_groups";

fn with(behaviour: Behaviour) -> Lab {
    Lab::builder().endpoints(10).behaviour(PATH, behaviour).start().unwrap()
}

fn statuses(lab: &Lab, count: usize) -> Vec<u16> {
    (0..count).map(|_| get(lab, PATH).status).collect()
}

#[test]
fn a_status_carries_retry_after() {
    let lab = with(Behaviour::Status(429, Some(7)));
    let answer = get(&lab, PATH);
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
    assert!(answer.json()["text"].is_string());
    assert_eq!(get(&lab, "/api/v2/client_count").status, 200, "other routes are not touched");
}

#[test]
fn an_echo_repeats_what_was_sent() {
    let lab = with(Behaviour::Echo);
    let answer = get(&lab, PATH);
    assert_eq!(answer.status, 503);
    assert!(answer.text.contains(lab.token()), "{}", answer.text);
}

#[test]
fn html_instead_of_json() {
    let answer = get(&with(Behaviour::Html), PATH);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(answer.text.contains("Sign in"));
}

#[test]
fn a_body_that_breaks_off() {
    assert!(try_get(&with(Behaviour::Truncated), &token(), "", PATH).is_err());
}

/// Labs of the same seed have the same token.
fn token() -> String {
    Lab::builder().endpoints(10).start().unwrap().token().to_owned()
}

#[test]
fn a_body_that_is_no_json_and_one_that_is_missing() {
    let answer = get(&with(Behaviour::Malformed), PATH);
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&answer.text).is_err());
    let answer = get(&with(Behaviour::EmptyBody), PATH);
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
}

#[test]
fn a_redirect_to_elsewhere() {
    let lab = with(Behaviour::RedirectTo("https://elsewhere.example/".to_owned()));
    let answer = try_get(&lab, lab.token(), "", PATH);
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("location")), (302, Some("https://elsewhere.example/")));
}

#[test]
fn connections_that_are_reset() {
    let lab = with(Behaviour::Reset);
    assert!(try_get(&lab, lab.token(), "", PATH).is_err());
    let lab = with(Behaviour::CutOffAfter(2));
    let seen: Vec<bool> = (0..4).map(|_| try_get(&lab, lab.token(), "", PATH).is_ok()).collect();
    assert_eq!(seen, [true, true, false, false]);
    assert_eq!(lab.requests().iter().map(|request| request.status).collect::<Vec<_>>(), [200, 200, 0, 0]);
}

#[test]
fn every_nth_request_fails() {
    assert_eq!(statuses(&with(Behaviour::Flaky(3)), 6), [200, 200, 503, 200, 200, 503]);
}

#[test]
fn too_many_requests_are_told_so() {
    let lab = with(Behaviour::RateLimit(2));
    let seen = statuses(&lab, 20);
    assert!(seen.contains(&429) && seen[..2] == [200, 200], "{seen:?}");
}

#[test]
fn rows_under_a_wrong_key() {
    let plain = Lab::builder().endpoints(10).start().unwrap();
    let wrong = get(&with(Behaviour::WrongEnvelope), PATH).json();
    assert_eq!(wrong["items"], get(&plain, PATH).data());
    assert!(wrong.get("data").is_none());
}

#[test]
fn slow_answers_come_in_the_end_and_behaviours_can_be_cleared() {
    let lab = with(Behaviour::Slow(Duration::from_millis(5)));
    assert_eq!(get(&lab, PATH).status, 200);
    lab.behaviour(PATH, Behaviour::Status(500, None));
    assert_eq!(get(&lab, PATH).status, 500, "the newest decides");
    lab.clear_behaviours();
    assert_eq!(get(&lab, PATH).status, 200);
}

#[test]
fn a_private_authority_signs_the_certificate() {
    let lab = Lab::builder().endpoints(10).tls().start().unwrap();
    assert!(lab.url().starts_with("https://127.0.0.1:"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    lab.write_authority(&path).unwrap();
    let pem = std::fs::read_to_string(path).unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));

    use std::io::{Read, Write};
    use std::sync::Arc;
    use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
    use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};
    let connect = |roots: RootCertStore| {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let address = lab.url().trim_start_matches("https://").to_owned();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = StreamOwned::new(client, std::net::TcpStream::connect(address).unwrap());
        let request = format!(
            "GET /api/v2/client_count HTTP/1.1\r\nhost: lab\r\nsession: {}\r\nconnection: close\r\n\r\n",
            lab.token()
        );
        stream.write_all(request.as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text).map(|_| text)
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    assert!(connect(roots).unwrap().contains("{\"data\":10}"));
    assert!(connect(RootCertStore::empty()).is_err(), "without the authority the certificate is refused");
}
