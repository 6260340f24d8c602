//! Deployments, and the settings of those that are active.

use super::{DEPLOYMENT_DETAILS, DEPLOYMENTS, count};
use records::Reference;
use serde::Deserializer;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::serde_json::Value;

/// A deployment as the list tells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Deployment {
    #[serde(deserialize_with = "lenient::id", alias = "ID")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient::text", alias = "Name")]
    pub(crate) name: String,
    /// `linux` or `windows`.
    #[serde(deserialize_with = "lenient::text", alias = "OS")]
    pub(crate) os_type: String,
    /// `EUSS` (self service), `ongoing` or `single`; not in an exported list.
    #[serde(deserialize_with = "lenient::text")]
    frequency_type: String,
    #[serde(deserialize_with = "lenient::flag")]
    is_active: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    is_ended: Option<bool>,
    /// Only in an exported list.
    #[serde(rename = "State", deserialize_with = "lenient::text")]
    exported_state: String,
    #[serde(deserialize_with = "lenient::time", alias = "Start")]
    pub(crate) start_time: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time", alias = "End")]
    pub(crate) end_time: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time")]
    stopped_at: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) updated_at: Option<Timestamp>,
    /// The outer level tells whether the field is there, the inner one whether it holds a time.
    #[serde(deserialize_with = "told")]
    pub(crate) initialized_at: Option<Option<Timestamp>>,
    /// Endpoints on which it is complete.
    #[serde(deserialize_with = "count", alias = "Complete")]
    pub(crate) complete_count: Option<u64>,
    /// Endpoints on which it needs attention.
    #[serde(deserialize_with = "count", alias = "Needs Attention")]
    pub(crate) needs_attention_count: Option<u64>,
    /// Nothing for a deployment that is targeted by question or by names.
    targeted_computer_group_ids: Option<Vec<Value>>,
    /// Only in an exported list.
    #[serde(rename = "Endpoints Targeted", deserialize_with = "count")]
    pub(crate) exported_endpoints: Option<u64>,
}

/// Where a deployment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It may install now.
    Active,
    /// It ended or was stopped.
    Over,
    /// It has not begun.
    Waiting,
}

impl Deployment {
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("patch deployment", &self.id, &self.name)
    }

    /// Where it stands, or why that is not known.
    pub(crate) fn standing(&self) -> Result<Standing, String> {
        match (self.is_active, self.is_ended) {
            (Some(true), _) => return Ok(Standing::Active),
            (Some(false), Some(true)) => return Ok(Standing::Over),
            (Some(false), _) if self.stopped_at.is_some() => return Ok(Standing::Over),
            (Some(false), _) => return Ok(Standing::Waiting),
            (None, _) => {}
        }
        let word = self.exported_state.split(" - ").next().unwrap_or_default().to_ascii_lowercase();
        match word.trim() {
            "active" => Ok(Standing::Active),
            "inactive" | "stopped" => Ok(Standing::Over),
            _ => Err(format!("the deployment {} has the unknown state {:?}", self.name, self.exported_state)),
        }
    }

    /// Whether it goes on until somebody stops it.
    pub(crate) fn is_ongoing(&self) -> bool {
        let exported = !self.exported_state.is_empty();
        if exported { self.end_time.is_none() } else { self.frequency_type == "ongoing" }
    }

    /// When it ended, as far as is told.
    pub(crate) fn over_since(&self) -> Option<Timestamp> {
        self.stopped_at.or(self.end_time).or(self.updated_at)
    }

    /// The ids of the computer groups that it targets; nothing where it is targeted in another way.
    pub(crate) fn groups(&self) -> Option<Vec<String>> {
        let text = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let ids: Vec<String> = self.targeted_computer_group_ids.as_ref()?.iter().map(text).collect();
        (!ids.is_empty()).then_some(ids)
    }
}

fn told<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Timestamp>>, D::Error> {
    lenient::time(deserializer).map(Some)
}

/// All deployments with their standing.
pub(crate) struct Deployments {
    pub(crate) known: Vec<(Deployment, Standing)>,
    /// What is wrong with those whose standing is not known.
    pub(crate) unknown: Vec<String>,
}

impl Deployments {
    /// Those that may install now.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Deployment> {
        self.known.iter().filter(|(_, standing)| *standing == Standing::Active).map(|(one, _)| one)
    }
}

/// All deployments with their standing.
///
/// # Errors
/// When the list is unavailable.
pub(crate) fn deployments(facts: &Facts<'_>) -> Result<Deployments, Undecided> {
    let rows: Vec<Deployment> = facts.rows(&DEPLOYMENTS)?;
    let mut all = Deployments { known: Vec::new(), unknown: Vec::new() };
    for deployment in rows {
        match deployment.standing() {
            Ok(standing) => all.known.push((deployment, standing)),
            Err(reason) => all.unknown.push(reason),
        }
    }
    Ok(all)
}

/// An active deployment with its settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Detail {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    /// `install` or `uninstall`.
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    pub(crate) direction: String,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) restart: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) override_maintenance_windows: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) override_blacklists: Option<bool>,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) download_immediately: Option<bool>,
    #[serde(deserialize_with = "count")]
    pub(crate) distribute_over_time_minutes: Option<u64>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) start_time: Option<Timestamp>,
    #[serde(deserialize_with = "lenient::time")]
    pub(crate) end_time: Option<Timestamp>,
    /// What it targets.
    pub(crate) tanium_groups: Option<Vec<TargetGroup>>,
    /// What limits its targets.
    pub(crate) target_limiting_groups: Option<Vec<TargetGroup>>,
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) targeted_computer_names: String,
    pub(crate) patch_lists_with_latest_version: Option<Vec<Reference>>,
    pub(crate) patch_lists_with_pinned_version: Option<Vec<PinnedList>>,
}

/// A group that a deployment targets; without a name it is the text of a question.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct TargetGroup {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient::text")]
    name: String,
    #[serde(deserialize_with = "lenient::text")]
    text: String,
    #[serde(deserialize_with = "lenient::flag")]
    pub(crate) is_deleted: Option<bool>,
}

impl TargetGroup {
    /// The name, the text where there is no name, or the id.
    pub(crate) fn label(&self) -> &str {
        let texts = [self.name.trim(), self.text.trim(), &self.id];
        texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
    }
}

/// A patch list of which a deployment installs a certain version.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PinnedList {
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) id: String,
    #[serde(deserialize_with = "lenient::id")]
    pub(crate) version_id: String,
}

impl Detail {
    pub(crate) fn subject(&self) -> Subject {
        Subject::new("patch deployment", &self.id, &self.name)
    }

    /// The groups that it targets and that limit its targets, those that are not told left out.
    pub(crate) fn all_groups(&self) -> impl Iterator<Item = &TargetGroup> {
        self.tanium_groups.iter().chain(&self.target_limiting_groups).flatten()
    }
}

/// The settings of every active deployment.
///
/// # Errors
/// When the list or the settings are unavailable, or the settings of an active deployment are missing.
pub(crate) fn active_details(facts: &Facts<'_>) -> Result<Vec<Detail>, Undecided> {
    let all = deployments(facts)?;
    settle(&all.unknown)?;
    let active: Vec<&Deployment> = all.active().collect();
    if active.is_empty() {
        return Ok(Vec::new());
    }
    let details: Vec<Detail> = facts.rows(&DEPLOYMENT_DETAILS)?;
    let lost: Vec<String> = active
        .iter()
        .filter(|one| !details.iter().any(|detail| detail.id == one.id))
        .map(|one| format!("the settings of the deployment {} were not read", one.name))
        .collect();
    settle(&lost)?;
    Ok(details)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::json;

    fn read(row: Value) -> Deployment {
        Deployment::deserialize(row).unwrap()
    }

    #[test]
    fn standings_are_told_by_flags_or_by_the_exported_word() {
        assert_eq!(read(json!({"isActive": true, "isEnded": false})).standing(), Ok(Standing::Active));
        assert_eq!(read(json!({"isActive": false, "isEnded": true})).standing(), Ok(Standing::Over));
        assert_eq!(read(json!({"isActive": false, "isEnded": false})).standing(), Ok(Standing::Waiting));
        let stopped = json!({"isActive": false, "isEnded": false, "stoppedAt": "2026-01-01T00:00:00Z"});
        assert_eq!(read(stopped).standing(), Ok(Standing::Over));
        assert_eq!(read(json!({"State": "Active - Initialized"})).standing(), Ok(Standing::Active));
        assert_eq!(read(json!({"State": "Stopped"})).standing(), Ok(Standing::Over));
        assert!(read(json!({"State": "Limbo"})).standing().unwrap_err().contains("Limbo"));
        assert!(read(json!({})).standing().is_err());
    }

    #[test]
    fn a_field_that_is_missing_is_no_null() {
        assert_eq!(read(json!({})).initialized_at, None);
        assert_eq!(read(json!({"initializedAt": null})).initialized_at, Some(None));
        assert!(
            read(json!({"initializedAt": "2026-01-01T00:00:00.000Z"})).initialized_at.flatten().is_some()
        );
    }

    #[test]
    fn groups_are_ids_and_ongoing_is_told_by_type_or_by_a_missing_end() {
        assert_eq!(read(json!({"targetedComputerGroupIds": [5, "6"]})).groups().unwrap(), ["5", "6"]);
        assert_eq!(read(json!({"targetedComputerGroupIds": null})).groups(), None);
        assert!(read(json!({"frequencyType": "ongoing"})).is_ongoing());
        assert!(!read(json!({"frequencyType": "single"})).is_ongoing());
        assert!(read(json!({"State": "Active", "End": ""})).is_ongoing());
        assert!(!read(json!({"State": "Active", "End": "2026-07-01"})).is_ongoing());
    }
}
