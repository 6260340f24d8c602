//! A small HTTP client for the lab's own tests.
#![expect(dead_code, clippy::panic, reason = "each test file uses its own part; a test fails by panicking")]

use serde_json::Value;
use std::sync::LazyLock;
use tancheck_lab::Lab;

/// What a route answered.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Response {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|e| panic!("{e}: {}", &self.text[..self.text.len().min(300)]))
    }

    /// What is in the envelope.
    pub(crate) fn data(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["data"].clone()
    }

    /// A response header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

static AGENT: LazyLock<ureq::Agent> = LazyLock::new(|| {
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into()
});

fn finish(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Response, ureq::Error> {
    let mut answer = answer?;
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(1 << 30).read_to_string()?;
    Ok(Response { status, text, headers })
}

/// GET with a session, options and path; errors are those of the connection.
pub(crate) fn try_get(lab: &Lab, session: &str, options: &str, path: &str) -> Result<Response, ureq::Error> {
    let mut request = AGENT.get(format!("{}{path}", lab.url())).header("session", session);
    if !options.is_empty() {
        request = request.header("tanium-options", options);
    }
    finish(request.call())
}

/// GET with the lab's token.
pub(crate) fn get(lab: &Lab, path: &str) -> Response {
    try_get(lab, lab.token(), "", path).unwrap_or_else(|e| panic!("GET {path}: {e}"))
}

/// GET with the lab's token and a `tanium-options` header.
pub(crate) fn get_with(lab: &Lab, options: &str, path: &str) -> Response {
    try_get(lab, lab.token(), options, path).unwrap_or_else(|e| panic!("GET {path}: {e}"))
}

/// POST with the given session.
pub(crate) fn post_as(lab: &Lab, session: &str, path: &str, body: &Value) -> Response {
    let request = AGENT.post(format!("{}{path}", lab.url())).header("session", session);
    finish(request.content_type("application/json").send(body.to_string()))
        .unwrap_or_else(|e| panic!("POST {path}: {e}"))
}

/// POST with the lab's token.
pub(crate) fn post(lab: &Lab, path: &str, body: &Value) -> Response {
    post_as(lab, lab.token(), path, body)
}

/// Asks a question and returns its id.
pub(crate) fn ask(lab: &Lab, text: &str) -> u64 {
    let answer = post(lab, "/api/v2/questions", &serde_json::json!({ "query_text": text }));
    answer.data()["id"].as_u64().unwrap_or_else(|| panic!("no id: {}", answer.text))
}
