//! A diagnosis for people: the path with its evidence, then the leaf, then the steps.

use crate::calendar::{day, moment};
use crate::cli::guided::{faint, origin, runbook};
use crate::cli::output::{FAINT, GOOD, HEADING, WARNING};
use crate::cli::text;
use crate::diagnose::document::{Asks, Diagnosis, Group, Leaf, Passed, Walked};
use crate::report::page::{clean, color_of};
use crate::run::outcome::counted;
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::fmt::Write;
use tancheck_plugin_api::Target;
use tancheck_plugin_api::manifest::{Decided, Tree};

/// The whole of it. `many`: the groups alone, each with its runbook.
pub(super) fn diagnosis(document: &Diagnosis, many: bool, zone: &TimeZone) -> String {
    let mut out = format!("{HEADING}{}{HEADING:#}", clean(&document.title));
    writeln!(
        out,
        "  {FAINT}{} · {} · {}{FAINT:#}",
        document.plugin,
        document.deployment,
        day(document.at, zone)
    )
    .expect("a string grows");
    match document.walks.as_slice() {
        [one] if !many => out.push_str(&walked(one, zone)),
        [] => out.push_str("\nNothing failed that could be diagnosed.\n"),
        walks => {
            out.push_str(&at_a_glance(&document.groups, walks.len()));
            for group in &document.groups {
                out.push_str(&of_group(group, walks));
            }
        }
    }
    if !document.problems.is_empty() {
        out.push('\n');
    }
    for problem in &document.problems {
        let lines = text::wrapped(&format!("Problem: {}", clean(problem)), 2);
        out.push_str(&lines.replacen("Problem:", &format!("{WARNING}Problem:{WARNING:#}"), 1));
    }
    out
}

/// The path of one walk, and where it ended.
fn walked(walked: &Walked, zone: &TimeZone) -> String {
    let mut out = format!("{} {HEADING}{}{HEADING:#}\n\n", walked.kind, clean(&walked.subject));
    out.push_str(&stages(&walked.path, 1, zone));
    let gap = if walked.path.is_empty() { "" } else { "\n" };
    for leaf in &walked.added {
        out.push_str("\nOn the way: ");
        out.push_str(&of_leaf(leaf));
    }
    if let Some(leaf) = &walked.leaf {
        out.push_str(gap);
        out.push_str(&of_leaf(leaf));
    }
    if let Some(asks) = &walked.asks {
        out.push_str(gap);
        out.push_str(&question(asks));
        let answers: Vec<&str> = asks.answers.iter().map(|one| one.answer.as_str()).collect();
        writeln!(
            out,
            "\n  Go on with: {HEADING}tancheck diagnose … --answer {}={}{HEADING:#}",
            asks.node,
            answers.join("|")
        )
        .expect("a string grows");
    }
    out
}

/// Nodes that were passed, numbered: node, answer, what it means, and the evidence below. A request that several nodes
/// were decided by is told with the first of them.
pub(super) fn stages(path: &[Passed], first: usize, zone: &TimeZone) -> String {
    let width = |of: fn(&Passed) -> &str| path.iter().map(|one| of(one).chars().count()).max().unwrap_or(0);
    let (nodes, answers) = (width(|one| &one.node), width(|one| &one.answer));
    let hanging = 4 + nodes + 2 + answers + 2;
    let mut out = String::new();
    let mut told = BTreeSet::new();
    for (number, one) in (first..).zip(path) {
        let means = text::wrapped(&clean(&one.means), hanging);
        let node = format!("{:nodes$}", one.node);
        write!(out, "{number:2}  {node}  {HEADING}{:answers$}{HEADING:#}  ", one.answer)
            .expect("a string grows");
        out.push_str(means.get(hanging..).unwrap_or_default());
        let sources: Vec<&str> =
            one.sources.iter().map(String::as_str).filter(|source| told.insert(*source)).collect();
        out.push_str(&faint(&evidence(one, &sources, zone), hanging));
    }
    out
}

/// Where an answer was taken from.
fn evidence(one: &Passed, sources: &[&str], zone: &TimeZone) -> String {
    let said = one.by.as_ref().map(|by| {
        let at = one.said_at.map(|at| format!(", {}", moment(at, zone))).unwrap_or_default();
        format!("{by} said so{at}")
    });
    let mut parts: Vec<String> = said.into_iter().chain(one.notes.iter().cloned()).collect();
    // Requests are quoted for logs; a page needs no escapes.
    parts.extend(sources.iter().map(|source| source.replace("\\\"", "\"")));
    clean(&parts.join(" · "))
}

/// A leaf: what it says, how bad it is, what to do.
fn of_leaf(leaf: &Leaf) -> String {
    let style = if leaf.healthy { GOOD } else { color_of(leaf.severity) };
    let severity = if leaf.healthy { "healthy" } else { leaf.severity.name() };
    format!(
        "{style}{}{style:#}  {FAINT}{severity} · leaf {} · {}{FAINT:#}\n{}",
        clean(&leaf.says),
        leaf.id,
        origin(leaf.from_guide),
        runbook(&leaf.remedy)
    )
}

/// A question with its answers.
pub(super) fn question(asks: &Asks) -> String {
    let mut out = format!(
        "{HEADING}{}{HEADING:#}  {FAINT}question {} · {}{FAINT:#}\n",
        clean(&asks.question),
        asks.node,
        origin(asks.from_guide)
    );
    if !asks.why.is_empty() {
        out.push_str(&faint(&format!("It could not be seen: {}", clean(&asks.why)), 2));
    }
    if !asks.look.is_empty() {
        out.push_str(&text::wrapped(&clean(&asks.look), 2));
    }
    let width = asks.answers.iter().map(|one| one.answer.chars().count()).max().unwrap_or(0);
    for (number, one) in (1..).zip(&asks.answers) {
        let hanging = 5 + width + 2;
        let means = text::wrapped(&clean(&one.means), hanging);
        write!(out, "  {number}. {HEADING}{:width$}{HEADING:#}  ", one.answer).expect("a string grows");
        out.push_str(means.get(hanging..).unwrap_or_default());
    }
    out
}

/// Where walks ended, one line each.
fn at_a_glance(groups: &[Group], walks: usize) -> String {
    let heads = ["", "how many", "where it ends", "what it says"];
    let row = |group: &Group| {
        let severity = group.severity.map_or("asks", tancheck_plugin_api::Severity::name);
        vec![severity.to_owned(), group.subjects.len().to_string(), group.end.clone(), clean(&group.says)]
    };
    let rows: Vec<Vec<String>> = groups.iter().map(row).collect();
    let (count, noun) = counted(walks, "diagnosis", "diagnoses");
    format!("{count} {noun}\n\n{}", text::table(&heads, &rows))
}

/// One group: who, and what to do. The runbook of several names none of them.
fn of_group(group: &Group, walks: &[Walked]) -> String {
    let member = walks.iter().find(|walked| group.subjects.first() == Some(&walked.subject));
    let what = match member.map(|walked| (&walked.leaf, &walked.asks)) {
        Some((Some(leaf), _)) => of_leaf(leaf),
        Some((None, Some(asks))) => question(asks),
        _ => String::new(),
    };
    let what = match group.subjects.as_slice() {
        [first, _, ..] => what.replace(first.as_str(), "NAME"),
        _ => what,
    };
    let who = text::wrapped(&format!("for {}", clean(&group.subjects.join(", "))), 2);
    format!("\n{what}{who}")
}

/// All questions and leaves.
pub(super) fn tree(plugin: &str, tree: &Tree) -> String {
    let mut out = format!("{HEADING}{}{HEADING:#}  {FAINT}{plugin}{FAINT:#}\n", clean(&tree.title));
    for node in &tree.nodes {
        let how = match &node.decided {
            Decided::Person => "a person answers".to_owned(),
            Decided::Reading(reading) => format!("read by {reading}, or a person answers"),
            Decided::Checks { checks, .. } => {
                let (count, noun) = counted(checks.len(), "check", "checks");
                format!("decided by {count} {noun}, or a person answers")
            }
            _ => String::new(),
        };
        writeln!(
            out,
            "\n{HEADING}{}{HEADING:#}  {}\n  {FAINT}{how} · {}{FAINT:#}",
            node.id,
            clean(&node.asks),
            origin(node.from_guide)
        )
        .expect("a string grows");
        let width = node.branches.iter().map(|branch| branch.answer.chars().count()).max().unwrap_or(0);
        for branch in &node.branches {
            let to = match &branch.to {
                Target::Node(node) => node.clone(),
                Target::Leaf(leaf) => format!("■ {leaf}"),
            };
            let adds =
                if branch.adds.is_empty() { String::new() } else { format!(", adds ◇ {}", branch.adds) };
            writeln!(out, "  {:width$}  → {to}{adds}", branch.answer).expect("a string grows");
        }
    }
    writeln!(out, "\n{HEADING}Leaves{HEADING:#}").expect("a string grows");
    let width = tree.leaves.iter().map(|leaf| leaf.id.chars().count()).max().unwrap_or(0);
    for leaf in &tree.leaves {
        writeln!(
            out,
            "  {:width$}  {}  {FAINT}{}{FAINT:#}",
            leaf.id,
            clean(&leaf.says),
            origin(leaf.from_guide)
        )
        .expect("a string grows");
    }
    out
}
