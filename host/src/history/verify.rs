//! Is the file whole: its pages, its references, the chain of attestations, and whether the runs add up.

use super::{HistoryError, Store, people};
use rusqlite::Connection;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an examination of the file found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// The file.
    pub path: String,
    /// The version of its format.
    pub format: i64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Runs of all deployments.
    pub runs: u64,
    /// Outcomes of checks.
    pub outcomes: u64,
    /// Findings.
    pub findings: u64,
    /// Values of series.
    pub values: u64,
    /// Attestations.
    pub attestations: u64,
    /// What is wrong; empty for a file that is whole.
    pub problems: Vec<String>,
}

/// Sentences and queries: each row of a query is a fault.
const RULES: [(&str, &str); 5] = [
    (
        "a run has not as many outcomes as checks",
        "SELECT 'run ' || id FROM run WHERE total <> (SELECT count(*) FROM outcome WHERE run = run.id)",
    ),
    (
        "a run does not have the number of decisions that it tells",
        "SELECT 'run ' || id FROM run WHERE decided <> (
            SELECT count(*) FROM outcome JOIN text ON text.id = outcome.outcome WHERE run = run.id
            AND text IN ('pass', 'finding', 'not-applicable', 'not-licensed'))",
    ),
    (
        "a finding ends before it begins",
        "SELECT fingerprint FROM finding WHERE first_run > last_run OR times < 1 OR closed_run <= last_run",
    ),
    (
        "it is not kept how a finding looked when it was first seen",
        "SELECT fingerprint FROM finding WHERE NOT EXISTS (SELECT 1 FROM look WHERE finding = finding.id)",
    ),
    (
        "an attestation is not understood",
        "SELECT 'entry ' || id FROM attestation WHERE NOT json_valid(entry)",
    ),
];

/// So many faults of one sort are told.
const TOLD: usize = 10;

impl Store {
    /// Examines the file, all deployments in it.
    ///
    /// # Errors
    /// When it is so broken that it cannot be examined.
    pub fn examine(&self) -> Result<Verified, HistoryError> {
        let mut problems = self.read(problems)?;
        let log = self.read(people::read_log)?;
        if let Err(error) = self.verify(&log) {
            problems.push(error.to_string());
        }
        let (runs, outcomes, findings) = self.size()?;
        self.read(|connection| {
            let count = "SELECT count(*) FROM measure";
            Ok(Verified {
                path: self.path.display().to_string(),
                format: connection.query_row("PRAGMA user_version", [], |row| row.get(0))?,
                bytes: self.bytes(),
                runs,
                outcomes,
                findings,
                values: connection.query_row(count, [], |row| row.get::<_, i64>(0))?.cast_unsigned(),
                attestations: log.len() as u64,
                problems,
            })
        })
    }
}

fn problems(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let texts = |sql: &str| -> rusqlite::Result<Vec<String>> {
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let mut problems: Vec<String> = texts("PRAGMA integrity_check(10)")?
        .into_iter()
        .filter(|line| line != "ok")
        .map(|line| format!("the file is damaged: {line}"))
        .collect();
    problems.extend(
        texts("SELECT DISTINCT \"table\" FROM pragma_foreign_key_check")?
            .into_iter()
            .map(|table| format!("something that {table} refers to is missing")),
    );
    for (sentence, query) in RULES {
        let found = texts(query)?;
        let more = found.len().saturating_sub(TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        if !found.is_empty() {
            let shown: Vec<&str> = found.iter().take(TOLD).map(String::as_str).collect();
            problems.push(format!("{sentence}: {}{more}", shown.join(", ")));
        }
    }
    Ok(problems)
}
