//! Checks that every module has: declared by each plugin, implemented once.

mod maintenance_roles;
mod support_bundle;

pub use maintenance_roles::{OWNERS, REQUIRED_PERMISSIONS, maintenance_roles};
pub use support_bundle::{BUNDLE_INTERVAL_DAYS, SUPPORT_BUNDLES, support_bundle};
