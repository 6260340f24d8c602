//! Guide: *Review and update TanOS user accounts (Appliance only)*, page 38.

mod accounts;
mod authentication;
mod list;

pub(crate) use accounts::{ACCESS, ROLE_FIT, TANADMIN_COUNT};
pub(crate) use authentication::AUTH_SETTINGS;

use tancheck_plugin_api::{GuideReference, guide};

const GUIDE: &[GuideReference] = &[guide("Review and update TanOS user accounts (Appliance only)", 38)];
const MENU: &str = "TanOS > User Administration menu";
const REFERENCES: &[&str] = &["Appliance Deployment Guide: User Administration menu"];
const LIMITS: &str = "TanOS has no public API: the check judges the list that somebody wrote down, for as long as \
    `users_due_every_days` says.";
