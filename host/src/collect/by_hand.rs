//! What people brought so far: exported files and answers, for those who list them.

use super::Local;
use super::answer;
use super::export::Export;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::Path;
use tancheck_plugin_api::manifest::Request;

/// Something usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// How much, or what.
    pub what: String,
    /// When it was exported or read off.
    pub at: Timestamp,
}

/// The state of an exported file, or why it cannot be used; `None` for other sources.
#[must_use]
pub fn exported(request: &Request, folder: &Path, largest: u64) -> Option<Result<Brought, String>> {
    let Request::Export { file, page, steps, columns, holding } = request else { return None };
    let export = Export { folder, file, page, steps, columns, holding, largest };
    if !export.path().exists() {
        return Some(Err("not there yet".to_owned()));
    }
    let read = export.read().map_err(|problem| problem.reason);
    Some(read.map(|exported| {
        let rows = exported.rows.len();
        Brought { what: format!("{rows} {}", if rows == 1 { "row" } else { "rows" }), at: exported.at }
    }))
}

/// The state of an answer, or why it does not count; `None` for other sources.
#[must_use]
pub fn answered(
    request: &Request,
    input: &str,
    local: &dyn Local,
    now: Timestamp,
    zone: &TimeZone,
) -> Option<Result<Brought, String>> {
    let Request::Answer { prompt, valid_days, .. } = request else { return None };
    match local.answer(input) {
        Ok(None) => Some(Err("nobody has answered yet".to_owned())),
        _ => {
            let answered = answer::answered(local, input, prompt, *valid_days, now, zone);
            let brought = answered
                .map(|answer| Brought { what: format!("{} by {}", answer.value, answer.by), at: answer.at });
            Some(brought.map_err(|problem| problem.reason))
        }
    }
}
