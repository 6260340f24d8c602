//! User role requirements: the four roles that come with the module, what they may do, and who holds them.

use crate::chapters::{ROLES as ROLES_CHAPTER, SERVICE_ACCOUNT as ACCOUNT_CHAPTER};
use crate::inputs::answers::SERVICE_ACCOUNT;
use crate::inputs::platform::{CONTENT_SETS, CURRENT, Current};
use std::collections::{BTreeMap, BTreeSet};
use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::Reference;
use tancheck_plugin_api::records::people::{USER_GROUPS, USERS, User, UserGroup};
use tancheck_plugin_api::records::roles::{
    PRIVILEGES, Privilege, ROLE_MEMBERSHIPS, ROLES, Role, RoleMembership,
};

mod table;

use table::{CONTENT, Cell, MODULE, NAMES};

const ADMINISTRATOR: &str = NAMES[0];
const SERVICE_ROLE: &str = NAMES[2];
const USER_ROLE: &str = NAMES[3];

const ADMINISTRATORS: &str = "a Console user with the Administrator reserved role";

/// The roles are there.
pub(crate) const ROLES_PRESENT: Check = Check::automated("direct-connect.rbac-roles-present")
    .title("The four roles of Direct Connect are there")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&ROLES])
    .guide(ROLES_CHAPTER)
    .what("Looks for the roles Direct Connect Administrator, Read Only User, Service Account and User by their exact names.")
    .why("Without the role for the service account the module cannot do its background work; without the others people lose access.")
    .related(&["direct-connect.rbac-role-drift"])
    .remedy(&PRESENT_REMEDY)
    .judge(roles_present);

const PRESENT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Roles",
        "see whether {subject} was renamed or deleted, and by whom",
    ),
    Step::console("Main menu > Tanium Solutions", "import Direct Connect again: its roles come with it"),
])
.cautions(&["Do not build a look-alike by hand: updates of the module would not reach it."])
.who(ADMINISTRATORS)
.risk(Risk::Medium, Reversible::Partly)
.references(&["Direct Connect User Guide: User role requirements"]);

fn is_named(role: &Role, name: &str) -> bool {
    role.deleted_flag != Some(true) && role.name == name
}

fn roles_present(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let roles: Vec<Role> = facts.rows(&ROLES)?;
    for name in NAMES {
        if roles.iter().any(|role| is_named(role, name)) {
            continue;
        }
        let severity = if name == SERVICE_ROLE { Severity::High } else { Severity::Medium };
        report.finding(
            Finding::on(Subject::new("role", name.to_lowercase(), name))
                .says("is not there")
                .expected("the role that comes with the module")
                .severity(severity)
                .evidence(facts.seen(&ROLES, roles.len())),
        );
    }
    Ok(())
}

/// The roles grant what the guide says.
pub(crate) const ROLE_DRIFT: Check = Check::automated("direct-connect.rbac-role-drift")
    .title("The roles of Direct Connect grant what its guide says")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&ROLES, &PRIVILEGES, &CONTENT_SETS])
    .guide(ROLES_CHAPTER)
    .what("Compares the permissions of the four roles with the two tables of the guide, content set by content set. A permission that comes with another one counts as granted when either is. Of a role, permissions that the tables do not name are left alone.")
    .why("A role that lost a permission stops people or the service; one that gained some lets people redirect every connection.")
    .limits("A permission that the platform does not know by name, because the module is newer or older, is not judged. The tables are those of Direct Connect 1.5.12.")
    .related(&["direct-connect.rbac-roles-present", "rbac.effective-permissions-review"])
    .remedy(&DRIFT_REMEDY)
    .judge(role_drift);

const DRIFT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Roles",
        "compare {subject} with the tables of the guide: missing {missing}; too much {extra}",
    ),
    Step::console(
        "Main menu > Tanium Solutions",
        "import Direct Connect again, rather than edit a role that comes with it",
    ),
    Step::consult("whoever holds the role", "sign out and in again"),
])
.cautions(&[
    "The content set is part of each permission: Reserved, Base and Direct Connect are not the same.",
])
.who(ADMINISTRATORS)
.risk(Risk::Medium, Reversible::Yes)
.references(&["Direct Connect User Guide: User role requirements"]);

/// What a role grants: lower-case names, alone and with the content set.
struct Grants {
    known: BTreeSet<String>,
    everywhere: BTreeMap<String, BTreeSet<String>>,
    on: BTreeMap<String, BTreeSet<(String, String)>>,
}

impl Grants {
    fn of(facts: &Facts<'_>, roles: &[Role]) -> Result<Self, Undecided> {
        let privileges: Vec<Privilege> = facts.rows(&PRIVILEGES)?;
        let sets: Vec<Reference> = facts.rows(&CONTENT_SETS)?;
        let names: BTreeMap<&str, String> =
            privileges.iter().map(|one| (one.id.as_str(), one.name.to_lowercase())).collect();
        let set_names: BTreeMap<&str, String> =
            sets.iter().map(|one| (one.id.as_str(), one.name.to_lowercase())).collect();
        let mut grants = Self {
            known: names.values().cloned().collect(),
            everywhere: BTreeMap::new(),
            on: BTreeMap::new(),
        };
        for role in roles.iter().filter(|role| role.deleted_flag != Some(true)) {
            for grant in
                role.content_set_role_privileges.iter().filter(|grant| grant.deleted_flag != Some(true))
            {
                let privilege = &grant.content_set_privilege;
                let Some(name) = names
                    .get(privilege.id.as_str())
                    .cloned()
                    .or_else(|| (!privilege.name.is_empty()).then(|| privilege.name.to_lowercase()))
                else {
                    continue;
                };
                match grant.content_set.as_ref().filter(|set| !set.is_none()) {
                    None => {
                        grants.everywhere.entry(role.name.clone()).or_default().insert(name);
                    }
                    Some(set) => {
                        let set = set_names
                            .get(set.id.as_str())
                            .cloned()
                            .unwrap_or_else(|| set.name.to_lowercase());
                        grants.on.entry(role.name.clone()).or_default().insert((name, set));
                    }
                }
            }
        }
        Ok(grants)
    }

    fn has(&self, role: &str, permission: &str, set: &str) -> bool {
        let (permission, set) = (permission.to_lowercase(), set.to_lowercase());
        self.everywhere.get(role).is_some_and(|names| names.contains(&permission))
            || self.on.get(role).is_some_and(|pairs| pairs.contains(&(permission, set)))
    }

    /// Whether the platform knows the permission at all; `false` in the tables means another version of the module.
    fn knows(&self, permission: &str) -> bool {
        self.known.contains(&permission.to_lowercase())
    }
}

fn role_drift(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let roles: Vec<Role> = facts.rows(&ROLES)?;
    let grants = Grants::of(facts, &roles)?;
    let known = NAMES.iter().enumerate().filter(|(_, name)| roles.iter().any(|role| is_named(role, name)));
    let known: Vec<(usize, &&str)> = known.collect();
    if known.is_empty() {
        return Err(facts.absent(&ROLES, "none of the roles of Direct Connect is there"));
    }
    let mut strange = BTreeSet::new();
    for (column, name) in known {
        let (mut missing, mut extra) = (Vec::new(), Vec::new());
        let mut look = |permission: &'static str, set: &'static str, cell: Cell, provider: Option<&str>| {
            if !grants.knows(permission) {
                strange.insert(permission);
                return;
            }
            let granted = grants.has(name, permission, set);
            let provided = provider.is_some_and(|provider| grants.has(name, provider, set));
            let label = if set.is_empty() { permission.to_owned() } else { format!("{permission} on {set}") };
            match cell {
                Cell::Yes if !granted => missing.push(label),
                Cell::Provided if !granted && !provided => missing.push(label),
                Cell::No if granted => extra.push(label),
                Cell::Yes | Cell::Provided | Cell::No => {}
            }
        };
        for (permission, cells) in MODULE {
            look(permission, "", cells[column], None);
        }
        for (permission, set, provider, cells) in CONTENT {
            look(permission, set, cells[column], *provider);
        }
        if missing.is_empty() && extra.is_empty() {
            continue;
        }
        let worst = match (missing.is_empty(), *name == SERVICE_ROLE) {
            (false, true) => Severity::High,
            (false, false) => Severity::Medium,
            (true, _) if extra.iter().any(|label| is_powerful(label)) => Severity::Medium,
            (true, _) => Severity::Low,
        };
        let or_none = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join(", ") };
        report.finding(
            Finding::on(Subject::new("role", name.to_lowercase(), *name))
                .says(format!("lacks {}, and has too much: {}", or_none(&missing), or_none(&extra)))
                .expected("what the tables of the guide say")
                .severity(worst)
                .fill("missing", or_none(&missing))
                .fill("extra", or_none(&extra))
                .evidence(facts.seen(&ROLES, [&missing, &extra])),
        );
    }
    if !strange.is_empty() {
        let strange: Vec<&str> = strange.into_iter().collect();
        report.note(format!("the platform knows no permission of these names: {}", strange.join(", ")));
    }
    Ok(())
}

/// Permissions that reach into every connection.
fn is_powerful(label: &str) -> bool {
    ["Direct Connect Settings Write", "Direct Connect Cron Exec"].iter().any(|name| label.starts_with(name))
}

/// The service account may do its work.
pub(crate) const RBAC_SERVICE_ACCOUNT: Check = Check::automated("direct-connect.rbac-service-account")
    .title("The service account holds the role Direct Connect Service Account")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::High)
    .reads(&[&SERVICE_ACCOUNT, &USERS, &ROLES, &ROLE_MEMBERSHIPS, &USER_GROUPS])
    .guide(ACCOUNT_CHAPTER)
    .what("Looks whether the account that was read off the page Service Account holds the role, directly or through a user group.")
    .why("Without it the background work of the module is refused.")
    .limits("The name of the account is what a person read off. A persona does not count: services take none on.")
    .related(&["direct-connect.service-account-set", "direct-connect.rbac-roles-present"])
    .remedy(&ACCOUNT_REMEDY)
    .judge(rbac_service_account);

const ACCOUNT_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Users",
        "assign the role Direct Connect Service Account to {subject}",
    ),
    Step::console(
        "Direct Connect > Settings > Service Account",
        "enter the account's credentials and select Save",
    ),
])
.who(ADMINISTRATORS)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: Configure the service account"]);

/// The account of the service among the users; an `Err` where none is named.
pub(crate) fn service_account<'a>(
    facts: &Facts<'_>,
    users: &'a [User],
) -> Result<(String, Option<&'a User>), Undecided> {
    let name = facts.answer(&SERVICE_ACCOUNT)?.value.as_str().unwrap_or_default().trim().to_owned();
    if name.is_empty() || name.eq_ignore_ascii_case("none") {
        return Err(Undecided::not_applicable(
            "no service account is set, which direct-connect.service-account-set finds",
        ));
    }
    let found =
        users.iter().filter(|user| user.is_named(&name)).min_by_key(|user| user.deleted_flag == Some(true));
    Ok((name, found))
}

fn rbac_service_account(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let users: Vec<User> = facts.rows(&USERS)?;
    let (name, user) = service_account(facts, &users)?;
    let user = user.ok_or_else(|| {
        Undecided::not_evaluated(format!(
            "no user is called {name}, which direct-connect.service-account-usable finds"
        ))
    })?;
    let roles: Vec<Role> = facts.rows(&ROLES)?;
    let Some(role) = roles.iter().find(|role| is_named(role, SERVICE_ROLE)) else {
        return Err(Undecided::not_evaluated(
            "the role is not there, which direct-connect.rbac-roles-present finds",
        ));
    };
    if holders(facts, role)?
        .iter()
        .any(|holder| *holder == user.id || holder.eq_ignore_ascii_case(&user.name))
    {
        return Ok(());
    }
    report.finding(
        Finding::on(user.subject())
            .says("runs the service and does not hold the role Direct Connect Service Account")
            .expected(SERVICE_ROLE)
            .evidence(facts.seen(&ROLE_MEMBERSHIPS, &role.id)),
    );
    Ok(())
}

/// Ids of the users who hold a role, or their names where the list is an exported one.
fn holders(facts: &Facts<'_>, role: &Role) -> Result<BTreeSet<String>, Undecided> {
    let memberships: Vec<RoleMembership> = facts.rows(&ROLE_MEMBERSHIPS)?;
    let groups: Vec<UserGroup> = facts.rows(&USER_GROUPS)?;
    let mut holders = BTreeSet::new();
    for membership in &memberships {
        if membership.exported_role == role.name {
            holders.insert(membership.exported_user.clone());
        }
        if membership.id != role.id {
            continue;
        }
        holders.extend(membership.users.iter().map(|user| user.id.clone()));
        let inherits = |group: &&UserGroup| membership.user_groups.iter().any(|one| one.id == group.id);
        holders.extend(
            groups
                .iter()
                .filter(inherits)
                .flat_map(|group| group.user_list.iter().map(|user| user.id.clone())),
        );
    }
    Ok(holders)
}

/// tancheck's own account sees what this plugin reads.
pub(crate) const OPERATOR: Check = Check::automated("direct-connect.rbac-operator")
    .title("The account of tancheck may read what the checks of Direct Connect need")
    .cadence(&[Cadence::Setup, Cadence::Quarterly])
    .severity(Severity::Info)
    .reads(&[&CURRENT])
    .guide(ROLES_CHAPTER)
    .what("Compares the privileges of the account that tancheck uses with those that the checks of this plugin need, and names the checks that stay undecided without each.")
    .why("A role made for health checks is easily one permission short, and then half of the checks say nothing.")
    .related(&["rbac.missing-permissions"])
    .remedy(&OPERATOR_REMEDY)
    .judge(operator);

const OPERATOR_REMEDY: Remedy = Remedy::new(&[
    Step::console(
        "Administration > Permissions > Roles",
        "add {subject} to the role of the account {account}, or leave it and live without {checks}",
    ),
    Step::command("tancheck permissions", "shows all privileges that the enabled checks need"),
])
.cautions(&["Give no permission to write: tancheck only reads."])
.who(ADMINISTRATORS)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: User role requirements"]);

/// Privileges, and the checks that need them.
const NEEDED: [(&str, &str); 8] = [
    ("show direct connect", "the values that people read off its pages"),
    ("direct connect session read", "service-running"),
    ("read action", "deploy-tools-action, configure-extension-action, connections"),
    ("read action group", "action-group-target, action-group-coverage"),
    ("read package", "content-build, uninstall-leftovers"),
    ("read sensor", "version-client, tools-installed, os-supported, extension-health"),
    ("read system status", "zone-proxy-required, port-firewall-review"),
    ("read user", "service-account-usable, rbac-service-account"),
];

fn operator(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let current: Current = facts.object(&CURRENT)?;
    let held: BTreeSet<String> = current.user.privileges().collect();
    if held.is_empty() {
        return Err(Undecided::not_evaluated("the server told no privileges of the account"));
    }
    if held.contains("administrator") {
        report.note("the account is an administrator; a role that only reads is enough");
        return Ok(());
    }
    for (privilege, checks) in NEEDED {
        if held.contains(privilege) {
            continue;
        }
        report.finding(
            Finding::on(Subject::new("privilege", privilege, privilege))
                .says(format!("is not held by {}; undecided without it: {checks}", current.user.name))
                .expected("a role that may read it")
                .fill("account", &current.user.name)
                .fill("checks", checks)
                .evidence(facts.seen(&CURRENT, held.len())),
        );
    }
    Ok(())
}

const REVIEW_DAYS: Setting = Setting::integer("holders_due_every_days", 90, 1, 730)
    .unit("days")
    .about("how long a reviewed holder of a Direct Connect role is good for");

/// Somebody looked at the holders.
pub(crate) const ADMIN_REVIEW: Check = Check::attested("direct-connect.rbac-admin-review")
    .title("The holders of the powerful Direct Connect roles were reviewed")
    .cadence(&[Cadence::Quarterly])
    .severity(Severity::Low)
    .reads(&[&ROLES, &ROLE_MEMBERSHIPS, &USER_GROUPS, &USERS])
    .due_every(&REVIEW_DAYS)
    .guide(ROLES_CHAPTER)
    .what("Lists who holds Direct Connect Administrator and Direct Connect User, and asks for an attestation of each.")
    .why("Administrators can redirect every connection, and users can open a session to any endpoint that they see.")
    .related(&["rbac.effective-permissions-review", "rbac.excess-permissions"])
    .remedy(&REVIEW_REMEDY)
    .judge(admin_review);

const REVIEW_REMEDY: Remedy = Remedy::new(&[
    Step::console("Administration > Permissions > Users > Preview User", "look at {subject}"),
    Step::decision("the person only opens sessions", "the role Direct Connect User is enough"),
    Step::decision("the person only looks", "the role Direct Connect Read Only User is enough"),
    Step::command(
        "tancheck attest direct-connect.rbac-admin-review --subject {key} --result done",
        "records that the role is meant",
    ),
])
.who(ADMINISTRATORS)
.risk(Risk::Low, Reversible::Yes)
.references(&["Direct Connect User Guide: User role requirements"]);

fn admin_review(facts: &Facts<'_>, report: &mut Report) -> Result<(), Undecided> {
    let roles: Vec<Role> = facts.rows(&ROLES)?;
    let users: Vec<User> = facts.rows(&USERS)?;
    for name in [ADMINISTRATOR, USER_ROLE] {
        let Some(role) = roles.iter().find(|role| is_named(role, name)) else { continue };
        for holder in holders(facts, role)? {
            let user = users.iter().find(|user| user.id == holder || user.name == holder);
            if user.is_some_and(|user| user.inactive_because().is_some()) {
                continue;
            }
            let shown = user.map_or_else(|| holder.clone(), |user| user.subject().name);
            let key = format!("{holder}.{}", name.to_lowercase().replace(' ', "-"));
            report.finding(
                Finding::on(Subject::new("user", &key, shown))
                    .says(format!("holds {name}"))
                    .confirms(name)
                    .fill("key", &key)
                    .evidence(facts.seen(&ROLE_MEMBERSHIPS, &holder)),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
