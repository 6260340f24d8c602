//! Answers of the command line and of a file.

use crate::cli::stop::Stop;
use crate::diagnose::Subject;
use crate::diagnose::given::understood;
use std::collections::BTreeMap;
use std::path::Path;
use tancheck_plugin_api::manifest::Tree;
use toml::{Table, Value};

/// Answers by question; those about one name come before those about all.
#[derive(Debug, Default)]
pub(super) struct Answers {
    all: BTreeMap<String, String>,
    named: BTreeMap<String, BTreeMap<String, String>>,
}

/// `question=answer`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (node, answer) = text.split_once('=').ok_or("expected QUESTION=ANSWER, such as action-lock=off")?;
    Ok((node.trim().to_owned(), answer.trim().to_owned()))
}

impl Answers {
    /// The answers of a file, then those of the command line, which come before them.
    pub(super) fn read(pairs: &[(String, String)], file: Option<&Path>, tree: &Tree) -> Result<Self, Stop> {
        let mut answers = Self::default();
        if let Some(path) = file {
            answers.take(path, tree)?;
        }
        for (node, answer) in pairs {
            let (node, answer) = understood(tree, node, answer).map_err(Stop::Usage)?;
            answers.all.insert(node.id.clone(), answer.to_owned());
            for named in answers.named.values_mut() {
                named.remove(&node.id);
            }
        }
        Ok(answers)
    }

    /// The answers about one name.
    pub(super) fn about(&self, subject: &Subject) -> Vec<(String, String)> {
        let mut answers = self.all.clone();
        answers.extend(self.named.get(&subject.key()).cloned().unwrap_or_default());
        answers.into_iter().collect()
    }

    fn take(&mut self, path: &Path, tree: &Tree) -> Result<(), Stop> {
        let place = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Stop::Usage(format!("failed to read the answers {place}: {error}")))?;
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            Stop::Usage(format!("{place}: {}", error.to_string().trim_end()))
        })?;
        let wrong = |problem: String| Stop::Usage(format!("{place}: {problem}"));
        for (key, value) in &table {
            let Value::Table(answers) = value else {
                let (node, answer) = one(tree, key, value).map_err(wrong)?;
                self.all.insert(node, answer);
                continue;
            };
            let subject: Subject = key.parse().map_err(|error| wrong(format!("{key:?}: {error}")))?;
            let named = self.named.entry(subject.key()).or_default();
            for (key, value) in answers {
                let (node, answer) = one(tree, key, value).map_err(wrong)?;
                named.insert(node, answer);
            }
        }
        Ok(())
    }
}

fn one(tree: &Tree, node: &str, value: &Value) -> Result<(String, String), String> {
    let Value::String(text) = value else { return Err(format!("the answer to {node} is no text: {value}")) };
    let (node, answer) = understood(tree, node, text)?;
    Ok((node.id.clone(), answer.to_owned()))
}
