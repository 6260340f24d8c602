//! The sensors of the lab: names and hashes as documented, values computed from the endpoint.

use crate::areas::deploy;
use crate::areas::endpoint_tools;
use crate::areas::fleet::{Endpoint, Kind, Os};
use crate::areas::groups;
use crate::random;
use crate::state::State;
use std::borrow::Cow;

/// The type of a column, as result sets number them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Version,
    Integer,
    Address,
}

impl Type {
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Version => 2,
            Self::Integer => 9,
            Self::Address => 5,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Version => "Version",
            Self::Integer => "NumericInteger",
            Self::Address => "IPAddress",
        }
    }
}

/// One row of a sensor's answer: a value for each column.
pub(crate) type Row = Vec<Cow<'static, str>>;

/// A sensor.
#[derive(Debug)]
pub(crate) struct Sensor {
    pub(crate) name: &'static str,
    pub(crate) category: &'static str,
    /// The documented hash; `None` where none is public, then the lab makes one of the name.
    known_hash: Option<u32>,
    pub(crate) columns: &'static [(&'static str, Type)],
    pub(crate) parameters: &'static [&'static str],
    /// Built-in sensors answer even where others cannot.
    pub(crate) built_in: bool,
    pub(crate) platforms: &'static [&'static str],
    pub(crate) value: fn(&State, &Endpoint, &[String]) -> Vec<Row>,
}

impl Sensor {
    pub(crate) fn hash(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "a hash of 32 bits is wanted")]
        self.known_hash.unwrap_or_else(|| random::hash(self.name.as_bytes()) as u32)
    }
}

/// The sensor of this name, whatever its case.
pub(crate) fn named(name: &str) -> Option<&'static Sensor> {
    SENSORS.iter().find(|sensor| sensor.name.eq_ignore_ascii_case(name))
}

/// The longest sensor name that the text starts with and that ends there.
pub(crate) fn longest_at(text: &str) -> Option<&'static Sensor> {
    let fits = SENSORS.iter().filter(|sensor| {
        let head = text.get(..sensor.name.len());
        let next = text.get(sensor.name.len()..).and_then(|rest| rest.chars().next());
        head.is_some_and(|head| head.eq_ignore_ascii_case(sensor.name))
            && next.is_none_or(|next| {
                matches!(next, '[' | '?' | ')' | '<' | '>' | '=' | '!') || next.is_whitespace()
            })
    });
    fits.max_by_key(|sensor| sensor.name.len())
}

const ALL: &[&str] = &["Windows", "Linux", "Mac", "Solaris", "AIX"];
const DESKTOP: &[&str] = &["Windows", "Linux", "Mac"];

const fn plain(
    name: &'static str,
    known_hash: Option<u32>,
    columns: &'static [(&'static str, Type)],
    value: fn(&State, &Endpoint, &[String]) -> Vec<Row>,
) -> Sensor {
    Sensor {
        name,
        category: "Tanium",
        known_hash,
        columns,
        parameters: &[],
        built_in: false,
        platforms: ALL,
        value,
    }
}

fn one(value: impl Into<Cow<'static, str>>) -> Vec<Row> {
    vec![vec![value.into()]]
}

fn yes(flag: bool) -> Vec<Row> {
    one(if flag { "True" } else { "False" })
}

/// All sensors. To add one: a line here, with the columns the public documents give. Columns that no public document
/// gives are the lab's choice, marked as such, and always served through `subcolumns`.
pub(crate) static SENSORS: &[Sensor] = &[
    Sensor {
        built_in: true,
        ..plain("Computer Name", Some(3_409_330_187), &[("Computer Name", Type::Text)], |_, e, _| {
            one(e.name())
        })
    },
    Sensor {
        built_in: true,
        ..plain("Computer ID", Some(3_556_221_173), &[("Computer ID", Type::Integer)], |_, e, _| {
            one(e.computer_id.to_string())
        })
    },
    plain("Online", Some(131_549_066), &[("Online", Type::Text)], |_, _, _| one("True")),
    plain(
        "Tanium Client Version",
        Some(435_957_060),
        &[("Tanium Client Version", Type::Version)],
        |_, e, _| one(e.version.clone()),
    ),
    plain(
        "Tanium Client IP Address",
        Some(4_264_271_977),
        &[("Tanium Client IP Address", Type::Address)],
        |_, e, _| one(e.address()),
    ),
    plain("Operating System", Some(45_421_433), &[("Operating System", Type::Text)], |_, e, _| {
        one(operating_system(e))
    }),
    plain("Is Windows", None, &[("Is Windows", Type::Text)], |_, e, _| yes(e.os == Os::Windows)),
    plain("Is Linux", None, &[("Is Linux", Type::Text)], |_, e, _| yes(e.os == Os::Linux)),
    plain("Is Mac", None, &[("Is Mac", Type::Text)], |_, e, _| yes(e.os == Os::Mac)),
    plain("Is Virtual", None, &[("Is Virtual", Type::Text)], |_, e, _| {
        one(if e.is_virtual() { "Yes" } else { "No" })
    }),
    Sensor {
        built_in: true,
        ..plain(
            "Manual Group Membership",
            Some(487_883_112),
            &[("Manual Group Membership", Type::Text)],
            |state, e, _| {
                groups::manual_membership(state, &e.name())
                    .into_iter()
                    .map(|id| vec![Cow::Owned(id)])
                    .collect()
            },
        )
    },
    plain("Tanium Server Name", None, &[("Tanium Server Name", Type::Text)], |_, e, _| one(e.server_name)),
    plain("Tanium Server Name List", None, &[("Tanium Server Name List", Type::Text)], |_, e, _| {
        one(e.server_list.clone())
    }),
    Sensor {
        platforms: DESKTOP,
        ..plain(
            "Tanium Client Logging Level",
            None,
            &[("Tanium Client Logging Level", Type::Text)],
            |_, e, _| one(e.log_level.clone().unwrap_or(Cow::Borrowed("1"))),
        )
    },
    Sensor {
        platforms: DESKTOP,
        parameters: &["settingName"],
        ..plain(
            "Tanium Client Explicit Setting",
            None,
            &[("Tanium Client Explicit Setting", Type::Text)],
            explicit_setting,
        )
    },
    // Endpoints without tags give no row; what real ones answer is not public.
    plain("Custom Tags", None, &[("Custom Tags", Type::Text)], |_, e, _| {
        e.tags().into_iter().map(|tag| vec![Cow::Borrowed(tag)]).collect()
    }),
    // The columns of this sensor are not public. The lab serves the domain, a state, and the text of a failure that
    // is empty where there is none; in rows of their own, facts with a key and a value.
    plain(
        "Client Extensions - Status",
        None,
        &[
            ("Domain", Type::Text),
            ("Status", Type::Text),
            ("Failure", Type::Text),
            ("Key", Type::Text),
            ("Value", Type::Text),
        ],
        endpoint_tools::extensions,
    ),
    plain(
        "Threat Response - Status",
        None,
        &[("Component", Type::Text), ("Key", Type::Text), ("Value", Type::Text)],
        endpoint_tools::threat_response,
    ),
    // The columns of this sensor are the lab's own choice, and so are its words.
    plain(
        "Endpoint Configuration - Tools Status",
        None,
        &[("Tool", Type::Text), ("Version", Type::Version), ("Status", Type::Text)],
        endpoint_tools::tools,
    ),
    // The guide names the column Revision; the other one is the lab's own.
    plain(
        "Endpoint Configuration - Manifest Metadata",
        None,
        &[("Manifest", Type::Text), ("Revision", Type::Integer)],
        |_, e, _| vec![vec!["Endpoint Configuration".into(), e.tells("manifest", "128").into()]],
    ),
    Sensor {
        built_in: true,
        ..plain("Action Lock Status", None, &[("Action Lock Status", Type::Text)], |_, e, _| {
            one(e.tells("action lock", "Action Lock Off"))
        })
    },
    // The words of these sensors are the lab's own, but for those that the guide names.
    plain("Performance - Configured", None, &[("Performance - Configured", Type::Text)], |_, e, _| {
        one(e.tells("performance", "Yes"))
    }),
    plain("Impact - Coverage Status", None, &[("Impact - Coverage Status", Type::Text)], |_, e, _| {
        one(e.tells("impact", "Covered"))
    }),
    plain(
        "Direct Connect - Tools Version",
        None,
        &[("Direct Connect - Tools Version", Type::Text)],
        |_, e, _| {
            one(match e.os {
                Os::Windows => e.tells("direct connect", "Windows Package Installed"),
                Os::Linux => "Linux Package Installed",
                Os::Mac => "Mac Package Installed",
            })
        },
    ),
    // No public document tells the columns of the sensors of Deploy: the lab names them like the sensors.
    plain("Deploy - Coverage Status", None, &[("Deploy - Coverage Status", Type::Text)], |state, e, _| {
        one(deploy::coverage(state, e))
    }),
    plain(
        "Deploy - Is Process Running",
        None,
        &[("Deploy - Is Process Running", Type::Text)],
        |state, e, _| one(deploy::is_running(state, e)),
    ),
    plain(
        "Deploy - Mean Time to Deploy",
        None,
        &[("Deploy - Mean Time to Deploy", Type::Text)],
        |state, e, _| one(deploy::mean_time(state, e)),
    ),
];

fn operating_system(endpoint: &Endpoint) -> &'static str {
    let usual = match (endpoint.os, endpoint.kind) {
        (Os::Windows, Kind::Server) => "Windows Server 2016 Standard",
        (Os::Windows, _) => "Windows 10 Enterprise",
        (Os::Linux, _) => "CentOS Linux release 7.3.1611 (Core)",
        (Os::Mac, _) => "macOS 13",
    };
    endpoint.tells("operating system", usual)
}

/// Settings that are not set on a client give no row, which the server shows as `[no results]`.
fn explicit_setting(_: &State, endpoint: &Endpoint, params: &[String]) -> Vec<Row> {
    match params.first().map(String::as_str) {
        Some("LogVerbosityLevel") => {
            endpoint.log_level.clone().map(|level| vec![vec![level]]).unwrap_or_default()
        }
        Some("ServerNameList") => one(endpoint.server_list.clone()),
        Some("ServerName") => one(endpoint.server_name),
        Some("ServerPort") => one("17472"),
        _ => Vec::new(),
    }
}
