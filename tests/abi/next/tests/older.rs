//! A host of the next minor version loads plugins of earlier ones: their boundary is a beginning of its own.

use std::path::Path;
use tancheck_abi_next::abi::{self, Exported, GuestBox};
use tancheck_abi_next::manifest::API_VERSION;

/// Loads a library into this process; the plugins of this test are well-behaved.
fn load(path: &Path) -> Result<GuestBox, String> {
    // SAFETY: the library's constructors are those of the standard library alone.
    let library = unsafe { libloading::Library::new(path) }.map_err(|error| error.to_string())?;
    // SAFETY: the symbol is the exported static; its address is not read here.
    let exported = unsafe { library.get::<*const Exported>(abi::SYMBOL) }.map(|symbol| *symbol);
    let exported = exported.map_err(|error| error.to_string())?;
    std::mem::forget(library);
    // SAFETY: the address is that of the static, and the library is never unloaded.
    unsafe { abi::open(exported) }.map_err(|refused| refused.sentence)
}

#[test]
fn a_newer_host_loads_older_and_equal_plugins_and_no_other_major() {
    let packages = ["tancheck-abi-first", "tancheck-abi-next", "tancheck-abi-second", "tancheck-hostile"];
    let libraries = tancheck_test_support::build(&packages);

    let first = load(&libraries["tancheck-abi-first"]).unwrap();
    assert!(first.manifest().contains("\"api\":\"1.0.0\""));
    let reply = first.inspect(r#"{"check":"abi-first.loads"}"#.into());
    assert!(reply.contains("judged by 1.0"), "{reply}");
    assert_eq!(first.appended(), "the default", "a method that the plugin lacks has its default body");

    let present = load(&libraries["tancheck-hostile"]).unwrap();
    assert!(present.manifest().contains("\"id\":\"hostile\""));
    assert_eq!(present.appended(), "the default");

    let equal = load(&libraries["tancheck-abi-next"]).unwrap();
    assert_eq!(equal.appended(), "its own");

    let sentence = load(&libraries["tancheck-abi-second"]).map(|_| ()).unwrap_err();
    let own = format!("this host speaks {API_VERSION}");
    assert!(sentence.contains(".0.0,") && sentence.contains(&own), "{sentence}");
}
