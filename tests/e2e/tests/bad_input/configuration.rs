//! Configurations that cannot be read or say wrong things: exit code 2, file and line, and what was meant.

use crate::site::decent;
use tancheck_e2e::Machine;

const FILE: &str = "[machine]/config/tancheck/tancheck.toml";

/// What each file is told, after its path.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("no TOML", "[deployment\nurl = 1", &[":1:", "error"]),
    ("a word without quotes", "[deployment]\nurl = tanium", &[":2:7"]),
    ("unknown section", "[deploment]\nurl = \"https://x\"", &[":1:", "did you mean \"deployment\"?"]),
    ("unknown key", "[limits]\nretrys = 1", &[":2:1", "\"limits.retrys\"", "did you mean \"retries\"?"]),
    (
        "wrong type",
        "[limits]\nretries = \"many\"",
        &[":2:11", "limits.retries", "a whole number from 0 to 20"],
    ),
    ("out of range", "[limits]\n\nretries = 99", &[":3:11", "limits.retries", "from 0 to 20"]),
    ("no duration", "[limits]\nrequest_timeout = 30", &[":2:19", "a duration such as \"90s\""]),
    ("a share", "[limits]\ncomplete_share = 1.5", &[":2:18", "a number from 0 to 1"]),
    ("no address", "[deployment]\nurl = \"tanium.example.com\"", &[":2:7", "https://tanium.example.com"]),
    (
        "in the clear",
        "[deployment]\nurl = \"http://tanium.example.com\"",
        &[":2:7", "unencrypted; use https"],
    ),
    ("a path", "[deployment]\nurl = \"https://x/console\"", &[":2:7", "leave the path away"]),
    ("a password", "[deployment]\nurl = \"https://a:canary@x\"", &[":2:7", "use [deployment.login]"]),
    ("no such plugin", "[modules]\nenable = [\"conect\"]", &[":2:10", "did you mean \"connect\"?"]),
    (
        "a setting that does not exist",
        "[modules.connect]\nbundle_interval_dais = 3",
        &[":2:1", "did you mean \"bundle_interval_days\"?"],
    ),
    ("a wrong setting", "[modules.connect]\nbundle_interval_days = \"x\"", &[":2:", "a whole number from"]),
    ("twice", "[limits]\nretries = 1\nretries = 2", &[":3:"]),
    (
        "a token in the wrong place",
        "[deployment]\ntoken = \"token-canary\"",
        &[":2:1", "no secret belongs into the configuration"],
    ),
];

#[test]
fn every_wrong_configuration_is_told_with_its_place() {
    let machine = Machine::with(&["tancheck-connect"]);
    for (name, text, words) in TABLE {
        machine.configure(text);
        let ran = decent(&machine, &[], machine.run(&["run"]).exits(2));
        assert_eq!(ran.stdout, "", "{name}");
        let told = machine.scrub(&ran.stderr);
        assert!(told.starts_with(&format!("error: {FILE}")), "{name}: {told}");
        for word in *words {
            assert!(told.contains(word), "{name}: {word:?} is not in {told}");
        }
        assert!(!told.contains("canary"), "{name}: {told}");
    }
    assert!(!machine.path("state/tancheck/history.db").exists(), "nothing was run");
}

#[test]
fn a_configuration_that_cannot_be_read() {
    let machine = Machine::with(&["tancheck-connect"]);
    machine.configure("");
    let file = machine.path("config/tancheck/tancheck.toml");
    let told = |more: &[&str]| {
        let ran = decent(&machine, &[], machine.run(&[&["run"], more].concat()).exits(2));
        machine.scrub(&ran.stderr)
    };
    std::fs::write(&file, b"[deployment]\n# caf\xe9\nurl = \"https://x\"").unwrap();
    let text = told(&[]);
    assert!(text.contains(FILE) && text.contains("UTF-8"), "{text}");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(told(&[]).contains(FILE));
    std::fs::remove_dir(&file).unwrap();
    let text = told(&["--config", "elsewhere.toml"]);
    assert!(text.contains("elsewhere.toml"), "{text}");
    let text = told(&[]);
    assert!(text.contains("tancheck init"), "the next step is told: {text}");
}

#[test]
fn variables_and_flags_are_told_by_their_names() {
    let machine = Machine::with(&["tancheck-connect"]).variable("TANCHECK_LIMITS__RETRYS", "1");
    let ran = decent(&machine, &[], machine.run(&["run"]).exits(2));
    assert!(ran.stderr.contains("TANCHECK_LIMITS__RETRYS"), "{}", ran.stderr);
    let machine =
        machine.variable("TANCHECK_LIMITS__RETRYS", "").variable("TANCHECK_LIMITS__RETRIES", "many");
    let ran = decent(&machine, &[], machine.run(&["run"]).exits(2));
    assert!(ran.stderr.contains("TANCHECK_LIMITS__RETRIES"), "{}", ran.stderr);
    let ran = machine.run(&["run", "--set", "limits.retrys=1"]).exits(2);
    assert!(ran.stderr.contains("--set limits.retrys"), "{}", ran.stderr);
}
