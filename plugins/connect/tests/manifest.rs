//! The manifest of the plugin: complete, and the same on both sides of the boundary.

use tancheck_connect::PLUGIN;
use tancheck_plugin_api::testing::assert_valid;

#[test]
fn the_manifest_is_valid() {
    assert_valid(&PLUGIN);
}
