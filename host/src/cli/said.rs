//! What `attest` and `answer` ask of whoever says something: who, when, and until when it counts.

use super::engine::{self, When};
use super::stop::Stop;
use super::{Global, ask};
use crate::calendar::moment;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Who says it, and when.
#[derive(Debug, Args)]
pub(super) struct Said {
    /// Who says it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Until when it counts, instead of the usual period
    #[arg(long, value_name = "DATE", value_parser = engine::when)]
    valid_until: Option<When>,
    /// When it was seen, if not now
    #[arg(long, value_name = "TIME", value_parser = engine::when)]
    pub(super) at: Option<When>,
    /// The time that counts as now, for tests
    #[arg(long, value_name = "TIME", value_parser = engine::when, hide = true)]
    now: Option<When>,
}

impl Said {
    /// Now.
    pub(super) fn now(&self, zone: &TimeZone) -> Timestamp {
        engine::now(self.now, zone)
    }

    /// Until when it counts, where that was said.
    pub(super) const fn valid_until(&self) -> Option<When> {
        self.valid_until
    }

    /// Who says it.
    pub(super) fn by(&self, global: &Global) -> Result<String, Stop> {
        name(self.by.as_deref(), global)
    }
}

/// When something was seen; nothing was seen yet that lies ahead.
pub(super) fn seen(at: Option<When>, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let seen = at.map_or(now, |at| at.at(zone));
    if seen > now {
        let (seen, now) = (moment(seen, zone), moment(now, zone));
        return Err(format!("--at {seen} lies ahead of now ({now}); say what was seen, not what will be"));
    }
    Ok(seen)
}

/// Who says it: the flag, or the person at the terminal.
pub(super) fn name(flag: Option<&str>, global: &Global) -> Result<String, Stop> {
    let said = match flag {
        Some(name) => name.to_owned(),
        None if global.can_ask() => ask::line("Your name:")?,
        None => String::new(),
    };
    match said.trim() {
        "" => Err(Stop::Usage("say who it is with --by NAME".to_owned())),
        name => Ok(name.to_owned()),
    }
}
