//! The output of the TanOS Health Check: one row for each line, the newest run of each Appliance.

use crate::inputs::in_use;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

/// The output of each Appliance.
pub(crate) const HEALTH_OUTPUT: Input =
    Input::new("appliance.health-check-output", "the output of the TanOS Health Check of each Appliance").sources(&[
        Source::export(
            "tanos-health-check.csv",
            "TanOS > 3 (Tanium Support) > 6 (display last scheduled health check results)",
            "write one row for each line of the output: section is operating system, hardware, users, network, services, \
             applications, database replication, RAID security, Postgres SSL, virtual machine or summary; level is ok, \
             warning, failure or action; write a row with ok for a section without lines of its own",
            &["appliance", "run_date", "section", "level", "text"],
        ),
    ]);

/// How old an output may be.
pub(crate) const DUE_EVERY_DAYS: Setting = Setting::integer("health_check_due_every_days", 30, 1, 366)
    .unit("days")
    .about("how old the newest output of the TanOS Health Check may be; older ones decide nothing")
    .from_guide();

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Nothing to do.
    Ok,
    /// A warning.
    Warning,
    /// A failure.
    Failure,
    /// Something to be done.
    Action,
}

/// A line of the output.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The section it stands in.
    pub(crate) section: String,
    /// How bad it is.
    pub(crate) level: Level,
    /// What it says.
    pub(crate) text: String,
}

impl Line {
    /// What makes it the same line in another run: its words, without numbers, which change from run to run.
    pub(crate) fn key(&self) -> String {
        let plain = |word: &str| word.chars().filter(|sign| !sign.is_ascii_digit()).collect::<String>();
        let words: Vec<String> = self.text.to_lowercase().split_whitespace().map(plain).collect();
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// The newest run of an Appliance.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The Appliance.
    pub(crate) appliance: String,
    /// When it ran.
    pub(crate) at: Timestamp,
    /// Its lines.
    pub(crate) lines: Vec<Line>,
}

impl Run {
    /// The lines of a section.
    pub(crate) fn section<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.section.trim().eq_ignore_ascii_case(name))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    #[serde(deserialize_with = "lenient::text")]
    appliance: String,
    #[serde(deserialize_with = "lenient::time")]
    run_date: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::text")]
    section: String,
    #[serde(deserialize_with = "lenient::text")]
    level: String,
    #[serde(deserialize_with = "lenient::text")]
    text: String,
}

impl Row {
    fn level(&self) -> Result<Level, Undecided> {
        match self.level.trim().to_ascii_lowercase().as_str() {
            "ok" => Ok(Level::Ok),
            "warning" => Ok(Level::Warning),
            "failure" => Ok(Level::Failure),
            "action" => Ok(Level::Action),
            _ => Err(not_recognised(&format!("{:?} is no level (ok, warning, failure, action)", self.level))),
        }
    }
}

fn not_recognised(what: &str) -> Undecided {
    Undecided::not_evaluated(format!("format not recognised: {what}; correct tanos-health-check.csv"))
}

/// The newest run of each Appliance in the file.
pub(crate) fn runs(facts: &Facts<'_>) -> Result<Vec<Run>, Undecided> {
    let rows: Vec<Row> = facts.rows(&HEALTH_OUTPUT)?;
    let mut runs: BTreeMap<String, Run> = BTreeMap::new();
    for row in rows {
        let name = row.appliance.trim();
        let (false, Some(at)) = (name.is_empty(), row.run_date) else {
            return Err(not_recognised("a row names no Appliance or no run_date"));
        };
        let line = Line { level: row.level()?, section: row.section, text: row.text.trim().to_owned() };
        let run = runs.entry(name.to_ascii_lowercase()).or_insert_with(|| Run {
            appliance: name.to_owned(),
            at,
            lines: Vec::new(),
        });
        if at > run.at {
            *run = Run { appliance: name.to_owned(), at, lines: Vec::new() };
        }
        if at == run.at {
            run.lines.push(line);
        }
    }
    Ok(runs.into_values().collect())
}

/// The runs that are recent enough to judge, and a sentence for each that is not.
pub(crate) fn recent_runs(facts: &Facts<'_>) -> Result<(Vec<Run>, Vec<String>), Undecided> {
    in_use(facts)?;
    let limit = facts.integer(&DUE_EVERY_DAYS)?;
    let (recent, old): (Vec<Run>, Vec<Run>) =
        runs(facts)?.into_iter().partition(|run| facts.days_since(run.at) <= limit);
    let say = |run: &Run| {
        let days = facts.days_since(run.at);
        format!("the Health Check output of {} is {days} days old: run it again", run.appliance)
    };
    let old: Vec<String> = old.iter().map(say).collect();
    if recent.is_empty() && old.is_empty() {
        return Err(Undecided::not_evaluated("tanos-health-check.csv holds no output"));
    }
    Ok((recent, old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_make_another_line() {
        let line = |text: &str| Line { section: String::new(), level: Level::Ok, text: text.to_owned() };
        assert_eq!(line("Disk 3 is 91% full").key(), line("disk 4 is 92% full").key());
        assert_ne!(line("Disk is full").key(), line("Disk is failing").key());
    }
}
