//! A plugin with the boundary of API 1.0. **Frozen:** this file is never edited; if it no longer loads, the boundary
//! has broken its promise.
#![expect(non_local_definitions, reason = "abi_stable's macro writes such impls")]

use abi_stable::library::{
    __call_root_module_loader, CheckTypeLayout, LibHeader, RootModule, RootModuleResult,
};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RStr, RString};
use abi_stable::{StableAbi, package_version_strings, sabi_trait};

#[repr(C)]
pub struct Exported {
    magic: [u8; 8],
    level: u32,
    size: u32,
    text: [u8; 240],
    header: LibHeader,
}

#[sabi_trait]
pub trait Guest {
    fn manifest(&self) -> RString;

    #[sabi(last_prefix_field)]
    fn inspect(&self, inspection: RStr<'_>) -> RString;
}

pub type GuestBox = Guest_TO<'static, RBox<()>>;

#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModRef)))]
#[sabi(missing_field(panic))]
pub struct PluginMod {
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn() -> GuestBox,
}

impl RootModule for PluginModRef {
    abi_stable::declare_root_module_statics! {PluginModRef}
    const BASE_NAME: &'static str = "tancheck_plugin";
    const NAME: &'static str = "tancheck-plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

extern "C" fn root() -> RootModuleResult {
    __call_root_module_loader(|| PluginMod { create }.leak_into_prefix())
}

extern "C" fn create() -> GuestBox {
    Guest_TO::from_value(First, sabi_trait::TD_Opaque)
}

struct First;

impl Guest for First {
    fn manifest(&self) -> RString {
        MANIFEST.into()
    }

    fn inspect(&self, inspection: RStr<'_>) -> RString {
        let seen = inspection.contains("\"check\":\"abi-first.loads\"");
        let note = if seen { "judged by 1.0" } else { "not understood" };
        format!(r#"{{"judged":{{"check":"abi-first.loads","findings":[],"measures":[],"notes":["{note}"],"read":["abi-first.rows"]}}}}"#)
            .into()
    }
}

const MANIFEST: &str = r#"{"id":"abi-first","title":"First","version":"0.3.0","api":"1.0.0","about":"","features":["rest"],
"solutions":[],"settings":[],"inputs":[{"id":"abi-first.rows","about":"rows","sources":[{"kind":"rest",
"path":"/api/v2/users","options":"","paged":false,"shape":"rows"}]}],"checks":[{"id":"abi-first.loads","aliases":[],
"kind":"automated","title":"It loads","cadence":["weekly"],"severity":"medium","inputs":["abi-first.rows"],
"settings":[],"due_every":null,"guide":[{"section":"Nowhere","page":1}],"what":"Loads.","why":"It was promised.",
"limits":"","applies":"","remedy":{"steps":[{"do":"consult","whom":"nobody"}],"cautions":[],"who":"anybody",
"risk":"none","reversible":"yes","references":[],"verify":"abi-first.loads"},"related":[],"even_if_absent":false,
"beyond":false,"judged":true}]}"#;

const fn text() -> [u8; 240] {
    let stamp = b"id=abi-first\nversion=0.3.0\napi=1.0.0\n";
    let mut text = [0; 240];
    let mut at = 0;
    while at < stamp.len() {
        text[at] = stamp[at];
        at += 1;
    }
    text
}

#[unsafe(no_mangle)]
pub static TANCHECK_PLUGIN: Exported = Exported {
    magic: *b"TANCHECK",
    level: 1,
    size: size_of::<Exported>() as u32,
    text: text(),
    // SAFETY: `root` returns a `PluginModRef`.
    header: unsafe { LibHeader::from_constructor::<PluginModRef>(root, CheckTypeLayout::Yes) },
};
