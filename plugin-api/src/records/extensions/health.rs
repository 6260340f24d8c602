//! What endpoints say about their client extensions, read from columns whose names nobody promised.

use super::CLIENT_EXTENSIONS as EXTENSIONS;
use crate::facts::{Body, Tally};
use crate::records::answers::{columns_of, complete, unusable};
use crate::{Facts, Finding, Report, Setting, Subject, Undecided, lenient, settle};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// States that are no failure.
pub const HEALTHY_STATES: Setting = Setting::list(
    "healthy_states",
    &["healthy", "ok", "good", "running", "loaded", "started", "success"],
)
.about(
    "states of a client extension that are no failure; needed only where the sensor has a state and no \
         column of failures",
);

/// A row of the exported results of the panel Health Failures.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HealthFailure {
    /// The client extension.
    #[serde(rename = "Domain", deserialize_with = "lenient::text")]
    pub domain: String,
    /// What failed.
    #[serde(rename = "Failure", deserialize_with = "lenient::text")]
    pub failure: String,
    /// Endpoints with this failure; absent in a list of endpoints.
    #[serde(rename = "Count", deserialize_with = "lenient::number")]
    pub count: Option<f64>,
    /// One endpoint; absent in a list of counts.
    #[serde(rename = "Computer Name", deserialize_with = "lenient::text")]
    pub computer_name: String,
}

/// The failures of one domain.
#[derive(Debug, Default, PartialEq)]
pub struct Failures {
    /// Endpoints, or a bit more: an endpoint counts for each of its failures.
    pub count: u64,
    /// What failed, in the words of the endpoints, and on how many of them.
    pub texts: BTreeMap<String, u64>,
    /// A few of these endpoints.
    pub sample: Vec<String>,
}

impl Failures {
    fn up_to(&self) -> &'static str {
        // Endpoints of different failures may be the same ones; a list of names has each once.
        if self.texts.len() > 1 && self.sample.is_empty() { "up to " } else { "" }
    }

    fn add(&mut self, text: &str, count: u64) {
        self.count += count;
        let text = if text.is_empty() { "no text" } else { text };
        *self.texts.entry(text.to_owned()).or_default() += count;
    }
}

/// What is known about all extensions.
#[derive(Debug, Default)]
pub struct Health {
    /// By domain.
    pub failures: BTreeMap<String, Failures>,
    /// Domains of which endpoints told, whatever they told.
    pub domains: BTreeSet<String>,
    /// States of which it is not known whether they are failures.
    pub unclear: BTreeSet<(String, String)>,
    /// Endpoints that answered; unknown for an exported list of failures.
    pub answered: Option<u64>,
    /// Endpoints that answered without a usable value.
    pub unknown: u64,
}

impl Health {
    /// What endpoints answered, or what the exported panel lists. The check reads [`CLIENT_EXTENSIONS`](super::CLIENT_EXTENSIONS)
    /// and has the setting [`HEALTHY_STATES`].
    ///
    /// # Errors
    /// When the input is unavailable, or the columns cannot be told.
    pub fn of(facts: &Facts<'_>) -> Result<Self, Undecided> {
        match facts.body(&EXTENSIONS)? {
            Body::Rows(_) => Ok(Self::exported(&facts.rows::<HealthFailure>(&EXTENSIONS)?)),
            _ => Self::answered(facts.tally(&EXTENSIONS)?, &facts.list(&HEALTHY_STATES)),
        }
    }

    /// From the results behind the panel Health Failures: every row is a failure.
    fn exported(rows: &[HealthFailure]) -> Self {
        let mut health = Self::default();
        let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.domain.trim().is_empty()) {
            let domain = domain(&row.domain);
            health.domains.insert(domain.clone());
            let names = named.entry(domain.clone()).or_default();
            let known = !row.computer_name.is_empty() && !names.insert(&row.computer_name);
            let count = row.count.map_or(1, |count| count as u64);
            health.failures.entry(domain).or_default().add(row.failure.trim(), if known { 0 } else { count });
        }
        for (domain, names) in named {
            if let Some(failures) = health.failures.get_mut(&domain) {
                failures.sample =
                    names.into_iter().filter(|name| !name.is_empty()).take(5).map(str::to_owned).collect();
            }
        }
        health
    }

    /// From the question's counted rows: one row for each domain, state and failure.
    fn answered(tally: &Tally, healthy: &[&str]) -> Result<Self, Undecided> {
        let columns = Columns::of(tally)?;
        let mut health = Self { answered: Some(tally.answered), unknown: unusable(tally), ..Self::default() };
        for row in &tally.rows {
            for (domain_cell, told) in columns.read(&row.cells) {
                let domain = domain(&domain_cell);
                health.domains.insert(domain.clone());
                match told.verdict(healthy) {
                    Verdict::Healthy => {}
                    Verdict::Failed(text) => {
                        let failures = health.failures.entry(domain).or_default();
                        failures.add(&text, row.count);
                        failures.sample.extend(row.sample.iter().cloned());
                    }
                    Verdict::Unclear(text) => {
                        health.unclear.insert((domain, text));
                    }
                }
            }
        }
        Ok(health)
    }
}

/// The domain of an extension: `Client Index Extension` and `index` are the same.
fn domain(text: &str) -> String {
    const KNOWN: [(&str, &str); 7] = [
        ("index", "index"),
        ("recorder", "recorder"),
        ("direct connect", "dec"),
        ("dec", "dec"),
        ("stream", "stream"),
        ("threat response", "threatresponse"),
        ("threatresponse", "threatresponse"),
    ];
    let text = text.trim().to_lowercase();
    let letters = |letter: char| if letter.is_alphanumeric() { letter } else { ' ' };
    let words = format!(" {} ", text.chars().map(letters).collect::<String>());
    let known = KNOWN.iter().find(|(name, _)| words.contains(&format!(" {name} ")));
    known.map_or(text, |(_, domain)| (*domain).to_owned())
}

/// Reports each domain that is `ours` and failed on more than `most` endpoints.
///
/// # Errors
/// When too many endpoints gave no usable answer, or a state is not known; findings stay.
pub fn judge_failures(
    facts: &Facts<'_>,
    report: &mut Report,
    most: i64,
    ours: impl Fn(&str) -> bool,
) -> Result<(), Undecided> {
    let health = Health::of(facts)?;
    let most = most.max(0) as u64;
    for (domain, failures) in health.failures.iter().filter(|(domain, _)| ours(domain)) {
        if failures.count <= most {
            continue;
        }
        let texts: Vec<&str> = failures.texts.keys().map(String::as_str).take(3).collect();
        report.finding(
            Finding::on(Subject::new("client extension", domain, domain))
                .says(format!(
                    "failed on {}{} endpoints: {}",
                    failures.up_to(),
                    failures.count,
                    texts.join("; ")
                ))
                .expected(if most == 0 {
                    "no failure".to_owned()
                } else {
                    format!("at most {most} endpoints")
                })
                .affected(failures.count, health.answered)
                .sample(&failures.sample)
                .evidence(facts.seen(&EXTENSIONS, texts)),
        );
    }
    if let Some(answered) = health.answered {
        complete("Client Extensions - Status", answered, health.unknown)?;
    }
    let unclear = health.unclear.iter().filter(|(domain, _)| ours(domain)).map(|(domain, state)| {
        format!("whether {state:?} is a failure of {domain} is not known; add it to `healthy_states` if it is none")
    });
    settle(&unclear.collect::<Vec<_>>())
}

/// Where the sensor tells the extension and what became of it. The vendor's documents name no column, so the names
/// that the sensor has at run time decide.
#[derive(Debug, PartialEq)]
struct Columns {
    domain: usize,
    failure: Option<usize>,
    state: Option<usize>,
    /// What a row tells beside a state: a version, a setting. See [`details`](super::details()).
    fact: Option<usize>,
}

impl Columns {
    fn of(tally: &Tally) -> Result<Self, Undecided> {
        let column = |words: &[&str]| {
            tally.columns.iter().position(|name| {
                let name = name.to_lowercase();
                words.iter().any(|word| name.contains(word))
            })
        };
        let domain = column(&["domain"]).or_else(|| column(&["extension"]));
        let others = |position: &usize| Some(*position) != domain;
        let failure = column(&["failure", "error"]).filter(others);
        let state = column(&["status", "state", "health"]).filter(others).or_else(|| {
            // The sensor's own name holds "Extensions" and "Status": a column of that name says nothing.
            tally.columns.iter().position(|name| name.eq_ignore_ascii_case("result"))
        });
        let fact = column(&["key", "property"]).filter(others);
        match domain {
            Some(domain) if failure.is_some() || state.is_some() => Ok(Self { domain, failure, state, fact }),
            _ => Err(Undecided::not_evaluated(format!(
                "the columns of the sensor Client Extensions - Status tell no extension with a state or a \
                 failure; found: {}; export client-health-failures.csv instead",
                columns_of(tally)
            ))),
        }
    }

    /// The extensions of one row. Cells with several values belong together line by line.
    fn read(&self, cells: &[String]) -> Vec<(String, Told)> {
        let lines = |column: Option<usize>| -> Vec<&str> {
            column
                .and_then(|column| cells.get(column))
                .map(|cell| cell.split('\n').collect())
                .unwrap_or_default()
        };
        let (failures, states, keys) = (lines(self.failure), lines(self.state), lines(self.fact));
        let told = |line: usize| Told {
            failure: self.failure.map(|_| failures.get(line).copied().unwrap_or_default().trim().to_owned()),
            state: self.state.map(|_| states.get(line).copied().unwrap_or_default().trim().to_owned()),
        };
        let domains = lines(Some(self.domain)).into_iter().enumerate();
        let is_fact = |line: usize| keys.get(line).is_some_and(|key| !key.trim().is_empty());
        domains
            .filter(|(_, domain)| !domain.trim().is_empty())
            .map(|(line, domain)| (line, domain.to_owned(), told(line)))
            .filter(|(line, _, told)| !(is_fact(*line) && told.is_silent()))
            .map(|(_, domain, told)| (domain, told))
            .collect()
    }
}

/// What the sensor says of one extension.
struct Told {
    failure: Option<String>,
    state: Option<String>,
}

enum Verdict {
    Healthy,
    Failed(String),
    Unclear(String),
}

impl Told {
    /// Neither a state nor a failure.
    fn is_silent(&self) -> bool {
        [&self.failure, &self.state].into_iter().flatten().all(String::is_empty)
    }

    fn verdict(&self, healthy: &[&str]) -> Verdict {
        let among = |words: &[&str], text: &str| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if let Some(failure) = &self.failure
            && !among(&["", "none", "no", "false", "0", "n/a"], failure)
        {
            return Verdict::Failed(failure.clone());
        }
        let Some(state) = self.state.as_deref().filter(|state| !state.is_empty()) else {
            // A column of failures that is empty says that there is none; without one, nothing was said.
            return if self.failure.is_some() { Verdict::Healthy } else { Verdict::Unclear(String::new()) };
        };
        let lower = state.to_lowercase();
        if among(healthy, state) {
            Verdict::Healthy
        } else if ["fail", "error", "unhealthy", "crash", "took longer"]
            .iter()
            .any(|word| lower.contains(word))
        {
            Verdict::Failed(state.to_owned())
        } else if self.failure.is_some() {
            Verdict::Healthy
        } else {
            Verdict::Unclear(state.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::TallyRow;

    #[test]
    fn a_row_that_tells_a_fact_tells_no_state() {
        let row = |cells: [&str; 3]| TallyRow {
            cells: cells.map(str::to_owned).to_vec(),
            count: 9,
            sample: Vec::new(),
        };
        let tally = Tally {
            columns: ["Domain", "Status", "Key"].map(str::to_owned).to_vec(),
            rows: vec![row(["index", "Healthy", ""]), row(["recorder", "", "Driver Version"])],
            ..Tally::default()
        };
        let health = Health::answered(&tally, &["healthy"]).unwrap();
        assert_eq!((health.unclear.len(), health.domains.len()), (0, 1));
    }

    #[test]
    fn a_domain_has_one_name() {
        for (text, expected) in [
            ("Client Index Extension", "index"),
            ("dec (Direct Connect)", "dec"),
            ("Threat Response Client Extension", "threatresponse"),
            ("threatresponse", "threatresponse"),
            ("Decoy", "decoy"),
        ] {
            assert_eq!(domain(text), expected, "{text}");
        }
    }
}
