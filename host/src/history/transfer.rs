//! The history as a file of lines, each one a JSON object: out of one machine, into another one.
//!
//! A run is named by its token, which is the same wherever it is kept. The last line holds the hash of all others.

use super::{HistoryError, Store, people};
use crate::run::identity::hex;
use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::io::{BufRead, Write};

/// The version of the lines.
const FORMAT: u64 = 1;
/// What the first line calls itself.
const KIND: &str = "tancheck-history";

/// One kind of line: how it is read out, which of its fields are texts by number, and how it is put back in. Numbers of
/// runs and findings are moved behind those that are there.
struct Kind {
    name: &'static str,
    select: &'static str,
    texts: &'static [&'static str],
    insert: &'static str,
}

/// A text by number, as it is read out.
macro_rules! text {
    ($column:literal) => {
        concat!("(SELECT text FROM text WHERE id = ", $column, ")")
    };
}

/// In the order in which they refer to each other.
const KINDS: &[Kind] = &[
    Kind {
        name: "run",
        select: concat!(
            "SELECT id AS number, token, at, version, decided, total, exit_code, interrupted, ",
            text!("selection"),
            " AS selection, ",
            text!("plugins"),
            " AS plugins, ",
            text!("settings"),
            " AS settings, ",
            text!("reasons"),
            " AS reasons, critical, high, medium, low, info, appeared, regressed, worse, better, fixed, not_looked_at
             FROM run WHERE deployment = ?1 ORDER BY id"
        ),
        texts: &["selection", "plugins", "settings", "reasons"],
        insert: "INSERT INTO run (id, token, deployment, at, version, decided, total, exit_code, interrupted, selection,
                plugins, settings, reasons, critical, high, medium, low, info, appeared, regressed, worse, better, fixed,
                not_looked_at)
             VALUES (:number + :runs, :token, :deployment, :at, :version, :decided, :total, :exit_code, :interrupted,
                :selection, :plugins, :settings, :reasons, :critical, :high, :medium, :low, :info, :appeared, :regressed,
                :worse, :better, :fixed, :not_looked_at)",
    },
    Kind {
        name: "known",
        select: concat!(
            "SELECT check_id, run, at, ",
            text!("outcome"),
            " AS outcome, decided_at, faults, ",
            text!("fault_library"),
            " AS fault_library, ",
            text!("fault_outcome"),
            " AS fault_outcome, ",
            text!("fault_reason"),
            " AS fault_reason FROM known WHERE deployment = ?1 ORDER BY check_id"
        ),
        texts: &["outcome", "fault_library", "fault_outcome", "fault_reason"],
        insert: "INSERT INTO known (deployment, check_id, run, at, outcome, decided_at, faults, fault_library, fault_outcome,
                fault_reason)
             VALUES (:deployment, :check_id, :run + :runs, :at, :outcome, :decided_at, :faults, :fault_library,
                :fault_outcome, :fault_reason)",
    },
    Kind {
        name: "outcome",
        select: concat!(
            "SELECT outcome.run, check_id, ",
            text!("outcome.outcome"),
            " AS outcome, ",
            text!("outcome.reason"),
            " AS reason, complete FROM outcome JOIN known ON known.id = outcome.known WHERE deployment = ?1
             ORDER BY outcome.run, check_id"
        ),
        texts: &["outcome", "reason"],
        insert: "INSERT INTO outcome (run, known, outcome, reason, complete)
             VALUES (:run + :runs, (SELECT id FROM known WHERE deployment = :deployment AND check_id = :check_id), :outcome,
                :reason, :complete)",
    },
    Kind {
        name: "finding",
        select: "SELECT finding.id AS number, fingerprint, check_id, kind, key, name, first_run, first_at, last_run, last_at,
                times, closed_run, closed_at
             FROM finding JOIN known ON known.id = finding.known WHERE finding.deployment = ?1 ORDER BY finding.id",
        texts: &[],
        insert: "INSERT INTO finding (id, deployment, fingerprint, known, kind, key, name, first_run, first_at, last_run,
                last_at, times, closed_run, closed_at)
             VALUES (:number + :findings, :deployment, :fingerprint,
                (SELECT id FROM known WHERE deployment = :deployment AND check_id = :check_id), :kind, :key, :name,
                :first_run + :runs, :first_at, :last_run + :runs, :last_at, :times, :closed_run + :runs, :closed_at)",
    },
    Kind {
        name: "look",
        select: concat!(
            "SELECT finding, run, severity, ",
            text!("says"),
            " AS says, affected, evidence FROM look JOIN finding ON finding.id = finding WHERE deployment = ?1
             ORDER BY finding, run"
        ),
        texts: &["says"],
        insert: "INSERT INTO look (finding, run, severity, says, affected, evidence)
             VALUES (:finding + :findings, :run + :runs, :severity, :says, :affected, unhex(:evidence))",
    },
    Kind {
        name: "seen",
        select: "SELECT run, finding FROM seen JOIN finding ON finding.id = finding WHERE deployment = ?1
             ORDER BY run, finding",
        texts: &[],
        insert: "INSERT INTO seen (run, finding) VALUES (:run + :runs, :finding + :findings)",
    },
    Kind {
        name: "series",
        select: "SELECT name, unit FROM series WHERE deployment = ?1 ORDER BY name",
        texts: &[],
        insert: "INSERT INTO series (deployment, name, unit) VALUES (:deployment, :name, :unit)",
    },
    Kind {
        name: "value",
        select: "SELECT name AS series, run, at, value, bound FROM measure JOIN series ON series.id = series
             WHERE deployment = ?1 ORDER BY name, run",
        texts: &[],
        insert: "INSERT INTO measure (series, run, at, value, bound)
             VALUES ((SELECT id FROM series WHERE deployment = :deployment AND name = :series), :run + :runs, :at, :value,
                :bound)",
    },
    Kind {
        name: "listed",
        select: "SELECT check_id, fingerprint, kind, key, name, state FROM listed WHERE deployment = ?1
             ORDER BY check_id, fingerprint",
        texts: &[],
        insert: "INSERT INTO listed (deployment, check_id, fingerprint, kind, key, name, state)
             VALUES (:deployment, :check_id, :fingerprint, :kind, :key, :name, :state)",
    },
    Kind {
        name: "duration",
        select: "SELECT request, seconds FROM duration WHERE deployment = ?1 ORDER BY request",
        texts: &[],
        insert: "INSERT INTO duration (deployment, request, seconds) VALUES (:deployment, :request, :seconds)",
    },
];

/// What people said: added to what is there, whatever becomes of the runs.
const ANSWERS: Kind = Kind {
    name: "answer",
    select: "SELECT input, value, by, at, valid_until, note FROM answer WHERE deployment = ?1 ORDER BY id",
    texts: &[],
    insert: "INSERT INTO answer (deployment, input, value, by, at, valid_until, note)
         SELECT :deployment, :input, :value, :by, :at, :valid_until, :note WHERE NOT EXISTS (
            SELECT 1 FROM answer WHERE deployment = :deployment AND input = :input AND value = :value AND by = :by
            AND at = :at)",
};

const ATTESTATIONS: &str = "SELECT entry FROM attestation WHERE deployment = ?1 ORDER BY id";

/// A line that was read: its number, its kind, and its fields.
type Line = (usize, String, Map<String, Value>);

/// Why a file of lines cannot be taken in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The lines cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The lines are not what was exported.
    #[error("line {line}: {detail}")]
    Line {
        /// The line.
        line: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// The file is of something else.
    #[error("{0}")]
    Refused(String),
}

/// What was exported or imported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transferred {
    /// Runs; 0 for an import that brought none that was not there.
    pub runs: u64,
    /// Attestations.
    pub attestations: u64,
    /// Answers.
    pub answers: u64,
}

impl Store {
    /// Writes all that is kept of this deployment.
    ///
    /// # Errors
    /// When the history cannot be read, or the lines cannot be written.
    pub fn export(&self, to: &mut dyn Write) -> Result<Transferred, TransferError> {
        let mut connection = self.lock();
        let fail = |error: rusqlite::Error| self.explain(&error);
        // One transaction: a run that is kept meanwhile is in it whole, or not at all.
        let transaction = connection.transaction().map_err(fail)?;
        let mut lines = Lines { to, hash: Sha256::new() };
        let head = json!({"format": KIND, "version": FORMAT, "deployment": self.deployment,
            "tool": env!("CARGO_PKG_VERSION")});
        lines.write(&head)?;
        let mut done = Transferred::default();
        for kind in KINDS {
            let count = self.rows(&transaction, kind, &mut lines)?;
            if kind.name == "run" {
                done.runs = count;
            }
        }
        done.answers = self.rows(&transaction, &ANSWERS, &mut lines)?;
        let entries = || -> rusqlite::Result<Vec<String>> {
            transaction.prepare(ATTESTATIONS)?.query_map([&self.deployment], |row| row.get(0))?.collect()
        };
        for entry in entries().map_err(fail)? {
            lines.write(&json!({"attestation": {"entry": entry}}))?;
            done.attestations += 1;
        }
        let digest = hex(&lines.hash.clone().finalize());
        lines.write(&json!({"end": digest}))?;
        lines.to.flush()?;
        Ok(done)
    }

    fn rows(&self, from: &Connection, kind: &Kind, lines: &mut Lines<'_>) -> Result<u64, TransferError> {
        let fail = |error: rusqlite::Error| self.explain(&error);
        let mut statement = from.prepare(kind.select).map_err(fail)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([&self.deployment]).map_err(fail)?;
        let mut count = 0;
        while let Some(row) = rows.next().map_err(fail)? {
            let mut fields = Map::new();
            for (index, name) in names.iter().enumerate() {
                let cell = row.get_ref(index).map_err(fail)?;
                if cell != ValueRef::Null {
                    fields.insert(name.clone(), written(cell));
                }
            }
            lines.write(&json!({kind.name: fields}))?;
            count += 1;
        }
        Ok(count)
    }

    /// Takes in what was exported of this deployment: all of it, or nothing. Runs come in where there are none, or where
    /// the file holds all that are there; what people said is added to what is there.
    ///
    /// # Errors
    /// When the file is not whole or of something else, or the history cannot be written.
    pub fn import(&self, from: &mut dyn BufRead) -> Result<Transferred, TransferError> {
        let lines = checked(from, &self.deployment)?;
        let mut connection = self.lock();
        let fail = |error: rusqlite::Error| self.explain(&error);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let done = self.take_in(&transaction, &lines)?;
        transaction.commit().map_err(fail)?;
        Ok(done)
    }

    fn take_in(&self, to: &Transaction<'_>, lines: &[Line]) -> Result<Transferred, TransferError> {
        let fail = |error: rusqlite::Error| self.explain(&error);
        let texts = |sql: &str| -> rusqlite::Result<BTreeSet<String>> {
            to.prepare(sql)?.query_map([&self.deployment], |row| row.get(0))?.collect()
        };
        let here = texts("SELECT token FROM run WHERE deployment = ?1").map_err(fail)?;
        let token = |fields: &Map<String, Value>| fields.get("token")?.as_str().map(str::to_owned);
        let there: BTreeSet<String> = lines
            .iter()
            .filter(|(_, kind, _)| kind == "run")
            .filter_map(|(.., fields)| token(fields))
            .collect();
        let with_runs = !there.is_subset(&here);
        if with_runs && !here.is_subset(&there) {
            return Err(TransferError::Refused(format!(
                "this history holds runs of {} that the file lacks, and the file holds others: two histories of one \
                 deployment cannot become one; import into an empty state folder (--set places.state=FOLDER)",
                self.deployment
            )));
        }
        if with_runs {
            self.forget(to).map_err(fail)?;
        }
        let mut done = Transferred::default();
        let number = |sql: &str| to.query_row(sql, [], |row| row.get::<_, i64>(0));
        let runs =
            number("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'run'").map_err(fail)?;
        let findings = number("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'finding'")
            .map_err(fail)?;
        for (line, name, fields) in lines {
            let wrong = |detail: String| TransferError::Line { line: *line, detail };
            let inserted = |kind: &Kind| {
                insert(to, kind, &self.deployment, (runs, findings), fields)
                    .map_err(|error| wrong(format!("{name}: {error}")))
            };
            match name.as_str() {
                "answer" => done.answers += inserted(&ANSWERS)?,
                "attestation" => {
                    let entry = fields.get("entry").and_then(Value::as_str);
                    let entry = entry.ok_or_else(|| wrong("an attestation without its entry".to_owned()))?;
                    done.attestations += u64::from(self.append(to, entry)?);
                }
                _ if !with_runs => {}
                _ => match KINDS.iter().find(|kind| kind.name == name) {
                    Some(kind) => {
                        inserted(kind)?;
                        done.runs += u64::from(kind.name == "run");
                    }
                    None => return Err(wrong(format!("{name:?} is not known to this tancheck"))),
                },
            }
        }
        Ok(done)
    }

    /// Appends an attestation to the log, unless it is there. Its place in the chain is a new one.
    fn append(&self, to: &Transaction<'_>, entry: &str) -> Result<bool, HistoryError> {
        let fail = |error: rusqlite::Error| self.explain(&error);
        let log = people::read_log(to).map_err(fail)?;
        if log.iter().any(|one| one.deployment == self.deployment && one.text == entry) {
            return Ok(false);
        }
        let hash = people::link(&self.verify(&log)?, &self.deployment, entry);
        to.execute(
            "INSERT INTO attestation (deployment, entry, hash) VALUES (?1, ?2, ?3)",
            params![self.deployment, entry, hash],
        )
        .map_err(fail)?;
        Ok(true)
    }

    /// Takes out all runs of this deployment, and what follows from them.
    fn forget(&self, on: &Transaction<'_>) -> rusqlite::Result<()> {
        for table in ["outcome", "seen"] {
            let sql = format!("DELETE FROM {table} WHERE run IN (SELECT id FROM run WHERE deployment = ?1)");
            on.execute(&sql, [&self.deployment])?;
        }
        on.execute(
            "DELETE FROM look WHERE finding IN (SELECT id FROM finding WHERE deployment = ?1)",
            [&self.deployment],
        )?;
        on.execute(
            "DELETE FROM measure WHERE series IN (SELECT id FROM series WHERE deployment = ?1)",
            [&self.deployment],
        )?;
        for table in ["finding", "series", "known", "listed", "duration", "run"] {
            on.execute(&format!("DELETE FROM {table} WHERE deployment = ?1"), [&self.deployment])?;
        }
        Ok(())
    }
}

/// Puts a row in; how many that were.
fn insert(
    to: &Transaction<'_>,
    kind: &Kind,
    deployment: &str,
    behind: (i64, i64),
    fields: &Map<String, Value>,
) -> rusqlite::Result<u64> {
    let mut statement = to.prepare_cached(kind.insert)?;
    for index in 1..=statement.parameter_count() {
        let name = statement.parameter_name(index).unwrap_or_default().trim_start_matches(':').to_owned();
        let cell = match name.as_str() {
            "deployment" => Cell::Text(deployment.to_owned()),
            "runs" => Cell::Integer(behind.0),
            "findings" => Cell::Integer(behind.1),
            name => match fields.get(name) {
                Some(Value::String(text)) if kind.texts.contains(&name) => {
                    Cell::Integer(number_of(to, text)?)
                }
                value => cell(value),
            },
        };
        statement.raw_bind_parameter(index, cell)?;
    }
    statement.raw_execute().map(|rows| rows as u64)
}

/// The number of a text.
fn number_of(to: &Transaction<'_>, text: &str) -> rusqlite::Result<i64> {
    to.prepare_cached("INSERT OR IGNORE INTO text (text) VALUES (?1)")?.execute([text])?;
    to.prepare_cached("SELECT id FROM text WHERE text = ?1")?.query_row(params![text], |row| row.get(0))
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Null,
        Some(Value::Bool(flag)) => Cell::Integer(i64::from(*flag)),
        Some(Value::Number(number)) => match number.as_i64() {
            Some(whole) => Cell::Integer(whole),
            None => number.as_f64().map_or(Cell::Null, Cell::Real),
        },
        Some(Value::String(text)) => Cell::Text(text.clone()),
        Some(other) => Cell::Text(other.to_string()),
    }
}

fn written(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Blob(bytes) => hex(bytes).into(),
    }
}

struct Lines<'w> {
    to: &'w mut dyn Write,
    hash: Sha256,
}

impl Lines<'_> {
    fn write(&mut self, line: &Value) -> std::io::Result<()> {
        let text = format!("{line}\n");
        self.hash.update(&text);
        self.to.write_all(text.as_bytes())
    }
}

/// The lines of a whole file of this deployment, without its first and last: number, kind and fields.
fn checked(from: &mut dyn BufRead, deployment: &str) -> Result<Vec<Line>, TransferError> {
    let mut hash = Sha256::new();
    let mut lines = Vec::new();
    let mut text = String::new();
    let mut ended = false;
    for line in 1.. {
        text.clear();
        let wrong = |detail: &str| TransferError::Line { line, detail: detail.to_owned() };
        let read = from.read_line(&mut text).map_err(|error| wrong(&error.to_string()))?;
        if read == 0 {
            break;
        }
        if ended {
            return Err(wrong("something follows the last line of the export"));
        }
        let value: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|error| wrong(&format!("not as it was exported: {error}")))?;
        if line == 1 {
            head(&value, deployment)?;
        } else if let Some(end) = value.get("end") {
            if end.as_str() != Some(&hex(&hash.clone().finalize())) {
                return Err(wrong("the file is not as it was exported: its hash differs"));
            }
            ended = true;
        } else if let Some((kind, Value::Object(fields))) = value.into_iter().next() {
            lines.push((line, kind, fields));
        } else {
            return Err(wrong("not as it was exported: an object was expected"));
        }
        hash.update(&text);
    }
    if !ended {
        let message = "the file is not whole: its last line is missing; export it again";
        return Err(TransferError::Refused(message.to_owned()));
    }
    Ok(lines)
}

/// Whether the first line is of an export that this tancheck understands, of this deployment.
fn head(value: &Map<String, Value>, deployment: &str) -> Result<(), TransferError> {
    let field = |key: &str| value.get(key).and_then(Value::as_str);
    if field("format") != Some(KIND) {
        let message = "this is no exported history; \"tancheck history export\" makes one";
        return Err(TransferError::Refused(message.to_owned()));
    }
    let version = value.get("version").and_then(Value::as_u64).unwrap_or_default();
    if version != FORMAT {
        return Err(TransferError::Refused(format!(
            "the export has version {version}, and this tancheck knows version {FORMAT}: use the tancheck that made it"
        )));
    }
    match field("deployment") {
        Some(of) if of == deployment => Ok(()),
        of => Err(TransferError::Refused(format!(
            "the export is of the deployment {}, and this is {deployment}: say --set deployment.id={0} if that is meant",
            of.unwrap_or_default()
        ))),
    }
}
