//! What several remedies name: pages of the Console, and who may work there.

/// Who may do most of it.
pub(crate) const WHO: &str =
    "a user holding the Client Management role permissions named in the Client Management user guide";

/// The values that clients hold, with their counts.
pub(crate) const SETTINGS_TAB: &str =
    "Administration > Shared Services > Client Management > Client Health > Settings";

/// Upgrades by the module.
pub(crate) const CLIENT_UPGRADES: &str =
    "Administration > Shared Services > Client Management > Client Upgrades";
