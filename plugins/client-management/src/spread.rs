//! How the values of one client setting are spread over endpoints, whichever source told it.

use crate::inputs::SettingRow;
use tancheck_plugin_api::facts::{ItemTally, TallyRow};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::answers::complete;

/// What an endpoint answers that has no value for the setting. Everything else without a value is no answer.
const ABSENT: &str = "[no results]";

/// The group that the page Client Health > Settings shows first.
const EVERYBODY: &str = "All Computers";

/// Endpoints that hold one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The value.
    pub(crate) value: String,
    /// How many hold it.
    pub(crate) count: u64,
    /// Names of a few of them.
    pub(crate) sample: Vec<String>,
}

/// The values of one setting and who holds them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    /// Each distinct value.
    pub(crate) held: Vec<Held>,
    /// Endpoints that do not hold the setting at all.
    pub(crate) absent: u64,
    /// The exported page does not list the setting: no client of the group holds it.
    pub(crate) unlisted: bool,
    /// Endpoints that answered without telling: errors, and answers beyond the limit of distinct rows.
    pub(crate) unknown: u64,
    /// Endpoints that were expected to answer and did not.
    pub(crate) silent: u64,
    /// Endpoints that answered; unknown for an exported page.
    pub(crate) answered: Option<u64>,
}

impl Spread {
    /// The setting as all endpoints answered it.
    pub(crate) fn of(facts: &Facts<'_>, input: &'static Input, setting: &str) -> Result<Self, Undecided> {
        Self::of_group(facts, input, setting, EVERYBODY)
    }

    /// The setting as the endpoints of one computer group answered it. The question was limited to the group; an
    /// exported page holds all groups.
    pub(crate) fn of_group(
        facts: &Facts<'_>,
        input: &'static Input,
        setting: &str,
        group: &str,
    ) -> Result<Self, Undecided> {
        match facts.body(input)? {
            Body::Rows(_) => Self::exported(&facts.rows(input)?, setting, group),
            _ => Ok(Self::answered(facts.tally(input)?)),
        }
    }

    /// The setting in each of several computer groups.
    pub(crate) fn of_groups<'a>(
        facts: &Facts<'_>,
        input: &'static Input,
        setting: &str,
        groups: &[&'a str],
    ) -> Result<Vec<(&'a str, Self)>, Undecided> {
        Self::of_items(facts, input, groups, |rows, group| Self::exported(rows, setting, group))
    }

    /// Several settings, each as all endpoints answered it.
    pub(crate) fn of_settings<'a>(
        facts: &Facts<'_>,
        input: &'static Input,
        settings: &[&'a str],
    ) -> Result<Vec<(&'a str, Self)>, Undecided> {
        Self::of_items(facts, input, settings, |rows, setting| Self::exported(rows, setting, EVERYBODY))
    }

    fn of_items<'a>(
        facts: &Facts<'_>,
        input: &'static Input,
        items: &[&'a str],
        exported: impl Fn(&[SettingRow], &str) -> Result<Self, Undecided>,
    ) -> Result<Vec<(&'a str, Self)>, Undecided> {
        if let Body::Rows(_) = facts.body(input)? {
            let rows: Vec<SettingRow> = facts.rows(input)?;
            return items.iter().map(|&item| Ok((item, exported(&rows, item)?))).collect();
        }
        let tallies = facts.tallies(input)?;
        let tally_of = |item: &str| {
            let asked: Option<&ItemTally> = tallies.iter().find(|tally| tally.item == item);
            asked.ok_or_else(|| Undecided::not_evaluated(format!("nothing was answered about {item:?}")))
        };
        items.iter().map(|&item| Ok((item, Self::answered(&tally_of(item)?.tally)))).collect()
    }

    fn answered(tally: &Tally) -> Self {
        let absent_cells: u64 = blank(&tally.rows).map(|row| row.count).sum();
        let mut spread = Self {
            absent: absent_cells + tally.without_value.get(ABSENT).copied().unwrap_or(0),
            unknown: tally.other
                + tally
                    .without_value
                    .iter()
                    .filter(|(text, _)| *text != ABSENT)
                    .map(|(_, count)| count)
                    .sum::<u64>(),
            silent: tally.expected.saturating_sub(tally.answered),
            answered: Some(tally.answered),
            ..Self::default()
        };
        for row in &tally.rows {
            let value = row.cells.first().map_or("", |cell| cell.trim());
            if !value.is_empty() {
                spread.held.push(Held {
                    value: value.to_owned(),
                    count: row.count,
                    sample: row.sample.clone(),
                });
            }
        }
        spread
    }

    fn exported(rows: &[SettingRow], setting: &str, group: &str) -> Result<Self, Undecided> {
        let everybody = group.eq_ignore_ascii_case(EVERYBODY);
        let in_group = |row: &&SettingRow| {
            row.group.trim().eq_ignore_ascii_case(group) || everybody && row.group.trim().is_empty()
        };
        let listed: Vec<&SettingRow> = rows.iter().filter(in_group).collect();
        if listed.is_empty() {
            return Err(Undecided::not_evaluated(format!(
                "client-settings.csv holds no row of the computer group {group:?}; select it on the page \
                 Client Health > Settings and add its rows"
            )));
        }
        let mut spread = Self::default();
        for row in listed.iter().filter(|row| row.setting.trim().eq_ignore_ascii_case(setting)) {
            let count = row.count.ok_or_else(|| {
                Undecided::not_evaluated(format!(
                    "client-settings.csv tells no Count for {} = {:?} in {group}",
                    row.setting, row.value
                ))
            })?;
            let value = row.value.trim();
            if value.is_empty() || value == ABSENT {
                spread.absent += count as u64;
            } else {
                spread.held.push(Held { value: value.to_owned(), count: count as u64, sample: Vec::new() });
            }
        }
        spread.unlisted = spread.held.is_empty() && spread.absent == 0;
        Ok(spread)
    }

    /// Endpoints without the setting have told nothing: for settings whose absence has no meaning of its own.
    pub(crate) fn absent_is_unknown(mut self) -> Self {
        self.unknown += std::mem::take(&mut self.absent);
        self
    }

    /// Endpoints that answered, or that the exported page counts.
    pub(crate) fn total(&self) -> u64 {
        let counted = self.absent + self.held.iter().map(|held| held.count).sum::<u64>();
        self.answered.unwrap_or(counted).max(counted)
    }

    /// Endpoints whose value was not seen.
    pub(crate) fn unseen(&self) -> u64 {
        self.unknown + self.silent
    }

    /// Says what was not seen, and refuses a clean result where that is too much.
    ///
    /// Endpoints that were silent are the engine's to judge; those that answered without telling are judged here.
    pub(crate) fn settle(&self, what: &str, report: &mut Report) -> Result<(), Undecided> {
        if self.unlisted {
            return Err(Undecided::not_evaluated(format!("the exported page does not list {what}")));
        }
        complete(what, self.total(), self.unknown)?;
        if self.unseen() > 0 {
            report.note(format!("{}: {} endpoints did not tell and are not judged", what, self.unseen()));
        }
        Ok(())
    }
}

fn blank(rows: &[TallyRow]) -> impl Iterator<Item = &TallyRow> {
    rows.iter().filter(|row| row.cells.first().is_none_or(|cell| cell.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::testing::tally;

    fn row(group: &str, setting: &str, value: &str, count: Option<f64>) -> SettingRow {
        SettingRow { group: group.into(), setting: setting.into(), value: value.into(), count }
    }

    #[test]
    fn special_cells_are_no_values() {
        let mut answers = tally("x", &[("41", 3), ("", 2)]);
        answers.without_value.insert("[no results]".into(), 4);
        answers.without_value.insert("[current result unavailable]".into(), 5);
        answers.without_value.insert("TSE-Error: No Sensor Definition for this Platform".into(), 6);
        answers.other = 7;
        answers.answered = 27;
        answers.expected = 30;
        let spread = Spread::answered(&answers);
        assert_eq!(spread.held.len(), 1);
        assert_eq!((spread.absent, spread.unknown, spread.silent, spread.unseen()), (6, 18, 3, 21));
        assert_eq!(spread.absent_is_unknown().unknown, 24);
    }

    #[test]
    fn an_exported_page_is_read_by_group() {
        let rows = [
            row("All Computers", "LogVerbosityLevel", "41", Some(7.0)),
            row("VDI", "logverbositylevel", "0", Some(3.0)),
        ];
        let of = |group| Spread::exported(&rows, "LogVerbosityLevel", group).unwrap();
        assert_eq!(of("All Computers").held[0].count, 7);
        assert_eq!(of("vdi").held[0].value, "0");
        assert!(Spread::exported(&rows, "LogVerbosityLevel", "Sensitive").is_err());
    }

    #[test]
    fn a_setting_that_the_page_does_not_list_is_unlisted_and_a_row_without_count_is_refused() {
        let rows = [row("", "ServerName", "ts1", Some(7.0)), row("", "ServerPort", "17472", None)];
        assert!(Spread::exported(&rows, "LogVerbosityLevel", EVERYBODY).unwrap().unlisted);
        assert!(!Spread::exported(&rows, "ServerName", EVERYBODY).unwrap().unlisted);
        assert!(Spread::exported(&rows, "ServerPort", EVERYBODY).is_err());
    }
}
