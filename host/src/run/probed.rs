//! What a run tells of its probes, as JSON Schema: the records are the plugin API's own.

use schemars::{Schema, SchemaGenerator, json_schema};
use tancheck_plugin_api::records::probe::{Stage, Vantage};

/// What every probe has; the rest is there as far as the probe came.
pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    let stages =
        [Stage::Target, Stage::Resolve, Stage::Connect, Stage::Greeting, Stage::Negotiation, Stage::Flight];
    let probe = json_schema!({
        "type": "object",
        "required": ["target", "vantage", "stage"],
        "properties": {
            "target": {"type": "string"},
            "host": {"type": "string"},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            "vantage": {"type": "string", "enum": Vantage::ALL},
            "at": {"type": "string"},
            "stage": {"type": "string", "enum": stages},
            "trouble": {"type": "string"},
            "alert": {"type": "integer"},
            "says": {"type": "string"},
            "addresses": {"type": "array", "items": {"type": "string"}},
            "address": {"type": "string"},
            "failed_addresses": {"type": "array", "items": {"type": "object"}},
            "resolve_ms": {"type": "integer"},
            "connect_ms": {"type": "integer"},
            "flight_ms": {"type": "integer"},
            "version": {"type": "string"},
            "suite": {"type": "string"},
            "curve": {"type": "string"},
            "without_server_name": {"type": "boolean"},
            "client_certificate": {"type": "boolean"},
            "client_issuers": {"type": "array", "items": {"type": "string"}},
            "certificates": {"type": "array", "items": {"type": "object"}},
            "suites": {"type": "array", "items": {"type": "object"}},
        },
    });
    json_schema!({"type": "array", "items": probe})
}
