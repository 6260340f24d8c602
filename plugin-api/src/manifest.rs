//! The manifest: everything a plugin declares, as an owned document. Built from the constants of a plugin, sent
//! across the ABI, cached by the host, printed as it is by `-o json`. Fields are only ever added.

mod build;
mod guided;

pub use guided::{Branch, Decided, Guard, Leaf, Node, Procedure, Reading, Task, Tree, Verified};

use crate::check::{Cadence, Kind};
use crate::finding::Severity;
use crate::input::{Paging, Shape};
use crate::remedy::{Reversible, Risk};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of this crate: the API version that plugins built against it declare.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The features this version of the API knows. A plugin lists those it uses; a host refuses, by name, what it lacks.
pub const FEATURES: &[&str] = &[
    "another-guide",
    "answer",
    "attested",
    "diagnosis",
    "each",
    "export",
    "gateway",
    "history",
    "lines",
    "metrics",
    "pasted",
    "probe",
    "probe-deployment",
    "procedures",
    "question",
    "rest",
    "saved-question",
    "service",
];

/// Stands for the deployment's address where a probe names a setting. No setting of a plugin has a dot in its key.
pub const DEPLOYMENT: &str = "deployment.url";

/// Everything a plugin declares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// The plugin's id.
    pub id: String,
    /// The title people know it by.
    pub title: String,
    /// The plugin's version.
    pub version: String,
    /// The API version it was built against.
    pub api: String,
    /// What the module is for.
    #[serde(default)]
    pub about: String,
    /// Features of the API that it uses.
    #[serde(default)]
    pub features: Vec<String>,
    /// Solutions of the platform that it is about.
    #[serde(default)]
    pub solutions: Vec<Solution>,
    /// Its settings, by key.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// Its inputs, by id.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// Its checks, in the order of the guide.
    pub checks: Vec<Check>,
    /// What its diagnosis and procedures read, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Reading>,
    /// How one thing of the module is diagnosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Tree>,
    /// What a person does with the module, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub procedures: Vec<Procedure>,
}

/// A solution of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Solution {
    /// The solution's name.
    pub name: String,
    /// The solution's id, `NN-NNN-NNNN`; empty where unknown.
    pub id: String,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Check {
    /// `<plugin>.<problem-or-state>`.
    pub id: String,
    /// Earlier ids.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// How it comes to its outcome.
    pub kind: Kind,
    /// The good state.
    pub title: String,
    /// How often the guide asks for it.
    pub cadence: Vec<Cadence>,
    /// The severity of its findings.
    pub severity: Severity,
    /// Ids of its inputs.
    pub inputs: Vec<String>,
    /// Keys of its settings.
    pub settings: Vec<String>,
    /// Keys of those for which it proposes values. A host that does not know this takes no proposals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub learns: Vec<String>,
    /// The setting (days) that tells how long an attestation is good for.
    #[serde(default)]
    pub due_every: Option<String>,
    /// Where the guide asks for it.
    pub guide: Vec<Guide>,
    /// What it does.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// When it can be wrong.
    #[serde(default)]
    pub limits: String,
    /// Where it applies.
    #[serde(default)]
    pub applies: String,
    /// What to do about a finding.
    pub remedy: Option<Remedy>,
    /// Checks that bear on it.
    #[serde(default)]
    pub related: Vec<String>,
    /// Checks that have to be in date for it to stay done. A host that does not know this asks again after a year.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renewed_by: Vec<String>,
    /// Checks whose findings bring about its own, the most basic first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caused_by: Vec<Cause>,
    /// Judged even where the module is absent.
    #[serde(default)]
    pub even_if_absent: bool,
    /// Not asked for by a guide.
    #[serde(default)]
    pub beyond: bool,
    /// Whether there is a judge; a check without one is decided by attestations alone.
    pub judged: bool,
}

/// A check whose findings bring about those of another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cause {
    /// The check's id.
    pub check: String,
    /// The key of the only subject whose finding follows from it; none: every finding may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How bad its finding has to be; none: any will do. A host that does not know this takes any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
}

/// A place in a guide of the vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guide {
    /// Section title.
    pub section: String,
    /// Page.
    pub page: u16,
    /// The guide's title with its version; empty: the maintenance guide.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub of: String,
}

impl Guide {
    /// What the guide is called in a sentence.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.of.is_empty() { "maintenance guide" } else { &self.of }
    }
}

/// A runbook. Steps are objects with a `do` field; see [`crate::remedy::Step`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Remedy {
    /// The steps, in order.
    pub steps: Vec<BTreeMap<String, String>>,
    /// What can go wrong.
    #[serde(default)]
    pub cautions: Vec<String>,
    /// Who may do it.
    #[serde(default)]
    pub who: String,
    /// The risk of the change.
    pub risk: Risk,
    /// Whether it can be taken back.
    pub reversible: Reversible,
    /// Documents of the vendor.
    #[serde(default)]
    pub references: Vec<String>,
    /// The check that proves the repair.
    pub verify: String,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Setting {
    /// The key under `[modules.<plugin>]`.
    pub key: String,
    /// `integer`, `flag`, `text`, `choice`, `list` or `table`.
    pub r#type: String,
    /// The default; `null` where the site has to choose.
    pub default: Value,
    /// Smallest accepted number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Largest accepted number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Accepted words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub among: Vec<String>,
    /// Unit.
    #[serde(default)]
    pub unit: String,
    /// What it does.
    #[serde(default)]
    pub about: String,
    /// The default is the guide's number.
    #[serde(default)]
    pub from_guide: bool,
}

/// An input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Input {
    /// The input's id.
    pub id: String,
    /// What it is.
    pub about: String,
    /// The ways to get it, the best first.
    pub sources: Vec<Source>,
}

/// One way to get an input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Source {
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// What it delivers.
    pub shape: Shape,
    /// The key that holds the rows, where it is neither `data` nor `body`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rows_key: String,
    /// Only rows that have this key are kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub only_with: String,
    /// Privileges without which the server refuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Privileges without which the list is cut to the account's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complete_with: Vec<String>,
    /// Repetition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
}

/// A request, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Request {
    /// `GET` on a platform route.
    Rest {
        /// Path with `/api/v2/`.
        path: String,
        /// The `tanium-options` header, JSON; empty: none.
        #[serde(default)]
        options: String,
        /// Through the server's list cache, page by page.
        #[serde(default)]
        paged: bool,
    },
    /// `GET` on `/plugin/products/<service><path>`.
    Service {
        /// The service's name in the path.
        service: String,
        /// Path below it.
        path: String,
        /// Rows of a page, where the list is read page by page.
        #[serde(default)]
        page: Option<u32>,
        /// The words by which a page is asked for.
        #[serde(default)]
        paging: Paging,
    },
    /// A GraphQL query.
    Gateway {
        /// The operation's text.
        query: String,
        /// The field that is delivered.
        connection: String,
        /// Variables and their values.
        #[serde(default)]
        variables: BTreeMap<String, String>,
    },
    /// A question.
    Question {
        /// The question's text.
        text: String,
        /// The computer group it is limited to; empty: all machines.
        #[serde(default)]
        group: String,
        /// The follow-up question that names endpoints of a value; empty: none.
        #[serde(default)]
        sample: String,
    },
    /// Stored results.
    SavedQuestion {
        /// The saved question's name.
        name: String,
    },
    /// Families of `GET /metrics`.
    Metrics {
        /// Names of the families.
        families: Vec<String>,
    },
    /// A look at listeners that the site names.
    Probe {
        /// The setting with the targets: a text or a list, each `host` or `host:port`.
        setting: String,
        /// The port where a target names none.
        port: u16,
        /// The setting with the port; the targets then are hosts without ports. Empty: none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        port_setting: String,
        /// The port counts, whatever port a target names.
        #[serde(default)]
        always: bool,
        /// One greeting is enough. A host that does not know this asks for each suite alone, too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        brief: bool,
    },
    /// An exported file.
    Export {
        /// File name in the exports folder.
        file: String,
        /// The Console page.
        page: String,
        /// How to export it there.
        steps: String,
        /// Columns that must be there.
        columns: Vec<String>,
        /// The file is a text, of which lines that hold one of these words are read; empty: a table.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holding: Vec<String>,
    },
    /// Text that is pasted and never kept.
    Pasted {
        /// What is to be pasted.
        prompt: String,
        /// Names of known bodies, and the SHA-256 of each.
        #[serde(default)]
        known: Vec<(String, String)>,
    },
    /// A person's answer.
    Answer {
        /// The question to the person.
        prompt: String,
        /// `yes-no`, `number`, `text`, `date` or `choice`.
        accepts: String,
        /// The words of a choice.
        #[serde(default)]
        among: Vec<String>,
        /// How long it is good for.
        valid_days: u32,
    },
    /// Stored points of a series.
    History {
        /// The series; `.*` at its end stands for all with that beginning.
        series: String,
        /// How far back.
        days: u32,
    },
}

/// Repetition of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Each {
    /// The input whose rows it runs over; `None` with a setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The key of the list within each row; empty: the row itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub items: String,
    /// The setting whose items it runs over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
    /// Placeholder and key.
    pub variables: Vec<(String, String)>,
    /// Key and the values that are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<(String, Vec<String>)>,
    /// Most requests.
    pub limit: u32,
}

impl Request {
    /// The name of the kind, as in the manifest and in evidence.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rest { .. } => "rest",
            Self::Service { .. } => "service",
            Self::Gateway { .. } => "gateway",
            Self::Question { .. } => "question",
            Self::SavedQuestion { .. } => "saved-question",
            Self::Metrics { .. } => "metrics",
            Self::Probe { .. } => "probe",
            Self::Export { .. } => "export",
            Self::Pasted { .. } => "pasted",
            Self::Answer { .. } => "answer",
            Self::History { .. } => "history",
        }
    }

    /// The texts that may hold placeholders. The value that a follow-up question is about is not filled by the host's
    /// settings, and stands at its end.
    pub(crate) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Rest { path, .. } | Self::Service { path, .. } => vec![path],
            Self::Gateway { variables, .. } => variables.values().map(String::as_str).collect(),
            Self::Question { text, group, sample } => {
                vec![text, group, sample.strip_suffix("{value}").unwrap_or(sample)]
            }
            Self::SavedQuestion { name } => vec![name],
            Self::Metrics { .. }
            | Self::Probe { .. }
            | Self::Export { .. }
            | Self::Pasted { .. }
            | Self::Answer { .. }
            | Self::History { .. } => Vec::new(),
        }
    }

    /// Whether one of its texts holds this placeholder.
    #[must_use]
    pub fn asks_for(&self, placeholder: &str) -> bool {
        self.texts().into_iter().any(|text| crate::validate::placeholders(text).contains(&placeholder))
    }

    /// Whether it goes to the network: to the deployment, or to the listeners that the site names. The others are read
    /// on this machine.
    #[must_use]
    pub const fn is_remote(&self) -> bool {
        !matches!(
            self,
            Self::Export { .. } | Self::Pasted { .. } | Self::Answer { .. } | Self::History { .. }
        )
    }
}

impl Setting {
    /// Whether a value is of its type and in its range.
    #[must_use]
    pub fn takes(&self, value: &Value) -> bool {
        let is_texts =
            |value: &Value| value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string));
        match self.r#type.as_str() {
            "integer" => value.as_i64().is_some_and(|number| {
                self.min.is_none_or(|min| min <= number) && self.max.is_none_or(|max| number <= max)
            }),
            "flag" => value.is_boolean(),
            "choice" => self.among.iter().any(|word| value == word),
            "list" => is_texts(value),
            "table" => value.as_object().is_some_and(|table| table.values().all(is_texts)),
            _ => value.as_str().is_some_and(|line| !line.contains('\n')),
        }
    }
}

impl Manifest {
    /// The check with this id or alias.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.id == id || check.aliases.iter().any(|alias| alias == id))
    }

    /// The input with this id.
    #[must_use]
    pub fn input(&self, id: &str) -> Option<&Input> {
        self.inputs.iter().find(|input| input.id == id)
    }

    /// The setting with this key.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }
}

impl Remedy {
    /// This runbook with the placeholders filled by a finding's values.
    #[must_use]
    pub fn filled(&self, values: &BTreeMap<String, String>) -> Self {
        let mut filled = self.clone();
        for step in &mut filled.steps {
            step.values_mut().for_each(|text| *text = self::filled(text, values));
        }
        filled.cautions.iter_mut().for_each(|caution| *caution = self::filled(caution, values));
        filled
    }
}

/// A text with its placeholders filled; those that nothing fills stay as they are. What is filled in is not searched
/// again.
#[must_use]
pub fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        match after.split_once('}').and_then(|(name, behind)| Some((values.get(name)?, behind))) {
            Some((value, behind)) => {
                filled.push_str(value);
                rest = behind;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}
