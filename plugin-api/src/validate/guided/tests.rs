//! A small tree and a small procedure, each rule broken once.

use crate::manifest::Manifest;
use crate::prelude::*;
use crate::testing::{Case, assert_valid};
use crate::validate::problems;
use serde_json::{Value, json};

const LOCK: Input = Input::new("x.lock", "the lock of one endpoint").sources(&[Source::question(
    "Get Action Lock Status from all machines with Computer Name equals \"{subject}\"",
)]);
const USERS: Input = Input::new("x.users", "users").sources(&[Source::rest("/api/v2/users")]);
const PORT: Setting = Setting::integer("port", 17475, 1, 65535);

const LOCKED: Reading = Reading::new("x.locked", "the lock").reads(&[&LOCK]).by(|facts, report| {
    let tally = facts.tally(&LOCK)?;
    report.note(format!("{} answered for {}", tally.answered, facts.subject()?));
    Ok(if tally.rows.is_empty() { "off" } else { "on" }.to_owned())
});
const SERVER_PORT: Reading = Reading::new("x.server-port", "the port")
    .settings(&[&PORT])
    .by(|facts, _| Ok(facts.integer(&PORT)?.to_string()));

const FAILED: Reading = Reading::new("x.failed", "what failed").reads(&[&USERS]).by(|facts, _| {
    let users: Vec<records::Reference> = facts.rows(&USERS)?;
    Ok(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>().join("\n"))
});

const REMEDY: Remedy = Remedy::new(&[Step::consult("the owner of {subject}", "unlock")]).who("anybody");
const TREE: Tree = Tree::new("Why {module} does not connect", "endpoint", "lock")
    .values(&[&SERVER_PORT])
    .failed(&FAILED)
    .nodes(&[
        Node::new("lock", "Is {subject} locked?").read_by(&LOCKED).branches(&[
            Branch::leaf("on", "it is", "locked"),
            Branch::node("off", "it is not", "module").adding("noted"),
        ]),
        Node::new("module", "Is the module sound, port {server-port}?")
            .checked_by(&["x.check"], Severity::High, "broken", "sound")
            .from_guide()
            .branches(&[
                Branch::leaf("broken", "it is not", "broken"),
                Branch::leaf("sound", "it is", "healthy"),
            ]),
    ])
    .leaves(&[
        Leaf::new("locked", "The endpoint is locked", &REMEDY).severity(Severity::High).from_guide(),
        Leaf::new("noted", "Worth a note", &REMEDY),
        Leaf::new("broken", "The module is broken", &REMEDY),
        Leaf::new("healthy", "Nothing is wrong", &REMEDY).healthy(),
    ]);

const RENEW: Procedure = Procedure::new("renew", "Renew certificates", "before they expire")
    .values(&[&SERVER_PORT])
    .guarded_by(&FAILED, "others need it")
    .who("an administrator")
    .next("remove")
    .tasks(&[
        Task::seen(Step::console("Settings", "renew on port {server-port}"), "a new date").from_guide(),
        Task::checked(Step::consult("nobody", "wait"), &["x.check", "other.check"]),
    ]);
const REMOVE: Procedure = Procedure::new("remove", "Remove it", "at its end")
    .who("an administrator")
    .tasks(&[Task::seen(Step::consult("nobody", "remove"), "nothing")]);

const CHECK: Check = Check::automated("x.check")
    .title("All is well")
    .cadence(&[Cadence::Weekly])
    .reads(&[&USERS])
    .guide(&[guide("Nowhere", 1)])
    .what("Looks.")
    .why("It matters.")
    .remedy(&REMEDY)
    .judge(|_, _| Ok(()));
const PLUGIN: Plugin =
    Plugin::new("x", "Exes", "1.0.0").checks(&[&CHECK]).diagnosis(&TREE).procedures(&[&RENEW, &REMOVE]);

#[test]
fn a_tree_and_procedures_cross_the_boundary() {
    assert_valid(&PLUGIN);
    let manifest = Manifest::of(&PLUGIN);
    assert_eq!(manifest.features, ["diagnosis", "procedures", "question", "rest"]);
    let ids: Vec<&str> = manifest.inputs.iter().map(|input| input.id.as_str()).collect();
    assert_eq!(ids, ["x.lock", "x.users"]);
    assert!(manifest.setting("port").is_some());
    let tree = manifest.diagnosis.unwrap();
    assert_eq!(tree.title, "Why Exes does not connect");
    assert_eq!(tree.node("lock").unwrap().branch("ON").unwrap().means, "it is");
    assert!(tree.leaf("locked").unwrap().from_guide && !tree.leaf("noted").unwrap().from_guide);
}

#[test]
fn readings_read_and_say_what_of() {
    let case = Case::reading(&LOCKED, "pc-1").tally(&LOCK, "Action Lock Status", &[("Action Lock On", 1)]);
    let verdict = case.judge();
    assert_eq!((verdict.answer(), verdict.notes()), (Some("on"), &["1 answered for pc-1".to_owned()][..]));
    case.assert_needs_its_inputs();
    let nobody = Case::reading(&LOCKED, "").tally(&LOCK, "Action Lock Status", &[]).judge();
    assert!(nobody.answer().is_none() && nobody.undecided().is_some());
    assert_eq!(Case::reading(&SERVER_PORT, "").setting("port", 99).judge().answer(), Some("99"));
}

/// The problems of the manifest after one change of a value.
fn after(pointer: &str, value: Value) -> Vec<String> {
    let mut document = serde_json::to_value(Manifest::of(&PLUGIN)).unwrap();
    *document.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing is at {pointer}")) = value;
    problems(&serde_json::from_value(document).unwrap())
}

#[test]
fn every_rule_of_a_tree_has_its_sentence() {
    let node = "/diagnosis/nodes/0";
    for (pointer, value, sentence) in [
        ("/diagnosis/start", json!("gone"), "diagnosis: it begins at gone, which is no node"),
        ("/diagnosis/title", json!(""), "diagnosis: it does not say what is diagnosed"),
        ("/diagnosis/leaves/1/id", json!("locked"), "diagnosis: the id locked is used twice"),
        ("/diagnosis/leaves/1/id", json!("Noted"), "diagnosis: the id \"Noted\" is not kebab-case"),
        ("/diagnosis/failed", json!("x.gone"), "it reads what failed by x.gone, which is no reading"),
        ("/diagnosis/failed", json!("x.locked"), "reading x.locked: it reads x.lock, which asks about"),
        ("/diagnosis/values/0", json!("x.gone"), "diagnosis: its value x.gone is no reading"),
        (&format!("{node}/asks"), json!(""), "diagnosis: node lock: it asks nothing"),
        (&format!("{node}/asks"), json!("{name}?"), "nothing fills the placeholder {name}"),
        (&format!("{node}/branches"), json!([]), "node lock: it has fewer than two branches"),
        (&format!("{node}/branches/0/answer"), json!("off"), "node lock: the answer off is there twice"),
        (&format!("{node}/branches/0/answer"), json!("O N"), "the answer \"O N\" is not kebab-case"),
        (&format!("{node}/branches/0/means"), json!(""), "node lock: it does not say what on means"),
        (
            &format!("{node}/branches/0/to"),
            json!({"leaf": "gone"}),
            "node lock: the branch on leads to the leaf gone, which is not there",
        ),
        (
            &format!("{node}/branches/1/adds"),
            json!("gone"),
            "node lock: the branch off adds the leaf gone, which is not there",
        ),
        (&format!("{node}/decided"), json!({"reading": "x.gone"}), "decided by x.gone, which is no reading"),
        ("/diagnosis/nodes/1/decided/checks/checks", json!(["x.gone"]), "by x.gone, which is no check"),
        ("/diagnosis/nodes/1/decided/checks/sound", json!("fine"), "checks answer fine"),
        ("/diagnosis/nodes/1/branches/1/to", json!({"node": "lock"}), "in a circle: lock > module > lock"),
        ("/diagnosis/nodes/1/branches/1/to", json!({"node": "module"}), "in a circle: module > module"),
        (
            "/diagnosis/nodes/0/branches/1/to",
            json!({"leaf": "locked"}),
            "diagnosis: no branch leads to the node module",
        ),
        (
            "/diagnosis/nodes/0/branches/1/adds",
            json!("locked"),
            "diagnosis: no branch leads to the leaf noted",
        ),
        ("/diagnosis/leaves/0/says", json!(""), "leaf locked: it says nothing"),
        ("/diagnosis/leaves/0/remedy/who", json!(""), "leaf locked: its remedy does not say who"),
        ("/diagnosis/leaves/0/remedy/steps", json!([]), "leaf locked: its remedy has no steps"),
        ("/diagnosis/leaves/0/remedy/verify", json!("x.gone"), "leaf locked: it is proved by x.gone"),
        ("/checks/0/inputs", json!(["x.lock"]), "x.check: it reads x.lock, which asks about a subject"),
        ("/diagnosis/values", json!(["x.locked"]), "reading x.locked: it reads x.lock, which asks about"),
        ("/settings/0/key", json!("subject"), "the key is taken by what is diagnosed"),
        ("/features", json!(["question", "rest"]), "it does not name the feature \"diagnosis\""),
        ("/readings/1/id", json!("x.check"), "the id x.check is used twice"),
        ("/readings/1/inputs", json!([]), "reading x.locked: it reads nothing"),
    ] {
        let found = after(pointer, value);
        assert!(found.iter().any(|one| one.contains(sentence)), "{sentence}: {found:#?}");
    }
}

#[test]
fn every_rule_of_procedures_has_its_sentence() {
    for (pointer, value, sentence) in [
        ("/procedures/1/id", json!("renew"), "the procedure id renew is used twice"),
        ("/procedures/0/title", json!(""), "procedure renew: it has no title"),
        ("/procedures/0/who", json!(""), "procedure renew: it does not say who"),
        ("/procedures/0/tasks", json!([]), "procedure renew: it has no steps"),
        ("/procedures/0/values", json!([]), "nothing fills the placeholder {server-port}"),
        ("/procedures/0/guard/reading", json!("x.gone"), "guarded by x.gone, which is no reading"),
        ("/procedures/0/guard/reading", json!("x.locked"), "reading x.locked: it reads x.lock, which asks"),
        ("/procedures/0/next", json!("renew"), "followed by renew, which is no other procedure"),
        ("/procedures/0/tasks/0/verified", json!({"seen": ""}), "step 1: it has no verification"),
        ("/procedures/0/tasks/1/verified", json!({"checks": []}), "step 2: it has no verification"),
        ("/procedures/0/tasks/1/verified", json!({"checks": ["x.gone"]}), "step 2: it is verified by x.gone"),
        ("/procedures/0/tasks/1/step/text", json!("{subject}"), "nothing fills the placeholder {subject}"),
    ] {
        let found = after(pointer, value);
        assert!(found.iter().any(|one| one.contains(sentence)), "{sentence}: {found:#?}");
    }
}

#[test]
fn a_tree_that_would_be_too_deep_is_refused_before_it_is_walked() {
    let branch = |to: usize| {
        json!([{"answer": "a", "means": "a", "to": {"node": format!("n{to}")}},
        {"answer": "b", "means": "b", "to": {"leaf": "locked"}}])
    };
    let nodes: Vec<Value> = (0..2000)
        .map(|number| json!({"id": format!("n{number}"), "asks": "?", "decided": "person", "branches": branch(number + 1)}))
        .collect();
    let found = after("/diagnosis/nodes", Value::Array(nodes));
    assert!(found.iter().any(|one| one.contains("it has 2000 nodes, more than 1000")), "{}", found.len());
}
