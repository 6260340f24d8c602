//! What diagnoses and procedures share on the page: runbooks, and where a sentence comes from.

use super::output::{FAINT, WARNING};
use super::text;
use crate::report::page::clean;
use crate::report::text::one_step;
use crate::run::document::Remedy;
use std::collections::BTreeMap;

/// A runbook: numbered steps, cautions, who, and how it is proved.
pub(super) fn runbook(remedy: &Remedy) -> String {
    let mut out = String::new();
    for (number, step) in (1..).zip(&remedy.steps) {
        out.push_str(&text::item(number, &sentence(step), 2));
    }
    out.push_str(&cautions(&remedy.cautions));
    out.push_str(&faint(&risk(&remedy.who, &remedy.risk, &remedy.reversible), 2));
    if !remedy.verify.is_empty() {
        out.push_str(&format!("  Afterwards: tancheck run --check {}\n", clean(&remedy.verify)));
    }
    for reference in &remedy.references {
        out.push_str(&faint(&clean(reference), 2));
    }
    out
}

/// Who may do it, and what it can do.
pub(super) fn risk(who: &str, risk: &str, reversible: &str) -> String {
    clean(&format!("Who: {} · risk {risk} · can be taken back: {reversible}", who.trim_end_matches('.')))
}

/// A step as one sentence.
pub(super) fn sentence(step: &BTreeMap<String, String>) -> String {
    clean(&one_step(step))
}

/// What can go wrong.
pub(super) fn cautions(cautions: &[String]) -> String {
    let line = |caution: &String| {
        let lines = text::wrapped(&format!("Caution: {}", clean(caution)), 2);
        lines.replacen("Caution:", &format!("{WARNING}Caution:{WARNING:#}"), 1)
    };
    cautions.iter().map(line).collect()
}

/// Less important lines.
pub(super) fn faint(words: &str, indent: usize) -> String {
    let lines = text::wrapped(words, indent);
    lines.lines().map(|line| format!("{FAINT}{line}{FAINT:#}\n")).collect()
}

/// Where a sentence comes from.
pub(super) const fn origin(from_guide: bool) -> &'static str {
    if from_guide { "from the guide" } else { "derived" }
}
