//! The members of the Gateway's schema that are marked as deprecated, as of the deprecations of October 2025.

use crate::query::Selected;

/// A deprecated field.
#[derive(Debug)]
pub(crate) struct Member {
    /// The type that has it.
    pub(crate) of: &'static str,
    /// Its name.
    pub(crate) field: &'static str,
    /// Fields under which that type is found. Empty where no other type has a field of this name.
    under: &'static [&'static str],
    /// What to use instead.
    pub(crate) instead: &'static str,
}

impl Member {
    /// Whether a query selects it.
    pub(crate) fn is_selected_by(&self, selected: &Selected) -> bool {
        let root = matches!(self.of, "Query" | "Mutation") && selected.parent.eq_ignore_ascii_case(self.of);
        let is_known = self.under.is_empty() && !matches!(self.of, "Query" | "Mutation");
        selected.field == self.field
            && (root
                || is_known
                || selected.parent == self.of
                || self.under.contains(&selected.parent.as_str()))
    }
}

const NO_SUCCESSOR: &str = "nothing replaces it: leave it out";

const fn member(
    of: &'static str,
    field: &'static str,
    under: &'static [&'static str],
    instead: &'static str,
) -> Member {
    Member { of, field, under, instead }
}

/// All of them, but for values of enumerations and for fields of a field that is itself deprecated.
pub(crate) const MEMBERS: &[Member] = &[
    member("AssetProductsResult", "failureReason", &[], NO_SUCCESSOR),
    member(
        "AutomateTaskLinkedResources",
        "actionID",
        &["details"],
        "actionID of AutomateTaskResultDeployAction",
    ),
    member(
        "DirectConnectPerf",
        "memoryUsagePercent",
        &[],
        "memoryUsedPercent, which counts the other way round",
    ),
    member("Endpoint", "configurationItem", &["endpoints"], NO_SUCCESSOR),
    member("Endpoint", "diskSpace", &[], "disks"),
    member("Endpoint", "software", &["endpoints"], "installedApplications or deployedSoftwarePackages"),
    member("EndpointComplianceCveFinding", "lastScanDate", &["cveFindings"], "lastFound"),
    member(
        "Memory",
        "used",
        &["memory"],
        "directConnectEndpoint.performance.memoryUsedPercent and memory.total",
    ),
    member("Memory", "usedPercentage", &["memory"], "directConnectEndpoint.performance.memoryUsedPercent"),
    member("Mutation", "assetsImport", &[], "assetUpsertEndpoints"),
    member("Mutation", "createAction", &[], "actionPerform"),
    member("Mutation", "deleteAction", &[], "scheduledActionDelete"),
    member("Mutation", "deleteConfigurationItemElement", &[], NO_SUCCESSOR),
    member("Mutation", "deleteRelationship", &[], NO_SUCCESSOR),
    member("Mutation", "importConfigurationItemEntities", &[], NO_SUCCESSOR),
    member("Mutation", "installSoftware", &[], "manageSoftware"),
    member("Mutation", "mergeConfigurationItemElements", &[], NO_SUCCESSOR),
    member("Mutation", "removeSoftware", &[], "manageSoftware"),
    member("Mutation", "syncAssets", &[], NO_SUCCESSOR),
    member("Mutation", "updateConfigurationItemProperties", &[], NO_SUCCESSOR),
    member("Mutation", "upsertEntity", &[], NO_SUCCESSOR),
    member("Mutation", "upsertRelationship", &[], NO_SUCCESSOR),
    member("PatchQuestionCriteria", "questionGroups", &[], NO_SUCCESSOR),
    member("Playbook", "canRun", &[], "the mutation playbookStart with dryRun"),
    member("PlaybookRunStep", "confirmationResult", &["steps"], "taskResult"),
    member("PlaybookRunStep", "progress", &["steps"], "taskResult"),
    member(
        "PlaybookSchedule",
        "cron",
        &["nextSchedule", "playbookSchedule", "playbookSchedules", "schedule", "schedules"],
        "specification.recurring.cron",
    ),
    member("PlaybookSchedule", "nextRunTime", &[], "nextRunTimes"),
    member("PlaybookStep", "currentUserMissingPermissions", &[], "the mutation playbookStart with dryRun"),
    member("Query", "assets", &[], "endpoints"),
    member("Query", "configurationItemEntities", &[], NO_SUCCESSOR),
    member("Query", "configurationItemProperties", &[], NO_SUCCESSOR),
    member("Query", "configurationItemRelationships", &[], NO_SUCCESSOR),
    member("Query", "directConnection", &[], "directConnectEndpoint"),
    member("Query", "endpointLastSeen", &[], "endpoints with eidLastSeen"),
    member("Query", "entities", &[], NO_SUCCESSOR),
    member("Query", "lastActionDetails", &[], "scheduledAction"),
    member("Query", "lastActionResults", &[], "scheduledAction"),
    member("Query", "relationshipTypes", &[], NO_SUCCESSOR),
    member("Query", "relationships", &[], NO_SUCCESSOR),
    member("Query", "software", &[], "softwarePackages"),
    member("ReportResultDataConnection", "collectionInfo", &["reportResultData"], NO_SUCCESSOR),
    member("TaniumPlatformRingSet", "contentSetName", &["ringSet"], "contentSet"),
    member("WirelessAdapter", "authentication", &[], NO_SUCCESSOR),
    member("WirelessAdapter", "macAddress", &["wirelessAdapters"], "macAddresses"),
    member("WirelessAdapter", "networkType", &[], NO_SUCCESSOR),
    member("WirelessAdapter", "radio", &[], NO_SUCCESSOR),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn found(parent: &str, field: &str) -> Vec<&'static str> {
        let selected = Selected { field: field.to_owned(), parent: parent.to_owned() };
        MEMBERS.iter().filter(|member| member.is_selected_by(&selected)).map(|member| member.of).collect()
    }

    #[test]
    fn a_field_is_known_by_its_parent() {
        assert_eq!(found("query", "software"), ["Query"]);
        assert_eq!(found("endpoints", "software"), ["Endpoint"]);
        assert_eq!(found("Endpoint", "software"), ["Endpoint"]);
        assert_eq!(found("package", "software"), [""; 0]);
        assert_eq!(found("anything", "diskSpace"), ["Endpoint"]);
        assert_eq!(found("mutation", "createAction"), ["Mutation"]);
        assert_eq!(found("query", "createAction"), [""; 0]);
    }

    /// The vendor's schema is no part of this repository.
    #[test]
    fn the_list_is_that_of_the_schema() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/platform/spec");
        let Ok(schema) = std::fs::read_to_string(root.join("tanium_gateway_schema.graphql")) else {
            println!("skipped: the Gateway's schema is not beside this repository");
            return;
        };
        let deprecated = schema.matches("@deprecated").count();
        // Two values of an enumeration, and two fields below one that is deprecated itself.
        assert_eq!(MEMBERS.len() + 4, deprecated, "the schema has other deprecations now");
        for member in MEMBERS {
            let at = schema.find(&format!("type {} ", member.of)).expect(member.of);
            let body = &schema[at..];
            let body = &body[..body.find("\n}").unwrap_or(body.len())];
            assert!(body.contains(&format!("\n  {}", member.field)), "{}.{}", member.of, member.field);
        }
    }
}
