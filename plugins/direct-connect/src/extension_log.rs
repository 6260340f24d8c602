//! The log of the client extensions on an endpoint.

use crate::chapters::TROUBLESHOOTING;
use crate::inputs::pages::{EXTENSION_LOG, LogLine};
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;

/// As many lines of each kind are shown.
const SHOWN: usize = 5;

const LOG_HOURS: Setting = Setting::integer("log_hours", 24, 1, 720)
    .unit("hours")
    .about("how far back lines of the log count, from its last line on");

const LOG_WORDS: Setting = Setting::table("log_words").about(
    "words of log lines by what they mean, instead of the usual ones: name, refused, timeout, certificate, \
     missing, permission",
);

/// What a line of the log is about, the words that tell it, and what follows from it.
const KINDS: [(&str, &[&str], &str); 6] = [
    (
        "name",
        &["could not resolve", "resolve host", "name or service not known", "no such host", "nxdomain"],
        "the name of the Module Server, or of the zone proxy, does not resolve there",
    ),
    (
        "refused",
        &["connection refused", "actively refused"],
        "nothing listens on the port, or a firewall refuses",
    ),
    (
        "timeout",
        &["timed out", "timeout", "no route to host", "network is unreachable"],
        "a firewall or a route is in the way",
    ),
    (
        "certificate",
        &["certificate", "handshake", "tls alert", "ssl", "verify failed", "unknown ca"],
        "the certificates of the two sides do not fit, or something in between opens the connection",
    ),
    (
        "missing",
        &["failed to load", "not found", "no such file", "signature"],
        "a file of the extension is missing or blocked",
    ),
    (
        "permission",
        &["permission denied", "access is denied", "access denied"],
        "security software is in the way",
    ),
];

/// The log tells of no trouble.
pub(crate) const LOG: Check = Check::automated("direct-connect.extension-log")
    .title("The log of an endpoint tells of no trouble with Direct Connect")
    .cadence(&[Cadence::AsNeeded])
    .severity(Severity::Medium)
    .reads(&[&EXTENSION_LOG])
    .settings(&[&LOG_HOURS, &LOG_WORDS])
    .guide(TROUBLESHOOTING)
    .applies("a log that was copied")
    .what("Reads the lines about Direct Connect in `extensions0.txt`, copied from an endpoint, of the last `log_hours` before its last line, and sorts those that tell of trouble by their words: names, refused connections, timeouts, certificates, missing files, permissions.")
    .why("When the action ran and no session opened, the reason stands in this log.")
    .limits("The guide does not describe the log: `log_words` replaces the words by which a line is sorted. Lines without a date at their beginning count always.")
    .related(&["direct-connect.connections", "direct-connect.port-module-17475"])
    .remedy(&REMEDY)
    .judge(log);

const REMEDY: Remedy = Remedy::new(&[
    Step::command(
        "tancheck diagnose direct-connect --endpoint NAME",
        "leads from here through what can keep the endpoint from connecting",
    ),
    Step::decision("{meaning}", "begin with that"),
    Step::support("with the log and a support package of the module, if nothing comes of it"),
])
.cautions(&["A log holds names and addresses: give it to Tanium Support only by the case."])
.who("an administrator of the endpoint")
.references(&["Direct Connect User Guide: Troubleshoot endpoint connection issues"]);

fn log(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let lines: Vec<LogLine> = facts.rows(&EXTENSION_LOG)?;
    if lines.is_empty() {
        return Err(Undecided::not_evaluated(
            "extensions0.txt holds no line about Direct Connect: its extension does not run there, or the log is \
             another one",
        ));
    }
    let hours = facts.integer(&LOG_HOURS)?;
    let last = lines.iter().filter_map(|line| line.time()).max();
    let own_words = facts.table(&LOG_WORDS);
    let mut found: BTreeMap<usize, Vec<&LogLine>> = BTreeMap::new();
    for line in &lines {
        let is_old = match (line.time(), last) {
            (Some(time), Some(last)) => last.duration_since(time).as_hours() >= hours,
            _ => false,
        };
        let lower = line.text.to_lowercase();
        let tells = |(name, words, _): &(&str, &[&str], &str)| match own_words.get(name) {
            Some(own) => own.iter().any(|word| lower.contains(&word.to_lowercase())),
            None => words.iter().any(|word| lower.contains(word)),
        };
        if let Some(kind) = KINDS.iter().position(tells).filter(|_| !is_old) {
            found.entry(kind).or_default().push(line);
        }
    }
    for (kind, lines) in found {
        let (name, _, meaning) = KINDS[kind];
        let newest: Vec<String> = lines
            .iter()
            .rev()
            .take(SHOWN)
            .map(|line| format!("{}: {}", line.number, masked(&line.text)))
            .collect();
        report.finding(
            Finding::on(Subject::new("log", name, format!("lines about {name}")))
                .says(format!("{} in the log: {meaning}", lines.len()))
                .expected("no trouble with connections")
                .affected(lines.len() as u64, None)
                .fill("meaning", meaning)
                .evidence(facts.seen(&EXTENSION_LOG, newest)),
        );
    }
    Ok(())
}

/// A line without what could be a secret: values behind words such as password, and long runs of letters and digits.
fn masked(line: &str) -> String {
    const SECRETS: [&str; 5] = ["password", "passwd", "secret", "token", "session"];
    let mut hide = false;
    let words = line.split(' ').map(|word| {
        let lower = word.to_lowercase();
        let body = word.trim_matches(|sign: char| !sign.is_alphanumeric());
        let is_long = body.len() >= 32
            && body.chars().all(|sign| sign.is_ascii_alphanumeric() || "+/=-_".contains(sign));
        let named = SECRETS.iter().any(|name| lower.contains(name));
        let separator = word.find(['=', ':']).filter(|_| named);
        if is_long || std::mem::take(&mut hide) {
            return "[hidden]".to_owned();
        }
        match separator {
            Some(at) if at + 1 < word.len() => format!("{}[hidden]", &word[..=at]),
            _ => {
                hide = named && word.ends_with(['=', ':']);
                word.to_owned()
            }
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tancheck_plugin_api::serde_json::{Value, json};
    use tancheck_plugin_api::testing::Case;

    fn case(lines: &[&str]) -> Case {
        let rows: Vec<Value> =
            lines.iter().enumerate().map(|(at, text)| json!({"Line": at + 1, "Text": text})).collect();
        Case::of(&LOG).rows(&EXTENSION_LOG, rows.into())
    }

    #[test]
    fn trouble_is_sorted_by_its_words() {
        case(&["2026-06-30 10:00:00 dec: connected"]).judge().assert_pass();
        case(&["2026-06-30 10:00:00 dec: connected"]).assert_needs_its_inputs();
        for (line, kind) in [
            ("dec: Could not resolve host ms1", "name"),
            ("dec: connection refused by 10.0.0.5:17475", "refused"),
            ("dec: connect timed out", "timeout"),
            ("dec: TLS handshake failed", "certificate"),
            ("dec: failed to load libTaniumDEC.so", "missing"),
            ("dec: Access is denied", "permission"),
        ] {
            case(&[line, line]).judge().assert_findings(&[kind]);
        }
        case(&[]).judge().assert_undecided(Outcome::NotEvaluated);
    }

    #[test]
    fn old_lines_do_not_count() {
        let old = "2026-06-28T10:00:00Z dec: connect timed out";
        let new = "2026-06-30T10:00:00Z dec: connected";
        case(&[old, new]).judge().assert_pass();
        case(&[old, new]).setting("log_hours", 72).judge().assert_findings(&["timeout"]);
        case(&[old]).judge().assert_findings(&["timeout"]);
        case(&["dec: connect timed out", new]).judge().assert_findings(&["timeout"]);
    }

    #[test]
    fn a_site_has_its_own_words() {
        let own = case(&["dec: kaputt"]).setting("log_words", json!({"refused": ["Kaputt"]}));
        own.judge().assert_findings(&["refused"]);
        let replaced =
            case(&["dec: connection refused"]).setting("log_words", json!({"refused": ["kaputt"]}));
        replaced.judge().assert_pass();
    }

    #[test]
    fn secrets_are_hidden() {
        let secret = "a".repeat(40);
        for line in [
            format!("dec refused token={secret}"),
            format!("dec refused session: {secret}x"),
            "dec refused password= hunter2".to_owned(),
            "dec refused password=hunter2".to_owned(),
            format!("dec connection refused {secret}"),
        ] {
            let text = masked(&line);
            assert!(
                !text.contains("hunter2") && !text.contains(&secret) && text.contains("[hidden]"),
                "{text}"
            );
        }
        let plain = "dec: connection refused by ms1.example.com:17475";
        assert_eq!(masked(plain), plain);
    }
}
