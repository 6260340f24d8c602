//! Tags on endpoints, and the computer groups that they drive. Guide section: *Review and update tags* (weekly), with
//! *Review and update enhanced tags* and *Review and update custom tags*.
#![forbid(unsafe_code)]

mod groups;
mod inputs;
mod members;
mod review;
mod rules;

use tancheck_plugin_api::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("tags", "Tags", env!("CARGO_PKG_VERSION"))
    .about("Custom and enhanced tags: which endpoints carry which, and whether the groups that go by them are right.")
    .checks(&[
        &review::CUSTOM,
        &rules::MISSING,
        &rules::SURPLUS,
        &groups::MISSING_FOR_TAG,
        &members::WITHOUT_MEMBERS,
        &groups::WRONG_DEFINITION,
        &groups::ACTION_GROUPS_COVER,
        &review::ENHANCED,
    ]);

tancheck_plugin_api::export_plugin!(PLUGIN);
