//! The sources of inputs, told to people.

use tancheck_plugin_api::manifest::{DEPLOYMENT, Request, Source};

/// What a source asks, on one line.
pub(crate) fn told(source: &Source, input: &str) -> String {
    let request = match &source.request {
        Request::Rest { path, .. } => format!("GET {path}"),
        Request::Service { service, path, .. } => format!("GET /plugin/products/{service}{path}"),
        Request::Gateway { connection, .. } => format!("API Gateway query of {connection}"),
        Request::Question { text, group, .. } if group.is_empty() => format!("question: {text}"),
        Request::Question { text, group, .. } => format!("question to the computer group {group}: {text}"),
        Request::SavedQuestion { name } => format!("stored results of the saved question {name:?}"),
        Request::Metrics { families } => format!("GET /metrics: {}", families.join(", ")),
        Request::Probe { setting, .. } if setting == DEPLOYMENT => {
            "probe of the listener that deployment.url names".to_owned()
        }
        Request::Probe { setting, port_setting, .. } if !port_setting.is_empty() => {
            format!("probe of the listener that the settings {setting} and {port_setting} name")
        }
        Request::Probe { setting, port, always: true, .. } => {
            format!("probe of port {port} on each host that the setting {setting} names")
        }
        Request::Probe { setting, port, .. } => {
            format!(
                "probe of each listener that the setting {setting} names (port {port} where it names none)"
            )
        }
        Request::Export { file, page, steps, .. } => {
            format!("file {file} in the exports folder, from the Console page {page}: {steps}")
        }
        Request::Pasted { prompt, .. } => format!("pasted text (tancheck paste {input}): {prompt}"),
        Request::Answer { prompt, .. } => format!("a person's answer (tancheck answer {input}): {prompt}"),
        Request::History { series, days } => format!("earlier runs of the last {days} days: {series}"),
        other => other.kind().to_owned(),
    };
    let repeated = source.each.as_ref().map(|each| match (&each.input, &each.setting) {
        (Some(input), _) if each.items.is_empty() => format!(", for each row of {input}"),
        (Some(input), _) => format!(", for each of {} of each row of {input}", each.items),
        (None, Some(setting)) => format!(", for each item of the setting {setting}"),
        (None, None) => String::new(),
    });
    request + &repeated.unwrap_or_default()
}

/// The privileges of a source, on one line; `None` without any.
pub(crate) fn privileges(source: &Source) -> Option<String> {
    let mut parts = Vec::new();
    if !source.needs.is_empty() {
        parts.push(format!("needs {}", source.needs.join(", ")));
    }
    if !source.complete_with.is_empty() {
        parts.push(format!("complete with {}", source.complete_with.join(", ")));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
