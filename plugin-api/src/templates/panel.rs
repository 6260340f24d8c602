//! Panels and grids of the Console that have no public route: rows that an administrator exported, a number that
//! somebody read off, or the answers of a sensor that the site named.
//!
//! ```
//! use tancheck_plugin_api::prelude::*;
//! use tancheck_plugin_api::templates::Panel;
//!
//! const COVERAGE_ROWS: Input = Input::new("example.coverage", "endpoints that need attention").sources(&[
//!     Source::export("example-coverage.csv", "Modules > Example > Overview", "click the number above Needs Attention \
//!         and export the results", &["Computer Name", "Operating System", "Coverage Status"]),
//!     Source::answer("Which number stands at Needs Attention?", Accepts::Number, 30),
//! ]);
//! const MAX_ENDPOINTS: Setting = Setting::integer("max_endpoints", 0, 0, 1_000_000).unit("endpoints");
//! const COVERAGE: Panel = Panel::new(&COVERAGE_ROWS, "coverage", "Example Coverage", "need attention")
//!     .state("Coverage Status", &["Needs Attention"], &["Unsupported"])
//!     .grouped_by(&["Operating System"]);
//!
//! fn coverage(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
//!     COVERAGE.at_most(facts, report, facts.integer(&MAX_ENDPOINTS)?)
//! }
//! ```

use crate::facts::Answer;
use crate::prelude::*;
use crate::records::answers;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// How many names a finding shows.
const SAMPLE: usize = 10;
/// How many groups of details a finding shows.
const GROUPS: usize = 5;

/// What an administrator brought of a panel.
#[derive(Clone, Debug)]
pub enum Shown<'a, T = Row> {
    /// The rows of an exported file.
    Rows(Vec<T>),
    /// What somebody read off.
    Answer(&'a Answer),
}

/// The rows or the answer of an input.
///
/// # Errors
/// When neither is there, or a row is not understood.
pub fn shown<'a, T: DeserializeOwned>(
    facts: &Facts<'a>,
    input: &'static Input,
) -> Result<Shown<'a, T>, Undecided> {
    match facts.body(input)? {
        Body::Answer(answer) => Ok(Shown::Answer(answer)),
        _ => facts.rows(input).map(Shown::Rows),
    }
}

/// One row of an exported file; its cells by the names of its columns.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Row(Map<String, Value>);

impl Row {
    /// The text of a cell, without blanks around it; empty where there is none. Columns are compared without regard
    /// to case, blanks, `_` and `-`.
    #[must_use]
    pub fn cell(&self, column: &str) -> String {
        let wanted = plain(column);
        match self.0.iter().find(|(name, _)| plain(name) == wanted).map(|(_, value)| value) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(other) => other.to_string(),
        }
    }

    /// The number of a cell; `None` where it is empty. Thousands may be set apart by commas.
    ///
    /// # Errors
    /// When it holds something else; the reason tells what.
    pub fn number(&self, column: &str) -> Result<Option<f64>, Undecided> {
        let text = self.cell(column).replace(',', "");
        let number = text.trim_end_matches('%').trim();
        if number.is_empty() {
            return Ok(None);
        }
        number.parse().map(Some).map_err(|_| {
            Undecided::not_evaluated(format!("the column {column} holds {text:?}, which is no number"))
        })
    }

    /// The time of a cell; `None` where it is empty.
    ///
    /// # Errors
    /// When it holds something else; the reason tells what.
    pub fn time(&self, column: &str) -> Result<Option<Timestamp>, Undecided> {
        lenient::parse_time(&self.cell(column)).map_err(|error| {
            Undecided::not_evaluated(format!("the column {column} is not understood: {error}"))
        })
    }

    /// Whether a cell holds one of these texts, without regard to case.
    #[must_use]
    pub fn is(&self, column: &str, texts: &[&str]) -> bool {
        let cell = self.cell(column);
        texts.iter().any(|text| text.eq_ignore_ascii_case(&cell))
    }
}

/// A column's name as it is compared.
fn plain(column: &str) -> String {
    column.chars().filter(|one| !matches!(one, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// How many things a panel shows, and which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// How many.
    pub count: u64,
    /// Of how many rows of the export; `None` where a number was read off.
    pub of: Option<u64>,
    /// The names of a few.
    pub sample: Vec<String>,
    /// How many by the columns that the panel is grouped by, most first.
    pub groups: Vec<(String, u64)>,
    /// States that are in the export and in no list of the panel.
    pub unknown: Vec<String>,
}

impl Counted {
    /// The largest groups in words: `Windows 10: 4, macOS: 1`; empty where nothing is grouped.
    #[must_use]
    pub fn details(&self) -> String {
        let shown: Vec<String> =
            self.groups.iter().take(GROUPS).map(|(name, count)| format!("{name}: {count}")).collect();
        match self.groups.len().saturating_sub(GROUPS) {
            0 => shown.join(", "),
            more => format!("{}, and {more} more", shown.join(", ")),
        }
    }
}

/// A panel that counts things in a bad state.
///
/// Where the rows have a column `Count` (or the one of [`Panel::counting`]), each row stands for so many things.
#[derive(Clone, Copy, Debug)]
pub struct Panel {
    input: &'static Input,
    key: &'static str,
    name: &'static str,
    says: &'static str,
    noun: (&'static str, &'static str),
    state: &'static str,
    bad: &'static [&'static str],
    other: &'static [&'static str],
    accepted: Option<&'static Setting>,
    groups: &'static [&'static str],
    named_by: &'static str,
    counted_by: &'static str,
    share: Option<&'static str>,
}

impl Panel {
    /// A panel: what is read of it, a stable key and the name for the subject of a finding, and what it says of the
    /// endpoints that it counts (`need attention`).
    #[must_use]
    pub const fn new(
        input: &'static Input,
        key: &'static str,
        name: &'static str,
        says: &'static str,
    ) -> Self {
        Self {
            input,
            key,
            name,
            says,
            noun: ("endpoint", "endpoints"),
            state: "",
            bad: &[],
            other: &[],
            accepted: None,
            groups: &[],
            named_by: "Computer Name",
            counted_by: "Count",
            share: None,
        }
    }

    /// Only rows whose `column` holds one of `bad` count. `other` are states that are known and do not count; a state
    /// in neither list leaves the check undecided. Without this, every row counts.
    #[must_use]
    pub const fn state(
        mut self,
        column: &'static str,
        bad: &'static [&'static str],
        other: &'static [&'static str],
    ) -> Self {
        self.state = column;
        self.bad = bad;
        self.other = other;
        self
    }

    /// A list setting of further states that are known and do not count: for states that the vendor does not document.
    #[must_use]
    pub const fn accepting(mut self, states: &'static Setting) -> Self {
        self.accepted = Some(states);
        self
    }

    /// What is counted, where it is no endpoints: one and many.
    #[must_use]
    pub const fn noun(mut self, one: &'static str, many: &'static str) -> Self {
        self.noun = (one, many);
        self
    }

    /// The column that names what a row is about, where it is not `Computer Name`.
    #[must_use]
    pub const fn named_by(mut self, column: &'static str) -> Self {
        self.named_by = column;
        self
    }

    /// The column that tells how many things a row stands for, where it is not `Count`.
    #[must_use]
    pub const fn counting(mut self, column: &'static str) -> Self {
        self.counted_by = column;
        self
    }

    /// Columns by which a finding groups what it counted.
    #[must_use]
    pub const fn grouped_by(mut self, columns: &'static [&'static str]) -> Self {
        self.groups = columns;
        self
    }

    /// The series of the share of endpoints in no bad state, in percent: what the module covers. It is kept where
    /// endpoints were asked; an export lists, and a number counts, only those in a bad state.
    #[must_use]
    pub const fn covering(mut self, series: &'static str) -> Self {
        self.share = Some(series);
        self
    }

    /// The input.
    #[must_use]
    pub const fn input(&self) -> &'static Input {
        self.input
    }

    /// Counts the rows or answers of endpoints in a bad state, or takes the number that was read off.
    ///
    /// # Errors
    /// When there is neither an export nor an answer, or one of them is not understood.
    pub fn count(&self, facts: &Facts<'_>) -> Result<Counted, Undecided> {
        let mut counted = self.count_all(facts)?;
        let accepted = self.accepted.map(|setting| facts.list(setting)).unwrap_or_default();
        counted.unknown.retain(|state| !accepted.iter().any(|known| known.eq_ignore_ascii_case(state)));
        Ok(counted)
    }

    fn count_all(&self, facts: &Facts<'_>) -> Result<Counted, Undecided> {
        if let Body::Tally(tally) = facts.body(self.input)? {
            return self.count_tally(tally);
        }
        match shown::<Row>(facts, self.input)? {
            Shown::Rows(rows) => self.count_rows(&rows),
            Shown::Answer(answer) => {
                let count = whole(answer)?;
                Ok(Counted { count, ..Counted::default() })
            }
        }
    }

    /// Counts what endpoints answered to a sensor whose first column is the state.
    fn count_tally(&self, tally: &Tally) -> Result<Counted, Undecided> {
        answers::complete(self.name, tally.answered, answers::unusable(tally))?;
        let mut counted = Counted { of: Some(tally.answered), ..Counted::default() };
        for row in &tally.rows {
            let state = row.cells.first().map(|cell| cell.trim()).unwrap_or_default();
            let is_one_of = |states: &[&str]| states.iter().any(|one| one.eq_ignore_ascii_case(state));
            if is_one_of(self.bad) {
                counted.count += row.count;
                counted
                    .sample
                    .extend(row.sample.iter().take(SAMPLE.saturating_sub(counted.sample.len())).cloned());
            } else if !is_one_of(self.other) {
                counted.unknown.push(state.to_owned());
            }
        }
        Ok(counted)
    }

    /// Counts these rows, for judges that choose among them.
    ///
    /// # Errors
    /// When the column of counts holds something else.
    pub fn count_rows(&self, rows: &[Row]) -> Result<Counted, Undecided> {
        let mut counted = Counted::default();
        let mut total = 0;
        let mut groups: BTreeMap<String, u64> = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for row in rows {
            let weight = row.number(self.counted_by)?.unwrap_or(1.0).max(0.0) as u64;
            total += weight;
            if !self.state.is_empty() && !row.is(self.state, self.bad) {
                if !row.is(self.state, self.other) {
                    unknown.insert(row.cell(self.state));
                }
                continue;
            }
            counted.count += weight;
            let name = row.cell(self.named_by);
            if !name.is_empty() && counted.sample.len() < SAMPLE {
                counted.sample.push(name);
            }
            if !self.groups.is_empty() {
                let cells = self.groups.iter().map(|column| row.cell(column));
                let cells: Vec<String> = cells.filter(|cell| !cell.is_empty()).collect();
                *groups.entry(cells.join(" / ")).or_default() += weight;
            }
        }
        counted.of = Some(total);
        counted.groups = groups.into_iter().filter(|(name, _)| !name.is_empty()).collect();
        counted.groups.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        counted.unknown = unknown.into_iter().collect();
        Ok(counted)
    }

    /// The finding about what was counted, without an expectation.
    #[must_use]
    pub fn finding(&self, facts: &Facts<'_>, counted: &Counted) -> Finding {
        let count = counted.count;
        let noun = if count == 1 { self.noun.0 } else { self.noun.1 };
        let says = match counted.details() {
            details if details.is_empty() => format!("{count} {noun} {}", self.says),
            details => format!("{count} {noun} {} ({details})", self.says),
        };
        let seen = serde_json::json!({"count": count, "rows": counted.of, "groups": counted.groups});
        Finding::on(Subject::new("panel", self.key, self.name))
            .says(says)
            .affected(count, counted.of)
            .sample(counted.sample.iter().map(String::as_str))
            .evidence(facts.seen(self.input, seen))
    }

    /// Judges: a finding where more than `limit` are counted; undecided where the export holds unknown states. The number
    /// is kept as a series.
    ///
    /// # Errors
    /// When there is neither an export nor an answer, or a state in the export is not known.
    pub fn at_most(&self, facts: &Facts<'_>, report: &mut Report, limit: i64) -> Result<(), Undecided> {
        let counted = self.count(facts)?;
        if counted.unknown.is_empty() {
            let series = format!("{}.{}", self.input.id, self.key);
            report.measure(&series, counted.count as f64, self.noun.1);
            if let (Some(share), Body::Tally(tally)) = (self.share, facts.body(self.input)?) {
                let told = tally.valued();
                report.measure_share(share, told.saturating_sub(counted.count), told);
            }
        }
        if i64::try_from(counted.count).unwrap_or(i64::MAX) > limit {
            report
                .finding(self.finding(facts, &counted).expected(format!("at most {limit} {}", self.noun.1)));
        }
        settle(&self.reasons(&counted))
    }

    /// Why the count may be too low: states that are not known, in words for [`settle`].
    #[must_use]
    pub fn reasons(&self, counted: &Counted) -> Vec<String> {
        let unknown = counted.unknown.iter();
        unknown
            .map(|state| match state.as_str() {
                "" => format!("a row without {} cannot be judged", self.state),
                state => format!("the state {state:?} in the column {} is not known", self.state),
            })
            .collect()
    }
}

/// An answer as a whole number that is not negative.
///
/// # Errors
/// When it is something else.
pub fn whole(answer: &Answer) -> Result<u64, Undecided> {
    let number = answer.value.as_f64().filter(|number| *number >= 0.0 && number.fract() == 0.0);
    let number = number.map(|number| number as u64);
    number.ok_or_else(|| {
        Undecided::not_evaluated(format!("the answer {} is no count: answer again", answer.value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Case;
    use serde_json::json;

    const ROWS: Input = Input::new("example.coverage", "endpoints");
    const PANEL: Panel = Panel::new(&ROWS, "coverage", "Coverage", "need attention")
        .state("Coverage Status", &["Needs Attention", "Attention Needed"], &["Unsupported"])
        .grouped_by(&["Operating System"]);
    const CHECK: Check = Check::automated("example.coverage")
        .reads(&[&ROWS])
        .judge(|facts, report| PANEL.at_most(facts, report, 1));

    fn row(name: &str, system: &str, state: &str) -> Value {
        json!({"Computer Name": name, "operating_system": system, "Coverage Status": state})
    }

    fn case(rows: Value) -> Case {
        Case::of(&CHECK).rows(&ROWS, rows)
    }

    #[test]
    fn rows_in_a_bad_state_are_counted_grouped_and_named() {
        let rows = json!([
            row("a", "Windows", "needs attention"),
            row("b", "Linux", "Attention Needed"),
            row("c", "Windows", "Needs Attention "),
            row("d", "macOS", "Unsupported")
        ]);
        let verdict = case(rows).judge();
        verdict.assert_findings(&["coverage"]);
        let finding = &verdict.findings()[0];
        assert_eq!(finding.says, "3 endpoints need attention (Windows: 2, Linux: 1)");
        let affected = finding.affected.as_ref().unwrap();
        assert_eq!((affected.count, affected.of, affected.sample.len()), (3, Some(4), 3));
    }

    #[test]
    fn the_limit_itself_passes() {
        case(json!([row("a", "Windows", "Needs Attention")])).judge().assert_pass();
        case(json!([])).judge().assert_pass();
        Case::of(&CHECK).answer(&ROWS, 1).judge().assert_pass();
        Case::of(&CHECK).answer(&ROWS, 2).judge().assert_findings(&["coverage"]);
    }

    #[test]
    fn an_unknown_state_is_no_pass_and_no_finding_is_lost() {
        case(json!([row("a", "Windows", "Purple")])).judge().assert_undecided(Outcome::NotEvaluated);
        let bad = row("a", "Windows", "Needs Attention");
        let verdict = case(json!([bad, bad, row("b", "Windows", "")])).judge();
        verdict.assert_findings(&["coverage"]);
        assert!(verdict.undecided().is_some());
    }

    #[test]
    fn a_counted_export_weighs_its_rows() {
        let weighed = |count: &str| {
            case(
                json!([{"Operating System": "Windows", "Coverage Status": "Needs Attention", "Count": count}]),
            )
        };
        assert_eq!(weighed("1,200").judge().findings()[0].affected.as_ref().unwrap().count, 1200);
        weighed("many").judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn answers_of_a_sensor_are_counted_by_state() {
        const FINE: Setting = Setting::list("fine_states", &[]);
        const ACCEPTING: Panel = PANEL.accepting(&FINE);
        const CHECK: Check = Check::automated("example.coverage")
            .reads(&[&ROWS])
            .settings(&[&FINE])
            .judge(|facts, report| ACCEPTING.at_most(facts, report, 1));
        let case = |counts: &[(&str, u64)]| {
            Case::of(&CHECK).setting("fine_states", json!(["Optimal"])).tally(&ROWS, "Coverage", counts)
        };
        case(&[("optimal", 400), ("Unsupported", 3), ("Needs Attention", 1)]).judge().assert_pass();
        let verdict = case(&[("Optimal", 400), ("Needs Attention", 2)]).judge();
        verdict.assert_findings(&["coverage"]);
        assert_eq!(verdict.findings()[0].affected.as_ref().unwrap().of, Some(402));
        case(&[("Purple", 400)]).judge().assert_undecided(Outcome::NotEvaluated);
        case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn what_is_covered_is_known_where_endpoints_were_asked() {
        const FINE: Setting = Setting::list("fine_states", &[]);
        const COVERING: Panel = PANEL.accepting(&FINE).covering("example.covered");
        const CHECK: Check = Check::automated("example.coverage")
            .reads(&[&ROWS])
            .settings(&[&FINE])
            .judge(|facts, report| COVERING.at_most(facts, report, 1));
        let covered = |case: Case| -> Vec<f64> {
            let verdict = case.setting("fine_states", json!(["Optimal"])).judge();
            let shares = verdict.measures().iter().filter(|measure| measure.series == "example.covered");
            shares.map(|measure| measure.value).collect()
        };
        let asked = |counts: &[(&str, u64)]| covered(Case::of(&CHECK).tally(&ROWS, "Coverage", counts));
        assert_eq!(asked(&[("Optimal", 30), ("Needs Attention", 10)]), [75.0]);
        assert_eq!(asked(&[("Optimal", 30), ("Purple", 10)]), [0.0; 0], "who knows what purple means");
        assert_eq!(covered(Case::of(&CHECK).answer(&ROWS, 3)), [0.0; 0]);
        assert_eq!(covered(Case::of(&CHECK).rows(&ROWS, json!([row("a", "b", "Unsupported")]))), [0.0; 0]);
    }

    #[test]
    fn neither_rows_nor_a_number_decides_nothing() {
        case(json!([])).assert_needs_its_inputs();
        Case::of(&CHECK).answer(&ROWS, "many").judge().assert_undecided(Outcome::NotEvaluated);
        Case::of(&CHECK).answer(&ROWS, -1).judge().assert_undecided(Outcome::NotEvaluated);
    }
}
