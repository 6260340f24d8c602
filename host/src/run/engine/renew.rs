//! What the calendar means for a run: tasks as the site does them, and those that others renew.

use super::Engine;
use crate::calendar::{Facts, Outlook, State, Task};
use crate::plugins::Installed;
use crate::run::document::CheckResult;
use crate::run::outcome;
use crate::run::select::Selection;
use serde_json::Map;
use std::collections::BTreeSet;
use tancheck_plugin_api::manifest::Check;
use tancheck_plugin_api::{Cadence, Outcome};

impl Engine<'_> {
    /// A task that is done once stays done only while the tasks that renew it are in date.
    pub(super) fn renew(&self, selection: &Selection<'_>, checks: &mut [CheckResult]) {
        let tasks =
            selection.plugins.iter().flat_map(|one| one.checks.iter().map(|check| (one.plugin, *check)));
        let once: Vec<Task<'_>> = tasks
            .map(|(plugin, check)| self.task(plugin, check))
            .filter(|task| task.goes_by() == Cadence::Setup && !task.renewed_by.is_empty())
            .collect();
        if once.is_empty() {
            return;
        }
        let late = self.late(checks);
        for task in once {
            let Some(late) = task.renewed_by.iter().find(|id| late.contains(*id)) else { continue };
            let done = |check: &&mut CheckResult| check.id == task.check.id && check.outcome == Outcome::Pass;
            if let Some(check) = checks.iter_mut().find(done) {
                check.outcome = Outcome::AttestationDue;
                check.reason = Some(format!("stays done only while {late} is in date, and that is overdue"));
                check.task = check.task.take().or_else(|| outcome::steps(task.check));
            }
        }
    }

    /// The tasks that are overdue: by this run, and those that it did not look at by the calendar.
    fn late(&self, checks: &[CheckResult]) -> BTreeSet<String> {
        let looked_at = |id: &str| checks.iter().find(|check| check.id == id);
        let is_late =
            |check: &&CheckResult| check.outcome == Outcome::AttestationDue && check.grace_until.is_none();
        let mut late: BTreeSet<String> =
            checks.iter().filter(is_late).map(|check| check.id.clone()).collect();
        let facts =
            self.setup.history.as_ref().ok().and_then(|store| Facts::read(store, self.setup.now).ok());
        if let Some(facts) = facts {
            let plugins: Vec<&Installed> = self.setup.installed.iter().collect();
            let outlook = Outlook::of(self.setup.config, &plugins, &facts, self.setup.now);
            let overdue = outlook.rows.into_iter().filter(|row| row.status.state == State::Overdue);
            late.extend(overdue.map(|row| row.task.check.id.clone()).filter(|id| looked_at(id).is_none()));
        }
        late
    }

    /// A check as the site does it.
    pub(super) fn task<'p>(&self, plugin: &'p Installed, check: &'p Check) -> Task<'p> {
        let unset = Map::new();
        let settings = self.setup.config.modules.settings.get(&plugin.manifest.id).unwrap_or(&unset);
        self.setup.config.calendar.task(&plugin.manifest, check, settings)
    }
}
