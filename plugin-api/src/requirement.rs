//! Minimum versions by line: "7.2.314.2831 or later, 7.3.314.3668 or later, 7.4.1.1939 or later".
//!
//! A line is the first two fields of a version. Each line has a minimum of its own, and only that one counts: 7.3.314.2831
//! is greater than the minimum of line 7.2 and still too old, because line 7.3 asks for 7.3.314.3668. A version of a
//! line that is newer than all listed ones meets the requirement; one between two listed lines is not covered by it.
//!
//! Nothing is guessed: `7.4.1` cannot be compared with 7.4.1.1939, and says so.
//!
//! ```
//! use tancheck_plugin_api::ProductVersion;
//! use tancheck_plugin_api::requirement::{Requirement, Verdict};
//!
//! const PLATFORM: Requirement = Requirement::lines("core-platform", &["7.3.314.3668", "7.4.1.1939"]);
//!
//! let verdict = |text: &str| PLATFORM.judge(&ProductVersion::new(text));
//! assert_eq!(verdict("7.4.2.2033"), Verdict::Meets);
//! assert_eq!(verdict("7.3.314.3667").name(), "below-line-minimum");
//! assert_eq!(verdict("7.2.315.1").name(), "line-too-old");
//! ```

use crate::{Facts, ProductVersion, Setting, Undecided};
use std::cmp::Ordering;

/// The minimum versions of one thing, as a document of the vendor lists them.
#[derive(Clone, Copy, Debug)]
pub struct Requirement {
    subject: &'static str,
    minimums: &'static [&'static str],
    by_line: bool,
}

/// What a version is in the eyes of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is at least the minimum.
    Meets,
    /// It is below the minimum of its own line, or below the only minimum there is.
    BelowLineMinimum {
        /// That minimum.
        need: ProductVersion,
    },
    /// Its line is older than every listed one.
    LineTooOld {
        /// The minimum of the oldest listed line.
        oldest: ProductVersion,
    },
    /// Its line is newer than every listed one: later than all of them, and not named by the document.
    NewerLine {
        /// The newest listed line.
        newest: String,
    },
    /// Its line lies between two listed ones and is not listed itself.
    UnlistedLine {
        /// The next older listed line.
        below: String,
        /// The minimum of the next newer listed line.
        above: ProductVersion,
    },
    /// It has too few fields to be compared with this minimum.
    Indeterminate {
        /// The minimum it cannot be compared with; none where not even the line can be told.
        need: Option<ProductVersion>,
    },
    /// It is no version: not one to four numbers with dots between them.
    Unparseable,
}

impl Verdict {
    /// The name used in reports: `meets`, `below-line-minimum`…
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Meets => "meets",
            Self::BelowLineMinimum { .. } => "below-line-minimum",
            Self::LineTooOld { .. } => "line-too-old",
            Self::NewerLine { .. } => "newer-line",
            Self::UnlistedLine { .. } => "unlisted-line",
            Self::Indeterminate { .. } => "indeterminate",
            Self::Unparseable => "unparseable",
        }
    }

    /// Whether the version will do: it meets the minimum, or its line is newer than all listed ones.
    #[must_use]
    pub const fn is_met(&self) -> bool {
        matches!(self, Self::Meets | Self::NewerLine { .. })
    }

    /// Whether nothing can be said of the version.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Indeterminate { .. } | Self::Unparseable)
    }

    /// The verdict in words, to be put behind the version: `7.1.2 is of a line older than any that is supported…`.
    #[must_use]
    pub fn says(&self) -> String {
        match self {
            Self::Meets => "is new enough".to_owned(),
            Self::BelowLineMinimum { need } => format!("is below {need}"),
            Self::LineTooOld { oldest } => {
                format!("is of a line that is older than all supported ones; the oldest begins with {oldest}")
            }
            Self::NewerLine { newest } => format!("is of a later line than {newest}, the newest listed one"),
            Self::UnlistedLine { below, above } => {
                format!("is of a line that is not listed: it lies between {below} and {above}")
            }
            Self::Indeterminate { need: Some(need) } => {
                format!("has too few fields to be compared with {need}")
            }
            Self::Indeterminate { need: None } => "has too few fields to tell its line".to_owned(),
            Self::Unparseable => "is no version".to_owned(),
        }
    }
}

impl Requirement {
    /// Minimums of several lines; the first two fields of each are its line.
    #[must_use]
    pub const fn lines(subject: &'static str, minimums: &'static [&'static str]) -> Self {
        Self { subject, minimums, by_line: true }
    }

    /// One minimum for all lines: a plain comparison.
    #[must_use]
    pub const fn at_least(subject: &'static str, minimum: &'static [&'static str; 1]) -> Self {
        Self { subject, minimums: minimum, by_line: false }
    }

    /// What the requirement is about: the key by which a site overrides it.
    #[must_use]
    pub const fn subject(&self) -> &'static str {
        self.subject
    }

    /// What a version is by the document's own minimums.
    #[must_use]
    pub fn judge(&self, observed: &ProductVersion) -> Verdict {
        self.table(self.minimums).judge(observed)
    }

    /// The minimums that are in force here: the document's own, or those that the site's `overrides` (a
    /// [table](Setting::table)) name for this subject. A key is the subject, or `<subject>@<version>` for the module
    /// from this version on: of those that `module` has reached, the newest counts.
    ///
    /// # Errors
    /// When the site's minimums are none.
    pub fn in_force(
        &self,
        facts: &Facts<'_>,
        overrides: &'static Setting,
        module: Option<&ProductVersion>,
    ) -> Result<Minimums, Undecided> {
        let table = facts.table(overrides);
        let reached = table.iter().filter_map(|(&key, texts)| {
            let (subject, from) = key.split_once('@').unwrap_or((key, ""));
            let from = ProductVersion::new(from);
            let applies = from.as_str().is_empty() || module.is_some_and(|module| *module >= from);
            (subject == self.subject && applies).then_some((from, key, texts))
        });
        let Some((_, key, texts)) = reached.max_by(|one, other| one.0.cmp(&other.0)) else {
            return Ok(self.table(self.minimums));
        };
        let bad = texts.iter().find(|text| numbers(&ProductVersion::new(text)).is_none());
        let too_many = !self.by_line && texts.len() > 1;
        if let Some(bad) = bad {
            return Err(unusable(overrides, key, &format!("{bad:?} is no version")));
        }
        if texts.is_empty() || too_many {
            let wanted = if self.by_line { "at least one minimum" } else { "one minimum" };
            return Err(unusable(overrides, key, &format!("{wanted} is needed, {} are there", texts.len())));
        }
        let minimums = self.table(texts);
        match minimums.lines.iter().find(|line| self.by_line && line.fields.len() < 2) {
            Some(line) => Err(unusable(overrides, key, &format!("{} does not tell its line", line.minimum))),
            None => Ok(Minimums { from_site: true, ..minimums }),
        }
    }

    fn table(&self, minimums: &[&str]) -> Minimums {
        let line = |text: &&str| {
            let minimum = ProductVersion::new(text);
            Line { fields: numbers(&minimum).unwrap_or_default(), minimum }
        };
        let mut lines: Vec<Line> = minimums.iter().map(line).collect();
        lines.sort_by(|one, other| one.fields.cmp(&other.fields));
        Minimums { by_line: self.by_line, from_site: false, lines }
    }
}

fn unusable(overrides: &Setting, key: &str, problem: &str) -> Undecided {
    Undecided::not_evaluated(format!("correct {key} in `{}`: {problem}", overrides.key()))
}

/// The minimums that count: those of the document or of the site.
#[derive(Clone, Debug)]
pub struct Minimums {
    by_line: bool,
    from_site: bool,
    lines: Vec<Line>,
}

/// A line and its minimum.
#[derive(Clone, Debug)]
struct Line {
    minimum: ProductVersion,
    fields: Vec<u64>,
}

impl Line {
    /// The line's name: the first two fields of its minimum.
    fn name(&self) -> String {
        self.head().iter().map(u64::to_string).collect::<Vec<_>>().join(".")
    }

    fn head(&self) -> &[u64] {
        &self.fields[..self.fields.len().min(2)]
    }

    /// Field by field over the minimum's fields: the first difference decides, more fields do not matter.
    fn judge(&self, observed: &[u64]) -> Verdict {
        for (position, need) in self.fields.iter().enumerate() {
            let Some(found) = observed.get(position) else {
                let rest_is_zero = self.fields[position..].iter().all(|&field| field == 0);
                return if rest_is_zero {
                    Verdict::Meets
                } else {
                    Verdict::Indeterminate { need: Some(self.minimum.clone()) }
                };
            };
            match found.cmp(need) {
                Ordering::Less => return Verdict::BelowLineMinimum { need: self.minimum.clone() },
                Ordering::Greater => return Verdict::Meets,
                Ordering::Equal => {}
            }
        }
        Verdict::Meets
    }
}

impl Minimums {
    /// What a version is by these minimums.
    #[must_use]
    pub fn judge(&self, observed: &ProductVersion) -> Verdict {
        let Some(fields) = numbers(observed) else { return Verdict::Unparseable };
        let (Some(lowest), Some(highest)) = (self.lines.first(), self.lines.last()) else {
            return Verdict::Meets;
        };
        if !self.by_line {
            return highest.judge(&fields);
        }
        let Some(head) = fields.get(..2) else { return Verdict::Indeterminate { need: None } };
        if let Some(line) = self.lines.iter().find(|line| line.head() == head) {
            return line.judge(&fields);
        }
        if head < lowest.head() {
            return Verdict::LineTooOld { oldest: lowest.minimum.clone() };
        }
        let Some(above) = self.lines.iter().position(|line| line.head() > head) else {
            return Verdict::NewerLine { newest: highest.name() };
        };
        Verdict::UnlistedLine {
            below: self.lines[above - 1].name(),
            above: self.lines[above].minimum.clone(),
        }
    }

    /// Whether the site set them.
    #[must_use]
    pub const fn from_site(&self) -> bool {
        self.from_site
    }

    /// The minimums in words: `7.2.314.2831, 7.3.314.3668 or 7.4.1.1939, each within its line`.
    #[must_use]
    pub fn describe(&self) -> String {
        let texts: Vec<&str> = self.lines.iter().map(|line| line.minimum.as_str()).collect();
        match texts.as_slice() {
            [] => "any version".to_owned(),
            [one] => format!("{one} or later"),
            [all @ .., last] => {
                format!("at least {} or {last}, by the line it is of", all.join(", "))
            }
        }
    }
}

/// The fields of a version: one to four numbers; nothing for any other text.
fn numbers(version: &ProductVersion) -> Option<Vec<u64>> {
    let text = version.as_str().trim_start_matches(['v', 'V']);
    if version.as_str().len() - text.len() > 1 {
        return None;
    }
    let is_number = |field: &&str| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
    let fields: Vec<&str> = text.split('.').collect();
    if fields.len() > 4 || !fields.iter().all(is_number) {
        return None;
    }
    fields.into_iter().map(|field| field.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Case;
    use crate::{Check, Finding, Input, Source, Subject};
    use serde_json::json;

    const PLATFORM: Requirement =
        Requirement::lines("core-platform", &["7.2.314.2831", "7.3.314.3668", "7.4.1.1939"]);
    const CLIENT: Requirement = Requirement::lines("client", &["7.2.314.3211", "7.4.1.1955"]);
    const AUTO: Requirement = Requirement::at_least("auto-config", &["7.4.2"]);
    const TANOS: Requirement = Requirement::at_least("tanos", &["1.5.2"]);
    const TANOS_MENU: Requirement = Requirement::at_least("tanos-menu", &["1.5.5"]);
    const MAP: Requirement = Requirement::at_least("map", &["1.1.1.0006"]);

    #[test]
    fn every_row_of_the_truth_table() {
        let rows: &[(&Requirement, &str, &str)] = &[
            (&PLATFORM, "7.2.314.2830", "below-line-minimum"),
            (&PLATFORM, "7.2.314.2831", "meets"),
            (&PLATFORM, "7.2.315.1", "meets"),
            (&PLATFORM, "7.3.314.2831", "below-line-minimum"),
            (&PLATFORM, "7.3.314.3667", "below-line-minimum"),
            (&PLATFORM, "7.3.314.3668", "meets"),
            (&PLATFORM, "7.3.315.0", "meets"),
            (&PLATFORM, "7.4.0.9999", "below-line-minimum"),
            (&PLATFORM, "7.4.1.1938", "below-line-minimum"),
            (&PLATFORM, "7.4.1.1939", "meets"),
            (&PLATFORM, "7.4.1.01939", "meets"),
            (&PLATFORM, "7.4.2", "meets"),
            (&PLATFORM, "7.4.1", "indeterminate"),
            (&PLATFORM, "7.4", "indeterminate"),
            (&PLATFORM, "7", "indeterminate"),
            (&PLATFORM, "7.4.6.1154", "meets"),
            (&PLATFORM, "7.5.2.3531", "newer-line"),
            (&PLATFORM, "7.6.1.0", "newer-line"),
            (&PLATFORM, "8.0.0.0", "newer-line"),
            (&PLATFORM, "7.1.314.3071", "line-too-old"),
            (&PLATFORM, "7.0.314.6085", "line-too-old"),
            (&PLATFORM, "6.5.314.4301", "line-too-old"),
            (&PLATFORM, "6.2.314.3321", "line-too-old"),
            (&PLATFORM, "abc", "unparseable"),
            (&CLIENT, "7.2.314.3210", "below-line-minimum"),
            (&CLIENT, "7.2.314.3211", "meets"),
            (&CLIENT, "7.3.0.1", "unlisted-line"),
            (&CLIENT, "7.4.1.1954", "below-line-minimum"),
            (&CLIENT, "7.4.1.1955", "meets"),
            (&CLIENT, "7.4.2.2033", "meets"),
            (&CLIENT, "7.5.1.0", "newer-line"),
            (&CLIENT, "7.6.2.0", "newer-line"),
            (&CLIENT, "6.0.314.1195", "line-too-old"),
            (&AUTO, "7.4.1.1939", "below-line-minimum"),
            (&AUTO, "7.4.2.0", "meets"),
            (&AUTO, "7.5.2.3531", "meets"),
            (&TANOS, "1.5.1", "below-line-minimum"),
            (&TANOS, "1.5.4", "meets"),
            (&TANOS_MENU, "1.5.4", "below-line-minimum"),
            (&TANOS_MENU, "1.5.5", "meets"),
            (&TANOS_MENU, "1.10.0", "meets"),
            (&MAP, "1.1.1.0005", "below-line-minimum"),
            (&MAP, "1.1.1.0006", "meets"),
        ];
        for (requirement, observed, expected) in rows {
            let verdict = requirement.judge(&ProductVersion::new(observed));
            assert_eq!(verdict.name(), *expected, "{} {observed}", requirement.subject());
        }
    }

    #[test]
    fn texts_that_are_no_versions() {
        for text in [
            "",
            "v",
            "vv7.4.1.1939",
            "7.4.1.1939 (build 3)",
            "7.4.1.1939-rc1",
            "7.4.1.1939+1",
            "7.4.1.1939.5",
            "7..4",
            "7.4.",
            "-7.4.1.1939",
            "99999999999999999999.4.1.1",
            "[current result unavailable]",
        ] {
            assert_eq!(PLATFORM.judge(&ProductVersion::new(text)), Verdict::Unparseable, "{text:?}");
        }
        assert_eq!(PLATFORM.judge(&ProductVersion::new(" v7.4.1.1939 ")), Verdict::Meets);
    }

    #[test]
    fn a_minimum_that_ends_in_zeros_asks_for_no_more_fields() {
        const ZEROS: Requirement = Requirement::at_least("x", &["2.1.0.0"]);
        assert_eq!(ZEROS.judge(&ProductVersion::new("2.1")), Verdict::Meets);
        assert_eq!(ZEROS.judge(&ProductVersion::new("2")).name(), "indeterminate");
    }

    #[test]
    fn a_verdict_says_what_is_missing() {
        let says = |text: &str| CLIENT.judge(&ProductVersion::new(text)).says();
        assert_eq!(says("7.2.314.3210"), "is below 7.2.314.3211");
        assert_eq!(says("7.3.0.1"), "is of a line that is not listed: it lies between 7.2 and 7.4.1.1955");
        assert!(says("6.0").ends_with("begins with 7.2.314.3211"), "{}", says("6.0"));
        assert!(says("7.9.1").contains("newest listed") && says("7.4.1").contains("too few fields"));
        let all = PLATFORM.table(PLATFORM.minimums).describe();
        assert_eq!(all, "at least 7.2.314.2831, 7.3.314.3668 or 7.4.1.1939, by the line it is of");
    }

    const VERSION: Input = Input::new("x.version", "version").sources(&[Source::rest("/api/v2/x").value()]);
    const OVERRIDES: Setting = Setting::table("requirements");
    const CHECK: Check =
        Check::automated("x.version").reads(&[&VERSION]).settings(&[&OVERRIDES]).judge(|facts, report| {
            let module = ProductVersion::new("2.1.0.0100");
            let minimums = PLATFORM.in_force(facts, &OVERRIDES, Some(&module))?;
            let observed = ProductVersion::new(&facts.value::<String>(&VERSION)?);
            let verdict = minimums.judge(&observed);
            if !verdict.is_met() {
                report.finding(Finding::on(Subject::new("verdict", verdict.name(), verdict.says())));
            }
            Ok(())
        });

    fn verdict_with(requirements: serde_json::Value, observed: &str) -> Case {
        Case::of(&CHECK).value(&VERSION, observed).setting("requirements", requirements)
    }

    #[test]
    fn a_site_can_raise_the_floor() {
        let floor = json!({"core-platform": ["7.4.3.1204", "7.3.314.4250"], "client": ["9.9.9.9"]});
        verdict_with(json!({}), "7.4.1.1939").judge().assert_pass();
        verdict_with(floor.clone(), "7.4.1.1939").judge().assert_findings(&["below-line-minimum"]);
        verdict_with(floor.clone(), "7.2.315.1").judge().assert_findings(&["line-too-old"]);
        verdict_with(floor, "7.3.314.4250").judge().assert_pass();
    }

    #[test]
    fn of_the_tables_for_module_versions_the_newest_that_is_reached_counts() {
        let tables = json!({"core-platform": "7.4.1.1", "core-platform@2.0": "7.4.2.1",
                            "core-platform@2.2": "7.4.9.1"});
        verdict_with(tables.clone(), "7.4.2.1").judge().assert_pass();
        verdict_with(tables, "7.4.1.9").judge().assert_findings(&["below-line-minimum"]);
        verdict_with(json!({"core-platform@2.2": "7.4.9.1"}), "7.4.1.1939").judge().assert_pass();
    }

    #[test]
    fn minimums_that_are_none_are_named() {
        for (bad, word) in [
            (json!({"core-platform": ["seven"]}), "\"seven\" is no version"),
            (json!({"core-platform": []}), "at least one minimum is needed"),
            (json!({"core-platform": "7"}), "7 does not tell its line"),
        ] {
            let verdict = verdict_with(bad, "7.4.1.1939").judge();
            let why = &verdict.undecided().expect("nothing can be decided").reason;
            assert!(why.contains(word) && why.contains("`requirements`"), "{why}");
        }
    }
}
