//! What these checks read beside the servers themselves.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::settings::{SYSTEM_SETTINGS, SystemSetting};

/// Who does it.
pub(crate) const WHO: &str = "the platform administrator with the infrastructure team";
/// The vendor's chapters.
pub(crate) const REFERENCES: &[&str] = &[
    "Appliance Deployment Guide: TanOS backup and recovery",
    "Core Platform Deployment Guide for Windows: Back up the servers and database",
];

/// Whether the vendor operates the platform.
pub(crate) const TANIUM_CLOUD: Setting = Setting::choice("tanium_cloud", Some("auto"), &["auto", "yes", "no"])
    .about("whether this is Tanium Cloud, where the vendor makes the backups; auto: as the setting console_is_taas says");

/// Ends a judge where the vendor operates the platform. Where that cannot be read, the own duties stand.
pub(crate) fn own_platform(facts: &Facts<'_>) -> Result<(), Undecided> {
    let is_cloud = match facts.text(&TANIUM_CLOUD)? {
        "yes" => true,
        "no" => false,
        _ => facts.rows::<SystemSetting>(&SYSTEM_SETTINGS).is_ok_and(|settings| {
            settings.iter().any(|one| one.name == "console_is_taas" && one.value.trim() == "1")
        }),
    };
    if is_cloud {
        Err(Undecided::not_applicable("this is Tanium Cloud: the vendor operates it"))
    } else {
        Ok(())
    }
}

/// The record of backups.
pub(crate) const BACKUPS: Input =
    Input::new("backup.record", "the record of backups of servers and databases").sources(&[Source::export(
        "server-backups.csv",
        "the place where backups are kept",
        "write one row for the newest backup of each server and database: role is Tanium Server, Module Server, Zone Server \
         or Database; backup_time is when it was made",
        &["server", "role", "backup_time", "method", "location"],
    )]);

/// A row of the record.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Backup {
    /// The server, or the host of the database.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) server: String,
    /// Its role.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) role: String,
    /// When it was made.
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) backup_time: Option<Timestamp>,
    /// Where it lies.
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) location: String,
}

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// A server.
    Server,
    /// A database.
    Database,
}

/// What a role of a file means.
pub(crate) fn of_role(role: &str, file: &str) -> Result<Of, Undecided> {
    match role.trim().to_ascii_lowercase().as_str() {
        "tanium server" | "module server" | "zone server" => Ok(Of::Server),
        "database" => Ok(Of::Database),
        _ => Err(Undecided::not_evaluated(format!(
            "format not recognised: {role:?} is no role (Tanium Server, Module Server, Zone Server, Database); correct {file}"
        ))),
    }
}
