//! A procedure: ordered steps that a person takes, each with its verification, and with the deployment's own values
//! filled in. Data, never code; tancheck changes nothing.
//!
//! Texts may hold the last part of the ids of the procedure's values: `{endpoint-port}` is what the reading
//! `<plugin>.endpoint-port` reads.

use crate::reading::Reading;
use crate::remedy::{Reversible, Risk, Step};

/// How one sees that a step is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verified {
    Checks(&'static [&'static str]),
    Seen(&'static str),
}

/// One step, and how one sees that it is done.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub(crate) step: Step,
    pub(crate) verified: Verified,
    pub(crate) from_guide: bool,
}

impl Task {
    /// A step that is done when a person sees this.
    #[must_use]
    pub const fn seen(step: Step, sees: &'static str) -> Self {
        Self { step, verified: Verified::Seen(sees), from_guide: false }
    }

    /// A step that is done when these checks pass.
    #[must_use]
    pub const fn checked(step: Step, checks: &'static [&'static str]) -> Self {
        Self { step, verified: Verified::Checks(checks), from_guide: false }
    }

    /// The vendor's guide itself asks for this step; without it, the step is derived.
    #[must_use]
    pub const fn from_guide(mut self) -> Self {
        self.from_guide = true;
        self
    }
}

/// Steps that a person takes, in order.
#[derive(Clone, Copy, Debug)]
pub struct Procedure {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
    pub(crate) sections: &'static [&'static str],
    pub(crate) tasks: &'static [Task],
    pub(crate) values: &'static [&'static Reading],
    pub(crate) guard: Option<(&'static Reading, &'static str)>,
    pub(crate) cautions: &'static [&'static str],
    pub(crate) who: &'static str,
    pub(crate) risk: Risk,
    pub(crate) reversible: Reversible,
    pub(crate) next: &'static str,
}

impl Procedure {
    /// A procedure with this id (kebab-case), its title, and when it is needed.
    #[must_use]
    pub const fn new(id: &'static str, title: &'static str, about: &'static str) -> Self {
        Self {
            id,
            title,
            about,
            sections: &[],
            tasks: &[],
            values: &[],
            guard: None,
            cautions: &[],
            who: "",
            risk: Risk::None,
            reversible: Reversible::Yes,
            next: "",
        }
    }

    /// The steps.
    #[must_use]
    pub const fn tasks(mut self, tasks: &'static [Task]) -> Self {
        self.tasks = tasks;
        self
    }

    /// The sections of the vendor's documents that describe it.
    #[must_use]
    pub const fn sections(mut self, sections: &'static [&'static str]) -> Self {
        self.sections = sections;
        self
    }

    /// What the placeholders of texts are filled with.
    #[must_use]
    pub const fn values(mut self, readings: &'static [&'static Reading]) -> Self {
        self.values = readings;
        self
    }

    /// The procedure is not shown, unless the person insists, while this reading reads anything: what stands against
    /// it, one thing a line; and why that is.
    #[must_use]
    pub const fn guarded_by(mut self, reading: &'static Reading, why: &'static str) -> Self {
        self.guard = Some((reading, why));
        self
    }

    /// What can go wrong.
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

    /// How much harm it can do, and whether it can be taken back.
    #[must_use]
    pub const fn risk(mut self, risk: Risk, reversible: Reversible) -> Self {
        self.risk = risk;
        self.reversible = reversible;
        self
    }

    /// The procedure that follows.
    #[must_use]
    pub const fn next(mut self, procedure: &'static str) -> Self {
        self.next = procedure;
        self
    }
}
