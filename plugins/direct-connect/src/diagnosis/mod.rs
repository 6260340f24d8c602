//! Why a session to an endpoint does not open: the module's own guide says to look at the action, the log, the name and
//! port, the group, the tools and two scheduled actions; the rest is derived from its other chapters, and labelled so.

mod endpoint;
mod leaves;
mod nodes;
mod session;
pub(crate) mod values;

use tancheck_plugin_api::prelude::*;

/// The tree.
pub(crate) const TREE: Tree = Tree::new("Why a session to an endpoint does not open", "endpoint", "module")
    .values(&[
        &values::ENDPOINT_NAME,
        &values::ENDPOINT_PORT,
        &values::ACTION_GROUP_NAME,
        &values::ZONE_PROXY_ADDRESSES,
    ])
    .failed(&session::FAILED)
    .nodes(nodes::NODES)
    .leaves(leaves::LEAVES);

#[cfg(test)]
mod tests;
