//! A diagnosis: a tree that leads from a complaint about one thing to what to do about it. Data, never code.
//!
//! A node is decided by a [`Reading`], by the outcomes of checks, or by a person; each of its branches leads to another
//! node or to a leaf. Texts may hold `{subject}`, the name that is diagnosed, and the last part of the ids of the
//! tree's values: `{endpoint-port}` is what the reading `<plugin>.endpoint-port` reads.

use crate::finding::Severity;
use crate::reading::Reading;
use crate::remedy::Remedy;

/// A decision tree about one sort of thing.
#[derive(Clone, Copy, Debug)]
pub struct Tree {
    pub(crate) title: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) start: &'static str,
    pub(crate) nodes: &'static [Node],
    pub(crate) leaves: &'static [Leaf],
    pub(crate) values: &'static [&'static Reading],
    pub(crate) failed: Option<&'static Reading>,
}

impl Tree {
    /// A tree about a sort of thing (`endpoint`), that begins at the node `start`.
    #[must_use]
    pub const fn new(title: &'static str, subject: &'static str, start: &'static str) -> Self {
        Self { title, subject, start, nodes: &[], leaves: &[], values: &[], failed: None }
    }

    /// The nodes.
    #[must_use]
    pub const fn nodes(mut self, nodes: &'static [Node]) -> Self {
        self.nodes = nodes;
        self
    }

    /// The leaves.
    #[must_use]
    pub const fn leaves(mut self, leaves: &'static [Leaf]) -> Self {
        self.leaves = leaves;
        self
    }

    /// What the placeholders of texts are filled with.
    #[must_use]
    pub const fn values(mut self, readings: &'static [&'static Reading]) -> Self {
        self.values = readings;
        self
    }

    /// What failed, for a diagnosis of many: one name a line.
    #[must_use]
    pub const fn failed(mut self, reading: &'static Reading) -> Self {
        self.failed = Some(reading);
        self
    }
}

/// How a node is decided.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decided {
    Person,
    Reading(&'static Reading),
    Checks { checks: &'static [&'static str], at_least: Severity, broken: &'static str, sound: &'static str },
}

/// A question, and where each of its answers leads.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub(crate) id: &'static str,
    pub(crate) asks: &'static str,
    pub(crate) look: &'static str,
    pub(crate) decided: Decided,
    pub(crate) branches: &'static [Branch],
    pub(crate) from_guide: bool,
}

impl Node {
    /// A node with this id (kebab-case) that asks a question. Unless told otherwise, a person answers it.
    #[must_use]
    pub const fn new(id: &'static str, asks: &'static str) -> Self {
        Self { id, asks, look: "", decided: Decided::Person, branches: &[], from_guide: false }
    }

    /// Where a person finds the answer.
    #[must_use]
    pub const fn look(mut self, text: &'static str) -> Self {
        self.look = text;
        self
    }

    /// Found out by a reading, whose text is the answer of a branch. A person is asked where it reads nothing.
    #[must_use]
    pub const fn read_by(mut self, reading: &'static Reading) -> Self {
        self.decided = Decided::Reading(reading);
        self
    }

    /// Found out by checks: `broken` where one of them has a finding of `at_least` this severity, `sound` where all of
    /// them are decided and none has. A person is asked otherwise.
    #[must_use]
    pub const fn checked_by(
        mut self,
        checks: &'static [&'static str],
        at_least: Severity,
        broken: &'static str,
        sound: &'static str,
    ) -> Self {
        self.decided = Decided::Checks { checks, at_least, broken, sound };
        self
    }

    /// The answers.
    #[must_use]
    pub const fn branches(mut self, branches: &'static [Branch]) -> Self {
        self.branches = branches;
        self
    }

    /// The vendor's guide itself asks this; without it, the node is derived.
    #[must_use]
    pub const fn from_guide(mut self) -> Self {
        self.from_guide = true;
        self
    }
}

/// Where a branch leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target<T> {
    /// To a node, by id.
    Node(T),
    /// To a leaf, by id; the walk ends.
    Leaf(T),
}

/// An answer, and where it leads.
#[derive(Clone, Copy, Debug)]
pub struct Branch {
    pub(crate) answer: &'static str,
    pub(crate) means: &'static str,
    pub(crate) adds: &'static str,
    pub(crate) to: Target<&'static str>,
}

impl Branch {
    /// The answer (kebab-case) and what it means lead to a node.
    #[must_use]
    pub const fn node(answer: &'static str, means: &'static str, node: &'static str) -> Self {
        Self { answer, means, adds: "", to: Target::Node(node) }
    }

    /// The answer (kebab-case) and what it means lead to a leaf.
    #[must_use]
    pub const fn leaf(answer: &'static str, means: &'static str, leaf: &'static str) -> Self {
        Self { answer, means, adds: "", to: Target::Leaf(leaf) }
    }

    /// Adds a leaf to the result; the walk goes on.
    #[must_use]
    pub const fn adding(mut self, leaf: &'static str) -> Self {
        self.adds = leaf;
        self
    }
}

/// The end of a walk: what is wrong, and what to do about it.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    pub(crate) id: &'static str,
    pub(crate) says: &'static str,
    pub(crate) remedy: &'static Remedy,
    pub(crate) severity: Severity,
    pub(crate) healthy: bool,
    pub(crate) from_guide: bool,
}

impl Leaf {
    /// A leaf with this id (kebab-case), what it says as a short sentence, and what to do.
    #[must_use]
    pub const fn new(id: &'static str, says: &'static str, remedy: &'static Remedy) -> Self {
        Self { id, says, remedy, severity: Severity::Medium, healthy: false, from_guide: false }
    }

    /// How bad it is; medium unless told otherwise.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Nothing is wrong with what was looked at.
    #[must_use]
    pub const fn healthy(mut self) -> Self {
        self.healthy = true;
        self.severity = Severity::Info;
        self
    }

    /// The vendor's guide itself says so; without it, the leaf is derived.
    #[must_use]
    pub const fn from_guide(mut self) -> Self {
        self.from_guide = true;
        self
    }
}
