//! Where the Direct Connect User Guide (1.5.12) says what the checks look at.

use tancheck_plugin_api::{GuideReference, guide};

/// A place in the module's own guide, of the version that these checks were written for.
pub(crate) const fn user_guide(section: &'static str, page: u16) -> GuideReference {
    guide(section, page).of("Direct Connect User Guide 1.5.12")
}

macro_rules! chapters {
    ($($name:ident = $section:literal, $page:literal;)*) => {
        $(pub(crate) const $name: &[GuideReference] = &[user_guide($section, $page)];)*
    };
}

chapters! {
    INTEGRATION = "Product integration", 6;
    DEPENDENCIES = "Tanium dependencies", 9;
    MODULE_SERVER = "Tanium Module Server", 10;
    OPERATING_SYSTEMS = "Supported operating systems", 10;
    PORTS = "Ports", 10;
    EXCLUSIONS = "Security exclusions", 12;
    ZONE_REQUIREMENTS = "Zone proxy server requirements", 12;
    ROLES = "User role requirements", 13;
    INSTALLING = "Installing Direct Connect", 16;
    ACTION_GROUP = "Configure the Direct Connect action group", 17;
    SERVICE_ACCOUNT = "Configure the service account", 17;
    ENDPOINT_CONNECTION = "Configure Endpoint Connection settings", 18;
    ZONE_PROXIES = "Configure Zone Proxies", 19;
    VERIFY = "Verify Direct Connect version", 24;
    SESSIONS = "Reviewing active endpoint sessions", 25;
    CONNECTION_TEST = "Testing direct endpoint connections", 26;
    LOG_LEVEL = "Change the logging level", 27;
    TROUBLESHOOTING = "Troubleshoot endpoint connection issues", 27;
    UNINSTALL = "Uninstall Direct Connect", 28;
}
