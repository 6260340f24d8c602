//! Questions against a server that answers in virtual time: what is sent, what is counted, and how long it all takes.

mod workload;

use super::*;
use crate::collect::tests::Memory;
use crate::collect::transport::{Method, Sink};
use crate::config::Limits;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// One route round trip.
const REST: Duration = Duration::from_millis(50);

/// What becomes of a question on the fake server.
#[derive(Clone, Debug)]
pub(super) struct Script {
    /// How long it runs.
    seconds: f64,
    /// The shape of its progress.
    shape: f64,
    endpoints: u64,
    /// The share that answers in the end.
    share: f64,
    /// How often it is unknown at first.
    unknown: u32,
    columns: Vec<Value>,
    rows: Vec<Value>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            seconds: 3.0,
            shape: 2.0,
            endpoints: 1000,
            share: 1.0,
            unknown: 0,
            columns: vec![json!({"name": "State", "hash": 5}), json!({"name": "Count", "hash": 0})],
            rows: vec![counted("On", 900), counted("Off", 60), counted("[no results]", 40)],
        }
    }
}

fn counted(value: &str, count: u64) -> Value {
    json!({"cid": 0, "data": [[{"text": value}], [{"text": count.to_string()}]]})
}

impl Script {
    fn taking(seconds: f64) -> Self {
        Self { seconds, ..Self::default() }
    }

    /// The share of endpoints that answered after some time. Below 99 % until the end.
    fn share_at(&self, elapsed: f64) -> f64 {
        let done = if elapsed >= self.seconds {
            1.0
        } else {
            0.985 * (1.0 - (1.0 - elapsed / self.seconds).powf(self.shape))
        };
        done * self.share
    }
}

struct Running {
    script: Script,
    since: Instant,
    unknown: u32,
}

/// A server that knows some questions by their text.
#[derive(Default)]
pub(super) struct Server {
    scripts: BTreeMap<String, Script>,
    /// Answers to other routes.
    fixed: BTreeMap<String, Value>,
    running: Mutex<Vec<Running>>,
    pub(super) log: Mutex<Vec<String>>,
    most_running: Mutex<usize>,
}

impl Server {
    pub(super) fn knows(mut self, text: &str, script: Script) -> Self {
        self.scripts.insert(text.to_owned(), script);
        self
    }

    fn answers(mut self, path: &str, data: Value) -> Self {
        self.fixed.insert(path.to_owned(), data);
        self
    }

    fn answer(&self, call: &Call) -> Result<Value, Problem> {
        let text =
            |key: &str| call.body.as_ref().and_then(|body| body[key].as_str()).unwrap_or_default().to_owned();
        match (call.method, call.path.as_str()) {
            (Method::Post, "/api/v2/parse_question") => {
                let text = text("text");
                let known = self.scripts.get(&text);
                Ok(known.map_or(json!([]), |_| {
                    json!([
                        {"from_canonical_text": 0, "question_text": "Get Something Else from all machines"},
                        {"from_canonical_text": 1, "question_text": text, "parameter_values": [],
                         "selects": [{"sensor": {"name": text, "hash": 5}}], "sensor_references": []},
                    ])
                }))
            }
            (Method::Post, "/api/v2/questions") => {
                let body = call.body.as_ref().expect("a body");
                let text = match body.get("query_text") {
                    Some(text) if body.as_object().is_some_and(|body| body.len() == 1) => text.as_str(),
                    _ => body["selects"][0]["sensor"]["name"].as_str(),
                };
                let script = self.scripts[text.expect("a question")].clone();
                let mut running = self.running.lock().unwrap();
                running.push(Running { unknown: script.unknown, script, since: Instant::now() });
                let now = running
                    .iter()
                    .filter(|one| one.since.elapsed().as_secs_f64() < one.script.seconds)
                    .count();
                let mut most = self.most_running.lock().unwrap();
                *most = now.max(*most);
                Ok(json!({"id": running.len()}))
            }
            (Method::Get, path) => {
                let info = path.strip_prefix("/api/v2/result_info/question/").map(|id| (id, true));
                let data = path.strip_prefix("/api/v2/result_data/question/").map(|id| (id, false));
                match info.or(data) {
                    Some((id, info)) => self.result(id.split('?').next().unwrap_or_default(), info),
                    None => self.fixed.get(path).cloned().ok_or_else(not_found),
                }
            }
            _ => Err(not_found()),
        }
    }

    fn result(&self, id: &str, info: bool) -> Result<Value, Problem> {
        let mut running = self.running.lock().unwrap();
        let question = &mut running[id.parse::<usize>().expect("an id") - 1];
        if question.unknown > 0 {
            question.unknown -= 1;
            return Err(not_found());
        }
        let script = &question.script;
        let share = script.share_at(question.since.elapsed().as_secs_f64());
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count"
        )]
        let answered = (share * script.endpoints as f64) as u64;
        let mut set = json!({"mr_tested": answered, "tested": answered, "estimated_total": script.endpoints});
        if info {
            return Ok(json!({"result_infos": [set]}));
        }
        set["columns"] = json!(script.columns);
        set["row_count"] = json!(script.rows.len());
        set["rows"] = json!(script.rows);
        Ok(json!({"result_sets": [set]}))
    }
}

fn not_found() -> Problem {
    Problem { status: Some(404), ..Problem::new(Outcome::NotEvaluated, "SensorNotFound") }
}

impl Transport for Server {
    async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
        sleep(REST / 2).await;
        let body = call.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
        self.log.lock().unwrap().push(format!("{}{body}", call.label()));
        let answer = self.answer(call);
        sleep(REST / 2).await;
        let mut sink = sink();
        sink.feed(json!({"data": answer?}).to_string().as_bytes())?;
        Ok(sink)
    }
}

const STATE: &str = "Get State from all machines";

fn terms() -> Terms {
    Terms { allowed: true, timeout: Duration::from_secs(120), complete_share: 0.95 }
}

async fn ask_with(server: &Server, question: &Question, terms: &Terms) -> Result<Answered, Problem> {
    let schedule = Schedule::new(&Limits::default());
    let turn = Turn { schedule: &schedule, local: &Memory::default(), chain: Duration::from_secs(5) };
    ask(server, question, terms, &turn).await
}

fn question(text: &str) -> Question {
    Question { text: text.to_owned(), ..Question::default() }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_parsed_asked_watched_and_counted() {
    let server = Server::default().knows(STATE, Script::default());
    let answered = ask_with(&server, &question(STATE), &terms()).await.unwrap();
    assert_eq!(answered.gaps, Vec::<String>::new());
    assert_eq!(answered.tally.columns, ["State"]);
    assert_eq!((answered.tally.rows[0].count, answered.tally.without_value["[no results]"]), (900, 40));
    assert_eq!((answered.tally.answered, answered.tally.expected), (1000, 1000));
    assert!((3.0..3.6).contains(&answered.seconds), "{}", answered.seconds);
    let log = server.log.lock().unwrap();
    assert_eq!(log[0], r#"POST /api/v2/parse_question {"text":"Get State from all machines"}"#);
    assert_eq!(log[1], r#"POST /api/v2/questions {"query_text":"Get State from all machines"}"#);
    assert_eq!(log.last().unwrap(), "GET /api/v2/result_data/question/1");
    assert_eq!(log.len(), 3 + answered.polls as usize);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_found_by_name_and_the_parsed_question_is_posted() {
    let group = Question { group: "VDI / lab".to_owned(), ..question(STATE) };
    let groups =
        ["/api/v2/groups/by-name/VDI%20%2F%20lab", "/api/v2/computer_groups/by-name/VDI%20%2F%20lab"];
    for found in groups {
        let server = Server::default().knows(STATE, Script::default()).answers(found, json!({"id": 34}));
        ask_with(&server, &group, &terms()).await.unwrap();
        let expected =
            json!({"context_group": {"id": 34}, "selects": [{"sensor": {"name": STATE, "hash": 5}}]});
        let log = server.log.lock().unwrap();
        let posted = log.iter().find_map(|line| line.strip_prefix("POST /api/v2/questions ")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(posted).unwrap(), expected);
    }
    let server = Server::default().knows(STATE, Script::default());
    let problem = ask_with(&server, &group, &terms()).await.unwrap_err();
    assert_eq!(problem.reason, "no computer group is named `VDI / lab`, or the account may not see it");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_asked_says_why() {
    let server = Server::default().answers("/api/v2/sensors/by-name/Online", json!({"name": "Online"}));
    let reason = ask_with(&server, &question("Get Online and Odd[1] from all machines"), &terms())
        .await
        .unwrap_err()
        .reason;
    assert!(reason.contains("the deployment has no sensor `Odd`"), "{reason}");
    let reason =
        ask_with(&server, &question("Get Online form all machines"), &terms()).await.unwrap_err().reason;
    assert!(reason.contains("no sensor `Online form all machines`"), "{reason}");
    let reason =
        ask_with(&server, &question("Get Online from all machines"), &terms()).await.unwrap_err().reason;
    assert!(reason.contains("does not understand the question `Get Online from all machines`"), "{reason}");

    let server = Server::default().knows(STATE, Script::default());
    let problem =
        ask_with(&server, &question(STATE), &Terms { allowed: false, ..terms() }).await.unwrap_err();
    assert_eq!(problem.outcome, Outcome::Skipped, "the user wanted it so");
    assert!(problem.reason.contains("questions = false") && server.log.lock().unwrap().is_empty());

    let only_count =
        Script { columns: vec![json!({"name": "Count", "hash": 0})], rows: vec![], ..Script::default() };
    let server = Server::default().knows(STATE, only_count);
    let reason = ask_with(&server, &question(STATE), &terms()).await.unwrap_err().reason;
    assert!(reason.contains("only counted the machines"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_answer_is_a_gap_or_no_answer() {
    let some = Script { share: 0.62, ..Script::default() };
    let answered = ask_with(&Server::default().knows(STATE, some), &question(STATE), &terms()).await.unwrap();
    assert_eq!(answered.gaps, ["answered by 62 % of endpoints (620 of 1000; limit 95 %)"]);
    assert!(answered.seconds < 60.0, "{}", answered.seconds);

    let enough = Script { share: 0.97, ..Script::default() };
    let answered =
        ask_with(&Server::default().knows(STATE, enough), &question(STATE), &terms()).await.unwrap();
    assert!(answered.gaps.is_empty() && answered.seconds < 12.0, "{answered:?}");

    let slow = Script { seconds: 100_000.0, ..Script::default() };
    let answered = ask_with(&Server::default().knows(STATE, slow), &question(STATE), &terms()).await;
    assert_eq!(answered.unwrap().gaps.len(), 1, "what is there, with a gap");

    let slower = Script { seconds: 1e9, ..Script::default() };
    let soon = Terms { timeout: Duration::from_secs(10), ..terms() };
    let problem =
        ask_with(&Server::default().knows(STATE, slower), &question(STATE), &soon).await.unwrap_err();
    assert_eq!(problem.outcome, Outcome::TimedOut);

    let rows = (0..300).map(|number| counted(&format!("value {number}"), 1)).collect();
    let many = Script { rows, ..Script::default() };
    let answered = ask_with(&Server::default().knows(STATE, many), &question(STATE), &terms()).await.unwrap();
    assert_eq!(
        answered.gaps,
        ["44 endpoints gave answers beyond the 256 commonest, which were not looked at"]
    );

    let empty = Script { endpoints: 0, ..Script::default() };
    let problem =
        ask_with(&Server::default().knows(STATE, empty), &question(STATE), &terms()).await.unwrap_err();
    assert_eq!(problem.reason, "the server expects no endpoint to answer the question");
}

/// Who waits until nothing changes any more has waited longer than the question took; what is remembered must not grow
/// by it from run to run.
#[tokio::test(start_paused = true)]
async fn a_question_that_never_completes_takes_no_longer_in_later_runs() {
    let schedule = Schedule::new(&Limits::default());
    let mut memory = Memory::default();
    let mut seconds = Vec::new();
    for _ in 0..12 {
        let server = Server::default().knows(STATE, Script { share: 0.97, ..Script::default() });
        let turn = Turn { schedule: &schedule, local: &memory, chain: Duration::ZERO };
        let answered = ask(&server, &question(STATE), &terms(), &turn).await.unwrap();
        seconds.push(answered.seconds);
        memory.seconds.extend(answered.paces);
    }
    assert!(seconds.iter().all(|&later| later < 1.2 * seconds[0]), "{seconds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_nobody_answers_is_not_waited_for_to_the_end() {
    for (nobody, longest, reason) in [
        (
            Script { endpoints: 0, ..Script::default() },
            16,
            "the server expects no endpoint to answer the question",
        ),
        (Script { share: 0.0, ..Script::default() }, 75, "none of 1000 endpoints answered the question"),
    ] {
        let server = Server::default().knows(STATE, nobody);
        let begin = Instant::now();
        let problem = ask_with(&server, &question(STATE), &terms()).await.unwrap_err();
        assert_eq!((problem.outcome, problem.reason.as_str()), (Outcome::NotEvaluated, reason));
        assert!(begin.elapsed() < Duration::from_secs(longest), "{reason}: {:?}", begin.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_not_known_yet_is_asked_for_again() {
    let late = Script { unknown: 3, ..Script::default() };
    let answered = ask_with(&Server::default().knows(STATE, late), &question(STATE), &terms()).await.unwrap();
    assert_eq!(answered.tally.answered, 1000);
    let never = Script { unknown: 100, ..Script::default() };
    let problem =
        ask_with(&Server::default().knows(STATE, never), &question(STATE), &terms()).await.unwrap_err();
    assert_eq!(problem.status, Some(404));
}

#[tokio::test(start_paused = true)]
async fn rare_answers_get_names() {
    let follow = |value: &str| format!("Get Computer Name from all machines with State equals \"{value}\"");
    let names = |names: &[&str]| Script {
        columns: vec![
            json!({"name": "Computer Name", "hash": 3_409_330_187_u64}),
            json!({"name": "Count", "hash": 0}),
        ],
        rows: names.iter().map(|name| counted(name, 1)).collect(),
        ..Script::default()
    };
    let rows = vec![counted("On", 900), counted("Off", 60), counted("Odd", 2), counted("Broken", 3)];
    let server = Server::default()
        .knows(STATE, Script { rows, ..Script::default() })
        .knows(&follow("Odd"), names(&["b", "a"]))
        .knows(&follow("Off"), names(&["c"]));
    let sampled = Question {
        sample: "Get Computer Name from all machines with State equals {value}".to_owned(),
        ..question(STATE)
    };
    let schedule = Schedule::new(&Limits::default());
    let turn = Turn { schedule: &schedule, local: &Memory::default(), chain: Duration::ZERO };
    let mut answered = ask(&server, &sampled, &terms(), &turn).await.unwrap();
    let begin = Instant::now();
    let named = name(&server, &sampled, &terms(), &turn, &mut answered.tally).await;
    assert!(begin.elapsed() < Duration::from_secs(5), "they are asked for at the same time");
    assert!((3.0..3.6).contains(&named.seconds) && named.paces.len() == 3, "{named:?}");
    assert!(named.paces.iter().all(|(key, _)| !key.contains("Odd")), "values come and go: {named:?}");
    let samples: Vec<(&str, &[String])> =
        answered.tally.rows.iter().map(|row| (row.cells[0].as_str(), &row.sample[..])).collect();
    let expected: [(&str, &[&str]); 4] =
        [("On", &[]), ("Off", &["c"]), ("Broken", &[]), ("Odd", &["a", "b"])];
    assert_eq!(samples.len(), 4);
    for ((value, sample), (wanted, names)) in samples.into_iter().zip(expected) {
        assert_eq!(
            (value, sample),
            (wanted, &names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()[..])
        );
    }
    assert!(answered.gaps.is_empty());
    let log = server.log.lock().unwrap();
    assert!(log.iter().any(|line| line.ends_with("/api/v2/result_data/question/2?row_start=0&row_count=10")));
}

#[tokio::test(start_paused = true)]
async fn stored_results_come_with_their_age() {
    let now: jiff::Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let set = json!({"result_sets": [{"question_id": 77, "mr_tested": 10, "estimated_total": 10,
        "columns": [{"name": "A", "hash": 3}, {"name": "Count", "hash": 0}], "rows": [counted("x", 10)]}]});
    let server = Server::default()
        .answers("/api/v2/saved_questions/by-name/My%20question", json!({"id": 4}))
        .answers("/api/v2/result_data/saved_question/4", set.clone())
        .answers(
            "/api/v2/questions/77",
            json!({"expiration": "2026-03-01T11:20:00Z", "expire_seconds": 600}),
        );
    let stored = saved(&server, "My question", &terms(), now).await.unwrap();
    assert_eq!(stored.at, Some("2026-03-01T11:10:00Z".parse().unwrap()));
    assert_eq!((stored.tally.rows[0].count, stored.gaps.len()), (10, 0));

    let mut young = set;
    young["result_sets"][0]["seconds_since_issued"] = json!(90);
    let server = server.answers("/api/v2/result_data/saved_question/4", young);
    let stored = saved(&server, "My question", &terms(), now).await.unwrap();
    assert_eq!(stored.at, Some("2026-03-01T11:58:30Z".parse().unwrap()));

    let problem = saved(&server, "Other", &terms(), now).await.unwrap_err();
    assert!(problem.reason.contains("no saved question `Other`"), "{}", problem.reason);
}

/// Sensors with parameters are posted by their source, with the keys of their definition.
#[tokio::test(start_paused = true)]
async fn parameters_of_a_grouped_question_are_posted_by_key() {
    struct Parameterised;
    impl Transport for Parameterised {
        async fn send<S: Sink>(&self, call: &Call, sink: impl Fn() -> S + Send + Sync) -> Result<S, Problem> {
            let data = match call.path.as_str() {
                "/api/v2/parse_question" => json!([{"from_canonical_text": 1, "parameter_values": ["a b"],
                    "selects": [{"sensor": {"name": "Online", "hash": 1}}, {"sensor": {"name": "Setting", "hash": 2}}]}]),
                "/api/v2/groups/by-name/G" => json!({"id": 9}),
                "/api/v2/sensors/by-name/Online" => json!({"parameter_definition": ""}),
                "/api/v2/sensors/by-name/Setting" => {
                    json!({"parameter_definition": "{\"parameters\":[{\"key\":\"name\"}]}"})
                }
                _ => return Err(not_found()),
            };
            let mut sink = sink();
            sink.feed(json!({ "data": data }).to_string().as_bytes())?;
            Ok(sink)
        }
    }
    let body =
        wording::body(&Parameterised, "Get Online and Setting[a b] from all machines", "G").await.unwrap();
    let setting =
        json!({"name": "Setting", "source_hash": 2, "parameters": [{"key": "||name||", "value": "a b"}]});
    let selects = json!([{"sensor": {"name": "Online", "hash": 1}}, {"sensor": setting}]);
    assert_eq!(body, json!({"context_group": {"id": 9}, "selects": selects}));
    let filtered =
        wording::body(&Parameterised, "Get Online from all machines with Setting[a b] equals 1", "G").await;
    assert!(filtered.unwrap_err().reason.contains("cannot be limited to a computer group"));
}
