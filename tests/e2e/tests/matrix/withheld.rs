//! What cannot be read is never healthy.

use crate::site::{list, manifests, try_each, walks};
use crate::tables::{healthy, is_supplement, is_walked};
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

/// The manifests of the plugins that are walked.
fn walked() -> impl Iterator<Item = &'static Value> {
    manifests().iter().filter(|manifest| is_walked(manifest["id"].as_str().unwrap()))
}

/// An input, the routes it comes from, and the judged checks that read it.
struct Withheld {
    input: String,
    routes: Vec<String>,
    readers: Vec<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn without_an_input_nothing_passes() {
    if !walks() {
        return;
    }
    let mut inputs: BTreeMap<String, Withheld> = BTreeMap::new();
    for manifest in walked() {
        for input in list(manifest, "inputs") {
            let routes: Vec<String> = list(input, "sources").filter_map(route).collect();
            let reads = |check: &&Value| {
                check["judged"] == true && list(check, "inputs").any(|read| *read == input["id"])
            };
            let readers = list(manifest, "checks").filter(reads).map(|check| text(&check["id"]));
            if routes.is_empty() {
                continue;
            }
            let withheld = inputs.entry(text(&input["id"])).or_insert_with(|| Withheld {
                input: text(&input["id"]),
                routes,
                readers: Vec::new(),
            });
            withheld.readers.extend(readers);
        }
    }
    let inputs: Vec<Withheld> = inputs.into_values().collect();
    let wrong = try_each(&inputs, |site, withheld| {
        site.lab.clear_behaviours();
        for route in &withheld.routes {
            site.lab.behaviour(route, Behaviour::Status(500, None));
        }
        let arguments: Vec<&str> = withheld.readers.iter().flat_map(|check| ["--check", check]).collect();
        let report = site.try_out(&arguments);
        let readers = withheld.readers.iter().map(|check| report.check(check));
        let passing =
            readers.filter(|check| check.outcome() == "pass" && !is_supplement(check.id(), &withheld.input));
        passing.map(|check| format!("{} passes without {}", check.id(), withheld.input)).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A privilege, and the checks and inputs that cannot do without it.
struct Privilege {
    name: String,
    needed: BTreeSet<(String, String)>,
}

#[test]
fn without_a_privilege_nothing_that_needs_it_passes() {
    if !walks() {
        return;
    }
    let mut privileges: BTreeMap<String, Privilege> = BTreeMap::new();
    for manifest in walked() {
        for check in list(manifest, "checks").filter(|check| check["judged"] == true) {
            let reads: Vec<&Value> = list(check, "inputs").collect();
            for input in list(manifest, "inputs").filter(|input| reads.contains(&&input["id"])) {
                // Another way to the same input, without this privilege, may still answer.
                let sources: Vec<&Value> =
                    list(input, "sources").filter(|source| route(source).is_some()).collect();
                for name in sources.iter().flat_map(|source| list(source, "needs")) {
                    if sources.iter().all(|source| list(source, "needs").any(|need| need == name)) {
                        let privilege = privileges
                            .entry(text(name))
                            .or_insert_with(|| Privilege { name: text(name), needed: BTreeSet::new() });
                        privilege.needed.insert((text(&check["id"]), text(&input["id"])));
                    }
                }
            }
        }
    }
    let privileges: Vec<Privilege> = privileges.into_values().collect();
    let wrong = try_each(&privileges, |site, privilege| {
        site.lab.restore_privileges();
        site.lab.withhold_privilege(&privilege.name);
        let report = site.try_out(&[]);
        let rows = privilege.needed.iter().map(|(check, input)| (report.check(check), input));
        let wrong = rows.filter(|(check, input)| {
            let id = check.id();
            // What does not apply here, or awaits a person, may say so before it comes to this input.
            let early = check.outcome() != "pass" && check.outcome() == healthy(id);
            check.outcome() != "no-permission" && !early && !is_supplement(id, input)
        });
        wrong
            .map(|(check, input)| {
                format!(
                    "{} without {} ({input}): {}: {}",
                    check.id(),
                    privilege.name,
                    check.outcome(),
                    check.why()
                )
            })
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
