//! The engine: selection, plan, judging, outcomes.
//!
//! Everything here that decides is pure: [`select`], [`presence`], [`plan`], [`outcome`] and [`exit`] turn facts into
//! facts. [`engine`] is the one place that waits: for the collector, and for the judges in their workers.

pub mod attested;
mod blank;
pub mod cause;
pub mod change;
pub mod document;
pub mod engine;
pub mod event;
pub mod exit;
pub mod identity;
pub mod interrupt;
pub mod judge;
pub mod outcome;
pub mod plan;
pub mod presence;
mod probed;

pub mod select;
pub mod waiver;

pub use document::Run;
