//! Build script: the layout check compares the name of the package that defines the boundary.

fn main() {
    println!("cargo::rustc-env=CARGO_PKG_NAME=tancheck-plugin-api");
    println!("cargo::rerun-if-changed=../named.rs");
}
