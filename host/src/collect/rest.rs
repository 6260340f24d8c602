//! Platform routes: options, paging through the server's list cache, and elements that are no rows.

use super::document::{self, Place};
use super::fetched::{Data, Fetched};
use super::transport::{Call, Problem, Transport};
use serde_json::{Map, Value, json};
use tancheck_plugin_api::Shape;

/// Rows of a page, unless the source says otherwise.
const PAGE: u64 = 1000;
/// How long the server keeps a list between two pages, unless the source says otherwise.
const CACHE_SECONDS: u64 = 600;

/// Reads a platform list page by page: the first page freezes it under a `cache_id`, the others read from there.
pub(super) async fn read_paged(net: &impl Transport, call: &Call, place: &Place) -> Result<Fetched, Problem> {
    let mut options: Map<String, Value> =
        call.options.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    options.entry("cache_expiration").or_insert_with(|| json!(CACHE_SECONDS));
    let size = options.entry("row_count").or_insert_with(|| json!(PAGE)).as_u64().unwrap_or(PAGE).max(1);
    options.insert("row_start".to_owned(), json!(0));

    let mut gathered: Vec<Value> = Vec::new();
    let mut start = 0;
    let mut total = None;
    loop {
        let page = match read_page(net, call, &options, place).await {
            Ok(page) => page,
            // What came so far is true; that it is not all is said.
            Err(problem) if start > 0 => {
                let gap = format!("only the first {start} of {} rows came: {problem}", known(total));
                return Ok(Fetched { gaps: vec![gap], ..Fetched::whole(Data::Rows(gathered)) });
            }
            Err(problem) => return Err(problem),
        };
        let shown = page.shown;
        gathered.extend(page.rows);
        start += shown;
        let Some(info) = page.info else {
            return Ok(without_cache(gathered, shown, size, start, call));
        };
        total = info.total.or(total);
        if shown == 0 || total.is_some_and(|total| start >= total) {
            break;
        }
        options.insert("cache_id".to_owned(), info.id);
        options.insert("row_start".to_owned(), json!(start));
    }
    let gap = total
        .filter(|&total| start < total)
        .map(|total| format!("{}: {start} of {total} rows came", call.label()));
    Ok(Fetched { gaps: gap.into_iter().collect(), ..Fetched::whole(Data::Rows(gathered)) })
}

struct Page {
    rows: Vec<Value>,
    shown: u64,
    info: Option<CacheInfo>,
}

struct CacheInfo {
    id: Value,
    total: Option<u64>,
}

async fn read_page(
    net: &impl Transport,
    call: &Call,
    options: &Map<String, Value>,
    place: &Place,
) -> Result<Page, Problem> {
    let call = Call { options: Some(Value::Object(options.clone()).to_string()), ..call.clone() };
    let document = document::fetch(net, &call).await?;
    let Value::Array(mut rows) = place.take(document, Shape::Rows, &call.label())? else {
        return Ok(Page::empty());
    };
    let info = rows.iter().position(is_cache_info).map(|position| rows.remove(position));
    let counted = rows.iter().filter(|row| !is_status_aggregate(row)).count() as u64;
    let number = |key: &str| info.as_ref().and_then(|info| info.get(key)).and_then(as_number);
    let shown = number("page_row_count").unwrap_or(counted);
    let total = number("filtered_row_count").or_else(|| number("cache_row_count"));
    let info =
        info.as_ref().and_then(|info| info.get("cache_id")).map(|id| CacheInfo { id: id.clone(), total });
    Ok(Page { rows, shown, info })
}

impl Page {
    fn empty() -> Self {
        Self { rows: Vec::new(), shown: 0, info: None }
    }
}

/// A server that does not say how many rows there are has given all of them, unless they just fill the page.
fn without_cache(rows: Vec<Value>, shown: u64, size: u64, start: u64, call: &Call) -> Fetched {
    let unsure = shown == size || start > shown;
    let gap = unsure
        .then(|| format!("{}: the server did not say how many rows there are; {start} came", call.label()));
    Fetched { gaps: gap.into_iter().collect(), ..Fetched::whole(Data::Rows(rows)) }
}

fn known(total: Option<u64>) -> String {
    total.map_or_else(|| "an unknown number of".to_owned(), |total| total.to_string())
}

fn as_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The element by which a list tells about its cache.
fn is_cache_info(row: &Value) -> bool {
    row.get("cache_id").is_some() && row.get("page_row_count").is_some()
}

/// The counters over all clients at the end of the client status list.
fn is_status_aggregate(row: &Value) -> bool {
    row.get("versions").is_some() && row.get("leader_count").is_some()
}

/// Drops elements that are no rows. Rows that lack the key `only_with` go too; with it, the client status list gives
/// its counters, which are dropped otherwise.
pub(super) fn keep_rows(rows: &mut Vec<Value>, only_with: &str) {
    rows.retain(|row| {
        let wanted =
            if only_with.is_empty() { !is_status_aggregate(row) } else { row.get(only_with).is_some() };
        wanted && !is_cache_info(row)
    });
}

#[cfg(test)]
mod tests {
    use super::super::faked::Faked;
    use super::*;

    fn list() -> Call {
        Call { options: Some(r#"{"row_count":2}"#.to_owned()), ..Call::get("/api/v2/sensors") }
    }

    fn info(shown: u64, total: u64) -> Value {
        json!({"cache_id": 77, "page_row_count": shown, "filtered_row_count": total, "cache_row_count": total})
    }

    fn rows(fetched: Fetched) -> Vec<Value> {
        match fetched.data {
            Data::Rows(rows) => rows,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn pages_are_read_to_the_end() {
        let net = Faked::answers([
            json!({"data": [{"id": 1}, {"id": 2}, info(2, 3)]}),
            json!({"data": [{"id": 3}, info(1, 3)]}),
        ]);
        let fetched = read_paged(&net, &list(), &Place::Key(String::new())).await.unwrap();
        assert_eq!(fetched.gaps, [""; 0]);
        assert_eq!(rows(fetched), [json!({"id": 1}), json!({"id": 2}), json!({"id": 3})]);
        let options: Vec<Value> = net
            .calls()
            .iter()
            .map(|call| serde_json::from_str(call.options.as_deref().unwrap()).unwrap())
            .collect();
        assert_eq!(
            options,
            [
                json!({"row_count": 2, "row_start": 0, "cache_expiration": 600}),
                json!({"row_count": 2, "row_start": 2, "cache_expiration": 600, "cache_id": 77}),
            ]
        );
    }

    #[tokio::test]
    async fn a_page_that_fails_leaves_a_gap() {
        let net = Faked::answers([json!({"data": [{"id": 1}, {"id": 2}, info(2, 5)]})]);
        let fetched = read_paged(&net, &list(), &Place::Key(String::new())).await.unwrap();
        assert_eq!(fetched.gaps, ["only the first 2 of 5 rows came: GET /api/v2/sensors: no more answers"]);
        assert_eq!(rows(fetched).len(), 2);
    }

    #[tokio::test]
    async fn a_server_that_stops_early_leaves_a_gap() {
        let net = Faked::answers([
            json!({"data": [{"id": 1}, {"id": 2}, info(2, 5)]}),
            json!({"data": [info(0, 5)]}),
        ]);
        let fetched = read_paged(&net, &list(), &Place::Key(String::new())).await.unwrap();
        assert_eq!(fetched.gaps, ["GET /api/v2/sensors: 2 of 5 rows came"]);
    }

    #[tokio::test]
    async fn a_server_without_a_cache_is_believed_unless_the_page_is_full() {
        let net = Faked::answers([json!({"data": [{"id": 1}]})]);
        let fetched = read_paged(&net, &list(), &Place::Key(String::new())).await.unwrap();
        assert_eq!(fetched.gaps, [""; 0]);
        let net = Faked::answers([json!({"data": [{"id": 1}, {"id": 2}]})]);
        let fetched = read_paged(&net, &list(), &Place::Key(String::new())).await.unwrap();
        assert_eq!(fetched.gaps.len(), 1);
    }

    #[test]
    fn elements_that_are_no_rows_are_dropped() {
        let aggregate = json!({"versions": [], "leader_count": 3});
        let mixed = vec![json!({"host_name": "a"}), aggregate.clone(), info(1, 1)];
        let mut rows = mixed.clone();
        keep_rows(&mut rows, "");
        assert_eq!(rows, [json!({"host_name": "a"})]);
        let mut counters = mixed;
        keep_rows(&mut counters, "leader_count");
        assert_eq!(counters, [aggregate]);
    }
}
