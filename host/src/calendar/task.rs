//! What the site says about its calendar, and what that makes of each check.

use super::rhythm::{Anchor, Every, Rhythm};
use crate::config::settings;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::manifest::{Check, Manifest};
use tancheck_plugin_api::{Cadence, Kind};

/// How long a person's word about a task without any period is good for.
const WITHOUT_PERIOD: Every = Every::Days(DAYS_WITHOUT_PERIOD);
/// The same in days; for exported files as well.
const DAYS_WITHOUT_PERIOD: u32 = 365;

/// What the site says about its calendar.
#[derive(Clone, Debug)]
pub struct Almanac {
    /// Where the site is: dates are those of this zone.
    pub zone: TimeZone,
    /// How many days ahead something is shown before it is due.
    pub soon_days: u32,
    /// Anchor and grace of cadences.
    pub cadences: BTreeMap<Cadence, OfCadence>,
    /// What the site says about plugins and checks, by id; what is said about a check counts more.
    pub tasks: BTreeMap<String, OfTask>,
    /// Who answers for plugins and checks, by id; `*` for all others.
    pub owners: BTreeMap<String, Vec<String>>,
}

impl Default for Almanac {
    fn default() -> Self {
        Self {
            zone: TimeZone::UTC,
            soon_days: 7,
            cadences: BTreeMap::new(),
            tasks: BTreeMap::new(),
            owners: BTreeMap::new(),
        }
    }
}

/// What the site says about a cadence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfCadence {
    /// The day on which it is done.
    pub anchor: Option<Anchor>,
    /// Days that it may be late.
    pub grace_days: Option<u32>,
}

/// What the site says about a check, or about all checks of a plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfTask {
    /// How often, instead of what the guide asks for.
    pub cadence: Option<Cadence>,
    /// On which day; read when the cadence is known.
    pub anchor: Option<String>,
    /// Days that it may be late.
    pub grace_days: Option<u32>,
    /// Why it is switched off.
    pub off: Option<String>,
    /// Whether a second person has to confirm what is attested.
    pub second_person: Option<bool>,
    /// The tasks that have to be in date for it to stay done, instead of those that the plugin names.
    pub renewed_by: Option<Vec<String>>,
}

impl OfTask {
    fn over(&self, below: &Self) -> Self {
        Self {
            cadence: self.cadence.or(below.cadence),
            anchor: self.anchor.clone().or_else(|| below.anchor.clone()),
            grace_days: self.grace_days.or(below.grace_days),
            off: self.off.clone().or_else(|| below.off.clone()),
            second_person: self.second_person.or(below.second_person),
            renewed_by: self.renewed_by.clone().or_else(|| below.renewed_by.clone()),
        }
    }
}

/// One check as the site does it.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// The check.
    pub check: &'a Check,
    /// How often: what the site says, or else the guide.
    pub cadence: Vec<Cadence>,
    /// When a run has to look at it again.
    pub look: Rhythm,
    /// When a person's word about it comes due again.
    pub word: Rhythm,
    /// Why it is switched off.
    pub off: Option<String>,
    /// Whether a second person has to confirm what is attested.
    pub second_person: bool,
    /// The tasks that have to be in date for it to stay done.
    pub renewed_by: Vec<String>,
    /// Who answers for it.
    pub owners: Vec<String>,
}

impl Task<'_> {
    /// Whether an event can call for it.
    #[must_use]
    pub fn is_called_for(&self) -> bool {
        self.cadence.contains(&Cadence::AsNeeded)
    }

    /// Whether a person does it, and no run.
    #[must_use]
    pub fn is_by_hand(&self) -> bool {
        self.check.kind == Kind::Attested
    }

    /// What decides how often it is done.
    #[must_use]
    pub fn rhythm(&self) -> Rhythm {
        if self.is_by_hand() { self.word } else { self.look }
    }

    /// For how many days a file that somebody exported for it is good: one period.
    #[must_use]
    pub fn file_days(&self) -> u32 {
        self.cadence.iter().filter_map(|cadence| cadence.days()).min().unwrap_or(DAYS_WITHOUT_PERIOD)
    }

    /// Whether it goes by this cadence: the shortest one that it has.
    #[must_use]
    pub fn goes_by(&self) -> Cadence {
        shortest(&self.cadence)
    }
}

impl Almanac {
    /// The name of the zone.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// A check as the site does it. `set` are the settings that the site chose for the plugin.
    #[must_use]
    pub fn task<'a>(&self, manifest: &'a Manifest, check: &'a Check, set: &Map<String, Value>) -> Task<'a> {
        let said = self.said(manifest, check);
        let cadence = said.cadence.map_or_else(|| check.cadence.clone(), |cadence| vec![cadence]);
        let goes_by = shortest(&cadence);
        let by_cadence = self.cadences.get(&goes_by).copied().unwrap_or_default();
        let own_anchor = said.anchor.as_deref().and_then(|text| Anchor::read(text, goes_by));
        let rhythm = |every: Every| Rhythm {
            every,
            anchor: own_anchor.or(by_cadence.anchor).filter(|_| every == Every::of(goes_by)),
            grace_days: said.grace_days.or(by_cadence.grace_days).unwrap_or_else(|| every.usual_grace()),
        };
        let renewed_by = said.renewed_by.clone().unwrap_or_else(|| check.renewed_by.clone());
        let word = match (said.cadence, due_every(manifest, check, set)) {
            (None, Some(days)) if goes_by.days() != Some(days) => Every::Days(days),
            _ if goes_by == Cadence::Setup && !renewed_by.is_empty() => Every::Once,
            _ if goes_by.days().is_none() => WITHOUT_PERIOD,
            _ => Every::of(goes_by),
        };
        Task {
            plugin: &manifest.id,
            check,
            look: rhythm(Every::of(goes_by)),
            word: rhythm(word),
            cadence,
            off: said.off,
            second_person: said.second_person.unwrap_or(false),
            renewed_by,
            owners: self.owners_of(manifest, check).to_vec(),
        }
    }

    /// What is wrong with the anchors that the site gives a plugin and its checks, each with the id that it stands under.
    /// One that a check has of its own fits its cadence; one of a plugin is for those of its checks that it fits.
    #[must_use]
    pub fn wrong_anchors(&self, manifest: &Manifest) -> Vec<(String, String)> {
        let goes_by =
            |check: &Check| self.said(manifest, check).cadence.unwrap_or_else(|| shortest(&check.cadence));
        let mut wrong = Vec::new();
        for check in &manifest.checks {
            for id in ids(check) {
                let Some(text) = self.tasks.get(id).and_then(|said| said.anchor.as_ref()) else { continue };
                let cadence = goes_by(check);
                if Anchor::read(text, cadence).is_none() {
                    let (name, accepts) = (cadence.name(), Anchor::accepts(cadence));
                    let message = format!("the anchor {text:?} of {} ({name}) has to be {accepts}", check.id);
                    wrong.push((id.to_owned(), message));
                }
            }
        }
        let Some(text) = self.tasks.get(&manifest.id).and_then(|said| said.anchor.as_ref()) else {
            return wrong;
        };
        let cadences: BTreeSet<Cadence> = manifest.checks.iter().map(goes_by).collect();
        if !cadences.iter().any(|cadence| Anchor::read(text, *cadence).is_some()) {
            let accepted = cadences.iter().filter(|cadence| cadence.days().is_some());
            let accepted: Vec<String> = accepted
                .map(|cadence| format!("{} ones want {}", cadence.name(), Anchor::accepts(*cadence)))
                .collect();
            let id = &manifest.id;
            let message = match accepted.as_slice() {
                [] => format!("the anchor {text:?} fits no check of {id}: none of them has a period"),
                accepted => {
                    format!("the anchor {text:?} fits no check of {id}: {}", accepted.join("; "))
                }
            };
            wrong.push((id.clone(), message));
        }
        wrong
    }

    fn said(&self, manifest: &Manifest, check: &Check) -> OfTask {
        let own = ids(check).find_map(|id| self.tasks.get(id)).cloned().unwrap_or_default();
        match self.tasks.get(&manifest.id) {
            Some(plugin) => own.over(plugin),
            None => own,
        }
    }

    /// Who answers for a check.
    #[must_use]
    pub fn owners_of(&self, manifest: &Manifest, check: &Check) -> &[String] {
        let own = ids(check).chain([manifest.id.as_str(), "*"]).find_map(|id| self.owners.get(id));
        own.map(Vec::as_slice).unwrap_or_default()
    }
}

/// The id of a check, and its earlier ones.
fn ids(check: &Check) -> impl Iterator<Item = &str> {
    std::iter::once(&check.id).chain(&check.aliases).map(String::as_str)
}

fn shortest(cadence: &[Cadence]) -> Cadence {
    Cadence::ALL.into_iter().find(|one| cadence.contains(one)).unwrap_or(Cadence::Setup)
}

/// The days that a check's own setting asks for, where it has one.
fn due_every(manifest: &Manifest, check: &Check, set: &Map<String, Value>) -> Option<u32> {
    let key = check.due_every.as_ref()?;
    settings::resolved(manifest, set).get(key)?.as_u64().and_then(|days| u32::try_from(days).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::engine::fakes::manifest;
    use serde_json::json;

    fn plugin(fields: Value) -> Manifest {
        let mut plugin = manifest("a", &[("a.one", fields)]);
        let setting = json!([{"key": "days", "type": "integer", "default": 30}]);
        plugin.settings = serde_json::from_value(setting).unwrap();
        plugin
    }

    fn every(almanac: &Almanac, fields: Value, set: Value) -> (Every, Every) {
        let plugin = plugin(fields);
        let task = almanac.task(&plugin, &plugin.checks[0], set.as_object().unwrap());
        (task.look.every, task.word.every)
    }

    #[test]
    fn the_shortest_cadence_and_the_checks_own_setting_tell_how_often() {
        let plain = Almanac::default();
        let cases = [
            (json!({"cadence": ["quarterly", "weekly"]}), json!({}), (Every::Days(7), Every::Days(7))),
            (json!({"cadence": ["setup", "quarterly"]}), json!({}), (Every::Months(3), Every::Months(3))),
            (json!({"cadence": ["setup"]}), json!({}), (Every::Once, Every::Days(365))),
            (json!({"cadence": ["as-needed"]}), json!({}), (Every::Event, Every::Days(365))),
            (json!({"cadence": ["setup"], "renewed_by": ["a.two"]}), json!({}), (Every::Once, Every::Once)),
            // Thirty days are a month where the guide says monthly.
            (
                json!({"cadence": ["monthly"], "due_every": "days"}),
                json!({}),
                (Every::Months(1), Every::Months(1)),
            ),
            (
                json!({"cadence": ["monthly"], "due_every": "days"}),
                json!({"days": 10}),
                (Every::Months(1), Every::Days(10)),
            ),
        ];
        for (fields, set, expected) in cases {
            assert_eq!(every(&plain, fields.clone(), set), expected, "{fields}");
        }
    }

    #[test]
    fn the_site_may_say_otherwise_and_what_it_says_of_a_check_counts_more() {
        let of =
            |cadence, off: Option<&str>| OfTask { cadence, off: off.map(str::to_owned), ..OfTask::default() };
        let mut almanac = Almanac::default();
        almanac.tasks.insert("a".to_owned(), of(Some(Cadence::Weekly), Some("not ours")));
        assert_eq!(every(&almanac, json!({"due_every": "days"}), json!({})).1, Every::Days(7));
        almanac.tasks.insert("a.old".to_owned(), of(Some(Cadence::Annual), None));
        let plugin = plugin(json!({"aliases": ["a.old"]}));
        let task = almanac.task(&plugin, &plugin.checks[0], &Map::new());
        assert_eq!((task.look.every, task.off.as_deref()), (Every::Months(12), Some("not ours")));
        assert_eq!(task.cadence, [Cadence::Annual]);
    }

    #[test]
    fn an_anchor_is_for_the_cadence_and_not_for_days_that_a_setting_tells() {
        let mut almanac = Almanac::default();
        let first = Anchor::read("1", Cadence::Monthly);
        almanac.cadences.insert(Cadence::Monthly, OfCadence { anchor: first, grace_days: Some(3) });
        let plugin = plugin(json!({"due_every": "days"}));
        let set = json!({"days": 10});
        let task = almanac.task(&plugin, &plugin.checks[0], set.as_object().unwrap());
        assert_eq!((task.look.anchor, task.word.anchor, task.word.grace_days), (first, None, 3));
        almanac
            .tasks
            .insert("a.one".to_owned(), OfTask { anchor: Some("monday".to_owned()), ..OfTask::default() });
        let wrong = almanac.wrong_anchors(&plugin);
        assert!(wrong[0].1.contains("\"monday\"") && wrong[0].1.contains("day of the month"), "{wrong:?}");
        assert_eq!((wrong.len(), wrong[0].0.as_str()), (1, "a.one"));
    }

    #[test]
    fn an_anchor_of_a_plugin_is_for_those_of_its_checks_that_it_fits() {
        let checks = [
            ("a.week", json!({"cadence": ["weekly"]})),
            ("a.month", json!({"cadence": ["monthly"]})),
            ("a.quarter", json!({"cadence": ["quarterly"]})),
            ("a.once", json!({"cadence": ["setup"]})),
        ];
        let plugin = manifest("a", &checks);
        let said = |anchor: &str| {
            let mut almanac = Almanac::default();
            let anchor = Some(anchor.to_owned());
            almanac.tasks.insert("a".to_owned(), OfTask { anchor, ..OfTask::default() });
            let first = Anchor::read("1", Cadence::Monthly);
            almanac.cadences.insert(Cadence::Monthly, OfCadence { anchor: first, grace_days: None });
            almanac
        };
        let anchors = |almanac: &Almanac| -> Vec<String> {
            let task = |check| almanac.task(&plugin, check, &Map::new());
            let shown = |check| task(check).look.anchor.map(|anchor| anchor.to_string()).unwrap_or_default();
            plugin.checks.iter().map(shown).collect()
        };
        let monday = said("monday");
        assert_eq!(
            (anchors(&monday), monday.wrong_anchors(&plugin)),
            (vec!["monday".into(), "1".into(), "".into(), "".into()], vec![])
        );
        let fifteenth = said("15");
        assert_eq!(
            (anchors(&fifteenth), fifteenth.wrong_anchors(&plugin)),
            (vec!["".into(), "15".into(), "15".into(), "".into()], vec![])
        );
        let wrong = said("mondy").wrong_anchors(&plugin);
        assert_eq!(wrong.len(), 1, "{wrong:?}");
        assert!(wrong[0].1.contains("fits no check of a: weekly ones want a day of the week"), "{wrong:?}");
    }

    #[test]
    fn owners_are_found_by_check_plugin_and_for_the_rest() {
        let mut almanac = Almanac::default();
        let plugin = plugin(json!({}));
        let owners = |almanac: &Almanac| almanac.owners_of(&plugin, &plugin.checks[0]).join(",");
        assert_eq!(owners(&almanac), "");
        for (id, owner) in [("*", "ops"), ("a", "ann"), ("a.one", "bob")] {
            almanac.owners.insert(id.to_owned(), vec![owner.to_owned()]);
            assert_eq!(owners(&almanac), owner);
        }
    }
}
