//! The pages of what plugins declare beside checks: a diagnosis and procedures.

use crate::docs::{GENERATED, line, list, remedy_lines, step_text, text, texts};
use serde_json::Value;
use std::fmt::Write;

/// The page of a diagnosis: its questions with their answers, then its leaves with their remedies.
pub(crate) fn diagnosis_page(manifest: &Value, tree: &Value) -> String {
    let id = text(manifest, "id");
    let mut page = format!("{GENERATED}# {}\n\n", text(tree, "title"));
    line(&mut page, format_args!("    tancheck diagnose {id} --endpoint NAME\n"));
    line(
        &mut page,
        format_args!("What can be seen is seen; a person is asked for the rest.\n\n## Questions"),
    );
    for node in list(tree, "nodes") {
        line(
            &mut page,
            format_args!(
                "\n### {}\n\n{} *{}; {}.*",
                text(node, "id"),
                text(node, "asks"),
                decided(node),
                origin(node)
            ),
        );
        if !text(node, "look").is_empty() {
            line(&mut page, format_args!("\n{}", text(node, "look")));
        }
        page.push_str("\n| answer | meaning | leads to |\n|---|---|---|\n");
        for branch in list(node, "branches") {
            let (node, leaf) = (text(&branch["to"], "node"), text(&branch["to"], "leaf"));
            let to = if leaf.is_empty() { node.to_owned() } else { format!("**{leaf}**") };
            let adds = match text(branch, "adds") {
                "" => String::new(),
                adds => format!(", and adds **{adds}**"),
            };
            line(
                &mut page,
                format_args!("| {} | {} | {to}{adds} |", text(branch, "answer"), text(branch, "means")),
            );
        }
    }
    page.push_str("\n## Leaves\n");
    for leaf in list(tree, "leaves") {
        line(
            &mut page,
            format_args!(
                "\n### {}\n\n{}. *{}; {}.*",
                text(leaf, "id"),
                text(leaf, "says"),
                text(leaf, "severity"),
                origin(leaf)
            ),
        );
        page.push('\n');
        remedy_lines(&mut page, &leaf["remedy"]);
    }
    page
}

/// The page of the procedures.
pub(crate) fn procedures_page(manifest: &Value) -> String {
    let id = text(manifest, "id");
    let mut page = format!("{GENERATED}# Procedures for {}\n\n", text(manifest, "title"));
    for procedure in list(manifest, "procedures") {
        let name = text(procedure, "id");
        line(&mut page, format_args!("- [{name}](#{name}): {}", text(procedure, "title")));
    }
    for procedure in list(manifest, "procedures") {
        let name = text(procedure, "id");
        line(
            &mut page,
            format_args!(
                "\n## {name}\n\n**{}.** {}\n\n    tancheck guide {id} {name}\n\nWho: {}. Risk: {}. Can be taken back: {}.",
                text(procedure, "title"),
                text(procedure, "about"),
                text(procedure, "who"),
                text(procedure, "risk"),
                text(procedure, "reversible")
            ),
        );
        for caution in texts(procedure, "cautions") {
            line(&mut page, format_args!("\n**Caution:** {caution}"));
        }
        if procedure["guard"].is_object() {
            line(
                &mut page,
                format_args!("\n**Held back** unless somebody insists: {}", text(&procedure["guard"], "why")),
            );
        }
        page.push('\n');
        for (number, task) in (1..).zip(list(procedure, "tasks")) {
            let seen = text(&task["verified"], "seen");
            let checks: Vec<String> =
                texts(&task["verified"], "checks").iter().map(|check| format!("`{check}`")).collect();
            let done = if seen.is_empty() { format!("{} pass", checks.join(", ")) } else { seen.to_owned() };
            line(
                &mut page,
                format_args!(
                    "{number}. {}  \n   *Done when: {done}; {}.*",
                    step_text(&task["step"]),
                    origin(task)
                ),
            );
        }
        for section in texts(procedure, "sections") {
            line(&mut page, format_args!("\n*{section}*"));
        }
    }
    page
}

/// What the page of the plugin says of both.
pub(crate) fn links(manifest: &Value) -> String {
    let mut text = String::new();
    if let Some(tree) = manifest["diagnosis"].as_object() {
        let (nodes, leaves) = (list_len(tree.get("nodes")), list_len(tree.get("leaves")));
        writeln!(text, "\n[Diagnosis](diagnosis.md): {nodes} questions lead to {leaves} leaves.")
            .expect("a string grows");
    }
    if !list(manifest, "procedures").is_empty() {
        let names: Vec<String> = list(manifest, "procedures")
            .iter()
            .map(|one| self::text(one, "id"))
            .map(|id| format!("[{id}](procedures.md#{id})"))
            .collect();
        writeln!(text, "\nProcedures: {}.", names.join(", ")).expect("a string grows");
    }
    text
}

fn list_len(value: Option<&Value>) -> usize {
    value.and_then(Value::as_array).map_or(0, Vec::len)
}

fn decided(node: &Value) -> String {
    let checks = texts(&node["decided"]["checks"], "checks");
    if !checks.is_empty() {
        return format!(
            "decided by {}",
            checks.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
        );
    }
    if node["decided"]["reading"].is_string() {
        "seen where it can be".to_owned()
    } else {
        "a person answers".to_owned()
    }
}

fn origin(value: &Value) -> &'static str {
    if value["from_guide"] == Value::Bool(true) { "from the vendor's guide" } else { "derived" }
}
