//! The sentences: what a failed request means, where it failed, and what to do.

use super::transport::Problem;
use crate::config::Deployment;
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;
use tancheck_plugin_api::Outcome;

/// As many characters of the server's own words are kept.
const LONGEST_SAID: usize = 300;

/// Where a request goes, and what must not be repeated in a sentence about it.
#[derive(Clone, Copy)]
pub(super) struct Where<'a> {
    /// Method and path.
    pub(super) label: &'a str,
    /// The deployment's origin.
    pub(super) origin: &'a str,
    /// The file of trusted authorities, where the site names one.
    pub(super) ca_file: Option<&'a Path>,
    /// Secrets that travel with the request: a server may echo them.
    pub(super) secrets: &'a [&'a SecretString],
}

impl Where<'_> {
    /// The server's own words in an error's body: one line, not too long, without the secrets.
    pub(super) fn said(&self, body: &[u8]) -> String {
        // First of all: a secret of which a part was cut off, or a space folded, would not be found.
        let words = self.scrubbed(&own_words(body));
        let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(LONGEST_SAID).collect()
    }

    /// Takes the secrets out of a text that came from outside, as they are and as JSON writes them.
    fn scrubbed(&self, text: &str) -> String {
        let secrets =
            self.secrets.iter().map(|secret| secret.expose_secret()).filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| {
            let quoted = serde_json::Value::from(secret).to_string();
            text.replace(secret, "[secret]").replace(&quoted[1..quoted.len() - 1], "[secret]")
        })
    }

    fn problem(&self, outcome: Outcome, what: impl AsRef<str>) -> Problem {
        Problem::new(outcome, format!("{}: {}", self.label, what.as_ref()))
    }

    /// No answer at all: the connection was not made, or not kept.
    pub(super) fn unsent(&self, error: &reqwest::Error, timeout: Duration) -> Problem {
        if error.is_timeout() && !error.is_connect() {
            return self.too_slow(timeout);
        }
        let host = self.origin;
        if error.is_dns() {
            let what =
                format!("the name in {host} cannot be resolved; check deployment.url and this machine's DNS");
            return self.problem(Outcome::Unreachable, what);
        }
        if let Some(tls) = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
            return self.problem(Outcome::Unreachable, self.tls(tls));
        }
        let refused = chain(error)
            .filter_map(|cause| cause.downcast_ref::<io::Error>())
            .any(|cause| cause.kind() == io::ErrorKind::ConnectionRefused);
        if refused {
            let what = format!(
                "{host} refuses connections; check the port in deployment.url and whether the server runs"
            );
            return self.problem(Outcome::Unreachable, what);
        }
        if error.is_connect() && error.is_timeout() {
            let what =
                format!("no connection to {host} in time; check deployment.url, firewalls and the proxy");
            return self.problem(Outcome::Unreachable, what);
        }
        let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
        let stage = if error.is_connect() {
            "no connection to"
        } else {
            "the connection broke off before an answer of"
        };
        self.problem(Outcome::Unreachable, self.scrubbed(&format!("{stage} {host} ({cause})")))
    }

    fn tls(&self, error: &rustls::Error) -> String {
        use rustls::CertificateError as Certificate;
        let host = self.origin;
        match error {
            rustls::Error::InvalidCertificate(
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
            ) => format!(
                "the certificate of {host} is for another name; use the name in the certificate in deployment.url"
            ),
            rustls::Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
                format!("the certificate of {host} has expired")
            }
            rustls::Error::InvalidCertificate(_) => {
                let todo = match self.ca_file {
                    None => "put the PEM of the authority that signed it into a file and name it in deployment.ca_file"
                        .to_owned(),
                    Some(file) => format!("{} (deployment.ca_file) does not hold the authority that signed it", file.display()),
                };
                format!("the certificate of {host} is not trusted ({error}): {todo}")
            }
            _ => format!(
                "{host} does not speak TLS as expected ({error}); check scheme and port in deployment.url"
            ),
        }
    }

    pub(super) fn too_slow(&self, timeout: Duration) -> Problem {
        let what = format!("no complete answer within {} s (limits.request_timeout)", timeout.as_secs_f64());
        self.problem(Outcome::TimedOut, what)
    }

    /// The answer began and did not end.
    pub(super) fn truncated(&self, bytes: u64) -> Problem {
        let what = format!("the answer broke off after {bytes} bytes");
        self.problem(Outcome::Unreachable, what)
    }

    /// A page for people where data was expected.
    pub(super) fn html(&self) -> Problem {
        let what = format!(
            "{} answered with an HTML page instead of data: a proxy or a sign-in page is in between; check \
             deployment.url and the proxy settings",
            self.origin
        );
        self.problem(Outcome::Unreachable, what)
    }

    pub(super) fn redirected(&self, target: &str) -> Problem {
        let what = format!(
            "{} redirects to {target}, which is not followed; if that is the deployment, set deployment.url to it",
            self.origin
        );
        self.problem(Outcome::Unreachable, what)
    }

    /// A limit of the site: what is over it is not known, and that is said.
    pub(super) fn limited(&self, what: &str, setting: &str) -> Problem {
        self.problem(Outcome::NotEvaluated, format!("{what} (raise limits.{setting} if that is intended)"))
    }

    /// An answer whose status says that there is no data.
    pub(super) fn status(&self, status: u16, said: &str) -> Problem {
        let (outcome, what) = meaning(status, self.label);
        let words = if said.is_empty() { String::new() } else { format!(": {said}") };
        let mut problem = self.problem(outcome, format!("{what} (HTTP {status}{words})"));
        problem.status = Some(status);
        said.clone_into(&mut problem.said);
        problem
    }

    /// Repeated as often as allowed, and still nothing.
    pub(super) fn exhausted(&self, problem: Problem, repetitions: u32) -> Problem {
        if repetitions == 0 {
            return problem;
        }
        let reason = format!("{}; given up after {repetitions} repetitions (limits.retries)", problem.reason);
        Problem { reason, ..problem }
    }
}

fn meaning(status: u16, label: &str) -> (Outcome, &'static str) {
    let of_a_module = label.contains(" /plugin/products/");
    match status {
        401 => (Outcome::NoPermission, "the server does not accept the account here"),
        403 => (Outcome::NoPermission, "the account may not read this"),
        404 if of_a_module => {
            (Outcome::NotEvaluated, "the module is not installed, or its service has no such route")
        }
        404 => (Outcome::NotEvaluated, "the server has no such object, or the account may not see it"),
        405 => (Outcome::NotEvaluated, "the server does not let this route be read in this way"),
        407 => (Outcome::Unreachable, "the proxy wants a sign-in"),
        429 => (Outcome::Unreachable, "the server is asked too often; lower limits.calls_in_flight"),
        500..=599 => (Outcome::Unreachable, "the server, or the module's service, failed"),
        _ => (Outcome::NotEvaluated, "the server refused the request"),
    }
}

fn own_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json) => words(&json).unwrap_or_default(),
        Err(_) if text.trim_start().starts_with('<') => "an HTML page".to_owned(),
        Err(_) => text.into_owned(),
    }
}

/// What is under the keys that modules are known to use, in their order.
fn words(json: &serde_json::Value) -> Option<String> {
    if let Some(text) = json.as_str() {
        return Some(text.to_owned());
    }
    if let Some(list) = json.as_array() {
        let all: Vec<String> = list.iter().filter_map(words).collect();
        return (!all.is_empty()).then(|| all.join("; "));
    }
    ["text", "message", "error", "errors"].iter().find_map(|key| json.get(key).and_then(words))
}

/// Why the deployment's URL cannot be used.
pub(super) fn wrong_url(deployment: &Deployment) -> Option<Problem> {
    let url = &deployment.url;
    let shown = url.origin().ascii_serialization();
    let what = match url.scheme() {
        _ if url.host_str().is_none() => "it names no host".to_owned(),
        "https" => return None,
        "http" if is_loopback(url) => return None,
        "http" => format!(
            "{shown} would send the secret in the clear; use https (plain http is for loopback addresses)"
        ),
        other => format!("{other} is no way to a Tanium server; use https"),
    };
    Some(Problem::new(Outcome::Unreachable, format!("deployment.url: {what}")))
}

/// Whether a URL stays on this machine.
pub(super) fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether the same request may succeed a moment later: not where a name or a certificate is wrong.
pub(super) fn may_pass(error: &reqwest::Error) -> bool {
    let tls = chain(error).any(|cause| cause.is::<rustls::Error>());
    !tls && !error.is_dns() && !error.is_builder()
}

/// An error and everything behind it; `io::Error` hides what it wraps from `source`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_servers_words_are_found_under_every_key() {
        let at = Where { label: "x", origin: "https://t", ca_file: None, secrets: &[] };
        let read = |text: &str| at.said(text.as_bytes());
        assert_eq!(read(r#"{"text":"Invalid\n  session"}"#), "Invalid session");
        assert_eq!(read(r#"{"message":"no"}"#), "no");
        assert_eq!(read(r#"{"error":{"message":"inner"}}"#), "inner");
        assert_eq!(read(r#"{"errors":[{"message":"a"},{"message":"b"}]}"#), "a; b");
        assert_eq!(read("<html><body>x"), "an HTML page");
        assert_eq!(read("plain words"), "plain words");
        assert_eq!(read(r#"{"code":5}"#), "");
        assert_eq!(read(&"x".repeat(1000)).len(), LONGEST_SAID);
    }

    #[test]
    fn a_missing_module_is_told_from_a_missing_object() {
        let at = |label| Where { label, origin: "https://tanium.example", ca_file: None, secrets: &[] };
        assert_eq!(
            at("GET /plugin/products/connect/v1/connections").status(404, "Not Found").reason,
            "GET /plugin/products/connect/v1/connections: the module is not installed, or its service has no such \
             route (HTTP 404: Not Found)"
        );
        assert_eq!(
            at("GET /api/v2/groups/9").status(404, "").reason,
            "GET /api/v2/groups/9: the server has no such object, or the account may not see it (HTTP 404)"
        );
    }

    #[test]
    fn an_echoed_secret_is_taken_out() {
        let said = |secret: &str, body: &str| {
            let secrets = &[&SecretString::from(secret)];
            Where { label: "x", origin: "https://t", ca_file: None, secrets }.said(body.as_bytes())
        };
        assert_eq!(said("token-canary", "bad token-canary!"), "bad [secret]!");
        assert_eq!(said("two  spaces", "bad two  spaces!"), "bad [secret]!");
        let echo = json!({"password": r#"a"\b""#}).to_string();
        assert_eq!(said(r#"a"\b""#, &format!("bad {echo}")), r#"bad {"password":"[secret]"}"#);
        assert_eq!(said(r#"a"\b""#, &json!({ "text": echo }).to_string()), r#"{"password":"[secret]"}"#);
        let at_the_end = format!("{}token-canary", " x".repeat(LONGEST_SAID / 2 - 3));
        assert!(!said("token-canary", &at_the_end).contains("tok"));
    }
}
