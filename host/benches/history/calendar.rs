//! The calendar of a large history: the tasks of 504 checks, what a thousand runs came to, and what people attested.

use super::{CHECKS, Failure, PLUGINS, id_of, plugin_of};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::path::Path;
use tancheck::calendar::{Facts, Outlook, Period, date_of};
use tancheck::config::{Config, Flags};
use tancheck::history::Store;
use tancheck::plugins::{Installed, Library};
use tancheck::run::attested::{Attestation, Verdict};

/// The days after which somebody attests each task again: the periods of the guide.
const EVERY: [(&str, i64); 4] = [("weekly", 7), ("monthly", 30), ("quarterly", 90), ("annual", 365)];

/// A site with all its plugins.
pub(super) struct Site {
    config: Config,
    plugins: Vec<Installed>,
}

impl Site {
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join("tancheck.toml");
        let text = "[deployment]\nurl = \"https://bench.example\"\nid = \"bench\"\ntoken_file = \"/nowhere\"\n\
                    [calendar]\ntime_zone = \"Europe/Berlin\"\n[owners]\n\"*\" = \"operations\"\n";
        std::fs::write(&file, text)?;
        let config = Config::load(&Flags { config: Some(file), ..Flags::default() })?;
        let plugins = (0..PLUGINS).map(plugin).collect::<Result<_, _>>()?;
        Ok(Self { config, plugins })
    }

    /// What `tancheck due` works out: all tasks, where each stands, and what the quarter covered.
    pub(super) fn due(&self, store: &Store, now: Timestamp) -> Result<usize, Failure> {
        let plugins: Vec<&Installed> = self.plugins.iter().collect();
        let facts = Facts::read(store, now)?;
        let outlook = Outlook::of(&self.config, &plugins, &facts, now);
        let quarter = Period::quarter_of(date_of(now, &self.config.calendar.zone));
        outlook.coverage(&self.config, store, &facts, &quarter, now)?;
        Ok(outlook.rows.len())
    }
}

/// Whether only people do a check.
pub(super) const fn is_by_hand(check: usize) -> bool {
    check % 8 == 4
}

const fn every(check: usize) -> (&'static str, i64) {
    EVERY[check / 8 % EVERY.len()]
}

/// What people say on the day of a run: a task whenever its period is over.
pub(super) fn attest(store: &Store, number: i64, at: Timestamp) -> Result<u64, Failure> {
    let mut count = 0;
    for check in (0..CHECKS).filter(|check| is_by_hand(*check) && number % every(*check).1 == 0) {
        store.attest(&Attestation {
            task: id_of(check),
            about: None,
            result: Verdict::Done,
            by: "ann".to_owned(),
            second: None,
            at: at + SignedDuration::from_secs(check as i64),
            valid_until: None,
            note: "looked at all of it".to_owned(),
            evidence: None,
        })?;
        count += 1;
    }
    Ok(count)
}

fn plugin(number: usize) -> Result<Installed, Failure> {
    let check = |check: usize| {
        let by_hand = is_by_hand(check);
        json!({
            "id": id_of(check), "kind": if by_hand { "attested" } else { "automated" }, "title": "Something is well",
            "cadence": [every(check).0], "severity": "medium", "inputs": [], "settings": [],
            "guide": [{"section": "Somewhere", "page": 1}], "what": "Looks.", "why": "It matters.", "remedy": null,
            "judged": !by_hand,
        })
    };
    let id = plugin_of(number);
    let checks: Vec<_> = (0..CHECKS).filter(|one| one % PLUGINS == number).map(check).collect();
    let manifest = serde_json::from_value(
        json!({"id": id, "title": id, "version": "0.1.0", "api": "1.0.0", "checks": checks}),
    )?;
    let library = Library::of(format!("/plugins/{id}.so").as_ref(), id.as_bytes());
    Ok(Installed { library, manifest })
}
