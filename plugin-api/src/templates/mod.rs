//! Checks that every module has, declared by each plugin and implemented once; and what checks of Console panels share.

mod maintenance_roles;
pub mod module_health;
pub mod panel;
mod support_bundle;

pub use maintenance_roles::{OWNERS, REQUIRED_PERMISSIONS, maintenance_roles};
pub use module_health::module_review;
pub use panel::Panel;
pub use support_bundle::{BUNDLE_INTERVAL_DAYS, SUPPORT_BUNDLES, support_bundle};
