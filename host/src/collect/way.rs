//! One way to an input: a declared source, or the site's own route to it, turned into a request.

use super::document::Place;
use super::fetched::{Data, Fetched};
use super::gateway;
use super::metrics;
use super::probe::target as probe;
use super::question::Question;
use super::resolve::{Filling, Target};
use super::rest;
use super::transport::{Call, Problem};
use crate::config::InputOverride;
use serde_json::Value;
use tancheck_plugin_api::facts::Body;
use tancheck_plugin_api::manifest::{Each, Input, Request, Source};
use tancheck_plugin_api::{Outcome, Paging, Shape};

/// A way to an input.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) request: Request,
    pub(super) place: Place,
    pub(super) shape: Shape,
    pub(super) only_with: String,
    pub(super) needs: Vec<String>,
    pub(super) complete_with: Vec<String>,
    pub(super) each: Option<Each>,
}

/// How a service's list is read page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pages {
    pub(super) rows: u32,
    pub(super) paging: Paging,
}

/// A request to the deployment with nothing left to fill in.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    Rest { call: Call, paged: bool },
    Service { call: Call, page: Option<Pages> },
    Gateway(gateway::Query),
    Metrics { call: Call },
    Question(Question),
    Saved { name: String },
    Probe(Vec<probe::Target>),
}

/// The ways to an input, the best first. A route that the site names replaces all that are asked of the deployment;
/// files and answers stay behind it.
pub(super) fn ways(input: &Input, site: Option<&InputOverride>) -> Vec<Way> {
    let declared = input.sources.iter().map(Way::of);
    let Some(site) = site else { return declared.collect() };
    let model = input.sources.iter().find(|source| source.request.is_remote());
    let own = Way::of_site(site, model);
    std::iter::once(own).chain(declared.filter(|way| !way.request.is_remote())).collect()
}

impl Way {
    fn of(source: &Source) -> Self {
        Self {
            request: source.request.clone(),
            place: Place::Key(source.rows_key.clone()),
            shape: source.shape,
            only_with: source.only_with.clone(),
            needs: source.needs.clone(),
            complete_with: source.complete_with.clone(),
            // What lies on this machine is read once.
            each: source.each.clone().filter(|_| source.request.is_remote()),
        }
    }

    fn of_site(site: &InputOverride, model: Option<&Source>) -> Self {
        let path = site.path.clone();
        let request = match (&site.service, model.map(|model| &model.request)) {
            (Some(service), Some(Request::Service { page, paging, .. })) => {
                Request::Service { service: service.clone(), path, page: *page, paging: *paging }
            }
            (Some(service), _) => {
                Request::Service { service: service.clone(), path, page: None, paging: Paging::default() }
            }
            (None, Some(Request::Rest { options, paged, .. })) => {
                Request::Rest { path, options: options.clone(), paged: *paged }
            }
            (None, _) => Request::Rest { path, options: String::new(), paged: false },
        };
        let key = model.map(|model| model.rows_key.clone()).unwrap_or_default();
        Self {
            request,
            place: site.rows.clone().map_or(Place::Key(key), Place::Pointer),
            shape: model.map_or(Shape::Rows, |model| model.shape),
            only_with: model.map(|model| model.only_with.clone()).unwrap_or_default(),
            // Another route may need other privileges; the server will tell.
            needs: Vec::new(),
            complete_with: model.map(|model| model.complete_with.clone()).unwrap_or_default(),
            each: model.and_then(|model| model.each.clone()),
        }
    }

    /// The request, if this way asks the deployment.
    pub(super) fn ask(&self, filling: &Filling<'_>) -> Result<Option<Ask>, Problem> {
        Ok(Some(match &self.request {
            Request::Rest { path, options, paged } => {
                let options = Some(options.clone()).filter(|options| !options.is_empty());
                let call = Call { options, ..Call::get(filling.text(path, Target::Path)?) };
                Ask::Rest { call, paged: *paged }
            }
            Request::Service { service, path, page, paging } => {
                let path = format!("/plugin/products/{service}{}", filling.text(path, Target::Path)?);
                Ask::Service { call: Call::get(path), page: page.map(|rows| Pages { rows, paging: *paging }) }
            }
            Request::Gateway { query, connection, variables } => {
                let mut filled = Vec::new();
                for (name, text) in variables {
                    filled.push((name.clone(), filling.text(text, Target::Plain)?));
                }
                let variables = gateway::typed(query, filled);
                Ask::Gateway(gateway::Query {
                    text: query.clone(),
                    connection: connection.clone(),
                    variables,
                })
            }
            Request::Metrics { .. } => Ask::Metrics { call: Call::get(metrics::PATH) },
            Request::Question { text, group, sample } => Ask::Question(Question {
                text: filling.text(text, Target::Question)?,
                group: filling.text(group, Target::Plain)?,
                sample: fill_sample(sample, filling)?,
            }),
            Request::SavedQuestion { name } => Ask::Saved { name: filling.text(name, Target::Plain)? },
            Request::Probe { setting, port, port_setting, always, brief } => {
                let targets = filling.any(setting)?;
                let port = match (port_setting.as_str(), always) {
                    ("", false) => probe::Port::Default(*port),
                    ("", true) => probe::Port::Always(*port),
                    (key, _) => {
                        probe::Port::Elsewhere(filling.any(key)?.as_i64().unwrap_or_else(|| i64::from(*port)))
                    }
                };
                Ask::Probe(probe::targets(targets, port, *brief))
            }
            _ => return Ok(None),
        }))
    }

    /// The data as this input wants it, and what is missing from it.
    pub(super) fn shaped(&self, fetched: Fetched, label: &str) -> Result<(Body, Vec<String>), Problem> {
        let Fetched { data, mut gaps, .. } = fetched;
        let body = match data {
            Data::Tally(tally) => Body::Tally(tally),
            Data::Rows(rows) => Body::Rows(self.kept(rows)),
            Data::Text(text) => {
                let families = match &self.request {
                    Request::Metrics { families } => families.as_slice(),
                    _ => &[],
                };
                let (samples, missing) = metrics::select(&text, families)?;
                gaps.extend(missing);
                Body::Samples(samples)
            }
            Data::Document(document) => match self.within(document, label)? {
                Value::Array(rows) if self.shape == Shape::Rows => Body::Rows(self.kept(rows)),
                value if self.shape == Shape::Object => Body::Object(value),
                value => Body::Value(value),
            },
        };
        Ok((body, gaps))
    }

    fn within(&self, document: Value, label: &str) -> Result<Value, Problem> {
        let bare = matches!(self.request, Request::Gateway { .. }) && self.place == Place::Key(String::new());
        let place = if bare { &Place::Pointer(String::new()) } else { &self.place };
        place.take(document, self.shape, label)
    }

    fn kept(&self, mut rows: Vec<Value>) -> Vec<Value> {
        match self.request {
            Request::Rest { .. } => rest::keep_rows(&mut rows, &self.only_with),
            _ => rows.retain(|row| self.only_with.is_empty() || row.get(&self.only_with).is_some()),
        }
        rows
    }
}

/// `{value}` is filled later, with the values that are asked about.
fn fill_sample(sample: &str, filling: &Filling<'_>) -> Result<String, Problem> {
    match sample.split_once("{value}") {
        None => filling.text(sample, Target::Question),
        Some((before, after)) => {
            let (before, after) =
                (filling.text(before, Target::Question)?, filling.text(after, Target::Question)?);
            Ok(format!("{before}{{value}}{after}"))
        }
    }
}

impl Ask {
    /// The same request has the same key.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Rest { call, paged: false }
            | Self::Service { call, page: None }
            | Self::Metrics { call } => call.key(),
            Self::Rest { call, paged: true } => format!("{} by page", call.key()),
            Self::Service { call, page: Some(pages) } => format!("{} by {}", call.key(), pages.rows),
            Self::Gateway(query) => query.call().key(),
            Self::Question(Question { text, group, sample }) => {
                format!("question {text} | {group} | {sample}").trim_end_matches([' ', '|']).to_owned()
            }
            Self::Saved { name } => format!("saved question {name}"),
            // Rows repeat the text of their target. The same listener under another text is probed once all the same.
            Self::Probe(targets) => {
                let one = |target: &probe::Target| {
                    let listener = target.listener.as_ref().map(ToString::to_string).unwrap_or_default();
                    let once = if target.brief { " once" } else { "" };
                    format!("{:?} {listener}{once}", target.text)
                };
                format!("probe {}", targets.iter().map(one).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The request, for people.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Rest { call, .. } | Self::Service { call, .. } | Self::Metrics { call } => call.label(),
            Self::Gateway(query) => query.label(),
            Self::Question(Question { text, group, .. }) if group.is_empty() => format!("question {text:?}"),
            Self::Question(Question { text, group, .. }) => format!("question {text:?} in group {group:?}"),
            Self::Saved { name } => format!("saved question {name:?}"),
            Self::Probe(targets) => listed(targets),
        }
    }

    /// The question whose answers a sampled one names endpoints for.
    pub(super) fn alone(&self) -> Option<Self> {
        match self {
            Self::Question(question) => question.alone().map(Self::Question),
            _ => None,
        }
    }

    /// Whether it makes endpoints work.
    pub(super) fn is_question(&self) -> bool {
        matches!(self, Self::Question(_))
    }
}

/// The listeners that are probed.
fn listed(targets: &[probe::Target]) -> String {
    let listeners: Vec<String> =
        targets.iter().filter_map(|target| target.listener.as_ref().ok()).map(ToString::to_string).collect();
    if listeners.is_empty() {
        "probe of nothing".to_owned()
    } else {
        format!("probe {}", listeners.join(", "))
    }
}

/// What is said where a privilege is missing.
pub(super) fn lacking(user: &str, privileges: &[&str], what: &str) -> Problem {
    let user = if user.is_empty() { "the account".to_owned() } else { format!("the account {user}") };
    let reason = format!("{what}: {user} lacks {}", named(privileges));
    Problem::new(Outcome::NoPermission, reason)
}

/// Privileges in a sentence.
pub(super) fn named<T: AsRef<str>>(privileges: &[T]) -> String {
    let names: Vec<String> = privileges.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    let noun = if names.len() == 1 { "the privilege" } else { "the privileges" };
    format!("{noun} {}", names.join(", "))
}
