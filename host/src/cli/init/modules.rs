//! What the deployment has, asked before there is a configuration to collect by.

use crate::collect::transport::{Call, Transport};
use crate::run::presence::Modules;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tancheck_plugin_api::records::server::ImportedSolution;

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

/// Asks for the imported solutions and the licence.
pub(super) async fn ask(transport: &impl Transport) -> Modules {
    let rows = get::<Vec<Value>>(transport, "/api/v2/solutions").await;
    // A list may hold elements that are no rows.
    let solutions = |rows: Vec<Value>| {
        let solutions = rows.into_iter().filter_map(|row| serde_json::from_value(row).ok());
        solutions.filter(|one: &ImportedSolution| !one.name.is_empty()).collect()
    };
    Modules::of(rows.map(solutions), get(transport, "/api/v2/license").await)
}

async fn get<T: DeserializeOwned>(transport: &impl Transport, path: &str) -> Result<T, String> {
    let body = transport.send(&Call::get(path), Vec::<u8>::new).await.map_err(|problem| problem.reason)?;
    serde_json::from_slice::<Envelope<T>>(&body)
        .map(|envelope| envelope.data)
        .map_err(|error| format!("GET {path} answers in an unknown form ({error})"))
}
