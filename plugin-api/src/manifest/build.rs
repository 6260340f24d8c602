//! Builds a manifest from the constants of a plugin.

use super::{
    API_VERSION, Cause, Check, DEPLOYMENT, Each, Guide, Input, Manifest, Procedure, Remedy, Request, Setting,
    Solution, Source, Tree, guided,
};
use crate::check::{Cause as AuthorCause, Check as AuthorCheck, Kind};
use crate::input::{self, Accepts, Over, SourceKind};
use crate::plugin::Plugin;
use crate::remedy;
use crate::setting::{self, SettingValue};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Manifest {
    /// The manifest of a plugin.
    #[must_use]
    pub fn of(plugin: &Plugin) -> Self {
        let mut inputs: BTreeMap<&str, Input> = BTreeMap::new();
        let mut settings: BTreeMap<&str, Setting> = BTreeMap::new();
        let mut features: Vec<String> = Vec::new();
        for check in plugin.checks {
            for input in check.reads {
                inputs.entry(input.id).or_insert_with(|| Input::of(input));
            }
            for setting in check.settings.iter().chain(check.due_every.iter()) {
                settings.entry(setting.key).or_insert_with(|| Setting::of(setting));
            }
            if check.kind != Kind::Automated {
                features.push("attested".to_owned());
            }
            if check.guide.iter().any(|place| !place.of.is_empty()) {
                features.push("another-guide".to_owned());
            }
        }
        let readings = plugin.readings_of_nodes().chain(plugin.readings_of_values());
        let readings = guided::gather(readings, &mut inputs, &mut settings);
        features.extend(plugin.diagnosis.map(|_| "diagnosis".to_owned()));
        features.extend(plugin.procedures.first().map(|_| "procedures".to_owned()));
        for source in inputs.values().flat_map(|input| &input.sources) {
            features.push(source.request.kind().to_owned());
            if matches!(&source.request, Request::Export { holding, .. } if !holding.is_empty()) {
                features.push("lines".to_owned());
            }
            if matches!(&source.request, Request::Probe { setting, .. } if setting == DEPLOYMENT) {
                features.push("probe-deployment".to_owned());
            }
            features.extend(source.each.iter().map(|_| "each".to_owned()));
        }
        features.sort();
        features.dedup();
        Self {
            id: plugin.id.to_owned(),
            title: plugin.title.to_owned(),
            version: plugin.version.to_owned(),
            api: API_VERSION.to_owned(),
            about: plugin.about.to_owned(),
            features,
            solutions: plugin
                .solutions
                .iter()
                .map(|one| Solution { name: one.name.to_owned(), id: one.id.to_owned() })
                .collect(),
            settings: settings.into_values().collect(),
            inputs: inputs.into_values().collect(),
            checks: plugin.checks.iter().map(|check| Check::of(check, plugin.title)).collect(),
            readings,
            diagnosis: plugin.diagnosis.map(|tree| Tree::of(tree, plugin.title)),
            procedures: plugin.procedures.iter().map(|one| Procedure::of(one, plugin.title)).collect(),
        }
    }
}

impl Check {
    fn of(check: &AuthorCheck, module: &str) -> Self {
        let text = |text: &str| text.replace("{module}", module);
        Self {
            id: check.id.to_owned(),
            aliases: owned(check.aliases),
            kind: check.kind,
            title: text(check.title),
            cadence: check.cadence.to_vec(),
            severity: check.severity,
            inputs: check.reads.iter().map(|input| input.id.to_owned()).collect(),
            settings: check.settings.iter().map(|setting| setting.key.to_owned()).collect(),
            learns: check.learns.iter().map(|setting| setting.key.to_owned()).collect(),
            due_every: check.due_every.map(|setting| setting.key.to_owned()),
            guide: check
                .guide
                .iter()
                .map(|place| Guide {
                    section: place.section.to_owned(),
                    page: place.page,
                    of: place.of.to_owned(),
                })
                .collect(),
            what: text(check.what),
            why: text(check.why),
            limits: text(check.limits),
            applies: text(check.applies),
            remedy: check.remedy.map(|remedy| Remedy::of(remedy, check.id, module)),
            related: owned(check.related),
            renewed_by: owned(check.renewed_by),
            caused_by: check.caused_by.iter().map(Cause::of).collect(),
            even_if_absent: check.even_if_absent,
            beyond: check.beyond,
            judged: check.judge.is_some(),
        }
    }
}

impl Cause {
    fn of(cause: &AuthorCause) -> Self {
        Self {
            check: cause.check.to_owned(),
            subject: cause.subject.map(str::to_owned),
            severity: cause.severity,
        }
    }
}

impl Remedy {
    pub(super) fn of(remedy: &remedy::Remedy, check: &str, module: &str) -> Self {
        let text = |text: &str| text.replace("{module}", module);
        Self {
            steps: remedy.steps.iter().map(|one| step(one, module)).collect(),
            cautions: remedy.cautions.iter().map(|caution| text(caution)).collect(),
            who: text(remedy.who),
            risk: remedy.risk,
            reversible: remedy.reversible,
            references: remedy.references.iter().map(|reference| text(reference)).collect(),
            verify: remedy.verify.unwrap_or(check).to_owned(),
        }
    }
}

/// A step as an object; `{module}` is filled in.
pub(super) fn step(step: &remedy::Step, module: &str) -> BTreeMap<String, String> {
    let Ok(Value::Object(fields)) = serde_json::to_value(step) else { return BTreeMap::new() };
    let text = |value: &Value| value.as_str().unwrap_or_default().replace("{module}", module);
    fields.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

impl Setting {
    pub(crate) fn of(setting: &setting::Setting) -> Self {
        let (kind, default) = match setting.value {
            SettingValue::Integer { default, .. } => ("integer", json!(default)),
            SettingValue::Flag(default) => ("flag", json!(default)),
            SettingValue::Text(default) => ("text", json!(default)),
            SettingValue::Choice { default, .. } => ("choice", json!(default)),
            SettingValue::List(default) => ("list", json!(default)),
            SettingValue::Table => ("table", json!({})),
        };
        let (min, max) = match setting.value {
            SettingValue::Integer { min, max, .. } => (Some(min), Some(max)),
            _ => (None, None),
        };
        let among = match setting.value {
            SettingValue::Choice { among, .. } => owned(among),
            _ => Vec::new(),
        };
        Self {
            key: setting.key.to_owned(),
            r#type: kind.to_owned(),
            default,
            min,
            max,
            among,
            unit: setting.unit.to_owned(),
            about: setting.about.to_owned(),
            from_guide: setting.from_guide,
        }
    }
}

impl Input {
    pub(super) fn of(input: &input::Input) -> Self {
        Self {
            id: input.id.to_owned(),
            about: input.about.to_owned(),
            sources: input.sources.iter().map(Source::of).collect(),
        }
    }
}

impl Source {
    fn of(source: &input::Source) -> Self {
        Self {
            request: Request::of(&source.kind),
            shape: source.shape,
            rows_key: source.rows_key.to_owned(),
            only_with: source.only_with.to_owned(),
            needs: owned(source.needs),
            complete_with: owned(source.complete_with),
            each: source.each.as_ref().map(Each::of),
        }
    }
}

impl Request {
    fn of(kind: &SourceKind) -> Self {
        match *kind {
            SourceKind::Rest { path, options, paged } => {
                Self::Rest { path: path.to_owned(), options: options.to_owned(), paged }
            }
            SourceKind::Service { service, path, page, paging } => {
                Self::Service { service: service.to_owned(), path: path.to_owned(), page, paging }
            }
            SourceKind::Gateway { query, connection, variables } => Self::Gateway {
                query: query.to_owned(),
                connection: connection.to_owned(),
                variables: variables
                    .iter()
                    .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
                    .collect(),
            },
            SourceKind::Question { text, group, sample } => {
                Self::Question { text: text.to_owned(), group: group.to_owned(), sample: sample.to_owned() }
            }
            SourceKind::SavedQuestion { name } => Self::SavedQuestion { name: name.to_owned() },
            SourceKind::Metrics { families } => Self::Metrics { families: owned(families) },
            SourceKind::Probe { setting, port, port_setting, always, brief } => Self::Probe {
                setting: setting.to_owned(),
                port,
                port_setting: port_setting.to_owned(),
                always,
                brief,
            },
            SourceKind::Export { file, page, steps, columns, holding } => Self::Export {
                file: file.to_owned(),
                page: page.to_owned(),
                steps: steps.to_owned(),
                columns: owned(columns),
                holding: owned(holding),
            },
            SourceKind::Pasted { prompt, known } => Self::Pasted {
                prompt: prompt.to_owned(),
                known: known
                    .iter()
                    .map(|(name, sha256)| ((*name).to_owned(), (*sha256).to_owned()))
                    .collect(),
            },
            SourceKind::Answer { prompt, accepts, valid_days } => {
                let (accepts, among) = match accepts {
                    Accepts::YesNo => ("yes-no", Vec::new()),
                    Accepts::Number => ("number", Vec::new()),
                    Accepts::Text => ("text", Vec::new()),
                    Accepts::Date => ("date", Vec::new()),
                    Accepts::Choice(words) => ("choice", owned(words)),
                };
                Self::Answer { prompt: prompt.to_owned(), accepts: accepts.to_owned(), among, valid_days }
            }
            SourceKind::History { series, days } => Self::History { series: series.to_owned(), days },
        }
    }
}

impl Each {
    fn of(each: &input::Each) -> Self {
        let (input, items, setting) = match each.over {
            Over::Rows { input, items } => (Some(input.to_owned()), items.to_owned(), None),
            Over::Setting { key } => (None, String::new(), Some(key.to_owned())),
        };
        Self {
            input,
            items,
            setting,
            variables: each
                .variables
                .iter()
                .map(|(name, key)| ((*name).to_owned(), (*key).to_owned()))
                .collect(),
            only: each.only.map(|(key, values)| (key.to_owned(), owned(values))),
            limit: each.limit,
        }
    }
}

pub(super) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Input as AuthorInput, Setting as AuthorSetting, Severity, Source as AuthorSource, guide, validate,
    };

    const CHECK: AuthorCheck = AuthorCheck::attested("x.ports")
        .severity(Severity::Low)
        .guide(&[guide("Ports", 10).of("Example User Guide 1.5"), guide("Ports and more", 20)]);

    #[test]
    fn a_place_in_another_guide_needs_a_host_that_can_say_so() {
        let manifest = Manifest::of(&Plugin::new("x", "X", "1").checks(&[&CHECK]));
        assert_eq!(manifest.features, ["another-guide", "attested"]);
        let titles: Vec<&str> = manifest.checks[0].guide.iter().map(Guide::title).collect();
        assert_eq!(titles, ["Example User Guide 1.5", "maintenance guide"]);
    }

    const TARGETS: AuthorSetting = AuthorSetting::list("targets", &[]);
    const COUNT: AuthorSetting = AuthorSetting::integer("count", 1, 0, 9);
    const LISTENERS: AuthorInput = AuthorInput::new("x.listeners", "listeners").sources(&[
        AuthorSource::probe("targets", 17475),
        AuthorSource::probe("targets", 1).port_from("count"),
    ]);
    const NOWHERE: AuthorInput =
        AuthorInput::new("x.nowhere", "listeners").sources(&[AuthorSource::probe("count", 0)]);
    const PROBED: AuthorCheck = CHECK.reads(&[&LISTENERS]).settings(&[&TARGETS, &COUNT]);
    const WRONG: AuthorCheck = CHECK.reads(&[&NOWHERE]).settings(&[&COUNT]);

    #[test]
    fn targets_of_probes_are_settings_of_the_site() {
        let manifest = Manifest::of(&Plugin::new("x", "X", "1").checks(&[&PROBED]));
        assert!(manifest.features.contains(&"probe".to_owned()));
        assert!(!validate::problems(&manifest).iter().any(|problem| problem.starts_with("input")));
        let manifest = Manifest::of(&Plugin::new("x", "X", "1").checks(&[&WRONG]));
        let problems = validate::problems(&manifest);
        let of_input: Vec<&String> = problems.iter().filter(|problem| problem.starts_with("input")).collect();
        assert_eq!(of_input.len(), 2, "{problems:#?}");
        assert!(of_input[0].contains("no text or list among the settings"), "{of_input:?}");
    }
}
