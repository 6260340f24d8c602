//! Plugin files that cannot be used, and plugins that misbehave: they cost their own rows, and the others run on.

use crate::site::{Site, decent, lab};
use std::path::PathBuf;
use tancheck_e2e::Machine;

const GOOD: &str = "tancheck-actions";

/// Puts the library of a package into the plugins folder under this name; nobody trusts it.
fn add(machine: &Machine, package: &str, name: &str) -> PathBuf {
    let to = machine.path("plugins").join(name);
    std::fs::copy(tancheck_test_support::library(package), &to).unwrap();
    to
}

#[test]
fn a_file_that_is_no_usable_plugin_costs_itself_only() {
    let mut site = Site::of(lab(), &[GOOD], "");
    let before = site.settle();
    let machine = &site.machine;
    let good = std::fs::read(&machine.plugin_files()[0]).unwrap();
    let at = |name: &str| machine.path("plugins").join(name);
    std::fs::write(at("libtext.so"), "not a library").unwrap();
    std::fs::write(at("libempty.so"), "").unwrap();
    std::fs::write(at("libhalf.so"), &good[..good.len() / 2]).unwrap();
    std::fs::create_dir(at("libfolder.so")).unwrap();
    std::os::unix::fs::symlink("/nowhere", at("libdangling.so")).unwrap();
    add(machine, "tancheck-connect", "libuntrusted.so");
    add(machine, "tancheck-abi-second", "libtoo-new.so");
    std::fs::write(at("libtoo-old.so"), replaced(&good, b"\napi=1.", b"\napi=0.")).unwrap();
    // A copy of a library that is there already, under another name.
    std::fs::write(at("libcopy.so"), &good).unwrap();
    let words = [
        ("libtext.so", "a text file"),
        ("libempty.so", "an empty file"),
        ("libhalf.so", "cut short"),
        ("libuntrusted.so", "nobody trusted connect"),
        ("libtoo-new.so", "plugin API"),
        ("libtoo-old.so", "use a later build of the plugin"),
    ];
    let report = site.report(&[], Some(0));
    assert_eq!(report.costs(&before, &[]), [""; 0], "the good one runs on");
    let refused = report.0["refused"].as_array().unwrap();
    for (name, word) in words {
        let one = refused.iter().find(|one| one["path"].as_str().unwrap().ends_with(name));
        let one = one.unwrap_or_else(|| panic!("{name} is not told: {refused:#?}"));
        assert!(one["reason"].as_str().unwrap().contains(word), "{one:#}");
    }
    let listed = site.decent(machine.run(&["plugins", "list", "-o", "json"]).exits(0)).json();
    assert_eq!(listed["refused"].as_array().unwrap().len(), refused.len());
}

/// The same bytes, with some of them exchanged.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, old).collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place..place + new.len()].copy_from_slice(new);
    }
    bytes
}

#[test]
fn a_trusted_library_that_was_changed_is_not_loaded() {
    let mut site = Site::of(lab(), &[GOOD, "tancheck-connect"], "");
    let before = site.settle_on("actions");
    let connect = site.machine.path("plugins/libtancheck_connect.so");
    let bytes = std::fs::read(&connect).unwrap();
    // The file may be a link to one that other tests use.
    for changed in [[&bytes[..], b"!"].concat(), bytes[..bytes.len() - 1].to_vec()] {
        std::fs::remove_file(&connect).unwrap();
        std::fs::write(&connect, changed).unwrap();
        let report = site.report(&[], Some(0));
        assert_eq!(report.costs(&before, &[]), [""; 0], "the other one runs on");
        let refused = &report.0["refused"][0];
        assert!(refused["path"].as_str().unwrap().ends_with("libtancheck_connect.so"), "{refused}");
        let reason = refused["reason"].as_str().unwrap();
        assert!(reason.contains("changed since") || reason.contains("cut short"), "{reason}");
        let ran = site.run(&["--module", "connect"]);
        assert!(matches!(ran.code, Some(2 | 3)), "{ran:#?}");
        // A file that is cut short does not tell whose it is.
        let told = format!("{}{}", ran.stdout, ran.stderr);
        let words = ["libtancheck_connect.so", "tancheck plugins list"];
        assert!(words.iter().any(|word| told.contains(word)), "{ran:#?}");
    }
}

#[test]
fn an_enabled_plugin_that_cannot_be_used_makes_the_run_incomplete() {
    let enable = "[modules]\nenable = [\"actions\", \"connect\"]\n";
    let site = Site::of(lab(), &[GOOD], "");
    add(&site.machine, "tancheck-connect", "libconnect.so");
    site.machine.configure_deployment(&site.lab.url(), site.lab.token(), enable);
    let report = site.report(&["--fail-on", "never"], Some(3));
    assert!(report.told().contains("the plugin connect cannot be used"), "{}", report.told());
    assert!(report.told().contains("nobody trusted connect"), "{}", report.told());
    assert!(!report.ids("pass").is_empty());
    // Without the file the name means nothing.
    std::fs::remove_file(site.machine.path("plugins/libconnect.so")).unwrap();
    let ran = site.run(&[]).exits(2);
    assert!(ran.stderr.contains("there is no plugin \"connect\""), "{}", ran.stderr);
    assert!(site.machine.scrub(&ran.stderr).contains("tancheck.toml:5:10"), "{}", ran.stderr);
}

#[test]
fn a_machine_where_nothing_can_be_used() {
    let machine = Machine::with_untrusted(&[GOOD]);
    machine.configure_deployment("https://tanium.invalid", "token-canary", "");
    let ran = decent(&machine, &["token-canary"], machine.run(&["run"]).exits(2));
    assert!(ran.stderr.contains("tancheck plugins"), "the next step is told: {}", ran.stderr);
    // What a plugins folder is not.
    std::fs::remove_dir_all(machine.path("plugins")).unwrap();
    let ran = machine.run(&["run"]).exits(2);
    assert!(ran.stderr.contains("tancheck doctor"), "{}", ran.stderr);
}

/// What each check of the hostile plugin ends in, and words of its reason.
const MISDEEDS: &[(&str, &str, &str)] = &[
    ("panic", "crashed", "boom"),
    ("abort", "crashed", "signal 6"),
    ("stack", "crashed", "signal"),
    ("null-write", "crashed", "signal 11"),
    ("exit-0", "crashed", "exit"),
    ("loop", "timed-out", "limits.check_time"),
    ("sleep", "timed-out", "limits.check_time"),
    ("memory", "crashed", "memory"),
    ("garbage", "crashed", ""),
    ("flood", "pass", ""),
    ("well-behaved", "pass", ""),
];

#[test]
fn a_hostile_plugin_costs_its_own_rows() {
    let mut site = Site::of(lab(), &[GOOD, "tancheck-hostile"], "");
    let with = |outcome: &str, limits: &[&'static str]| -> Vec<String> {
        let chosen =
            MISDEEDS.iter().filter(|(_, wanted, _)| (*wanted == "timed-out") == (outcome == "timed-out"));
        let checks = chosen.flat_map(|(name, ..)| ["--check".to_owned(), format!("hostile.{name}")]);
        checks.chain(limits.iter().flat_map(|limit| ["--set".to_owned(), (*limit).to_owned()])).collect()
    };
    // Only those that never end are given little time: a busy machine is no misdeed.
    let endless = with("timed-out", &["limits.check_time=2s"]);
    let endless: Vec<&str> = endless.iter().map(String::as_str).collect();
    let others = with("crashed", &["limits.check_time=60s", "limits.worker_memory=512MiB"]);
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    // Everything of the good plugin, beside the misdeeds.
    let before = site.settle_on("actions");
    let report = site.report(&others, Some(3));
    let timed_out = site.report(&endless, Some(3));
    for (name, outcome, words) in MISDEEDS {
        let report = if *outcome == "timed-out" { &timed_out } else { &report };
        let check = report.check(&format!("hostile.{name}"));
        assert_eq!(check["outcome"], *outcome, "{check:#}");
        assert!(check["reason"].as_str().unwrap_or_default().contains(words), "{check:#}");
    }
    for check in before.checks() {
        assert_eq!(report.check(check["id"].as_str().unwrap())["outcome"], check["outcome"], "{check:#}");
    }
    let noise = report.0["noise"].to_string();
    assert!(noise.len() < 64 * 1024, "a flood is cut: {} bytes", noise.len());

    // What failed so twice is not tried a third time, and that is told; the others run on.
    let _ = site.report(&endless, Some(3));
    let patient = ["--check", "hostile.well-behaved", "--set", "limits.check_time=60s"];
    let third = site.report(&[&endless[..], &patient].concat(), Some(3));
    let reason = third.check("hostile.loop")["reason"].as_str().unwrap();
    assert!(reason.contains("is not judged again until its library changes"), "{reason}");
    assert_eq!(third.check("hostile.well-behaved")["outcome"], "pass");
    let quarantined = third.0["quarantined"].as_array().unwrap();
    assert!(quarantined.iter().any(|one| one["check"] == "hostile.loop"), "{quarantined:#?}");
    // Text shows no control characters of a plugin.
    let text = site.machine.run(&["run", "--check", "hostile.escapes", "--set", "limits.retries=0"]);
    assert!(!text.stdout.contains(['\u{1b}', '\u{7}']), "{}", text.stdout);
}
