//! What the platform itself tells, beyond the records that all plugins share.

use tancheck_plugin_api::prelude::*;
use tancheck_plugin_api::records::Reference;
use tancheck_plugin_api::records::server::{ImportedSolution, SOLUTIONS};

/// An answer of the module's service shows that it runs. The host that it is asked for need not exist.
pub(crate) const SERVICE: Input =
    Input::new("direct-connect.service", "an answer of the service of Direct Connect")
        .sources(&[Source::service("dec", "/v1/endpoints?hostname={setting:service_probe_host}")
            .needs(&["direct connect session read"])]);

/// Content sets: id and name.
pub(crate) const CONTENT_SETS: Input = Input::new("direct-connect.content-sets", "names of the content sets")
    .sources(&[Source::rest("/api/v2/content_sets")]);

/// The account that tancheck itself uses, and what it may do.
pub(crate) const CURRENT: Input =
    Input::new("direct-connect.current-session", "privileges of the account that tancheck uses")
        .sources(&[Source::rest("/api/v2/session/current").object()]);

/// `GET /api/v2/session/current`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Current {
    pub(crate) user: CurrentUser,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CurrentUser {
    #[serde(deserialize_with = "lenient::text")]
    pub(crate) name: String,
    pub(crate) effective_content_set_privileges: Vec<Wrapped>,
}

/// Each part is wrapped once more than in the list of users.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wrapped {
    effective_content_set_privilege: WrappedList,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WrappedList {
    content_set_privilege_list: Vec<WrappedPrivilege>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WrappedPrivilege {
    content_set_privilege: Reference,
}

impl CurrentUser {
    /// The lower-case names of the privileges, whatever the content set.
    pub(crate) fn privileges(&self) -> impl Iterator<Item = String> {
        let lists = self.effective_content_set_privileges.iter();
        lists
            .flat_map(|wrapped| &wrapped.effective_content_set_privilege.content_set_privilege_list)
            .map(|privilege| privilege.content_set_privilege.name.to_lowercase())
    }
}

/// The module itself.
pub(crate) const MODULE: &str = "Direct Connect";

/// The imported version of a module; nothing where it is not imported.
pub(crate) fn imported(facts: &Facts<'_>, module: &str) -> Result<Option<ProductVersion>, Undecided> {
    let solutions: Vec<ImportedSolution> = facts.rows(&SOLUTIONS)?;
    Ok(solutions.into_iter().find(|one| one.is_module(module)).map(|one| one.imported_version))
}
