//! What cannot be read is never healthy.

use crate::site::{list, manifests};
use crate::tables::{healthy, is_supplement, is_walked};
use crate::walk::{batches, walk};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_lab::Behaviour;

type Texts = BTreeSet<String>;

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

/// A judged check that is walked, with all that it reads.
struct Reader<'a> {
    id: &'a str,
    inputs: Vec<&'a Value>,
    /// The routes of its inputs, and of those that they run over.
    routes: Texts,
    /// The privileges that any of these need.
    needs: Texts,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn readers() -> Vec<Reader<'static>> {
    let walked = manifests().iter().filter(|manifest| is_walked(text(&manifest["id"])));
    let judged = |manifest: &'static Value| {
        let checks = list(manifest, "checks").filter(|check| check["judged"] == true);
        checks.map(move |check| Reader::of(manifest, check))
    };
    walked.flat_map(judged).collect()
}

impl<'a> Reader<'a> {
    fn of(manifest: &'a Value, check: &'a Value) -> Self {
        let named = |id: &Value| list(manifest, "inputs").find(|input| input["id"] == *id);
        let inputs: Vec<&Value> = list(check, "inputs").filter_map(named).collect();
        let (mut routes, mut needs) = (Texts::new(), Texts::new());
        let mut behind = inputs.clone();
        while let Some(input) = behind.pop() {
            for source in list(input, "sources") {
                routes.extend(route(source));
                let keys = ["needs", "complete_with"].into_iter();
                needs.extend(keys.flat_map(|key| list(source, key)).map(text).map(str::to_owned));
                behind.extend(named(&source["each"]["input"]));
            }
        }
        Self { id: text(&check["id"]), inputs, routes, needs }
    }
}

/// Routes that fail, and the inputs that only they deliver, by the judged checks that read them.
struct Withheld<'a> {
    routes: Texts,
    readers: Vec<(&'a Reader<'a>, &'a str)>,
    /// Inputs of the platform tell of modules, too: whether they are there.
    alone: bool,
}

impl Withheld<'_> {
    /// Whether a check that should miss one of these could miss one of the others instead.
    fn hides_behind(&self, other: &Self) -> bool {
        let elsewhere = |reader: &Reader<'_>| {
            reader.routes.difference(&self.routes).any(|route| other.routes.contains(route))
        };
        self.alone || self.readers.iter().any(|(reader, _)| elsewhere(reader))
    }
}

#[test]
fn without_an_input_nothing_passes() {
    let readers = readers();
    let mut all: BTreeMap<Texts, Withheld<'_>> = BTreeMap::new();
    for reader in &readers {
        for input in &reader.inputs {
            let routes: Texts = list(input, "sources").filter_map(route).collect();
            if !routes.is_empty() {
                let new = || Withheld { routes: routes.clone(), readers: Vec::new(), alone: false };
                let withheld = all.entry(routes.clone()).or_insert_with(new);
                withheld.readers.push((reader, text(&input["id"])));
            }
        }
    }
    let platform: Texts = all
        .values()
        .filter(|withheld| withheld.readers.iter().any(|(_, input)| input.starts_with("platform.")))
        .flat_map(|withheld| withheld.routes.clone())
        .collect();
    for withheld in all.values_mut() {
        withheld.alone = !withheld.routes.is_disjoint(&platform);
    }
    let all: Vec<&Withheld<'_>> = all.values().collect();
    let batches = batches(&all, |one, other| one.hides_behind(other) || other.hides_behind(one));
    let wrong = walk(&batches, |site, batch| {
        site.lab.clear_behaviours();
        for route in batch.iter().flat_map(|withheld| &withheld.routes) {
            site.lab.behaviour(route, Behaviour::Status(500, None));
        }
        let readers: Vec<_> = batch.iter().flat_map(|withheld| &withheld.readers).collect();
        let report = site.try_out(&only(readers.iter().map(|(reader, _)| reader.id)));
        let passing = readers.into_iter().filter(|(reader, input)| {
            report.check(reader.id).outcome() == "pass" && !is_supplement(reader.id, input)
        });
        passing.map(|(reader, input)| format!("{} passes without {input}", reader.id)).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The arguments of a run of these checks.
fn only<'a>(checks: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let checks: BTreeSet<&str> = checks.collect();
    checks.into_iter().flat_map(|check| ["--check", check]).collect()
}

/// A privilege, and the checks and inputs that cannot do without it.
struct Privilege<'a> {
    name: &'a str,
    needed: Vec<(&'a Reader<'a>, &'a str)>,
}

impl Privilege<'_> {
    /// Whether a check that should miss this privilege could miss another instead.
    fn hides_behind(&self, other: &Self) -> bool {
        self.needed.iter().any(|(reader, _)| reader.needs.contains(other.name))
    }
}

#[test]
fn without_a_privilege_nothing_that_needs_it_passes() {
    let readers = readers();
    let mut all: BTreeMap<&str, Privilege<'_>> = BTreeMap::new();
    for reader in &readers {
        for input in &reader.inputs {
            let sources = || list(input, "sources").filter(|source| route(source).is_some());
            let names: BTreeSet<&str> =
                sources().flat_map(|source| list(source, "needs")).map(text).collect();
            for name in names {
                // Another way to the same input, without this privilege, may still answer.
                if sources().all(|source| list(source, "needs").any(|need| need == name)) {
                    let privilege = all.entry(name).or_insert_with(|| Privilege { name, needed: Vec::new() });
                    privilege.needed.push((reader, text(&input["id"])));
                }
            }
        }
    }
    let all: Vec<&Privilege<'_>> = all.values().collect();
    let batches = batches(&all, |one, other| one.hides_behind(other) || other.hides_behind(one));
    let wrong = walk(&batches, |site, batch| {
        site.lab.restore_privileges();
        batch.iter().for_each(|privilege| site.lab.withhold_privilege(privilege.name));
        let needed = || {
            batch
                .iter()
                .flat_map(|one| one.needed.iter().map(|(reader, input)| (one.name, reader.id, *input)))
        };
        let report = site.try_out(&only(needed().map(|(_, check, _)| check)));
        let wrong = needed().filter(|(_, id, input)| {
            let outcome = report.check(id).outcome();
            // What does not apply here, or awaits a person, may say so before it comes to this input.
            let early = outcome != "pass" && outcome == healthy(id);
            outcome != "no-permission" && !early && !is_supplement(id, input)
        });
        wrong
            .map(|(name, id, input)| {
                let check = report.check(id);
                format!("{id} without {name} ({input}): {}: {}", check.outcome(), check.why())
            })
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
