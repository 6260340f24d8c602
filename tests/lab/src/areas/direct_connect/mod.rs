//! Direct Connect: its service, its roles, and what only its pages and its servers show. Its scheduled actions and
//! sessions are among the actions.

mod faults;

pub(crate) use faults::{LOST, and_lost};

use crate::areas::fleet::{SERVERS, ZONE_SERVERS};
use crate::areas::people::Role;
use crate::areas::{Area, Export};
use crate::clock::iso;
use crate::state::State;
use crate::wire::{Answer, Call, Need, Refusal, Reply, Route, get};

pub(crate) const AREA: Area = Area { routes, faults: faults::FAULTS, exports };

/// The routes of its service, and the workbench that must be there.
pub(crate) const SERVICE: (&str, &str) = ("/plugin/products/dec/", "Direct Connect");

pub(crate) const ADMINISTRATOR_ROLE: u64 = 30;
pub(crate) const READ_ONLY_ROLE: u64 = 31;
pub(crate) const SERVICE_ROLE: u64 = 32;
pub(crate) const USER_ROLE: u64 = 33;

/// A zone proxy, as its page shows it.
#[derive(Debug, Clone)]
pub(crate) struct ZoneProxy {
    name: &'static str,
    zone_server: &'static str,
    status: &'static str,
    module_port: &'static str,
    endpoint_host: String,
}

/// A session in the grid of active connections.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    host: &'static str,
    action_status: &'static str,
    session_status: &'static str,
    duration: &'static str,
    last_message: &'static str,
}

/// All of it.
pub(crate) struct DirectConnect {
    /// Whether the Tanium Server reaches the service.
    running: bool,
    proxies: Vec<ZoneProxy>,
    sessions: Vec<Session>,
    /// The TanOS of the second Zone Server, and the version of the Module Server.
    tanos: &'static str,
    module_server: &'static str,
    /// Whether security software took a file away.
    quarantined: bool,
    /// Whether the log of an endpoint tells of refused connections.
    refused: bool,
}

impl DirectConnect {
    pub(crate) fn new() -> Self {
        let proxy = |at: usize| ZoneProxy {
            name: ["Zone one", "Zone two"][at],
            zone_server: ZONE_SERVERS[at],
            status: "Connected",
            module_port: "17487",
            endpoint_host: format!("direct{}.lab.example", at + 1),
        };
        let session = |host, duration, last_message| Session {
            host,
            action_status: "Complete",
            session_status: "Open",
            duration,
            last_message,
        };
        Self {
            running: true,
            proxies: vec![proxy(0), proxy(1)],
            sessions: vec![
                session("ws-0000003.lab.example", "00:12:04", "00:00:07"),
                session("srv-0000005.lab.example", "1:02:40", "00:01:15"),
            ],
            tanos: "1.8.4",
            module_server: "7.6.1.6246",
            quarantined: false,
            refused: false,
        }
    }
}

/// The vendor does not describe this route; public clients use it. Nothing is cached of a host that does not exist.
fn routes() -> Vec<Route> {
    vec![get("/plugin/products/dec/v1/endpoints", Need::Privilege("direct connect session read"), endpoints)]
}

fn endpoints(call: &Call<'_>) -> Answer {
    if !call.state.direct_connect.running {
        return Err(Refusal::new(502, "Bad Gateway"));
    }
    Ok(Reply::data(Vec::<serde_json::Value>::new()))
}

/// The four roles that come with the module, as its guide lists them. Permissions that come with another one are left
/// out, as the platform does.
pub(crate) fn roles() -> Vec<Role> {
    const SESSION: [&str; 2] = ["show direct connect", "direct connect session read"];
    const SETTINGS: [&str; 3] =
        ["direct connect settings read", "direct connect settings write", "direct connect logs read"];
    const READING: [(&str, &str); 5] = [
        ("read sensor", "Direct Connect"),
        ("read action", "Direct Connect"),
        ("execute plugin", "Direct Connect"),
        ("read saved question", "Reserved"),
        ("read saved question", "Direct Connect"),
    ];
    const WRITING: [(&str, &str); 2] =
        [("write action", "Direct Connect"), ("write package", "Direct Connect")];
    const PEOPLE: [(&str, &str); 2] = [("read sensor", "Reserved"), ("read sensor", "Base")];
    let role = |id, name, privileges: &[&[&'static str]], content: &[&[(&'static str, &'static str)]]| Role {
        id,
        name,
        category: "module",
        reserved_name: "",
        deny: false,
        privileges: privileges.concat().into_iter().collect(),
        content: content.concat(),
    };
    vec![
        role(
            ADMINISTRATOR_ROLE,
            "Direct Connect Administrator",
            &[&SESSION, &["direct connect session write"], &SETTINGS],
            &[&READING, &WRITING, &PEOPLE],
        ),
        role(
            READ_ONLY_ROLE,
            "Direct Connect Read Only User",
            &[&SESSION],
            &[&READING, &PEOPLE[..1], &[("read package", "Direct Connect")]],
        ),
        role(
            SERVICE_ROLE,
            "Direct Connect Service Account",
            &[&["direct connect cron exec"]],
            &[&READING, &WRITING],
        ),
        role(
            USER_ROLE,
            "Direct Connect User",
            &[&SESSION, &["direct connect session write"]],
            &[&READING, &WRITING, &PEOPLE],
        ),
    ]
}

/// What an administrator writes down of pages and servers that have no public API.
fn exports(state: &State) -> Vec<Export> {
    let own = &state.direct_connect;
    let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<String>>();
    let proxies = own.proxies.iter().map(|proxy| {
        let (host, inner) = (proxy.endpoint_host.as_str(), proxy.zone_server);
        row(&[
            proxy.name,
            proxy.zone_server,
            proxy.status,
            inner,
            "0.0.0.0",
            proxy.module_port,
            host,
            "0.0.0.0",
            "17486",
        ])
    });
    let sessions = own.sessions.iter().zip(1_u32..).map(|(session, number)| {
        let client = (4_000 + number).to_string();
        row(&[
            session.host,
            &client,
            "10.0.0.7",
            "",
            session.action_status,
            session.session_status,
            session.duration,
            session.last_message,
        ])
    });
    let version = state.server.version.as_str();
    let mut servers: Vec<Vec<String>> =
        SERVERS.iter().map(|name| row(&[name, "Tanium Server", version, "1.8.4"])).collect();
    servers.push(row(&["ms1.lab.example", "Module Server", own.module_server, "1.8.4"]));
    servers.push(row(&[ZONE_SERVERS[0], "Zone Server", version, ""]));
    servers.push(row(&[ZONE_SERVERS[1], "Zone Server", version, own.tanos]));
    let file = |computer: &str, file: &str, present: bool| {
        row(&[computer, file, if present { "yes" } else { "no" }])
    };
    let files = vec![
        file("ws-0000003.lab.example", "TaniumCX.exe", true),
        file("ws-0000003.lab.example", r"extensions\TaniumDEC.dll", !own.quarantined),
        file("srv-0000005.lab.example", "extensions/libTaniumDEC.so", true),
    ];
    // A text and no table: what stands for its columns is its first line.
    let entry = |minutes: i64, text: &str| {
        vec![format!("{} dec: {text}", iso(state.now - crate::clock::minutes(minutes)))]
    };
    let mut log = vec![entry(90, "connected"), entry(60, "closed")];
    if own.refused {
        log.push(entry(5, "connection refused by 10.0.0.5:17475"));
    }
    vec![
        Export { file: "extensions0.txt", columns: &["dec: log opened"], rows: log },
        Export {
            file: "direct-connect-zone-proxies.csv",
            columns: &[
                "Name",
                "Zone Server",
                "Status",
                "Module Host",
                "Module Bind",
                "Module Port",
                "Endpoint Host",
                "Endpoint Bind",
                "Endpoint Port",
            ],
            rows: proxies.collect(),
        },
        Export {
            file: "direct-connect-connections.csv",
            columns: &[
                "Host Name",
                "Tanium Client ID",
                "IP Address",
                "Proxy",
                "Action Status",
                "Session Status",
                "Duration",
                "Last Message",
            ],
            rows: sessions.collect(),
        },
        Export {
            file: "direct-connect-servers.csv",
            columns: &["Server", "Role", "Version", "TanOS"],
            rows: servers,
        },
        Export {
            file: "direct-connect-exclusion-targets.csv",
            columns: &["Computer Name", "File", "Present"],
            rows: files,
        },
    ]
}
