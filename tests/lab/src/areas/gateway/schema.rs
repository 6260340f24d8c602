//! The part of the Gateway's schema that the lab knows: object types, their fields, and what the fields hold.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// A scalar, an enum, or a list of them.
    Leaf,
    /// An object or a list of objects of this type.
    Type(&'static str),
}

use Holds::{Leaf, Type};

/// The arguments of every connection.
const PAGE: &[&str] = &["after", "before", "first", "last"];

/// A field: its name, its arguments, what it holds.
type Field = (&'static str, &'static [&'static str], Holds);

/// The field of a type, if the type has it. `__typename` is everywhere.
pub(super) fn field(of: &str, name: &str) -> Option<&'static Field> {
    if name == "__typename" {
        return Some(&("__typename", &[], Leaf));
    }
    let (_, fields) = TYPES.iter().find(|(known, _)| *known == of)?;
    fields.iter().find(|(known, _, _)| *known == name)
}

const TYPES: &[(&str, &[Field])] = &[
    (
        "Query",
        &[
            ("actionGroups", PAGE, Type("ActionGroupConnection")),
            ("connectConnections", PAGE, Type("ConnectGraphConnection")),
            (
                "endpoints",
                &["after", "before", "filter", "first", "last", "refresh", "sort", "source"],
                Type("EndpointConnection"),
            ),
            (
                "discoverInterfaces",
                &["after", "before", "filter", "first", "last"],
                Type("DiscoverInterfaceConnection"),
            ),
            (
                "discoverLabels",
                &["after", "before", "filter", "first", "last"],
                Type("DiscoverLabelConnection"),
            ),
            ("integrityMonitorMonitors", PAGE, Type("IntegrityMonitorMonitorConnection")),
            ("integrityMonitorWatchlists", PAGE, Type("IntegrityMonitorWatchlistConnection")),
            ("myAPITokens", &[], Type("APITokenQueryPayload")),
            ("now", &[], Leaf),
            (
                "provisionRetirementActions",
                &["after", "before", "filter", "first", "last", "sort"],
                Type("ProvisionRetirementActionConnection"),
            ),
            (
                "sensors",
                &["after", "before", "filter", "first", "includeHidden", "last"],
                Type("SensorConnection"),
            ),
            (
                "reportResultData",
                &["after", "before", "first", "id", "last", "refresh", "summarize"],
                Type("ReportResultDataConnection"),
            ),
            ("reports", &["after", "before", "filter", "first", "last"], Type("ReportConnection")),
            (
                "scheduledActions",
                &["after", "before", "filter", "first", "last"],
                Type("ScheduledActionConnection"),
            ),
        ],
    ),
    (
        "PageInfo",
        &[
            ("startCursor", &[], Leaf),
            ("endCursor", &[], Leaf),
            ("hasNextPage", &[], Leaf),
            ("hasPreviousPage", &[], Leaf),
        ],
    ),
    ("NamedRef", &[("id", &[], Leaf), ("name", &[], Leaf)]),
    ("Principal", &[("user", &[], Type("NamedRef")), ("persona", &[], Type("NamedRef"))]),
    ("SystemError", &[("message", &[], Leaf), ("retryable", &[], Leaf), ("timedOut", &[], Leaf)]),
    ("ActionGroupConnection", &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("ActionGroupEdge"))]),
    ("ActionGroupEdge", &[CURSOR, ("node", &[], Type("ActionGroup"))]),
    (
        "ActionGroup",
        &[
            ("any", &[], Leaf),
            ("computerGroups", &[], Type("ComputerGroup")),
            ("id", &[], Leaf),
            ("name", &[], Leaf),
            ("userGroups", &[], Type("NamedRef")),
            ("visibility", &[], Leaf),
        ],
    ),
    ("ComputerGroup", &[("id", &[], Leaf), ("name", &[], Leaf), ("expression", &[], Leaf)]),
    (
        "ConnectGraphConnection",
        &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("ConnectConnectionEdge"))],
    ),
    ("ConnectConnectionEdge", &[CURSOR, ("node", &[], Type("ConnectConnection"))]),
    (
        "ConnectConnection",
        &[
            ("currentRun", &[], Type("ConnectRun")),
            ("description", &[], Leaf),
            ("displayName", &[], Leaf),
            ("id", &[], Leaf),
            ("pastRuns", PAGE, Type("ConnectRunConnection")),
        ],
    ),
    ("ConnectRunConnection", &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("ConnectRunEdge"))]),
    ("ConnectRunEdge", &[CURSOR, ("node", &[], Type("ConnectRun"))]),
    (
        "ConnectRun",
        &[
            ("connectionID", &[], Leaf),
            ("createdTime", &[], Leaf),
            ("id", &[], Leaf),
            ("status", &[], Leaf),
            ("updatedTime", &[], Leaf),
        ],
    ),
    (
        "ScheduledActionConnection",
        &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("ScheduledActionEdge"))],
    ),
    ("ScheduledActionEdge", &[CURSOR, ("node", &[], Type("ScheduledAction"))]),
    (
        "ScheduledAction",
        &[
            ("approved", &[], Leaf),
            ("approver", &[], Type("Principal")),
            ("comment", &[], Leaf),
            ("creator", &[], Type("Principal")),
            ("distributeSeconds", &[], Leaf),
            ("endTime", &[], Leaf),
            ("expireSeconds", &[], Leaf),
            ("id", &[], Leaf),
            ("issueCount", &[], Leaf),
            ("issueSeconds", &[], Leaf),
            ("lastAction", &[], Type("Action")),
            ("lastStartTime", &[], Leaf),
            ("name", &[], Leaf),
            ("nextStartTime", &[], Leaf),
            ("package", &[], Type("PackageRef")),
            ("startTime", &[], Leaf),
            ("status", &[], Leaf),
            ("targets", &[], Type("ActionTargets")),
        ],
    ),
    (
        "Action",
        &[
            ("comment", &[], Leaf),
            ("creationTime", &[], Leaf),
            ("creator", &[], Type("Principal")),
            ("expirationTime", &[], Leaf),
            ("expireSeconds", &[], Leaf),
            ("id", &[], Leaf),
            ("name", &[], Leaf),
            ("package", &[], Type("PackageRef")),
            ("results", &[], Type("ActionResults")),
            ("startTime", &[], Leaf),
            ("status", &[], Leaf),
            ("stopped", &[], Leaf),
            ("targets", &[], Type("ActionTargets")),
        ],
    ),
    (
        "ActionResults",
        &[
            ("completed", &[], Leaf),
            ("downloading", &[], Leaf),
            ("expired", &[], Leaf),
            ("failed", &[], Leaf),
            ("failedVerification", &[], Leaf),
            ("id", &[], Leaf),
            ("pendingVerification", &[], Leaf),
            ("running", &[], Leaf),
            ("verified", &[], Leaf),
            ("waiting", &[], Leaf),
            ("waitingToRetry", &[], Leaf),
        ],
    ),
    ("ActionTargets", &[("actionGroup", &[], Type("NamedRef")), ("targetGroup", &[], Type("NamedRef"))]),
    ("PackageRef", &[("id", &[], Leaf), ("name", &[], Leaf), ("params", &[], Leaf)]),
    ("APITokenQueryPayload", &[("error", &[], Type("SystemError")), ("tokens", &[], Type("APIToken"))]),
    (
        "APIToken",
        &[
            ("created", &[], Leaf),
            ("expiration", &[], Leaf),
            ("id", &[], Leaf),
            ("lastUsed", &[], Leaf),
            ("notes", &[], Leaf),
            ("persona", &[], Type("Persona")),
            ("tokenString", &[], Leaf),
            ("trustedIPAddresses", &[], Leaf),
        ],
    ),
    ("Persona", &[("name", &[], Leaf)]),
    (
        "DiscoverInterfaceConnection",
        &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("DiscoverInterfaceEdge"))],
    ),
    ("DiscoverInterfaceEdge", &[CURSOR, ("node", &[], Type("DiscoverInterface"))]),
    (
        "DiscoverInterface",
        &[
            ("computerId", &[], Leaf),
            ("discoveryMethods", &[], Leaf),
            ("firstManagedTime", &[], Leaf),
            ("firstSeenTime", &[], Leaf),
            ("hostnames", &[], Leaf),
            ("id", &[], Leaf),
            ("ipAddresses", &[], Leaf),
            ("isIgnored", &[], Leaf),
            ("isManaged", &[], Leaf),
            ("isUnmanageable", &[], Leaf),
            ("labels", &[], Type("DiscoverLabel")),
            ("lastDiscoveredTime", &[], Leaf),
            ("lastManagedTime", &[], Leaf),
            ("lastSeenTime", &[], Leaf),
            ("macAddress", &[], Leaf),
            ("profiles", &[], Type("DiscoverProfile")),
        ],
    ),
    ("DiscoverProfile", &[("name", &[], Leaf)]),
    ("DiscoverLabelConnection", &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("DiscoverLabelEdge"))]),
    ("DiscoverLabelEdge", &[CURSOR, ("node", &[], Type("DiscoverLabel"))]),
    (
        "DiscoverLabel",
        &[
            ("createdTime", &[], Leaf),
            ("interfaceCounts", &[], Type("DiscoverLabelInterfaceCounts")),
            ("modifiedTime", &[], Leaf),
            ("name", &[], Leaf),
            ("type", &[], Leaf),
        ],
    ),
    (
        "DiscoverLabelInterfaceCounts",
        &[
            ("managed", &[], Leaf),
            ("total", &[], Leaf),
            ("unmanageable", &[], Leaf),
            ("unmanaged", &[], Leaf),
        ],
    ),
    (
        "IntegrityMonitorMonitorConnection",
        &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("IntegrityMonitorMonitorEdge"))],
    ),
    ("IntegrityMonitorMonitorEdge", &[CURSOR, ("node", &[], Type("IntegrityMonitorMonitor"))]),
    (
        "IntegrityMonitorMonitor",
        &[
            ("computerGroups", PAGE, Type("IntegrityMonitorComputerGroupConnection")),
            ("deploymentStatus", &[], Leaf),
            ("description", &[], Leaf),
            ("id", &[], Leaf),
            ("name", &[], Leaf),
            ("priority", &[], Leaf),
            ("revision", &[], Leaf),
        ],
    ),
    (
        "IntegrityMonitorWatchlistConnection",
        &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("IntegrityMonitorWatchlistEdge"))],
    ),
    ("IntegrityMonitorWatchlistEdge", &[CURSOR, ("node", &[], Type("IntegrityMonitorWatchlist"))]),
    (
        "IntegrityMonitorWatchlist",
        &[
            ("computerGroups", PAGE, Type("IntegrityMonitorComputerGroupConnection")),
            ("deploymentStatus", &[], Leaf),
            ("description", &[], Leaf),
            ("id", &[], Leaf),
            ("name", &[], Leaf),
            ("pathStyle", &[], Leaf),
            ("revision", &[], Leaf),
        ],
    ),
    (
        "IntegrityMonitorComputerGroupConnection",
        &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("IntegrityMonitorComputerGroupEdge"))],
    ),
    ("IntegrityMonitorComputerGroupEdge", &[CURSOR, ("node", &[], Type("ComputerGroup"))]),
    (
        "EndpointConnection",
        &[
            CONNECTION[0],
            CONNECTION[1],
            ("collectionInfo", &[], Type("EndpointCollectionInfo")),
            ("edges", &[], Type("EndpointEdge")),
        ],
    ),
    ("SensorConnection", &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("SensorEdge"))]),
    ("SensorEdge", &[CURSOR, ("node", &[], Type("Sensor"))]),
    ("Sensor", &[("harvested", &[], Leaf), ("name", &[], Leaf)]),
    (
        "ProvisionRetirementActionConnection",
        &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("ProvisionRetirementActionEdge"))],
    ),
    ("ProvisionRetirementActionEdge", &[CURSOR, ("node", &[], Type("ProvisionRetirementAction"))]),
    (
        "ProvisionRetirementAction",
        &[
            ("createdTime", &[], Leaf),
            ("endpointID", &[], Leaf),
            ("id", &[], Leaf),
            ("ipAddress", &[], Leaf),
            ("status", &[], Leaf),
            ("targetEndpointParameters", &[], Type("ProvisionRetirementTargetEndpointParameters")),
            ("updatedTime", &[], Leaf),
        ],
    ),
    ("ProvisionRetirementTargetEndpointParameters", &[("computerName", &[], Leaf)]),
    ("ReportConnection", &[CONNECTION[0], CONNECTION[1], ("edges", &[], Type("ReportEdge"))]),
    ("ReportEdge", &[CURSOR, ("node", &[], Type("Report"))]),
    (
        "Report",
        &[
            ("description", &[], Leaf),
            ("id", &[], Leaf),
            ("moduleName", &[], Leaf),
            ("name", &[], Leaf),
            ("viewDetails", &[], Type("ReportView")),
        ],
    ),
    ("ReportView", &[("columns", &[], Type("ReportViewColumn"))]),
    ("ReportViewColumn", &[("name", &[], Leaf), ("sourceColumnName", &[], Leaf), ("sourceName", &[], Leaf)]),
    (
        "ReportResultDataConnection",
        &[
            CONNECTION[0],
            CONNECTION[1],
            ("edges", &[], Type("ReportResultDataEdge")),
            ("viewDetails", &[], Type("ReportView")),
        ],
    ),
    ("ReportResultDataEdge", &[CURSOR, ("node", &[], Type("ReportResultDataRow"))]),
    ("ReportResultDataRow", &[("columns", &[], Type("ReportResultDataColumn")), ("count", &[], Leaf)]),
    ("ReportResultDataColumn", &[("values", &[], Leaf)]),
    ("EndpointEdge", &[CURSOR, ("node", &[], Type("Endpoint"))]),
    (
        "EndpointCollectionInfo",
        &[
            ("active", &[], Leaf),
            ("contributedTotal", &[], Leaf),
            ("expectedTotal", &[], Leaf),
            ("respondedPercentage", &[], Leaf),
            ("respondedTotal", &[], Leaf),
            ("startCursor", &[], Leaf),
            ("success", &[], Leaf),
        ],
    ),
    (
        "Endpoint",
        &[
            ("computerID", &[], Leaf),
            ("domainName", &[], Leaf),
            ("eidFirstSeen", &[], Leaf),
            ("eidLastSeen", &[], Leaf),
            ("id", &[], Leaf),
            ("ipAddress", &[], Leaf),
            ("isVirtual", &[], Leaf),
            ("name", &[], Leaf),
            ("os", &[], Type("EndpointOS")),
            ("sensorReadings", &["includeHiddenColumns", "sensors"], Type("EndpointSensorReadings")),
        ],
    ),
    (
        "EndpointOS",
        &[("generation", &[], Leaf), ("language", &[], Leaf), ("name", &[], Leaf), ("platform", &[], Leaf)],
    ),
    ("EndpointSensorReadings", &[("columns", &[], Type("EndpointSensorReadingColumn"))]),
    (
        "EndpointSensorReadingColumn",
        &[("name", &[], Leaf), ("sensor", &[], Type("EndpointSensorReadingRef")), ("values", &[], Leaf)],
    ),
    ("EndpointSensorReadingRef", &[("name", &[], Leaf)]),
];

/// What all connections have beside their edges.
const CONNECTION: [Field; 2] = [("pageInfo", &[], Type("PageInfo")), ("totalRecords", &[], Leaf)];
const CURSOR: Field = ("cursor", &[], Leaf);
