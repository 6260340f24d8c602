//! What goes wrong outside of tancheck: each trouble is told with its place and the next step, costs no more than it
//! has to, ends in its own exit code, and never in a panic or a leaked secret. The binary runs as a process.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says when it is skipped"
)]

mod answers;
mod canary;
mod configuration;
mod disk;
mod exports;
mod login;
mod network;
mod plugins;
mod relay;
mod signals;
mod site;
