//! A plugin that misbehaves while it is loaded, before anybody called it.

use tancheck_plugin_api::prelude::*;

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

extern "C" fn constructor() {
    eprintln!("constructor: read {:?}", std::fs::read("/etc/passwd").map(|bytes| bytes.len()));
    eprintln!("constructor: maps {:?}", std::fs::read("/proc/self/maps").map(|bytes| bytes.len()));
    eprintln!("constructor: connect {:?}", std::net::TcpStream::connect("127.0.0.1:9"));
}

/// The plugin.
pub const PLUGIN: Plugin = Plugin::new("hostile-constructor", "Constructor", env!("CARGO_PKG_VERSION"));

tancheck_plugin_api::export_plugin!(PLUGIN);
