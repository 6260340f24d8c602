//! The documents of readings, diagnoses and procedures.

use super::{Input, Manifest, Remedy, Setting};
use crate::diagnosis::{self, Decided as AuthorDecided, Target};
use crate::finding::Severity;
use crate::procedure::{self, Verified as AuthorVerified};
use crate::reading;
use crate::remedy::{Reversible, Risk};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One text that is read off inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reading {
    /// `<plugin>.<name>`.
    pub id: String,
    /// What it is.
    pub about: String,
    /// Ids of its inputs.
    pub inputs: Vec<String>,
    /// Keys of its settings.
    pub settings: Vec<String>,
}

/// A diagnosis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tree {
    /// What is diagnosed, for people.
    pub title: String,
    /// The sort of thing: `endpoint`.
    pub subject: String,
    /// The node it begins at.
    pub start: String,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The leaves.
    pub leaves: Vec<Leaf>,
    /// Readings that fill in texts.
    #[serde(default)]
    pub values: Vec<String>,
    /// The reading of what failed, one name a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Node {
    /// Its id.
    pub id: String,
    /// The question.
    pub asks: String,
    /// Where a person finds the answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub look: String,
    /// How it is decided, before a person is asked.
    pub decided: Decided,
    /// The answers.
    pub branches: Vec<Branch>,
    /// The vendor's guide itself asks this.
    #[serde(default)]
    pub from_guide: bool,
}

/// How a node is decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Decided {
    /// By a person alone.
    Person,
    /// By a reading, by id.
    Reading(String),
    /// By the outcomes of checks.
    Checks {
        /// The checks.
        checks: Vec<String>,
        /// The severity from which on a finding counts.
        at_least: Severity,
        /// The answer where one has such a finding.
        broken: String,
        /// The answer where none has.
        sound: String,
    },
}

/// A branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Branch {
    /// The answer.
    pub answer: String,
    /// What it means.
    pub means: String,
    /// A leaf that it adds; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub adds: String,
    /// Where it leads.
    pub to: Target<String>,
}

/// A leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Leaf {
    /// Its id.
    pub id: String,
    /// What it says.
    pub says: String,
    /// What to do.
    pub remedy: Remedy,
    /// How bad it is.
    pub severity: Severity,
    /// Nothing is wrong.
    #[serde(default)]
    pub healthy: bool,
    /// The vendor's guide itself says so.
    #[serde(default)]
    pub from_guide: bool,
}

/// A procedure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Procedure {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it is needed.
    pub about: String,
    /// Where the vendor's documents describe it.
    #[serde(default)]
    pub sections: Vec<String>,
    /// The steps.
    pub tasks: Vec<Task>,
    /// Readings that fill in texts.
    #[serde(default)]
    pub values: Vec<String>,
    /// What has to read nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// What can go wrong.
    #[serde(default)]
    pub cautions: Vec<String>,
    /// Who may do it.
    pub who: String,
    /// The risk of the change.
    pub risk: Risk,
    /// Whether it can be taken back.
    pub reversible: Reversible,
    /// The procedure that follows; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub next: String,
}

/// What holds a procedure back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Guard {
    /// The reading of what stands against the procedure, one thing a line.
    pub reading: String,
    /// Why it does.
    pub why: String,
}

/// A step of a procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// The step: an object with a `do` field; see [`crate::remedy::Step`].
    pub step: BTreeMap<String, String>,
    /// How one sees that it is done.
    pub verified: Verified,
    /// The vendor's guide itself asks for it.
    #[serde(default)]
    pub from_guide: bool,
}

/// How one sees that a step is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verified {
    /// These checks pass.
    Checks(Vec<String>),
    /// A person sees this.
    Seen(String),
}

impl Manifest {
    /// The reading with this id.
    #[must_use]
    pub fn reading(&self, id: &str) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.id == id)
    }

    /// The procedure with this id.
    #[must_use]
    pub fn procedure(&self, id: &str) -> Option<&Procedure> {
        self.procedures.iter().find(|procedure| procedure.id == id)
    }
}

impl Tree {
    /// The node with this id.
    #[must_use]
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The leaf with this id.
    #[must_use]
    pub fn leaf(&self, id: &str) -> Option<&Leaf> {
        self.leaves.iter().find(|leaf| leaf.id == id)
    }

    pub(super) fn of(tree: &diagnosis::Tree, module: &str) -> Self {
        let text = |text: &str| text.replace("{module}", module);
        Self {
            title: text(tree.title),
            subject: tree.subject.to_owned(),
            start: tree.start.to_owned(),
            nodes: tree.nodes.iter().map(|node| Node::of(node, &text)).collect(),
            leaves: tree.leaves.iter().map(|leaf| Leaf::of(leaf, module)).collect(),
            values: tree.values.iter().map(|reading| reading.id.to_owned()).collect(),
            failed: tree.failed.map(|reading| reading.id.to_owned()),
        }
    }
}

impl Node {
    /// The branch of an answer, written in any case.
    #[must_use]
    pub fn branch(&self, answer: &str) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.answer.eq_ignore_ascii_case(answer))
    }

    fn of(node: &diagnosis::Node, text: &impl Fn(&str) -> String) -> Self {
        let branch = |branch: &diagnosis::Branch| Branch {
            answer: branch.answer.to_owned(),
            means: text(branch.means),
            adds: branch.adds.to_owned(),
            to: match branch.to {
                Target::Node(id) => Target::Node(id.to_owned()),
                Target::Leaf(id) => Target::Leaf(id.to_owned()),
            },
        };
        Self {
            id: node.id.to_owned(),
            asks: text(node.asks),
            look: text(node.look),
            decided: match node.decided {
                AuthorDecided::Person => Decided::Person,
                AuthorDecided::Reading(reading) => Decided::Reading(reading.id.to_owned()),
                AuthorDecided::Checks { checks, at_least, broken, sound } => Decided::Checks {
                    checks: super::build::owned(checks),
                    at_least,
                    broken: broken.to_owned(),
                    sound: sound.to_owned(),
                },
            },
            branches: node.branches.iter().map(branch).collect(),
            from_guide: node.from_guide,
        }
    }
}

impl Leaf {
    fn of(leaf: &diagnosis::Leaf, module: &str) -> Self {
        Self {
            id: leaf.id.to_owned(),
            says: leaf.says.replace("{module}", module),
            remedy: Remedy::of(leaf.remedy, "", module),
            severity: leaf.severity,
            healthy: leaf.healthy,
            from_guide: leaf.from_guide,
        }
    }
}

impl Procedure {
    pub(super) fn of(procedure: &procedure::Procedure, module: &str) -> Self {
        let text = |text: &str| text.replace("{module}", module);
        let task = |task: &procedure::Task| Task {
            step: super::build::step(&task.step, module),
            verified: match task.verified {
                AuthorVerified::Checks(checks) => Verified::Checks(super::build::owned(checks)),
                AuthorVerified::Seen(sees) => Verified::Seen(text(sees)),
            },
            from_guide: task.from_guide,
        };
        Self {
            id: procedure.id.to_owned(),
            title: text(procedure.title),
            about: text(procedure.about),
            sections: super::build::owned(procedure.sections),
            tasks: procedure.tasks.iter().map(task).collect(),
            values: procedure.values.iter().map(|reading| reading.id.to_owned()).collect(),
            guard: procedure
                .guard
                .map(|(reading, why)| Guard { reading: reading.id.to_owned(), why: text(why) }),
            cautions: procedure.cautions.iter().map(|caution| text(caution)).collect(),
            who: text(procedure.who),
            risk: procedure.risk,
            reversible: procedure.reversible,
            next: procedure.next.to_owned(),
        }
    }
}

impl Reading {
    pub(super) fn of(reading: &reading::Reading) -> Self {
        Self {
            id: reading.id.to_owned(),
            about: reading.about.to_owned(),
            inputs: reading.reads.iter().map(|input| input.id.to_owned()).collect(),
            settings: reading.settings.iter().map(|setting| setting.key.to_owned()).collect(),
        }
    }
}

/// Adds the inputs and settings of readings to those of checks.
pub(super) fn gather<'a>(
    readings: impl Iterator<Item = &'static reading::Reading>,
    inputs: &mut BTreeMap<&'a str, Input>,
    settings: &mut BTreeMap<&'a str, Setting>,
) -> Vec<Reading> {
    let mut all: BTreeMap<&str, Reading> = BTreeMap::new();
    for reading in readings {
        for input in reading.reads {
            inputs.entry(input.id).or_insert_with(|| Input::of(input));
        }
        for setting in reading.settings {
            settings.entry(setting.key).or_insert_with(|| Setting::of(setting));
        }
        all.entry(reading.id).or_insert_with(|| Reading::of(reading));
    }
    all.into_values().collect()
}
