//! Connections as real deployments export them are understood.

use serde_json::Value;
use std::path::Path;
use tancheck_connect::inputs::Connection;
use tancheck_plugin_api::prelude::Deserialize;

#[test]
fn exported_connections_are_understood() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/platform/examples/connect-exports");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let mut kinds = Vec::new();
    for file in folder.read_dir().expect("a folder") {
        let path = file.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a text");
        let Value::Array(rows) = serde_json::from_str(&text).expect("JSON") else {
            panic!("{}", path.display())
        };
        for row in rows {
            let connection =
                Connection::deserialize(&row).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(connection.cron().is_some_and(|cron| cron.split(' ').count() == 5), "{}", path.display());
            assert!(
                connection.element("destinations").is_some_and(|to| to.settings.is_object()),
                "{}",
                path.display()
            );
            kinds.extend(connection.element("sources").map(|source| source.kind().to_owned()));
        }
    }
    for kind in ["events", "systemstatuses", "actionlogs", "pluginConfigurations/asset/report-source"] {
        assert!(kinds.iter().any(|found| found == kind), "no source {kind} in {kinds:?}");
    }
}
