//! The permission tables of the guide, version 1.5.12.

/// The roles, in the order of the columns.
pub(super) const NAMES: [&str; 4] = [
    "Direct Connect Administrator",
    "Direct Connect Read Only User",
    "Direct Connect Service Account",
    "Direct Connect User",
];

/// What a table says of a role and a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// The role has it.
    Yes,
    /// The role has it by another permission.
    Provided,
    /// The role does not have it.
    No,
}

use Cell::{No, Provided, Yes};

/// Permissions of the module.
pub(super) const MODULE: &[(&str, [Cell; 4])] = &[
    ("Show Direct Connect", [Yes, Yes, No, Yes]),
    ("Direct Connect Session Read", [Yes, Yes, No, Yes]),
    ("Direct Connect Session Write", [Yes, No, No, Yes]),
    ("Direct Connect Settings Read", [Yes, No, No, No]),
    ("Direct Connect Settings Write", [Yes, No, No, No]),
    ("Direct Connect Logs Read", [Yes, No, No, No]),
    ("Direct Connect Cron Exec", [No, No, Yes, No]),
];

/// Permissions on content sets, and the permission that provides each.
pub(super) const CONTENT: &[(&str, &str, Option<&str>, [Cell; 4])] = &[
    ("Read Sensor", "Reserved", None, [Yes, Yes, No, Yes]),
    ("Read Sensor", "Base", None, [Yes, No, No, Yes]),
    ("Read Sensor", "Direct Connect", None, [Yes, Yes, Yes, Yes]),
    ("Read Action", "Direct Connect", None, [Yes, Yes, Yes, Yes]),
    ("Read Own Action", "Direct Connect", Some("Read Action"), [Provided; 4]),
    ("Write Action", "Direct Connect", None, [Yes, No, Yes, Yes]),
    ("Show Preview", "Direct Connect", Some("Write Action"), [Provided, No, Provided, Provided]),
    ("Read Plugin", "Direct Connect", Some("Execute Plugin"), [Provided; 4]),
    ("Execute Plugin", "Direct Connect", None, [Yes, Yes, Yes, Yes]),
    ("Read Package", "Direct Connect", Some("Write Package"), [Provided, Yes, Provided, Provided]),
    ("Write Package", "Direct Connect", None, [Yes, No, Yes, Yes]),
    ("Read Saved Question", "Reserved", None, [Yes, Yes, Yes, Yes]),
    ("Read Saved Question", "Direct Connect", None, [Yes, Yes, Yes, Yes]),
];
