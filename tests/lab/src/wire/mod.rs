//! The wire: routes as a table, requests as calls, answers with the platform's envelopes, and cache paging.

pub(crate) mod cache;
pub(crate) mod options;
pub(crate) mod reply;
pub(crate) mod route;

pub(crate) use options::Options;
pub(crate) use reply::{Answer, Body, Refusal, Reply};
pub(crate) use route::{Call, Need, Route, get, post};
