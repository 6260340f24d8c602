//! tancheck: inspects the health of one Tanium deployment, module by module, and says what to do about it.
//!
//! Data walks one way, and nothing further down calls back up:
//!
//! [`config`] + [`plugins`] → selection and plan ([`run`]) → [`collect`] → judges in their [`worker`]s → outcomes
//! ([`run`]) → [`history`] → [`report`] → exit code ([`cli`]).

pub mod calendar;
pub mod cli;
pub mod collect;
pub mod config;
pub mod diagnose;
pub mod files;
pub mod hint;
pub mod history;
pub mod paste;
pub mod plugins;
pub mod report;
pub mod run;
pub mod worker;
