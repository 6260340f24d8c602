//! Answers of the lab held against the vendor's OpenAPI documents, where those are at hand.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says when it is skipped"
)]

mod common;

use common::{ask, get};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tancheck_lab::Lab;

/// The folder beside the repository that holds the vendor's documents, which are not part of it.
fn document(name: &str) -> Option<Value> {
    let folder: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/platform/spec/tanium-openapi");
    let path = folder.join(format!("{name}.openapi.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(_) => {
            println!("skipped: {} is not there", path.display());
            None
        }
    }
}

/// The schema of a route's good answer, with everything it refers to.
fn schema(document: &Value, path: &str) -> Option<Value> {
    let response = &document["paths"][path]["get"]["responses"]["200"];
    let schema = response["content"]["application/json"]["schema"].clone();
    if schema.is_null() {
        return None;
    }
    let mut components = BTreeMap::new();
    refer(document, &schema, &mut components);
    let mut whole = json!({"allOf": [schema], "components": {"schemas": components}});
    plain(&mut whole);
    Some(whole)
}

/// Collects the schemas that a schema refers to, directly or through others.
fn refer(document: &Value, schema: &Value, components: &mut BTreeMap<String, Value>) {
    match schema {
        Value::Array(items) => items.iter().for_each(|item| refer(document, item, components)),
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|name| name.strip_prefix("#/components/schemas/"))
                && !components.contains_key(name)
            {
                let component = document["components"]["schemas"][name].clone();
                components.insert(name.to_owned(), component.clone());
                refer(document, &component, components);
            }
            fields.values().for_each(|value| refer(document, value, components));
        }
        _ => {}
    }
}

/// What OpenAPI documents write in words of their own, in the words of JSON Schema.
fn plain(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(plain),
        Value::Object(fields) => {
            // One document writes two types as one text.
            if let Some(kinds) = fields.get("type").and_then(Value::as_str).filter(|kind| kind.contains('|'))
            {
                let kinds: Vec<&str> = kinds.split('|').collect();
                let kinds = json!(kinds);
                fields.insert("type".to_owned(), kinds);
            }
            if fields.get("nullable") == Some(&Value::Bool(true))
                && let Some(Value::String(kind)) = fields.get("type").cloned()
            {
                fields.insert("type".to_owned(), json!([kind, "null"]));
            }
            fields.values_mut().for_each(plain);
        }
        _ => {}
    }
}

/// Everything in which an answer differs from its schema: where, without positions in lists, and what.
fn differences(schema: &Value, answer: &Value) -> BTreeSet<String> {
    let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft4).build(schema).unwrap();
    let describe = |error: jsonschema::ValidationError<'_>| {
        let path = error.instance_path().to_string();
        let path: Vec<&str> =
            path.split('/').map(|part| if part.parse::<usize>().is_ok() { "*" } else { part }).collect();
        let what = error.to_string();
        let what = what.rfind(" is not ").map_or(what.as_str(), |at| &what[at..]);
        format!("{}: {}", path.join("/"), what.trim())
    };
    validator.iter_errors(answer).map(describe).collect()
}

/// The differences of the vendor's own examples: where the document contradicts itself, the lab follows the examples.
fn contradictions(document: &Value, path: &str, schema: &Value) -> BTreeSet<String> {
    examples(document, path).iter().flat_map(|example| differences(schema, example)).collect()
}

fn examples(document: &Value, path: &str) -> Vec<Value> {
    let content = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"];
    let several =
        content["examples"].as_object().into_iter().flatten().map(|(_, example)| example["value"].clone());
    content.get("example").cloned().into_iter().chain(several).collect()
}

/// A real path for each pattern of the lab.
fn sample(lab: &Lab, pattern: &str) -> String {
    let question = ask(lab, "Get Computer Name and Client Extensions - Status from all machines");
    let run = get(lab, "/plugin/products/connect/v1/connections/1/runs?limit=1").data()[0]["id"].to_string();
    let id = match pattern {
        p if p.contains("/question/") => question.to_string(),
        p if p.contains("/saved_question") => "14".to_owned(),
        p if p.contains("/action/") || p.contains("/actions/{id}") && !p.contains("saved") => {
            "1023".to_owned()
        }
        p if p.contains("/packages/") => "5".to_owned(),
        p if p.contains("/persona/") => "3".to_owned(),
        p if p.contains("/sockets/") || p.contains("/actionlogs/") => "2".to_owned(),
        p if p.contains("/smtps/") || p.contains("/csvs/") || p.contains("/savedquestions/") => {
            "3".to_owned()
        }
        p if p.contains("/events/") => "4".to_owned(),
        _ => "1".to_owned(),
    };
    let name = match pattern {
        p if p.contains("sensors") => "Client%20Extensions%20-%20Status",
        p if p.contains("saved_questions") => "Tanium%20Client%20Version",
        p if p.contains("action_groups") => "Default",
        p if p.contains("groups") => "All%20Computers",
        p if p.contains("eventschemas") => "Connect",
        _ => "MessageBufferLimit",
    };
    pattern
        .replace("{id}", &id)
        .replace("{connectionrunid}", &run)
        .replace("{deploymentId}", "4")
        .replace("{patchListId}", "1")
        .replace("{name}", name)
        .replace("{type}", "saved_actions_audit")
        .replace("{softwarePackageId}", "76")
        .replace("{profileId}", "2")
        .replace("patch/v1/enforcements", "patch/v1/enforcements?modelName=Blacklist")
}

/// Differences that no example excuses, each with its reason.
const EXCUSED: &[(&str, &str, &str)] = &[
    (
        "/v1/",
        "\"body\" is a required property",
        "lists of the service are observed as {data}, and no example shows a body",
    ),
    (
        "/v1/sources/events",
        "/events/*: is not of type \"object\"",
        "names of events are text in every exported connection",
    ),
    (
        "/patch/v1/deployments",
        "/deployments/*/endTime: is not of type \"string\"",
        "an ongoing deployment has no end, and the list is said to tell the field for all",
    ),
    ("/v1/connections", "/streams/*: is not of type \"object\"", "described as routes, which are text"),
];

/// The number of the excuse, if there is one.
fn excuse(path: &str, difference: &str) -> Option<usize> {
    EXCUSED.iter().position(|(route, what, _)| path.contains(route) && difference.contains(what))
}

/// Compares all routes of a document, at least so many, and returns the excuses that were needed.
fn compare(document: &Value, prefix: &str, fewest: usize) -> BTreeSet<usize> {
    let lab = Lab::builder().endpoints(10).start().unwrap();
    let mut compared = 0;
    let mut unexcused = Vec::new();
    let mut used = BTreeSet::new();
    for (pattern, _) in lab.get_routes() {
        let path = pattern.strip_prefix(prefix).unwrap_or_default();
        let path = path.replace("/eventschemas/{name}", "/eventschemas/{productName}");
        let path = path.replace("/sync-software-package-files", "/{jobType}");
        // The document has one path for both forms of the audit log.
        let path =
            path.replace("/audit_logs/{type}", "/audit_logs/{type}/{id}").replace("/{id}/{id}", "/{id}");
        let Some(schema) = schema(document, &path) else { continue };
        let allowed = contradictions(document, &path, &schema);
        let answer = get(&lab, &sample(&lab, pattern));
        assert_eq!(answer.status, 200, "{pattern}: {}", answer.text);
        compared += 1;
        for difference in differences(&schema, &answer.json()) {
            match excuse(&path, &difference) {
                _ if allowed.contains(&difference) => {}
                Some(excuse) => {
                    used.insert(excuse);
                }
                None => unexcused.push(format!("{pattern} {difference}")),
            }
        }
    }
    assert!(unexcused.is_empty(), "{}", unexcused.join("\n"));
    assert!(compared >= fewest, "only {compared} routes of {prefix} were compared");
    used
}

#[test]
fn routes_answer_as_the_vendor_describes() {
    let (Some(platform), Some(connect)) = (document("platform"), document("connect")) else { return };
    let (Some(comply), Some(deploy)) = (document("comply"), document("deploy")) else { return };
    let Some(patch) = document("patch") else { return };
    let mut used = compare(&platform, "", 20);
    used.extend(compare(&connect, "/plugin/products/connect", 20));
    used.extend(compare(&comply, "/plugin/products/comply", 3));
    used.extend(compare(&deploy, "/plugin/products/deploy", 9));
    used.extend(compare(&patch, "/plugin/products", 15));
    assert_eq!(used.len(), EXCUSED.len(), "excuses that are not needed any more: needed are {used:?}");
}

/// Keys of the lab that the platform's document knows nowhere: newer servers have them.
const NEWER: &[&str] = &["zone_servers", "hub_address", "zone_server_address"];

#[test]
fn no_field_is_invented() {
    let Some(document) = document("platform") else { return };
    let mut known = BTreeSet::new();
    keys(&document, &mut known);
    let lab = Lab::builder().endpoints(10).start().unwrap();
    for (pattern, _) in lab.get_routes().into_iter().filter(|(pattern, _)| pattern.starts_with("/api/v2/")) {
        let mut used = BTreeSet::new();
        let answer = get(&lab, &sample(&lab, pattern)).json();
        keys(&answer, &mut used);
        // Names of servers and solutions are keys in the diagnostics.
        if pattern == "/api/v2/server_info" {
            let mut sections = BTreeSet::new();
            answer["data"]["Diagnostics"].as_object().unwrap().keys().for_each(|key| {
                sections.insert(key.clone());
            });
            used = sections;
        }
        let invented: Vec<&String> =
            used.iter().filter(|key| !known.contains(*key) && !NEWER.contains(&key.as_str())).collect();
        assert!(invented.is_empty(), "{pattern}: {invented:?}");
    }
}

fn keys(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys(item, out)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            out.insert(key.clone());
            keys(value, out);
        }),
        _ => {}
    }
}
