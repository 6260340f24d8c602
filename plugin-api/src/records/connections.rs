//! Connections of Connect, as far as other plugins look at them: who owns them, and as whom they run.

use crate::{Input, Source, lenient};
use serde::Deserialize;

/// All connections.
pub const CONNECTIONS: Input =
    Input::new("platform.connections", "connections of Connect, with owner and persona").sources(&[
        Source::service("connect", "/v1/connections")
            .limit_offset(500)
            .needs(&["connect read"])
            .complete_with(&["connect read all"]),
    ]);

/// A connection.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Connection {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The user who owns it.
    #[serde(deserialize_with = "lenient::id")]
    pub user_id: String,
    /// The persona it runs as; `0` is the owner's default persona.
    #[serde(deserialize_with = "lenient::id")]
    pub persona_id: String,
}
