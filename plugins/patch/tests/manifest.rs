//! The manifest is good, and holds every row of the guide's catalogue.

#[test]
fn the_manifest_is_good() {
    tancheck_plugin_api::testing::assert_valid(&tancheck_patch::PLUGIN);
}
