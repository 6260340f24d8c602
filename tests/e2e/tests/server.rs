//! Commands that ask the deployment: init, doctor, permissions --compare; as processes, against the lab.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tancheck_e2e::{Machine, Ran};
use tancheck_lab::Lab;

/// A lab of today: these commands take the machine's time.
fn lab() -> Lab {
    Lab::builder().endpoints(10).now(jiff::Timestamp::now()).start().unwrap()
}

fn init(machine: &Machine, lab: &Lab, more: &[&str]) -> Ran {
    machine.write("token", lab.token());
    let url = lab.url();
    machine.run(&[&["init", &url, "--token-file", "token", "-o", "json"], more].concat())
}

fn line<'a>(document: &'a Value, name: &str) -> &'a Value {
    let lines = document["lines"].as_array().unwrap();
    lines.iter().find(|line| line["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn init_writes_a_configuration_that_works() {
    let machine = Machine::with(&["tancheck-actions", "tancheck-connect"]);
    let lab = lab();
    let document = init(&machine, &lab, &[]).exits(0).json();
    let enabled: Vec<&Value> =
        document["enabled"].as_array().unwrap().iter().map(|one| &one["plugin"]).collect();
    assert_eq!(enabled, ["actions", "connect"]);
    let file = machine.path("config/tancheck/tancheck.toml");
    assert_eq!(document["file"], file.display().to_string());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains(lab.token()), "the token stays in its own file");
    // A licence that ended long ago covers nothing.
    let past = Lab::builder().endpoints(10).now("2016-03-04T12:00:00Z".parse().unwrap()).start().unwrap();
    let ended = init(&machine, &past, &["--to", "past.toml"]).exits(0).json();
    assert_eq!(ended["left"][0]["plugin"], "connect", "{ended}");
    assert!(ended["left"][0]["reason"].as_str().unwrap().contains("ended on"), "{ended}");
    machine.write("token", lab.token());

    let doctor = machine.run(&["doctor", "-o", "json"]).exits(0).json();
    for name in ["configuration", "plugins", "token", "server", "login"] {
        assert_eq!(line(&doctor, name)["state"], "ok", "{name}: {doctor}");
    }
    let again = init(&machine, &lab, &[]).exits(2);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let _ = init(&machine, &lab, &["--force"]).exits(0);
}

#[test]
fn init_needs_an_answer_and_writes_nothing_without_one() {
    let machine = Machine::empty();
    let file = machine.path("config/tancheck/tancheck.toml");
    let missing = machine.run(&["init"]).exits(2);
    assert!(missing.stderr.contains("deployment.url") || missing.stderr.contains("TANCHECK_DEPLOYMENT__URL"));
    machine.write("token", "token-1");
    let nobody =
        machine.run(&["init", "http://127.0.0.1:9", "--token-file", "token", "--set", "limits.retries=0"]);
    let nobody = nobody.exits(5);
    assert!(nobody.stderr.contains("127.0.0.1:9"), "{}", nobody.stderr);
    let lab = lab();
    machine.write("token", "token-wrong");
    let refused = machine.run(&["init", &lab.url(), "--token-file", "token"]).exits(5);
    assert!(!refused.stderr.contains("token-wrong"), "{}", refused.stderr);
    assert!(!file.exists());
}

#[test]
fn the_doctor_tells_server_and_login_apart() {
    let machine = Machine::with(&["tancheck-actions"]);
    let lab = lab();
    machine.configure_deployment(&lab.url(), "token-wrong", "");
    let refused = machine.run(&["doctor", "-o", "json"]).exits(5).json();
    assert_eq!(line(&refused, "server")["state"], "ok", "{refused}");
    assert_eq!(line(&refused, "login")["state"], "fail", "{refused}");
    machine.configure_deployment("http://127.0.0.1:9", "token-1", "[limits]\nretries = 0\n");
    let nobody = machine.run(&["doctor", "-o", "json"]).exits(5).json();
    assert_eq!(line(&nobody, "server")["state"], "fail", "{nobody}");
    assert_eq!(line(&nobody, "login"), &Value::Null);
}

#[test]
fn what_the_account_lacks_is_told() {
    let machine = Machine::with(&["tancheck-connect"]);
    let lab = lab();
    let token = lab.token_with(&["use token", "connect read", "show connect"]);
    machine.configure_deployment(&lab.url(), &token, "");
    let document = machine.run(&["permissions", "--compare", "-o", "json"]).exits(3).json();
    let held = |name: &str| {
        let privileges = document["privileges"].as_array().unwrap();
        privileges.iter().find(|one| one["name"] == name).unwrap()["held"].clone()
    };
    assert_eq!((held("connect read"), held("connect read all")), (true.into(), false.into()));
    let doctor = machine.run(&["doctor", "-o", "json"]).exits(0).json();
    let privileges = line(&doctor, "privileges");
    assert_eq!(privileges["state"], "warn", "{doctor}");
    assert!(privileges["seen"].as_str().unwrap().contains("connect read all"));
}

#[test]
fn the_log_follows_v_and_never_holds_the_token() {
    let machine = Machine::with(&["tancheck-actions"]);
    let lab = lab();
    machine.configure_deployment(&lab.url(), lab.token(), "");
    assert_eq!(machine.run(&["doctor", "-o", "json"]).exits(0).stderr, "");
    let loud = machine.run(&["doctor", "-vvv", "-o", "json"]).exits(0);
    assert!(loud.stderr.contains("session/current"), "{}", loud.stderr);
    assert!(!loud.stderr.contains(lab.token()) && !loud.stdout.contains(lab.token()));
    assert_eq!(loud.json()["healthy"], true);
}

#[test]
fn a_token_that_everybody_can_read_is_warned_about() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::with(&["tancheck-actions"]);
    let lab = lab();
    machine.configure_deployment(&lab.url(), lab.token(), "");
    let mode = |mode| {
        std::fs::set_permissions(machine.path("token"), std::fs::Permissions::from_mode(mode)).unwrap()
    };
    mode(0o644);
    let ran = machine.run(&["permissions", "--compare"]);
    assert!(ran.stderr.contains("can be read by everybody"), "{}", ran.stderr);
    mode(0o666);
    let ran = machine.run(&["permissions", "--compare"]).exits(5);
    assert!(ran.stderr.contains("others can change it"), "{}", ran.stderr);
}
