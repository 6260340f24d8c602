//! What a manifest has to hold. The host checks it when a plugin is loaded, the test kit when it is built.

mod guided;

pub use guided::SUBJECT;

use crate::check::Kind;
use crate::manifest::{Check, DEPLOYMENT, FEATURES, Input, Manifest, Request, Setting, Source};
use std::collections::BTreeSet;

/// Everything that is wrong with a manifest, one sentence each; empty for a good one.
#[must_use]
pub fn problems(manifest: &Manifest) -> Vec<String> {
    let mut problems = Vec::new();
    if !is_kebab(&manifest.id) {
        problems.push(format!("the plugin id {:?} is not kebab-case", manifest.id));
    }
    if manifest.title.is_empty() {
        problems.push("the plugin has no title".to_owned());
    }
    if manifest.checks.is_empty() {
        problems.push("the plugin has no checks".to_owned());
    }
    for feature in &manifest.features {
        if !FEATURES.contains(&feature.as_str()) {
            problems.push(format!("it needs the feature {feature:?}, which this version does not know"));
        }
    }
    let mut ids = BTreeSet::new();
    for check in &manifest.checks {
        for id in std::iter::once(&check.id).chain(&check.aliases) {
            if !ids.insert(id) {
                problems.push(format!("the check id {id} is used twice"));
            }
        }
        let mut found = Vec::new();
        check_problems(manifest, check, &mut found);
        problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", check.id)));
    }
    for setting in &manifest.settings {
        problems
            .extend(setting_problem(setting).map(|problem| format!("setting {}: {problem}", setting.key)));
    }
    for input in &manifest.inputs {
        let mut found = Vec::new();
        input_problems(manifest, input, &mut found);
        problems.extend(found.into_iter().map(|problem| format!("input {}: {problem}", input.id)));
    }
    problems.extend(guided::problems(manifest));
    problems
}

fn check_problems(manifest: &Manifest, check: &Check, problems: &mut Vec<String>) {
    let mut need = |good: bool, problem: String| {
        if !good {
            problems.push(problem);
        }
    };
    let own = check.id.strip_prefix(&manifest.id).and_then(|rest| rest.strip_prefix('.'));
    need(own.is_some_and(is_kebab), format!("its id is not {}.<problem-or-state>", manifest.id));
    need(!check.title.is_empty(), "it has no title".to_owned());
    need(!check.what.is_empty() && !check.why.is_empty(), "it does not say what it does and why".to_owned());
    need(!check.cadence.is_empty(), "it has no cadence".to_owned());
    need(check.beyond || !check.guide.is_empty(), "it names no section of the guide".to_owned());
    need(check.judged || check.kind == Kind::Attested, "it has no judge".to_owned());
    need(!check.judged || !check.inputs.is_empty(), "it judges without reading anything".to_owned());
    for input in &check.inputs {
        need(manifest.input(input).is_some(), format!("it reads {input}, which is not in the manifest"));
    }
    for key in check.settings.iter().chain(&check.due_every) {
        need(manifest.setting(key).is_some(), format!("its setting {key} is not in the manifest"));
    }
    for key in &check.learns {
        need(
            check.judged && check.settings.contains(key),
            format!("it learns {key}, which it does not judge by"),
        );
        // A table may be learned in parts.
        let is_table = manifest.setting(key).is_some_and(|setting| setting.r#type == "table");
        let learned_by = |one: &&Check| !is_table && one.id != check.id && one.learns.contains(key);
        let other = manifest.checks.iter().find(learned_by).map(|other| &other.id);
        need(other.is_none(), format!("it learns {key}, as {} does", other.map_or("", String::as_str)));
    }
    if let Some(setting) = check.due_every.as_ref().and_then(|key| manifest.setting(key)) {
        need(setting.r#type == "integer", format!("its period {} is no number of days", setting.key));
    }
    for cause in &check.caused_by {
        let good = cause.check != check.id
            && cause.check.split_once('.').is_some_and(|(plugin, name)| is_kebab(plugin) && is_kebab(name));
        need(good, format!("it is caused by {:?}, which is no other check", cause.check));
    }
    match &check.remedy {
        None => need(false, "it has no remedy".to_owned()),
        Some(remedy) => {
            need(!remedy.steps.is_empty(), "its remedy has no steps".to_owned());
            need(!remedy.who.is_empty(), "its remedy does not say who may do it".to_owned());
        }
    }
}

fn setting_problem(setting: &Setting) -> Option<String> {
    let key_is_good = !setting.key.is_empty()
        && setting.key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !key_is_good {
        return Some("the key is not snake_case".to_owned());
    }
    if let Some(default) = setting.default.as_i64() {
        let in_range =
            setting.min.is_none_or(|min| min <= default) && setting.max.is_none_or(|max| default <= max);
        if !in_range {
            return Some(format!("the default {default} is out of range"));
        }
    }
    if setting.r#type == "choice" {
        if setting.among.is_empty() {
            return Some("a choice among nothing".to_owned());
        }
        if let Some(default) = setting.default.as_str()
            && !setting.among.iter().any(|word| word == default)
        {
            return Some(format!("the default {default:?} is none of the choices"));
        }
    }
    None
}

fn input_problems(manifest: &Manifest, input: &Input, problems: &mut Vec<String>) {
    let good_id = input
        .id
        .split_once('.')
        .is_some_and(|(owner, name)| (owner == manifest.id || owner == "platform") && is_kebab(name));
    if !good_id {
        problems.push(format!("the id is neither {}.<name> nor platform.<name>", manifest.id));
    }
    if input.about.is_empty() {
        problems.push("it does not say what it is".to_owned());
    }
    if input.sources.is_empty() {
        problems.push("it has no source".to_owned());
    }
    for source in &input.sources {
        source_problems(manifest, source, problems);
    }
}

fn source_problems(manifest: &Manifest, source: &Source, problems: &mut Vec<String>) {
    match &source.request {
        Request::Rest { path, options, .. } => {
            if !path.starts_with("/api/v2/") {
                problems.push(format!("{path} is no platform route (/api/v2/…)"));
            }
            if !options.is_empty() && serde_json::from_str::<serde_json::Value>(options).is_err() {
                problems.push(format!("the options of {path} are no JSON"));
            }
        }
        Request::Service { service, path, .. } => {
            if !is_kebab(service) || !path.starts_with('/') {
                problems.push(format!("{service:?} {path:?} is no service route"));
            }
        }
        Request::Gateway { query, connection, .. } => {
            problems.extend(query_problem(query));
            if !query.contains(connection.as_str()) {
                problems.push(format!("the query does not ask for {connection}"));
            }
        }
        Request::Question { text, .. } => {
            if !text.to_ascii_lowercase().starts_with("get") {
                problems.push(format!("{text:?} is no question"));
            }
        }
        Request::Export { file, .. } => {
            if file.is_empty() || file.contains(['/', '\\']) || file.starts_with('.') {
                problems.push(format!("{file:?} is no plain file name"));
            }
        }
        Request::Probe { setting, port, port_setting, always, .. } => {
            let kind = |key: &str| manifest.setting(key).map(|setting| setting.r#type.as_str());
            if setting != DEPLOYMENT && !matches!(kind(setting), Some("text" | "list")) {
                problems.push(format!(
                    "its targets come from {setting:?}, which is no text or list among the settings"
                ));
            }
            if !port_setting.is_empty() && (kind(port_setting) != Some("integer") || *always) {
                problems.push(format!(
                    "its port comes from {port_setting:?}, which is no number among the settings"
                ));
            }
            if *port == 0 || source.each.is_some() {
                problems.push("a probe has a port, and repeats itself".to_owned());
            }
        }
        Request::Pasted { prompt, known } => {
            let is_digest =
                |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if prompt.is_empty() || !known.iter().all(|(name, sha256)| !name.is_empty() && is_digest(sha256))
            {
                problems.push("pasted text has a prompt, and known bodies a name and a SHA-256".to_owned());
            }
        }
        Request::SavedQuestion { .. }
        | Request::Metrics { .. }
        | Request::Answer { .. }
        | Request::History { .. } => {}
    }
    let known: Vec<&str> = match &source.each {
        Some(each) if each.setting.is_some() => vec!["item"],
        Some(each) => each.variables.iter().map(|(name, _)| name.as_str()).collect(),
        None => Vec::new(),
    };
    let has_subject = manifest.diagnosis.is_some();
    for text in source.request.texts() {
        for name in placeholders(text) {
            let good = match name.split_once(':') {
                Some(("setting", key)) => manifest.setting(key).is_some(),
                Some(("since", span)) => since_hours(span).is_some(),
                Some(_) => false,
                None => known.contains(&name) || (has_subject && name == SUBJECT),
            };
            if !good {
                problems.push(format!("nothing fills the placeholder {{{name}}} of {text:?}"));
            }
        }
    }
    if let Some(each) = &source.each {
        if let Some(over) = &each.input
            && manifest.input(over).is_none()
        {
            problems.push(format!("it runs over {over}, which no check of the plugin reads"));
        }
        if let Some(key) = &each.setting
            && manifest.setting(key).is_none()
        {
            problems.push(format!("it runs over the setting {key}, which no check of the plugin has"));
        }
    }
}

/// The hours of a span such as `30d` or `12h`.
#[must_use]
pub fn since_hours(span: &str) -> Option<u32> {
    let (number, hours) = match span.strip_suffix('d') {
        Some(days) => (days, 24),
        None => (span.strip_suffix('h')?, 1),
    };
    number.parse::<u32>().ok()?.checked_mul(hours)
}

/// The names in braces, in order.
#[must_use]
pub fn placeholders(text: &str) -> Vec<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// Why a GraphQL document is refused: it may hold queries and fragments, nothing that changes or listens.
#[must_use]
pub fn query_problem(document: &str) -> Option<String> {
    let words = top_level_words(document);
    let changes = words.iter().find(|word| matches!(word.as_str(), "mutation" | "subscription"));
    if let Some(word) = changes {
        return Some(format!("the Gateway document holds a {word}; only queries are allowed"));
    }
    let asks = document.trim_start().starts_with('{') || words.iter().any(|word| word == "query");
    (!asks).then(|| "the Gateway document holds no query".to_owned())
}

/// The words outside of braces, parentheses, comments and strings.
fn top_level_words(document: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut depth = 0_usize;
    let mut characters = document.chars();
    while let Some(character) = characters.next() {
        if depth == 0 && (character.is_ascii_alphanumeric() || character == '_') {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        match character {
            '{' | '(' => depth += 1,
            '}' | ')' => depth = depth.saturating_sub(1),
            '#' => {
                characters.by_ref().find(|&next| next == '\n');
            }
            '"' => skip_string(&mut characters),
            _ => {}
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Skips a string whose opening quote was read; block strings are three strings in a row to this reader.
fn skip_string(characters: &mut std::str::Chars<'_>) {
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '"' => return,
            _ => {}
        }
    }
}

fn is_kebab(text: &str) -> bool {
    !text.is_empty()
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_pass_and_changes_do_not() {
        assert_eq!(query_problem("query { now }"), None);
        assert_eq!(query_problem("{ now }"), None);
        assert_eq!(
            query_problem("query A($after: Cursor) { a(x: \"mutation { b }\") { id } } # mutation"),
            None
        );
        assert!(query_problem("mutation { apiTokenRevoke { id } }").unwrap().contains("mutation"));
        assert!(query_problem("query A { now } mutation B { x }").unwrap().contains("mutation"));
        assert!(query_problem("subscription { x }").is_some());
        assert!(query_problem("fragment F on X { id }").unwrap().contains("no query"));
    }

    #[test]
    fn a_string_cannot_hide_a_change() {
        assert!(query_problem("query A { a(x: \"\\\"\") } mutation B { x }").is_some());
        assert!(query_problem("query A { a(x: \"\"\"{\"\"\") } mutation B { x }").is_some());
    }

    #[test]
    fn a_check_learns_settings_of_its_own_and_alone() {
        use crate::manifest::Manifest;
        use crate::{Check, Plugin, Setting, facts::Facts, finding::Report, outcome::Undecided};
        const LIST: Setting = Setting::list("names", &[]);
        const TABLE: Setting = Setting::table("agreed");
        const OTHER: Setting = Setting::flag("other", false);
        fn judge(_: &Facts<'_>, _: &mut Report) -> Result<(), Undecided> {
            Ok(())
        }
        const ONE: Check =
            Check::automated("x.one").settings(&[&LIST, &TABLE]).learns(&[&LIST, &TABLE]).judge(judge);
        const TWO: Check = Check::automated("x.two").settings(&[&TABLE]).learns(&[&TABLE]).judge(judge);
        const SAME: Check = Check::automated("x.same").settings(&[&LIST]).learns(&[&LIST]).judge(judge);
        const FOREIGN: Check = Check::automated("x.foreign").learns(&[&OTHER]).judge(judge);
        let about_learning = |checks: &'static [&'static Check]| -> Vec<String> {
            let manifest = Manifest::of(&Plugin::new("x", "X", "1").checks(checks));
            problems(&manifest).into_iter().filter(|problem| problem.contains("learns")).collect()
        };
        assert_eq!(about_learning(&[&ONE, &TWO]), [""; 0], "a table is learned in parts");
        let same = ["x.one: it learns names, as x.same does", "x.same: it learns names, as x.one does"];
        assert_eq!(about_learning(&[&ONE, &SAME]), same);
        assert_eq!(about_learning(&[&FOREIGN]), ["x.foreign: it learns other, which it does not judge by"]);
    }

    #[test]
    fn spans_and_placeholders() {
        assert_eq!(since_hours("30d"), Some(720));
        assert_eq!(since_hours("12h"), Some(12));
        assert_eq!((since_hours("d"), since_hours("3w"), since_hours("999999999d")), (None, None, None));
        assert_eq!(placeholders("/v1/{id}/x?a={since:1d}"), ["id", "since:1d"]);
    }
}
