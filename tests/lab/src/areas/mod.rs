//! The areas of the deployment. Each holds its part of the state, its routes, its faults and its export files.

pub(crate) mod actions;
pub(crate) mod advisories;
pub(crate) mod answers;
pub(crate) mod api_gateway;
pub(crate) mod appliance;
pub(crate) mod asset;
pub(crate) mod backup;
pub(crate) mod bandwidth;
pub(crate) mod bundles;
pub(crate) mod certificates;
pub(crate) mod client_management;
pub(crate) mod comply;
pub(crate) mod connect;
pub(crate) mod deploy;
pub(crate) mod direct_connect;
pub(crate) mod direct_connect_listeners;
pub(crate) mod directory;
pub(crate) mod discover;
pub(crate) mod endpoint_configuration;
pub(crate) mod endpoint_tools;
pub(crate) mod enforce;
pub(crate) mod fleet;
pub(crate) mod gateway;
pub(crate) mod groups;
pub(crate) mod health_check;
pub(crate) mod impact;
pub(crate) mod integrity_monitor;
pub(crate) mod panels;
pub(crate) mod patch;
pub(crate) mod people;
pub(crate) mod performance;
pub(crate) mod questions;
pub(crate) mod reports;
pub(crate) mod server;
pub(crate) mod small_services;
pub(crate) mod solutions;
pub(crate) mod subnets;
pub(crate) mod tags;
pub(crate) mod threat_response;

use crate::faults::Fault;
use crate::state::State;
use crate::wire::Route;

/// A file that an administrator would export from the Console.
pub(crate) struct Export {
    pub(crate) file: &'static str,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}

/// What an area contributes.
pub(crate) struct Area {
    pub(crate) routes: fn() -> Vec<Route>,
    pub(crate) faults: &'static [Fault],
    pub(crate) exports: fn(&State) -> Vec<Export>,
}

/// All areas, in the order in which their routes are tried.
pub(crate) static AREAS: &[Area] = &[
    people::AREA,
    fleet::AREA,
    groups::AREA,
    actions::AREA,
    questions::AREA,
    server::AREA,
    comply::AREA,
    connect::AREA,
    deploy::AREA,
    gateway::AREA,
    health_check::AREA,
    client_management::AREA,
    asset::AREA,
    directory::AREA,
    direct_connect::AREA,
    direct_connect_listeners::AREA,
    discover::AREA,
    endpoint_configuration::AREA,
    integrity_monitor::AREA,
    enforce::AREA,
    impact::AREA,
    performance::AREA,
    threat_response::AREA,
    panels::AREA,
    small_services::AREA,
    api_gateway::AREA,
    certificates::AREA,
    subnets::AREA,
    tags::AREA,
    solutions::AREA,
    advisories::AREA,
    bandwidth::AREA,
    answers::AREA,
    bundles::AREA,
    appliance::AREA,
    backup::AREA,
    patch::AREA,
];

/// For areas without export files.
pub(crate) fn no_exports(_: &State) -> Vec<Export> {
    Vec::new()
}

/// Services of modules, and the workbench that must be there for their routes to exist.
const SERVICES: &[(&str, &str)] = &[
    (comply::BASE, comply::WORKBENCH),
    (connect::BASE, connect::WORKBENCH),
    (deploy::BASE, deploy::WORKBENCH),
    (patch::BASE, patch::WORKBENCH),
    asset::SERVICE,
    direct_connect::SERVICE,
    small_services::REPUTATION,
];

/// Does the path belong to a module that is not imported?
pub(crate) fn module_missing(state: &State, path: &str) -> bool {
    let service = SERVICES.iter().find(|(base, _)| path.starts_with(base));
    service.is_some_and(|(_, workbench)| !state.server.has_workbench(workbench))
}
