//! Which findings follow from others, as the checks declare it. Pure.

use super::document::CheckResult;
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::Severity;
use tancheck_plugin_api::manifest::Check;

/// What was found, by check: the key of each subject, and how bad it is.
type Found = BTreeMap<String, Vec<(String, Severity)>>;

/// Tells each finding the check that brought it about, where one that its own check names found something in this run.
/// A chain of causes is followed to its beginning.
pub fn attribute<'a>(results: &mut [CheckResult], checks: impl Iterator<Item = &'a Check>) {
    let declared: BTreeMap<&str, &Check> = checks.map(|check| (check.id.as_str(), check)).collect();
    let found: Found = results
        .iter()
        .filter(|result| !result.findings.is_empty())
        .map(|result| {
            let told = result.findings.iter().map(|one| (one.subject.key.clone(), one.severity));
            (result.id.clone(), told.collect())
        })
        .collect();
    for result in results {
        for finding in &mut result.findings {
            let own = [(finding.subject.key.clone(), finding.severity)];
            finding.cause = root(&declared, &found, &result.id, &own).map(str::to_owned);
        }
    }
}

/// Where the chain of causes of a check's finding begins; a circle ends where it closes.
fn root<'a>(
    declared: &BTreeMap<&str, &'a Check>,
    found: &'a Found,
    check: &'a str,
    own: &[(String, Severity)],
) -> Option<&'a str> {
    let mut seen = BTreeSet::from([check]);
    let mut at = cause_of(declared, found, check, own)?;
    while seen.insert(at) {
        let theirs = found.get(at).map(Vec::as_slice).unwrap_or_default();
        match cause_of(declared, found, at, theirs) {
            Some(next) if !seen.contains(next) => at = next,
            _ => break,
        }
    }
    Some(at)
}

/// The first of a check's causes that found something bad enough.
fn cause_of<'a>(
    declared: &BTreeMap<&str, &'a Check>,
    found: &Found,
    check: &str,
    own: &[(String, Severity)],
) -> Option<&'a str> {
    let causes = &declared.get(check)?.caused_by;
    let applies = |subject: &Option<String>| {
        subject.as_ref().is_none_or(|subject| own.iter().any(|(key, _)| key == subject))
    };
    let is_bad = |id: &str, least: Option<Severity>| {
        found.get(id).into_iter().flatten().any(|(_, severity)| least.is_none_or(|least| *severity >= least))
    };
    let cause =
        causes.iter().find(|cause| applies(&cause.subject) && is_bad(&cause.check, cause.severity))?;
    Some(&cause.check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::engine::fakes::{finding_of, result};
    use tancheck_plugin_api::manifest::Manifest;
    use tancheck_plugin_api::{Cause, Check as Author, Outcome, Plugin, Severity};

    const ROOT: Author = Author::automated("a.root");
    const CIRCLE: Author = Author::automated("a.circle").caused_by(&[Cause::check("a.square")]);
    const SQUARE: Author = Author::automated("a.square").caused_by(&[Cause::check("a.circle")]);
    const MIDDLE: Author =
        Author::automated("a.middle").caused_by(&[Cause::check("a.absent"), Cause::check("a.root")]);
    const LEAF: Author = Author::automated("a.leaf").caused_by(&[Cause::check("a.middle").of_subject("7")]);
    const LATER: Author = Author::automated("a.later")
        .caused_by(&[Cause::check("a.root").at_least(Severity::High), Cause::check("a.middle")]);
    const PLUGIN: Plugin =
        Plugin::new("a", "A", "1").checks(&[&ROOT, &MIDDLE, &LEAF, &CIRCLE, &SQUARE, &LATER]);

    /// The causes of the findings of some checks, each with findings on subjects of these keys.
    fn causes(found: &[(&str, &[&str])]) -> Vec<(String, Option<String>)> {
        causes_at(Severity::Low, found)
    }

    fn causes_at(severity: Severity, found: &[(&str, &[&str])]) -> Vec<(String, Option<String>)> {
        let mut results: Vec<CheckResult> = found
            .iter()
            .map(|(id, keys)| CheckResult {
                findings: keys.iter().map(|key| finding_of(id, key, severity)).collect(),
                ..result(id, Outcome::Finding)
            })
            .collect();
        let manifest = Manifest::of(&PLUGIN);
        attribute(&mut results, manifest.checks.iter());
        let findings = results.iter().flat_map(|one| &one.findings);
        findings.map(|one| (one.subject.key.clone(), one.cause.clone())).collect()
    }

    fn told(all: &[(String, Option<String>)]) -> Vec<(&str, Option<&str>)> {
        all.iter().map(|(key, cause)| (key.as_str(), cause.as_deref())).collect()
    }

    #[test]
    fn the_beginning_of_the_chain_is_the_cause() {
        let all = causes(&[("a.root", &["1"]), ("a.middle", &["2"]), ("a.leaf", &["7", "8"])]);
        let root = Some("a.root");
        assert_eq!(told(&all), [("1", None), ("2", root), ("7", root), ("8", None)]);
        let without = causes(&[("a.middle", &["2"]), ("a.leaf", &["7"])]);
        assert_eq!(told(&without), [("2", None), ("7", Some("a.middle"))]);
        assert_eq!(told(&causes(&[("a.root", &[]), ("a.middle", &["2"])])), [("2", None)]);
    }

    #[test]
    fn what_is_not_bad_enough_brings_nothing_about() {
        let both: &[(&str, &[&str])] = &[("a.root", &["1"]), ("a.later", &["2"])];
        assert_eq!(told(&causes_at(Severity::Medium, both)), [("1", None), ("2", None)]);
        assert_eq!(told(&causes_at(Severity::High, both)), [("1", None), ("2", Some("a.root"))]);
    }

    #[test]
    fn a_circle_ends() {
        let all = causes(&[("a.circle", &["1"]), ("a.square", &["2"])]);
        assert_eq!(told(&all), [("1", Some("a.square")), ("2", Some("a.circle"))]);
    }
}
