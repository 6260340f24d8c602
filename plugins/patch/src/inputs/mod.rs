//! What the checks read: the Patch service, lists that only the Console shows, and what earlier runs measured.
//!
//! Routes and fields are those of the vendor's description of the Patch service.

mod console;
mod count;
mod deployment;
mod enforcement;
mod scan;
mod window;

pub(crate) use console::{
    BOARD_MISSING, BOARD_SLA, BOARD_SUMMARY, COVERAGE_PANEL, CRITICAL_MISSING_PANEL, DAYS_SINCE_SCAN,
    PROCESS_ANSWERS, PROCESS_PANEL, PROCESS_SENSOR,
};
pub(crate) use count::{count, share};
pub(crate) use deployment::{
    Deployment, Deployments, Detail, Standing, TargetGroup, active_details, deployments,
};
pub(crate) use enforcement::{Counts, Enforcement};
pub(crate) use scan::{ScanConfiguration, scan_configurations};
pub(crate) use window::{Window, windows};

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::reports;

const SHOW: &[&str] = &["show patch"];
const DEPLOYMENT_READ: &[&str] = &["patch deployment read"];
const SCAN_READ: &[&str] = &["patch scan configuration read"];
const WINDOW_READ: &[&str] = &["patch maintenance window read"];
const BLOCK_LIST_READ: &[&str] = &["patch block list read"];
const PATCH_LIST_READ: &[&str] = &["patch patchlist read"];
/// The document names all four for the one route, whatever is asked for.
const ENFORCEMENT_READ: &[&str] = &[
    "patch block list read",
    "patch maintenance window read",
    "patch repository read",
    "patch scan configuration read",
];

/// What Patch says about itself on its Overview page.
pub(crate) const ALERTS: Input = Input::new("patch.alerts", "warnings of the Patch service")
    .sources(&[Source::service("patch", "/v1/alerts").rows_under("warnings").needs(SHOW)]);

/// The newest job of each type.
pub(crate) const JOBS: Input = Input::new("patch.jobs", "the newest job of each type, with its tasks")
    .sources(&[Source::service("patch", "/v1/jobs?filter=mostRecentByType,excludeObsolete")
        .rows_under("jobs")
        .needs(SHOW)]);

/// How the synchronisation with Microsoft's Unified Update Platform stands.
pub(crate) const UUP_SYNC: Input = Input::new(
    "patch.uup-sync",
    "the Unified Update Platform synchronisation",
)
.sources(&[Source::service("patch", "/v1/patches/windows-uup-update/status").object().needs(SHOW)]);

const BLOCK_LISTS_EXPORT: Source = Source::export(
    "patch-block-lists.csv",
    "Modules > Patch > Block Lists",
    "expand each block list and write it down with these columns; Targets is the number of its computer groups",
    &["Name", "OS", "Targets", "Enforced", "Unenforced", "Old Version"],
);

/// All block lists; the API calls them blacklists.
pub(crate) const BLOCK_LISTS: Input = Input::new("patch.block-lists", "block lists").sources(&[
    Source::service("patch", "/v1/blacklists").rows_under("blacklists").needs(BLOCK_LIST_READ),
    BLOCK_LISTS_EXPORT,
]);

/// On which computer groups block lists are enforced, and on how many endpoints that came into effect.
pub(crate) const BLOCK_LIST_ENFORCEMENTS: Input =
    Input::new("patch.block-list-enforcements", "computer groups of block lists and how many endpoints obey")
        .sources(&[
            Source::service("patch", "/v1/enforcements?modelName=Blacklist")
                .rows_under("enforcements")
                .needs(ENFORCEMENT_READ),
            BLOCK_LISTS_EXPORT,
        ]);

/// All scan configurations.
pub(crate) const SCAN_CONFIGURATIONS: Input = Input::new("patch.scan-configurations", "scan configurations")
    .sources(&[
        Source::service("patch", "/v1/scan-configurations").rows_under("scanConfigurations").needs(SCAN_READ),
        Source::export(
            "patch-scan-configurations.csv",
            "Modules > Patch > Scan Management",
            "write down the scan configurations with these columns; Targets is the number of computer groups",
            &["Name", "OS", "Technique", "Frequency Hours", "Random Delay", "Scan Window", "Targets"],
        ),
    ]);

/// On which computer groups scan configurations are enforced.
pub(crate) const SCAN_ENFORCEMENTS: Input =
    Input::new("patch.scan-enforcements", "computer groups of scan configurations").sources(&[
        Source::service("patch", "/v1/enforcements?modelName=ScanConfiguration")
            .rows_under("enforcements")
            .needs(ENFORCEMENT_READ),
    ]);

/// Errors of scans by scan configuration and message.
pub(crate) const SCAN_ERRORS: Input = Input::new("patch.scan-errors", "scan errors by configuration")
    .sources(&[
        Source::service("patch", "/v1/scan-error-counts").rows_under("scanErrorCounts").needs(SCAN_READ),
        Source::export(
            "trends-patch-scan-errors.csv",
            "Modules > Trends > Boards > Patch, panel Scan Errors - Last 7 Days",
            "write the panel down with these columns, one row for each error and day",
            &["Date", "Error", "Endpoints"],
        ),
    ]);

const SCAN_SETTINGS_READ: &[&str] =
    &["patch scan configuration read", "patch settings read", "windows patch user"];

/// The active profile of Tanium Scan for Windows. The document names no privilege for this route; those are its
/// neighbours'.
pub(crate) const SCAN_PROFILE: Input = Input::new(
    "patch.scan-profile",
    "the active profile of Tanium Scan for Windows",
)
.sources(&[
    Source::service("patch", "/v1/tanium-scan-windows/profiles/active").object(),
    Source::export(
        "patch-scan-products.csv",
        "Modules > Patch > Scan Management, tab Tanium Scan for Windows, Edit, Products to Include in Scan",
        "write down the products with these columns; Included is yes or no",
        &["Category", "Product", "Included"],
    ),
]);

/// What a profile of Tanium Scan for Windows may include.
pub(crate) const SCAN_SELECTIONS: Input =
    Input::new("patch.scan-selections", "products that Tanium Scan for Windows offers").sources(&[
        Source::service("patch", "/v1/tanium-scan-windows/available-selections")
            .object()
            .needs(SCAN_SETTINGS_READ),
    ]);

/// Operating systems for which scan configurations are expected.
pub(crate) const OPERATING_SYSTEMS: Setting = Setting::list("operating_systems", &["Windows", "Linux"])
    .about("operating systems that are patched with Tanium Patch, as the Gateway spells them");

/// How many endpoints run each of these operating systems.
pub(crate) const ENDPOINTS_BY_SYSTEM: Input =
    Input::new("patch.endpoints-by-system", "number of endpoints by operating system").sources(&[
        Source::gateway("endpoints", ENDPOINTS_BY_SYSTEM_QUERY)
            .variables(&[("platform", "{item}")])
            .object()
            .each(Each::setting("operating_systems"))
            .needs(&["gateway use api", "read sensor"]),
    ]);

const ENDPOINTS_BY_SYSTEM_QUERY: &str = "\
query TancheckPatchSystems($platform: String!) {
  endpoints(first: 1, filter: { path: \"os.platform\", op: EQ, value: $platform }) { totalRecords }
}";

/// All deployments.
pub(crate) const DEPLOYMENTS: Input = Input::new("patch.deployments", "deployments").sources(&[
    Source::service("patch", "/v1/deployments").rows_under("deployments").needs(DEPLOYMENT_READ),
    Source::export(
        "patch-deployments.csv",
        "Modules > Patch > Deployments",
        "write down the deployments with these columns; State is Active, Inactive or Stopped, End is empty for ongoing ones",
        &[
            "ID",
            "Name",
            "OS",
            "State",
            "Start",
            "End",
            "Targets",
            "Endpoints Targeted",
            "Complete",
            "Needs Attention",
        ],
    ),
]);

/// Active deployments with settings, patch lists and targets.
pub(crate) const DEPLOYMENT_DETAILS: Input =
    Input::new("patch.deployment-details", "active deployments with settings, patch lists and targets")
        .sources(&[Source::service("patch", "/v1/deployments/{id}")
            .object()
            .each(
                Each::row_of("patch.deployments")
                    .variables(&[("id", "id")])
                    .only("isActive", &["true"])
                    .limit(200),
            )
            .needs(DEPLOYMENT_READ)]);

/// How many endpoints are in the computer groups that deployments target.
pub(crate) const TARGET_SIZES: Input =
    Input::new("patch.target-sizes", "number of endpoints in targeted computer groups").sources(&[
        Source::gateway("endpoints", TARGET_SIZES_QUERY)
            .variables(&[("group", "{group}")])
            .object()
            .each(
                Each::item_of("patch.deployments", "targetedComputerGroupIds")
                    .variables(&[("group", "")])
                    .limit(300),
            )
            .needs(&["gateway use api", "read sensor"]),
    ]);

const TARGET_SIZES_QUERY: &str = "\
query TancheckPatchTargets($group: ID!) {
  endpoints(first: 1, filter: { memberOf: { id: $group } }) { totalRecords }
}";

/// Endpoints that ongoing deployments completed on, in earlier runs.
pub(crate) const COMPLETED_BEFORE: Input =
    Input::new("patch.completed-before", "completions of ongoing deployments in earlier runs")
        .sources(&[Source::history("patch.completed.*", 400)]);

/// All maintenance windows.
pub(crate) const WINDOWS: Input = Input::new("patch.windows", "maintenance windows").sources(&[
    Source::service("patch", "/v1/maintenance-windows").rows_under("maintenanceWindows").needs(WINDOW_READ),
    Source::export(
        "patch-maintenance-windows.csv",
        "Modules > Patch > Maintenance Windows",
        "write down the windows with these columns; Repeat is empty for a window that does not repeat",
        &["Name", "OS", "Start", "End", "Repeat", "Time Zone", "Computer Groups"],
    ),
]);

/// On which computer groups maintenance windows are enforced.
pub(crate) const WINDOW_ENFORCEMENTS: Input =
    Input::new("patch.window-enforcements", "computer groups of maintenance windows").sources(&[
        Source::service("patch", "/v1/enforcements?modelName=MaintenanceWindow")
            .rows_under("enforcements")
            .needs(ENFORCEMENT_READ),
    ]);

/// All patch lists.
pub(crate) const PATCH_LISTS: Input = Input::new("patch.patch-lists", "patch lists")
    .sources(&[Source::service("patch", "/v1/patch-lists").rows_under("patchLists").needs(PATCH_LIST_READ)]);

/// On how many endpoints the patches of each list that Tanium manages are missing.
pub(crate) const APPLICABILITY: Input =
    Input::new("patch.applicability", "missing patches of the patch lists that Tanium manages").sources(&[
        Source::service("patch", "/v1/applicability-counts/patch-list/{id}")
            .object()
            .each(
                Each::row_of("patch.patch-lists")
                    .variables(&[("id", "id")])
                    .only("isTaniumManaged", &["true"])
                    .limit(100),
            )
            .needs(PATCH_LIST_READ),
    ]);

/// Values of the Patch board in earlier runs.
pub(crate) const BOARD_BEFORE: Input =
    Input::new("patch.board-before", "values of the Patch board in earlier runs")
        .sources(&[Source::history("patch.board.*", 200)]);

/// Patches that apply to some endpoint. Without `applicableOnly` the route tells the whole catalogue, tens of megabytes.
pub(crate) const PATCHES: Input = Input::new("patch.patches", "patches that apply to some endpoint").sources(
    &[Source::service("patch", "/v1/patches?applicableOnly=true&osType=all")
        .rows_under("patches")
        .skip_take(500)
        .needs(SHOW)],
);

/// Scan configurations without use, in earlier runs.
pub(crate) const SCAN_UNUSED_BEFORE: Input =
    Input::new("patch.scan-unused-before", "scan configurations that earlier runs saw without use")
        .sources(&[Source::history("patch.scan-unused.*", 800)]);

/// The report behind the panel Patch Coverage.
pub(crate) const COVERAGE_REPORT: &str = "Patch Coverage Status";

/// The results of that report.
pub(crate) const COVERAGE: Input =
    Input::new("patch.coverage", "results of the report Patch Coverage Status")
        .sources(&[reports::results_of(&[COVERAGE_REPORT])]);
