//! What cannot be read is never healthy.

use crate::expected::SUPPLEMENTS;
use crate::site::Site;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_lab::Behaviour;

/// The route of a source as a pattern of the lab; nothing for what is read from this machine.
fn route(source: &Value) -> Option<String> {
    let text = |key: &str| source[key].as_str().unwrap_or_default();
    let path = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    match text("kind") {
        "rest" => Some(path(text("path"))),
        "service" => Some(format!("/plugin/products/{}{}", text("service"), path(text("path")))),
        "gateway" => Some("/plugin/products/gateway/graphql".to_owned()),
        "question" => Some("/api/v2/questions".to_owned()),
        "metrics" => Some("/metrics".to_owned()),
        _ => None,
    }
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn may_pass_without(check: &str, input: &str) -> bool {
    SUPPLEMENTS.iter().any(|(id, supplement, _)| (*id == check || *id == "*") && *supplement == input)
}

#[test]
fn without_an_input_nothing_passes() {
    let site = Site::with_history();
    let manifests = site.manifests();
    let mut wrong = BTreeMap::new();
    for manifest in &manifests {
        for input in list(manifest, "inputs") {
            let id = input["id"].as_str().unwrap();
            let routes: Vec<String> = list(input, "sources").filter_map(route).collect();
            if routes.is_empty() {
                continue;
            }
            site.lab.clear_behaviours();
            for route in &routes {
                site.lab.behaviour(route, Behaviour::Status(500, None));
            }
            let readers: Vec<&str> = list(manifest, "checks")
                .filter(|check| check["judged"] == true && list(check, "inputs").any(|read| read == id))
                .map(|check| check["id"].as_str().unwrap())
                .collect();
            let mut arguments = vec!["--set", "limits.retries=0"];
            arguments.extend(readers.iter().flat_map(|check| ["--check", check]));
            let report = site.try_out(&arguments);
            for check in readers.iter().map(|check| report.check(check)) {
                if check.outcome() == "pass" && !may_pass_without(check.id(), id) {
                    wrong.insert(format!("{} without {id}", check.id()), check.outcome().to_owned());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn without_a_privilege_nothing_that_needs_it_passes() {
    let site = Site::with_history();
    let manifests = site.manifests();
    let mut needing: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for manifest in &manifests {
        for check in list(manifest, "checks").filter(|check| check["judged"] == true) {
            let reads: Vec<&str> = list(check, "inputs").filter_map(Value::as_str).collect();
            for input in
                list(manifest, "inputs").filter(|input| reads.contains(&input["id"].as_str().unwrap()))
            {
                // Another way to the same input, without this privilege, may still answer.
                let sources: Vec<&Value> =
                    list(input, "sources").filter(|source| route(source).is_some()).collect();
                for privilege in sources.iter().flat_map(|source| list(source, "needs")) {
                    if sources.iter().all(|source| list(source, "needs").any(|need| need == privilege)) {
                        let pair = (check["id"].as_str().unwrap(), input["id"].as_str().unwrap());
                        needing.entry(privilege.as_str().unwrap()).or_default().insert(pair);
                    }
                }
            }
        }
    }
    assert!(needing.len() > 5, "{needing:?}");
    let mut wrong = BTreeMap::new();
    for (privilege, pairs) in needing {
        site.lab.restore_privileges();
        site.lab.withhold_privilege(privilege);
        let report = site.try_out(&[]);
        for (id, input) in pairs {
            let check = report.check(id);
            let good = match check.outcome() {
                "no-permission" => true,
                "pass" => may_pass_without(id, input),
                // It was not applicable or undecided for another reason before it came to this input.
                other => {
                    other == crate::healthy(id) || may_pass_without(id, input) || other == "attestation-due"
                }
            };
            if !good {
                wrong.insert(
                    format!("{id} without {privilege}"),
                    format!("{}: {}", check.outcome(), check.why()),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
