//! The API Gateway: one GraphQL query, its connection followed by cursor, its errors told apart.

use super::document::{self, not_evaluated};
use super::fetched::{Data, Fetched};
use super::gate;
use super::transport::{Call, Problem, Transport};
use serde_json::{Map, Value, json};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::outcome::GATEWAY_ERROR;

/// A query, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) text: String,
    /// The field that is delivered.
    pub(super) connection: String,
    pub(super) variables: Map<String, Value>,
}

impl Query {
    /// The first request.
    pub(super) fn call(&self) -> Call {
        self.page(None)
    }

    fn page(&self, after: Option<&Value>) -> Call {
        let mut variables = self.variables.clone();
        if let Some(after) = after {
            variables.insert("after".to_owned(), after.clone());
        }
        Call::post(gate::GATEWAY, json!({"query": self.text, "variables": variables}))
    }

    pub(super) fn label(&self) -> String {
        format!("Gateway query for {}", self.connection)
    }
}

/// Reads a connection to its end, or the one object that the field is.
pub(super) async fn read(net: &impl Transport, query: &Query) -> Result<Fetched, Problem> {
    let follows = query.text.contains("$after");
    let mut gathered: Vec<Value> = Vec::new();
    let mut gaps: Vec<String> = Vec::new();
    let mut after: Option<Value> = None;
    loop {
        let (field, complaint) = match read_page(net, query, after.as_ref()).await {
            Ok(page) => page,
            Err(problem) if after.is_some() => {
                gaps.push(format!("only the first {} rows came: {problem}", gathered.len()));
                break;
            }
            Err(problem) => return Err(problem),
        };
        gaps.extend(complaint);
        let Some(edges) = field.get("edges").and_then(Value::as_array) else {
            return Ok(Fetched { gaps, ..Fetched::whole(Data::Document(field)) });
        };
        gathered
            .extend(edges.iter().filter_map(|edge| edge.get("node")).filter(|node| !node.is_null()).cloned());
        let more = field.pointer("/pageInfo/hasNextPage").and_then(Value::as_bool);
        let cursor = field.pointer("/pageInfo/endCursor").filter(|cursor| !cursor.is_null()).cloned();
        match (more, cursor) {
            (Some(true), Some(cursor)) if follows && after.as_ref() != Some(&cursor) => after = Some(cursor),
            (Some(true), _) => {
                gaps.push(format!(
                    "only the first {} rows came: no further page can be asked for",
                    gathered.len()
                ));
                break;
            }
            _ => break,
        }
    }
    Ok(Fetched { gaps, ..Fetched::whole(Data::Rows(gathered)) })
}

/// One page: the field, and what the Gateway complained of although it delivered the field.
async fn read_page(
    net: &impl Transport,
    query: &Query,
    after: Option<&Value>,
) -> Result<(Value, Option<String>), Problem> {
    let label = query.label();
    let answer = document::fetch(net, &query.page(after)).await;
    let mut answer = answer.map_err(|problem| explained(problem, &label))?;
    let complaint = complaint(&answer);
    let field = answer.get_mut("data").and_then(|data| find(data, &query.connection)).map(Value::take);
    match (field.filter(|field| !field.is_null()), complaint) {
        (Some(field), None) => Ok((field, None)),
        (Some(field), Some(said)) => Ok((field, Some(format!("{label}: the Gateway reported {said}")))),
        (None, Some(said)) => Err(refused(&said, &label)),
        (None, None) => Err(not_evaluated(&label, format!("the answer does not hold {}", query.connection))),
    }
}

/// The messages of `errors`, which come with status 200 too.
fn complaint(answer: &Value) -> Option<String> {
    let errors = answer.get("errors")?.as_array()?;
    let messages: Vec<&str> = errors
        .iter()
        .map(|error| error.get("message").and_then(Value::as_str).unwrap_or("an error"))
        .collect();
    (!messages.is_empty()).then(|| messages.join("; "))
}

/// The field with this name, nearest to the top.
fn find<'a>(data: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let fields = data.as_object_mut()?;
    if fields.contains_key(name) {
        return fields.get_mut(name);
    }
    fields.values_mut().find_map(|field| find(field, name))
}

/// What a refusal by status means, in the Gateway's own words.
fn explained(problem: Problem, label: &str) -> Problem {
    match problem.status {
        Some(400) => Problem { status: problem.status, ..refused(&problem.said, label) },
        _ => problem,
    }
}

fn refused(said: &str, label: &str) -> Problem {
    let lower = said.to_ascii_lowercase();
    let (outcome, what) = if lower.contains("missing required permissions")
        || lower.contains("permission denied")
    {
        (Outcome::NoPermission, "the account may not ask this")
    } else if lower.contains("cannot query field")
        || lower.contains("unknown argument")
        || lower.contains("unknown type")
    {
        (
            Outcome::NotEvaluated,
            "this deployment's Gateway does not have the field: its solution is not installed, or the version is older",
        )
    } else if lower.contains("must refer to an existing sensor") {
        (Outcome::NotEvaluated, "a sensor that the query names is not imported")
    } else {
        (Outcome::NotEvaluated, GATEWAY_ERROR)
    };
    Problem { said: said.to_owned(), ..Problem::new(outcome, format!("{label}: {what} ({said})")) }
}

/// The variables of a query, typed as the query declares them: settings and times come as text.
pub(super) fn typed(
    query: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Map<String, Value> {
    variables
        .into_iter()
        .map(|(name, text)| (name.clone(), typed_one(declared(query, &name), text)))
        .collect()
}

/// The declared type of `$name`, such as `Int!` or `[String!]`.
fn declared<'a>(query: &'a str, name: &str) -> &'a str {
    let marker = format!("${name}");
    let places = query.match_indices(&marker).map(|(at, _)| &query[at + marker.len()..]);
    let types = places.filter_map(|rest| rest.trim_start().strip_prefix(':'));
    types
        .map(|rest| rest.trim_start().split([',', ')', '=', ' ', '\n', '$']).next().unwrap_or_default())
        .next()
        .unwrap_or_default()
}

fn typed_one(kind: &str, text: String) -> Value {
    if kind.starts_with('[') && !text.trim_start().starts_with('[') {
        let item = kind.trim_matches(['[', ']', '!']);
        return Value::Array(text.split(',').map(|part| typed_one(item, part.trim().to_owned())).collect());
    }
    match kind.trim_end_matches('!') {
        "Int" | "Float" | "Boolean" => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        "String" | "ID" => Value::String(text),
        // Filters and lists are written as JSON.
        _ if text.starts_with(['{', '[']) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        _ => Value::String(text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::faked::Faked;
    use super::*;

    const TEXT: &str = "query Runs($after: Cursor, $first: Int!) { connectRuns(first: $first, after: $after) \
        { edges { node { id } } pageInfo { hasNextPage endCursor } } }";

    fn query() -> Query {
        Query {
            text: TEXT.to_owned(),
            connection: "connectRuns".to_owned(),
            variables: typed(TEXT, [("first".into(), "2".into())]),
        }
    }

    fn page(ids: &[u32], next: Option<&str>) -> Value {
        let edges: Vec<Value> = ids.iter().map(|id| json!({"node": {"id": id}})).collect();
        json!({"data": {"connectRuns": {"edges": edges,
            "pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}}}})
    }

    async fn read_rows(net: &Faked) -> Result<(usize, Vec<String>), String> {
        match read(net, &query()).await {
            Ok(Fetched { data: Data::Rows(rows), gaps, .. }) => Ok((rows.len(), gaps)),
            Ok(other) => panic!("{other:?}"),
            Err(problem) => Err(problem.to_string()),
        }
    }

    #[tokio::test]
    async fn the_cursor_is_followed() {
        let net = Faked::answers([page(&[1, 2], Some("c1")), page(&[3], None)]);
        assert_eq!(read_rows(&net).await, Ok((3, vec![])));
        let variables: Vec<Value> =
            net.calls().iter().map(|call| call.body.as_ref().unwrap()["variables"].clone()).collect();
        assert_eq!(variables, [json!({"first": 2}), json!({"first": 2, "after": "c1"})]);
    }

    #[tokio::test]
    async fn a_cursor_that_stands_still_ends_with_a_gap() {
        let net = Faked::answers([page(&[1], Some("c1")), page(&[2], Some("c1"))]);
        let gap = "only the first 2 rows came: no further page can be asked for".to_owned();
        assert_eq!(read_rows(&net).await, Ok((2, vec![gap])));
    }

    #[tokio::test]
    async fn errors_with_status_200_are_errors() {
        let net = Faked::answers([
            json!({"data": {"connectRuns": null}, "errors": [{"message": "missing required permissions"}]}),
        ]);
        let problem = read(&net, &query()).await.unwrap_err();
        assert_eq!(problem.outcome, Outcome::NoPermission);
        assert_eq!(
            problem.reason,
            "Gateway query for connectRuns: the account may not ask this (missing required permissions)"
        );
        let mut partial = page(&[1], None);
        partial["errors"] = json!([{"message": "one source timed out"}]);
        let gap = "Gateway query for connectRuns: the Gateway reported one source timed out".to_owned();
        assert_eq!(read_rows(&Faked::answers([partial])).await, Ok((1, vec![gap])));
    }

    #[tokio::test]
    async fn an_unknown_field_is_explained() {
        let said = "Cannot query field \"connectRuns\" on type \"Query\".";
        let net = Faked::default().failing_at(gate::GATEWAY, Outcome::NotEvaluated, said, 400);
        let problem = read(&net, &query()).await.unwrap_err();
        assert_eq!(
            problem.reason,
            "Gateway query for connectRuns: this deployment's Gateway does not have the field: its solution is not \
             installed, or the version is older (Cannot query field \"connectRuns\" on type \"Query\".)"
        );
        assert_eq!((problem.outcome, problem.status), (Outcome::NotEvaluated, Some(400)));
    }

    #[tokio::test]
    async fn a_field_without_edges_is_one_object() {
        let net = Faked::answers([json!({"data": {"connectRuns": {"state": "ok"}}})]);
        let fetched = read(&net, &query()).await.unwrap();
        assert!(matches!(fetched.data, Data::Document(field) if field == json!({"state": "ok"})));
    }

    #[test]
    fn variables_have_the_types_of_the_query() {
        let query = "query A($n: Int = 3, $ids: [ID!]!, $s: String!, $f: EndpointFieldFilter, $t: Time){x}";
        let typed = typed(
            query,
            [("n", "5"), ("ids", "1, 2"), ("s", "7"), ("f", "{\"a\":1}"), ("t", "2026")]
                .map(|(name, text)| (name.to_owned(), text.to_owned())),
        );
        assert_eq!(
            Value::Object(typed),
            json!({"n": 5, "ids": ["1", "2"], "s": "7", "f": {"a": 1}, "t": "2026"})
        );
    }
}
