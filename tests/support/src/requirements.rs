//! Which checks a guide beside the maintenance guide asks for: read from the requirements, where they are.

use std::collections::BTreeMap;

/// What the requirements say of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// How it may come to its outcome: `automated`, `attested`, `guided`.
    pub kinds: Vec<String>,
    /// The worst that it can say.
    pub severity: String,
}

impl Row {
    /// Whether a check of this kind is what the row asks for. What is guided is a task for a person, or a part of
    /// the check that finds what it is about.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        let may = |wanted: &str| self.kinds.iter().any(|kind| kind == wanted);
        match kind {
            "automated" => may("automated"),
            "attested" => may("attested") || may("guided"),
            "hybrid" => may("automated") || may("attested"),
            _ => false,
        }
    }
}

/// The rows of the Direct Connect guide, by check id; nothing where the requirements are not beside the repository.
#[must_use]
pub fn direct_connect() -> Option<BTreeMap<String, Row>> {
    let path = crate::root().join("../shared/requirements/direct-connect.md");
    std::fs::read_to_string(path).ok().map(|text| rows(&text))
}

/// The index: `| ids | kind | top severity | section |`, the ids in back quotes and each after the first perhaps
/// without its first word.
fn rows(text: &str) -> BTreeMap<String, Row> {
    let index = text.split("### 1.0").nth(1).and_then(|rest| rest.split("\n### ").next()).unwrap_or_default();
    let mut rows = BTreeMap::new();
    for line in index.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [ids, kinds, severity, ..] = cells[..] else { continue };
        let row = Row {
            kinds: kinds.split(['/', '+']).map(|kind| kind.trim().to_owned()).collect(),
            severity: severity.to_owned(),
        };
        let mut first = "";
        for id in ids.split('`').skip(1).step_by(2) {
            let id = match id.strip_prefix('-') {
                Some(rest) => format!("{first}-{rest}"),
                None => id.to_owned(),
            };
            if first.is_empty() {
                first = ids.split(['`', '-']).nth(1).unwrap_or_default();
            }
            rows.insert(format!("direct-connect.{id}"), row.clone());
        }
    }
    rows
}

#[test]
fn the_index_names_each_check() {
    let text = "### 1.0 Index\n| id | kind | top severity | section |\n|---|---|---|---|\n\
        | `exclusions-windows` / `-macos` | attested | high | Security exclusions |\n\
        | `cert-server-present` / `cert-server-expiry` | automated | critical | Configure |\n\
        | `version-tanos` | automated/attested | high | Zone |\n### 1.1 Presence\n| `not-this` | a | b | c |\n";
    let rows = rows(text);
    let ids: Vec<&str> = rows.keys().filter_map(|id| id.strip_prefix("direct-connect.")).collect();
    let wanted = [
        "cert-server-expiry",
        "cert-server-present",
        "exclusions-macos",
        "exclusions-windows",
        "version-tanos",
    ];
    assert_eq!(ids, wanted);
    let tanos = &rows["direct-connect.version-tanos"];
    assert_eq!(tanos.severity, "high");
    assert!(tanos.is("automated") && tanos.is("attested") && tanos.is("hybrid"));
    assert!(!rows["direct-connect.exclusions-macos"].is("automated"));
}
