//! The only place that does I/O towards Tanium: sessions, requests, questions, exported files.

mod answer;
pub mod by_hand;
pub mod collector;
mod document;
mod each;
pub(crate) mod export;
#[cfg(test)]
mod faked;
mod fetched;
mod gate;
mod gateway;
mod graph;
pub mod http;
mod merge;
mod meter;
mod metrics;
mod order;
pub mod plan;
pub mod probe;
pub mod progress;
pub mod question;
mod resolve;
mod rest;
mod retry;
pub mod schedule;
mod service;
pub mod session;
mod settle;
pub mod stream;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod transport;
mod trouble;
mod way;
mod wire;

use jiff::Timestamp;
use serde_json::{Map, Value};
use std::fmt;
use tancheck_plugin_api::facts::{Answer, Point};
use tancheck_plugin_api::manifest;

/// An input that a run needs.
#[derive(Clone, Debug)]
pub struct Want {
    /// The plugin that declares it.
    pub plugin: String,
    /// The input.
    pub input: manifest::Input,
    /// The site's settings of that plugin, with defaults filled in, for placeholders.
    pub settings: Map<String, Value>,
}

/// What is known on this machine: earlier runs and people's answers.
pub trait Local: fmt::Debug + Send + Sync {
    /// Points of a series (or of all series with a beginning, where the name ends in `.*`) since a time, oldest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    fn points(&self, series: &str, since: Timestamp) -> Result<Vec<Point>, String>;

    /// The latest answer to an input, expired or not.
    ///
    /// # Errors
    /// When the history cannot be read.
    fn answer(&self, input: &str) -> Result<Option<Answer>, String>;

    /// How long a request took in earlier runs, in seconds; by its canonical key.
    fn expected_seconds(&self, key: &str) -> Option<f64>;
}
