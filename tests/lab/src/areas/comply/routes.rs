//! The service's routes, in the envelopes that the vendor's description gives. It describes the fields of exceptions
//! only: what deleted assessments and notifications hold is the lab's choice.

use super::Exception;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Reply, Route, get};
use serde_json::{Value, json};

/// The description names `comply show` for notifications; the platform's list spells it so.
const SHOW: Need = Need::Privilege("show comply");
/// The description names no permission for the others; these are what the platform lists for them.
const REPORTS: Need = Need::AllOf(&["comply report read", "show comply"]);
const EXCEPTIONS: Need = Need::AllOf(&["comply exception read", "show comply"]);

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/plugin/products/comply/v1/notifications/search", SHOW, notifications),
        get("/plugin/products/comply/v1/bundles/deleted", REPORTS, deleted),
        get("/plugin/products/comply/v1/exceptions", EXCEPTIONS, exceptions),
    ]
}

/// `type` and `acknowledged`, as documented; nothing in the lab is acknowledged.
fn notifications(call: &Call<'_>) -> Answer {
    let wanted = call.query("type");
    let shown = call.query("acknowledged") != Some("true");
    let all = call.state.comply.notifications.iter().filter(|_| shown);
    let rows = all.filter(|kind| wanted.is_none_or(|wanted| wanted == **kind));
    Ok(Reply::json(&json!({"Array": rows.map(|kind| json!({"type": kind})).collect::<Vec<_>>()})))
}

/// What a removal is told of each: hash, hash of columns, platform.
fn deleted(call: &Call<'_>) -> Answer {
    let rows = call.state.comply.deleted.iter().map(|(hash, name)| {
        json!({"hash": hash, "columnHash": format!("{hash}-columns"), "platform": "windows", "name": name})
    });
    Ok(Reply::json(&json!({"reportBundleList": rows.collect::<Vec<_>>()})))
}

fn exceptions(call: &Call<'_>) -> Answer {
    let rows = call.state.comply.exceptions.iter().map(|exception| render(exception, &call.state));
    Ok(Reply::json(&rows.collect()))
}

fn render(exception: &Exception, state: &State) -> Value {
    json!({
        "id": exception.id,
        "type": "vulnerability",
        "title": exception.title,
        "checksDefinition": "{}",
        "computerGroupIds": [1],
        "reason": "acceptableRisk",
        "description": "",
        "expiration": exception.expires.strftime("%Y-%m-%d").to_string(),
        "active": true,
        "numEndpoints": 1,
        "numValues": 1,
        "isExpired": exception.expires < state.now,
        "createdBy": 4,
        "updatedBy": 4,
        "createdByPersona": 0,
        "updatedByPersona": 0,
        "createdAt": "2026-01-05T08:00:00.000Z",
        "updatedAt": "2026-01-05T08:00:00.000Z",
    })
}
