//! The state of the deployment: a pure function of the setup, the time and the faults.

use crate::areas::actions::Actions;
use crate::areas::advisories::Advisories;
use crate::areas::answers::Answers;
use crate::areas::api_gateway::ApiGateway;
use crate::areas::appliance::Appliances;
use crate::areas::asset::Asset;
use crate::areas::backup::Backups;
use crate::areas::bandwidth::Bandwidth;
use crate::areas::bundles::Bundles;
use crate::areas::certificates::Certificates;
use crate::areas::comply::Comply;
use crate::areas::connect::Connect;
use crate::areas::deploy::Deploy;
use crate::areas::direct_connect::DirectConnect;
use crate::areas::direct_connect_listeners::Listeners;
use crate::areas::directory::Directory;
use crate::areas::discover::Discover;
use crate::areas::endpoint_configuration::EndpointConfiguration;
use crate::areas::fleet::Fleet;
use crate::areas::groups::Groups;
use crate::areas::health_check::HealthCheck;
use crate::areas::integrity_monitor::IntegrityMonitor;
use crate::areas::panels::Panels;
use crate::areas::patch::{self, PatchService};
use crate::areas::people::People;
use crate::areas::performance::Performance;
use crate::areas::questions::Content;
use crate::areas::reports::Reports;
use crate::areas::server::Server;
use crate::areas::small_services::Retirements;
use crate::areas::solutions::Solutions;
use crate::areas::subnets::Subnets;
use crate::areas::threat_response::ThreatResponse;
use crate::config::Setup;
use crate::faults::Fault;
use jiff::Timestamp;
use std::sync::Arc;

/// Everything that routes show and faults change.
///
/// To add a module: give it a file under `areas`, a field here, and a line in `areas::AREAS`.
pub(crate) struct State {
    pub(crate) setup: Arc<Setup>,
    pub(crate) now: Timestamp,
    pub(crate) fleet: Fleet,
    pub(crate) people: People,
    pub(crate) groups: Groups,
    pub(crate) actions: Actions,
    pub(crate) content: Content,
    pub(crate) server: Server,
    pub(crate) comply: Comply,
    pub(crate) connect: Connect,
    pub(crate) deploy: Deploy,
    pub(crate) health_check: HealthCheck,
    pub(crate) asset: Asset,
    pub(crate) patch: PatchService,
    pub(crate) reports: Reports,
    pub(crate) direct_connect: DirectConnect,
    pub(crate) directory: Directory,
    pub(crate) listeners: Listeners,
    pub(crate) discover: Discover,
    pub(crate) endpoint_configuration: EndpointConfiguration,
    pub(crate) integrity_monitor: IntegrityMonitor,
    pub(crate) performance: Performance,
    pub(crate) threat_response: ThreatResponse,
    pub(crate) panels: Panels,
    pub(crate) retirements: Retirements,
    pub(crate) api_gateway: ApiGateway,
    pub(crate) certificates: Certificates,
    pub(crate) subnets: Subnets,
    pub(crate) bandwidth: Bandwidth,
    pub(crate) solutions: Solutions,
    pub(crate) advisories: Advisories,
    pub(crate) answers: Answers,
    pub(crate) bundles: Bundles,
    pub(crate) appliances: Appliances,
    pub(crate) backups: Backups,
}

impl State {
    /// A healthy deployment at this time, then the faults in their order.
    pub(crate) fn new(setup: Setup, now: Timestamp, faults: &[&'static Fault]) -> Self {
        let setup = Arc::new(setup);
        let people = People::new(setup.seed, now);
        let mut state = Self {
            fleet: Fleet::new(Arc::clone(&setup)),
            groups: Groups::new(now),
            actions: Actions::new(now),
            content: Content::new(now),
            server: Server::new(&setup, now),
            comply: Comply::new(now),
            connect: Connect::new(setup.seed, now),
            deploy: Deploy::new(now),
            health_check: HealthCheck::new(now),
            asset: Asset::new(now),
            patch: PatchService::new(now),
            reports: Reports::new(),
            direct_connect: DirectConnect::new(),
            directory: Directory::new(&people.users, now),
            listeners: Listeners::new(now),
            discover: Discover::new(now),
            endpoint_configuration: EndpointConfiguration::new(),
            integrity_monitor: IntegrityMonitor::new(),
            performance: Performance::new(),
            threat_response: ThreatResponse::new(),
            panels: Panels::new(now),
            retirements: Retirements::new(now),
            api_gateway: ApiGateway::new(),
            certificates: Certificates::new(setup.seed, now),
            subnets: Subnets::new(&setup, now),
            bandwidth: Bandwidth::new(),
            solutions: Solutions::default(),
            advisories: Advisories::new(),
            answers: Answers::new(now),
            bundles: Bundles::new(now),
            appliances: Appliances::new(now),
            backups: Backups::new(now),
            people,
            setup,
            now,
        };
        let users = state.people.users.iter().filter(|user| !user.deleted).count();
        if let Some(setting) = state.server.setting_mut("max_soap_sessions_total") {
            setting.value = (users * 1024).into();
        }
        patch::furnish(&mut state);
        state.fleet.grow(now);
        for fault in faults {
            (fault.apply)(&mut state);
        }
        state
    }
}
