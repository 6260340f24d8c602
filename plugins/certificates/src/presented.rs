//! Certificates as listeners present them to whoever connects: what a probe shows is true wherever it was seen, and a
//! listener that was not seen says nothing.

use crate::inputs::Certificate;
use std::collections::BTreeMap;
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::probe::{self, Probe};

pub(crate) const MODULE_SERVER_HOSTS: Setting = Setting::list("module_server_hosts", &[])
    .about("each Module Server, as host or host:port (17477 without a port); they are probed");
pub(crate) const SERVICE_HOSTS: Setting = Setting::list("solution_services", &[]).about(
    "services of solutions that present a certificate, as host or host:port (443 without a port); they are probed",
);

/// The listener that the configuration names for the deployment.
pub(crate) const CONSOLE: Input =
    Input::new("certificates.console-presented", "certificate that the Console presents")
        .sources(&[Source::probe_deployment()]);
pub(crate) const MODULE_SERVER: Input =
    Input::new("certificates.module-server-presented", "certificates that the Module Servers present")
        .sources(&[Source::probe("module_server_hosts", 17477).brief()]);
pub(crate) const SERVICES: Input =
    Input::new("certificates.services-presented", "certificates that services of solutions present")
        .sources(&[Source::probe("solution_services", 443).brief()]);

/// How old a probe from another place may be (`--merge-evidence`).
const EVIDENCE_DAYS: i64 = 30;

/// A certificate, and the listener that presented it.
pub(crate) struct Leaf {
    pub(crate) listener: String,
    pub(crate) certificate: probe::Certificate,
    from: &'static str,
}

/// What listeners presented.
#[derive(Default)]
pub(crate) struct Presented {
    pub(crate) leaves: Vec<Leaf>,
    /// Listeners that showed no certificate to anybody, and why.
    pub(crate) unseen: Vec<String>,
}

impl Presented {
    pub(crate) fn of(facts: &Facts<'_>, input: &'static Input) -> Self {
        let mut presented = Self::default();
        let probes: Vec<Probe> = match facts.rows(input) {
            Ok(probes) => probes,
            Err(why) => {
                presented.unseen.push(why.reason);
                return presented;
            }
        };
        let mut listeners: BTreeMap<String, Vec<Probe>> = BTreeMap::new();
        for view in probes.into_iter().filter(|view| view.is_current(facts, EVIDENCE_DAYS)) {
            listeners.entry(view.listener()).or_default().push(view);
        }
        for (listener, views) in listeners {
            let before = presented.leaves.len();
            for view in &views {
                let readable = |leaf: &&probe::Certificate| leaf.unreadable.is_empty();
                let Some(leaf) = view.leaf().filter(readable).filter(|_| view.is_complete()) else {
                    continue;
                };
                let is_known = |known: &Leaf| known.certificate.sha256 == leaf.sha256;
                if !presented.leaves[before..].iter().any(is_known) {
                    presented.leaves.push(Leaf {
                        listener: listener.clone(),
                        certificate: leaf.clone(),
                        from: view.vantage.place(),
                    });
                }
            }
            if presented.leaves.len() == before {
                let why = views.iter().map(why_unseen).collect::<Vec<_>>().join("; ");
                presented.unseen.push(format!("{listener} {why}"));
            }
        }
        presented
    }
}

fn why_unseen(view: &Probe) -> String {
    match view.leaf() {
        Some(leaf) if view.is_complete() => format!("presents no certificate: {}", leaf.unreadable),
        None if view.is_complete() => "presents no certificate".to_owned(),
        _ => view.says.clone(),
    }
}

impl Leaf {
    /// The subject of a finding about it: the one of the list, where it is listed.
    pub(crate) fn subject(&self, listed: &[Certificate]) -> Subject {
        let same = listed.iter().find(|one| self.is(one));
        same.map_or_else(
            || {
                let name = format!("certificate that {} presents", self.listener);
                Subject::new("certificate", &self.certificate.sha256, name)
            },
            Certificate::subject,
        )
    }

    /// Whether it is this one of the list.
    pub(crate) fn is(&self, listed: &Certificate) -> bool {
        let plain =
            |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_lowercase();
        let own = [&self.certificate.sha256, &self.certificate.serial].map(|text| plain(text));
        let theirs = [&listed.sha256_fingerprint, &listed.serial].map(|text| plain(text));
        let same = |one: &String, other: &String| !one.is_empty() && one == other;
        same(&own[0], &theirs[0])
            || same(&own[1].trim_start_matches('0').to_owned(), &theirs[1].trim_start_matches('0').to_owned())
    }

    /// Whether its own key seems to have signed it: the same name on both sides, or an issuer that is one of the hosts
    /// it is for.
    pub(crate) fn looks_self_signed(&self) -> bool {
        let certificate = &self.certificate;
        let issuer = certificate.issuer.split(',').find_map(|part| part.trim().strip_prefix("CN="));
        let is_host = |issuer: &str| certificate.names.iter().any(|name| name.eq_ignore_ascii_case(issuer));
        certificate.subject == certificate.issuer || issuer.is_some_and(is_host)
    }

    /// Where it was seen, in words.
    pub(crate) fn told(&self) -> String {
        format!("{} presents it, as seen from {}", self.listener, self.from)
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Probes for the judges' tests.

    use super::*;
    use tancheck_plugin_api::records::probe::{Stage, Trouble};
    use tancheck_plugin_api::testing::probed;

    /// A listener with a certificate of an authority, valid until then.
    pub(crate) fn presents(host: &str, until: &str) -> Probe {
        let mut probe = probed(host, 443);
        let leaf = &mut probe.certificates[0];
        leaf.not_after = Some(until.parse().unwrap());
        leaf.issuer = "CN=Corp CA".to_owned();
        leaf.serial = "0a".to_owned();
        probe
    }

    pub(crate) fn refuses(host: &str) -> Probe {
        let whole = presents(host, "2028-01-01T00:00:00Z");
        Probe {
            stage: Stage::Connect,
            trouble: Some(Trouble::Refused),
            says: "refuses connections".to_owned(),
            certificates: Vec::new(),
            ..whole
        }
    }
}

#[cfg(test)]
mod tests {
    use super::samples::{presents, refuses};
    use super::*;

    fn leaf(probe: &Probe) -> Leaf {
        Leaf { listener: probe.listener(), certificate: probe.leaf().unwrap().clone(), from: "here" }
    }

    #[test]
    fn a_listed_certificate_is_known_by_fingerprint_or_serial() {
        let own = leaf(&presents("ts1", "2028-01-01T00:00:00Z"));
        let listed = |serial: &str, fingerprint: &str| Certificate {
            serial: serial.to_owned(),
            sha256_fingerprint: fingerprint.to_owned(),
            ..Certificate::default()
        };
        assert!(own.is(&listed("", &vec!["5E"; 32].join(":"))));
        assert!(own.is(&listed("0A", "")) && own.is(&listed("A", "")));
        assert!(!own.is(&listed("", "")) && !own.is(&listed("B", "c")));
    }

    #[test]
    fn names_tell_who_signed() {
        let mut own = leaf(&presents("ts1.corp.example", "2028-01-01T00:00:00Z"));
        assert!(!own.looks_self_signed());
        own.certificate.issuer = "O=Corp, CN=TS1.corp.example".to_owned();
        assert!(own.looks_self_signed());
        own.certificate.issuer = own.certificate.subject.clone();
        assert!(own.looks_self_signed());
        assert_eq!(refuses("ts1").leaf(), None);
    }
}
