//! Findings in the order in which they are told: one line for each check and severity, the worst first, and what
//! follows from another finding under it.

use crate::run::document::{CheckResult, Finding};
use std::collections::BTreeMap;
use tancheck_plugin_api::Severity;

/// Findings of one check that are alike.
pub(super) struct Group<'a> {
    pub(super) check: &'a CheckResult,
    pub(super) findings: Vec<&'a Finding>,
    /// It stands under the group of its cause.
    pub(super) is_under: bool,
}

impl<'a> Group<'a> {
    pub(super) fn first(&self) -> &'a Finding {
        self.findings[0]
    }

    /// What is said of the whole group.
    pub(super) fn line(&self) -> String {
        let first = self.first();
        let more = match self.findings.len() {
            0 | 1 => String::new(),
            count => format!(" (and {} more like it)", count - 1),
        };
        // Where the cause is told elsewhere, it is named.
        let cause = match &first.cause {
            Some(cause) if !self.is_under => format!(" (follows from {cause})"),
            _ => String::new(),
        };
        format!("{}: {}: {}{more}{cause}", self.check.id, first.subject.name, first.says)
    }

    /// What stands before the line: a branch where it is under its cause.
    pub(super) fn branch(&self) -> &'static str {
        if self.is_under { "└ " } else { "" }
    }
}

/// The groups of these findings, in the order in which they are told.
pub(super) fn folded<'a>(findings: Vec<(&'a CheckResult, &'a Finding)>) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(&str, Severity, Option<&str>), Group<'a>> = BTreeMap::new();
    for (check, finding) in findings {
        let key = (check.id.as_str(), finding.severity, finding.cause.as_deref());
        let group =
            groups.entry(key).or_insert_with(|| Group { check, findings: Vec::new(), is_under: false });
        group.findings.push(finding);
    }
    let groups: Vec<Group<'a>> = groups.into_values().collect();
    let causes: Vec<String> = groups.iter().map(|group| group.check.id.clone()).collect();
    let is_told =
        |group: &Group<'_>| group.first().cause.as_ref().is_some_and(|cause| causes.contains(cause));
    let (under, mut top): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_told);
    let mut by_cause: BTreeMap<&str, Vec<Group<'a>>> = BTreeMap::new();
    for group in under {
        let cause = group.first().cause.as_deref().unwrap_or_default();
        by_cause.entry(cause).or_default().push(Group { is_under: true, ..group });
    }
    // A small cause of something bad stands where the bad thing would.
    let worst = |group: &Group<'_>| {
        let followers = by_cause.get(group.check.id.as_str()).into_iter().flatten();
        followers.map(|one| one.first().severity).chain([group.first().severity]).max()
    };
    top.sort_by(|left, right| {
        let by = |group: &Group<'_>| (worst(group), group.first().severity);
        by(right).cmp(&by(left)).then_with(|| left.check.id.cmp(&right.check.id))
    });
    let mut all = Vec::new();
    for group in top {
        let followers = by_cause.remove(group.check.id.as_str()).unwrap_or_default();
        all.push(group);
        let at = all.len();
        all.extend(followers);
        all[at..].sort_by(|left, right| {
            let by = |group: &Group<'_>| group.first().severity;
            by(right).cmp(&by(left)).then_with(|| left.check.id.cmp(&right.check.id))
        });
    }
    // Causes that name each other stand for themselves.
    all.extend(by_cause.into_values().flatten().map(|group| Group { is_under: false, ..group }));
    all
}
