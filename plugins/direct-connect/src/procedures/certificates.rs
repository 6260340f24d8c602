//! New certificates, and their way to endpoints.

use super::ADMINISTRATOR;
use crate::diagnosis::values::{
    ACTION_GROUP_NAME, ENDPOINT_NAME, ENDPOINT_PORT, LOCK_SETTING, ZONE_PROXY_ADDRESSES,
};
use tancheck_plugin_api::prelude::*;

pub(super) const RENEW: Procedure = Procedure::new(
    "cert-renew-rollout",
    "Renew the certificates of Direct Connect and bring them to endpoints",
    "Before the server certificate or the client certificate of Direct Connect expires; best a month before, in a quiet hour.",
)
.sections(&["Direct Connect User Guide 1.5.12: Configure certificates"])
.values(&[&ENDPOINT_NAME, &ENDPOINT_PORT, &ACTION_GROUP_NAME, &LOCK_SETTING, &ZONE_PROXY_ADDRESSES])
.who(ADMINISTRATOR)
.risk(Risk::Medium, Reversible::No)
.cautions(&[
    "The client certificate is deployed: endpoints that are offline, outside of {group-name} or locked keep the old one until it reaches them.",
    "These are not the certificates of the Console, of the Module Server or of the API: those have procedures of their own.",
])
.tasks(&[
    Task::checked(
        Step::console("Administration > Actions > Scheduled Actions", "see that Deploy Direct Connect - Configure Extension is enabled, in {group-name}, and succeeds"),
        &["direct-connect.configure-extension-action"],
    ),
    Task::checked(
        Step::question(
            "Get Computer Name and Action Lock Status from all machines with Action Lock Status contains \"on\"",
            "note the locked endpoints: with the setting {lock-setting} they may not get the new certificate",
        ),
        &["direct-connect.action-lock-conflict"],
    ),
    Task::seen(
        Step::console("Direct Connect > Settings > Certificates", "write down both expiry dates"),
        "two dates, and which of the two certificates is due",
    )
    .from_guide(),
    Task::seen(
        Step::console("Direct Connect > Settings > Certificates > Server Certificate", "select Renew, then Save, enter the own password and select OK"),
        "the page shows a later expiry date for the server certificate",
    )
    .from_guide(),
    Task::checked(
        Step::console("Direct Connect > Settings > Certificates > Client Certificate", "if it is due: select Renew, then Save, enter the own password and select OK; note the new date: tancheck answer direct-connect.client-certificate"),
        &["direct-connect.cert-client-expiry"],
    )
    .from_guide(),
    Task::checked(
        Step::command(
            "openssl s_client -connect {module-server-name}:{module-server-port} -tls1_2",
            "from an internal client: the listener presents a certificate with the dates of the page; one with the old certificate has to be restarted",
        ),
        &["direct-connect.cert-server-expiry"],
    ),
    Task::checked(
        Step::console("Administration > Actions > Action History", "watch the next run of Deploy Direct Connect - Configure Extension"),
        &["direct-connect.configure-extension-action"],
    ),
    Task::seen(
        Step::console("Direct Connect > Home > Connection Test", "test one endpoint of each operating system, internal and behind each zone proxy ({zone-proxy-addresses})"),
        "each test connects; where one fails: tancheck diagnose direct-connect --endpoint NAME",
    ),
    Task::seen(
        Step::consult("the calendar", "note the two new dates, and the endpoints of the second step that still have to get the certificate"),
        "both dates are in the calendar",
    ),
]);
