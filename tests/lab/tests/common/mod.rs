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

/// What a listener says to a greeting in TLS 1.2 that offers one suite of each kind and age; or why it says nothing.
pub(crate) fn greeting(address: std::net::SocketAddr) -> String {
    use std::io::{Read, Write};
    let Ok(mut stream) = std::net::TcpStream::connect(address) else { return "refused".to_owned() };
    stream.set_read_timeout(Some(std::time::Duration::from_millis(200))).expect("a time that is not zero");
    let suites = [0xC0, 0x30, 0xC0, 0x28, 0xC0, 0x2C, 0xC0, 0x24];
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 8]);
    hello.extend(suites);
    hello.extend([1, 0]);
    let length = u8::try_from(hello.len()).expect("the greeting is short");
    let head = [22, 3, 1, 0, length + 4, 1, 0, 0, length];
    stream.write_all(&[&head[..], &hello].concat()).expect("the listener takes it");
    const DONE: [u8; 4] = [14, 0, 0, 0];
    let mut said = Vec::new();
    let mut chunk = [0; 2048];
    while !said.ends_with(&DONE) && said.len() < 4096 {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => said.extend_from_slice(&chunk[..length]),
            Err(error) => return format!("{:?} after {} bytes", error.kind(), said.len()),
        }
    }
    format!("{said:?}")
}
