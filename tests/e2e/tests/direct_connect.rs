//! The diagnosis and the procedures of Direct Connect against the lab: what can be seen is seen.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use tancheck_e2e::{Machine, Ran, Terminal};
use tancheck_lab::Lab;

const NOW: &str = "2026-06-30T12:00:00Z";
/// The endpoint that the lab's faults change first, and whose session is in the action history.
const FIRST: &str = "ws-0000000.lab.example";
const OTHER: &str = "ws-0000001.lab.example";
/// Nobody has said which name endpoints connect to, so that the module's listener cannot be looked at.
const SOUND: &str = "module=sound";

/// A machine that knows what only people know, and a deployment with faults.
fn site(faults: &[&str]) -> (Machine, Lab) {
    let lab =
        Lab::builder().endpoints(50).special_cells_every(0).now(NOW.parse().unwrap()).question_ms(1..=1);
    let lab = faults.iter().fold(lab, |lab, fault| lab.fault(fault)).start().unwrap();
    let machine = Machine::with(&["tancheck-direct-connect"]);
    machine.configure_deployment(&lab.url(), lab.token(), "id = \"lab\"\n");
    lab.write_exports(&machine.path("state/tancheck/exports")).unwrap();
    for (input, answer) in [("open-steps", "none"), ("action-lock", "Block All Direct Connection Actions")] {
        let input = format!("direct-connect.{input}");
        let _ = machine.run(&["answer", &input, answer, "--by", "ann", "--at", "2026-06-29"]).exits(0);
    }
    (machine, lab)
}

fn diagnose(machine: &Machine, arguments: &[&str]) -> Ran {
    machine.run(&[&["diagnose", "direct-connect", "-o", "json", "--now", NOW], arguments].concat())
}

/// Node, answer, and how it was come by.
fn path(walk: &Value) -> Vec<String> {
    let part = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let stages = walk["path"].as_array().unwrap().iter();
    stages.map(|one| format!("{} {} {}", part(one, "node"), part(one, "answer"), part(one, "how"))).collect()
}

/// The leaf of one endpoint, with answers.
fn leaf(machine: &Machine, endpoint: &str, answers: &[&str]) -> String {
    let answers: Vec<&str> = answers.iter().flat_map(|answer| ["--answer", answer]).collect();
    let ran =
        diagnose(machine, &[&["--endpoint", endpoint, "--fresh", "--answer", SOUND], &answers[..]].concat());
    let walk = ran.json()["walks"][0].clone();
    walk["leaf"]["id"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn what_the_deployment_tells_is_not_asked() {
    let (machine, _lab) = site(&[]);
    let document = diagnose(&machine, &["--endpoint", FIRST]).exits(3).json();
    assert_eq!(document["walks"][0]["asks"]["node"], "module");
    let document = diagnose(&machine, &["--endpoint", FIRST, "--answer", SOUND]).exits(3).json();
    let walk = &document["walks"][0];
    assert_eq!(
        path(walk),
        [
            "module sound said",
            "endpoint one seen",
            "operating-system supported seen",
            "client-version recent seen",
            "action-lock off seen"
        ]
    );
    assert_eq!(walk["asks"]["node"], "connection-test");
    // Its session ran, and no session came to be: the way is not told, for it is not in the grid.
    let document =
        diagnose(&machine, &["--endpoint", FIRST, "--answer", "connection-test=failed"]).exits(3).json();
    let walk = &document["walks"][0];
    assert_eq!(path(walk)[6..], ["session-action issued seen", "action-result ran seen"]);
    assert_eq!(walk["asks"]["node"], "session-path");
    // One more answer, and the last run of Configure Extension is seen: it failed there.
    let document =
        diagnose(&machine, &["--endpoint", FIRST, "--answer", "session-path=direct"]).exits(1).json();
    let walk = &document["walks"][0];
    assert_eq!(walk["leaf"]["id"], "configuration-old", "{walk:#}");
    assert_eq!(path(walk).last().unwrap(), "configuration old seen");
    let healthy = diagnose(
        &machine,
        &["--endpoint", OTHER, "--answer", SOUND, "--answer", "connection-test=succeeded"],
    )
    .exits(0)
    .json();
    assert_eq!(healthy["walks"][0]["leaf"]["id"], "path-healthy");
}

#[test]
fn at_a_terminal_it_asks_what_it_cannot_see_and_goes_on_later() {
    let (machine, _lab) = site(&[]);
    let start = |more: &[&str]| {
        Terminal::start(&mut machine.command(&[&["diagnose", "direct-connect", "--now", NOW], more].concat()))
    };
    let prompt = "Answer (nothing: stop here and resume later): ";
    let mut terminal = start(&[]);
    terminal.until("Name of the endpoint: ");
    terminal.types(FIRST);
    let asked = terminal.until(prompt);
    assert!(asked.contains("question module"), "{asked}");
    terminal.types("perhaps");
    let refused = terminal.until(prompt);
    assert!(refused.contains("perhaps") && refused.contains("sound"), "{refused}");
    terminal.types("sound");
    // What is seen in between is shown, and the next question.
    let seen = terminal.until(prompt);
    for words in ["action-lock", "Windows", "question connection-test"] {
        assert!(seen.contains(words), "{words}: {seen}");
    }
    // The second answer, by its number.
    terminal.types("2");
    let seen = terminal.until(prompt);
    assert!(seen.contains("session-action") && seen.contains("question session-path"), "{seen}");
    terminal.types("");
    let stopped = terminal.ends().exits(3);
    assert!(stopped.stdout.contains("--answer session-path="), "{stopped:#?}");
    assert!(!stopped.stdout.contains("Answer (nothing"), "questions are no result: {stopped:#?}");

    // The end of the input is no answer either.
    let mut terminal = start(&["--endpoint", FIRST]);
    let asked = terminal.until(prompt).to_owned();
    assert!(asked.contains("question session-path") && !asked.contains("question module"), "{asked}");
    terminal.ends_input();
    let _ = terminal.ends().exits(3);

    let mut terminal = start(&["--endpoint", FIRST]);
    terminal.until(prompt);
    terminal.types("direct");
    let ended = terminal.ends().exits(1);
    assert!(ended.stdout.contains("leaf configuration-old"), "{ended:#?}");

    // Nobody is asked who does not want to be.
    let silent = start(&["--endpoint", FIRST, "--fresh", "--no-input"]).ends().exits(3);
    assert!(!silent.stderr.contains("Answer (nothing"), "{silent:#?}");
}

#[test]
fn names_that_nobody_has_or_that_several_hold() {
    let (machine, _lab) = site(&[]);
    assert_eq!(leaf(&machine, "pc-none", &[]), "endpoint-not-found");
    assert_eq!(leaf(&machine, "ws-000000", &[]), "endpoint-ambiguous");
}

#[test]
fn a_service_that_is_down_comes_first() {
    let (machine, _lab) = site(&["direct-connect-service-down"]);
    let document = diagnose(&machine, &["--endpoint", FIRST]).exits(1).json();
    let walk = &document["walks"][0];
    assert_eq!(
        (&walk["leaf"]["id"], &walk["leaf"]["severity"]),
        (&"fix-module-first".into(), &"critical".into())
    );
    assert!(
        walk["path"][0]["notes"][0].as_str().unwrap().starts_with("direct-connect.service-running:"),
        "{walk:#}"
    );
}

#[test]
fn faults_of_the_endpoint_lead_to_their_leaves() {
    let not_run = ["connection-test=impossible", "session-action=issued", "action-result=did-not-run"];
    let (machine, lab) = site(&["direct-connect-tools-missing"]);
    assert_eq!(leaf(&machine, FIRST, &not_run), "tools-not-installed");
    assert_eq!(leaf(&machine, OTHER, &not_run), "takes-no-actions");
    lab.inject("direct-connect-action-disabled").unwrap();
    assert_eq!(leaf(&machine, FIRST, &not_run), "tools-action-rests");
    lab.clear_faults();
    lab.inject("direct-connect-group-emptied").unwrap();
    assert_eq!(leaf(&machine, FIRST, &not_run), "not-in-action-group");
    lab.clear_faults();
    lab.inject("direct-connect-locks-block").unwrap();
    assert_eq!(leaf(&machine, FIRST, &[]), "lock-blocks-session");
    lab.clear_faults();
    lab.inject("direct-connect-session-failed").unwrap();
    let failed = ["connection-test=failed", "extension-log=silent"];
    assert_eq!(leaf(&machine, FIRST, &failed), "extension-silent");
}

#[test]
fn failed_sessions_of_the_grid_are_diagnosed_together() {
    let (machine, _lab) = site(&["direct-connect-session-not-succeeded"]);
    let document = diagnose(&machine, &["--failed", "--answer", SOUND]).exits(1).json();
    assert_eq!(document["walks"].as_array().unwrap().len(), 1, "{document:#}");
    // It is offline now, which is why it failed.
    let group = &document["groups"][0];
    assert_eq!(
        (&group["end"], &group["subjects"][0]),
        (&"endpoint-not-found".into(), &"ws-0000003.lab.example".into())
    );
}

#[test]
fn many_endpoints_are_diagnosed_side_by_side_and_not_mixed_up() {
    let (machine, lab) = site(&["direct-connect-tools-missing"]);
    let names: Vec<String> = (0..12).map(|number| format!("ws-{number:07}.lab.example")).collect();
    let not_run = ["connection-test=impossible", "session-action=issued", "action-result=did-not-run"];
    let mut arguments = vec!["--fresh".to_owned()];
    let answers = not_run.iter().chain(&[SOUND]).flat_map(|answer| ["--answer", *answer]);
    arguments.extend(answers.map(str::to_owned));
    let all = |names: &[String]| -> Vec<Value> {
        let named = names.iter().flat_map(|name| ["--endpoint".to_owned(), name.clone()]);
        let arguments: Vec<String> = arguments.iter().cloned().chain(named).collect();
        let document = diagnose(&machine, &arguments.iter().map(String::as_str).collect::<Vec<_>>()).json();
        document["walks"].as_array().unwrap().clone()
    };
    let alone: Vec<Value> = names.iter().flat_map(|name| all(std::slice::from_ref(name))).collect();
    let asked = |lab: &Lab| {
        let requests = lab.requests();
        requests.iter().filter(|one| one.method == "POST" && one.path == "/api/v2/questions").count()
    };
    let one_by_one = asked(&lab);
    assert_eq!(most_open_questions(&lab), 1);
    lab.clear_requests();
    let together = all(&names);
    // Each has the path, the evidence and the leaf that it has alone.
    assert_eq!(together, alone);
    assert!(asked(&lab) <= one_by_one, "{} instead of {one_by_one}", asked(&lab));
    assert!(most_open_questions(&lab) > 1);
}

/// The most questions that were asked and not read yet at the same time.
fn most_open_questions(lab: &Lab) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for request in lab.requests() {
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/v2/questions") => open += 1,
            (_, path) if path.starts_with("/api/v2/result_data/question/") => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

#[test]
fn the_uninstallation_is_held_back_while_products_need_it() {
    let (machine, lab) = site(&[]);
    let guide = |more: &[&str]| {
        machine.run(
            &[&["guide", "direct-connect", "uninstall-endpoints", "-o", "json", "--now", NOW], more].concat(),
        )
    };
    let held = guide(&[]).exits(1).json();
    assert_eq!(held["tasks"], serde_json::json!([]));
    let against: Vec<&str> =
        held["guard"]["against"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(against.contains(&"Threat Response"), "{against:?}");
    let shown = guide(&["--anyway"]).exits(0).json();
    assert!(
        shown["tasks"][0]["step"]["text"]
            .as_str()
            .unwrap()
            .contains("Tanium Direct Connect (now: All Computers)")
    );
    // Without the list nobody knows who needs it.
    lab.behaviour("/api/v2/solutions", tancheck_lab::Behaviour::Status(503, None));
    let blind = guide(&["--set", "limits.retries=0"]).exits(3).json();
    assert_eq!((&blind["guard"]["refuses"], &blind["tasks"]), (&Value::Bool(true), &serde_json::json!([])));
}

#[test]
fn every_procedure_is_shown_and_names_what_it_does_not_know() {
    let (machine, _lab) = site(&[]);
    let list = machine.run(&["guide", "direct-connect", "-o", "json"]).exits(0).json();
    let ids: Vec<&str> =
        list["procedures"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 11);
    for id in ids {
        let ran = machine.run(&["guide", "direct-connect", id, "--anyway", "--now", NOW]).exits(0);
        assert!(!ran.stdout.contains('{'), "{id}: a placeholder was left: {}", ran.stdout);
        assert!(ran.stdout.contains("✓"), "{id}: {}", ran.stdout);
    }
    let renew = ["guide", "direct-connect", "cert-renew-rollout", "--now", NOW];
    let unknown = machine.run(&renew).exits(0).stdout;
    assert!(unknown.contains("set endpoint_fqdn under"), "{unknown}");
    let known = machine
        .run(&[&renew[..], &["--set", "modules.direct-connect.endpoint_fqdn=ms1.lab.example"]].concat());
    assert!(known.exits(0).stdout.contains("openssl s_client -connect ms1.lab.example:17475 -tls1_2"));
}

#[test]
fn a_log_is_read_in_every_encoding() {
    const LOG: &str = "direct-connect.extension-log";
    let text = "2026-06-30 10:00:00 \u{e4}\u{f6} [dec] connecting\r\n2026-06-30 10:00:01 [dec] Connection refused by the server\r\n";
    let wide = |bytes: fn(u16) -> [u8; 2], mark: &[u8]| -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect()
    };
    let windows: Vec<u8> = text.chars().map(|one| u8::try_from(u32::from(one)).unwrap()).collect();
    let mut damaged = text.as_bytes().to_vec();
    damaged.splice(0..0, [0xff, 0xfe, 0xfd, 0x00, b'\n']);
    let (machine, _lab) = site(&[]);
    let find = |bytes: &[u8]| {
        std::fs::write(machine.path("state/tancheck/exports/extensions0.txt"), bytes).unwrap();
        machine.run(&["run", "--check", LOG, "--now", NOW, "-o", "json"]).json()["checks"][0].clone()
    };
    for (name, bytes) in [
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-16 of Windows", wide(u16::to_le_bytes, &[0xff, 0xfe])),
        ("UTF-16 without a mark", wide(u16::to_le_bytes, &[])),
        ("the other UTF-16", wide(u16::to_be_bytes, &[0xfe, 0xff])),
        ("Windows-1252", windows),
    ] {
        let found = find(&bytes);
        assert_eq!(found["findings"][0]["subject"]["key"], "refused", "{name}: {found:#}");
    }
    // What is no text holds no line about Direct Connect, and is no health.
    let found = find(&[0, 159, 146, 150].repeat(1000));
    assert_eq!(found["outcome"], "not-evaluated", "{found:#}");
    let found = find(&damaged);
    assert_ne!(found["outcome"], "pass", "{found:#}");
}
