//! What a run needs to know: the inputs of the selected checks. Pure.

use super::select::Selected;
use crate::calendar::{Task, day};
use crate::collect::Want;
use crate::config::settings;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tancheck_plugin_api::Outcome;
use tancheck_plugin_api::facts::{Body, Supplied, Unavailable};

/// A plugin and an input's id.
pub type Place = (String, String);

/// Inputs with what became of them.
pub type Inputs = BTreeMap<Place, Arc<Supplied>>;

/// The inputs that the judges of these checks read, and those that they are repeated over. `site` are the settings
/// that were set, by plugin.
#[must_use]
pub fn wants(selected: &[Selected<'_>], site: &BTreeMap<String, Map<String, Value>>) -> Vec<Want> {
    let of_plugin = |one: &Selected<'_>| {
        let manifest = &one.plugin.manifest;
        let unset = Map::new();
        let settings = settings::resolved(manifest, site.get(&manifest.id).unwrap_or(&unset));
        let judged = one.checks.iter().filter(|check| check.judged);
        let inputs = judged.flat_map(|check| &check.inputs).map(String::as_str);
        let mut wants = Want::of(manifest, inputs, &settings);
        wants.sort_by(|left, right| left.input.id.cmp(&right.input.id));
        wants
    };
    selected.iter().flat_map(of_plugin).collect()
}

/// Who reads exported files, and when.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// For so many days a file is good.
    pub days: u32,
    /// What it is called in messages.
    pub name: &'a str,
    /// The time of the run.
    pub now: Timestamp,
    /// Where the site is.
    pub zone: &'a TimeZone,
}

/// The inputs of one check, out of all that was collected. A file counts for one period of the check as the site does
/// it: what is older shows a deployment of another time.
#[must_use]
pub fn supply(
    task: &Task<'_>,
    collected: &Inputs,
    now: Timestamp,
    zone: &TimeZone,
) -> BTreeMap<String, Arc<Supplied>> {
    let reader = Reader { days: task.file_days(), name: "this check", now, zone };
    inputs(task.plugin, &task.check.inputs, &reader, collected)
}

/// These inputs, out of all that was collected; exported files only if they are young enough for their reader.
#[must_use]
pub fn inputs(
    plugin: &str,
    ids: &[String],
    reader: &Reader<'_>,
    collected: &Inputs,
) -> BTreeMap<String, Arc<Supplied>> {
    let find = |id: &String| {
        let supplied = collected.get(&(plugin.to_owned(), id.clone()))?;
        let outdated = outdated(supplied, reader).map(Arc::new);
        Some((id.clone(), outdated.unwrap_or_else(|| Arc::clone(supplied))))
    };
    ids.iter().filter_map(find).collect()
}

/// Says of an exported file that it is too old for its reader; nothing where it is not.
fn outdated(supplied: &Supplied, reader: &Reader<'_>) -> Option<Supplied> {
    let Reader { days, name, now, zone } = *reader;
    let is_old = now.duration_since(supplied.at) >= SignedDuration::from_hours(24 * i64::from(days));
    if supplied.source != "export" || !is_old {
        return None;
    }
    let (file, made) = (&supplied.request, day(supplied.at, zone));
    let reason = format!(
        "{file} was exported on {made}, and {name} needs it from the last {days} days: export it again \
         (`tancheck exports --all` tells how)"
    );
    let body = Body::Unavailable(Unavailable { outcome: Outcome::NotEvaluated, reason });
    Some(Supplied { gaps: Vec::new(), body, ..supplied.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Almanac;
    use crate::calendar::task::OfTask;
    use crate::run::engine::fakes::{installed_reading, rest, supplied};
    use serde_json::json;
    use tancheck_plugin_api::Cadence;

    fn all_checks(plugins: &[crate::plugins::Installed]) -> Vec<Selected<'_>> {
        let all = |plugin| Selected { plugin, checks: Vec::from_iter(&plugin.manifest.checks) };
        plugins.iter().map(all).collect()
    }

    fn ids(wants: &[Want]) -> Vec<(&str, &str)> {
        wants.iter().map(|want| (want.plugin.as_str(), want.input.id.as_str())).collect()
    }

    #[test]
    fn what_several_checks_of_a_plugin_read_is_wanted_once_and_with_its_settings() {
        let mut plugin = installed_reading(
            "a",
            &[("a.one", json!({})), ("a.two", json!({})), ("a.task", json!({"judged": false}))],
            &[rest("a.x", "/api/v2/x"), rest("a.y", "/api/v2/y")],
        );
        let settings = json!([
            {"key": "days", "type": "integer", "default": 7},
            {"key": "group", "type": "text", "default": null},
            {"key": "unset", "type": "text", "default": null},
        ]);
        plugin.manifest.settings = serde_json::from_value(settings).unwrap();
        let plugins = [plugin];
        let site = BTreeMap::from([("a".to_owned(), json!({"group": "all"}).as_object().cloned().unwrap())]);
        let wanted = wants(&all_checks(&plugins), &site);
        assert_eq!(ids(&wanted), [("a", "a.x"), ("a", "a.y")]);
        assert_eq!(Value::Object(wanted[0].settings.clone()), json!({"days": 7, "group": "all"}));
    }

    #[test]
    fn a_check_that_is_not_judged_wants_nothing() {
        let plugins =
            [installed_reading("a", &[("a.task", json!({"judged": false}))], &[rest("a.x", "/api/v2/x")])];
        assert!(wants(&all_checks(&plugins), &BTreeMap::new()).is_empty());
    }

    #[test]
    fn a_check_is_supplied_with_what_it_declares_and_nothing_else() {
        let plugin = installed_reading("a", &[("a.one", json!({}))], &[rest("a.x", "/api/v2/x")]);
        let rows = Arc::new(supplied(Body::Rows(Vec::new())));
        let place = |plugin: &str, input: &str| (plugin.to_owned(), input.to_owned());
        let collected = Inputs::from([
            (place("a", "a.x"), Arc::clone(&rows)),
            (place("a", "a.y"), Arc::clone(&rows)),
            (place("b", "a.x"), rows),
        ]);
        let task = Almanac::default().task(&plugin.manifest, &plugin.manifest.checks[0], &Map::new());
        let supplied = supply(&task, &collected, Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        assert_eq!(supplied.keys().collect::<Vec<_>>(), ["a.x"]);
    }

    #[test]
    fn an_exported_file_counts_for_one_period_of_the_check() {
        let plugin = installed_reading(
            "a",
            &[
                ("a.week", json!({"cadence": ["weekly", "quarterly"]})),
                ("a.quarter", json!({"cadence": ["quarterly"]})),
            ],
            &[rest("a.x", "/api/v2/x")],
        );
        let exported = Supplied { source: "export".to_owned(), ..supplied(Body::Rows(Vec::new())) };
        let made = exported.at;
        let collected = Inputs::from([(("a".to_owned(), "a.x".to_owned()), Arc::new(exported))]);
        let is_there_for = |almanac: &Almanac, check: usize, days: i64| {
            let now = made + SignedDuration::from_hours(24 * days);
            let task = almanac.task(&plugin.manifest, &plugin.manifest.checks[check], &Map::new());
            let supplied = supply(&task, &collected, now, &TimeZone::UTC);
            match &supplied["a.x"].body {
                Body::Unavailable(missing) => {
                    assert!(missing.reason.contains("export it again"), "{}", missing.reason);
                    false
                }
                _ => true,
            }
        };
        let is_there = |check: usize, days: i64| is_there_for(&Almanac::default(), check, days);
        assert!(is_there(0, 6) && !is_there(0, 7));
        assert!(is_there(1, 7) && is_there(1, 80) && !is_there(1, 100));
        // A file whose time lies ahead was exported today as well.
        assert!(is_there(0, -1));
        // Who does it as often as the site says needs no file that is younger than that.
        let mut almanac = Almanac::default();
        let said = |cadence| OfTask { cadence: Some(cadence), ..OfTask::default() };
        almanac.tasks.insert("a.week".to_owned(), said(Cadence::Monthly));
        almanac.tasks.insert("a.quarter".to_owned(), said(Cadence::Weekly));
        assert!(is_there_for(&almanac, 0, 20) && !is_there_for(&almanac, 0, 40));
        assert!(is_there_for(&almanac, 1, 6) && !is_there_for(&almanac, 1, 7));
    }
}
