//! What the checks of Direct Connect read, by where it comes from.

pub(crate) mod answers;
pub(crate) mod endpoints;
pub(crate) mod pages;
pub(crate) mod platform;

/// The home page of the module, by both of its menus.
pub(crate) const HOME: &str =
    "Main menu > Direct Connect > Home (newer Console: Administration > Shared Services > Direct Connect)";
