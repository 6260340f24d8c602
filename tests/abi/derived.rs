//! Build script: derives the boundary of a later version from the present one.

use std::path::Path;
use std::{env, fs};

const SOURCE: &str = "../../../plugin-api/src/abi.rs";
const MANIFEST: &str = "../../../plugin-api/Cargo.toml";

fn main() {
    let next = env::var("CARGO_PKG_NAME").expect("cargo names the package") == "tancheck-abi-next";
    let source = fs::read_to_string(SOURCE).expect("the boundary's source lies beside this crate");
    let manifest = fs::read_to_string(MANIFEST).expect("and so does its manifest");
    let [major, minor] = version(&manifest);
    let (version, source) = if next {
        (format!("{major}.{}.0", minor + 1), grown(&source))
    } else {
        (format!("{}.0.0", major + 1), source)
    };
    // An included file cannot begin with inner attributes.
    let start = source.find("\nuse ").expect("the source has imports");
    let target = Path::new(&env::var("OUT_DIR").expect("cargo names a folder")).join("abi.rs");
    fs::write(target, &source[start..]).expect("the folder can be written");
    println!("cargo::rustc-env=CARGO_PKG_NAME=tancheck-plugin-api");
    println!("cargo::rustc-env=CARGO_PKG_VERSION={version}");
    for file in [SOURCE, MANIFEST, "../derived.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
}

fn version(manifest: &str) -> [u64; 2] {
    let line = manifest.lines().find_map(|line| line.strip_prefix("version = \"")).expect("it has a version");
    let mut fields = line.split('.').map(|field| field.parse().expect("the version has numbers"));
    [(); 2].map(|()| fields.next().expect("the version has two fields"))
}

/// The source with one method and one field appended, as the rules for the boundary allow.
fn grown(source: &str) -> String {
    let method = "fn inspect(&self, inspection: RStr<'_>) -> RString;";
    let more = "\n\n    /// Appended.\n    fn appended(&self) -> RString {\n        let text = \"the default\";\n        RString::from(text)\n    }";
    let field = "pub create: extern \"C\" fn() -> GuestBox,";
    let other = "\n    /// Appended.\n    pub appended: extern \"C\" fn() -> u32,";
    let made = "PluginMod { create: create::<P> }";
    let makes = "PluginMod { create: create::<P>, appended }";
    let source = replace(source, method, &format!("{method}{more}"));
    let source = replace(&source, field, &format!("{field}{other}"));
    let source = replace(&source, "#[sabi(missing_field(panic))]", "#[sabi(missing_field(option))]");
    let source = replace(&source, made, makes);
    let body = "impl Guest for Guard {\n    fn appended(&self) -> RString { RString::from(\"its own\") }\n";
    let source = replace(&source, "impl Guest for Guard {", body);
    format!("{source}\nextern \"C\" fn appended() -> u32 {{ 7 }}\n")
}

fn replace(source: &str, old: &str, new: &str) -> String {
    assert_eq!(source.matches(old).count(), 1, "the boundary's source has changed: {old}");
    source.replace(old, new)
}
