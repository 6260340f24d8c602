//! From the text of a question to what is posted, and what to say where the server does not understand it.

use super::read;
use crate::collect::transport::{Call, Problem, Transport};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::lenient;

/// What a parser's answer to one question text holds.
#[derive(Debug, Deserialize)]
struct Parsed {
    #[serde(default, deserialize_with = "lenient::flag")]
    from_canonical_text: Option<bool>,
    #[serde(default, deserialize_with = "lenient::text")]
    question_text: String,
    #[serde(default)]
    parameter_values: Option<Vec<Value>>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// The body of `POST /api/v2/questions`.
///
/// Of a body with more than `query_text` the server ignores the text; so a question that is limited to a computer group is
/// built from what the server's own parser makes of it.
///
/// # Errors
/// When the server does not understand the text (the reason names the sensor that is missing), or there is no such group.
pub(super) async fn body<T: Transport>(transport: &T, text: &str, group: &str) -> Result<Value, Problem> {
    let parsed = parse(transport, text).await?;
    if group.is_empty() {
        return Ok(json!({ "query_text": text }));
    }
    let id = group_id(transport, group).await?;
    let mut body = grouped(transport, text, parsed).await?;
    body.insert("context_group".to_owned(), json!({ "id": id }));
    Ok(Value::Object(body))
}

/// The entry of the parser's answer that is the text and not a guess.
async fn parse<T: Transport>(transport: &T, text: &str) -> Result<Parsed, Problem> {
    let call = Call::post("/api/v2/parse_question", json!({ "text": text }));
    let answer = match read::<T, Value>(transport, &call).await {
        Ok(answer) => answer,
        // "No matching question" is 404 on some versions and an empty list on others.
        Err(problem) if matches!(problem.status, Some(400 | 404)) => Value::Null,
        Err(problem) => return Err(problem),
    };
    let entries = match answer {
        Value::Array(entries) => entries,
        Value::Null => Vec::new(),
        entry => vec![entry],
    };
    let mut guess = String::new();
    for entry in entries {
        let entry: Parsed = serde_json::from_value(entry)
            .map_err(|error| not_evaluated(format!("{} is not understood: {error}", call.label())))?;
        if entry.from_canonical_text == Some(true) {
            return Ok(entry);
        }
        if guess.is_empty() {
            guess = entry.question_text;
        }
    }
    Err(not_understood(transport, text, &guess).await)
}

/// Says which sensor is missing, for that is the usual reason.
async fn not_understood<T: Transport>(transport: &T, text: &str, guess: &str) -> Problem {
    for name in sensors_in(text) {
        let call = Call::get(format!("/api/v2/sensors/by-name/{}", encoded(&name)));
        match read::<T, Value>(transport, &call).await {
            Err(problem) if problem.status == Some(404) => {
                return not_evaluated(format!(
                    "the question `{text}` cannot be asked: the deployment has no sensor `{name}`, or the account may \
                     not read it; import the content that brings it"
                ));
            }
            Err(problem) => return problem,
            Ok(_) => {}
        }
    }
    let guess = if guess.is_empty() { String::new() } else { format!("; it suggests `{guess}`") };
    not_evaluated(format!("the server does not understand the question `{text}`{guess}"))
}

async fn group_id<T: Transport>(transport: &T, name: &str) -> Result<u64, Problem> {
    #[derive(Deserialize)]
    struct Group {
        id: u64,
    }
    for route in ["groups", "computer_groups"] {
        let call = Call::get(format!("/api/v2/{route}/by-name/{}", encoded(name)));
        match read::<T, Group>(transport, &call).await {
            Ok(group) => return Ok(group.id),
            Err(problem) if problem.status == Some(404) => {}
            Err(problem) => return Err(problem),
        }
    }
    Err(not_evaluated(format!("no computer group is named `{name}`, or the account may not see it")))
}

/// The parsed question as an object that can be posted.
async fn grouped<T: Transport>(
    transport: &T,
    text: &str,
    mut parsed: Parsed,
) -> Result<Map<String, Value>, Problem> {
    let lower = text.to_ascii_lowercase();
    let filtered = lower.rfind(" from ").is_some_and(|from| lower[from..].contains(" with "));
    if filtered && !parsed.rest.contains_key("group") {
        return Err(not_evaluated(format!(
            "the question `{text}` cannot be limited to a computer group: the server does not say what its filter means"
        )));
    }
    let values = parsed.parameter_values.take().unwrap_or_default();
    let Some(Value::Array(selects)) = parsed.rest.get_mut("selects") else {
        return Err(not_evaluated(format!("the server does not say which sensors `{text}` asks for")));
    };
    if !values.is_empty() {
        with_parameters(transport, text, selects, values).await?;
    }
    if lower.contains("forcecomputeridflag=1") {
        parsed.rest.insert("force_computer_id_flag".to_owned(), Value::Bool(true));
    }
    parsed.rest.remove("sensor_references");
    Ok(parsed.rest)
}

/// Sensors with parameters are named by their source, with a value for each key of their definition.
async fn with_parameters<T: Transport>(
    transport: &T,
    text: &str,
    selects: &mut [Value],
    values: Vec<Value>,
) -> Result<(), Problem> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Sensor {
        parameter_definition: Option<String>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Definition {
        parameters: Vec<Key>,
    }
    #[derive(Deserialize)]
    struct Key {
        key: String,
    }
    let mut values = values.into_iter();
    for sensor in selects.iter_mut().filter_map(|select| select.get_mut("sensor")?.as_object_mut()) {
        if sensor.contains_key("parameters") {
            continue;
        }
        let name = sensor.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let call = Call::get(format!("/api/v2/sensors/by-name/{}", encoded(&name)));
        let known: Sensor = read(transport, &call).await?;
        let definition = known.parameter_definition.filter(|text| !text.trim().is_empty());
        let definition =
            definition.map_or_else(|| Ok(Definition::default()), |text| serde_json::from_str(&text));
        let definition: Definition = definition.map_err(|error| {
            not_evaluated(format!("the parameters of sensor `{name}` are not understood: {error}"))
        })?;
        let parameters: Vec<Value> = definition
            .parameters
            .iter()
            .zip(values.by_ref())
            .map(|(Key { key }, value)| json!({ "key": format!("||{}||", key.trim_matches('|')), "value": value }))
            .collect();
        if parameters.len() != definition.parameters.len() {
            return Err(not_evaluated(format!(
                "the question `{text}` gives sensor `{name}` too few of its {} parameters",
                definition.parameters.len()
            )));
        }
        if !parameters.is_empty() {
            if let Some(hash) = sensor.remove("hash") {
                sensor.insert("source_hash".to_owned(), hash);
            }
            sensor.insert("parameters".to_owned(), Value::Array(parameters));
        }
    }
    match values.next() {
        None => Ok(()),
        Some(_) => {
            Err(not_evaluated(format!("the question `{text}` gives more parameters than its sensors take")))
        }
    }
}

/// The sensors that a question names: those it gets, then those it filters by.
fn sensors_in(text: &str) -> Vec<String> {
    let parts = split(text);
    let mut names: Vec<String> = Vec::new();
    for part in parts {
        let end = part.find(['[', '?', '"', '<', '>', '=']).unwrap_or(part.len());
        let mut name = &part[..end];
        let lower = name.to_ascii_lowercase();
        for word in
            [" contains", " equals", " matches", " starts with", " ends with", " containing", " not ", " in "]
        {
            if let Some(end) = lower.find(word) {
                name = &name[..end.min(name.len())];
            }
        }
        let name = name.trim().to_owned();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The parts of a question between `get`, `and`, `or`, `from` and `with`, outside of quotes and brackets; without the part
/// that only says which machines.
fn split(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut quoted, mut brackets) = (false, 0_usize);
    let mut parts = Vec::new();
    let mut start = 0;
    let mut machines = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'[' if !quoted => brackets += 1,
            b']' if !quoted => brackets = brackets.saturating_sub(1),
            b' ' if !quoted && brackets == 0 => {
                let word = |word: &str| {
                    bytes
                        .get(at + 1..at + 1 + word.len())
                        .is_some_and(|next| next.eq_ignore_ascii_case(word.as_bytes()))
                        && bytes.get(at + 1 + word.len()) == Some(&b' ')
                };
                if let Some(found) = ["and", "or", "from", "with"].into_iter().find(|one| word(one)) {
                    if at >= start && !machines {
                        parts.push(&text[start..at]);
                    }
                    machines = found == "from";
                    start = at + found.len() + 2;
                }
            }
            _ => {}
        }
    }
    if start <= text.len() && !machines {
        parts.push(&text[start..]);
    }
    if let Some(first) = parts.first_mut() {
        // `Get`, perhaps with flags: `Get?forceComputerIdFlag=1`.
        *first = first.split_once(' ').map_or("", |(_, rest)| rest);
    }
    parts
}

/// A name as one segment of a path; nothing in it is taken for syntax.
pub(super) fn encoded(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    })
}

fn not_evaluated(reason: String) -> Problem {
    Problem::new(Outcome::NotEvaluated, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_are_found_in_questions() {
        for (text, expected) in [
            ("Get Operating System from all machines", &["Operating System"][..]),
            (
                "Get?forceComputerIdFlag=1 Endpoint Configuration - Tools Status?ignoreCase=0&maxAge=600 contains Enforce \
                 from all machines",
                &["Endpoint Configuration - Tools Status"],
            ),
            (
                "Get Tanium Client Explicit Setting[a and b] and Online from all machines with Custom Tags contains \"x \
                 from y\" and Is Windows equals True",
                &["Tanium Client Explicit Setting", "Online", "Custom Tags", "Is Windows"],
            ),
            ("get Uptime > 3 from all machines", &["Uptime"]),
            ("nonsense", &[]),
        ] {
            assert_eq!(sensors_in(text), expected, "{text}");
        }
    }

    #[test]
    fn names_become_one_segment() {
        assert_eq!(encoded("Patch - Is 50%/[x]? é"), "Patch%20-%20Is%2050%25%2F%5Bx%5D%3F%20%C3%A9");
    }
}
