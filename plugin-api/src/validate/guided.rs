//! What readings, a diagnosis and procedures have to hold: everything leads somewhere, and nothing leads in a circle.

use super::{is_kebab, placeholders};
use crate::diagnosis::Target;
use crate::manifest::{Decided, Leaf, Manifest, Node, Procedure, Reading, Remedy, Task, Tree, Verified};
use std::collections::BTreeSet;

/// The name that is diagnosed, as a placeholder; while something is diagnosed the host has it among the settings.
pub const SUBJECT: &str = "subject";

/// Most nodes of a tree: a walk goes as deep as there are nodes.
const MOST_NODES: usize = 1000;

pub(super) fn problems(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ids: BTreeSet<&str> = manifest.checks.iter().map(|check| check.id.as_str()).collect();
    for reading in &manifest.readings {
        if !ids.insert(&reading.id) {
            problems.push(format!("the id {} is used twice", reading.id));
        }
        let found = reading_problems(manifest, reading);
        problems.extend(found.into_iter().map(|problem| format!("reading {}: {problem}", reading.id)));
    }
    if let Some(tree) = &manifest.diagnosis {
        let found = tree_problems(manifest, tree);
        problems.extend(found.into_iter().map(|problem| format!("diagnosis: {problem}")));
    }
    let mut ids = BTreeSet::new();
    for procedure in &manifest.procedures {
        if !ids.insert(&procedure.id) {
            problems.push(format!("the procedure id {} is used twice", procedure.id));
        }
        let found = procedure_problems(manifest, procedure);
        problems.extend(found.into_iter().map(|problem| format!("procedure {}: {problem}", procedure.id)));
    }
    problems.extend(subject_problems(manifest));
    problems
}

fn reading_problems(manifest: &Manifest, reading: &Reading) -> Vec<String> {
    let mut found = Found::default();
    let own = reading.id.strip_prefix(&manifest.id).and_then(|rest| rest.strip_prefix('.'));
    found.need(own.is_some_and(is_kebab), format!("its id is not {}.<name>", manifest.id));
    found.need(!reading.about.is_empty(), "it does not say what it is".to_owned());
    found.need(!reading.inputs.is_empty() || !reading.settings.is_empty(), "it reads nothing".to_owned());
    for input in &reading.inputs {
        found
            .need(manifest.input(input).is_some(), format!("it reads {input}, which is not in the manifest"));
    }
    for key in &reading.settings {
        found.need(manifest.setting(key).is_some(), format!("its setting {key} is not in the manifest"));
    }
    found.0
}

fn tree_problems(manifest: &Manifest, tree: &Tree) -> Vec<String> {
    let mut found = Found::default();
    found.need(
        !tree.title.is_empty() && !tree.subject.is_empty(),
        "it does not say what is diagnosed".to_owned(),
    );
    found.need(tree.node(&tree.start).is_some(), format!("it begins at {}, which is no node", tree.start));
    let mut ids = BTreeSet::new();
    let named = tree.nodes.iter().map(|node| &node.id).chain(tree.leaves.iter().map(|leaf| &leaf.id));
    for id in named {
        found.need(is_kebab(id), format!("the id {id:?} is not kebab-case"));
        found.need(ids.insert(id), format!("the id {id} is used twice"));
    }
    if let Some(id) = &tree.failed {
        found.need(
            manifest.reading(id).is_some(),
            format!("it reads what failed by {id}, which is no reading"),
        );
    }
    for id in &tree.values {
        found.need(manifest.reading(id).is_some(), format!("its value {id} is no reading of the plugin"));
    }
    for node in &tree.nodes {
        let inner = node_problems(manifest, tree, node);
        found.0.extend(inner.into_iter().map(|problem| format!("node {}: {problem}", node.id)));
    }
    for leaf in &tree.leaves {
        let inner = leaf_problems(manifest, tree, leaf);
        found.0.extend(inner.into_iter().map(|problem| format!("leaf {}: {problem}", leaf.id)));
    }
    found.0.extend(walk_problems(tree));
    found.0
}

fn node_problems(manifest: &Manifest, tree: &Tree, node: &Node) -> Vec<String> {
    let mut found = Found::default();
    found.need(!node.asks.is_empty(), "it asks nothing".to_owned());
    found.need(node.branches.len() > 1, "it has fewer than two branches".to_owned());
    let mut answers = BTreeSet::new();
    for branch in &node.branches {
        let answer = &branch.answer;
        found.need(is_kebab(answer), format!("the answer {answer:?} is not kebab-case"));
        found.need(answers.insert(answer), format!("the answer {answer} is there twice"));
        found.need(!branch.means.is_empty(), format!("it does not say what {answer} means"));
        let (leads, to) = match &branch.to {
            Target::Node(id) => (tree.node(id).is_some(), format!("the node {id}")),
            Target::Leaf(id) => (tree.leaf(id).is_some(), format!("the leaf {id}")),
        };
        found.need(leads, format!("the branch {answer} leads to {to}, which is not there"));
        let adds = &branch.adds;
        found.need(
            adds.is_empty() || tree.leaf(adds).is_some(),
            format!("the branch {answer} adds the leaf {adds}, which is not there"),
        );
    }
    match &node.decided {
        Decided::Person => {}
        Decided::Reading(id) => {
            found.need(manifest.reading(id).is_some(), format!("it is decided by {id}, which is no reading"));
        }
        Decided::Checks { checks, broken, sound, .. } => {
            found.need(!checks.is_empty(), "it is decided by no check".to_owned());
            for check in checks {
                found.need(
                    manifest.check(check).is_some(),
                    format!("it is decided by {check}, which is no check"),
                );
            }
            for answer in [broken, sound] {
                found.need(
                    answers.contains(answer),
                    format!("checks answer {answer}, which is none of its answers"),
                );
            }
        }
    }
    let means = node.branches.iter().map(|branch| &branch.means);
    found.0.extend(unfilled(&tree.values, true, [&node.asks, &node.look].into_iter().chain(means)));
    found.0
}

fn leaf_problems(manifest: &Manifest, tree: &Tree, leaf: &Leaf) -> Vec<String> {
    let mut found = Found::default();
    let Remedy { steps, who, verify, cautions, .. } = &leaf.remedy;
    found.need(!leaf.says.is_empty(), "it says nothing".to_owned());
    found.need(!steps.is_empty(), "its remedy has no steps".to_owned());
    found.need(!who.is_empty(), "its remedy does not say who may do it".to_owned());
    found.need(known(manifest, verify), format!("it is proved by {verify}, which is no check of the plugin"));
    let texts = steps.iter().flat_map(|step| step.values()).chain(cautions).chain([&leaf.says]);
    found.0.extend(unfilled(&tree.values, true, texts));
    found.0
}

/// Circles, and what no walk reaches. Branches that lead nowhere are told elsewhere.
fn walk_problems(tree: &Tree) -> Vec<String> {
    if tree.nodes.len() > MOST_NODES {
        return vec![format!("it has {} nodes, more than {MOST_NODES}", tree.nodes.len())];
    }
    let mut walk = Walk { tree, path: Vec::new(), done: BTreeSet::new(), problems: Vec::new() };
    walk.from(&tree.start);
    let Walk { done, mut problems, .. } = walk;
    for node in tree.nodes.iter().filter(|node| !done.contains(node.id.as_str())) {
        problems.push(format!("no branch leads to the node {}", node.id));
    }
    let ends = |leaf: &&Leaf| {
        let mut branches =
            tree.nodes.iter().filter(|node| done.contains(node.id.as_str())).flat_map(|node| &node.branches);
        branches.any(|branch| branch.adds == leaf.id || branch.to == Target::Leaf(leaf.id.clone()))
    };
    for leaf in tree.leaves.iter().filter(|leaf| !ends(leaf)) {
        problems.push(format!("no branch leads to the leaf {}", leaf.id));
    }
    problems
}

struct Walk<'a> {
    tree: &'a Tree,
    path: Vec<&'a str>,
    done: BTreeSet<&'a str>,
    problems: Vec<String>,
}

impl<'a> Walk<'a> {
    /// Goes down every branch, each node once. The depth is bounded by the number of nodes.
    fn from(&mut self, id: &'a str) {
        if let Some(start) = self.path.iter().position(|&above| above == id) {
            let circle = [&self.path[start..], &[id]].concat().join(" > ");
            self.problems.push(format!("it walks in a circle: {circle}"));
            return;
        }
        let Some(node) = self.tree.node(id) else { return };
        if !self.done.insert(&node.id) {
            return;
        }
        self.path.push(&node.id);
        for branch in &node.branches {
            if let Target::Node(next) = &branch.to {
                self.from(next);
            }
        }
        self.path.pop();
    }
}

fn procedure_problems(manifest: &Manifest, procedure: &Procedure) -> Vec<String> {
    let mut found = Found::default();
    found.need(is_kebab(&procedure.id), "its id is not kebab-case".to_owned());
    found.need(!procedure.title.is_empty(), "it has no title".to_owned());
    found.need(!procedure.about.is_empty(), "it does not say when it is needed".to_owned());
    found.need(!procedure.who.is_empty(), "it does not say who may do it".to_owned());
    found.need(!procedure.tasks.is_empty(), "it has no steps".to_owned());
    for id in &procedure.values {
        found.need(manifest.reading(id).is_some(), format!("its value {id} is no reading of the plugin"));
    }
    if let Some(guard) = &procedure.guard {
        let reading = &guard.reading;
        found.need(
            manifest.reading(reading).is_some(),
            format!("it is guarded by {reading}, which is no reading"),
        );
        found.need(!guard.why.is_empty(), format!("it does not say why {reading} guards it"));
    }
    let next = &procedure.next;
    let follows = next.is_empty() || (next != &procedure.id && manifest.procedure(next).is_some());
    found.need(follows, format!("it is followed by {next}, which is no other procedure of the plugin"));
    for (number, task) in (1..).zip(&procedure.tasks) {
        for problem in task_problems(manifest, task) {
            found.need(false, format!("step {number}: {problem}"));
        }
    }
    let seen = procedure.tasks.iter().filter_map(|task| match &task.verified {
        Verified::Seen(text) => Some(text),
        Verified::Checks(_) => None,
    });
    let steps = procedure.tasks.iter().flat_map(|task| task.step.values());
    found.0.extend(unfilled(&procedure.values, false, steps.chain(seen).chain(&procedure.cautions)));
    found.0
}

fn task_problems(manifest: &Manifest, task: &Task) -> Vec<String> {
    match &task.verified {
        Verified::Seen(text) if text.is_empty() => vec!["it has no verification".to_owned()],
        Verified::Checks(checks) if checks.is_empty() => vec!["it has no verification".to_owned()],
        Verified::Checks(checks) => {
            let unknown = checks.iter().filter(|check| !known(manifest, check));
            unknown
                .map(|check| format!("it is verified by {check}, which is no check of the plugin"))
                .collect()
        }
        Verified::Seen(_) => Vec::new(),
    }
}

/// Inputs about a subject are read where there is one.
fn subject_problems(manifest: &Manifest) -> Vec<String> {
    let about_subject: Vec<&str> = manifest
        .inputs
        .iter()
        .filter(|input| input.sources.iter().any(|source| source.request.asks_for(SUBJECT)))
        .map(|input| input.id.as_str())
        .collect();
    let mut problems = Vec::new();
    let mut without = |reader: &str, inputs: &[String]| {
        for input in inputs.iter().filter(|input| about_subject.contains(&input.as_str())) {
            problems.push(format!("{reader}: it reads {input}, which asks about a subject, and it has none"));
        }
    };
    for check in &manifest.checks {
        without(&check.id, &check.inputs);
    }
    let trees = manifest.diagnosis.iter().flat_map(|tree| tree.values.iter().chain(&tree.failed));
    let guards = manifest.procedures.iter().filter_map(|one| one.guard.as_ref()).map(|guard| &guard.reading);
    let values =
        trees.chain(manifest.procedures.iter().flat_map(|procedure| &procedure.values)).chain(guards);
    for reading in values.filter_map(|id| manifest.reading(id)) {
        without(&format!("reading {}", reading.id), &reading.inputs);
    }
    if manifest.diagnosis.is_some() && manifest.setting(SUBJECT).is_some() {
        problems.push(format!("setting {SUBJECT}: the key is taken by what is diagnosed"));
    }
    for (declared, feature) in
        [(manifest.diagnosis.is_some(), "diagnosis"), (!manifest.procedures.is_empty(), "procedures")]
    {
        if declared && !manifest.features.iter().any(|one| one == feature) {
            problems.push(format!("it does not name the feature {feature:?} that it uses"));
        }
    }
    problems.sort();
    problems.dedup();
    problems
}

/// Placeholders that nothing fills. A name that no value could have is no placeholder.
fn unfilled<'a>(values: &[String], subject: bool, texts: impl Iterator<Item = &'a String>) -> Vec<String> {
    let is_known = |name: &str| {
        (subject && name == SUBJECT)
            || values.iter().any(|id| id.split_once('.').is_some_and(|(_, rest)| rest == name))
    };
    let mut problems = Vec::new();
    for text in texts {
        for name in placeholders(text).into_iter().filter(|name| is_kebab(name) && !is_known(name)) {
            problems.push(format!("nothing fills the placeholder {{{name}}} of {text:?}"));
        }
    }
    problems
}

/// Whether a check is there, as far as one plugin can tell: those of others may be.
fn known(manifest: &Manifest, check: &str) -> bool {
    let own = check.split('.').next() == Some(&manifest.id);
    check.is_empty() || !own || manifest.check(check).is_some()
}

/// Problems as they are found.
#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn need(&mut self, good: bool, problem: String) {
        if !good {
            self.0.push(problem);
        }
    }
}

#[cfg(test)]
mod tests;
