//! The manifest is good.

#[test]
fn the_manifest_is_good() {
    tancheck_plugin_api::testing::assert_valid(&tancheck_comply::PLUGIN);
}
