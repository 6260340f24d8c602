//! Collecting against the lab, against servers that misbehave, and against made-up answers.

mod collecting;
mod each;
mod lab;
mod network;
mod server;
mod sessions;

use super::Local;
use crate::config::{Auth, Config, Deployment, Limits, Modules, Places, SecretSource};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tancheck_plugin_api::facts::{Answer, Point};

/// The token of tests against servers that check none.
const CANARY: &str = "token-canary0123456789abcdef";

fn deployment(url: &str) -> Deployment {
    Deployment {
        url: url.parse().unwrap(),
        id: "test".to_owned(),
        auth: Auth::Token(SecretSource::Env("UNUSED".to_owned())),
        ca_file: None,
        questions: true,
    }
}

fn limits() -> Limits {
    Limits { retries: 2, request_timeout: Duration::from_secs(20), ..Limits::default() }
}

fn config(url: &str, exports: &Path) -> Config {
    Config {
        deployment: deployment(url),
        modules: Modules::default(),
        inputs: BTreeMap::new(),
        limits: limits(),
        probing: crate::config::Probing::default(),
        places: Places {
            plugins: Vec::new(),
            exports: exports.to_path_buf(),
            state: PathBuf::new(),
            cache: PathBuf::new(),
            waivers: None,
        },
        calendar: crate::calendar::Almanac::default(),
        waivers: crate::run::waiver::Rules::default(),
    }
}

fn now() -> Timestamp {
    "2026-06-30T12:00:00Z".parse().unwrap()
}

/// A machine that remembers durations and nothing else.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) answer: Option<Answer>,
    pub(super) seconds: BTreeMap<String, f64>,
}

impl Local for Memory {
    fn points(&self, series: &str, since: Timestamp) -> Result<Vec<Point>, String> {
        Ok(vec![Point { series: series.to_owned(), at: since, value: 7.0 }])
    }

    fn answer(&self, _: &str) -> Result<Option<Answer>, String> {
        Ok(self.answer.clone())
    }

    fn expected_seconds(&self, key: &str) -> Option<f64> {
        self.seconds.get(key).copied()
    }
}
