//! The API Gateway: GraphQL queries over the same state that the REST routes show.

mod endpoints;
mod execute;
mod resolve;
mod schema;

use crate::areas::{Area, no_exports};
use crate::wire::{Answer, Call, Need, Reply, Route, post};
pub(crate) use resolve::ROWS;
use resolve::Resolver;
use serde_json::{Map, Value, json};

pub(crate) const AREA: Area = Area { routes, faults: &[], exports: no_exports };

/// Without it the lab refuses the route with 403, while a privilege that a single field needs is refused in `errors`.
const USE: Need = Need::Privilege("gateway use api");

fn routes() -> Vec<Route> {
    vec![post("/plugin/products/gateway/graphql", USE, graphql)]
}

/// `{"query", "variables"?, "operationName"?}`. A document that does not fit the schema is refused with 400.
fn graphql(call: &Call<'_>) -> Answer {
    let body = call.json()?;
    let query = body["query"].as_str().unwrap_or_default();
    let variables: Map<String, Value> = body["variables"].as_object().cloned().unwrap_or_default();
    match execute::read(query, body["operationName"].as_str(), variables) {
        Ok(wanted) => Ok(Reply::json(&execute::run(&Resolver { call }, &wanted))),
        Err(refused) => {
            Ok(Reply { status: 400, ..Reply::json(&json!({"errors": [{"message": refused.0}]})) })
        }
    }
}
