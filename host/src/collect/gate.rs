//! What may leave this machine at all: reading routes, and the few questions that are asked by `POST`.
//!
//! **Invariant:** every request passes here before it is sent; there is no other way to the network.

use super::transport::{Call, Method, Problem};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::validate;

/// Asks a question.
pub(crate) const QUESTIONS: &str = "/api/v2/questions";
/// Lets the server read a question's text.
pub(crate) const PARSE_QUESTION: &str = "/api/v2/parse_question";
/// The API Gateway.
pub(crate) const GATEWAY: &str = "/plugin/products/gateway/graphql";

/// Where anything may be read.
const READABLE: [&str; 3] = ["/api/v2/", "/plugin/products/", "/metrics"];

/// Refuses what is not a reading request.
pub(super) fn admit(call: &Call) -> Result<(), Problem> {
    match refusal(call) {
        None => Ok(()),
        Some(reason) => {
            let reason = format!("{} was not sent: {reason}", call.label());
            Err(Problem::new(Outcome::NotEvaluated, reason))
        }
    }
}

fn refusal(call: &Call) -> Option<String> {
    if call.path.contains(['\\', '\r', '\n', '#']) || climbs(&call.path) {
        return Some("the path is not a plain one".to_owned());
    }
    match call.method {
        Method::Get if call.body.is_some() => Some("a GET has no body".to_owned()),
        Method::Get => {
            let readable = READABLE.iter().any(|&place| match place.strip_suffix('/') {
                Some(_) => call.path.starts_with(place),
                None => call.path == place,
            });
            (!readable).then(|| format!("only {} are read", READABLE.join(", ")))
        }
        Method::Post => match call.path.as_str() {
            QUESTIONS | PARSE_QUESTION => None,
            GATEWAY => gateway_refusal(call),
            _ => {
                Some("tancheck only reads; this route is not one of those that are asked by POST".to_owned())
            }
        },
    }
}

/// Only a plain query passes; a batch of operations (a list) has no `query` and does not.
fn gateway_refusal(call: &Call) -> Option<String> {
    let query = call.body.as_ref().and_then(|body| body.get("query")).and_then(|query| query.as_str());
    match query {
        Some(query) => validate::query_problem(query),
        None => Some("a Gateway request needs one query".to_owned()),
    }
}

/// Whether a path climbs out of its folder, in any spelling.
fn climbs(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or(path).to_ascii_lowercase().replace("%2e", ".");
    path.split('/').any(|segment| segment == ".." || segment == ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(call: &Call) -> String {
        admit(call).expect_err("this must not be sent").reason
    }

    #[test]
    fn reading_is_admitted() {
        for path in ["/api/v2/users?summary=1", "/plugin/products/connect/v1/connections", "/metrics"] {
            assert_eq!(admit(&Call::get(path)), Ok(()), "{path}");
        }
        let query = json!({"query": "query { now }"});
        for call in [
            Call::post(QUESTIONS, json!({"query_text": "Get Computer Name from all machines"})),
            Call::post(PARSE_QUESTION, json!({"text": "Get Computer Name from all machines"})),
            Call::post(GATEWAY, query),
        ] {
            assert_eq!(admit(&call), Ok(()), "{}", call.label());
        }
    }

    #[test]
    fn nothing_else_is() {
        assert_eq!(
            refused(&Call::post("/api/v2/saved_actions", json!({}))),
            "POST /api/v2/saved_actions was not sent: tancheck only reads; this route is not one of those that are \
             asked by POST"
        );
        for path in
            ["/api/v2/questions/", "/api/v2/questions?x=1", "/api/v2/session/login", "/API/v2/questions"]
        {
            assert!(refused(&Call::post(path, json!({}))).contains("tancheck only reads"), "{path}");
        }
        for path in ["/auth", "/metrics/x", "//other.example/api/v2/users", "api/v2/users", ""] {
            assert!(refused(&Call::get(path)).contains("are read"), "{path}");
        }
        for path in ["/api/v2/../../auth", "/api/v2/%2E%2e/x", "/api/v2/users\\@other.example", "/api/v2/a#b"]
        {
            assert!(refused(&Call::get(path)).contains("not a plain one"), "{path}");
        }
        let call = Call { body: Some(json!({})), ..Call::get("/api/v2/users") };
        assert!(refused(&call).contains("no body"));
    }

    #[test]
    fn the_gateway_takes_queries_only() {
        let mutation = json!({"query": "mutation { apiTokenRevoke(input: {id: 1}) { id } }"});
        assert_eq!(
            refused(&Call::post(GATEWAY, mutation)),
            "POST /plugin/products/gateway/graphql was not sent: the Gateway document holds a mutation; only queries \
             are allowed"
        );
        assert!(refused(&Call::post(GATEWAY, json!([{"query": "query { now }"}]))).contains("one query"));
        assert!(refused(&Call::post(GATEWAY, json!({}))).contains("one query"));
    }
}
