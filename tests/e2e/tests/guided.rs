//! `tancheck diagnose` and `tancheck guide` as processes, with a plugin that declares a tree and procedures of its own,
//! against the lab.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tancheck_e2e::{Machine, Ran};
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";
/// A computer of the lab.
const KNOWN: &str = "ws-0000000.lab.example";

struct Site {
    machine: Machine,
    lab: Lab,
}

impl Site {
    fn new() -> Self {
        let lab = Lab::builder().endpoints(50).now(NOW.parse().unwrap()).question_ms(1..=1).start().unwrap();
        let machine = Machine::with(&["tancheck-guided"]);
        machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
        Self { machine, lab }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.machine.run(&[arguments, &["--now", NOW]].concat())
    }

    fn diagnose(&self, arguments: &[&str]) -> Ran {
        self.run(&[&["diagnose", "guided", "-o", "json"], arguments].concat())
    }

    /// A document that is as its schema says.
    fn document(&self, ran: &Ran, schema: &str) -> Value {
        let schema = self.machine.run(&["schema", schema]).exits(0).json();
        let document = ran.json();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(wrong, [""; 0]);
        document
    }
}

fn answers<'a>(walk: &'a Value) -> Vec<(&'a str, &'a str, &'a str)> {
    let path = walk["path"].as_array().unwrap();
    let part = |one: &'a Value, key: &str| one[key].as_str().unwrap();
    path.iter().map(|one| (part(one, "node"), part(one, "answer"), part(one, "how"))).collect()
}

#[test]
fn a_script_is_told_what_is_missing_and_goes_on_where_it_stopped() {
    let site = Site::new();
    let ran = site.diagnose(&["--endpoint", KNOWN]).exits(3);
    let document = site.document(&ran, "diagnose");
    let walk = &document["walks"][0];
    assert_eq!(answers(walk), [("known", "yes", "seen"), ("module", "sound", "seen")]);
    assert_eq!(walk["asks"]["node"], "light");
    assert_eq!(walk["asks"]["answers"][2]["answer"], "red");
    let question = "question \"Get Computer Name from all machines with Computer Name equals";
    assert!(walk["path"][0]["sources"][0].as_str().unwrap().starts_with(question), "{walk:#}");

    let ran = site.diagnose(&["--endpoint", KNOWN, "--answer", "light=RED", "--by", "ann"]).exits(1);
    let document = site.document(&ran, "diagnose");
    assert_eq!(document["walks"][0]["leaf"]["id"], "failed");
    assert_eq!(document["walks"][0]["leaf"]["from_guide"], true);
    assert_eq!(document["walks"][0]["path"][2]["by"], "ann");

    // The same name in another spelling, and nothing is asked.
    let ran = site.diagnose(&["--endpoint", &KNOWN.to_uppercase()]).exits(1);
    assert_eq!(ran.json()["walks"][0]["leaf"]["id"], "failed");
    assert_eq!(
        site.diagnose(&["--endpoint", KNOWN, "--fresh"]).exits(3).json()["walks"][0]["leaf"],
        Value::Null
    );
    // A day later the answer has expired.
    let later = ["diagnose", "guided", "--endpoint", KNOWN, "--now", "2026-07-01T12:00:00Z"];
    let _ = site.machine.run(&later).exits(3);
    // What is known of one name says nothing about another.
    let other = site.diagnose(&["--endpoint", "ws-0000001.lab.example"]).exits(3).json();
    assert_eq!(other["walks"][0]["asks"]["node"], "light");
}

#[test]
fn what_is_said_now_comes_before_what_is_seen_and_what_was_said_earlier_after_it() {
    let site = Site::new();
    let said = site.diagnose(&["--endpoint", KNOWN, "--answer", "known=no"]).exits(1).json();
    assert_eq!(answers(&said["walks"][0]), [("known", "no", "said")]);
    assert_eq!(said["walks"][0]["leaf"]["id"], "unknown");
    // An answer needs no deployment.
    assert_eq!(site.lab.requests().len(), 0);
    let seen = site.diagnose(&["--endpoint", KNOWN]).exits(3).json();
    assert_eq!(answers(&seen["walks"][0])[0], ("known", "yes", "seen"));
    // Where nothing can be seen, the earlier word counts.
    let blind = site.diagnose(&["--endpoint", KNOWN, "--no-questions"]).exits(1).json();
    assert_eq!(answers(&blind["walks"][0]), [("known", "no", "said")]);
}

#[test]
fn a_healthy_leaf_is_code_0_unless_something_was_added_on_the_way() {
    let site = Site::new();
    let healthy = site.diagnose(&["--endpoint", KNOWN, "--answer", "light=green"]).exits(0).json();
    assert_eq!(healthy["walks"][0]["leaf"]["healthy"], true);
    let warm = site.diagnose(&["--endpoint", KNOWN, "--answer", "light=yellow"]).exits(1).json();
    assert_eq!(warm["walks"][0]["added"][0]["id"], "warm");
    assert_eq!(warm["walks"][0]["leaf"]["id"], "well");
}

#[test]
fn checks_decide_and_their_findings_are_the_evidence() {
    let site = Site::new();
    let ran = site.diagnose(&["--endpoint", KNOWN, "--set", "modules.guided.broken=true"]).exits(1).json();
    let walk = &ran["walks"][0];
    assert_eq!(walk["leaf"]["id"], "broken");
    assert_eq!(walk["path"][1]["notes"][0], "guided.state: the deployment is broken");
    assert_eq!(walk["path"][1]["sources"][0], "guided.state");
}

#[test]
fn many_are_grouped_by_leaf_the_worst_first_and_nobody_is_asked() {
    let site = Site::new();
    site.machine.write(
        "answers.toml",
        "light = \"green\"\n[\"WS-0000001.lab.example\"]\nlight = \"red\"\n[\"ws-0000002.lab.example\"]\nlight = \"red\"\n",
    );
    let path = site.machine.path("answers.toml").display().to_string();
    let names: Vec<String> = (0..4).map(|number| format!("ws-000000{number}.lab.example")).collect();
    let failed =
        format!("modules.guided.failed_lately={},{},nobody,bad\"name", names[..3].join(","), names[0]);
    let ran = site.diagnose(&["--failed", "--answers", &path, "--set", &failed]).exits(1);
    let document = site.document(&ran, "diagnose");
    let groups: Vec<(&str, Vec<&str>)> = document["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let subjects = group["subjects"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            (group["end"].as_str().unwrap(), subjects.collect())
        })
        .collect();
    assert_eq!(
        groups,
        [
            ("failed", vec![names[1].as_str(), names[2].as_str()]),
            ("unknown", vec!["nobody"]),
            ("well", vec![names[0].as_str()])
        ]
    );
    assert!(document["problems"][0].as_str().unwrap().contains("cannot stand in a question"), "{document:#}");
    let text =
        site.run(&["diagnose", "guided", "--failed", "--answers", &path, "--set", &failed]).exits(1).stdout;
    assert!(
        text.contains("4 diagnoses") && text.contains("for ws-0000001.lab.example, ws-0000002"),
        "{text}"
    );
    // The answer to the light of this one is known from the first call.
    let few = site.diagnose(&["--failed", "--limit", "1", "--set", &failed]).exits(0).json();
    assert_eq!(few["walks"].as_array().unwrap().len(), 1);
    assert!(few["problems"].to_string().contains("--limit 4 takes all"), "{few:#}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    let site = Site::new();
    let long = "x".repeat(300);
    for (arguments, sentence) in [
        (&["--endpoint", "a\"b"][..], "cannot stand in a question"),
        (&["--endpoint", "{setting:x}"], "cannot stand in a question"),
        (&["--endpoint", ""], "the name is empty"),
        (&["--endpoint", &long], "more than 253"),
        (&[], "say which computer with --endpoint NAME"),
        (&["--endpoint", KNOWN, "--answer", "light"], "expected QUESTION=ANSWER"),
        (&["--endpoint", KNOWN, "--answer", "ligth=red"], "did you mean \"light\"?"),
        (&["--endpoint", KNOWN, "--answer", "light=blue"], "expected one of green, yellow, red"),
        (&["--endpoint", KNOWN, "--answers", "/nowhere.toml"], "failed to read the answers /nowhere.toml"),
        (&["--failed", "--endpoint", KNOWN], "cannot be used with"),
    ] {
        let ran = site.diagnose(arguments).exits(2);
        assert!(ran.stderr.contains(sentence), "{arguments:?}: {}", ran.stderr);
    }
    for (text, sentence) in [
        ("light = 1\n", "the answer to light is no text"),
        ("lamp = \"red\"\n", "the diagnosis asks no \"lamp\""),
        ("[\"a|b\"]\nlight = \"red\"\n", "cannot stand in a question"),
        ("light = red\n", "answers.toml"),
    ] {
        site.machine.write("answers.toml", text);
        let path = site.machine.path("answers.toml").display().to_string();
        let ran = site.diagnose(&["--endpoint", KNOWN, "--answers", &path]).exits(2);
        assert!(ran.stderr.contains(sentence), "{text}: {}", ran.stderr);
    }
    let other = site.machine.run(&["diagnose", "other", "--endpoint", KNOWN]).exits(2);
    assert!(other.stderr.contains("there is no plugin \"other\""), "{}", other.stderr);
    assert_eq!(site.lab.requests().len(), 0);
}

#[test]
fn a_deployment_that_is_not_reached_is_code_5_until_people_say_enough() {
    let machine = Machine::with(&["tancheck-guided"]);
    machine.configure_deployment("http://127.0.0.1:9", "token-1", "id = \"lab\"\n[limits]\nretries = 0\n");
    let diagnose = |answers: &[&str]| {
        machine.run(&[&["diagnose", "guided", "-o", "json", "--endpoint", KNOWN], answers].concat())
    };
    let document = diagnose(&[]).exits(5).json();
    assert_eq!(document["walks"][0]["asks"]["node"], "known");
    assert!(document["walks"][0]["asks"]["why"].as_str().unwrap().contains("127.0.0.1:9"), "{document:#}");
    let answers = ["--answer", "known=yes", "--answer", "module=sound", "--answer", "light=red"];
    assert_eq!(diagnose(&answers).exits(1).json()["walks"][0]["leaf"]["id"], "failed");
}

#[test]
fn the_tree_tells_what_the_guide_says_and_what_is_derived() {
    let site = Site::new();
    let text = site.machine.run(&["diagnose", "guided", "--tree"]).exits(0).stdout;
    for line in
        ["yellow  → ■ well, adds ◇ warm", "read by guided.known, or a person answers · from the guide"]
    {
        assert!(text.contains(line), "{text}");
    }
    let tree = site.machine.run(&["diagnose", "guided", "--tree", "-o", "json"]).exits(0).json();
    assert_eq!(tree["start"], "known");
}

#[test]
fn a_procedure_shows_the_values_of_the_deployment_or_how_to_tell_them() {
    let site = Site::new();
    let list = site.document(&site.run(&["guide", "guided", "-o", "json"]).exits(0), "procedures");
    assert_eq!(list["procedures"][0]["id"], "renew");
    let unknown = site.run(&["guide", "guided", "renew"]).exits(0).stdout;
    for told in ["<owner of the module: tancheck answer guided.owner>", "set port under [modules.guided]"] {
        assert!(unknown.contains(told), "{unknown}");
    }
    assert_eq!(site.lab.requests().len(), 0, "nothing of this is on the deployment");
    let _ = site.machine.run(&["answer", "guided.owner", "Jo", "--by", "ann", "--at", "2026-06-29"]).exits(0);
    let port = ["--set", "modules.guided.port=8443"];
    let ran =
        site.run(&[&["guide", "guided", "renew", "--verify", "-o", "json"], &port[..]].concat()).exits(0);
    let document = site.document(&ran, "guide");
    assert_eq!(document["tasks"][0]["step"]["whom"], "Jo");
    assert_eq!(document["tasks"][1]["step"]["command"], "light --port 8443");
    assert_eq!(document["tasks"][1]["checks"][0]["outcome"], "pass");
    assert_eq!(document["cautions"][0], "port 8443 is dark meanwhile");
    assert_eq!(document["next"], "remove");
    let wrong = site.run(&["guide", "guided", "renw"]).exits(2);
    assert!(wrong.stderr.contains("did you mean \"renew\"?"), "{}", wrong.stderr);
}

#[test]
fn a_guard_holds_a_procedure_back_until_somebody_insists() {
    let site = Site::new();
    let _ = site.run(&["guide", "guided", "remove"]).exits(0);
    let standing = ["--set", "modules.guided.standing=lamp,clock", "-o", "json"];
    let remove = |more: &[&str]| site.run(&[&["guide", "guided", "remove"], more, &standing].concat());
    let ran = remove(&[]).exits(1);
    let held = site.document(&ran, "guide");
    assert_eq!((&held["guard"]["refuses"], &held["tasks"]), (&Value::Bool(true), &serde_json::json!([])));
    assert_eq!(held["guard"]["against"], serde_json::json!(["lamp", "clock"]));
    let shown = remove(&["--anyway"]).exits(0).json();
    assert_eq!(shown["tasks"].as_array().unwrap().len(), 1);
    assert_eq!(shown["guard"]["against"][0], "lamp");
    // What could not be seen holds it back as well.
    let machine = Machine::with(&["tancheck-guided"]);
    machine.configure_deployment("http://127.0.0.1:9", "token-1", "id = \"lab\"\n[limits]\nretries = 0\n");
    let blind = machine.run(&["guide", "guided", "remove", "-o", "json"]).exits(3).json();
    assert_eq!(blind["guard"]["refuses"], true);
    assert!(blind["guard"]["unknown"].as_str().unwrap().contains("127.0.0.1:9"), "{blind:#}");
    assert_eq!(blind["tasks"], serde_json::json!([]));
}
