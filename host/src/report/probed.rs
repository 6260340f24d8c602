//! What was probed: one line for each listener, those that showed least first.

use super::page::Page;
use crate::calendar::day;
use crate::run::document::Run;
use jiff::tz::TimeZone;
use tancheck_plugin_api::records::probe::{Certificate, Probe, SuiteResult};

/// The listeners, where any was probed.
pub(super) fn listeners(run: &Run, page: &mut Page) {
    let Some(first) = run.probes.first() else { return };
    page.title(&format!("Listeners, as seen from {}", first.vantage.place()));
    let mut probes: Vec<&Probe> = run.probes.iter().collect();
    probes.sort_by_key(|probe| (probe.is_complete(), probe.listener()));
    let columns =
        probes.iter().map(|probe| probe.listener().chars().count()).max().unwrap_or_default().min(40);
    let zone = run.zone();
    for probe in probes {
        let listener = probe.listener();
        let wide = columns.max(listener.chars().count());
        page.item(&format!("{listener:<columns$}"), wide, &told(probe, &zone));
    }
}

fn told(probe: &Probe, zone: &TimeZone) -> String {
    if !probe.is_complete() {
        return probe.says.clone();
    }
    let mut parts = vec![format!("{} {}", probe.version, probe.suite)];
    let accepted = probe.suites.iter().filter(|suite| suite.result == SuiteResult::Accepted).count();
    if !probe.suites.is_empty() {
        parts.push(format!("takes {accepted} of {} suites", probe.suites.len()));
    }
    parts.push(probe.leaf().map_or_else(|| "no certificate".to_owned(), |leaf| certificate(leaf, zone)));
    parts.push(match probe.client_certificate {
        Some(true) => "asks for a client certificate".to_owned(),
        _ => "asks for no client certificate".to_owned(),
    });
    let millis: u64 = [probe.resolve_ms, probe.connect_ms, probe.flight_ms].into_iter().flatten().sum();
    parts.push(format!("{millis} ms"));
    parts.join(" · ")
}

fn certificate(leaf: &Certificate, zone: &TimeZone) -> String {
    if !leaf.unreadable.is_empty() {
        return "a certificate that cannot be read".to_owned();
    }
    let bits = leaf.key_bits.map(|bits| format!(" {bits}")).unwrap_or_default();
    let until = leaf.not_after.map(|until| format!(" until {}", day(until, zone)));
    format!("{}{bits}{}", leaf.key, until.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use tancheck_plugin_api::records::probe::{Stage, Suite};

    #[test]
    fn a_listener_is_told_on_one_line() {
        let leaf = Certificate {
            key: "RSA".to_owned(),
            key_bits: Some(2048),
            not_after: Some("2027-06-30T00:00:00Z".parse::<Timestamp>().unwrap()),
            ..Certificate::default()
        };
        let suite = |result| Suite { result, ..Suite::default() };
        let probe = Probe {
            stage: Stage::Flight,
            version: "TLS 1.2".to_owned(),
            suite: "ECDHE-RSA-AES256-GCM-SHA384".to_owned(),
            suites: vec![suite(SuiteResult::Accepted), suite(SuiteResult::Refused)],
            client_certificate: Some(true),
            certificates: vec![leaf],
            connect_ms: Some(3),
            flight_ms: Some(4),
            ..Probe::default()
        };
        assert_eq!(
            told(&probe, &TimeZone::UTC),
            "TLS 1.2 ECDHE-RSA-AES256-GCM-SHA384 · takes 1 of 2 suites · RSA 2048 until 2027-06-30 · asks for a client \
             certificate · 7 ms"
        );
        let refused = Probe { says: "it refuses".to_owned(), ..Probe::default() };
        assert_eq!(told(&refused, &TimeZone::UTC), "it refuses");
    }
}
