//! Tests of the reader of rows: any chunks give the same, and the same documents are accepted as by `serde_json`.

use super::*;
use proptest::prelude::*;
use serde_json::json;

type Read = Result<(Vec<Value>, Value), String>;

fn read_in(place: &Place, document: &[u8], chunks: impl IntoIterator<Item = usize>) -> Read {
    let mut rows = Rows::new(place.clone(), Vec::<Value>::new());
    let mut rest = document;
    for length in chunks {
        let (chunk, after) = rest.split_at(length.clamp(1, rest.len().max(1)).min(rest.len()));
        rows.feed(chunk).map_err(|problem| problem.reason)?;
        rest = after;
    }
    rows.feed(rest).map_err(|problem| problem.reason)?;
    let (rows, rest) = rows.finish().map_err(|problem| problem.reason)?;
    assert_eq!(rest.rows, rows.len() as u64);
    assert_eq!(rest.bytes, document.len() as u64);
    Ok((rows, rest.read().map_err(|problem| problem.reason)?))
}

fn read(place: &Place, document: &str) -> Read {
    let whole = read_in(place, document.as_bytes(), []);
    let bytewise = read_in(place, document.as_bytes(), std::iter::repeat_n(1, document.len()));
    assert_eq!(whole, bytewise, "byte by byte: {document}");
    whole
}

fn list(key: &str, document: &str) -> Read {
    read(&Place::list(key), document)
}

fn refused(key: &str, document: &str) -> String {
    list(key, document).expect_err("refused")
}

#[test]
fn lists_are_found_in_every_envelope() {
    let rows = vec![
        json!({"id": 1}),
        json!({"id": "a]b\"}"}),
        json!([1, [2]]),
        json!("x"),
        json!(-1.5e3),
        json!(null),
    ];
    let text = r#"[{"id":1}, {"id":"a]b\"}"},[1,[2]]
        ,"x",-1.5e3 , null ]"#;
    for (key, document, rest) in [
        ("", text.to_owned(), json!([])),
        ("", format!(r#"{{"data":{text}}}"#), json!({"data": []})),
        (
            "",
            format!(r#"{{"total":6,"body" : {text} ,"more":{{"a":[1]}}}}"#),
            json!({"total":6,"body":[],"more":{"a":[1]}}),
        ),
        ("items", format!(r#"{{"items":{text}}}"#), json!({"items": []})),
        ("items", format!(r#"{{"data":{{"items":{text},"n":1}}}}"#), json!({"data": {"items": [], "n": 1}})),
        (
            "a/b",
            format!(r#"{{"body":{{"x":[{{}}],"a":{{"b":{text}}}}}}}"#),
            json!({"body": {"x": [{}], "a": {"b": []}}}),
        ),
        ("", format!("\u{feff}\r\n {{\"d\\u0061ta\":{text}}}\n"), json!({"data": []})),
    ] {
        assert_eq!(list(key, &document), Ok((rows.clone(), rest)), "{document}");
    }
}

#[test]
fn pointers_edges_and_result_sets_are_exact() {
    let document =
        r#"{"data":{"c":{"edges":[1,2],"pageInfo":{"hasNextPage":true}},"edges":[3]},"errors":[]}"#;
    let (rows, rest) = read(&Place::edges("c"), document).unwrap();
    assert_eq!(rows, [json!(1), json!(2)]);
    assert_eq!(rest["data"]["c"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(rest["data"]["edges"], json!([3]));

    let document = r#"[{"x":[1]},{"x~/":[{"y":2}]}]"#;
    assert_eq!(read(&Place::pointer("/1/x~0~1"), document).unwrap().0, [json!({"y": 2})]);
    assert_eq!(read(&Place::pointer(""), "[7]").unwrap().0, [json!(7)]);

    let document = r#"{"data":{"result_sets":[{"rows":[1]},{"columns":[],"rows":[2,3]},{"rows":[]}]}}"#;
    let (rows, rest) = read(&Place::result_sets(), document).unwrap();
    assert_eq!(rows, [json!(1), json!(2), json!(3)]);
    assert_eq!(rest["data"]["result_sets"][2], json!({"rows": []}));
}

#[test]
fn the_head_is_valid_json_when_a_list_begins() {
    struct Heads(Vec<Value>);
    impl TakeRow for Heads {
        fn begin(&mut self, head: &[u8]) -> Result<(), Problem> {
            self.0.push(serde_json::from_slice(head).unwrap());
            Ok(())
        }
        fn row(&mut self, _: &str) -> Result<(), Problem> {
            Ok(())
        }
    }
    let document =
        br#"{"data":{"now":"x","result_sets":[{"columns":[{"name":"A"}],"rows":[1]},{"rows":[2]}]}}"#;
    let mut rows = Rows::new(Place::result_sets(), Heads(Vec::new()));
    rows.feed(document).unwrap();
    let (heads, _) = rows.finish().unwrap();
    let first = json!({"columns": [{"name": "A"}], "rows": []});
    assert_eq!(heads.0[0], json!({"data": {"now": "x", "result_sets": [first]}}));
    assert_eq!(heads.0[1], json!({"data": {"now": "x", "result_sets": [first, {"rows": []}]}}));
}

#[test]
fn what_is_wrong_is_said_exactly() {
    for (document, expected) in [
        ("", "the answer is empty, JSON was expected"),
        (" \n", "the answer is empty, JSON was expected"),
        (r#"{"data":[{"id":1},{"id":"#, "the answer is cut off after 24 bytes, within row 2"),
        (r#"{"data":[{"id":1},"#, "the answer is cut off after 18 bytes, after row 1"),
        (r#"{"data":[{"id":1}]"#, "the answer is cut off after 18 bytes, outside of its rows"),
        (r#"{"da"#, "the answer is cut off after 4 bytes, outside of its rows"),
        (r#"{"data":[1]}x"#, "the answer is not JSON: trailing characters"),
        (r#"{"data":[1 2]}"#, "the answer is not JSON: `,` or `]` expected after row 1, `2` found (byte 11)"),
        (r#"{"data":[1,]}"#, "the answer is not JSON: `]` found instead of row 2 (byte 11)"),
        (r#"{"data":[,1]}"#, "the answer is not JSON: `,` found instead of row 1 (byte 9)"),
        (r#"{"data":[{"id":1,}]}"#, "row 1 of the answer is not understood: trailing comma"),
        (r#"{"data":[{"id":1]]}"#, "row 1 of the answer is not understood: expected `,` or `}`"),
        ("<html><HEAD><title>\n Sign in </title>", "the answer is an HTML page (“Sign in”) instead of JSON"),
        (
            r#"{"data":{"id":1,"name":"x"}}"#,
            "an object with `data` with an object with `id`, `name` at `/data`",
        ),
        (
            r#"{"data":null}"#,
            "no list at the top level, `/data`, `/body`: the answer is an object with `data` with null",
        ),
        (r#"{"text":"Invalid session"}"#, "an object with `text`; the server says: Invalid session"),
        ("17", "the answer is the number 17"),
        (r#"{"data":[1],"body":[2]}"#, "lists at `/data` and at `/body`"),
        ("plain words", "the answer is not JSON: expected value"),
    ] {
        let reason = refused("", document);
        assert!(reason.contains(expected), "{document:?}\n  said     {reason}\n  expected {expected}");
    }
    let reason = refused("items", r#"{"data":{"rows":[]}}"#);
    assert!(reason.contains("`/items`, `/data/items`, `/body/items`"), "{reason}");
}

#[test]
fn large_and_deep_answers_are_refused_whatever_the_chunks() {
    let small = |document: &str, chunk: usize| {
        let mut rows = Rows::new(Place::list(""), Vec::<Value>::new()).within(10, 30);
        let fed = document.as_bytes().chunks(chunk).try_for_each(|chunk| rows.feed(chunk));
        fed.and_then(|()| rows.finish()).map(|(rows, _)| rows.len()).map_err(|problem| problem.reason)
    };
    for chunk in [1, 3, 1000] {
        assert_eq!(
            small(r#"["12345678","123456789"]"#, chunk).unwrap_err(),
            "row 2 of the answer is not understood: it is larger than 10 bytes"
        );
        assert_eq!(small(r#"["12345678", 1]"#, chunk), Ok(2));
        let outer = format!("{{\"a\":\"{}\"}}", "x".repeat(30));
        assert_eq!(
            small(&outer, chunk).unwrap_err(),
            "the answer holds more than 30 bytes outside of its rows"
        );
    }
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(list("", &nested(MAX_DEPTH)).is_ok());
    assert!(refused("", &nested(MAX_DEPTH + 1)).contains("nested 128 levels deep"));
    let outer = |depth: usize| format!("{{\"a\":{},\"data\":[]}}", nested(depth));
    assert!(list("", &outer(MAX_DEPTH - 1)).is_ok());
    assert!(refused("", &outer(MAX_DEPTH)).contains("nested 128 levels deep"));
}

/// What `serde_json` reads in a whole document.
fn reference(document: &[u8]) -> Option<Vec<Value>> {
    let whole: Value = serde_json::from_slice(document).ok()?;
    whole["data"]["items"].as_array().cloned()
}

fn document(random: &mut fastrand::Rng) -> String {
    fn value(random: &mut fastrand::Rng, depth: usize) -> Value {
        let text = |random: &mut fastrand::Rng| {
            let parts = ["a", "\"", "\\", "]", "}", "é", "\n", ",", "[", "{", "x y", "日本", "\u{1F600}", ""];
            (0..random.usize(..5)).map(|_| parts[random.usize(..parts.len())]).collect::<String>()
        };
        match random.usize(..if depth > 3 { 5 } else { 8 }) {
            0 => json!(random.i64(..)),
            1 => json!(random.f64()),
            2 => json!(random.bool()),
            3 => Value::Null,
            4 | 5 => json!(text(random)),
            6 => (0..random.usize(..4)).map(|_| value(random, depth + 1)).collect(),
            _ => (0..random.usize(..4)).map(|_| (text(random), value(random, depth + 1))).collect(),
        }
    }
    let items: Vec<Value> = (0..random.usize(..6)).map(|_| value(random, 0)).collect();
    let whole =
        json!({"a": value(random, 2), "data": {"b": value(random, 2), "items": items, "z": 1}, "total": 3});
    if random.bool() { whole.to_string() } else { format!("{whole:#}") }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    let signs = b"{}[],:\"\\ \n\t01a-+.eEu\x00\x1f\x80\xff\xc3";
    for _ in 0..random.usize(..4) {
        if bytes.is_empty() {
            return;
        }
        let at = random.usize(..bytes.len());
        let sign = signs[random.usize(..signs.len())];
        match random.u8(..5) {
            0 => bytes[at] = sign,
            1 => bytes.insert(at, sign),
            2 => drop(bytes.remove(at)),
            3 => bytes.truncate(at + 1),
            _ => {
                let end = (at + random.usize(..20)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let to = random.usize(..bytes.len());
                bytes.splice(to..to, part);
            }
        }
    }
}

#[test]
fn the_same_documents_are_accepted_as_by_serde_json() {
    let place = Place::pointer("/data/items");
    let mut random = fastrand::Rng::with_seed(20_260_101);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..8_000 {
        let mut bytes = document(&mut random).into_bytes();
        mutate(&mut bytes, &mut random);
        let chunks: Vec<usize> = (0..20).map(|_| random.usize(1..60)).collect();
        let streamed = read_in(&place, &bytes, chunks);
        match (reference(&bytes), streamed) {
            (Some(expected), Ok((rows, _))) => {
                accepted += 1;
                assert_eq!(rows, expected, "{}", bytes.escape_ascii());
            }
            (None, Err(_)) => refused += 1,
            // A key that comes twice: the last one would count, but its rows were already handed out.
            (Some(_), Err(reason)) if reason.contains("the answer has lists at") => {}
            (expected, streamed) => {
                panic!("{}\nexpected {expected:?}\nstreamed {streamed:?}", bytes.escape_ascii())
            }
        }
    }
    assert!(accepted > 1_500 && refused > 1_500, "{accepted} accepted, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunks_give_the_same(seed: u64, chunks in proptest::collection::vec(1_usize..40, 0..60), broken: bool) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut bytes = document(&mut random).into_bytes();
        if broken {
            mutate(&mut bytes, &mut random);
        }
        for place in [Place::list("items"), Place::list(""), Place::pointer("/data/b")] {
            prop_assert_eq!(read_in(&place, &bytes, chunks.clone()), read_in(&place, &bytes, []));
        }
    }
}
