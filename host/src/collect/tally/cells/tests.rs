//! Tests of the two ways to read a row.

use super::*;

fn quick(row: &str) -> Option<Vec<Vec<String>>> {
    let mut cells = Cells::default();
    let padded = format!("{row},{{\"cid\":1");
    let length = cells.quick(padded.as_bytes())?;
    assert_eq!(length, row.len(), "{row}");
    Some(read(&cells, row))
}

fn parsed(row: &str) -> Result<Vec<Vec<String>>, String> {
    let mut cells = Cells::default();
    cells.parse(row).map_err(|error| error.to_string())?;
    let text = cells.take_text();
    Ok(read(&cells, &text))
}

fn read(cells: &Cells, text: &str) -> Vec<Vec<String>> {
    let column = |index| cells.of(index).iter().map(|value| text[value.place.clone()].to_owned()).collect();
    (0..cells.columns()).map(column).collect()
}

#[test]
fn both_ways_read_simple_rows_alike() {
    for row in [
        r#"{"cid":0,"data":[[{"text":"Windows 10 Enterprise"}],[{"text":"5"}]]}"#,
        r#"{"id":17,"cid":123456789,"data":[[{"text":"a"},{"text":"b"}],[],[{"text":""}]]}"#,
        r#"{ "data" : [ [ { "text" : "Zürich, größer als 8 Bytes" } ] , [ ] ] , "cid" : 0 }"#,
        "{\n\t\"name\": \"x\",\n\t\"flag\": true, \"none\": null,\n\t\"data\": []\n}",
    ] {
        assert_eq!(quick(row), Some(parsed(row).unwrap()), "{row}");
    }
}

#[test]
fn what_is_odd_is_left_to_the_parser() {
    for row in [
        r#"{"cid":0,"data":[[{"text":"a\"b"}]]}"#,
        r#"{"cid":-1.5e3,"data":[[{"text":5}]]}"#,
        r#"{"cid":{"deep":[1]},"data":[[{"other":1,"text":"x"}]]}"#,
        r#"{"data":[[{"text":"x"}]],"data":[[{"text":"y"}]]}"#,
        r#"{"data":["bare",7,[null]]}"#,
    ] {
        assert_eq!(quick(row), None, "{row}");
        parsed(row).unwrap();
    }
    assert_eq!(parsed(r#"{"data":[[{"text":"x"}]],"data":[[{"text":"y"}]]}"#).unwrap(), [["y"]]);
    assert_eq!(parsed(r#"{"data":["bare",7,[null]]}"#).unwrap(), [["bare"], ["7"], [""]]);
}

#[test]
fn neither_way_takes_what_is_no_row() {
    for row in [
        "{}",
        r#"{"cid":1}"#,
        r#"{"cid":01,"data":[]}"#,
        r#"{"cid":1.,"data":[]}"#,
        r#"{"cid":nul,"data":[]}"#,
        r#"{"data":[[{"text":"a"}],]}"#,
        r#"{"data":[[{"text":"a"},]]}"#,
        r#"{"data":[[{"text":"a"}]],}"#,
        r#"{"data":[[{"text":"a" "b"}]]}"#,
        r#"{"data":[[{"other":"a"}]]}"#,
        r#"{"data":[[[{"text":"a"}]]]}"#,
        r#"{"data":[[{"text":"\ud800"}]]}"#,
        r#"{"cid":1e999,"data":[]}"#,
        r#"{"cid":"\ud800","data":[]}"#,
        "{\"data\":[[{\"text\":\"a\u{1}b\"}]]}",
        "{\"data\":[[{\"text\":\"more than eight\u{1f}\"}]]}",
    ] {
        assert_eq!(quick(row), None, "{row}");
        parsed(row).unwrap_err();
    }
}

#[test]
fn strings_end_where_a_slow_search_says() {
    let alphabet = [b'a', b'z', b'"', b'\\', 0x1f, b' ', 0x7f, 0x80, 0xc3, 0xa9, 0xff, b'!', b'#'];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..50_000 {
        let bytes: Vec<u8> =
            (0..random.usize(..24)).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
        let stop = bytes.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20);
        let slow = stop.filter(|&end| bytes[end] == b'"' && std::str::from_utf8(&bytes[..end]).is_ok());
        let slow = slow.map(|length| Text { length, hash: hash(&bytes[..length]) });
        assert_eq!(text(&bytes), slow, "{bytes:?}");
    }
}

#[test]
fn a_row_that_is_cut_is_not_taken() {
    let row = r#"{"cid":0,"data":[[{"text":"Windows 10 Enterprise"}],[{"text":"5"}]]}"#;
    for end in 0..row.len() {
        assert_eq!(Cells::default().quick(&row.as_bytes()[..end]), None, "{end}");
    }
}
