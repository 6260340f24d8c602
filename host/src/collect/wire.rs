//! One request over the network, within the limits: sent to the configured origin, answered into a sink, or failed
//! with a sentence.

use super::retry;
use super::transport::{Method, Problem, Sink};
use super::trouble::{self, Where};
use crate::config::{Deployment, Limits};
use jiff::{SignedDuration, Timestamp};
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, redirect};
use secrecy::{ExposeSecret, SecretString};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tancheck_plugin_api::Outcome;
use url::Url;

/// As much of an error's body is read.
const LONGEST_ERROR_BODY: usize = 64 * 1024;
/// A connection that does not come about within this time does not come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The connection to one deployment.
#[derive(Debug)]
pub(super) struct Wire {
    client: Client,
    origin: String,
    ca_file: Option<PathBuf>,
    limits: Limits,
    calls: AtomicU64,
    bytes: AtomicU64,
    /// How far the server's clock is ahead of ours, as its first answer tells.
    clock_skew: OnceLock<SignedDuration>,
}

/// A request as it goes out.
pub(super) struct Outgoing<'a> {
    pub(super) method: Method,
    pub(super) path: std::borrow::Cow<'a, str>,
    pub(super) options: Option<&'a str>,
    /// JSON.
    pub(super) body: Option<SecretString>,
    /// The `session` header.
    pub(super) session: Option<&'a SecretString>,
    /// What else is secret in the body.
    pub(super) secret: Option<&'a SecretString>,
}

/// Why a request failed, by what can be done about it.
#[derive(Debug)]
pub(super) enum Failure {
    /// Worth another try: a broken connection, 429, 502, 503, 504.
    Passing {
        problem: Problem,
        /// What the server asked for.
        after: Option<Duration>,
        /// Whether the server may have acted on the request.
        arrived: bool,
    },
    /// 401 or 403: the session, or a privilege.
    Refused(Problem),
    /// The same request, to another path of the same origin.
    Moved(String, Problem),
    /// Nothing more can be done.
    Final(Problem),
}

impl Failure {
    pub(super) fn into_problem(self) -> Problem {
        match self {
            Self::Passing { problem, .. }
            | Self::Refused(problem)
            | Self::Moved(_, problem)
            | Self::Final(problem) => problem,
        }
    }
}

impl Wire {
    /// A connection to a deployment; nothing is sent yet.
    pub(super) fn new(deployment: &Deployment, limits: &Limits) -> Result<Self, Problem> {
        if let Some(problem) = trouble::wrong_url(deployment) {
            return Err(problem);
        }
        // A provider that is there already is as good: another part of this process installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: client(deployment, limits)?,
            origin: deployment.url.origin().ascii_serialization(),
            ca_file: deployment.ca_file.clone(),
            limits: limits.clone(),
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            clock_skew: OnceLock::new(),
        })
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Requests so far, repetitions included.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Bytes so far, after decompression.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The place that sentences about a request name.
    pub(super) fn at<'a>(&'a self, label: &'a str, secrets: &'a [&'a SecretString]) -> Where<'a> {
        Where { label, origin: &self.origin, ca_file: self.ca_file.as_deref(), secrets }
    }

    /// Sends one request once.
    pub(super) async fn exchange<S: Sink>(&self, outgoing: &Outgoing<'_>, sink: S) -> Result<S, Failure> {
        let label = outgoing.label();
        let secrets: Vec<&SecretString> = outgoing.session.into_iter().chain(outgoing.secret).collect();
        let at = self.at(&label, &secrets);
        if self.calls.fetch_add(1, Ordering::Relaxed) >= self.limits.total_calls {
            let what = format!("not sent, the run has made {} requests", self.limits.total_calls);
            return Err(Failure::Final(at.limited(&what, "total_calls")));
        }
        let sent = self.request(outgoing).map_err(Failure::Final)?.send().await;
        let response = sent.map_err(|error| {
            let problem = at.unsent(&error, self.limits.request_timeout);
            match trouble::may_pass(&error) {
                true => Failure::Passing { problem, after: None, arrived: !error.is_connect() },
                false => Failure::Final(problem),
            }
        })?;
        self.note_clock(&response);
        let status = response.status().as_u16();
        tracing::debug!(request = label, status, "answered");
        match status {
            200..=299 => self.take(response, sink, at).await,
            300..=399 => Err(self.moved(&response, outgoing.method, at)),
            _ => Err(self.failed(response, at).await),
        }
    }

    /// How far the server's clock is ahead of ours, in whole seconds; `None` until an answer told.
    pub(super) fn clock_skew(&self) -> Option<SignedDuration> {
        self.clock_skew.get().copied()
    }

    fn note_clock(&self, response: &Response) {
        let theirs = header(response, &DATE).and_then(|date| httpdate::parse_http_date(&date).ok());
        let theirs = theirs.and_then(|time| Timestamp::try_from(time).ok());
        if let Some(theirs) = theirs {
            self.clock_skew.get_or_init(|| theirs.duration_since(Timestamp::now()));
        }
    }

    fn request(&self, outgoing: &Outgoing<'_>) -> Result<reqwest::RequestBuilder, Problem> {
        let url = format!("{}{}", self.origin, outgoing.path);
        let not_sent = |what: &str| {
            Problem::new(Outcome::NotEvaluated, format!("{} was not sent: {what}", outgoing.label()))
        };
        // The path begins with a slash, so it cannot reach into the host; this holds it for all time.
        let url = Url::parse(&url).ok().filter(|url| url.origin().ascii_serialization() == self.origin);
        let url = url.ok_or_else(|| not_sent("the path makes no URL of the deployment"))?;
        let mut request = match outgoing.method {
            Method::Get => self.client.get(url),
            Method::Post => self.client.post(url),
        };
        let mut headers = HeaderMap::new();
        if let Some(session) = outgoing.session {
            let mut value = HeaderValue::from_str(session.expose_secret())
                .map_err(|_| not_sent("the token holds characters that no token has"))?;
            value.set_sensitive(true);
            headers.insert("session", value);
        }
        if let Some(options) = outgoing.options {
            let value = HeaderValue::from_str(options).map_err(|_| not_sent("the options are no header"))?;
            headers.insert("tanium-options", value);
        }
        if let Some(body) = &outgoing.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request = request.body(body.expose_secret().to_owned());
        }
        Ok(request.headers(headers))
    }

    /// Takes the body of a good answer.
    async fn take<S: Sink>(&self, mut response: Response, mut sink: S, at: Where<'_>) -> Result<S, Failure> {
        if header(&response, &CONTENT_TYPE)
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
        {
            return Err(Failure::Final(at.html()));
        }
        let mut received: u64 = 0;
        let mut began = false;
        loop {
            let chunk = response.chunk().await.map_err(|error| self.broken(&error, received, at))?;
            let Some(chunk) = chunk else { return Ok(sink) };
            received += chunk.len() as u64;
            self.count(chunk.len() as u64, received, at)?;
            if !began && chunk.iter().any(|byte| !byte.is_ascii_whitespace()) {
                began = true;
                if looks_like_html(&chunk) {
                    return Err(Failure::Final(at.html()));
                }
            }
            sink.feed(&chunk).map_err(Failure::Final)?;
        }
    }

    fn broken(&self, error: &reqwest::Error, received: u64, at: Where<'_>) -> Failure {
        let problem = if error.is_timeout() {
            at.too_slow(self.limits.request_timeout)
        } else {
            at.truncated(received)
        };
        Failure::Passing { problem, after: None, arrived: true }
    }

    fn count(&self, new: u64, received: u64, at: Where<'_>) -> Result<(), Failure> {
        if received > self.limits.response_bytes {
            let what = format!("the answer is longer than {} bytes", self.limits.response_bytes);
            return Err(Failure::Final(at.limited(&what, "response_bytes")));
        }
        if self.bytes.fetch_add(new, Ordering::Relaxed) + new > self.limits.total_bytes {
            let what = format!("the run has received more than {} bytes", self.limits.total_bytes);
            return Err(Failure::Final(at.limited(&what, "total_bytes")));
        }
        Ok(())
    }

    fn moved(&self, response: &Response, method: Method, at: Where<'_>) -> Failure {
        let location = header(response, &LOCATION).unwrap_or_default();
        let target = response.url().join(&location).ok();
        let origin = target.as_ref().map(|url| url.origin().ascii_serialization());
        match (target, origin) {
            (Some(target), Some(origin)) if origin == self.origin && method == Method::Get => {
                let path = target[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
                let problem = at.redirected(&format!("{origin}{path}"));
                Failure::Moved(path, problem)
            }
            (_, Some(origin)) if origin != self.origin && !location.is_empty() => {
                Failure::Final(at.redirected(&origin))
            }
            _ => Failure::Final(at.redirected("another of its pages")),
        }
    }

    /// An answer that says by its status that it is none.
    async fn failed(&self, mut response: Response, at: Where<'_>) -> Failure {
        let status = response.status().as_u16();
        let after =
            header(&response, &RETRY_AFTER).and_then(|text| retry::retry_after(&text, SystemTime::now()));
        let mut body: Vec<u8> = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() >= LONGEST_ERROR_BODY {
                break;
            }
        }
        let problem = at.status(status, &at.said(&body));
        match status {
            401 | 403 => Failure::Refused(problem),
            429 | 502 | 503 | 504 => match after.filter(|&after| after > retry::LONGEST_ASKED) {
                None => Failure::Passing { problem, after, arrived: false },
                Some(after) => {
                    let reason = format!("{}; it asks to wait {} s", problem.reason, after.as_secs());
                    Failure::Final(Problem { reason, ..problem })
                }
            },
            _ => Failure::Final(problem),
        }
    }
}

impl Outgoing<'_> {
    pub(super) fn label(&self) -> String {
        match self.method {
            Method::Get => format!("GET {}", self.path),
            Method::Post => format!("POST {}", self.path),
        }
    }
}

fn client(deployment: &Deployment, limits: &Limits) -> Result<Client, Problem> {
    let roots = match &deployment.ca_file {
        None => Vec::new(),
        Some(file) => {
            let unusable = |why: String| {
                let reason = format!("deployment.ca_file: {} {why}", file.display());
                Problem::new(Outcome::Unreachable, reason)
            };
            let pem = std::fs::read(file).map_err(|error| unusable(format!("cannot be read ({error})")))?;
            let roots = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if roots.is_empty() {
                return Err(unusable("holds no PEM certificate".to_owned()));
            }
            roots
        }
    };
    let plain = deployment.url.scheme() == "http";
    let builder = || {
        let builder = Client::builder()
            .user_agent(concat!("tancheck/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(!plain)
            .connect_timeout(CONNECT_TIMEOUT.min(limits.request_timeout))
            .timeout(limits.request_timeout);
        // What is on this machine is not asked for through a proxy elsewhere.
        if trouble::is_loopback(&deployment.url) { builder.no_proxy() } else { builder }
    };
    let merged = if plain {
        builder().tls_certs_only([]).build()
    } else {
        builder().tls_certs_merge(roots.clone()).build()
    };
    merged
        // A machine without any authorities of its own can still trust the file.
        .or_else(|error| if roots.is_empty() { Err(error) } else { builder().tls_certs_only(roots).build() })
        .map_err(|error| {
            let reason =
                format!("deployment.url: no client for it can be made ({error}); name deployment.ca_file");
            Problem::new(Outcome::Unreachable, reason)
        })
}

fn header(response: &Response, name: &reqwest::header::HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    ["<!doctype html", "<html"].iter().any(|opening| {
        text.get(..opening.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(opening.as_bytes()))
    })
}
