//! A plugin: an id, a title, the module it is about, and its checks.

use crate::check::Check;
use crate::facts::Facts;
use crate::finding::Report;
use crate::outcome::{Outcome, Undecided};
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
}

impl Plugin {
    /// A plugin with this id (kebab-case), the title people know it by, and its version (`env!("CARGO_PKG_VERSION")`).
    #[must_use]
    pub const fn new(id: &'static str, title: &'static str, version: &'static str) -> Self {
        Self { id, title, version, about: "", solutions: &[], checks: &[] }
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

    /// Judges one check. Used by the ABI and by the test kit; it never fails, an unknown check is a reason as well.
    #[must_use]
    pub fn inspect(&self, inspection: &Inspection) -> Judgement {
        let Some(check) = self.check(&inspection.check) else {
            let reason = format!("the plugin {} has no check {}", self.id, inspection.check);
            return Judgement::undecided(&inspection.check, Undecided::not_evaluated(reason));
        };
        judge(check, self.title, inspection)
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
    let facts = Facts::new(check, module, inspection.now, &inspection.inputs, &inspection.settings);
    let mut report = Report::default();
    let undecided = judge(&facts, &mut report).err();
    Judgement { check: check.id.to_owned(), report, undecided, read: facts.inputs_read() }
}
