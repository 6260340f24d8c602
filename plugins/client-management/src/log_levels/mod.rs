//! "Review and update Tanium Client logging levels", page 20: what the checks of this section share.

mod everywhere;
mod groups;

pub(crate) use everywhere::{CONTAINERS, DEFAULT};
pub(crate) use groups::{SENSITIVE, VDI};

use crate::inputs::LOG_VERBOSITY;
use crate::spread::{Held, Spread};
use std::collections::BTreeMap;
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;

const GUIDE: &[GuideReference] = &[guide("Review and update Tanium Client logging levels", 20)];

const LIMITS: &str = "Old sensors tell the setting on Windows only. Endpoints that do not answer are not \
    seen, and the page Client Health > Settings has no public route.";

const REFERENCES: &[&str] = &[
    "Tanium Client Management User Guide: Managing client settings and configurations in Client Management",
    "Tanium Core Platform Deployment Reference Guide: Logging levels",
];

/// The level that a client has while the setting is not there.
const UNSET_LEVEL: i64 = 1;

/// How many endpoints have which logging level.
#[derive(Debug, Default)]
struct Levels {
    at: BTreeMap<i64, Held>,
    /// Endpoints whose value is no level.
    odd: u64,
    spread: Spread,
}

impl Levels {
    /// An endpoint without the setting has the level `unset`.
    fn of(spread: Spread, unset: i64) -> Self {
        let mut levels = Self::default();
        for held in &spread.held {
            match held.value.parse::<i64>() {
                Ok(level) => {
                    let at = levels.at.entry(level).or_default();
                    at.count += held.count;
                    at.sample.extend(held.sample.iter().cloned());
                }
                Err(_) => levels.odd += held.count,
            }
        }
        if spread.absent > 0 || spread.unlisted {
            levels.at.entry(unset).or_default().count += spread.absent;
        }
        levels.spread = spread;
        levels
    }

    fn count(&self, level: i64) -> u64 {
        self.at.get(&level).map_or(0, |held| held.count)
    }

    /// Endpoints whose level was not seen.
    fn unseen(&self) -> u64 {
        self.spread.unseen() + self.odd
    }

    /// Says what was not seen, and refuses a clean result where that is too much.
    fn settle(mut self, what: &str, report: &mut Report) -> Result<(), Undecided> {
        self.spread.unknown += self.odd;
        if self.spread.unlisted {
            // The exported page shows no value at all, which says that no client holds one.
            return Ok(());
        }
        self.spread.settle(what, report)
    }

    /// Says how many endpoints have a level; the exported page does not count those of a setting it does not list.
    fn told(&self, finding: Finding, held: &Held) -> Finding {
        if self.spread.unlisted {
            return finding.says(format!("is what all clients have: the page does not list {LOG_VERBOSITY}"));
        }
        let total = self.spread.total();
        finding
            .says(format!("is what {} of {total} endpoints have", held.count))
            .affected(held.count, Some(total))
            .sample(&held.sample)
    }

    /// Reports every level but `wanted` among the members of a group.
    fn report_others(
        &self,
        wanted: i64,
        group: &str,
        report: &mut Report,
        finish: impl Fn(Finding, i64) -> Finding,
    ) {
        for (level, held) in self.at.iter().filter(|(level, _)| **level != wanted) {
            let subject = Subject::new(
                "logging level",
                format!("{group}/{level}"),
                format!("level {level} in {group}"),
            );
            let finding = Finding::on(subject)
                .expected(format!("level {wanted}"))
                .fill("group", group)
                .fill("level", level);
            report.finding(finish(self.told(finding, held), *level));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(value: &str, count: u64) -> Held {
        Held { value: value.into(), count, sample: Vec::new() }
    }

    #[test]
    fn an_endpoint_without_the_setting_has_the_default_and_an_odd_value_none() {
        let spread = Spread {
            held: vec![held("41", 2), held("041", 1), held("loud", 3), held("1", 4)],
            absent: 5,
            silent: 6,
            ..Spread::default()
        };
        let levels = Levels::of(spread, 1);
        assert_eq!((levels.count(41), levels.count(1), levels.count(0)), (3, 9, 0));
        assert_eq!(levels.unseen(), 9);
    }

    #[test]
    fn an_unlisted_setting_is_the_default_for_all() {
        let levels = Levels::of(Spread { unlisted: true, ..Spread::default() }, 1);
        assert_eq!(levels.at.keys().collect::<Vec<_>>(), [&1]);
    }
}
