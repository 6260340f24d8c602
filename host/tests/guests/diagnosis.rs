//! Trees of real plugins: every node and every leaf is walked, and what leads nowhere is refused by name.

use crate::{built, library, patched, sandboxed};
use std::collections::{BTreeMap, BTreeSet};
use tancheck::config::Limits;
use tancheck::diagnose::given::{Given, Said};
use tancheck::diagnose::{End, Looks, Seen, walk};
use tancheck::worker::describe;
use tancheck_plugin_api::Target;
use tancheck_plugin_api::manifest::{Manifest, Node, Tree};

const PLUGINS: [&str; 2] = ["tancheck-direct-connect", "tancheck-guided"];

async fn manifest(package: &str) -> Manifest {
    describe(&library(built(package)), &Limits::default()).await.unwrap().manifest
}

/// Node and answer, one after the other.
type Route<'a> = Vec<(&'a str, &'a str)>;

/// Every way from the start to a leaf.
fn routes(tree: &Tree) -> Vec<(Route<'_>, &str)> {
    let mut open: Vec<(Route<'_>, &str)> = vec![(Vec::new(), &tree.start)];
    let mut done = Vec::new();
    while let Some((route, here)) = open.pop() {
        for branch in &tree.node(here).unwrap().branches {
            let mut route = route.clone();
            route.push((here, &branch.answer));
            match &branch.to {
                Target::Node(next) => open.push((route, next)),
                Target::Leaf(leaf) => done.push((route, leaf.as_str())),
            }
        }
    }
    done
}

/// One way to each leaf and through each branch: the shortest there is.
fn covering(tree: &Tree) -> Vec<(Route<'_>, &str)> {
    let mut all = routes(tree);
    all.sort_by_key(|(route, _)| route.len());
    let mut seen = BTreeSet::new();
    all.retain(|(route, leaf)| {
        let steps = route.iter().map(|(node, answer)| (*node, *answer)).chain([(*leaf, "")]);
        steps.filter(|step| seen.insert(*step)).count() > 0
    });
    all
}

/// Sees what it was told, and nothing else.
struct Told(BTreeMap<String, String>);

impl Looks for Told {
    async fn look(&self, node: &Node) -> Seen {
        match self.0.get(&node.id) {
            Some(answer) => {
                let (answer, notes) = (answer.clone(), vec!["it was told".to_owned()]);
                Seen::Answer { answer, notes, sources: Vec::new() }
            }
            None => Seen::Unknown("nobody can see it".to_owned()),
        }
    }
}

fn said(answer: &str) -> Said {
    Said { answer: answer.to_owned(), by: "ann".to_owned(), at: "2026-06-30T12:00:00Z".parse().unwrap() }
}

#[tokio::test]
async fn every_node_branch_and_leaf_is_walked_by_what_is_said_and_by_what_is_seen() {
    if !sandboxed("every_node_branch_and_leaf_is_walked").await {
        return;
    }
    for package in PLUGINS {
        let manifest = manifest(package).await;
        let tree = manifest.diagnosis.as_ref().unwrap();
        let mut reached = BTreeSet::new();
        for (route, leaf) in covering(tree) {
            let mut given = Given::default();
            let mut told = BTreeMap::new();
            for (node, answer) in &route {
                given.say(node, said(answer));
                told.insert((*node).to_owned(), (*answer).to_owned());
            }
            let by_word = walk(tree, &given, &Told(BTreeMap::new())).await;
            let by_sight = walk(tree, &Given::default(), &Told(told)).await;
            for walk in [&by_word, &by_sight] {
                assert_eq!(walk.end, End::Leaf(leaf.to_owned()), "{route:?}");
                let path: Route<'_> =
                    walk.path.iter().map(|stage| (stage.node.as_str(), stage.answer.as_str())).collect();
                assert_eq!(path, route);
            }
            let added = route.iter().filter_map(|(node, answer)| tree.node(node)?.branch(answer));
            let added: Vec<&str> =
                added.map(|branch| branch.adds.as_str()).filter(|leaf| !leaf.is_empty()).collect();
            assert_eq!(by_word.added, added);
            reached.extend(route.iter().map(|(node, _)| *node));
            reached.insert(leaf);
            reached.extend(added);
        }
        let all: BTreeSet<&str> = tree
            .nodes
            .iter()
            .map(|node| node.id.as_str())
            .chain(tree.leaves.iter().map(|leaf| leaf.id.as_str()))
            .collect();
        assert_eq!(reached, all, "{package}");
    }
}

#[tokio::test]
async fn a_walk_stops_at_the_first_answer_that_is_missing_or_makes_no_sense() {
    if !sandboxed("a_walk_stops_at_the_first_answer").await {
        return;
    }
    let manifest = manifest("tancheck-direct-connect").await;
    let tree = manifest.diagnosis.as_ref().unwrap();
    let open = |node: &str| End::Open { node: node.to_owned(), why: "nobody can see it".to_owned() };
    for (route, _) in covering(tree) {
        for stop in 0..route.len() {
            let mut given = Given::default();
            route[..stop].iter().for_each(|(node, answer)| given.say(node, said(answer)));
            let stopped = walk(tree, &given, &Told(BTreeMap::new())).await;
            assert_eq!((stopped.end, stopped.path.len()), (open(route[stop].0), stop));
        }
    }
    let odd = Told(BTreeMap::from([(tree.start.clone(), "neither".to_owned())]));
    let End::Open { node, why } = walk(tree, &Given::default(), &odd).await.end else { panic!("it went on") };
    assert_eq!(node, tree.start);
    assert!(why.contains("none of its answers"), "{why}");
}

#[tokio::test]
async fn direct_connect_has_the_leaves_of_its_requirements() {
    if !sandboxed("direct_connect_has_the_leaves").await {
        return;
    }
    let manifest = manifest("tancheck-direct-connect").await;
    let tree = manifest.diagnosis.as_ref().unwrap();
    assert_eq!(tree.leaves.len(), 28);
    // What the guide itself says, and nothing else, is said to be from it.
    let from_guide: Vec<&str> =
        tree.leaves.iter().filter(|leaf| leaf.from_guide).map(|leaf| leaf.id.as_str()).collect();
    assert_eq!(from_guide, ["not-in-action-group", "tools-action-rests", "configuration-old"]);
    let nodes: Vec<&str> =
        tree.nodes.iter().filter(|node| node.from_guide).map(|node| node.id.as_str()).collect();
    let asked_for = [
        "session-action",
        "action-result",
        "action-group",
        "tools",
        "tools-action",
        "extension-log",
        "reachability",
        "configuration",
    ];
    assert_eq!(nodes, asked_for);
    assert_eq!(
        tree.leaves.iter().filter(|leaf| leaf.healthy).map(|leaf| leaf.id.as_str()).collect::<Vec<_>>(),
        ["path-healthy"]
    );
}

#[tokio::test]
async fn a_tree_that_leads_nowhere_is_refused_in_one_sentence() {
    if !sandboxed("a_tree_that_leads_nowhere").await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broken =
        patched("tancheck-guided", folder.path(), b"cable of port {on-port}", b"cable of port {on-part}");
    let failure = describe(&library(&broken), &Limits::default()).await.unwrap_err();
    let sentence = "its manifest is not good: diagnosis: node light: nothing fills the placeholder {on-part}";
    assert!(failure.sentence.contains(sentence), "{}", failure.sentence);
}
