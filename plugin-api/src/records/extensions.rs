//! Client extensions and endpoint tools: what endpoints say of them. Several plugins read these two sensors; they share
//! one question each.
//!
//! The vendor's documents name the sensors and no column of them: columns are recognised by their names at run time,
//! and nothing is decided where they cannot be told.

mod details;
mod health;
mod tools;

pub use details::{Detail, details};
pub use health::{Failures, HEALTHY_STATES, Health, HealthFailure, judge_failures};
pub use tools::{ToolRow, ToolState, VALUE_MAP, tools};

use super::answers::ASK;
use crate::{Input, Source};

/// The failures of client extensions in the Console.
pub const HEALTH_FAILURES_PAGE: &str =
    "Administration > Shared Services > Client Management > Client Health > Deployment";

/// The state of client extensions.
pub const CLIENT_EXTENSIONS: Input = Input::new("platform.client-extensions", "state of client extensions")
    .sources(&[
        Source::question("Get Client Extensions - Status from all machines").needs(ASK),
        Source::export(
            "client-health-failures.csv",
            HEALTH_FAILURES_PAGE,
            "select the Interact icon of the panel Health Failures and export the results with these \
             columns, and Computer Name where there is one",
            &["Domain", "Failure", "Count"],
        ),
    ]);

/// The state of endpoint tools.
pub const TOOLS_STATUS: Input = Input::new("platform.endpoint-tools", "state of endpoint tools").sources(&[
    Source::question("Get Endpoint Configuration - Tools Status?ignoreCase=0&maxAge=600 from all machines")
        .needs(ASK),
    Source::export(
        "endpoint-tools.csv",
        "Administration > Shared Services > Endpoint Configuration > Tools",
        "export the list of deployed tools with these columns",
        &["Tool", "Version", "Status", "Count"],
    ),
]);
