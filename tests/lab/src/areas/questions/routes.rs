//! Asking, polling, reading; sensors by name; saved questions.

use super::grammar::{self, Comparison, Condition, Operator, ParseError, Question, SensorUse};
use super::sensors::{self, SENSORS, Sensor};
use super::{SavedQuestion, render};
use crate::areas::people::user_reference;
use crate::behaviour::Behaviour;
use crate::clock::{NEVER, iso};
use crate::state::State;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, cache, get, post};
use serde_json::{Value, json};

/// Which privileges the question routes demand is not documented; the lab demands both that exist.
const ASK: Need = Need::AllOf(&["define question", "read sensor"]);

pub(super) fn routes() -> Vec<Route> {
    vec![
        post("/api/v2/parse_question", ASK, parse_question),
        post("/api/v2/questions", ASK, ask),
        get("/api/v2/result_info/question/{id}", Need::Session, question_info),
        get("/api/v2/result_data/question/{id}", Need::Session, question_data),
        get("/api/v2/result_info/saved_question/{id}", Need::Privilege("read saved question"), saved_info),
        get("/api/v2/result_data/saved_question/{id}", Need::Privilege("read saved question"), saved_data),
        get("/api/v2/saved_questions", Need::Privilege("read saved question"), saved_questions),
        get("/api/v2/saved_questions/{id}", Need::Privilege("read saved question"), saved_question),
        get(
            "/api/v2/saved_questions/by-name/{name}",
            Need::Privilege("read saved question"),
            saved_question_by_name,
        ),
        get("/api/v2/sensors", Need::Privilege("read sensor"), all_sensors),
        get("/api/v2/sensors/by-name/{name}", Need::Privilege("read sensor"), sensor_by_name),
    ]
}

fn refuse(error: &ParseError) -> Refusal {
    match error {
        ParseError::UnknownSensor(name) => {
            Refusal::not_found("SensorNotFound", &format!("The requested sensor was not found: {name}"))
        }
        ParseError::Expected(what, rest) => {
            Refusal::new(400, format!("REST Processing Exception: ParseError: expected {what} at: {rest}"))
        }
    }
}

/// A text that is understood gives one entry, marked canonical; any other gives none, as documented.
fn parse_question(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
    let parsed: Vec<Value> = grammar::question(text)
        .iter()
        .map(|question| {
            let selects = question.selects.iter();
            let sensors =
                |used: &SensorUse| json!({"sensor": {"hash": used.sensor.hash(), "name": used.sensor.name}});
            let references = |used: &SensorUse| {
                let at = text.to_lowercase().find(&used.sensor.name.to_lowercase()).unwrap_or(0);
                json!({"name": used.sensor.name, "real_ms_avg": 0, "start_char": at.to_string()})
            };
            let parameters = selects.clone().flat_map(|used| used.params.clone());
            json!({
                "from_canonical_text": 1,
                "question_text": text,
                "parameter_values": parameters.collect::<Vec<_>>(),
                "selects": selects.clone().map(sensors).collect::<Vec<_>>(),
                "sensor_references": selects.map(references).collect::<Vec<_>>(),
            })
        })
        .collect();
    Ok(Reply::data(parsed))
}

/// Takes `query_text`, or `selects` with sensors by name or hash and their parameters; `context_group` by id or name
/// narrows the question to a computer group.
fn ask(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let mut question = match body.get("query_text").and_then(Value::as_str) {
        Some(text) => grammar::question(text).map_err(|error| refuse(&error))?,
        None => from_selects(&body)?,
    };
    let forced = body.get("force_computer_id_flag");
    question.force_computer_id |=
        forced.is_some_and(|flag| flag.as_bool() == Some(true) || flag.as_u64() == Some(1));
    if let Some(group) = body.get("context_group").filter(|group| !group.is_null()) {
        let condition = context(&call.state, group)?;
        question.condition = Condition::All(vec![condition, question.condition]);
    }
    let id = call.core.questions.ask(&call.core.config, &call.state, question, &body.to_string());
    Ok(Reply::data(json!({ "id": id })))
}

fn context(state: &State, group: &Value) -> Result<Condition, Refusal> {
    let by_id = group.get("id").and_then(Value::as_u64).and_then(|id| state.groups.by_id(id));
    let by_name = || group.get("name").and_then(Value::as_str).and_then(|name| state.groups.by_name(name));
    let found = by_id.or_else(by_name);
    found
        .map(crate::areas::groups::Group::condition)
        .ok_or_else(|| Refusal::not_found("GroupNotFound", "No group matches the context_group."))
}

fn from_selects(body: &Value) -> Result<Question, Refusal> {
    let selects = body.get("selects").and_then(Value::as_array).filter(|selects| !selects.is_empty());
    let selects =
        selects.ok_or_else(|| Refusal::new(400, "QuestionRequiresSelects: give query_text or selects"))?;
    Ok(Question {
        selects: selects.iter().map(select).collect::<Result<_, _>>()?,
        condition: Condition::Always,
        force_computer_id: false,
    })
}

fn select(select: &Value) -> Result<SensorUse, Refusal> {
    let sensor = select.get("sensor").unwrap_or(&Value::Null);
    let hash = sensor.get("hash").or_else(|| sensor.get("source_hash")).and_then(Value::as_u64);
    let by_hash = SENSORS.iter().find(|known| Some(u64::from(known.hash())) == hash);
    let name = sensor.get("name").and_then(Value::as_str).unwrap_or_default();
    let found = by_hash.or_else(|| sensors::named(name));
    let found = found.ok_or_else(|| refuse(&ParseError::UnknownSensor(name.to_owned())))?;
    let parameters = sensor.get("parameters").and_then(Value::as_array);
    let value = |parameter: &Value| parameter.get("value").and_then(Value::as_str).map(str::to_owned);
    let filter = select.get("filter").and_then(|filter| {
        let wanted = filter.get("value")?.as_str()?.to_owned();
        let pattern = regex::Regex::new(&format!("(?is)^(?:{wanted})$")).ok()?;
        let not = filter.get("not_flag").and_then(Value::as_bool).unwrap_or(false);
        Some(Comparison { not, operator: Operator::Matches, value: wanted, pattern: Some(pattern) })
    });
    Ok(SensorUse {
        sensor: found,
        params: parameters.map(|all| all.iter().filter_map(value).collect()).unwrap_or_default(),
        filter,
    })
}

fn question_info(call: &Call<'_>) -> Answer {
    let asked = find(call)?;
    Ok(render::info(&asked, asked.progress(stuck(call))))
}

fn question_data(call: &Call<'_>) -> Answer {
    let asked = find(call)?;
    let progress = asked.progress(stuck(call));
    Ok(render::data(asked, progress, call.options.row_start, call.options.row_count))
}

fn find(call: &Call<'_>) -> Result<std::sync::Arc<super::Asked>, Refusal> {
    let none = || Refusal::not_found("QuestionNotFound", "No question matches the specified ID.");
    call.core.questions.asked(call.id(0)).ok_or_else(none)
}

/// A stuck question is stuck for both routes, whichever the behaviour names.
fn stuck(call: &Call<'_>) -> bool {
    let id = call.param(0);
    ["info", "data"].iter().any(|kind| {
        let path = format!("/api/v2/result_{kind}/question/{id}");
        call.core.behaviours.has(&path, &Behaviour::NeverCompletes)
    })
}

fn saved_of<'a>(call: &'a Call<'_>) -> Result<&'a SavedQuestion, Refusal> {
    let id = call.id(0);
    call.state.content.saved_questions.iter().find(|saved| saved.id == id).ok_or_else(no_saved_question)
}

fn no_saved_question() -> Refusal {
    Refusal::not_found("SavedQuestionNotFound", "No saved question matches the request.")
}

fn saved_info(call: &Call<'_>) -> Answer {
    let saved = saved_of(call)?;
    let asked = call.core.questions.saved(&call.state, saved, call.options.most_recent);
    let asked = asked.ok_or_else(no_saved_question)?;
    Ok(render::info(&asked, asked.progress(false)))
}

fn saved_data(call: &Call<'_>) -> Answer {
    let saved = saved_of(call)?;
    let asked = call.core.questions.saved(&call.state, saved, call.options.most_recent);
    let asked = asked.ok_or_else(no_saved_question)?;
    let progress = asked.progress(false);
    Ok(render::data(asked, progress, call.options.row_start, call.options.row_count))
}

fn saved_questions(call: &Call<'_>) -> Answer {
    cache::list(call, |state| {
        state.content.saved_questions.iter().map(|saved| saved_question_json(state, saved)).collect()
    })
}

fn saved_question(call: &Call<'_>) -> Answer {
    saved_of(call).map(|saved| Reply::data(saved_question_json(&call.state, saved)))
}

fn saved_question_by_name(call: &Call<'_>) -> Answer {
    let name = call.param(0);
    let found = call.state.content.saved_questions.iter().find(|saved| saved.name.eq_ignore_ascii_case(name));
    found.map(|saved| Reply::data(saved_question_json(&call.state, saved))).ok_or_else(no_saved_question)
}

fn saved_question_json(state: &State, saved: &SavedQuestion) -> Value {
    json!({
        "action_tracking_flag": false,
        "archive_enabled_flag": false,
        "archive_owner": null,
        "content_set": {"id": 3, "name": "Base"},
        "expire_seconds": 600,
        "hidden_flag": false,
        "id": saved.id,
        "issue_seconds": saved.issue_seconds,
        "issue_seconds_never_flag": false,
        "keep_seconds": 0,
        "metadata": [],
        "mod_time": iso(saved.modified),
        "mod_user": user_reference(&state.people, saved.owner),
        "most_recent_question_id": 500_000 + saved.id,
        "name": saved.name,
        "packages": [],
        "public_flag": true,
        "query_text": saved.text,
        "question": {"id": 500_000 + saved.id},
        "row_count_flag": false,
        "sort_column": 0,
        "user": user_reference(&state.people, saved.owner),
    })
}

fn all_sensors(call: &Call<'_>) -> Answer {
    cache::list(call, |state| state.content.listed().map(sensor_json).collect())
}

fn sensor_by_name(call: &Call<'_>) -> Answer {
    let none = || Refusal::not_found("SensorNotFound", "The requested sensor was not found");
    sensors::named(call.param(0)).map(|sensor| Reply::data(sensor_json(sensor))).ok_or_else(none)
}

/// A sensor with one column has no `subcolumns` on a real server; the lab leaves them out too.
fn sensor_json(sensor: &Sensor) -> Value {
    let queries: Vec<Value> = sensor
        .platforms
        .iter()
        .map(|platform| json!({"platform": platform, "script": "", "script_type": script_type(platform)}))
        .collect();
    let id = SENSORS.iter().position(|known| known.name == sensor.name).unwrap_or_default() + 1;
    let mut value = json!({
        "category": sensor.category,
        "content_set": {"id": 3, "name": "Base"},
        "creation_time": NEVER,
        "delimiter": if sensor.columns.len() > 1 { "|" } else { "," },
        "description": sensor.name,
        "exclude_from_parse_flag": false,
        "hash": sensor.hash(),
        "hash_size": 16,
        "hidden_flag": false,
        "id": id,
        "ignore_case_flag": true,
        "keep_duplicates_flag": false,
        "last_modified_by": "Administrator",
        "max_age_seconds": 900,
        "mod_user": {"display_name": "", "domain": "", "id": 1, "name": "Administrator"},
        "modification_time": NEVER,
        "name": sensor.name,
        "parameter_definition": parameter_definition(sensor),
        "queries": queries,
        "source_id": 0,
        "string_count": 0,
        "value_type": sensor.columns.first().map_or("String", |(_, kind)| kind.name()),
    });
    if sensor.columns.len() > 1 {
        let columns = sensor.columns.iter().enumerate().map(|(index, (name, kind))| {
            json!({
                "exclude_from_parse_flag": false,
                "hidden_flag": false,
                "ignore_case_flag": true,
                "index": index,
                "name": name,
                "value_type": kind.name(),
            })
        });
        value["subcolumns"] = columns.collect();
    }
    value
}

fn script_type(platform: &str) -> &'static str {
    if platform == "Windows" { "VBScript" } else { "UnixShell" }
}

fn parameter_definition(sensor: &Sensor) -> String {
    if sensor.parameters.is_empty() {
        return String::new();
    }
    let keys: Vec<Value> = sensor.parameters.iter().map(|key| json!({ "key": key })).collect();
    json!({ "parameters": keys }).to_string()
}
