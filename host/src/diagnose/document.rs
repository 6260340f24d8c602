//! What a diagnosis found, as a document: `tancheck diagnose -o json`. Fields are only ever added.

use super::values::{Value, Values};
use super::walk::{End, How, Walk};
use crate::run::document::Remedy;
use crate::run::outcome::runbook;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tancheck_plugin_api::Severity;
use tancheck_plugin_api::manifest::{self, Tree};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// A diagnosis of one or of many.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// The version of this document's format.
    pub format: u32,
    /// The plugin whose tree was walked.
    pub plugin: String,
    /// What is diagnosed, for people.
    pub title: String,
    /// The deployment's id.
    pub deployment: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The walks by where they ended, the worst leaf first, then those that wait for an answer.
    pub groups: Vec<Group>,
    /// The walks, in the order in which they were asked for.
    pub walks: Vec<Walked>,
    /// What went wrong beside the answers.
    pub problems: Vec<String>,
}

/// Walks that ended at the same place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// The leaf's id, or the id of the node that waits for an answer.
    pub end: String,
    /// Whether it is a leaf.
    pub reached: bool,
    /// What the leaf says, or what the node asks.
    pub says: String,
    /// The leaf's severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub severity: Option<Severity>,
    /// Who ended there.
    pub subjects: Vec<String>,
}

/// One walk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Walked {
    /// The sort of thing that was diagnosed: `endpoint`.
    pub kind: String,
    /// Its name.
    pub subject: String,
    /// The nodes that were passed, in order.
    pub path: Vec<Passed>,
    /// Leaves that were added on the way.
    pub added: Vec<Leaf>,
    /// The leaf that was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<Leaf>,
    /// The question whose answer is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Asks>,
}

/// A node that was passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Passed {
    /// The node's id.
    pub node: String,
    /// Its question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// What the answer means.
    pub means: String,
    /// How it was come by: `seen` or `said`.
    pub how: String,
    /// What it was taken from, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The requests that were sent, or the checks that were run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Who said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub said_at: Option<Timestamp>,
    /// Whether the vendor's guide itself asks this; otherwise it is derived.
    pub from_guide: bool,
}

/// A leaf with what to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Leaf {
    /// The leaf's id.
    pub id: String,
    /// What it says.
    pub says: String,
    /// How bad it is.
    #[schemars(with = "String")]
    pub severity: Severity,
    /// Nothing is wrong with what was looked at.
    pub healthy: bool,
    /// Whether the vendor's guide itself says so; otherwise it is derived.
    pub from_guide: bool,
    /// What to do.
    pub remedy: Remedy,
}

/// A question whose answer is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asks {
    /// The node's id.
    pub node: String,
    /// The question.
    pub question: String,
    /// Where a person finds the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub look: String,
    /// Why it could not be seen; empty where only a person can know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The answers and what they mean.
    pub answers: Vec<Choice>,
    /// Whether the vendor's guide itself asks this; otherwise it is derived.
    pub from_guide: bool,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// The answer.
    pub answer: String,
    /// What it means.
    pub means: String,
}

impl Walked {
    /// A walk with the texts of its tree.
    #[must_use]
    pub fn of(tree: &Tree, walk: &Walk, subject: &str, values: Vec<Value>) -> Self {
        let values = Values::new(values, Some(subject));
        let (leaf, asks) = match &walk.end {
            End::Leaf(id) => (tree.leaf(id).map(|leaf| Leaf::of(leaf, &values)), None),
            End::Open { node, why } => (None, Asks::of(tree, node, why, &values)),
        };
        Self {
            kind: tree.subject.clone(),
            subject: subject.to_owned(),
            path: walk.path.iter().filter_map(|stage| passed(tree, stage, &values)).collect(),
            added: walk
                .added
                .iter()
                .filter_map(|id| tree.leaf(id))
                .map(|leaf| Leaf::of(leaf, &values))
                .collect(),
            leaf,
            asks,
        }
    }

    /// Whether the walk reached a leaf and nothing is wrong.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.leaf.as_ref().is_some_and(|leaf| leaf.healthy) && self.added.is_empty()
    }
}

fn passed(tree: &Tree, stage: &super::walk::Stage, values: &Values) -> Option<Passed> {
    let node = tree.node(&stage.node)?;
    let branch = node.branch(&stage.answer)?;
    let (how, notes, sources, said) = match &stage.how {
        How::Seen { notes, sources } => ("seen", notes.clone(), sources.clone(), None),
        How::Said(said) => ("said", Vec::new(), Vec::new(), Some(said)),
    };
    Some(Passed {
        node: node.id.clone(),
        question: values.text(&node.asks),
        answer: branch.answer.clone(),
        means: values.text(&branch.means),
        how: how.to_owned(),
        notes,
        sources,
        by: said.map(|said| said.by.clone()),
        said_at: said.map(|said| said.at),
        from_guide: node.from_guide,
    })
}

impl Leaf {
    fn of(leaf: &manifest::Leaf, values: &Values) -> Self {
        Self {
            id: leaf.id.clone(),
            says: values.text(&leaf.says),
            severity: leaf.severity,
            healthy: leaf.healthy,
            from_guide: leaf.from_guide,
            remedy: runbook(&values.remedy(&leaf.remedy)),
        }
    }
}

impl Asks {
    fn of(tree: &Tree, node: &str, why: &str, values: &Values) -> Option<Self> {
        let node = tree.node(node)?;
        let choice = |branch: &manifest::Branch| Choice {
            answer: branch.answer.clone(),
            means: values.text(&branch.means),
        };
        Some(Self {
            node: node.id.clone(),
            question: values.text(&node.asks),
            look: values.text(&node.look),
            why: why.to_owned(),
            answers: node.branches.iter().map(choice).collect(),
            from_guide: node.from_guide,
        })
    }
}

/// The texts of a walk that may hold values.
#[must_use]
pub fn texts<'a>(tree: &'a Tree, walk: &Walk) -> Vec<&'a str> {
    let mut ids: Vec<&str> = walk.path.iter().map(|stage| stage.node.as_str()).collect();
    let mut leaves: Vec<&str> = walk.added.iter().map(String::as_str).collect();
    match &walk.end {
        End::Leaf(leaf) => leaves.push(leaf),
        End::Open { node, .. } => ids.push(node),
    }
    let nodes = ids.into_iter().filter_map(|id| tree.node(id));
    let of_nodes = nodes.flat_map(|node| {
        let means = node.branches.iter().map(|branch| branch.means.as_str());
        [node.asks.as_str(), node.look.as_str()].into_iter().chain(means)
    });
    let leaves = leaves.into_iter().filter_map(|id| tree.leaf(id));
    let of_leaves = leaves.flat_map(|leaf| {
        let steps = leaf.remedy.steps.iter().flat_map(|step| step.values());
        steps.chain(&leaf.remedy.cautions).map(String::as_str).chain([leaf.says.as_str()])
    });
    of_nodes.chain(of_leaves).collect()
}

/// The walks by where they ended: the worst leaf first, the commoner of two equally bad ones first, then what is open.
#[must_use]
pub fn groups(tree: &Tree, walks: &[Walked]) -> Vec<Group> {
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for walked in walks {
        let (end, reached, says, severity) = match (&walked.leaf, &walked.asks) {
            (Some(leaf), _) => (&leaf.id, true, &leaf.says, Some(leaf.severity)),
            (None, Some(asks)) => (&asks.node, false, &asks.question, None),
            (None, None) => continue,
        };
        let group = groups.entry(end).or_insert_with(|| Group {
            end: end.clone(),
            reached,
            says: says.clone(),
            severity,
            subjects: Vec::new(),
        });
        group.subjects.push(walked.subject.clone());
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    // What was asked of one is asked of all.
    let any = Values::new(Vec::new(), Some(&format!("the {}", tree.subject)));
    for group in groups.iter_mut().filter(|group| group.subjects.len() > 1) {
        if let Some(node) = tree.node(&group.end) {
            group.says = any.text(&node.asks);
        }
    }
    groups.sort_by(|left, right| {
        let rank = |group: &Group| (group.severity, group.subjects.len());
        rank(right).cmp(&rank(left)).then_with(|| left.end.cmp(&right.end))
    });
    groups
}
