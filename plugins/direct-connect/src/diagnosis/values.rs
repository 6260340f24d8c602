//! The deployment's own values in the texts of the diagnosis and of the procedures.

use crate::inputs::answers::{ACTION_LOCK, LOG_LEVEL, SERVICE_ACCOUNT};
use crate::inputs::pages::{ZONE_PROXIES, ZoneProxy};
use crate::inputs::platform::{MODULE, imported};
use crate::setup::{ACTION_GROUP, own_group};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::actions::{ACTION_GROUPS, GROUPS};
use tancheck_plugin_api::records::server::SOLUTIONS;

/// The name that endpoints connect to.
pub(crate) const ENDPOINT_NAME: Reading = Reading::new(
    "direct-connect.module-server-name",
    "Fully Qualified Domain Name of the endpoint connection",
)
.settings(&[&crate::ENDPOINT_FQDN])
.by(|facts, _| facts.text(&crate::ENDPOINT_FQDN).map(str::to_owned));

/// The port that endpoints connect to.
pub(crate) const ENDPOINT_PORT: Reading =
    Reading::new("direct-connect.module-server-port", "Port of the endpoint connection")
        .settings(&[&crate::ENDPOINT_PORT])
        .by(|facts, _| Ok(facts.integer(&crate::ENDPOINT_PORT)?.to_string()));

/// The action group.
pub(crate) const ACTION_GROUP_NAME: Reading =
    Reading::new("direct-connect.group-name", "action group of Direct Connect")
        .settings(&[&ACTION_GROUP])
        .by(|facts, _| facts.text(&ACTION_GROUP).map(str::to_owned));

/// The computer groups that it holds.
pub(crate) const COMPUTER_GROUPS: Reading =
    Reading::new("direct-connect.computer-groups", "computer groups in the action group")
        .reads(&[&ACTION_GROUPS, &GROUPS])
        .settings(&[&ACTION_GROUP])
        .by(|facts, _| match own_group(facts)? {
            Some((_, members)) if !members.is_empty() => Ok(members.join(", ")),
            Some(_) => Ok("none".to_owned()),
            None => Err(facts.absent(&ACTION_GROUPS, "the action group is not in the list")),
        });

/// The account under which the service works.
pub(crate) const ACCOUNT: Reading = Reading::new("direct-connect.account-name", "service account")
    .reads(&[&SERVICE_ACCOUNT])
    .by(|facts, _| answered(facts, &SERVICE_ACCOUNT));

/// What is selected under Action Lock.
pub(crate) const LOCK_SETTING: Reading = Reading::new("direct-connect.lock-setting", "setting Action Lock")
    .reads(&[&ACTION_LOCK])
    .by(|facts, _| answered(facts, &ACTION_LOCK));

/// The log level.
pub(crate) const LEVEL: Reading =
    Reading::new("direct-connect.present-log-level", "log level of the service")
        .reads(&[&LOG_LEVEL])
        .by(|facts, _| answered(facts, &LOG_LEVEL));

/// The imported version.
pub(crate) const VERSION: Reading =
    Reading::new("direct-connect.imported-version", "imported version of Direct Connect")
        .reads(&[&SOLUTIONS])
        .by(|facts, _| match imported(facts, MODULE)? {
            Some(version) => Ok(version.to_string()),
            None => Ok("none".to_owned()),
        });

/// Where external endpoints connect to.
pub(crate) const ZONE_PROXY_ADDRESSES: Reading =
    Reading::new("direct-connect.zone-proxy-addresses", "zone proxies, as endpoints reach them")
        .reads(&[&ZONE_PROXIES])
        .by(|facts, _| {
            let list = proxies(facts)?;
            Ok(list
                .iter()
                .map(|one| {
                    format!("{} = {}:{}", one.name.trim(), one.endpoint_host.trim(), one.endpoint_port.trim())
                })
                .collect::<Vec<_>>()
                .join(", "))
        });

/// The settings of the zone proxies, to be written down before they are recreated.
pub(crate) const ZONE_PROXY_SETTINGS: Reading =
    Reading::new("direct-connect.zone-proxy-settings", "settings of the zone proxies")
        .reads(&[&ZONE_PROXIES])
        .by(|facts, _| {
            let shown = |one: &ZoneProxy| {
                format!(
                    "{} on {}: module {}:{} bound to {}, endpoints {}:{} bound to {}",
                    one.name.trim(),
                    one.zone_server.trim(),
                    one.module_host.trim(),
                    one.module_port.trim(),
                    one.module_bind.trim(),
                    one.endpoint_host.trim(),
                    one.endpoint_port.trim(),
                    one.endpoint_bind.trim()
                )
            };
            Ok(proxies(facts)?.iter().map(shown).collect::<Vec<_>>().join("; "))
        });

fn proxies(facts: &Facts<'_>) -> Result<Vec<ZoneProxy>, Undecided> {
    let list: Vec<ZoneProxy> = facts.rows(&ZONE_PROXIES)?;
    if list.is_empty() { Err(Undecided::not_evaluated("no zone proxy is in the list")) } else { Ok(list) }
}

fn answered(facts: &Facts<'_>, input: &'static Input) -> Result<String, Undecided> {
    match facts.answer(input)?.value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Undecided::not_evaluated("the answer is no text")),
    }
}
