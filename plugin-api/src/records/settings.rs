//! Global settings of the server and its clients.

use crate::{Input, Source, lenient};
use jiff::Timestamp;
use serde::Deserialize;

/// All global settings.
pub const SYSTEM_SETTINGS: Input = Input::new("platform.system-settings", "global settings")
    .sources(&[Source::rest("/api/v2/system_settings").needs(&["read global settings"])]);

/// A global setting (`GET /api/v2/system_settings`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SystemSetting {
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// Its value.
    #[serde(deserialize_with = "lenient::text")]
    pub value: String,
    /// When it was last changed; 2001-01-01 is never.
    #[serde(deserialize_with = "lenient::time")]
    pub modified_time: Option<Timestamp>,
}
