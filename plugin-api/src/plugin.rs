//! A plugin: an id, a title, the module it is about, its checks, and what else it declares.

use crate::check::Check;
use crate::diagnosis::{Decided, Tree};
use crate::facts::{Facts, Scope};
use crate::finding::Report;
use crate::outcome::{Outcome, Undecided};
use crate::procedure::Procedure;
use crate::reading::Reading;
use crate::wire::{Inspection, Judgement};

/// A solution of the platform that a plugin is about, as `/api/v2/solutions` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Solution {
    /// The solution's name, for people; compared only where the id is unknown.
    pub name: &'static str,
    /// The solution's id, such as `99-200-0008`; empty where the vendor's documents do not tell it.
    pub id: &'static str,
}

/// Everything a plugin declares.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) version: &'static str,
    pub(crate) about: &'static str,
    pub(crate) solutions: &'static [Solution],
    pub(crate) checks: &'static [&'static Check],
    pub(crate) diagnosis: Option<&'static Tree>,
    pub(crate) procedures: &'static [&'static Procedure],
}

impl Plugin {
    /// A plugin with this id (kebab-case), the title people know it by, and its version (`env!("CARGO_PKG_VERSION")`).
    #[must_use]
    pub const fn new(id: &'static str, title: &'static str, version: &'static str) -> Self {
        Self { id, title, version, about: "", solutions: &[], checks: &[], diagnosis: None, procedures: &[] }
    }

    /// What the module is for, in one sentence.
    #[must_use]
    pub const fn about(mut self, text: &'static str) -> Self {
        self.about = text;
        self
    }

    /// The solutions the plugin is about. Its checks are `not-licensed` or `not-applicable` where none of them is
    /// there. A plugin without solutions is about the platform itself and always applies.
    #[must_use]
    pub const fn solutions(mut self, solutions: &'static [Solution]) -> Self {
        self.solutions = solutions;
        self
    }

    /// The checks, in the order of the guide.
    #[must_use]
    pub const fn checks(mut self, checks: &'static [&'static Check]) -> Self {
        self.checks = checks;
        self
    }

    /// How one thing of the module is diagnosed.
    #[must_use]
    pub const fn diagnosis(mut self, tree: &'static Tree) -> Self {
        self.diagnosis = Some(tree);
        self
    }

    /// What a person does with the module, step by step.
    #[must_use]
    pub const fn procedures(mut self, procedures: &'static [&'static Procedure]) -> Self {
        self.procedures = procedures;
        self
    }

    /// The plugin's id.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The check with this id.
    #[must_use]
    pub fn check(&self, id: &str) -> Option<&'static Check> {
        self.checks.iter().copied().find(|check| check.id == id)
    }

    /// The readings by which nodes take their branches.
    pub(crate) fn readings_of_nodes(&self) -> impl Iterator<Item = &'static Reading> {
        let nodes = self.diagnosis.into_iter().flat_map(|tree| tree.nodes);
        nodes.filter_map(|node| match node.decided {
            Decided::Reading(reading) => Some(reading),
            Decided::Person | Decided::Checks { .. } => None,
        })
    }

    /// The readings that fill in values.
    pub(crate) fn readings_of_values(&self) -> impl Iterator<Item = &'static Reading> {
        let trees = self.diagnosis.into_iter().flat_map(|tree| tree.values.iter().chain(&tree.failed));
        let guards = self.procedures.iter().filter_map(|procedure| Some(procedure.guard?.0));
        trees.chain(self.procedures.iter().flat_map(|procedure| procedure.values)).copied().chain(guards)
    }

    /// Judges one check, or reads one reading. Used by the ABI and by the test kit; it never fails, an unknown check is
    /// a reason as well.
    #[must_use]
    pub fn inspect(&self, inspection: &Inspection) -> Judgement {
        if let Some(check) = self.check(&inspection.check) {
            return judge(check, self.title, inspection);
        }
        let mut readings = self.readings_of_nodes().chain(self.readings_of_values());
        if let Some(reading) = readings.find(|reading| reading.id == inspection.check) {
            return read(reading, self.title, inspection);
        }
        let reason = format!("the plugin {} has no check {}", self.id, inspection.check);
        Judgement::undecided(&inspection.check, Undecided::not_evaluated(reason))
    }
}

pub(crate) fn judge(check: &'static Check, module: &'static str, inspection: &Inspection) -> Judgement {
    let Some(judge) = check.judge else {
        return Judgement::undecided(
            check.id,
            Undecided {
                outcome: Outcome::AttestationDue,
                reason: "only a person can do this".to_owned(),
                input: None,
            },
        );
    };
    let facts = Facts::new(Scope { id: check.id, reads: check.reads }, module, inspection);
    let mut report = Report::default();
    let undecided = judge(&facts, &mut report).err();
    Judgement { check: check.id.to_owned(), report, undecided, read: facts.inputs_read(), answer: None }
}

pub(crate) fn read(reading: &'static Reading, module: &'static str, inspection: &Inspection) -> Judgement {
    let facts = Facts::new(Scope { id: reading.id, reads: reading.reads }, module, inspection);
    let mut report = Report::default();
    let answer = match reading.read {
        Some(read) => read(&facts, &mut report),
        None => Err(Undecided::not_evaluated(format!("{} reads nothing", reading.id))),
    };
    let (answer, undecided) = match answer {
        Ok(answer) => (Some(answer), None),
        Err(undecided) => (None, Some(undecided)),
    };
    Judgement { check: reading.id.to_owned(), report, undecided, read: facts.inputs_read(), answer }
}
