//! The stable boundary: the only place of this crate that knows abi_stable and the layout of what a plugin exports.
//!
//! A library exports one static, [`Exported`], under the name [`SYMBOL`]. Its first bytes are frozen for ever, hold no
//! pointer, and tell who the plugin is, so that a host can read them from the file without loading it. Behind them
//! lies abi_stable's library header, which leads to the root module after its layout was compared.
//!
//! **Never change what is here.** Data crosses as documents ([`crate::wire`], [`crate::manifest`]), which may grow.
#![expect(unsafe_code, reason = "this is the one file of the crate that crosses the boundary")]
#![expect(
    non_local_definitions,
    reason = "abi_stable's macro writes such impls, and the crate is no longer changed"
)]

use crate::manifest::Manifest;
use crate::plugin::Plugin;
use crate::wire::{Inspection, Reply};
use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::library::{
    __call_root_module_loader, AbiHeaderRef, CheckTypeLayout, LibHeader, LibraryError, RootModule,
    RootModuleResult,
};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RBox, RStr, RString};
use abi_stable::{StableAbi, package_version_strings, sabi_trait};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The name of the exported static.
pub const SYMBOL: &str = "TANCHECK_PLUGIN";

/// The first eight bytes of the exported static.
pub const MAGIC: [u8; 8] = *b"TANCHECK";

/// The level of this boundary; a change of it would break every plugin, so it is meant to stay.
pub const LEVEL: u32 = 1;

/// The bytes of the stamp's text.
pub const STAMP_TEXT: usize = 240;

/// The offset of the stamp's text in the exported static.
pub const STAMP_TEXT_OFFSET: usize = 16;

/// What a library exports.
#[repr(C)]
pub struct Exported {
    magic: [u8; 8],
    level: u32,
    size: u32,
    text: [u8; STAMP_TEXT],
    header: LibHeader,
}

/// Names a plugin at compile time; the export macro implements it.
pub trait Export: 'static {
    /// The plugin.
    const PLUGIN: &'static Plugin;
}

impl Exported {
    /// The static for a plugin.
    #[must_use]
    pub const fn of<P: Export>() -> Self {
        Self {
            magic: MAGIC,
            level: LEVEL,
            size: size_of::<Self>() as u32,
            text: stamp_text(P::PLUGIN.id, P::PLUGIN.version),
            // SAFETY: `root::<P>` returns a `PluginModRef`, the type whose layout is recorded here.
            header: unsafe { LibHeader::from_constructor::<PluginModRef>(root::<P>, CheckTypeLayout::Yes) },
        }
    }
}

impl std::fmt::Debug for Exported {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Exported").field("level", &self.level).finish_non_exhaustive()
    }
}

/// `id=…\nversion=…\napi=…\n`, filled with zeros.
const fn stamp_text(id: &str, version: &str) -> [u8; STAMP_TEXT] {
    let parts: [&[u8]; 6] = [
        b"id=",
        id.as_bytes(),
        b"\nversion=",
        version.as_bytes(),
        b"\napi=",
        crate::manifest::API_VERSION.as_bytes(),
    ];
    let mut text = [0; STAMP_TEXT];
    let mut length = 0;
    let mut part = 0;
    while part < parts.len() {
        let mut byte = 0;
        while byte < parts[part].len() {
            text[length] = parts[part][byte];
            length += 1;
            byte += 1;
        }
        part += 1;
    }
    assert!(length < STAMP_TEXT, "the plugin's id and version are too long for the stamp");
    text[length] = b'\n';
    text
}

/// What a plugin does. Documents in, documents out.
#[sabi_trait]
pub trait Guest {
    /// The manifest, as JSON.
    fn manifest(&self) -> RString;

    /// Judges one check: an [`Inspection`] as JSON in, a [`Reply`] as JSON out.
    #[sabi(last_prefix_field)]
    fn inspect(&self, inspection: RStr<'_>) -> RString;
}

/// A guest, owned by the host.
pub type GuestBox = Guest_TO<'static, RBox<()>>;

/// The root module of a library.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModRef)))]
#[sabi(missing_field(panic))]
pub struct PluginMod {
    /// Makes the plugin's guest.
    #[sabi(last_prefix_field)]
    pub create: extern "C" fn() -> GuestBox,
}

impl RootModule for PluginModRef {
    abi_stable::declare_root_module_statics! {PluginModRef}
    const BASE_NAME: &'static str = "tancheck_plugin";
    const NAME: &'static str = "tancheck-plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

extern "C" fn root<P: Export>() -> RootModuleResult {
    __call_root_module_loader(|| PluginMod { create: create::<P> }.leak_into_prefix())
}

extern "C" fn create<P: Export>() -> GuestBox {
    Guest_TO::from_value(Guard(P::PLUGIN), sabi_trait::TD_Opaque)
}

/// Stands between the boundary and the plugin's code: no panic may cross.
struct Guard(&'static Plugin);

impl Guest for Guard {
    fn manifest(&self) -> RString {
        let text =
            guarded(|| serde_json::to_string(&Manifest::of(self.0)).map_err(|error| error.to_string()));
        text.unwrap_or_else(failed).into()
    }

    fn inspect(&self, inspection: RStr<'_>) -> RString {
        let text = guarded(|| {
            let inspection: Inspection = serde_json::from_str(inspection.as_str())
                .map_err(|error| format!("the request is not understood: {error}"))?;
            let reply = Reply::Judged(self.0.inspect(&inspection));
            serde_json::to_string(&reply).map_err(|error| error.to_string())
        });
        text.unwrap_or_else(failed).into()
    }
}

fn failed(message: String) -> String {
    serde_json::json!({ "failed": message }).to_string()
}

fn guarded(work: impl FnOnce() -> Result<String, String>) -> Result<String, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(payload) => {
            let message = payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without a message".to_owned());
            // The payload's own drop may panic again, so it is never dropped.
            std::mem::forget(payload);
            Err(format!("the plugin panicked: {message}"))
        }
    }
}

/// Why a library cannot be used, as one sentence; details for a debug log.
#[derive(Debug)]
pub struct Refused {
    /// One sentence, with both versions where versions are the reason.
    pub sentence: String,
    /// abi_stable's own text, up to 50 KB.
    pub details: String,
}

/// Opens the guest behind an exported static.
///
/// A plugin that was built against an earlier 1.x has fewer methods and fields than this crate knows; the plain check
/// of abi_stable refuses it. The layouts are then compared the other way round: what the plugin has must be a
/// beginning of what the host knows.
///
/// # Errors
/// When the static is not ours, is of another level or major version, or of another layout.
///
/// # Safety
/// `exported` must be the address of the static [`SYMBOL`] in a library that stays loaded for ever.
pub unsafe fn open(exported: *const Exported) -> Result<GuestBox, Refused> {
    // SAFETY: the caller vouches for the address; the first three fields are frozen, so they are there in any
    // version of the static, and they are plain bytes.
    let (magic, level) = unsafe { ((*exported).magic, (*exported).level) };
    if magic != MAGIC || level != LEVEL {
        return Err(refused(format!("its boundary is of level {level}, this host speaks level {LEVEL}"), ""));
    }
    // SAFETY: at level 1 the header follows the text; `AbiHeaderRef` is a transparent reference to a static that
    // begins with an `AbiHeader`, which `LibHeader` does. `upgrade` then compares abi_stable's own version.
    let header = unsafe {
        std::mem::transmute::<*const LibHeader, AbiHeaderRef>(std::ptr::addr_of!((*exported).header))
    };
    let header = header
        .upgrade()
        .map_err(|error| refused("it was built with another version of abi_stable".to_owned(), error))?;
    let theirs = header.version_strings().version.as_str().to_owned();
    let ours = env!("CARGO_PKG_VERSION");
    let module = match header.init_root_module::<PluginModRef>() {
        Ok(module) => module,
        Err(LibraryError::AbiInstability(_)) if grown_since(header) => {
            // SAFETY: the layouts were just compared the other way round: all that the plugin has, the host knows.
            unsafe { header.init_root_module_with_unchecked_layout::<PluginModRef>() }
                .map_err(|error| refused("its root module cannot be made".to_owned(), error))?
        }
        Err(error) => {
            let sentence = format!("it was built for plugin API {theirs}, this host speaks {ours}");
            return Err(refused(sentence, error));
        }
    };
    Ok(module.create()())
}

fn grown_since(header: &LibHeader) -> bool {
    header
        .layout()
        .is_some_and(|theirs| check_layout_compatibility(theirs, <PluginModRef as StableAbi>::LAYOUT).is_ok())
}

fn refused(sentence: String, details: impl std::fmt::Display) -> Refused {
    Refused { sentence, details: details.to_string() }
}

/// Exports a plugin from its library. `$plugin` is the path of a `static` or `const` [`Plugin`].
///
/// ```
/// use tancheck_plugin_api::prelude::*;
///
/// pub const PLUGIN: Plugin = Plugin::new("example", "Example", env!("CARGO_PKG_VERSION"));
///
/// tancheck_plugin_api::export_plugin!(PLUGIN);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($plugin:expr) => {
        #[doc(hidden)]
        pub struct __TancheckExport;

        impl $crate::abi::Export for __TancheckExport {
            const PLUGIN: &'static $crate::Plugin = &$plugin;
        }

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub static TANCHECK_PLUGIN: $crate::abi::Exported = $crate::abi::Exported::of::<__TancheckExport>();
    };
}
