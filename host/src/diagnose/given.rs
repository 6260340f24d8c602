//! What people said: for this walk, and earlier. Answers are kept in the history for a day, each by itself.

use super::Subject;
use crate::hint::hint;
use crate::history::{HistoryError, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use tancheck_plugin_api::facts::Answer;
use tancheck_plugin_api::manifest::{Node, Tree};

/// How long an answer about one thing counts: endpoints come and go, and what was true yesterday may be repaired.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What a person answered to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The answer of a branch.
    pub answer: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What people said about one subject, by node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    now: BTreeMap<String, Said>,
    earlier: BTreeMap<String, Said>,
}

impl Given {
    /// What was said for this walk.
    #[must_use]
    pub fn now(&self, node: &str) -> Option<&Said> {
        self.now.get(node)
    }

    /// What was said earlier.
    #[must_use]
    pub fn earlier(&self, node: &str) -> Option<&Said> {
        self.earlier.get(node)
    }

    /// Adds an answer for this walk.
    pub fn say(&mut self, node: &str, said: Said) {
        self.now.insert(node.to_owned(), said);
    }

    /// Adds what was said earlier and is still good.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn recall(
        &mut self,
        store: &Store,
        plugin: &str,
        tree: &Tree,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<(), HistoryError> {
        for node in &tree.nodes {
            let Some(stored) = store.latest_answer(&key(plugin, &node.id, subject), now)? else { continue };
            let until = stored.valid_until.unwrap_or(stored.answer.at);
            let Value::String(answer) = stored.answer.value else { continue };
            // The tree may have changed since.
            if until > now && node.branch(&answer).is_some() {
                let said = Said { answer, by: stored.answer.by, at: stored.answer.at };
                self.earlier.insert(node.id.clone(), said);
            }
        }
        Ok(())
    }
}

/// Keeps an answer for later walks.
///
/// # Errors
/// When the history cannot be written.
pub fn keep(
    store: &Store,
    plugin: &str,
    node: &str,
    subject: &Subject,
    said: &Said,
) -> Result<(), HistoryError> {
    let answer = Answer {
        value: Value::String(said.answer.clone()),
        by: said.by.clone(),
        at: said.at,
        note: String::new(),
    };
    let until = said.at.checked_add(GOOD_FOR).unwrap_or(Timestamp::MAX);
    store.keep_answer(&key(plugin, node, subject), &answer, Some(until))
}

fn key(plugin: &str, node: &str, subject: &Subject) -> String {
    format!("diagnosis {plugin} {node} {}", subject.key())
}

/// The node and the spelling of an answer that a person gave.
///
/// # Errors
/// When there is no such node or answer; the sentence names those that there are.
pub fn understood<'a>(tree: &'a Tree, node: &str, answer: &str) -> Result<(&'a Node, &'a str), String> {
    let found = tree.node(node).ok_or_else(|| {
        let ids = tree.nodes.iter().map(|node| node.id.as_str());
        format!("the diagnosis asks no {node:?}{}", hint(node, ids))
    })?;
    match found.branch(answer.trim()) {
        Some(branch) => Ok((found, &branch.answer)),
        None => {
            let answers: Vec<&str> = found.branches.iter().map(|branch| branch.answer.as_str()).collect();
            Err(format!("{answer:?} is no answer to {node}: expected one of {}", answers.join(", ")))
        }
    }
}
