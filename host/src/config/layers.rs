//! Defaults, file, environment and flags, one above the other; the topmost value of a key counts.

use super::file::{self, Contents, Raw};
use super::keys::{KEYS, Key, Typed, Wrong};
use super::origin::{ConfigError, Origin, Problem};
use super::settings::{self, RawSettings};
use super::site::{self, Items};
use super::{Config, Flags, InputOverride, Limits, Modules, Places, Probing, Surroundings};
use super::{environment, keys, units};
use crate::hint::hint;
use crate::history::Retention;
use crate::run::waiver::Rules;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tancheck_plugin_api::manifest::Manifest;
use tancheck_plugin_api::records::probe::Vantage;

/// Everything that was said about the configuration, with the place of every value.
#[derive(Clone, Debug)]
pub struct Layers {
    file: Option<PathBuf>,
    looked_for: Vec<PathBuf>,
    /// The value in force of each key, and where it comes from.
    pub(super) values: BTreeMap<&'static str, (Typed, Origin)>,
    /// The places that said something else about a key and were overruled.
    pub(super) overruled: BTreeMap<String, Vec<Origin>>,
    modules: BTreeMap<String, Origin>,
    settings: BTreeMap<String, RawSettings>,
    inputs: BTreeMap<String, (Origin, InputOverride)>,
    /// Entries of sections whose names the site chooses.
    pub(super) items: Items,
}

impl Layers {
    /// Reads file, environment and flags of this process.
    ///
    /// # Errors
    /// When the file cannot be read, or anything in it is unknown, of the wrong type or out of range.
    pub fn load(flags: &Flags) -> Result<Self, ConfigError> {
        Self::load_in(flags, &Surroundings::real())
    }

    /// Reads file, environment and flags in given surroundings.
    ///
    /// # Errors
    /// Like [`Layers::load`].
    pub fn load_in(flags: &Flags, around: &Surroundings) -> Result<Self, ConfigError> {
        let (looked_for, named) = file::candidates(flags.config.as_deref(), around);
        let read = file::read(&looked_for, named)?;
        let mut layers = Self {
            file: read.as_ref().map(|(path, _)| path.clone()),
            looked_for,
            values: defaults(&around.places()),
            overruled: BTreeMap::new(),
            modules: BTreeMap::new(),
            settings: BTreeMap::new(),
            inputs: BTreeMap::new(),
            items: Items::new(),
        };
        let mut problems = Vec::new();
        if let Some((path, text)) = read {
            let base = path.parent().unwrap_or(Path::new("")).to_owned();
            layers.lay(file::parse(&path, &text)?, &base, &mut problems);
        }
        layers.lay(environment::variables(around), Path::new(""), &mut problems);
        layers.lay(environment::flags(flags), Path::new(""), &mut problems);
        problems.extend(layers.auth_problems());
        ConfigError::none_of(problems)?;
        Ok(layers)
    }

    /// Lays one source of values above those that are there.
    fn lay(&mut self, contents: Contents, base: &Path, problems: &mut Vec<Problem>) {
        problems.extend(contents.problems);
        problems.extend(site::problems(&contents.items));
        self.items.extend(contents.items);
        for (key, raw) in contents.values {
            match key.takes.read(&raw.value, raw.origin.is_text(), base) {
                Ok(typed) => {
                    if let Some((_, below)) = self.values.insert(key.path, (typed, raw.origin)) {
                        self.overruled.entry(key.path.to_owned()).or_default().push(below);
                    }
                }
                Err(wrong) => problems.push(Problem::at(&raw.origin, refusal(key, &raw.value, &wrong))),
            }
        }
        self.modules.extend(contents.modules);
        for (plugin, key, raw) in contents.settings {
            let path = format!("modules.{plugin}.{key}");
            if let Some(below) = self.settings.entry(plugin).or_default().insert(key, raw) {
                self.overruled.entry(path).or_default().push(below.origin);
            }
        }
        for (id, (origin, values)) in contents.inputs {
            match input_override(&id, &origin, &values) {
                Ok(input) => {
                    self.inputs.insert(id, (origin, input));
                }
                Err(problem) => problems.push(problem),
            }
        }
    }

    /// The file that was read.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The places where a file was looked for.
    #[must_use]
    pub fn looked_for(&self) -> &[PathBuf] {
        &self.looked_for
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        Limits {
            questions_in_flight: usize::try_from(self.count("limits.questions_in_flight"))
                .unwrap_or(usize::MAX),
            calls_in_flight: usize::try_from(self.count("limits.calls_in_flight")).unwrap_or(usize::MAX),
            total_calls: self.count("limits.total_calls"),
            response_bytes: self.count("limits.response_bytes"),
            total_bytes: self.count("limits.total_bytes"),
            request_timeout: self.time("limits.request_timeout"),
            question_timeout: self.time("limits.question_timeout"),
            retries: u32::try_from(self.count("limits.retries")).unwrap_or(u32::MAX),
            complete_share: match self.get("limits.complete_share") {
                Some(Typed::Share(share)) => *share,
                _ => Limits::default().complete_share,
            },
            probe_timeout: self.time("limits.probe_timeout"),
            probe_pause: self.time("limits.probe_pause"),
            stdin_timeout: self.time("limits.stdin_timeout"),
            worker_memory: self.count("limits.worker_memory"),
            check_time: self.time("limits.check_time"),
            allow_weak_sandbox: self.flag("limits.allow_weak_sandbox"),
        }
    }

    /// How listeners are probed.
    #[must_use]
    pub fn probing(&self) -> Probing {
        let word = self.text("probe.vantage");
        let vantage = Vantage::ALL.into_iter().find(|vantage| Some(vantage.name()) == word.as_deref());
        Probing {
            vantage: vantage.unwrap_or_default(),
            quick: self.flag("probe.quick"),
            connect_to: match self.get("probe.connect_to") {
                Some(Typed::Words(detours)) => detours.iter().filter_map(|one| keys::detour(one)).collect(),
                _ => BTreeMap::new(),
            },
            merge_evidence: match self.get("probe.merge_evidence") {
                Some(Typed::Paths(paths)) => paths.clone(),
                _ => Vec::new(),
            },
        }
    }

    /// The folders in force.
    #[must_use]
    pub fn places(&self) -> Places {
        let folder = |key| self.path(key).unwrap_or_default();
        Places {
            plugins: match self.get("places.plugins") {
                Some(Typed::Paths(paths)) => paths.clone(),
                _ => Vec::new(),
            },
            exports: folder("places.exports"),
            state: folder("places.state"),
            cache: folder("places.cache"),
            waivers: self.waivers_file(),
        }
    }

    /// How long the history keeps what.
    #[must_use]
    pub fn retention(&self) -> Retention {
        Retention {
            runs_days: self.count("history.keep_runs_days"),
            series_days: self.count("history.keep_series_days"),
        }
    }

    /// The enabled plugins; `None`: as licensed.
    #[must_use]
    pub fn enabled(&self) -> Option<&[String]> {
        match self.get("modules.enable") {
            Some(Typed::Modules(Some(ids))) => Some(ids),
            _ => None,
        }
    }

    /// Inputs that the site re-points.
    #[must_use]
    pub fn inputs(&self) -> BTreeMap<String, InputOverride> {
        self.inputs.iter().map(|(id, (_, input))| (id.clone(), input.clone())).collect()
    }

    /// The settings that the site chose for a plugin, with their places.
    #[must_use]
    pub fn raw_settings(&self, plugin: &str) -> RawSettings {
        self.settings.get(plugin).cloned().unwrap_or_default()
    }

    /// The settings that the site chose for a plugin, with the types of its manifest; wrong ones stay away.
    #[must_use]
    pub fn settings(&self, manifest: &Manifest) -> Map<String, Value> {
        self.settings.get(&manifest.id).map(|raw| settings::typed(manifest, raw).0).unwrap_or_default()
    }

    /// Checks what is said about plugins against their manifests. Ids in `refused` are those of plugins that are there
    /// but cannot be used: what is said about them cannot be judged.
    ///
    /// # Errors
    /// When a plugin, setting or input is not known, or a setting has a wrong type or is out of range.
    pub fn check(&self, manifests: &[&Manifest], refused: &[&str]) -> Result<(), ConfigError> {
        let find = |id: &str| manifests.iter().find(|manifest| manifest.id == id);
        let known = || manifests.iter().map(|manifest| manifest.id.as_str());
        let missing = |id: &str| {
            let hint = match manifests {
                [] => "; no plugins are installed here: see tancheck doctor".to_owned(),
                _ => hint(id, known()),
            };
            format!("there is no plugin {id:?}{hint}")
        };
        let mut problems = Vec::new();
        for id in self.enabled().unwrap_or_default() {
            if find(id).is_none() && !refused.contains(&id.as_str()) {
                problems.push(Problem::at(&self.origin("modules.enable"), missing(id)));
            }
        }
        for (id, origin) in &self.modules {
            match find(id) {
                Some(manifest) => problems.extend(settings::check(manifest, &self.raw_settings(id))),
                None if refused.contains(&id.as_str()) => {}
                None => problems.push(Problem::at(origin, missing(id))),
            }
        }
        let ids: Vec<&str> =
            manifests.iter().flat_map(|manifest| &manifest.inputs).map(|input| input.id.as_str()).collect();
        for (id, (origin, _)) in &self.inputs {
            let owner = id.split_once('.').map_or(id.as_str(), |(owner, _)| owner);
            let cannot_tell = refused.contains(&owner) || (owner == "platform" && !refused.is_empty());
            if !cannot_tell && !ids.contains(&id.as_str()) {
                let message = format!("no plugin reads an input {id:?}{}", hint(id, ids.iter().copied()));
                problems.push(Problem::at(origin, message));
            }
        }
        problems.extend(self.unknown_names(manifests, refused));
        ConfigError::none_of(problems)
    }

    /// The whole configuration. With `manifests`, settings have the types that these ask for.
    ///
    /// # Errors
    /// Like [`Layers::deployment`].
    pub fn config(&self, manifests: &[&Manifest]) -> Result<Config, ConfigError> {
        let settings = |(id, raw): (&String, &RawSettings)| {
            let typed = match manifests.iter().find(|manifest| manifest.id == *id) {
                Some(manifest) => settings::typed(manifest, raw).0,
                None => raw.iter().map(|(key, raw)| (key.clone(), raw.value.clone())).collect(),
            };
            (id.clone(), typed)
        };
        Ok(Config {
            deployment: self.deployment()?,
            modules: Modules {
                enable: self.enabled().map(<[String]>::to_vec),
                settings: self.settings.iter().map(settings).collect(),
            },
            inputs: self.inputs(),
            limits: self.limits(),
            probing: self.probing(),
            places: self.places(),
            calendar: self.almanac(),
            waivers: self.waiver_rules(),
        })
    }

    /// Where the value in force of a key comes from.
    pub(super) fn origin(&self, key: &str) -> Origin {
        self.values.get(key).map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    pub(super) fn get(&self, key: &str) -> Option<&Typed> {
        self.values.get(key).map(|(typed, _)| typed)
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        match self.get(key) {
            Some(Typed::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        match self.get(key) {
            Some(Typed::Path(path)) => Some(path.clone()),
            _ => None,
        }
    }

    pub(super) fn count(&self, key: &str) -> u64 {
        match self.get(key) {
            Some(Typed::Count(number) | Typed::Size(number)) => *number,
            _ => 0,
        }
    }

    fn time(&self, key: &str) -> Duration {
        match self.get(key) {
            Some(Typed::Time(time)) => *time,
            _ => Duration::ZERO,
        }
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Typed::Flag(true)))
    }
}

/// The values that hold where nobody says anything.
fn defaults(places: &Places) -> BTreeMap<&'static str, (Typed, Origin)> {
    let limits = Limits::default();
    let retention = Retention::default();
    let count = |number: usize| Typed::Count(u64::try_from(number).unwrap_or(u64::MAX));
    [
        ("deployment.questions", Typed::Flag(true)),
        ("modules.enable", Typed::Modules(None)),
        ("calendar.time_zone", Typed::Text("UTC".to_owned())),
        ("calendar.soon_days", Typed::Count(7)),
        ("waivers.until_required", Typed::Flag(Rules::default().until_required)),
        ("waivers.soon_days", Typed::Count(u64::from(Rules::default().soon_days))),
        ("limits.questions_in_flight", count(limits.questions_in_flight)),
        ("limits.calls_in_flight", count(limits.calls_in_flight)),
        ("limits.total_calls", Typed::Count(limits.total_calls)),
        ("limits.response_bytes", Typed::Size(limits.response_bytes)),
        ("limits.total_bytes", Typed::Size(limits.total_bytes)),
        ("limits.request_timeout", Typed::Time(limits.request_timeout)),
        ("limits.question_timeout", Typed::Time(limits.question_timeout)),
        ("limits.retries", Typed::Count(u64::from(limits.retries))),
        ("limits.complete_share", Typed::Share(limits.complete_share)),
        ("limits.probe_timeout", Typed::Time(limits.probe_timeout)),
        ("limits.probe_pause", Typed::Time(limits.probe_pause)),
        ("limits.stdin_timeout", Typed::Time(limits.stdin_timeout)),
        ("probe.vantage", Typed::Text(Vantage::default().name().to_owned())),
        ("probe.quick", Typed::Flag(false)),
        ("probe.merge_evidence", Typed::Paths(Vec::new())),
        ("probe.connect_to", Typed::Words(Vec::new())),
        ("limits.worker_memory", Typed::Size(limits.worker_memory)),
        ("limits.check_time", Typed::Time(limits.check_time)),
        ("limits.allow_weak_sandbox", Typed::Flag(limits.allow_weak_sandbox)),
        ("history.keep_runs_days", Typed::Count(retention.runs_days)),
        ("history.keep_series_days", Typed::Count(retention.series_days)),
        ("places.plugins", Typed::Paths(places.plugins.clone())),
        ("places.exports", Typed::Path(places.exports.clone())),
        ("places.state", Typed::Path(places.state.clone())),
        ("places.cache", Typed::Path(places.cache.clone())),
    ]
    .map(|(key, typed)| (key, (typed, Origin::Default)))
    .into()
}

fn refusal(key: &Key, value: &Value, wrong: &Wrong) -> String {
    match wrong {
        Wrong::Address(why) => format!("{} {why}", key.path),
        Wrong::Kind if key.is_private() => {
            format!("{} has to be {}; what stands there is not repeated here", key.path, key.takes.accepts())
        }
        Wrong::Kind => {
            format!("{} is {}; it has to be {}", key.path, settings::shown(value), key.takes.accepts())
        }
    }
}

fn input_override(
    id: &str,
    origin: &Origin,
    values: &BTreeMap<String, Raw>,
) -> Result<InputOverride, Problem> {
    let text = |key: &str| match values.get(key) {
        None => Ok(None),
        Some(raw) => match raw.value.as_str().filter(|text| !text.is_empty() && !text.contains('\n')) {
            Some(text) => Ok(Some(text.to_owned())),
            None => {
                let message =
                    format!("{key} is {}; it has to be one line of text", settings::shown(&raw.value));
                Err(Problem::at(&raw.origin, message))
            }
        },
    };
    let place = |key: &str| values.get(key).map_or(origin, |raw| &raw.origin);
    let (service, rows) = (text("service")?, text("rows")?);
    let Some(path) = text("path")? else {
        return Err(Problem::at(origin, format!("the input {id:?} has no path: say where to read it")));
    };
    let beginning = if service.is_some() { "/" } else { "/api/v2/" };
    if !path.starts_with(beginning) {
        return Err(Problem::at(
            place("path"),
            format!("path is {path:?}; it has to begin with {beginning}"),
        ));
    }
    if let Some(service) = &service
        && !service.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(Problem::at(place("service"), format!("service is {service:?}; it has to be one word")));
    }
    if let Some(rows) = &rows
        && !rows.starts_with('/')
    {
        return Err(Problem::at(place("rows"), format!("rows is {rows:?}; it has to begin with /")));
    }
    Ok(InputOverride { service, path, rows })
}

/// The known keys, for other files of this module.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    KEYS.iter()
}

/// A duration as the configuration writes it.
#[must_use]
pub fn show_duration(duration: Duration) -> String {
    units::show_duration(duration)
}
