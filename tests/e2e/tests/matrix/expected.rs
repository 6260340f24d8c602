//! What the matrix cannot tell by itself: each row with its reason.

/// Outcomes on the healthy deployment that are no pass: check, outcome, words of the reason.
pub(crate) const HEALTHY: &[(&str, &str, &str)] = &[
    ("actions.default-target-intent", "not-applicable", "no action is on Default on purpose"),
    ("client-management.new-endpoints-authorized", "not-applicable", "did not rise"),
    ("client-management.version-accepted", "not-applicable", "no client is below version"),
];

/// Judged checks that no fault of the lab breaks, and where their findings are tested instead.
pub(crate) const FAULTS_ELSEWHERE: &[(&str, &str)] = &[
    ("client-management.endpoint-count-recorded", "the run itself stores the count; judge tests"),
    ("client-management.leader-percentage-recorded", "the run itself stores the percentage; judge tests"),
    ("client-management.version-accepted", "side effect of outdated-clients below"),
    ("connect.owner-password-policy", "every owner is listed until confirmed; settled by the site"),
];

/// Faults that take a whole module away: fault, plugin.
pub(crate) const ABSENT: &[(&str, &str)] =
    &[("connect-missing", "connect"), ("health-check-missing", "health-check")];

/// What a fault changes beside the checks it is meant to break: fault, and (check, outcome) pairs.
pub(crate) const SIDE_EFFECTS: &[(&str, &[(&str, &str)])] = &[
    // Only an action that `intended_on_default` names awaits a confirmation.
    ("action-on-default", &[("actions.default-target-intent", "not-applicable")]),
    // The action that was disabled half a year ago has not been changed since.
    ("action-disabled", &[("actions.user-issued-stale", "finding")]),
    // Old versions await an acceptance.
    ("client-upgrade-failed", &[("client-management.version-accepted", "attestation-due")]),
    ("outdated-clients", &[("client-management.version-accepted", "attestation-due")]),
    // Expected counts of a setting are for the usual number of endpoints.
    ("endpoints-joined", &[("client-management.setting-counts", "finding")]),
    ("endpoints-lost", &[("client-management.setting-counts", "finding")]),
    ("sensitive-log-level", &[("client-management.setting-counts", "finding")]),
    (
        "vdi-log-level",
        &[
            ("client-management.log-level-sensitive", "finding"),
            ("client-management.setting-counts", "finding"),
        ],
    ),
    // Too many endpoints without a usable value to judge the others.
    ("setting-lost", &[("client-management.setting-values", "not-evaluated")]),
    ("single-server-list", &[("client-management.setting-values", "finding")]),
    // A report that does not listen is a connection that is switched off.
    ("failed-report-deaf", &[("connect.schedule-expected", "finding"), ("connect.unneeded", "finding")]),
    (
        "failed-report-missing",
        &[
            ("connect.failed-report-events", "not-applicable"),
            ("connect.failed-report-format", "not-applicable"),
            ("connect.failed-report-listening", "not-applicable"),
            ("connect.failed-report-received", "not-applicable"),
        ],
    ),
    // Five failures in a row leave no run that shows whether the destination answers.
    ("failing-connection", &[("connect.destination-reachable", "not-evaluated")]),
    // A schedule alone proves nothing where the list of reports is there.
    (
        "health-check-schedule-disabled",
        &[("health-check.tpan-report-age", "pass"), ("health-check.tpan-schedule", "pass")],
    ),
    // An owner who is gone owns maintenance tasks and connections.
    ("owner-deleted", &[("connect.maintenance-roles", "finding"), ("connect.unneeded", "finding")]),
    ("owner-locked-out", &[("connect.maintenance-roles", "finding")]),
    ("owner-without-permissions", &[("connect.maintenance-roles", "finding")]),
    ("persona-deleted", &[("connect.persona-permissions", "not-evaluated")]),
    // The persona's group comes without its name.
    ("persona-without-computers", &[("connect.persona-permissions", "pass")]),
    // One report shows no duration.
    ("tpan-critical", &[("health-check.tpan-critical-high-open", "not-evaluated")]),
    ("tpan-high", &[("health-check.tpan-critical-high-open", "not-evaluated")]),
    ("tpan-high-open", &[("health-check.tpan-dispositions", "attestation-due")]),
    // A report that is too old decides nothing.
    (
        "tpan-report-old",
        &[
            ("health-check.service-review", "finding"),
            ("health-check.tpan-critical", "not-evaluated"),
            ("health-check.tpan-critical-high-open", "not-evaluated"),
            ("health-check.tpan-dispositions", "not-evaluated"),
            ("health-check.tpan-high", "not-evaluated"),
            ("health-check.tpan-low", "not-evaluated"),
            ("health-check.tpan-medium", "not-evaluated"),
        ],
    ),
    (
        "tpan-reports-missing",
        &[
            ("health-check.tpan-report-age", "not-evaluated"),
            ("health-check.tpan-report-archived", "not-evaluated"),
        ],
    ),
    ("unneeded-connection", &[("connect.schedule-expected", "finding")]),
    // The summary view leaves out privileges.
    (
        "users-summary-only",
        &[
            ("client-management.maintenance-roles", "not-evaluated"),
            ("connect.maintenance-roles", "not-evaluated"),
            ("health-check.maintenance-roles", "not-evaluated"),
        ],
    ),
    // The owner of Health Check's tasks holds the same role.
    ("client-management-role-emptied", &[("health-check.maintenance-roles", "finding")]),
];

/// Inputs that only add to a check, or that another input can stand in for: check, input, why it may pass without.
pub(crate) const SUPPLEMENTS: &[(&str, &str, &str)] = &[
    ("actions.disabled", "actions.last-changes", "only needed where an action is disabled"),
    ("actions.failing", "actions.package-files", "names a cause"),
    ("actions.user-issued-stale", "actions.last-changes", "the time of creation stands in"),
    ("client-management.auto-redeploy", "platform.license", "only tells whether Discover is licensed"),
    ("client-management.endpoint-count-high", "client-management.new-endpoints", "a sample for the finding"),
    (
        "client-management.endpoint-count-recorded",
        "client-management.endpoint-count",
        "stored earlier this week",
    ),
    ("client-management.leader-percentage-recorded", "client-management.leaders", "stored earlier this week"),
    ("client-management.license-exceeded", "client-management.licensed-seats", "the licence stands in"),
    ("client-management.license-exceeded", "platform.license", "the metrics stand in"),
    ("client-management.license-headroom", "client-management.licensed-seats", "the licence stands in"),
    ("client-management.license-headroom", "platform.license", "the metrics stand in"),
    (
        "client-management.version-outdated",
        "client-management.version-answers",
        "the client status stands in",
    ),
    ("client-management.version-outdated", "platform.client-status", "the question stands in"),
    (
        "client-management.version-upgrade-failed",
        "client-management.upgrade-actions",
        "stored versions stand in",
    ),
    (
        "client-management.version-upgrade-failed",
        "client-management.upgrade-results",
        "stored versions stand in",
    ),
    (
        "client-management.version-upgrade-failed",
        "client-management.version-answers",
        "the client status stands in",
    ),
    ("client-management.version-upgrade-failed", "platform.client-status", "the question stands in"),
    (
        "client-management.zone-server-balance",
        "client-management.server-names",
        "the client status stands in",
    ),
    ("client-management.zone-server-balance", "platform.client-status", "the question stands in"),
    (
        "client-management.zone-server-capacity",
        "client-management.server-names",
        "the client status stands in",
    ),
    ("client-management.zone-server-capacity", "platform.client-status", "the question stands in"),
    ("connect.destination-reachable", "connect.run-logs", "only needed where a run failed"),
    ("connect.failed-connections", "connect.run-logs", "the error's text"),
    ("connect.failed-connections", "connect.runs", "how often in a row"),
    ("connect.failed-connections", "platform.users", "the owner's name"),
    ("connect.persona-exists", "platform.user-groups", "only needed where the persona is given to a group"),
    ("connect.process-exit", "connect.run-logs", "only needed where a run failed"),
    ("connect.unneeded", "connect.failing-runs", "only needed where a connection fails"),
    ("health-check.installed", "platform.license", "only needed where the solution is missing"),
    ("health-check.installed", "platform.server-info", "the list of solutions stands in"),
    ("health-check.installed", "platform.solutions", "the list of workbenches stands in"),
    ("health-check.module-server-connected", "health-check.server-health", "a second sign"),
    ("health-check.module-server-connected", "platform.plugin-schedules", "names a cause"),
    ("health-check.tpan-report-age", "platform.plugin-schedules", "only needed without the lists of reports"),
];
