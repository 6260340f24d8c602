//! What to do about a finding: an ordered runbook for a person. Data, never code; tancheck changes nothing.

use serde::{Deserialize, Serialize};

/// One step of a remedy. Texts may hold `{placeholders}` that a finding fills with its own values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Step {
    /// Open a page of the Console and do something there.
    Console {
        /// Menu path, such as `Modules > Connect > Connections`.
        path: &'static str,
        /// What to do on that page.
        text: &'static str,
    },
    /// Ask a question in Interact; the text can be pasted as it is.
    Question {
        /// The question.
        question: &'static str,
        /// What to look for in the answer.
        text: &'static str,
    },
    /// Deploy a package or action.
    Action {
        /// The package's or action's name.
        package: &'static str,
        /// Targets, and what to set.
        text: &'static str,
    },
    /// Run a command.
    Command {
        /// The command line.
        command: &'static str,
        /// Where to run it, and what to expect.
        text: &'static str,
    },
    /// The same by API, for reference.
    Api {
        /// Method and route.
        route: &'static str,
        /// What it shows or does.
        text: &'static str,
    },
    /// A choice that a person has to take.
    Decision {
        /// The condition.
        when: &'static str,
        /// What follows from it.
        then: &'static str,
    },
    /// Ask somebody.
    Consult {
        /// Team, role or document.
        whom: &'static str,
        /// What to ask or to look up.
        text: &'static str,
    },
    /// Contact Tanium Support.
    Support {
        /// What to bring, and what to ask for.
        text: &'static str,
    },
}

impl Step {
    /// Open a page of the Console.
    #[must_use]
    pub const fn console(path: &'static str, text: &'static str) -> Self {
        Self::Console { path, text }
    }
    /// Ask a question in Interact.
    #[must_use]
    pub const fn question(question: &'static str, text: &'static str) -> Self {
        Self::Question { question, text }
    }
    /// Deploy a package or action.
    #[must_use]
    pub const fn action(package: &'static str, text: &'static str) -> Self {
        Self::Action { package, text }
    }
    /// Run a command.
    #[must_use]
    pub const fn command(command: &'static str, text: &'static str) -> Self {
        Self::Command { command, text }
    }
    /// The same by API.
    #[must_use]
    pub const fn api(route: &'static str, text: &'static str) -> Self {
        Self::Api { route, text }
    }
    /// If `when`, then `then`.
    #[must_use]
    pub const fn decision(when: &'static str, then: &'static str) -> Self {
        Self::Decision { when, then }
    }
    /// Ask a team or look into a document.
    #[must_use]
    pub const fn consult(whom: &'static str, text: &'static str) -> Self {
        Self::Consult { whom, text }
    }
    /// Contact Tanium Support.
    #[must_use]
    pub const fn support(text: &'static str) -> Self {
        Self::Support { text }
    }
}

/// How much harm the remedy itself can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    /// Nothing changes on any endpoint.
    None,
    /// A change that is easy to see and to take back.
    Low,
    /// A change that can disturb operations.
    Medium,
    /// A change that can cut endpoints off, stop a module or lose data.
    High,
}

/// Whether the change can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversible {
    /// Set it back.
    Yes,
    /// Only in part, or only with a backup or an export made before.
    Partly,
    /// Not at all.
    No,
}

/// The runbook of a check.
#[derive(Clone, Copy, Debug)]
pub struct Remedy {
    pub(crate) steps: &'static [Step],
    pub(crate) cautions: &'static [&'static str],
    pub(crate) who: &'static str,
    pub(crate) risk: Risk,
    pub(crate) reversible: Reversible,
    pub(crate) references: &'static [&'static str],
    pub(crate) verify: Option<&'static str>,
}

impl Remedy {
    /// A remedy of these steps, in this order; by default without risk and reversible.
    #[must_use]
    pub const fn new(steps: &'static [Step]) -> Self {
        Self {
            steps,
            cautions: &[],
            who: "",
            risk: Risk::None,
            reversible: Reversible::Yes,
            references: &[],
            verify: None,
        }
    }

    /// What can go wrong; shown with every finding.
    #[must_use]
    pub const fn cautions(mut self, cautions: &'static [&'static str]) -> Self {
        self.cautions = cautions;
        self
    }

    /// Who may do it: role or privilege.
    #[must_use]
    pub const fn who(mut self, who: &'static str) -> Self {
        self.who = who;
        self
    }

    /// How much harm the change can do, and whether it can be taken back.
    #[must_use]
    pub const fn risk(mut self, risk: Risk, reversible: Reversible) -> Self {
        self.risk = risk;
        self.reversible = reversible;
        self
    }

    /// Documents of the vendor to read.
    #[must_use]
    pub const fn references(mut self, references: &'static [&'static str]) -> Self {
        self.references = references;
        self
    }

    /// The check that proves the repair, when it is another one than this.
    #[must_use]
    pub const fn verify(mut self, check: &'static str) -> Self {
        self.verify = Some(check);
        self
    }
}
