//! What the doctor sees of the history.

use super::Line;
use crate::calendar::{day, moment};
use crate::cli::engine::this_second;
use crate::cli::site::Site;
use crate::history::{Glance, HistoryError, Store};
use crate::run::outcome::counted;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const NAME: &str = "history";
const VERIFY: &str = "restore the file from a backup; \"tancheck history verify\" tells more";

/// Looks at the file, and writes nothing.
pub(super) fn examine(site: &Site, lines: &mut Vec<Line>) -> Option<Glance> {
    let Ok(deployment) = site.layers.deployment() else {
        lines.push(Line::skipped(NAME, "the configuration does not say of which deployment"));
        return None;
    };
    let folder = site.layers.places().state;
    match Store::glance(&folder, &deployment.id) {
        Ok(None) => {
            lines.push(Line::ok(NAME, "none yet; the first run makes it"));
            None
        }
        Ok(Some(glance)) => {
            told(&glance, &deployment.id, this_second(), &site.layers.zone(), lines);
            Some(glance)
        }
        Err(error) => {
            lines.push(refused(&error));
            None
        }
    }
}

/// A file that cannot be read; its message ends with what to do.
fn refused(error: &HistoryError) -> Line {
    let text = error.to_string();
    match text.rsplit_once(": ") {
        Some((seen, todo)) => Line::fail(NAME, seen, todo),
        None => Line::fail(NAME, text, VERIFY),
    }
}

fn told(glance: &Glance, deployment: &str, now: Timestamp, zone: &TimeZone, lines: &mut Vec<Line>) {
    let size = format!("{:.1} MiB", glance.bytes as f64 / f64::from(1 << 20));
    let head = format!("{}, format {}, {size}", glance.path, glance.format);
    let before = lines.len();
    lines.extend(glance.problems.iter().map(|problem| Line::fail(NAME, problem, VERIFY)));
    if !glance.writable {
        let seen = format!("{} cannot be written, so no run is kept", glance.path);
        lines.push(Line::fail(NAME, seen, "give this account write access to the file and its folder"));
    }
    if lines.len() > before {
        return;
    }
    if glance.format < glance.newest_format {
        let seen = format!("{head}; the next run brings it to format {}", glance.newest_format);
        lines.push(Line::ok(NAME, seen));
        return;
    }
    lines.push(Line::ok(NAME, format!("{head}, {}", runs(glance, deployment, zone))));
    if let Some(newest) = glance.newest.filter(|newest| *newest > now) {
        let (newest, now) = (moment(newest, zone), moment(now, zone));
        let seen = format!("the newest run is of {newest}, later than now ({now})");
        lines.push(Line::warn(NAME, seen, "correct the clock; until then ages and trends are wrong"));
    }
    if let Some(words) = glance.attestations.and_then(|count| usize::try_from(count).ok()) {
        let (count, noun) = counted(words, "attestation", "attestations");
        let chain = if count == 0 { "" } else { ", an unbroken chain" };
        lines.push(Line::ok(NAME, format!("{count} {noun}{chain}")));
    }
}

/// `52 runs of lab from 2026-01-05 to 2026-12-28`.
fn runs(glance: &Glance, deployment: &str, zone: &TimeZone) -> String {
    let (count, noun) = counted(usize::try_from(glance.runs).unwrap_or(usize::MAX), "run", "runs");
    let span = match (glance.oldest, glance.newest) {
        (Some(oldest), Some(newest)) if oldest == newest => format!(" on {}", day(oldest, zone)),
        (Some(oldest), Some(newest)) => format!(" from {} to {}", day(oldest, zone), day(newest, zone)),
        _ => String::new(),
    };
    let others =
        if glance.others > 0 { format!("; {} of other deployments", glance.others) } else { String::new() };
    let back = match usize::try_from(glance.backwards).unwrap_or(usize::MAX) {
        0 => String::new(),
        times => {
            let (times, noun) = counted(times, "time", "times");
            format!("; {times} {noun} a run was earlier than the one before it")
        }
    };
    format!("{count} {noun} of {deployment}{span}{others}{back}")
}
