//! Events: what modules offer, and what connections listen to.

use super::Connection;
use serde_json::Value;
use tancheck_plugin_api::prelude::*;

/// A source of events.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EventSource {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// The event group.
    #[serde(deserialize_with = "lenient::text")]
    pub source: String,
    /// The names of the events; `All Events` stands for all.
    pub events: Vec<Value>,
}

impl EventSource {
    /// Whether it listens to this event. An event is a name, or an object that holds it under `Name`.
    pub fn listens_to(&self, event: &str) -> bool {
        let name = |item: &Value| item.as_str().or_else(|| item.get("Name")?.as_str()).map(str::to_owned);
        let named = |item: &Value| {
            name(item).is_some_and(|name| {
                name.eq_ignore_ascii_case(event) || name.eq_ignore_ascii_case("All Events")
            })
        };
        self.events.iter().any(named)
    }
}

/// A group of events.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct EventGroup {
    /// The name under which event sources refer to it.
    #[serde(rename = "ProductName", deserialize_with = "lenient::text")]
    pub product_name: String,
    /// The name the workbench shows instead.
    #[serde(deserialize_with = "lenient::text")]
    pub label: String,
}

/// The source of events of a connection: beside its route, or in the list of event sources.
pub fn event_source(connection: &Connection, listed: &[EventSource]) -> Option<EventSource> {
    let element = connection.element("sources").filter(|source| source.is("events"))?;
    if element.id().is_empty() {
        return EventSource::deserialize(&element.settings).ok();
    }
    listed.iter().find(|source| source.id == element.id()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_names_or_objects() {
        let source = EventSource {
            events: vec![json!("Lost Asset"), json!({"Name": "Rules Notification"})],
            ..EventSource::default()
        };
        assert!(source.listens_to("lost asset") && source.listens_to("Rules Notification"));
        assert!(!source.listens_to("New Managed Asset"));
    }
}
