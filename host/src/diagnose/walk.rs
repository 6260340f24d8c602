//! A walk through a tree.

use super::given::{Given, Said};
use tancheck_plugin_api::Target;
use tancheck_plugin_api::manifest::{Node, Tree};

/// What a look at a node showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The answer.
    Answer {
        /// The answer of a branch.
        answer: String,
        /// What it was taken from, in words.
        notes: Vec<String>,
        /// The requests that were sent, or the checks that were run.
        sources: Vec<String>,
    },
    /// Nothing that decides: why; empty where only a person can know.
    Unknown(String),
}

/// Finds out what can be found out without a person.
pub trait Looks: Sync {
    /// Looks at one node.
    fn look(&self, node: &Node) -> impl Future<Output = Seen> + Send;
}

/// How an answer was come by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It was seen.
    Seen {
        /// What it was taken from, in words.
        notes: Vec<String>,
        /// The requests that were sent, or the checks that were run.
        sources: Vec<String>,
    },
    /// A person said so.
    Said(Said),
}

/// A node that was passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The node's id.
    pub node: String,
    /// The branch that was taken.
    pub answer: String,
    /// How its answer was come by.
    pub how: How,
}

/// Where a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At a leaf, by id.
    Leaf(String),
    /// At a node that only a person can decide.
    Open {
        /// The node's id.
        node: String,
        /// Why it could not be seen; empty where only a person can know.
        why: String,
    },
}

/// A walk from the start of a tree to a leaf, or to the first node whose answer is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The nodes that were passed.
    pub path: Vec<Stage>,
    /// Leaves that branches added on the way, by id.
    pub added: Vec<String>,
    /// Where it ended.
    pub end: End,
}

/// Walks a tree. What a person says for this walk comes before what is seen; what a person said earlier comes after it.
pub async fn walk(tree: &Tree, given: &Given, looks: &impl Looks) -> Walk {
    let mut walk = Walk { path: Vec::new(), added: Vec::new(), end: open(&tree.start, "") };
    let mut here = &tree.start;
    // A tree without circles passes each node at most once; this is for manifests that nobody checked.
    for _ in &tree.nodes {
        let Some(node) = tree.node(here) else {
            walk.end = open(here, "the tree has no such node");
            return walk;
        };
        let (answer, how) = match decide(node, given, looks).await {
            Ok(decided) => decided,
            Err(why) => {
                walk.end = open(&node.id, &why);
                return walk;
            }
        };
        let Some(branch) = node.branch(&answer) else {
            walk.end = open(&node.id, &format!("{answer:?} is none of its answers"));
            return walk;
        };
        walk.path.push(Stage { node: node.id.clone(), answer: branch.answer.clone(), how });
        if !branch.adds.is_empty() && !walk.added.contains(&branch.adds) {
            walk.added.push(branch.adds.clone());
        }
        match &branch.to {
            Target::Node(next) => here = next,
            Target::Leaf(leaf) => {
                walk.end = End::Leaf(leaf.clone());
                return walk;
            }
        }
    }
    walk.end = open(here, "the tree leads in a circle");
    walk
}

/// The answer of a node, or why a person has to give it.
async fn decide(node: &Node, given: &Given, looks: &impl Looks) -> Result<(String, How), String> {
    if let Some(said) = given.now(&node.id) {
        return Ok((said.answer.clone(), How::Said(said.clone())));
    }
    let why = match looks.look(node).await {
        Seen::Answer { answer, notes, sources } if node.branch(&answer).is_some() => {
            return Ok((answer, How::Seen { notes, sources }));
        }
        Seen::Answer { answer, .. } => format!("what was read ({answer:?}) is none of its answers"),
        Seen::Unknown(why) => why,
    };
    match given.earlier(&node.id) {
        Some(said) => Ok((said.answer.clone(), How::Said(said.clone()))),
        None => Err(why),
    }
}

fn open(node: &str, why: &str) -> End {
    End::Open { node: node.to_owned(), why: why.to_owned() }
}
