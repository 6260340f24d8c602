//! A check: what it looks at, when, why, and the pure function that judges.

use crate::facts::Facts;
use crate::finding::{Report, Severity};
use crate::input::Input;
use crate::outcome::Undecided;
use crate::remedy::Remedy;
use crate::setting::Setting;

/// A judge turns facts into findings. It is pure: no I/O, no clock, no state.
///
/// `Ok(())` with no finding means that everything was seen and is healthy. An `Err` says why nothing could be decided.
/// Findings that were reported before an `Err` stay: what was proved is not lost.
pub type Judge = fn(&Facts<'_>, &mut Report) -> Result<(), Undecided>;

/// How a check comes to its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Judged from inputs alone.
    Automated,
    /// Only a person can do it. With a judge, the judge lists what awaits an attestation.
    Attested,
    /// Judged from inputs; a person may confirm what the judge lists, and such an item then counts as settled until
    /// the confirmation expires or the state it confirmed changes.
    Hybrid,
}

/// How often the maintenance guide asks for a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cadence {
    /// Once, when the deployment is set up.
    Setup,
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every three months.
    Quarterly,
    /// Every six months.
    SemiAnnual,
    /// Every year.
    Annual,
    /// When an event calls for it.
    AsNeeded,
}

impl Cadence {
    /// Every cadence, the shortest period first.
    pub const ALL: [Self; 7] = [
        Self::Weekly,
        Self::Monthly,
        Self::Quarterly,
        Self::SemiAnnual,
        Self::Annual,
        Self::AsNeeded,
        Self::Setup,
    ];

    /// The name used in configuration, reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Quarterly => "quarterly",
            Self::SemiAnnual => "semi-annual",
            Self::Annual => "annual",
            Self::AsNeeded => "as-needed",
        }
    }

    /// The length of one period in days; `None` where there is no period.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        match self {
            Self::Weekly => Some(7),
            Self::Monthly => Some(30),
            Self::Quarterly => Some(90),
            Self::SemiAnnual => Some(182),
            Self::Annual => Some(365),
            Self::Setup | Self::AsNeeded => None,
        }
    }
}

/// A place in a guide of the vendor: in the maintenance guide, unless [`GuideReference::of`] names another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct GuideReference {
    /// The section's title.
    pub section: &'static str,
    /// The page it begins on.
    pub page: u16,
    /// The guide's title with its version; empty: the maintenance guide.
    pub of: &'static str,
}

impl GuideReference {
    /// The same place in another guide, by title and version: `Direct Connect User Guide 1.5.12`.
    #[must_use]
    pub const fn of(mut self, guide: &'static str) -> Self {
        self.of = guide;
        self
    }
}

/// A check whose findings bring about those of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    pub(crate) check: &'static str,
    pub(crate) subject: Option<&'static str>,
    pub(crate) severity: Option<Severity>,
}

impl Cause {
    /// All findings may follow from those of the check with this id.
    #[must_use]
    pub const fn check(id: &'static str) -> Self {
        Self { check: id, subject: None, severity: None }
    }

    /// Only the finding whose subject has this key.
    #[must_use]
    pub const fn of_subject(mut self, key: &'static str) -> Self {
        self.subject = Some(key);
        self
    }

    /// Only what is at least as bad as this brings anything about: a certificate that has expired, not one that will.
    #[must_use]
    pub const fn at_least(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}

/// One check: metadata as data, and a judge.
///
/// ```
/// use tancheck_plugin_api::prelude::*;
///
/// const LICENSE: Input = Input::new("example.license", "The licence as the server reports it")
///     .sources(&[Source::rest("/api/v2/license").object()]);
///
/// pub const EXPIRED: Check = Check::automated("example.license-expired")
///     .title("The licence has days left")
///     .cadence(&[Cadence::Weekly])
///     .severity(Severity::High)
///     .reads(&[&LICENSE])
///     .guide(&[guide("Check the endpoint count", 12)])
///     .what("Reads the licence and looks at the days that are left.")
///     .why("An expired licence stops every module.")
///     .remedy(&REMEDY)
///     .judge(license_expired);
///
/// const REMEDY: Remedy = Remedy::new(&[Step::consult("Tanium Support", "ask for a new licence file")]);
///
/// fn license_expired(facts: &Facts, report: &mut Report) -> Result<(), Undecided> {
///     let license: serde_json::Value = facts.object(&LICENSE)?;
///     // …
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Check {
    pub(crate) id: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) title: &'static str,
    pub(crate) cadence: &'static [Cadence],
    pub(crate) severity: Severity,
    pub(crate) reads: &'static [&'static Input],
    pub(crate) settings: &'static [&'static Setting],
    pub(crate) learns: &'static [&'static Setting],
    pub(crate) due_every: Option<&'static Setting>,
    pub(crate) guide: &'static [GuideReference],
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
    pub(crate) limits: &'static str,
    pub(crate) applies: &'static str,
    pub(crate) remedy: Option<&'static Remedy>,
    pub(crate) related: &'static [&'static str],
    pub(crate) renewed_by: &'static [&'static str],
    pub(crate) caused_by: &'static [Cause],
    pub(crate) even_if_absent: bool,
    pub(crate) beyond: bool,
    pub(crate) judge: Option<Judge>,
}

impl Check {
    /// A check that is judged from inputs alone. `id` is `<plugin>.<problem-or-state>`, unique and never reused.
    #[must_use]
    pub const fn automated(id: &'static str) -> Self {
        Self::new(id, Kind::Automated)
    }

    /// A task that only a person can do. Without a judge it asks for one attestation each period; with a judge, for
    /// one for each finding that the judge lists.
    #[must_use]
    pub const fn attested(id: &'static str) -> Self {
        Self::new(id, Kind::Attested)
    }

    /// A check that is judged, and whose findings a person may confirm as intended.
    #[must_use]
    pub const fn hybrid(id: &'static str) -> Self {
        Self::new(id, Kind::Hybrid)
    }

    const fn new(id: &'static str, kind: Kind) -> Self {
        Self {
            id,
            aliases: &[],
            kind,
            title: "",
            cadence: &[],
            severity: Severity::Medium,
            reads: &[],
            settings: &[],
            learns: &[],
            due_every: None,
            guide: &[],
            what: "",
            why: "",
            limits: "",
            applies: "",
            remedy: None,
            related: &[],
            renewed_by: &[],
            caused_by: &[],
            even_if_absent: false,
            beyond: false,
            judge: None,
        }
    }

    /// The state that is good, as a short sentence. `{module}` stands for the plugin's title.
    #[must_use]
    pub const fn title(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// How often the guide asks for it.
    #[must_use]
    pub const fn cadence(mut self, cadence: &'static [Cadence]) -> Self {
        self.cadence = cadence;
        self
    }

    /// The severity of a finding, unless the finding says otherwise.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The inputs that the judge may ask for. An input that is not named here cannot be read.
    #[must_use]
    pub const fn reads(mut self, inputs: &'static [&'static Input]) -> Self {
        self.reads = inputs;
        self
    }

    /// The settings that the judge may ask for.
    #[must_use]
    pub const fn settings(mut self, settings: &'static [&'static Setting]) -> Self {
        self.settings = settings;
        self
    }

    /// Those of its settings for which the judge [proposes](crate::Report::propose) what it saw: expected values of the
    /// site, that a person looks at once and accepts. No other check of the plugin learns them, except for tables: of a
    /// table each check proposes all that it holds, with changes of its own.
    #[must_use]
    pub const fn learns(mut self, settings: &'static [&'static Setting]) -> Self {
        self.learns = settings;
        self
    }

    /// The setting (days) that tells how long an attestation of this check is good for. Without it, the shortest
    /// cadence decides. On a hybrid check it also asks for a review: clean findings pass only while such a review
    /// is in date.
    #[must_use]
    pub const fn due_every(mut self, days: &'static Setting) -> Self {
        self.due_every = Some(days);
        self
    }

    /// The sections of the maintenance guide, or of a module's own guide, that ask for this.
    #[must_use]
    pub const fn guide(mut self, references: &'static [GuideReference]) -> Self {
        self.guide = references;
        self
    }

    /// What the check does: inputs, rule, threshold.
    #[must_use]
    pub const fn what(mut self, text: &'static str) -> Self {
        self.what = text;
        self
    }

    /// Why it matters to the administrator.
    #[must_use]
    pub const fn why(mut self, text: &'static str) -> Self {
        self.why = text;
        self
    }

    /// When the check can be wrong, or sees less than it should.
    #[must_use]
    pub const fn limits(mut self, text: &'static str) -> Self {
        self.limits = text;
        self
    }

    /// Where the check applies, when not everywhere the module is: "several Zone Servers", "VDI used".
    #[must_use]
    pub const fn applies(mut self, text: &'static str) -> Self {
        self.applies = text;
        self
    }

    /// What to do about a finding. For a check without a judge: the steps of the task.
    #[must_use]
    pub const fn remedy(mut self, remedy: &'static Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }

    /// Checks of this or other plugins that bear on this one, for the reader of a report.
    #[must_use]
    pub const fn related(mut self, ids: &'static [&'static str]) -> Self {
        self.related = ids;
        self
    }

    /// For a task that is done once: the tasks that have to be in date for it to stay done.
    #[must_use]
    pub const fn renewed_by(mut self, ids: &'static [&'static str]) -> Self {
        self.renewed_by = ids;
        self
    }

    /// Checks of this or other plugins whose findings bring about findings of this one, the most basic first. Where one
    /// of them found something in the same run, reports show what this check found under it, and not beside it.
    #[must_use]
    pub const fn caused_by(mut self, causes: &'static [Cause]) -> Self {
        self.caused_by = causes;
        self
    }

    /// Ids this check had earlier. Waivers, history and attestations of these ids stay in force.
    #[must_use]
    pub const fn aliases(mut self, ids: &'static [&'static str]) -> Self {
        self.aliases = ids;
        self
    }

    /// Judged even where the module is not installed or licensed (for checks that look at exactly this).
    #[must_use]
    pub const fn even_if_absent(mut self) -> Self {
        self.even_if_absent = true;
        self
    }

    /// Not asked for by a guide of the vendor; made possible by its documents.
    #[must_use]
    pub const fn beyond(mut self) -> Self {
        self.beyond = true;
        self
    }

    /// The function that judges.
    #[must_use]
    pub const fn judge(mut self, judge: Judge) -> Self {
        self.judge = Some(judge);
        self
    }

    /// The check's id.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }
}

/// A place in the vendor's maintenance guide: section title and page. [`GuideReference::of`] makes it one in another.
#[must_use]
pub const fn guide(section: &'static str, page: u16) -> GuideReference {
    GuideReference { section, page, of: "" }
}
