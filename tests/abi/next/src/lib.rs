//! A boundary derived from the present one by `../derived.rs`, and a small plugin behind it.
#![expect(non_local_definitions, reason = "abi_stable's macro writes such impls")]

/// The derived source of `plugin-api/src/abi.rs`.
pub mod abi {
    include!(concat!(env!("OUT_DIR"), "/abi.rs"));
}

/// What the boundary needs of the crate around it.
pub mod manifest {
    use serde_json::Value;

    /// The derived version.
    pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

    /// A document with things that the present host does not know.
    #[derive(serde::Serialize)]
    #[serde(transparent)]
    pub struct Manifest(Value);

    impl Manifest {
        /// The plugin's manifest.
        pub fn of(plugin: &crate::Plugin) -> Self {
            let text = TEXT.replace("ID", plugin.id).replace("API", API_VERSION);
            Self(serde_json::from_str(&text).expect("the text is JSON"))
        }
    }

    const TEXT: &str = r#"{"id":"ID","title":"Later","version":"0.9.0","api":"API","features":["rest"],
    "novelty":{"of":"a later version"},"inputs":[{"id":"ID.rows","about":"rows","novelty":1,"sources":[{"kind":"rest",
    "path":"/api/v2/users","shape":"rows","novelty":true}]}],"checks":[{"id":"ID.loads","kind":"automated",
    "title":"It loads","cadence":["weekly"],"severity":"medium","inputs":["ID.rows"],"settings":[],
    "guide":[{"section":"Nowhere","page":1}],"what":"Loads.","why":"It was promised.","novelty":[],
    "remedy":{"steps":[{"do":"consult","whom":"nobody"}],"who":"anybody","risk":"none","reversible":"yes",
    "verify":"ID.loads"},"judged":true}]}"#;
}

/// What the boundary needs of the crate around it.
pub mod plugin {
    use serde_json::{Value, json};

    /// A plugin.
    #[derive(Debug)]
    pub struct Plugin {
        /// Its id.
        pub id: &'static str,
        /// Its version.
        pub version: &'static str,
    }

    impl Plugin {
        /// Judges.
        pub fn inspect(&self, inspection: &Value) -> Value {
            let note = format!("judged by {}", crate::manifest::API_VERSION);
            json!({"check": inspection["check"], "notes": [note], "novelty": "unknown to the present host"})
        }
    }
}

/// What the boundary needs of the crate around it.
pub mod wire {
    use serde_json::Value;

    /// A request.
    pub type Inspection = Value;

    /// An answer.
    #[derive(serde::Serialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Reply {
        /// The judge came to an end.
        Judged(Value),
    }
}

pub use plugin::Plugin;

/// The plugin.
pub const PLUGIN: Plugin = Plugin { id: "abi-later", version: "0.9.0" };

/// The plugin, for the export.
pub struct Later;

impl abi::Export for Later {
    const PLUGIN: &'static Plugin = &PLUGIN;
}

/// The export.
#[unsafe(no_mangle)]
pub static TANCHECK_PLUGIN: abi::Exported = abi::Exported::of::<Later>();
