//! The roots of the schema, made of the deployment's state, and paging with cursors.

use super::endpoints;
use super::execute::Wanted;
use crate::areas::actions::{Action, SavedAction};
use crate::areas::connect::{Connection, Run, Status, WORKBENCH};
use crate::areas::discover;
use crate::areas::integrity_monitor;
use crate::areas::questions::sensors::Sensor;
use crate::clock::{iso, iso_millis};
use crate::state::State;
use crate::wire::Call;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The key under which a resolver leaves all rows of a collection for paging.
pub(crate) const ROWS: &str = "$rows";
/// No page is larger.
const LARGEST_PAGE: usize = 5000;
/// A cursor is usable this long after its page.
const CURSOR_LIFE: SignedDuration = SignedDuration::from_mins(5);
/// What observed answers say when a privilege is missing.
const MISSING_PERMISSIONS: &str = "missing required permissions";

/// Resolves fields for one request.
pub(super) struct Resolver<'a, 'b> {
    pub(super) call: &'a Call<'b>,
}

/// A part of a collection.
pub(super) struct Page {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Resolver<'_, '_> {
    /// A field of the query type.
    pub(super) fn root(&self, field: &Wanted) -> Result<Value, String> {
        match field.name.as_str() {
            "now" if self.call.state.api_gateway.failing => Err("internal error".to_owned()),
            "now" => Ok(iso(self.call.now).into()),
            "myAPITokens" => Ok(self.tokens()),
            "actionGroups" => self.allowed(&["read action group"]).map(|()| self.action_groups()),
            "scheduledActions" => {
                self.allowed(&["read action", "read own action"]).map(|()| self.scheduled_actions())
            }
            "connectConnections" => self.connections(),
            "reports" => Ok(json!({ ROWS: self.call.state.reports.list(field.argument("filter")) })),
            "sensors" => self.allowed(&["read sensor"]).map(|()| self.sensors()),
            "provisionRetirementActions" => self
                .allowed(&["provision read"])
                .map(|()| json!({ ROWS: self.call.state.retirements.render() })),
            "reportResultData" => self.report_results(field),
            "endpoints" => self.allowed(&["read sensor"]).and_then(|()| endpoints::resolve(self, field)),
            "discoverInterfaces" => self.module(&["discover asset read"], discover::interfaces),
            "discoverLabels" => self.module(&["discover asset read"], discover::labels),
            "integrityMonitorMonitors" => {
                self.module(&["integrity monitor monitors read"], integrity_monitor::monitors)
            }
            "integrityMonitorWatchlists" => {
                self.module(&["integrity monitor watchlists read"], integrity_monitor::watchlists)
            }
            "__typename" => Ok("Query".into()),
            // The schema holds no other field.
            other => Err(format!("no resolver for {other}")),
        }
    }

    fn allowed(&self, any_of: &[&str]) -> Result<(), String> {
        let may = any_of.iter().any(|name| self.call.caller.may(name));
        if may { Ok(()) } else { Err(MISSING_PERMISSIONS.to_owned()) }
    }

    /// The rows of a module, each as it is.
    fn module(&self, any_of: &[&str], rows: fn(&State) -> Vec<Value>) -> Result<Value, String> {
        self.allowed(any_of).map(|()| json!({ ROWS: rows(&self.call.state) }))
    }

    /// Cuts a collection to the page that the arguments ask for.
    pub(super) fn page(&self, collection: &Value, field: &Wanted) -> Result<Value, String> {
        let rows = collection[ROWS].as_array().cloned().unwrap_or_default();
        let page = self.range(field, rows.len())?;
        let shown = &rows[page.start..page.end];
        let edges = shown.iter().zip(page.start..);
        let edges: Vec<Value> =
            edges.map(|(node, at)| json!({"cursor": self.cursor(at), "node": node})).collect();
        let mut whole = json!({
            "edges": edges,
            "pageInfo": self.page_info(&page, rows.len()),
            "totalRecords": rows.len(),
        });
        // What a collection has beside its rows.
        for (key, value) in collection.as_object().into_iter().flatten().filter(|(key, _)| *key != ROWS) {
            whole[key] = value.clone();
        }
        Ok(whole)
    }

    pub(super) fn page_info(&self, page: &Page, all: usize) -> Value {
        let empty = page.start == page.end;
        json!({
            "startCursor": (!empty).then(|| self.cursor(page.start)),
            "endCursor": (!empty).then(|| self.cursor(page.end - 1)),
            "hasNextPage": page.end < all,
            "hasPreviousPage": page.start > 0,
        })
    }

    /// The rows that `first` and `after`, or `last` and `before`, ask for.
    pub(super) fn range(&self, field: &Wanted, all: usize) -> Result<Page, String> {
        let size = |name: &str| match field.argument(name) {
            Value::Null => Ok(None),
            value => match value.as_u64().and_then(|size| usize::try_from(size).ok()) {
                Some(size) if size <= LARGEST_PAGE => Ok(Some(size)),
                _ => Err(format!("{name} must be between 0 and {LARGEST_PAGE}")),
            },
        };
        if let Some(before) = self.place(field.argument("before"))? {
            let size = size("last")?.ok_or("last must be given if before is given")?;
            let end = before.min(all);
            return Ok(Page { start: end.saturating_sub(size), end });
        }
        let start = self.place(field.argument("after"))?.map_or(0, |at| at + 1).min(all);
        let size = size("first")?.unwrap_or(20);
        Ok(Page { start, end: start.saturating_add(size).min(all) })
    }

    /// Cursors are opaque to clients: the row and the time, in hexadecimal.
    pub(super) fn cursor(&self, at: usize) -> String {
        format!("{:x}-{at:x}", self.call.now.as_second())
    }

    fn place(&self, cursor: &Value) -> Result<Option<usize>, String> {
        let Some(text) = cursor.as_str() else { return Ok(None) };
        let (time, at) = text.split_once('-').ok_or_else(|| format!("invalid cursor {text:?}"))?;
        let made = i64::from_str_radix(time, 16).ok().and_then(|second| Timestamp::from_second(second).ok());
        let at = usize::from_str_radix(at, 16).ok();
        match (made, at) {
            (Some(made), Some(at)) if self.call.now.duration_since(made) <= CURSOR_LIFE => Ok(Some(at)),
            (Some(_), Some(_)) => Err("the cursor has expired".to_owned()),
            _ => Err(format!("invalid cursor {text:?}")),
        }
    }

    /// Whether a sensor is harvested is the lab's own choice: all but those with parameters are.
    fn sensors(&self) -> Value {
        let render =
            |sensor: &Sensor| json!({"name": sensor.name, "harvested": sensor.parameters.is_empty()});
        json!({ ROWS: self.call.state.content.listed().map(render).collect::<Vec<_>>() })
    }

    fn tokens(&self) -> Value {
        let caller = self.call.caller.user;
        let own = self.call.state.people.tokens.iter().filter(|token| token.user == caller);
        let fixed = own.map(|token| {
            json!({
                "id": token.id.to_string(), "created": iso(token.created), "expiration": iso(token.expires),
                "lastUsed": iso(self.call.now), "notes": token.notes, "persona": null, "tokenString": "",
                "trustedIPAddresses": [token.trusted],
            })
        });
        let granted = self.call.core.sessions.granted().into_iter().filter(|token| token.user == caller);
        let granted = granted.map(|token| {
            json!({
                "id": token.id.to_string(), "created": iso(token.created), "expiration": iso(token.expires),
                "lastUsed": iso(self.call.now), "notes": token.notes, "persona": null, "tokenString": "",
                "trustedIPAddresses": token.trusted.split(',').collect::<Vec<_>>(),
            })
        });
        json!({"error": null, "tokens": fixed.chain(granted).collect::<Vec<_>>()})
    }

    fn report_results(&self, field: &Wanted) -> Result<Value, String> {
        let state = &self.call.state;
        let id = field.argument("id").as_str().unwrap_or_default();
        let report = state.reports.by_id(id).ok_or_else(|| format!("report {id:?} not found"))?;
        if let Some(error) = report.error {
            return Err(error.to_owned());
        }
        let summarize = field.argument("summarize").as_bool().unwrap_or_default();
        Ok(json!({ ROWS: report.results(state, summarize), "viewDetails": report.view() }))
    }

    fn named(&self, id: u64, name: &str) -> Value {
        json!({"id": id.to_string(), "name": name})
    }

    fn principal(&self, user: u64) -> Value {
        let name = self.call.state.people.user(user).map_or("", |user| user.name.as_str());
        json!({"user": self.named(user, name), "persona": null})
    }

    fn action_groups(&self) -> Value {
        let state = &self.call.state;
        let render = |group: &crate::areas::actions::ActionGroup| {
            let members = group.groups.iter().filter_map(|id| state.groups.by_id(*id));
            let members = members.map(
                |member| json!({"id": member.id.to_string(), "name": member.name, "expression": member.text}),
            );
            json!({
                "id": group.id.to_string(), "name": group.name, "any": true, "visibility": "ALL", "userGroups": [],
                "computerGroups": members.collect::<Vec<_>>(),
            })
        };
        json!({ ROWS: state.actions.groups.iter().map(render).collect::<Vec<_>>() })
    }

    fn scheduled_actions(&self) -> Value {
        let state = &self.call.state;
        let all = self.call.caller.may("read action");
        let seen = state.actions.saved.iter().filter(|saved| all || saved.user == self.call.caller.user);
        json!({ ROWS: seen.map(|saved| self.scheduled_action(saved)).collect::<Vec<_>>() })
    }

    fn targets(&self, action_group: u64, target_group: u64) -> Value {
        let state = &self.call.state;
        json!({
            "actionGroup": self.named(action_group, state.actions.group_name(action_group)),
            "targetGroup": self.named(target_group, state.groups.name(target_group)),
        })
    }

    fn package(&self, id: u64, parameters: &[(String, String)]) -> Value {
        let name = self.call.state.actions.package(id).map_or("", |package| package.name);
        let params: Vec<&str> = parameters.iter().map(|(_, value)| value.as_str()).collect();
        json!({"id": id.to_string(), "name": name, "params": params})
    }

    fn scheduled_action(&self, saved: &SavedAction) -> Value {
        let last = self.call.state.actions.run(saved.last_action());
        let status = ["ENABLED", "DISABLED", "DELETED"][usize::from(saved.status.min(2))];
        json!({
            "approved": saved.approved,
            "approver": self.principal(1),
            "comment": "",
            "creator": self.principal(saved.user),
            "distributeSeconds": 60,
            "endTime": saved.end.map(iso),
            "expireSeconds": saved.expire_seconds,
            "id": saved.id.to_string(),
            "issueCount": saved.issue_count,
            "issueSeconds": saved.issue_seconds,
            "lastAction": last.map(|run| self.action(run)),
            "lastStartTime": iso(saved.last_start),
            "name": saved.name,
            "nextStartTime": (saved.status == 0).then(|| iso(saved.next_start())),
            "package": self.package(saved.package, &saved.parameters),
            "startTime": iso(saved.created),
            "status": status,
            "targets": self.targets(saved.action_group, saved.target_group),
        })
    }

    fn action(&self, action: &Action) -> Value {
        let results = action.results(&self.call.state);
        json!({
            "comment": "",
            "creationTime": iso(action.start),
            "creator": self.principal(action.user),
            "expirationTime": iso(action.expires),
            "expireSeconds": action.expires.duration_since(action.start).as_secs(),
            "id": action.id.to_string(),
            "name": action.name,
            "package": self.package(action.package, &[]),
            "results": {
                "completed": results.completed, "downloading": 0, "expired": results.expired,
                "failed": results.failed, "failedVerification": 0, "id": action.id.to_string(),
                "pendingVerification": 0, "running": 0, "verified": 0, "waiting": 0,
                "waitingToRetry": 0,
            },
            "startTime": iso(action.start),
            "status": action.status(self.call.state.now).to_uppercase(),
            "stopped": false,
            "targets": self.targets(action.action_group, action.target_group),
        })
    }

    fn connections(&self) -> Result<Value, String> {
        self.allowed(&["connect read"])?;
        if !self.call.state.server.has_workbench(WORKBENCH) {
            return Err("the Connect solution is not installed".to_owned());
        }
        let all = self.call.caller.may("connect read all");
        let seen = self.call.state.connect.connections.iter();
        let seen = seen.filter(|connection| all || connection.owner == self.call.caller.user);
        Ok(json!({ ROWS: seen.map(connection).collect::<Vec<_>>() }))
    }
}

fn connection(connection: &Connection) -> Value {
    let (current, past): (Vec<&Run>, Vec<&Run>) =
        connection.runs.iter().partition(|run| run.status == Status::Running);
    let render = |run: &Run| {
        json!({
            "connectionID": connection.id.to_string(), "id": run.id.to_string(), "status": run.status.name(),
            "createdTime": iso_millis(run.started), "updatedTime": iso_millis(run.updated()),
        })
    };
    json!({
        "id": connection.id.to_string(),
        "displayName": connection.name,
        "description": "",
        "currentRun": current.first().map(|run| render(run)),
        "pastRuns": {ROWS: past.iter().map(|run| render(run)).collect::<Vec<_>>()},
    })
}
