//! Probes of real sockets: the lab's listeners, healthy and broken, and OpenSSL's server where it is installed.

use super::target::{Port, targets};
use super::*;
use serde_json::json;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use tancheck_lab::Lab;
use tancheck_plugin_api::records::probe::Vantage;

const NOW: &str = "2026-06-30T12:00:00Z";

/// A prober of the lab's listeners, with so little patience that tests are fast.
fn prober(lab: &Lab, quick: bool) -> Prober {
    let probing = Probing {
        vantage: Vantage::ModuleServer,
        quick,
        connect_to: lab.listeners().into_iter().collect(),
        ..Probing::default()
    };
    let limits = Limits {
        probe_timeout: Duration::from_millis(700),
        probe_pause: Duration::ZERO,
        ..Limits::default()
    };
    Prober::new(&probing, &limits, NOW.parse().unwrap())
}

async fn one(prober: &Prober, target: &str) -> Probe {
    let (mut probes, _) = prober.look(&targets(&json!(target), Port::Default(17475), false)).await;
    assert_eq!(probes.len(), 1);
    probes.remove(0)
}

/// What is seen of the Module Server's listener when this is wrong with it.
async fn with_fault(lab: &Lab, fault: &str) -> Probe {
    lab.clear_faults();
    lab.inject(fault).unwrap();
    one(&prober(lab, true), "dc.lab.example").await
}

fn accepted(probe: &Probe) -> Vec<&str> {
    let accepted = probe.suites.iter().filter(|suite| suite.result == SuiteResult::Accepted);
    accepted.map(|suite| suite.name.as_str()).collect()
}

#[tokio::test]
async fn a_healthy_listener_shows_its_whole_flight() {
    let lab = Lab::builder().endpoints(10).start().unwrap();
    let prober = prober(&lab, false);
    let (probes, connections) =
        prober.look(&targets(&json!(["dc.lab.example"]), Port::Default(17475), false)).await;
    let probe = &probes[0];
    assert_eq!((probe.stage, probe.trouble, probe.says.as_str()), (Stage::Flight, None, ""));
    assert_eq!(probe.listener(), "dc.lab.example:17475");
    assert_eq!((probe.vantage, probe.at), (Vantage::ModuleServer, Some(NOW.parse().unwrap())));
    assert_eq!((probe.version.as_str(), probe.curve.as_str()), ("TLS 1.2", "x25519"));
    assert_eq!(probe.suite, "ECDHE-RSA-AES256-GCM-SHA384");
    assert_eq!(probe.client_certificate, Some(true));
    assert_eq!(probe.client_issuers, ["CN=Tanium Direct Connect"]);
    let leaf = probe.leaf().unwrap();
    assert_eq!((leaf.key.as_str(), leaf.key_bits, leaf.unreadable.as_str()), ("RSA", Some(2048), ""));
    assert_eq!((leaf.subject.as_str(), leaf.issuer.as_str()), ("CN=dc.lab.example", "CN=dc.lab.example"));
    assert_eq!((leaf.common_name.as_str(), leaf.serial.as_str()), ("dc.lab.example", "01"));
    assert_eq!(leaf.names, ["dc.lab.example"]);
    assert_eq!(leaf.signature, "sha256WithRSAEncryption");
    let days = leaf.not_after.unwrap().duration_since(lab.now()).as_hours() / 24;
    assert!((598..=600).contains(&days), "{days}");
    assert_eq!(accepted(probe).len(), 4);
    assert!(accepted(probe).iter().all(|name| name.contains("-RSA-")));
    let refused = probe.suites.iter().filter(|suite| suite.result == SuiteResult::Refused).count();
    assert_eq!((probe.suites.len(), refused), (8, 4));
    assert_eq!(connections, 8, "the suite that was chosen among all needs no greeting of its own");
    assert_eq!(prober.so_far().len(), 1);
    let (_, again) = prober.look(&targets(&json!("DC.lab.example:17475"), Port::Default(1), false)).await;
    assert_eq!(again, 0, "a listener is probed once in a run");
}

#[tokio::test]
async fn every_way_to_be_broken_has_its_words() {
    let lab = Lab::builder().endpoints(10).start().unwrap();
    for (fault, stage, trouble, alert, words) in [
        ("direct-connect-port-17475-refused", Stage::Connect, Trouble::Refused, None, "refuses connections"),
        ("direct-connect-listener-http", Stage::Greeting, Trouble::NotTls, None, "plain HTTP"),
        (
            "direct-connect-listener-silent",
            Stage::Greeting,
            Trouble::TimedOut,
            None,
            "says nothing within 0.7 s",
        ),
        (
            "direct-connect-listener-reset",
            Stage::Greeting,
            Trouble::Reset,
            None,
            "reset right after the greeting",
        ),
        ("direct-connect-listener-old-tls", Stage::Greeting, Trouble::WrongVersion, None, "TLS 1.0"),
        ("direct-connect-listener-no-tls12", Stage::Greeting, Trouble::Alert, Some(70), "protocol_version"),
        (
            "direct-connect-listener-no-suite",
            Stage::Greeting,
            Trouble::Alert,
            Some(40),
            "instead of a greeting",
        ),
        (
            "direct-connect-listener-drips",
            Stage::Greeting,
            Trouble::TimedOut,
            None,
            "not complete within 0.7 s",
        ),
        ("direct-connect-listener-flood", Stage::Greeting, Trouble::TooMuch, None, "more than 64 KiB"),
    ] {
        let probe = with_fault(&lab, fault).await;
        let (found, why) = ((probe.stage, probe.trouble), probe.says.as_str());
        assert_eq!(found, (stage, Some(trouble)), "{fault}: {why}");
        assert_eq!(probe.alert, alert, "{fault}");
        assert!(why.contains(words), "{fault}: {why}");
        assert_eq!(
            probe.client_certificate, None,
            "{fault}: nothing is claimed of a flight that is not complete"
        );
    }
    lab.clear_faults();
    let healed = one(&prober(&lab, true), "dc.lab.example").await;
    assert!(healed.is_complete(), "the port listens again: {}", healed.says);
}

#[tokio::test]
async fn odd_certificates_are_read_as_they_are() {
    let lab = Lab::builder().endpoints(10).start().unwrap();
    let weak = with_fault(&lab, "direct-connect-listener-weak-key").await;
    assert_eq!(weak.leaf().unwrap().key_bits, Some(1024));
    let curved = with_fault(&lab, "direct-connect-listener-ec-key").await;
    let leaf = curved.leaf().unwrap();
    assert_eq!((leaf.key.as_str(), leaf.key_bits), ("EC", Some(256)));
    assert_eq!(curved.suite, "ECDHE-ECDSA-AES256-GCM-SHA384");
    let expired = with_fault(&lab, "direct-connect-server-certificate-expired").await;
    assert!(expired.leaf().unwrap().not_after.unwrap() < lab.now());
    let issued = with_fault(&lab, "direct-connect-listener-intercepted").await;
    assert_eq!(issued.leaf().unwrap().issuer, "CN=Lab Inspection CA");
    let open = with_fault(&lab, "direct-connect-listener-not-mutual").await;
    assert_eq!(open.client_certificate, Some(false));
    let nonsense = with_fault(&lab, "direct-connect-server-certificate-nonsense").await;
    assert!(nonsense.is_complete() && !nonsense.leaf().unwrap().unreadable.is_empty());
    let old = with_fault(&lab, "direct-connect-listener-cbc-only").await;
    assert_eq!(old.suite, "ECDHE-RSA-AES256-SHA384");
}

#[tokio::test]
async fn what_cannot_be_reached_ends_within_its_time() {
    let lab = Lab::builder().endpoints(10).start().unwrap();
    let prober = prober(&lab, true);
    let unknown = one(&prober, "nowhere.invalid").await;
    assert_eq!(unknown.stage, Stage::Resolve);
    assert!(unknown.says.contains("nowhere.invalid"), "{}", unknown.says);
    for (target, trouble) in [
        ("dc.lab.example:99999", Trouble::BadTarget),
        ("https://dc", Trouble::BadTarget),
        ("", Trouble::NoTarget),
    ] {
        let probe = one(&prober, target).await;
        assert_eq!((probe.stage, probe.trouble), (Stage::Target, Some(trouble)), "{target}");
        assert_eq!(probe.target, target);
    }
}

#[tokio::test]
async fn evidence_of_other_places_stands_beside_what_is_seen_here() {
    let lab = Lab::builder().endpoints(10).start().unwrap();
    let mut prober = prober(&lab, true);
    let other = |host: &str| Probe {
        host: host.to_owned(),
        port: Some(17475),
        vantage: Vantage::EndpointInternal,
        ..Probe::default()
    };
    prober.with_evidence(vec![other("DC.lab.example"), other("elsewhere")]);
    let (probes, _) = prober.look(&targets(&json!("dc.lab.example"), Port::Default(17475), false)).await;
    let places: Vec<Vantage> = probes.iter().map(|probe| probe.vantage).collect();
    assert_eq!(places, [Vantage::ModuleServer, Vantage::EndpointInternal]);
    assert_eq!(prober.so_far().len(), 1, "what others saw is theirs to report");
}

/// OpenSSL's server with a certificate of its own; it ends with this.
struct OpenSsl {
    server: Child,
    /// Held open: a server that cannot write ends.
    _output: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ended = self.server.kill();
        let _reaped = self.server.wait();
    }
}

fn has_openssl() -> bool {
    Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success())
}

fn openssl(folder: &std::path::Path, key: &[&str], suites: &str) -> OpenSsl {
    let [key_file, certificate] = ["key.pem", "cert.pem"].map(|name| folder.join(name).display().to_string());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-subj", "/CN=dc.example", "-days", "30", "-newkey"])
        .args(key)
        .args(["-keyout", &key_file, "-out", &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut server = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-cert", &certificate, "-key", &key_file])
        .args(["-tls1_2", "-verify", "1", "-cipher", suites])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    let mut lines = output.by_ref().lines().map_while(Result::ok);
    let line = lines.find(|line| line.starts_with("ACCEPT ")).unwrap();
    OpenSsl { server, _output: output, address: line["ACCEPT ".len()..].trim().parse().unwrap() }
}

/// The suites that OpenSSL's own client gets from the server.
fn by_client(address: SocketAddr) -> Vec<&'static str> {
    let takes = |name: &str| {
        let client = Command::new("openssl")
            .args(["s_client", "-tls1_2", "-cipher", name, "-connect", &address.to_string()])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        client.status.success()
    };
    SUITES.iter().map(|(name, _)| *name).filter(|name| takes(name)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_suite_is_answered_as_openssl_hears_it() {
    if !has_openssl() {
        println!("skipped: openssl is not installed");
        return;
    }
    let every = SUITES.map(|(name, _)| name).join(":");
    let few = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384";
    for (key, suites) in [
        (&["rsa:2048"][..], every.as_str()),
        (&["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], &every),
        (&["rsa:2048"], few),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = openssl(folder.path(), key, suites);
        let probing = Probing::default();
        let limits = Limits { probe_pause: Duration::ZERO, ..Limits::default() };
        let prober = Prober::new(&probing, &limits, NOW.parse().unwrap());
        let probe = one(&prober, &server.address.to_string()).await;
        assert!(probe.is_complete(), "{}", probe.says);
        assert_eq!(probe.client_certificate, Some(true));
        assert_eq!(probe.leaf().unwrap().common_name, "dc.example");
        assert_eq!(accepted(&probe), by_client(server.address), "{key:?} {suites}");
        assert!(probe.suites.iter().all(|suite| suite.result != SuiteResult::Error), "{:?}", probe.suites);
    }
}
