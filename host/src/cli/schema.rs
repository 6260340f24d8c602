//! `tancheck schema`: the JSON Schemas of what `-o json` prints.

use super::output::{json, to_stdout};
use super::stop::{OK, Stop};
use super::{
    Global, answer, attest, by_hand, checks, config, doctor, due, explain, guide, history, init, learn,
    paste, permissions, plan, plugins, trend, waive,
};
use crate::diagnose;
use crate::history::{Difference, Pruned, Shown, Trend, Verified};
use crate::report;
use clap::{Args, ValueEnum};
use schemars::{Schema, schema_for};

/// Prints the JSON Schema of a document that -o json prints
#[derive(Debug, Args)]
#[command(after_help = "Example:
  tancheck schema run > run.schema.json")]
pub(super) struct Arguments {
    /// The document
    #[arg(value_enum, default_value = "run")]
    document: Document,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Document {
    /// The report of tancheck run
    Run,
    /// One line of tancheck run -o ndjson
    Events,
    /// tancheck plan
    Plan,
    /// tancheck checks list
    Checks,
    /// tancheck explain
    Explain,
    /// tancheck diagnose
    Diagnose,
    /// tancheck guide with a procedure
    Guide,
    /// tancheck guide without one
    Procedures,
    /// tancheck plugins list
    Plugins,
    /// tancheck plugins show
    Plugin,
    /// tancheck due
    Due,
    /// tancheck learn with a check
    Learn,
    /// tancheck learn without one
    Learnable,
    /// tancheck attest
    Attest,
    /// tancheck answer
    Answer,
    /// tancheck waive
    Waive,
    /// tancheck waivers
    Waivers,
    /// tancheck exports
    Exports,
    /// tancheck answers
    Answers,
    /// tancheck paste
    Paste,
    /// tancheck permissions
    Permissions,
    /// tancheck doctor
    Doctor,
    /// tancheck init
    Init,
    /// tancheck config explain
    Config,
    /// tancheck history list
    History,
    /// tancheck history show
    HistoryRun,
    /// tancheck history prune
    HistoryPrune,
    /// tancheck history verify
    HistoryVerify,
    /// tancheck diff
    Diff,
    /// tancheck trend METRIC
    Trend,
    /// tancheck trend
    Metrics,
}

impl Document {
    fn schema(self) -> Schema {
        match self {
            Self::Run => report::schema(),
            Self::Events => report::event_schema(),
            Self::Plan => schema_for!(plan::Document),
            Self::Checks => schema_for!(checks::Document),
            Self::Explain => schema_for!(explain::Document<'_>),
            Self::Diagnose => schema_for!(diagnose::document::Diagnosis),
            Self::Guide => schema_for!(diagnose::procedure::Procedure),
            Self::Procedures => schema_for!(guide::List),
            Self::Plugins => schema_for!(plugins::Document),
            Self::Plugin => schema_for!(plugins::Shown<'_>),
            Self::Due => schema_for!(due::Document),
            Self::Learn => schema_for!(learn::Document),
            Self::Learnable => schema_for!(learn::List),
            Self::Attest => schema_for!(attest::Document),
            Self::Answer => schema_for!(answer::Document),
            Self::Waive => schema_for!(waive::Given),
            Self::Waivers => schema_for!(waive::Document),
            Self::Exports => schema_for!(by_hand::Document<by_hand::File>),
            Self::Answers => schema_for!(by_hand::Document<by_hand::Value>),
            Self::Paste => schema_for!(paste::Document),
            Self::Permissions => schema_for!(permissions::Document),
            Self::Doctor => schema_for!(doctor::Document),
            Self::Init => schema_for!(init::Document),
            Self::Config => schema_for!(config::Document),
            Self::History => schema_for!(history::Document),
            Self::HistoryRun => schema_for!(Shown),
            Self::HistoryPrune => schema_for!(Pruned),
            Self::HistoryVerify => schema_for!(Verified),
            Self::Diff => schema_for!(Difference),
            Self::Trend => schema_for!(Trend),
            Self::Metrics => schema_for!(trend::Document),
        }
    }
}

pub(super) fn run(arguments: Arguments, _global: &Global) -> Result<u8, Stop> {
    to_stdout(&json(&arguments.document.schema())?)?;
    Ok(OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_is_one() {
        for document in Document::value_variants() {
            let schema = document.schema();
            assert!(jsonschema::meta::is_valid(schema.as_value()), "{document:?}");
            jsonschema::validator_for(schema.as_value()).unwrap();
        }
    }
}
