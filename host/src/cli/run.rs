//! `tancheck run`.
//!
//! The frame only: the arguments and the body of this command belong to the engine and replace what stands here.

use super::{Global, Stop};
use clap::Args;

/// Runs the enabled checks and reports
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: Arguments, _global: &Global) -> Result<u8, Stop> {
    Err(Stop::Internal("\"tancheck run\" is not part of this build".to_owned()))
}
