//! Sections whose names the site chooses: `[calendar.tasks."<id>"]`, `[owners]` and `[reasons]`.

use super::keys::Key;
use super::layers::Layers;
use super::origin::{Origin, Problem};
use super::settings::shown;
use super::{Explanation, keys};
use crate::calendar::Anchor;
use crate::calendar::task::{Almanac, OfCadence, OfTask};
use crate::hint::hint;
use crate::run::waiver::Rules;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tancheck_plugin_api::Cadence;
use tancheck_plugin_api::manifest::Manifest;

/// A section of names that the site chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    /// What it says about a task, by check or plugin.
    Tasks,
    /// Who answers for a check or plugin.
    Owners,
    /// Why a key has its value.
    Reasons,
}

impl Section {
    pub(super) const ALL: [Self; 3] = [Self::Tasks, Self::Owners, Self::Reasons];

    /// Its name, with dots.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Tasks => "calendar.tasks",
            Self::Owners => "owners",
            Self::Reasons => "reasons",
        }
    }

    /// What each entry does.
    const fn about(self) -> &'static str {
        match self {
            Self::Tasks => {
                "What the site does otherwise than the guide asks for, for one check or all checks of a plugin."
            }
            Self::Owners => "Who answers for a check or for all checks of a plugin; \"*\" for all others.",
            Self::Reasons => "Why a key has the value that it has.",
        }
    }

    const fn accepts(self) -> &'static str {
        match self {
            Self::Tasks => {
                "a table of cadence, anchor, grace_days, off, second_person and renewed_by; off is the reason"
            }
            Self::Owners => "a name, or a list of names",
            Self::Reasons => "one line of text",
        }
    }
}

/// An entry of such a section.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// The place of its name.
    pub(super) origin: Origin,
    /// What it says.
    pub(super) value: Value,
    /// The places of the names in it.
    pub(super) inner: BTreeMap<String, Origin>,
}

/// All entries, by section and name.
pub(super) type Items = BTreeMap<(Section, String), Item>;

/// What may be said about a task.
const OF_TASK: [&str; 6] = ["cadence", "anchor", "grace_days", "off", "second_person", "renewed_by"];

impl Layers {
    /// What the site says about its calendar. What is wrong with it was told by `problems`.
    #[must_use]
    pub fn almanac(&self) -> Almanac {
        let mut almanac =
            Almanac { zone: self.zone(), soon_days: self.days("calendar.soon_days"), ..Almanac::default() };
        let said = keys::PERIODIC.iter().map(|cadence| (*cadence, self.of_cadence(*cadence)));
        almanac.cadences = said.filter(|(_, said)| *said != OfCadence::default()).collect();
        for ((section, name), item) in &self.items {
            match section {
                Section::Tasks => drop(almanac.tasks.insert(name.clone(), of_task(item).0)),
                Section::Owners => {
                    drop(almanac.owners.insert(name.clone(), names(&item.value).unwrap_or_default()))
                }
                Section::Reasons => {}
            }
        }
        almanac
    }

    /// Where the site is.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.text("calendar.time_zone").and_then(|name| TimeZone::get(&name).ok()).unwrap_or(TimeZone::UTC)
    }

    /// What the site says about a cadence.
    pub(super) fn of_cadence(&self, cadence: Cadence) -> OfCadence {
        let key = |name: &str| format!("calendar.{}.{name}", cadence.name());
        OfCadence {
            anchor: self.text(&key("anchor")).and_then(|text| Anchor::read(&text, cadence)),
            grace_days: self.get(&key("grace_days")).map(|_| self.days(&key("grace_days"))),
        }
    }

    pub(super) fn days(&self, key: &str) -> u32 {
        u32::try_from(self.count(key)).unwrap_or(u32::MAX)
    }

    /// The file of waivers, where there is a place for one.
    pub(super) fn waivers_file(&self) -> Option<PathBuf> {
        let beside = || Some(self.file()?.parent()?.join("waivers.toml"));
        self.path("places.waivers").or_else(beside)
    }

    pub(super) fn waiver_rules(&self) -> Rules {
        Rules {
            until_required: self.flag("waivers.until_required"),
            soon_days: self.days("waivers.soon_days"),
        }
    }

    /// Why a key has its value, where the site says so.
    #[must_use]
    pub fn reason_of(&self, key: &str) -> Option<&str> {
        self.items.get(&(Section::Reasons, key.to_owned()))?.value.as_str()
    }

    /// What is wrong with names that only the plugins can tell.
    pub(super) fn unknown_names(&self, manifests: &[&Manifest], refused: &[&str]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let plugins = manifests.iter().map(|manifest| manifest.id.as_str());
        let checks = || manifests.iter().flat_map(|manifest| &manifest.checks);
        let known: Vec<&str> = plugins.chain(checks().map(|check| check.id.as_str())).collect();
        let is_known = |id: &str| known.contains(&id) || manifests.iter().any(|one| one.check(id).is_some());
        let cannot_tell = |id: &str| refused.contains(&id.split('.').next().unwrap_or_default());
        let almanac = self.almanac();
        for ((section, name), item) in &self.items {
            let is_meant = *section == Section::Tasks || (*section == Section::Owners && name != "*");
            if is_meant && !is_known(name) && !cannot_tell(name) {
                let message =
                    format!("there is no plugin or check {name:?}{}", hint(name, known.iter().copied()));
                problems.push(Problem::at(&item.origin, message));
            }
            if *section == Section::Reasons
                && !self.is_key(name, manifests)
                && !cannot_tell_key(name, refused)
            {
                let message = format!(
                    "a reason for {name:?}, and there is no such key; \"tancheck config explain\" lists them all"
                );
                problems.push(Problem::at(&item.origin, message));
            }
            if *section == Section::Tasks {
                for id in
                    almanac.tasks.get(name).and_then(|said| said.renewed_by.as_ref()).into_iter().flatten()
                {
                    if !is_known(id) && !cannot_tell(id) {
                        let message = format!(
                            "renewed_by names {id:?}, and there is no such check{}",
                            hint(id, known.iter().copied())
                        );
                        problems
                            .push(Problem::at(item.inner.get("renewed_by").unwrap_or(&item.origin), message));
                    }
                }
            }
        }
        for manifest in manifests {
            for (id, message) in almanac.wrong_anchors(manifest) {
                let item = self.items.get(&(Section::Tasks, id));
                let place = item.map(|item| item.inner.get("anchor").unwrap_or(&item.origin).clone());
                problems.push(Problem::at(&place.unwrap_or(Origin::Default), message));
            }
        }
        problems
    }

    fn is_key(&self, name: &str, manifests: &[&Manifest]) -> bool {
        let is_setting = |manifest: &&Manifest| {
            let key = name.strip_prefix("modules.").and_then(|rest| rest.split_once('.'));
            key.is_some_and(|(plugin, key)| plugin == manifest.id && manifest.setting(key).is_some())
        };
        let has_prefix = |prefix: &str| {
            let id = name.strip_prefix(prefix).unwrap_or_default();
            Section::ALL.iter().any(|section| self.items.contains_key(&(*section, id.to_owned())))
        };
        Key::find(name).is_some()
            || manifests.iter().any(is_setting)
            || has_prefix("calendar.tasks.")
            || has_prefix("owners.")
            || self.inputs().keys().any(|id| name.starts_with(&format!("inputs.{id}")))
    }

    /// The entries, explained.
    pub(super) fn explained_items(&self) -> impl Iterator<Item = Explanation> {
        self.items.iter().map(|((section, name), item)| {
            let key = format!("{}.{name}", section.path());
            Explanation {
                reason: self.reason_of(&key).map(str::to_owned),
                key,
                value: item.value.clone(),
                from: item.origin.kind().to_owned(),
                place: Some(item.origin.to_string()),
                overrules: Vec::new(),
                about: section.about().to_owned(),
                accepts: section.accepts().to_owned(),
                variable: None,
            }
        })
    }
}

fn cannot_tell_key(name: &str, refused: &[&str]) -> bool {
    name.strip_prefix("modules.")
        .and_then(|rest| rest.split('.').next())
        .is_some_and(|id| refused.contains(&id))
}

/// What is wrong with entries, as far as that can be told without plugins.
pub(super) fn problems(items: &Items) -> Vec<Problem> {
    let mut problems = Vec::new();
    for ((section, name), item) in items {
        match section {
            Section::Tasks => problems.extend(of_task(item).1),
            Section::Owners if names(&item.value).is_none() => {
                problems.push(wrong(item, &format!("owners.{name}"), section.accepts()));
            }
            Section::Reasons if line(&item.value).is_none() => {
                problems.push(wrong(item, &format!("reasons.{name}"), section.accepts()));
            }
            Section::Owners | Section::Reasons => {}
        }
    }
    problems
}

fn wrong(item: &Item, what: &str, accepts: &str) -> Problem {
    Problem::at(&item.origin, format!("{what} is {}; it has to be {accepts}", shown(&item.value)))
}

/// What an entry says about a task, and what is wrong with it.
fn of_task(item: &Item) -> (OfTask, Vec<Problem>) {
    let mut said = OfTask::default();
    let mut problems = Vec::new();
    let Some(table) = item.value.as_object() else {
        problems.push(wrong(item, "an entry of calendar.tasks", Section::Tasks.accepts()));
        return (said, problems);
    };
    for (key, value) in table {
        let place = item.inner.get(key).unwrap_or(&item.origin);
        let accepts = match key.as_str() {
            "cadence" => {
                let named = Cadence::ALL.into_iter().find(|one| value == one.name());
                said.cadence = named;
                named.is_none().then(|| format!("one of {}", Cadence::ALL.map(Cadence::name).join(", ")))
            }
            "anchor" => {
                said.anchor = keys::anchor_text(value);
                said.anchor.is_none().then(|| "a day, such as \"monday\", 15 or \"02-15\"".to_owned())
            }
            "grace_days" => {
                said.grace_days =
                    value.as_u64().and_then(|days| u32::try_from(days).ok()).filter(|days| *days <= 366);
                said.grace_days.is_none().then(|| "a whole number from 0 to 366".to_owned())
            }
            "off" => {
                said.off = line(value);
                said.off
                    .is_none()
                    .then(|| "the reason why it is switched off, as one line of text".to_owned())
            }
            "second_person" => {
                said.second_person = value.as_bool();
                said.second_person.is_none().then(|| "true or false".to_owned())
            }
            "renewed_by" => {
                said.renewed_by = value.is_array().then(|| names(value)).flatten();
                said.renewed_by.is_none().then(|| "a list of checks".to_owned())
            }
            other => {
                let message = format!("unknown key {other:?}{}", hint(other, OF_TASK));
                problems.push(Problem::at(place, message));
                None
            }
        };
        problems.extend(
            accepts.map(|accepts| {
                Problem::at(place, format!("{key} is {}; it has to be {accepts}", shown(value)))
            }),
        );
    }
    (said, problems)
}

fn line(value: &Value) -> Option<String> {
    let line = value.as_str().filter(|line| !line.trim().is_empty() && !line.contains('\n'));
    line.map(|line| line.trim().to_owned())
}

/// A name, or a list of names.
fn names(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(line).collect(),
        Value::Array(_) => None,
        one => line(one).map(|name| vec![name]),
    }
}

/// The value of an entry for flags and variables, which cannot set it.
pub(super) fn file_only(key: &str) -> Option<Section> {
    Section::ALL.into_iter().find(|section| {
        key.strip_prefix(section.path()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// The names of the sections that stand at the top of a file.
pub(super) fn top_names() -> impl Iterator<Item = &'static str> {
    Section::ALL.into_iter().map(Section::path).filter(|path| !path.contains('.'))
}

/// An explanation of a section without entries says what it is for.
pub(super) fn empty_sections(items: &Items) -> impl Iterator<Item = Explanation> {
    let is_empty = |section: &Section| !items.keys().any(|(one, _)| one == section);
    Section::ALL.into_iter().filter(is_empty).map(|section| Explanation {
        key: section.path().to_owned(),
        value: json!(null),
        reason: None,
        from: "default".to_owned(),
        place: None,
        overrules: Vec::new(),
        about: section.about().to_owned(),
        accepts: section.accepts().to_owned(),
        variable: None,
    })
}
