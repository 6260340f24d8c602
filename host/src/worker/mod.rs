//! The guest's process: one for each plugin, sandboxed before the library is loaded, supervised from here.
//!
//! | file | side | content |
//! |---|---|---|
//! | `supervisor` | host | starts a worker, asks it, stops it |
//! | `death` | host | how a worker ended, as one sentence |
//! | `vet` | host | what a worker says is untrusted: sizes, ids, counts |
//! | `noise` | host | what the plugin prints |
//! | `seal` | host | the library's bytes: read once, compared with their hash, unchangeable |
//! | `protocol` | both | frames over a socket pair |
//! | `guest` | guest | the start sequence and the loop that answers |
//! | `sandbox`, `syscalls` | guest | what the plugin may do: compute, and answer |
//! | `load` | guest | the library |
//!
//! **Invariant:** the host never loads a library into its own process, and the guest loads it only after it has given
//! up files, network, processes and privileges. On systems other than Linux a plugin has only a process of its own,
//! with time limits; it then runs only where `limits.allow_weak_sandbox` says so.

mod death;
mod guest;
mod load;
mod noise;
mod protocol;
mod sandbox;
mod seal;
mod supervisor;
#[cfg(target_os = "linux")]
mod syscalls;
mod vet;

pub use guest::{guest_main, is_guest};
pub use supervisor::{Described, Worker, describe, use_program};

pub(crate) use vet::manifest as read_manifest;

use serde::{Deserialize, Serialize};
use std::fmt;
use tancheck_plugin_api::Outcome;

/// Why a check got no judgement from its plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// `Crashed` or `TimedOut`; `NotEvaluated` where the host's own limits stand in the way.
    pub outcome: Outcome,
    /// What happened, as one sentence about the plugin: "it was killed by signal 11 (…)".
    pub sentence: String,
    /// The signal that ended the worker.
    pub signal: Option<i32>,
    /// The exit code the worker ended with.
    pub exit_code: Option<i32>,
    /// What the plugin had printed so far, at most 4 KB.
    pub noise: String,
}

impl Failure {
    fn crashed(sentence: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Crashed,
            sentence: sentence.into(),
            signal: None,
            exit_code: None,
            noise: String::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl std::error::Error for Failure {}

/// What holds a plugin back, as its worker found it on this kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sandbox {
    /// The version of landlock that keeps it from files; 0: none.
    pub landlock: u8,
    /// Whether system calls are filtered.
    pub seccomp: bool,
}

impl Sandbox {
    /// Whether all layers are in place.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.landlock > 0 && self.seccomp
    }
}

impl fmt::Display for Sandbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.landlock, self.seccomp) {
            (0, false) => formatter.write_str("weak: a process of its own, without landlock and seccomp"),
            (0, true) => formatter.write_str("weak: seccomp, without landlock"),
            (version, false) => write!(formatter, "weak: landlock {version}, without seccomp"),
            (version, true) => write!(formatter, "full: landlock {version} and seccomp"),
        }
    }
}
