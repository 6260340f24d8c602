//! The test kit: facts in, findings out.
//!
//! ```
//! # use tancheck_plugin_api::{prelude::*, testing::Case, serde_json::json};
//! # const ROWS: Input = Input::new("x.rows", "rows").sources(&[Source::rest("/api/v2/users")]);
//! # const CHECK: Check = Check::automated("x.empty").reads(&[&ROWS]).judge(|facts, report| {
//! #     for row in facts.rows::<records::Reference>(&ROWS)? {
//! #         report.finding(Finding::on(Subject::new("row", row.id, row.name)));
//! #     }
//! #     Ok(())
//! # });
//! Case::of(&CHECK).rows(&ROWS, json!([])).judge().assert_pass();
//! Case::of(&CHECK).rows(&ROWS, json!([{"id": 7}])).judge().assert_findings(&["7"]);
//! Case::of(&CHECK).rows(&ROWS, json!([])).assert_needs_its_inputs();
//! ```
#![expect(clippy::panic, reason = "a test kit fails by panicking")]

use crate::check::Check;
use crate::facts::{Answer, Body, Point, Supplied, Tally, TallyRow, Unavailable};
use crate::finding::{Finding, Measure};
use crate::input::Input;
use crate::manifest::{self, Manifest};
use crate::outcome::{Outcome, Undecided};
use crate::plugin::{Plugin, judge, read};
use crate::proposal::Proposal;
use crate::reading::Reading;
use crate::records::probe::{Certificate, Probe, SUITES, Stage, Suite, SuiteResult};
use crate::remedy::Remedy;
use crate::validate;
use crate::wire::{Inspection, Judgement};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Who is given the facts.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Check(&'static Check),
    Reading(&'static Reading),
}

/// Facts for one judge.
#[derive(Clone, Debug)]
pub struct Case {
    asked: Asked,
    title: &'static str,
    inspection: Inspection,
}

impl Case {
    /// Facts for this check; so far every input is missing, settings have their defaults, and it is
    /// 2026-06-30T12:00:00Z.
    #[must_use]
    pub fn of(check: &'static Check) -> Self {
        Self::new(Asked::Check(check), check.id)
    }

    /// Facts for this reading, about the name that is diagnosed; see [`Case::of`].
    #[must_use]
    pub fn reading(reading: &'static Reading, subject: &str) -> Self {
        let mut case = Self::new(Asked::Reading(reading), reading.id);
        case.inspection.subject = Some(subject.to_owned()).filter(|subject| !subject.is_empty());
        case
    }

    fn new(asked: Asked, id: &str) -> Self {
        let inspection = Inspection {
            check: id.to_owned(),
            now: "2026-06-30T12:00:00Z".parse().expect("a valid time"),
            settings: Map::new(),
            inputs: BTreeMap::new(),
            subject: None,
        };
        Self { asked, title: "Module", inspection }
    }

    /// The title of the plugin, for checks that several plugins share.
    #[must_use]
    pub fn titled(mut self, title: &'static str) -> Self {
        self.title = title;
        self
    }

    /// The time of the run.
    #[must_use]
    pub fn at(mut self, now: &str) -> Self {
        self.inspection.now = now.parse().unwrap_or_else(|error| panic!("{now:?} is no time: {error}"));
        self
    }

    /// A setting of the site.
    #[must_use]
    pub fn setting(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.inspection.settings.insert(key.to_owned(), value.into());
        self
    }

    /// Delivers rows.
    #[must_use]
    pub fn rows(self, input: &Input, rows: Value) -> Self {
        let Value::Array(rows) = rows else { panic!("rows are a list") };
        self.body(input, Body::Rows(rows))
    }

    /// Delivers what probes saw.
    #[must_use]
    pub fn probes(self, input: &Input, probes: &[Probe]) -> Self {
        let rows = probes.iter().map(|probe| serde_json::to_value(probe).expect("a probe is plain data"));
        self.body(input, Body::Rows(rows.collect()))
    }

    /// Delivers an object.
    #[must_use]
    pub fn object(self, input: &Input, object: Value) -> Self {
        self.body(input, Body::Object(object))
    }

    /// Delivers a single number or text.
    #[must_use]
    pub fn value(self, input: &Input, value: impl Into<Value>) -> Self {
        self.body(input, Body::Value(value.into()))
    }

    /// Delivers counted answers: one column, a count for each value; every endpoint answered.
    #[must_use]
    pub fn tally(self, input: &Input, column: &str, counts: &[(&str, u64)]) -> Self {
        self.body(input, Body::Tally(tally(column, counts)))
    }

    /// Delivers points of a series, one a week, the last one a week ago.
    #[must_use]
    pub fn weekly(self, input: &Input, series: &str, values: &[f64]) -> Self {
        let now = self.inspection.now;
        let points = values.iter().rev().enumerate().map(|(weeks, &value)| {
            let at = now - jiff::SignedDuration::from_hours(24 * 7 * (weeks as i64 + 1));
            Point { series: series.to_owned(), at, value }
        });
        let mut points: Vec<_> = points.collect();
        points.reverse();
        self.body(input, Body::Points(points))
    }

    /// Delivers an answer of a person.
    #[must_use]
    pub fn answer(self, input: &Input, value: impl Into<Value>) -> Self {
        let answer = Answer {
            value: value.into(),
            by: "ann".to_owned(),
            at: self.inspection.now,
            note: String::new(),
        };
        self.body(input, Body::Answer(answer))
    }

    /// Delivers nothing, and says why.
    #[must_use]
    pub fn unavailable(self, input: &Input, outcome: Outcome) -> Self {
        self.body(
            input,
            Body::Unavailable(Unavailable { outcome, reason: "withheld by the test".to_owned() }),
        )
    }

    /// Delivers any body.
    #[must_use]
    pub fn body(mut self, input: &Input, body: Body) -> Self {
        let supplied = Supplied {
            source: "test".to_owned(),
            request: input.id.to_owned(),
            at: self.inspection.now,
            gaps: Vec::new(),
            body,
        };
        self.inspection.inputs.insert(input.id.to_owned(), supplied);
        self
    }

    /// Marks the data of an input as incomplete, and says why.
    #[must_use]
    pub fn gap(mut self, input: &Input, reason: &str) -> Self {
        let Some(supplied) = self.inspection.inputs.get_mut(input.id) else {
            panic!("deliver {} first", input.id)
        };
        supplied.gaps.push(reason.to_owned());
        self
    }

    /// The kind of source that an input came from, and when its value was true.
    #[must_use]
    pub fn from_source(mut self, input: &Input, source: &str, at: &str) -> Self {
        let at: Timestamp = at.parse().unwrap_or_else(|error| panic!("{at:?} is no time: {error}"));
        let Some(supplied) = self.inspection.inputs.get_mut(input.id) else {
            panic!("deliver {} first", input.id)
        };
        source.clone_into(&mut supplied.source);
        supplied.at = at;
        self
    }

    /// Judges.
    #[must_use]
    pub fn judge(&self) -> Verdict {
        match self.asked {
            Asked::Check(check) => {
                let judgement = judge(check, self.title, &self.inspection);
                for proposal in &judgement.report.proposals {
                    let (id, key) = (check.id, &proposal.setting);
                    let Some(setting) = check.learns.iter().find(|setting| setting.key() == key) else {
                        panic!("{id} proposes {key}, which it does not learn")
                    };
                    let value = &proposal.value;
                    assert!(manifest::Setting::of(setting).takes(value), "{id} proposes {value} for {key}");
                }
                Verdict(judgement, check.remedy)
            }
            Asked::Reading(reading) => Verdict(read(reading, self.title, &self.inspection), None),
        }
    }

    /// Withholds each delivered input in turn and asserts that the judge then neither passes nor panics: it is
    /// undecided, or still has findings that other inputs prove. With all of them withheld it must be undecided.
    pub fn assert_needs_its_inputs(&self) {
        let ids: Vec<String> = self.inspection.inputs.keys().cloned().collect();
        let mut empty = self.clone();
        empty.inspection.inputs.clear();
        assert!(empty.judge().0.undecided.is_some(), "{} decides without any input", self.inspection.check);
        for id in ids {
            let mut case = self.clone();
            case.inspection.inputs.remove(&id);
            let Verdict(judgement, _) = case.judge();
            assert!(
                judgement.undecided.is_some() || !judgement.report.findings.is_empty(),
                "{} passes without {id}",
                self.inspection.check
            );
        }
    }
}

/// What a probe sees of a healthy listener with an RSA certificate of 2048 bits that is good for another year.
#[must_use]
pub fn probed(host: &str, port: u16) -> Probe {
    let time = |text: &str| Some(text.parse().expect("a valid time"));
    let suite = |(name, _): &(&str, u16)| Suite {
        name: (*name).to_owned(),
        result: if name.contains("-RSA-") { SuiteResult::Accepted } else { SuiteResult::Refused },
        says: String::new(),
    };
    let leaf = Certificate {
        sha256: "5e".repeat(32),
        subject: format!("CN={host}"),
        common_name: host.to_owned(),
        issuer: format!("CN={host}"),
        serial: "01".to_owned(),
        not_before: time("2026-01-01T00:00:00Z"),
        not_after: time("2027-06-30T00:00:00Z"),
        key: "RSA".to_owned(),
        key_bits: Some(2048),
        signature: "sha256WithRSAEncryption".to_owned(),
        names: vec![host.to_owned()],
        ..Certificate::default()
    };
    Probe {
        target: host.to_owned(),
        host: host.to_owned(),
        port: Some(port),
        at: time("2026-06-30T12:00:00Z"),
        stage: Stage::Flight,
        addresses: vec!["192.0.2.7".to_owned()],
        address: format!("192.0.2.7:{port}"),
        version: "TLS 1.2".to_owned(),
        suite: "ECDHE-RSA-AES256-GCM-SHA384".to_owned(),
        curve: "x25519".to_owned(),
        client_certificate: Some(true),
        certificates: vec![leaf],
        suites: SUITES.iter().map(suite).collect(),
        ..Probe::default()
    }
}

/// Counted answers of one column; every endpoint answered.
#[must_use]
pub fn tally(column: &str, counts: &[(&str, u64)]) -> Tally {
    let rows = counts.iter().map(|&(value, count)| TallyRow {
        cells: vec![value.to_owned()],
        count,
        sample: Vec::new(),
    });
    let total = counts.iter().map(|(_, count)| count).sum();
    Tally {
        columns: vec![column.to_owned()],
        rows: rows.collect(),
        answered: total,
        expected: total,
        ..Tally::default()
    }
}

/// Counted answers of two columns; all of `endpoints` answered.
#[must_use]
pub fn tally_of_two(columns: [&str; 2], rows: &[(&str, &str, u64)], endpoints: u64) -> Tally {
    let rows = rows.iter().map(|&(first, second, count)| TallyRow {
        cells: vec![first.to_owned(), second.to_owned()],
        count,
        sample: Vec::new(),
    });
    Tally {
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.collect(),
        answered: endpoints,
        expected: endpoints,
        ..Tally::default()
    }
}

/// What a judge said.
#[derive(Clone, Debug)]
pub struct Verdict(Judgement, Option<&'static Remedy>);

impl Verdict {
    /// Asserts that everything was seen and is healthy.
    #[track_caller]
    pub fn assert_pass(&self) {
        assert_eq!(self.0.undecided, None, "{} did not decide", self.0.check);
        assert_eq!(self.0.report.findings, [], "{} has findings", self.0.check);
    }

    /// Asserts findings on exactly these subject keys, in any order, and that each fills the placeholders of the
    /// check's remedy.
    #[track_caller]
    pub fn assert_findings(&self, keys: &[&str]) {
        let unfilled = self.unfilled();
        assert!(unfilled.is_empty(), "{}: nothing fills {unfilled:?} of the remedy", self.0.check);
        let mut found: Vec<&str> =
            self.0.report.findings.iter().map(|finding| finding.subject.key.as_str()).collect();
        let mut wanted = keys.to_vec();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{}: {:#?}", self.0.check, self.0);
    }

    /// Placeholders of the remedy that a finding leaves as they are. `{subject}` and `{module}` are filled for it.
    fn unfilled(&self) -> Vec<String> {
        let Some(remedy) = self.1 else { return Vec::new() };
        let texts: Vec<String> = remedy
            .steps
            .iter()
            .filter_map(|step| serde_json::to_value(step).ok())
            .flat_map(|step| {
                step.as_object().cloned().into_iter().flatten().map(|(_, text)| text.to_string())
            })
            .chain(remedy.cautions.iter().map(|caution| (*caution).to_owned()))
            .collect();
        let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let names: std::collections::BTreeSet<&str> = texts
            .iter()
            .flat_map(|text| validate::placeholders(text))
            .filter(|name| !name.is_empty() && !matches!(*name, "subject" | "module"))
            .filter(is_name)
            .collect();
        let findings = &self.0.report.findings;
        let missing = |name: &&str| findings.iter().any(|finding| !finding.values.contains_key(*name));
        names.into_iter().filter(missing).map(str::to_owned).collect()
    }

    /// Asserts that nothing was decided, with this outcome.
    #[track_caller]
    pub fn assert_undecided(&self, outcome: Outcome) {
        assert_eq!(self.0.report.findings, [], "{} has findings", self.0.check);
        let Some(undecided) = &self.0.undecided else { panic!("{} decided: pass", self.0.check) };
        assert_eq!(undecided.outcome, outcome, "{}", undecided.reason);
    }

    /// Why nothing was decided.
    #[must_use]
    pub fn undecided(&self) -> Option<&Undecided> {
        self.0.undecided.as_ref()
    }

    /// What a reading read.
    #[must_use]
    pub fn answer(&self) -> Option<&str> {
        self.0.answer.as_deref()
    }

    /// The findings.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0.report.findings
    }

    /// The measures.
    #[must_use]
    pub fn measures(&self) -> &[Measure] {
        &self.0.report.measures
    }

    /// The value that is proposed for a setting.
    #[must_use]
    pub fn proposal(&self, setting: &str) -> Option<&Value> {
        let of_setting = |proposal: &&Proposal| proposal.setting == setting;
        self.0.report.proposals.iter().find(of_setting).map(|proposal| &proposal.value)
    }

    /// The proposals.
    #[must_use]
    pub fn proposals(&self) -> &[Proposal] {
        &self.0.report.proposals
    }

    /// The notes.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.0.report.notes
    }
}

/// Asserts that a plugin's manifest is good and survives its way across the boundary unchanged, and that no two of its
/// checks mean different things by the same setting or input.
#[track_caller]
pub fn assert_valid(plugin: &Plugin) {
    let conflicts = conflicts(plugin);
    assert!(conflicts.is_empty(), "{}:\n{}", plugin.id, conflicts.join("\n"));
    let manifest = Manifest::of(plugin);
    let problems = validate::problems(&manifest);
    assert!(problems.is_empty(), "the manifest of {}:\n{}", plugin.id, problems.join("\n"));
    let text = serde_json::to_string(&manifest).expect("a manifest is plain data");
    let back: Manifest = serde_json::from_str(&text).expect("a manifest reads its own text");
    assert_eq!(manifest, back);
}

/// Settings and inputs that are declared twice, and differently. The manifest holds one of each, so the second
/// declaration would be lost.
fn conflicts(plugin: &Plugin) -> Vec<String> {
    let mut settings = BTreeMap::new();
    let mut inputs = BTreeMap::new();
    let mut conflicts = Vec::new();
    let checks = plugin.checks.iter().map(|check| {
        let settings: Vec<_> = check.settings.iter().copied().chain(check.due_every).collect();
        (check.id, check.reads, settings)
    });
    let readings = plugin.readings_of_nodes().chain(plugin.readings_of_values());
    let readings = readings.map(|reading| (reading.id, reading.reads, reading.settings.to_vec()));
    for (id, reads, sets) in checks.chain(readings) {
        for setting in sets {
            let text = format!("{setting:?}");
            if *settings.entry(setting.key).or_insert_with(|| text.clone()) != text {
                conflicts.push(format!("{id}: the setting {} is declared differently before", setting.key));
            }
        }
        for input in reads {
            let text = format!("{input:?}");
            if *inputs.entry(input.id).or_insert_with(|| text.clone()) != text {
                conflicts.push(format!("{id}: the input {} is declared differently before", input.id));
            }
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Setting, Source};
    use serde_json::json;

    const USERS: Input = Input::new("x.users", "users").sources(&[Source::rest("/api/v2/users")]);
    const NUMBER: Setting = Setting::integer("limit", 1, 0, 9);
    const LIST: Setting = Setting::list("limit", &[]);
    const ONE: Check = Check::automated("x.one").reads(&[&USERS]).settings(&[&NUMBER]).judge(|facts, _| {
        let users: Vec<Value> = facts.rows(&USERS)?;
        if users.is_empty() { Err(facts.absent(&USERS, "there are no users")) } else { Ok(()) }
    });
    const TWO: Check = Check::automated("x.two").settings(&[&LIST]);

    #[test]
    fn a_setting_means_one_thing() {
        assert_eq!(conflicts(&Plugin::new("x", "X", "1").checks(&[&ONE, &ONE])), [""; 0]);
        let conflicts = conflicts(&Plugin::new("x", "X", "1").checks(&[&ONE, &TWO]));
        assert_eq!(conflicts, ["x.two: the setting limit is declared differently before"]);
    }

    #[test]
    #[should_panic(expected = "nothing fills [\"owner\"]")]
    fn a_remedy_with_an_empty_placeholder_is_noticed() {
        const REMEDY: Remedy =
            Remedy::new(&[crate::Step::consult("{owner} of {subject}", "ask about {module}")]);
        const FOUND: Check =
            Check::automated("x.found").reads(&[&USERS]).remedy(&REMEDY).judge(|_, report| {
                report.finding(Finding::on(crate::Subject::deployment()));
                Ok(())
            });
        Case::of(&FOUND).judge().assert_findings(&["deployment"]);
    }

    #[test]
    fn what_is_absent_from_incomplete_data_is_unknown() {
        let case = Case::of(&ONE).rows(&USERS, json!([]));
        case.judge().assert_undecided(Outcome::NotApplicable);
        let case = case.gap(&USERS, "only own users are shown");
        case.judge().assert_undecided(Outcome::NotEvaluated);
        assert!(case.judge().undecided().is_some_and(|why| why.reason.contains("only own users")));
    }
}
