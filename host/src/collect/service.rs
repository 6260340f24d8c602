//! Services of modules: `/plugin/products/<service>/…`, whole or page by page.

use super::document::{self, Place, not_evaluated};
use super::fetched::{Data, Fetched};
use super::transport::{Call, Problem, Transport};
use super::way::Pages;
use serde_json::Value;
use tancheck_plugin_api::{Paging, Shape};

/// Reads a service's list page by page, until a page is not full.
pub(super) async fn read_paged(
    net: &impl Transport,
    call: &Call,
    pages: Pages,
    place: &Place,
) -> Result<Fetched, Problem> {
    let size = (pages.rows as usize).max(1);
    let mut gathered: Vec<Value> = Vec::new();
    let mut previous: Vec<Value> = Vec::new();
    loop {
        let page = match read_page(net, call, pages.paging, size, gathered.len(), place).await {
            Ok(page) => page,
            Err(problem) if !gathered.is_empty() => {
                let gap = format!("only the first {} rows came: {problem}", gathered.len());
                return Ok(Fetched { gaps: vec![gap], ..Fetched::whole(Data::Rows(gathered)) });
            }
            Err(problem) => return Err(problem),
        };
        // A service that does not know the words gives the same rows again.
        if !page.is_empty() && page == previous {
            let gap = format!("{}: every page holds the same {} rows", call.label(), page.len());
            return Ok(Fetched { gaps: vec![gap], ..Fetched::whole(Data::Rows(gathered)) });
        }
        let full = page.len() == size;
        gathered.extend(page.iter().cloned());
        previous = page;
        // More rows than a page holds: the service does not know them either, and has given all.
        if !full {
            return Ok(Fetched::whole(Data::Rows(gathered)));
        }
    }
}

async fn read_page(
    net: &impl Transport,
    call: &Call,
    paging: Paging,
    size: usize,
    offset: usize,
    place: &Place,
) -> Result<Vec<Value>, Problem> {
    let separator = if call.path.contains('?') { '&' } else { '?' };
    let page = match paging {
        Paging::LimitOffset => format!("limit={size}&offset={offset}"),
        Paging::SkipTake => format!("skip={offset}&take={size}"),
    };
    let path = format!("{}{separator}{page}", call.path);
    let call = Call { path, ..call.clone() };
    let document = document::fetch(net, &call).await?;
    match place.take(document, Shape::Rows, &call.label())? {
        Value::Array(rows) => Ok(rows),
        _ => Err(not_evaluated(&call.label(), "a list was expected")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::faked::Faked;
    use super::*;
    use serde_json::json;

    async fn read(net: &Faked, path: &str) -> (Vec<Value>, Vec<String>) {
        read_by(net, path, Paging::LimitOffset).await
    }

    async fn read_by(net: &Faked, path: &str, paging: Paging) -> (Vec<Value>, Vec<String>) {
        let place = Place::Key("jobs".to_owned());
        let fetched = read_paged(net, &Call::get(path), Pages { rows: 2, paging }, &place).await.unwrap();
        match fetched.data {
            Data::Rows(rows) => (rows, fetched.gaps),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn pages_are_read_until_one_is_not_full() {
        let net = Faked::answers([json!({"jobs": [1, 2]}), json!({"data": {"jobs": [3]}})]);
        let (rows, gaps) = read(&net, "/plugin/products/patch/v1/jobs?filter=x").await;
        assert_eq!((rows, gaps), (vec![json!(1), json!(2), json!(3)], vec![]));
        let paths: Vec<String> = net.calls().into_iter().map(|call| call.path).collect();
        assert_eq!(
            paths,
            [
                "/plugin/products/patch/v1/jobs?filter=x&limit=2&offset=0",
                "/plugin/products/patch/v1/jobs?filter=x&limit=2&offset=2",
            ]
        );
    }

    #[tokio::test]
    async fn a_service_may_call_it_skip_and_take() {
        let net = Faked::answers([json!([1, 2]), json!([3])]);
        let (rows, _) = read_by(&net, "/plugin/products/deploy/v3/deployments", Paging::SkipTake).await;
        assert_eq!(rows.len(), 3);
        assert_eq!(net.calls()[1].path, "/plugin/products/deploy/v3/deployments?skip=2&take=2");
    }

    #[tokio::test]
    async fn a_service_without_paging_does_not_go_on_for_ever() {
        let net = Faked::answers([json!([1, 2]), json!([1, 2])]);
        let (rows, gaps) = read(&net, "/plugin/products/x/v1/jobs").await;
        assert_eq!(rows.len(), 2);
        assert_eq!(gaps, ["GET /plugin/products/x/v1/jobs: every page holds the same 2 rows"]);
        let net = Faked::answers([json!([1, 2, 3])]);
        assert_eq!(read(&net, "/plugin/products/x/v1/jobs").await.0.len(), 3);
    }

    #[tokio::test]
    async fn a_page_that_fails_leaves_a_gap() {
        let net = Faked::answers([json!([1, 2])]);
        let (rows, gaps) = read(&net, "/plugin/products/x/v1/jobs").await;
        assert_eq!(rows.len(), 2);
        assert!(gaps[0].starts_with("only the first 2 rows came: "), "{gaps:?}");
    }
}
