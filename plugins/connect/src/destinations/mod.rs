//! Review and remediate destination issues: where data goes, whether it gets there, and whether the way is safe.

mod certificate;
mod reachable;
mod settings;

pub use certificate::CERTIFICATE;
pub use reachable::REACHABLE;
pub use settings::SETTINGS;

use crate::inputs::Destination;
use tancheck_plugin_api::{GuideReference, guide};

const GUIDE: &[GuideReference] = &[guide("Review and remediate destination issues", 25)];

/// Whether a connection that is not switched off sends to it.
fn is_used(destination: &Destination) -> bool {
    destination.users.iter().any(|user| !user.is_off())
}

#[cfg(test)]
mod fixtures {
    use crate::inputs::{CONNECTIONS, DESTINATIONS, DETAILS};
    use serde_json::{Value, json};
    use tancheck_plugin_api::prelude::*;
    use tancheck_plugin_api::testing::Case;

    pub(super) fn case(check: &'static Check, connection: Value, destination: Value) -> Case {
        let mut row = json!({"id": 1, "name": "a", "enabled": true, "lastRunStatus": "Finished",
                             "lastRunTime": "2026-06-30T11:00:00Z"});
        for (key, value) in connection.as_object().unwrap() {
            row[key] = value.clone();
        }
        Case::of(check)
            .rows(&CONNECTIONS, json!([row]))
            .rows(
                &DETAILS,
                json!([{"id": 1, "streams": ["/v1/sources/savedquestions/1", "/v1/destinations/https/3"]}]),
            )
            .rows(
                &DESTINATIONS,
                json!([destination, {"_of": {"item": "sockets"}, "id": 3, "host": "other.example"}]),
            )
    }

    pub(super) fn siem() -> Value {
        json!({"_of": {"item": "https"}, "id": 3, "name": "siem", "url": "https://siem.example/in", "password": "hunter2"})
    }
}
