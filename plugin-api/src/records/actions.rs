//! Scheduled actions (the API calls them saved actions), action groups and computer groups.

use super::Reference;
use crate::facts::Facts;
use crate::outcome::Undecided;
use crate::{Input, Source, lenient};
use jiff::Timestamp;
use serde::Deserialize;

/// All scheduled actions.
pub const SCHEDULED_ACTIONS: Input =
    Input::new("platform.scheduled-actions", "scheduled actions").sources(&[
        Source::rest("/api/v2/saved_actions")
            .paged()
            .needs(&["read own action"])
            .complete_with(&["read action"]),
        Source::export(
            "scheduled-actions.csv",
            "Administration > Actions > Scheduled Actions",
            "export the list with these columns",
            &[
                "ID",
                "Name",
                "Status",
                "Package",
                "Parameters",
                "Action Group",
                "Target Group",
                "Issuer",
                "Start",
                "End",
                "Last Run",
                "Next Run",
                "Reissue",
                "Modified",
            ],
        ),
    ]);

/// All action groups. Those that are not public are seen by administrators only.
pub const ACTION_GROUPS: Input = Input::new("platform.action-groups", "action groups").sources(&[
    Source::rest("/api/v2/action_groups").needs(&["read action group"]),
    Source::export(
        "action-groups.csv",
        "Administration > Actions > Action Groups",
        "export the list with these columns",
        &["Name", "Computer Groups", "Combine"],
    ),
]);

/// Computer groups and other groups: id and name.
pub const GROUPS: Input =
    Input::new("platform.groups", "computer groups")
        .sources(&[Source::rest("/api/v2/groups").paged().needs(&["read computer group"])]);

/// All packages with their files.
pub const PACKAGES: Input = Input::new("platform.packages", "packages and their files")
    .sources(&[Source::rest("/api/v2/packages").paged().needs(&["read package"])]);

/// Files of packages and whether the server has them.
pub const PACKAGE_FILES: Input = Input::new("platform.package-files", "files of packages on the server")
    .sources(&[Source::rest("/api/v2/package_files").needs(&["read package"])]);

/// A scheduled action (`GET /api/v2/saved_actions`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScheduledAction {
    /// Its id.
    #[serde(deserialize_with = "lenient::id", alias = "ID")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub name: String,
    /// 0: enabled, 1: disabled, 2: deleted; the same words in an exported list.
    #[serde(deserialize_with = "lenient::text", alias = "Status")]
    pub status: String,
    /// The action group it deploys to.
    #[serde(deserialize_with = "lenient::named", alias = "Action Group")]
    pub action_group: Reference,
    /// The computer group it is limited to.
    #[serde(deserialize_with = "lenient::named", alias = "Target Group")]
    pub target_group: TargetGroup,
    /// Whether it may issue; without approval it does not. Not told by an exported list.
    #[serde(deserialize_with = "lenient::flag")]
    pub approved_flag: Option<bool>,
    /// The package it deploys.
    #[serde(deserialize_with = "lenient::named", alias = "Package")]
    pub package_spec: PackageReference,
    /// The issuer.
    #[serde(deserialize_with = "lenient::named", alias = "Issuer")]
    pub user: Reference,
    /// The persona of the issuer.
    #[serde(deserialize_with = "lenient::named")]
    pub persona: Reference,
    /// When it was made.
    #[serde(deserialize_with = "lenient::time")]
    pub creation_time: Option<Timestamp>,
    /// When it ends; 2001-01-01 or `Never` means without end.
    #[serde(deserialize_with = "lenient::time", alias = "End")]
    pub end_time: Option<Timestamp>,
    /// When it last issued an action.
    #[serde(deserialize_with = "lenient::time", alias = "Last Run")]
    pub last_start_time: Option<Timestamp>,
    /// How often it reissues, in seconds.
    #[serde(deserialize_with = "lenient::number")]
    pub issue_seconds: Option<f64>,
    /// How long an issued action lives, in seconds.
    #[serde(deserialize_with = "lenient::number")]
    pub expire_seconds: Option<f64>,
    /// The action it issued last.
    pub last_action: Option<Reference>,
}

/// Whether a scheduled action issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleStatus {
    /// It issues by its schedule.
    Enabled,
    /// It is kept but does not issue.
    Disabled,
    /// It is deleted.
    Deleted,
}

impl ScheduledAction {
    /// The status, `None` for a word that is not known.
    #[must_use]
    pub fn status(&self) -> Option<ScheduleStatus> {
        match self.status.to_ascii_lowercase().as_str() {
            "0" | "enabled" => Some(ScheduleStatus::Enabled),
            "1" | "disabled" => Some(ScheduleStatus::Disabled),
            "2" | "deleted" => Some(ScheduleStatus::Deleted),
            _ => None,
        }
    }

    /// Why the server does not issue it, whatever it is assigned to; nothing where it does.
    ///
    /// # Errors
    /// When its status is not known.
    pub fn why_not_deployed(&self, facts: &Facts<'_>) -> Result<Option<&'static str>, Undecided> {
        match self.status() {
            Some(ScheduleStatus::Enabled) => {}
            Some(_) => return Ok(Some("is disabled")),
            None => {
                let (name, id, status) = (&self.name, &self.id, &self.status);
                let reason = format!("the scheduled action {name} ({id}) has the unknown status {status:?}");
                return Err(Undecided::not_evaluated(reason));
            }
        }
        Ok(if self.approved_flag == Some(false) {
            Some("is not approved")
        } else {
            self.end_time.is_some_and(|end| end <= facts.now()).then_some("is past its end")
        })
    }
}

/// The target group of an action; often anonymous, with a text instead of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TargetGroup {
    /// The group's id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name; empty for an anonymous group.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// Its filter as text.
    #[serde(deserialize_with = "lenient::text")]
    pub text: String,
}

/// The package of an action. A package that was given parameters is a copy with an id of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PackageReference {
    /// The package's id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The id of the package it was copied from; empty or 0 for an original.
    #[serde(deserialize_with = "lenient::id")]
    pub source_id: String,
    /// Parameters.
    #[serde(deserialize_with = "lenient::list")]
    pub parameters: Vec<Parameter>,
}

/// One parameter of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
pub struct Parameter {
    /// The key, such as `$1`.
    #[serde(deserialize_with = "lenient::text")]
    pub key: String,
    /// The value.
    #[serde(deserialize_with = "lenient::text")]
    pub value: String,
}

/// A package (`GET /api/v2/packages`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Package {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// The content set it belongs to.
    #[serde(deserialize_with = "lenient::named")]
    pub content_set: Reference,
    /// The id of the package it was copied from; empty or 0 for an original.
    #[serde(deserialize_with = "lenient::id")]
    pub source_id: String,
    /// The package is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
    /// Its files.
    #[serde(deserialize_with = "lenient::list")]
    pub files: Vec<PackageFile>,
}

/// A file of a package (`GET /api/v2/package_files`, or `files` of a package).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PackageFile {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text")]
    pub name: String,
    /// 0: the cache status tells; 2, 4: in progress; 200: done; other numbers are errors.
    #[serde(deserialize_with = "lenient::number")]
    pub status: Option<f64>,
    /// `Cached`, `Processing`, or a text that begins with `ERROR` or `Error`.
    #[serde(deserialize_with = "lenient::text")]
    pub cache_status: String,
    /// Its package; the list of all files leaves it out.
    pub package_spec: Option<Reference>,
}

impl PackageFile {
    /// Why clients cannot get the file; `None` where it is cached, or about to be.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        if self.cache_status.to_ascii_lowercase().starts_with("error") {
            return Some(self.cache_status.clone());
        }
        match self.status {
            None | Some(0.0 | 2.0 | 4.0 | 200.0) => None,
            Some(code) => Some(format!("download status {code}")),
        }
    }
}

/// An action group (`GET /api/v2/action_groups`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ActionGroup {
    /// Its id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Its name.
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub name: String,
    /// The computer groups it holds; names are in [`GROUPS`].
    #[serde(deserialize_with = "lenient::list")]
    pub groups: Vec<Reference>,
    /// Names of the computer groups, separated by commas; only in an exported list.
    #[serde(rename = "Computer Groups", deserialize_with = "lenient::text")]
    pub exported_groups: String,
    /// The group is deleted.
    #[serde(deserialize_with = "lenient::flag")]
    pub deleted_flag: Option<bool>,
}

impl ActionGroup {
    /// The names of its computer groups. Asks for [`GROUPS`] only where the list holds ids.
    ///
    /// # Errors
    /// When the names are needed and not there.
    pub fn member_names(&self, facts: &Facts<'_>) -> Result<Vec<String>, Undecided> {
        if !self.exported_groups.is_empty() {
            return Ok(self.exported_groups.split(',').map(|name| name.trim().to_owned()).collect());
        }
        if self.groups.is_empty() {
            return Ok(Vec::new());
        }
        let named: Vec<Reference> = facts.rows(&GROUPS)?;
        let name = |member: &Reference| {
            let known = named.iter().find(|group| group.id == member.id);
            known.map_or_else(|| format!("computer group {}", member.label()), |group| group.name.clone())
        };
        Ok(self.groups.iter().map(name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_that_clients_cannot_get() {
        let failure = |status, cache_status: &str| {
            PackageFile { status, cache_status: cache_status.to_owned(), ..PackageFile::default() }.failure()
        };
        assert_eq!(failure(Some(200.0), "Cached"), None);
        assert_eq!(failure(Some(4.0), "Processing"), None);
        assert_eq!(failure(Some(404.0), "").as_deref(), Some("download status 404"));
        assert_eq!(failure(Some(200.0), "Error: no space").as_deref(), Some("Error: no space"));
    }

    #[test]
    fn an_exported_row_reads_like_the_object() {
        let row = json!({"ID": "42", "Name": "Deploy X", "Status": "Disabled", "Package": "X", "Parameters": "",
            "Action Group": "Default", "Target Group": "All Computers", "Issuer": "ann", "Start": "2026-01-01",
            "End": "Never", "Last Run": "2026-06-01 10:00:00", "Next Run": "", "Reissue": "", "Modified": ""});
        let action: ScheduledAction = serde_json::from_value(row).unwrap();
        assert_eq!((action.id.as_str(), action.status()), ("42", Some(ScheduleStatus::Disabled)));
        assert_eq!((action.action_group.name.as_str(), action.user.name.as_str()), ("Default", "ann"));
        assert_eq!((action.package_spec.name.as_str(), action.end_time), ("X", None));
    }
}
