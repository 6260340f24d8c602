//! tancheck plugin for Tanium Direct Connect, which opens sessions to single endpoints.
//! Guide: *Review and remediate Tanium Direct Connect issues*, page 26, and what every module has (7, 35).
#![forbid(unsafe_code)]

mod action_lock;
mod causes;
mod chapters;
mod connections;
mod diagnosis;
mod extension_log;
mod inputs;
mod integrations;
mod log_level;
mod presence;
mod probe;
mod procedures;
mod products;
mod results;
mod roles;
mod screen_sharing;
mod security;
mod sessions;
mod setup;
mod tools;
mod uninstall;
mod versions;
mod zone_proxies;

use causes::{BROKEN, HINDERED};
use chapters::user_guide;
use probe::{ENDPOINT_FQDN, ENDPOINT_PORT};
use tancheck_plugin_api::GuideReference;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::templates::{maintenance_roles, support_bundle};

const WHO: &str = "a user holding the Direct Connect role permissions named in the Direct Connect user guide";
const GUIDE: &[GuideReference] = &[guide("Review and remediate Tanium Direct Connect issues", 26)];

/// What the module's own guide says of endpoints that do not connect, beside the maintenance guide.
const TROUBLESHOOTING: &[GuideReference] =
    &[GUIDE[0], user_guide("Troubleshoot endpoint connection issues", 27)];

/// How long a review is good for.
const DUE_EVERY_DAYS: Setting = Setting::integer("due_every_days", 30, 1, 366)
    .unit("days")
    .about("how often somebody looks for connection and screen sharing issues")
    .from_guide();

const MAINTENANCE_ROLES: Check = maintenance_roles("direct-connect.maintenance-roles");
const SUPPORT_BUNDLE: Check = support_bundle("direct-connect.support-bundle");

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("direct-connect", "Direct Connect", env!("CARGO_PKG_VERSION"))
    .about("Sessions to single endpoints: whether they open.")
    .solutions(&[Solution { name: "Direct Connect", id: "" }])
    .diagnosis(&diagnosis::TREE)
    .procedures(procedures::PROCEDURES)
    .checks(&[
        &MAINTENANCE_ROLES,
        &connections::CONNECTIONS,
        &screen_sharing::SCREEN_SHARING,
        &SUPPORT_BUNDLE,
        &presence::INSTALLED,
        &versions::VERSION_MODULE,
        &versions::VERSION_CORE_PLATFORM,
        &versions::VERSION_AUTO_CONFIG,
        &versions::VERSION_CLIENT,
        &versions::VERSION_TANOS,
        &products::PROTECT,
        &products::INTEGRITY_MONITOR,
        &products::MAP,
        &products::THREAT_RESPONSE,
        &products::TRACE,
        &presence::OS_SUPPORTED,
        &presence::SERVICE_RUNNING,
        &security::FIREWALL_REVIEW,
        &security::WINDOWS,
        &security::MACOS,
        &security::LINUX,
        &security::TARGETS_PRESENT,
        &roles::ROLES_PRESENT,
        &roles::ROLE_DRIFT,
        &roles::RBAC_SERVICE_ACCOUNT,
        &roles::OPERATOR,
        &roles::ADMIN_REVIEW,
        &setup::MODE,
        &setup::COMPLETE,
        &setup::TARGET,
        &setup::COVERAGE,
        &setup::ACCOUNT_SET,
        &setup::ACCOUNT_PERSONAL,
        &setup::ACCOUNT_USABLE,
        &action_lock::POLICY,
        &action_lock::CONFLICT,
        &tools::CONTENT,
        &tools::DEPLOY,
        &tools::CONFIGURATION,
        &tools::INSTALLED,
        &tools::EXTENSION,
        &zone_proxies::REQUIRED,
        &zone_proxies::PAYLOAD_FILE_CHECK,
        &zone_proxies::PAYLOAD_FORMAT,
        &zone_proxies::PAYLOAD_SAMPLE,
        &zone_proxies::FIELDS,
        &zone_proxies::STATUS,
        &zone_proxies::BALANCER,
        &zone_proxies::FIREWALL,
        &sessions::LIST,
        &sessions::FAILED,
        &sessions::STUCK,
        &sessions::TEST,
        &extension_log::LOG,
        &log_level::LEVEL,
        &uninstall::GUARD,
        &uninstall::LEFTOVERS,
        &integrations::CLIENT_MANAGEMENT,
        &integrations::PERFORMANCE,
        &integrations::PROTECT,
        &integrations::REVEAL,
        &integrations::THREAT_RESPONSE,
        &probe::ports::MODULE_PORT,
        &probe::ports::ZONE_ENDPOINT_PORT,
        &probe::ports::ZONE_MODULE_PORT,
        &probe::ports::ZONE_SECOND_PORT,
        &probe::ports::EXPOSURE,
        &probe::tls::PROTOCOL,
        &probe::tls::KEY,
        &probe::tls::SUITES_CHECK,
        &probe::tls::MUTUAL,
        &probe::tls::NAME,
        &probe::tls::INTERCEPTION,
        &probe::endpoint::FQDN_SET,
        &probe::endpoint::FQDN_FORMAT,
        &probe::endpoint::FQDN_RESOLVES,
        &probe::endpoint::AUTO_IP,
        &probe::endpoint::PORT,
        &probe::certificates::SERVER_PRESENT,
        &probe::certificates::SERVER_EXPIRY,
        &probe::certificates::CLIENT_PRESENT,
        &probe::certificates::CLIENT_EXPIRY,
        &probe::certificates::ZONE_PIN,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
