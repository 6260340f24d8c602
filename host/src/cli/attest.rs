//! `tancheck attest`.
//!
//! The frame only: the arguments and the body of this command belong to the engine and replace what stands here.

use super::{Global, Stop};
use clap::Args;

/// Records that a person did a task
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: Arguments, _global: &Global) -> Result<u8, Stop> {
    Err(Stop::Internal("\"tancheck attest\" is not part of this build".to_owned()))
}
