//! Tests of counted result sets: exact shapes, and the same counts as a slow reference on mutated documents.

use super::*;
use crate::collect::transport::Sink;
use serde_json::{Value, json};
use tancheck_plugin_api::facts::TallyRow;

fn read(document: &[u8], chunk: usize) -> Result<ResultSet, String> {
    let mut rows = sink();
    for part in document.chunks(chunk) {
        rows.feed(part).map_err(|problem| problem.reason)?;
    }
    finish(rows).map_err(|problem| problem.reason)
}

fn read_value(document: &Value) -> ResultSet {
    let text = document.to_string();
    let whole = read(text.as_bytes(), usize::MAX).unwrap();
    assert_eq!(read(text.as_bytes(), 1).unwrap(), whole, "byte by byte");
    assert_eq!(read(format!("{document:#}").as_bytes(), 100).unwrap(), whole, "with white space");
    whole
}

fn cell(values: &[&str]) -> Value {
    values.iter().map(|text| json!({"text": text})).collect()
}

fn result_set(columns: &[(u64, &str)], rows: &[&[&[&str]]]) -> Value {
    let columns: Vec<Value> =
        columns.iter().map(|(hash, name)| json!({"hash": hash, "name": name, "type": 1})).collect();
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| json!({"cid": 0, "data": row.iter().map(|values| cell(values)).collect::<Vec<_>>()}))
        .collect();
    json!({"data": {"max_available_age": "", "now": "2026/01/19 16:42:30 GMT-0000", "result_sets": [{
        "columns": columns, "estimated_total": 1000, "filtered_row_count": rows.len(), "mr_tested": 970,
        "question_id": 17, "row_count": rows.len(), "rows": rows, "seconds_since_issued": 5, "tested": 960,
    }]}})
}

fn row(cells: &[&str], count: u64, sample: &[&str]) -> TallyRow {
    let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    TallyRow { cells: owned(cells), count, sample: owned(sample) }
}

#[test]
fn counted_rows_are_taken_as_they_are() {
    let set = read_value(&result_set(
        &[(45_421_433, "Operating System"), (0, "Count")],
        &[
            &[&["Windows 10"], &["5"]],
            &[&["Ubuntu \"22.04\""], &["328"]],
            &[&["[no results]"], &["7"]],
            &[&["TSE-Error: No Sensor Definition for this Platform"], &["2"]],
            &[&["AIX"], &["5"]],
        ],
    ));
    assert_eq!(set.tally.columns, ["Operating System"]);
    assert_eq!(
        set.tally.rows,
        [row(&["Ubuntu \"22.04\""], 328, &[]), row(&["AIX"], 5, &[]), row(&["Windows 10"], 5, &[])]
    );
    assert_eq!((set.tally.answered, set.tally.expected, set.tally.other), (970, 1000, 0));
    assert_eq!(set.tally.without_value["[no results]"], 7);
    assert_eq!(set.tally.without_value["TSE-Error: No Sensor Definition for this Platform"], 2);
    assert_eq!((set.question_id, set.seconds_since_issued, set.rows, set.rows_there), (17, 5, 5, 5));
}

#[test]
fn machines_are_counted_and_named() {
    let names: Vec<String> = (0..40).map(|number| format!("host-{number:02}")).collect();
    let rows: Vec<Vec<Vec<&str>>> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            vec![vec![name.as_str()], vec!["17"], vec![if index < 38 { "On" } else { "Off" }]]
        })
        .collect();
    let rows: Vec<Vec<&[&str]>> = rows.iter().map(|row| row.iter().map(Vec::as_slice).collect()).collect();
    let mut rows: Vec<&[&[&str]]> = rows.iter().map(Vec::as_slice).collect();
    let columns =
        [(3_409_330_187, "Computer Name"), (3_556_221_173, "Computer ID"), (2_671_758_800, "Action Lock")];
    let set = read_value(&result_set(&columns, &rows));
    assert_eq!(set.tally.columns, ["Action Lock"]);
    assert_eq!(set.tally.rows[1], row(&["Off"], 2, &["host-38", "host-39"]));
    assert_eq!((set.tally.rows[0].count, set.tally.rows[0].sample.len()), (38, SAMPLE_NAMES));
    rows.reverse();
    assert_eq!(read_value(&result_set(&columns, &rows)).tally, set.tally, "in another order");
}

#[test]
fn several_values_are_joined_and_special_ones_dropped() {
    let set = read_value(&result_set(
        &[(1, "Tags"), (2, "State"), (0, "Count")],
        &[
            &[&["red", "blue"], &["On"], &["3"]],
            &[&["red", "[no results]", "blue"], &["On"], &["1"]],
            &[&["[no results]"], &["Off"], &["2"]],
            &[&[], &["Off"], &["4"]],
            &[&["[current result unavailable]"], &["TSE-Error: x"], &["6"]],
            &[&["[current results unavailable]"], &["[results currently unavailable]"], &["1"]],
        ],
    ));
    assert_eq!(set.tally.rows, [row(&["", "Off"], 6, &[]), row(&["red\nblue", "On"], 4, &[])]);
    assert_eq!(set.tally.without_value["TSE-Error: x"], 6);
    assert_eq!(set.tally.without_value["[current results unavailable]"], 1);
}

#[test]
fn rows_may_come_before_their_columns() {
    let text = r#"{"data":{"result_sets":[{"rows":[{"cid":0,"data":[[{"text":"a"}],[{"text":"2"}]]},
        {"data":[[{"text":"b"}],[{"text":"3"}]]}],"mr_tested":5,"estimated_total":5,
        "columns":[{"name":"A","hash":"7"},{"name":"Count","hash":0}]}]}}"#;
    for chunk in [1, 7, 1000] {
        let tally = read(text.as_bytes(), chunk).unwrap().tally;
        assert_eq!(tally.rows, [row(&["b"], 3, &[]), row(&["a"], 2, &[])]);
    }
    let broken = text.replace("\"b\"}],[{\"text\":\"3\"", "\"b\"}],[{\"text\":\"x\"");
    assert_eq!(
        read(broken.as_bytes(), 9).unwrap_err(),
        "row 2 of the answer is not understood: its Count is `x`"
    );
}

#[test]
fn what_does_not_fit_is_counted_as_other() {
    let answers: Vec<(String, String)> = (0_u64..20_000)
        .map(|number| (format!("v{number:05}"), (number * 7 % 20_000 + 1).to_string()))
        .collect();
    let cells: Vec<[[&str; 1]; 2]> =
        answers.iter().map(|(text, count)| [[text.as_str()], [count.as_str()]]).collect();
    let rows: Vec<Vec<&[&str]>> =
        cells.iter().map(|row| row.iter().map(|cell| &cell[..]).collect()).collect();
    let rows: Vec<&[&[&str]]> = rows.iter().map(Vec::as_slice).collect();
    let document = result_set(&[(1, "A"), (0, "Count")], &rows).to_string();
    let tally = read(document.as_bytes(), 4096).unwrap().tally;
    assert_eq!(tally.rows.len(), KEPT_ROWS);
    let counts: Vec<u64> = tally.rows.iter().map(|row| row.count).collect();
    let expected: Vec<u64> = (0..KEPT_ROWS as u64).map(|rank| 20_000 - rank).collect();
    assert_eq!(counts, expected, "the commonest of counted rows, exactly");
    assert_eq!(tally.valued(), 20_000 * 20_001 / 2, "nobody is lost");
}

#[test]
fn the_columns_of_machines_may_have_any_order() {
    const NAME: (u64, &str) = (3_409_330_187, "Computer Name");
    const COUNT: (u64, &str) = (0, "Count");
    const ANSWER: (u64, &str) = (1, "A");
    let machines = [("a", "1"), ("b", "2"), ("c", "4")];
    for columns in
        [[NAME, COUNT, ANSWER], [NAME, ANSWER, COUNT], [ANSWER, NAME, COUNT], [COUNT, ANSWER, NAME]]
    {
        let cells = machines.map(|(name, count)| {
            columns.map(|column| {
                if column == NAME {
                    [name]
                } else if column == COUNT {
                    [count]
                } else {
                    ["On"]
                }
            })
        });
        let rows: Vec<Vec<&[&str]>> =
            cells.iter().map(|row| row.iter().map(|cell| &cell[..]).collect()).collect();
        let rows: Vec<&[&[&str]]> = rows.iter().map(Vec::as_slice).collect();
        let set = read_value(&result_set(&columns, &rows));
        assert_eq!(set.tally.rows, [row(&["On"], 7, &["a", "b", "c"])], "{columns:?}");
    }
}

/// Machines whose answers come again and again, among others that come once.
fn machines(answers: impl Iterator<Item = String>) -> Vec<u8> {
    let columns = [(3_409_330_187, "Computer Name"), (3_556_221_173, "Computer ID"), (1, "A"), (2, "B")];
    let head = result_set(&columns, &[]).to_string();
    let rows = answers.enumerate().map(|(number, answer)| {
        let cells = [format!("host-{number}"), (number * 7).to_string(), "On".to_owned(), answer];
        json!({"cid": number, "data": cells.map(|text| cell(&[&text]))}).to_string()
    });
    head.replacen("[]", &format!("[{}]", rows.collect::<Vec<_>>().join(",")), 1).into_bytes()
}

#[test]
fn rows_that_end_alike_are_counted_alike_when_answers_are_given_up() {
    const MACHINES: u64 = 40_000;
    let often = |number: u64| format!("often {}", number / 2 % 20);
    let once = |number: u64| format!("once {number}");
    let document =
        machines((0..MACHINES).map(|number| if number % 2 == 0 { often(number) } else { once(number) }));
    let quick = read(&document, 64 << 10).unwrap().tally;
    assert_eq!(quick, read(&document, 1).unwrap().tally, "byte by byte");
    assert_eq!(quick.valued(), MACHINES, "nobody is lost");
    let counts: Vec<u64> = quick.rows[..20].iter().map(|row| row.count).collect();
    assert_eq!(counts, [MACHINES / 40; 20]);
    assert!(quick.other > 0);
}

#[test]
fn a_row_that_ends_as_one_before_is_read_again_if_one_byte_differs() {
    let good = machines(["a", "b", "a", "b"].map(str::to_owned).into_iter());
    let whole = read(&good, usize::MAX).unwrap();
    assert_eq!(whole.tally.rows.len(), 2);
    let last = good.windows(8).rposition(|part| part == b"\"host-3\"").unwrap();
    let end = last + good[last..].windows(3).position(|part| part == b"]]}").unwrap() + 3;
    for at in last..end {
        for byte in *b"\"\\ ]}x\x1f\xff" {
            let mut bytes = good.clone();
            bytes[at] = byte;
            let read_whole = read(&bytes, usize::MAX);
            assert_eq!(read_whole, read(&bytes, 1), "{}", bytes[last..].escape_ascii());
            let valid = serde_json::from_slice::<Value>(&bytes).is_ok();
            assert!(valid || read_whole.is_err(), "{}", bytes[last..].escape_ascii());
        }
    }
}

#[test]
fn what_is_no_result_set_is_refused() {
    let good = result_set(&[(1, "A"), (0, "Count")], &[&[&["a"], &["2"]], &[&["b"], &["3"]]]).to_string();
    for (from, to, expected) in [
        (
            r#"{"text":"3"}"#,
            r#"{"text":"three"}"#,
            "row 2 of the answer is not understood: its Count is `three`",
        ),
        (r#"[{"text":"2"}]"#, r"[]", "row 1 of the answer is not understood: its Count is ``"),
        (
            r#",[{"text":"3"}]"#,
            "",
            "row 2 of the answer is not understood: it has 1 cells, the result set 2 columns",
        ),
        (r#""data":[["#, r#""date":[["#, "row 1 of the answer is not understood: missing field `data`"),
        (r#""columns""#, r#""column""#, "the result set does not name its columns"),
        (r#""rows""#, r#""row""#, "no list at `/data/result_sets/*/rows`"),
    ] {
        let document = good.replacen(from, to, 1);
        assert_ne!(document, good, "{from}");
        let reason = read(document.as_bytes(), 11).unwrap_err();
        assert!(reason.contains(expected), "{reason}\n{expected}");
    }
    let two = good.replacen("[{\"columns\"", "[{\"columns\":[],\"rows\":[]},{\"columns\"", 1);
    assert!(read(two.as_bytes(), 50).unwrap_err().contains("second result set"));
}

/// `{"text": …}`, or a bare text or number.
fn text_of(value: &Value) -> Option<String> {
    let text = if value.is_object() { value.get("text")? } else { value };
    match text {
        Value::String(text) => Some(text.clone()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

/// The same counts, the slow way: the whole document first, no streaming, no hashing.
fn reference(document: &[u8]) -> Option<Tally> {
    let whole: Value = serde_json::from_slice(document).ok()?;
    let set = whole["data"]["result_sets"].as_array()?.first()?;
    let columns: Vec<String> = set["columns"]
        .as_array()?
        .iter()
        .map(|column| column["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    let mut counts: BTreeMap<Vec<String>, (u64, Vec<String>)> = BTreeMap::new();
    let mut without: BTreeMap<String, u64> = BTreeMap::new();
    for row in set["rows"].as_array()? {
        let cells = row["data"].as_array()?;
        let values = |index: usize| match &cells[index] {
            Value::Array(values) => values.iter().map(text_of).collect(),
            value => Some(vec![text_of(value)?]),
        };
        if cells.len() != columns.len() {
            return None;
        }
        let name = values(0)?.first().cloned();
        let [count] = values(3)?.try_into().ok()?;
        let count: u64 = count.parse().ok()?;
        let special = |text: &String| text == "[no results]" || text.starts_with("TSE-Error:");
        let answer: Vec<Vec<String>> = vec![values(1)?, values(2)?];
        let all: Vec<&String> = answer.iter().flatten().collect();
        if !all.is_empty() && all.iter().all(|text| special(text)) {
            let text = all.iter().find(|text| text.starts_with('T')).unwrap_or(&all[0]);
            *without.entry((*text).clone()).or_default() += count;
            continue;
        }
        let keep = |values: Vec<String>| {
            values.into_iter().filter(|text| !special(text)).collect::<Vec<_>>().join("\n")
        };
        let entry = counts.entry(answer.into_iter().map(keep).collect()).or_default();
        entry.0 += count;
        entry.1.extend(name.filter(|text| !special(text)));
    }
    let mut rows: Vec<TallyRow> = counts
        .into_iter()
        .map(|(cells, (count, mut sample))| {
            sample.sort();
            sample.dedup();
            TallyRow { cells, count, sample }
        })
        .collect();
    rows.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.cells.cmp(&other.cells)));
    let columns = vec![columns.get(1)?.clone(), columns.get(2)?.clone()];
    Some(Tally { columns, rows, other: 0, answered: 970, expected: 1000, without_value: without })
}

#[test]
fn mutated_result_sets_are_counted_like_the_reference_or_refused() {
    let texts =
        ["On", "Off", "[no results]", "TSE-Error: x", "grün", "a \\ b", "longer than eight", "", "[", "T"];
    let mut random = fastrand::Rng::with_seed(20_260_202);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..10_000 {
        // Of a few texts, most rows end as one before.
        let texts = if random.bool() { &texts[..] } else { &["On", "]]}"] };
        let pick = |random: &mut fastrand::Rng| texts[random.usize(..texts.len())];
        let rows: Vec<Vec<Vec<&str>>> = (0..random.usize(..12))
            .map(|_| {
                let two = (0..random.usize(..3)).map(|_| pick(&mut random)).collect();
                vec![
                    vec![pick(&mut random)],
                    two,
                    vec![pick(&mut random)],
                    vec![["1", "2", "30"][random.usize(..3)]],
                ]
            })
            .collect();
        let rows: Vec<Vec<&[&str]>> =
            rows.iter().map(|row| row.iter().map(Vec::as_slice).collect()).collect();
        let rows: Vec<&[&[&str]]> = rows.iter().map(Vec::as_slice).collect();
        let columns = [(3_409_330_187, "Computer Name"), (1, "A"), (2, "B"), (0, "Count")];
        let whole = result_set(&columns, &rows);
        let text = if random.bool() { whole.to_string() } else { format!("{whole:#}") };
        let mut bytes = text.into_bytes();
        // Only the rows are changed: the reference takes the rest as given.
        let start = bytes.windows(6).position(|part| part == b"\"rows\"").unwrap() + 7;
        let end = bytes.windows(22).position(|part| part == b"\"seconds_since_issued\"".as_slice()).unwrap();
        for _ in 0..random.usize(..3) {
            let at = random.usize(start..end);
            let signs = b"{}[],:\"\\ 012\n\x01\xff";
            match random.u8(..3) {
                0 => bytes[at] = signs[random.usize(..signs.len())],
                1 => bytes.insert(at, signs[random.usize(..signs.len())]),
                _ => drop(bytes.remove(at)),
            }
        }
        let streamed = read(&bytes, random.usize(1..2000));
        if random.u8(..8) == 0 {
            assert_eq!(streamed.as_ref().ok(), read(&bytes, 1).as_ref().ok(), "{}", bytes.escape_ascii());
        }
        match (reference(&bytes), streamed) {
            (Some(expected), Ok(set)) => {
                accepted += 1;
                assert_eq!(set.tally, expected, "{}", bytes.escape_ascii());
            }
            (None, Err(_)) => refused += 1,
            (expected, streamed) => {
                panic!("{}\nexpected {expected:?}\nstreamed {streamed:?}", bytes.escape_ascii())
            }
        }
    }
    assert!(accepted > 2_000 && refused > 2_000, "{accepted} accepted, {refused} refused");
}
