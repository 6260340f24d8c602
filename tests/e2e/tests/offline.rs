//! Commands that ask nobody: usage, configuration, checks, plugins; as processes, with real plugins.

use std::io::Read;
use std::process::Stdio;
use tancheck_e2e::Machine;

const PLUGINS: [&str; 2] = ["tancheck-actions", "tancheck-connect"];

/// Documents that `-o json` prints, and the commands that print them.
const DOCUMENTS: [(&str, &[&str]); 6] = [
    ("checks", &["checks", "list"]),
    ("explain", &["explain", "connect.failed-report-exists"]),
    ("plugins", &["plugins", "list"]),
    ("plugin", &["plugins", "show", "connect"]),
    ("permissions", &["permissions"]),
    ("config", &["config", "explain"]),
];

#[test]
fn usage_errors_have_code_2_and_leave_stdout_empty() {
    let machine = Machine::empty();
    let wrong: [&[&str]; 6] = [
        &[],
        &["--nonsense"],
        &["confg"],
        &["checks", "list", "--cadence", "daily"],
        &["checks", "list", "-o", "xml"],
        &["config", "explain", "--set", "limits.retries=99"],
    ];
    for arguments in wrong {
        let ran = machine.run(arguments).exits(2);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
    let ran = machine.run(&["config", "explain", "-o", "jsn"]).exits(2);
    assert_eq!(ran.stderr, "error: this command has no format \"jsn\"; did you mean \"json\"?\n");
}

#[test]
fn version_and_help_are_results() {
    let machine = Machine::empty();
    let version = machine.run(&["--version"]).exits(0);
    assert!(version.stdout.starts_with("tancheck ") && version.stderr.is_empty());
    for arguments in [&["--help"][..], &["-h"], &["checks", "list", "--help"], &["help", "plugins", "trust"]]
    {
        let help = machine.run(arguments).exits(0);
        assert!(help.stdout.contains("Usage: tancheck"), "{arguments:?}");
        assert!(help.stdout.contains("Example") && help.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn without_a_configuration_the_next_step_is_told() {
    let ran = Machine::empty().run(&["checks", "list"]).exits(2);
    assert_eq!(ran.stderr, "error: no plugin can be used here; \"tancheck plugins list\" tells why\n");
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() {
    let machine = Machine::with(&PLUGINS);
    machine.configure("[deployment]\nurll = \"https://x\"\n[modules]\nenable = [\"conect\"]\n");
    let ran = machine.run(&["checks", "list"]).exits(2);
    let told = machine.scrub(&ran.stderr);
    let at = "[machine]/config/tancheck/tancheck.toml";
    assert_eq!(told, format!("error: {at}:2:1: unknown key \"deployment.urll\"; did you mean \"url\"?\n"));
    machine.configure("[modules]\nenable = [\"conect\"]\n[modules.connect]\nbundle_interval_days = 0\n");
    let told = machine.scrub(&machine.run(&["checks", "list"]).exits(2).stderr);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines[0],
        format!("error: {at}:2:10: there is no plugin \"conect\"; did you mean \"connect\"?")
    );
    let range = "modules.connect.bundle_interval_days is 0; it has to be a whole number from ";
    assert!(lines[1].starts_with(&format!("error: {at}:4:1: {range}")), "{told}");
}

#[test]
fn every_document_is_json_and_follows_its_schema() {
    let machine = Machine::with(&PLUGINS);
    for (name, command) in DOCUMENTS {
        let schema = machine.run(&["schema", name]).exits(0).json();
        let ran = machine.run(&[command, &["-o", "json"]].concat()).exits(0);
        assert_eq!(ran.stderr, "", "{name}");
        let document = ran.json();
        assert_eq!(document["format"], 1, "{name}");
        let wrong: Vec<String> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(wrong, [""; 0], "{name}");
    }
}

#[test]
fn checks_are_listed_and_filtered() {
    let machine = Machine::with(&PLUGINS);
    let list = |more: &[&str]| {
        let document = machine.run(&[&["checks", "list", "-o", "json"], more].concat()).exits(0).json();
        document["checks"].as_array().unwrap().clone()
    };
    let all = list(&[]);
    let of = |plugin: &str| all.iter().filter(|row| row["plugin"] == plugin).count();
    assert!(of("actions") > 0 && of("connect") > 0 && of("actions") + of("connect") == all.len());
    assert_eq!(list(&["--module", "connect"]).len(), of("connect"));
    let setup = list(&["--cadence", "setup", "--kind", "automated"]);
    assert!(!setup.is_empty() && setup.len() < all.len());
    assert!(setup.iter().all(|row| row["kind"] == "automated"));
    assert!(setup.iter().all(|row| row["cadence"].as_array().unwrap().iter().any(|one| one == "setup")));
    let none = machine.run(&["checks", "list", "--module", "actions", "--cadence", "annual"]).exits(2);
    assert_eq!(none.stderr, "error: no check matches\n");
    let unknown = machine.run(&["checks", "list", "--module", "conect"]).exits(2);
    assert_eq!(unknown.stderr, "error: there is no plugin \"conect\"; did you mean \"connect\"?\n");
    let text = machine.run(&["checks", "list"]).exits(0).stdout;
    assert!(text.lines().nth(1).unwrap().starts_with("actions."), "{text}");
    assert_eq!(text.lines().last(), Some(&*format!("{} checks", all.len())));
}

#[test]
fn a_check_is_explained_with_the_settings_in_force() {
    let machine = Machine::with(&PLUGINS);
    machine.configure("[modules.connect]\nbundle_interval_days = 30\n");
    let ran = machine.run(&["explain", "connect.support-bundle"]).exits(0);
    for part in ["What it does", "Why it matters", "What it reads", "What to do", "maintenance guide:"] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let line = ran.stdout.lines().find(|line| line.contains("bundle_interval_days")).unwrap();
    assert!(line.contains("= 30") && line.ends_with("tancheck.toml:2:1"), "{line}");
    let shown = machine.run(&["checks", "show", "connect.support-bundle"]).exits(0);
    assert_eq!(shown.stdout, ran.stdout);
    let unknown = machine.run(&["explain", "connect.suport-bundle"]).exits(2);
    assert!(unknown.stderr.contains("did you mean \"connect.support-bundle\"?"), "{}", unknown.stderr);
}

#[test]
fn a_plugin_is_used_only_after_somebody_trusted_this_very_file() {
    let machine = Machine::with_untrusted(&["tancheck-connect"]);
    let listed = || machine.run(&["plugins", "list", "-o", "json"]).exits(0).json();
    let document = listed();
    assert_eq!(document["plugins"].as_array().unwrap().len(), 0);
    assert_eq!(document["refused"][0]["id"], "connect");
    let explained = machine.run(&["explain", "connect.support-bundle"]).exits(2);
    assert!(explained.stderr.contains("nobody trusted connect"), "{}", explained.stderr);

    let file = machine.plugin_files().remove(0);
    let file = file.to_str().unwrap();
    let asked = machine.run(&["plugins", "trust", file]).exits(2);
    assert!(asked.stderr.contains("Privileges") && asked.stderr.contains("give --yes"), "{}", asked.stderr);
    assert_eq!(listed()["plugins"].as_array().unwrap().len(), 0, "nobody agreed");

    let trusted = machine.run(&["plugins", "trust", "--yes", file, "-o", "json"]).exits(0).json();
    assert_eq!(trusted["trusted"][0]["id"], "connect");
    assert_eq!(listed()["plugins"][0]["sha256"], trusted["trusted"][0]["sha256"]);

    let bytes = std::fs::read(file).unwrap();
    std::fs::remove_file(file).unwrap();
    std::fs::write(file, [&bytes[..], b"!"].concat()).unwrap();
    let document = listed();
    assert!(document["refused"][0]["reason"].as_str().unwrap().contains("changed since"), "{document}");
}

#[test]
fn what_is_no_plugin_is_not_trusted() {
    let machine = Machine::empty();
    machine.write("plugins/libnonsense.so", "not a library");
    let ran = machine.run(&["plugins", "trust", "--yes", "plugins/libnonsense.so"]).exits(2);
    assert!(ran.stderr.contains("libnonsense.so: "), "{}", ran.stderr);
    assert!(machine.run(&["plugins", "trust", "--yes", "nowhere.so"]).exits(2).stderr.contains("nowhere.so"));
}

#[test]
fn permissions_are_those_of_the_enabled_plugins() {
    let machine = Machine::with(&PLUGINS);
    machine.configure("[modules]\nenable = [\"connect\"]\n");
    let document = machine.run(&["permissions", "-o", "json"]).exits(0).json();
    assert_eq!(document["plugins"], serde_json::json!(["connect"]));
    let privileges = document["privileges"].as_array().unwrap();
    let read = privileges.iter().find(|one| one["name"] == "connect read").unwrap();
    assert_eq!((&read["need"], &read["held"]), (&"required".into(), &serde_json::Value::Null));
    assert!(!read["checks"].as_array().unwrap().is_empty());
    assert!(privileges.iter().any(|one| one["name"] == "connect read all" && one["need"] == "complete"));
}

#[test]
fn a_key_is_explained() {
    let machine = Machine::empty().variable("TANCHECK_LIMITS__RETRIES", "2");
    machine.configure("[limits]\nretries = 3\n");
    let ran = machine.run(&["config", "explain", "limits.retries"]).exits(0);
    insta::assert_snapshot!(machine.scrub(&ran.stdout), @"
    limits.retries = 2
      How often a request is repeated when the server is busy or the connection breaks.

      from      variable TANCHECK_LIMITS__RETRIES
      overrules [machine]/config/tancheck/tancheck.toml:2:11
      accepts   a whole number from 0 to 20
      variable  TANCHECK_LIMITS__RETRIES
    ");
}

#[test]
fn a_closed_stdout_ends_quietly() {
    let machine = Machine::with(&PLUGINS);
    let mut child = machine
        .command(&["config", "explain", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_full_disk_is_told() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let machine = Machine::empty();
    let output = machine.command(&["config", "explain"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(70));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: failed to write to stdout"));
}

#[test]
fn results_go_where_they_are_sent() {
    let machine = Machine::with(&PLUGINS);
    let ran = machine.run(&["checks", "list", "-o", "json=checks.json", "-o", "text"]).exits(0);
    assert!(ran.stdout.starts_with("check "), "{}", ran.stdout);
    let written = std::fs::read_to_string(machine.path("checks.json")).unwrap();
    assert_eq!(written, machine.run(&["checks", "list", "-o", "json"]).exits(0).stdout);
}

#[test]
fn the_doctor_tells_what_is_missing_here() {
    let machine = Machine::with(&["tancheck-connect"]);
    let doctor = || machine.run(&["doctor", "--offline", "-o", "json"]);
    let state = |document: &serde_json::Value, name: &str| {
        let lines = document["lines"].as_array().unwrap().clone();
        let states: Vec<String> = lines
            .iter()
            .filter(|line| line["name"] == name)
            .map(|line| line["state"].as_str().unwrap().to_owned())
            .collect();
        states.join(",")
    };
    let nothing = doctor().exits(2).json();
    assert_eq!(state(&nothing, "configuration"), "warn,fail");
    assert_eq!((state(&nothing, "plugins"), state(&nothing, "state")), ("ok".into(), "ok".into()));

    machine.configure_deployment("https://tanium.example.com", "token-1", "");
    let good = doctor().exits(0).json();
    assert_eq!((state(&good, "configuration"), state(&good, "token")), ("ok".into(), "ok".into()));
    assert_eq!(good["healthy"], true);

    machine.configure_deployment("https://tanium.example.com", "", "[modules]\nenable = [\"conect\"]\n");
    let bad = doctor().exits(2).json();
    assert_eq!((state(&bad, "configuration"), state(&bad, "token")), ("ok,fail".into(), "fail".into()));
    assert_eq!(state(&bad, "plugins"), "fail", "none is enabled");
    machine.configure("nonsense = 1");
    assert_eq!(state(&doctor().exits(2).json(), "configuration"), "fail");
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let colored = |machine: &Machine, more: &[&str]| {
        let ran = machine.run(&[&["config", "explain", "limits"], more].concat()).exits(0);
        ran.stdout.contains('\u{1b}')
    };
    let machine = Machine::empty();
    assert!(!colored(&machine, &[]));
    assert!(colored(&machine, &["--color", "always"]));
    let machine = machine.variable("CLICOLOR_FORCE", "1");
    assert!(colored(&machine, &[]));
    assert!(!colored(&machine, &["--color=never"]));
    let machine = machine.variable("NO_COLOR", "1");
    assert!(colored(&machine, &["--color=always"]));
}
