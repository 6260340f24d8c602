//! The stamp of a library: who the plugin is, read from the bytes of its file. Nothing of it is run.

use object::Endianness;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use semver::Version;
use tancheck_plugin_api::abi;
use tancheck_plugin_api::manifest::API_VERSION;

/// What a library says about itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Stamp {
    /// The plugin's id.
    pub id: String,
    /// The plugin's version.
    pub version: String,
    /// The API version it was built against.
    pub api: Version,
}

/// Why a file is not used. Each is one sentence: what it is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// No ELF file.
    #[error("it is not a plugin but {0}; remove it from the folder")]
    NotALibrary(&'static str),
    /// An ELF file for another processor.
    #[error(
        "it was built for another processor ({found}, this is {}); install the build for this machine",
        std::env::consts::ARCH
    )]
    OtherMachine {
        /// The processor it was built for.
        found: String,
    },
    /// Bytes are missing.
    #[error("it is cut short or damaged ({0}); copy it again")]
    Damaged(&'static str),
    /// A shared library without the export.
    #[error(
        "it is a shared library but not a plugin (it exports no {}); remove it from the folder",
        abi::SYMBOL
    )]
    NoSymbol,
    /// The export has another beginning.
    #[error(
        "its export {} does not begin with the stamp of a plugin; build it again with tancheck-plugin-api",
        abi::SYMBOL
    )]
    NoMagic,
    /// Another level of the boundary.
    #[error("its boundary is of level {found}, this tancheck speaks level {}; {}", abi::LEVEL, if *found > abi::LEVEL { "use a later tancheck" } else { "use a later build of the plugin" })]
    OtherLevel {
        /// The level it was built for.
        found: u32,
    },
    /// The stamp's text is unreadable.
    #[error("its stamp is not understood ({0}); build it again with tancheck-plugin-api")]
    BadText(String),
    /// Another major version of the API.
    #[error("{id} {version} was built for plugin API {api}, this tancheck has {API_VERSION}; {}", if *api > host() { "use a later tancheck" } else { "use a later build of the plugin" })]
    OtherMajor {
        /// The plugin's id.
        id: String,
        /// The plugin's version.
        version: String,
        /// The API version it was built against.
        api: Version,
    },
}

impl StampError {
    /// The plugin's id, where it could be read.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::OtherMajor { id, .. } => Some(id),
            _ => None,
        }
    }
}

/// The API version of this host.
fn host() -> Version {
    Version::parse(API_VERSION).expect("the package's own version is a version")
}

type Header = FileHeader64<Endianness>;

/// Reads the stamp from a library's bytes.
///
/// # Errors
/// When the bytes are no library of this machine, or no plugin that this host can use.
pub fn read(bytes: &[u8]) -> Result<Stamp, StampError> {
    let exported = find_export(bytes)?;
    let field = |offset: usize| {
        let bytes = exported.get(offset..offset + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map(u32::from_le_bytes).ok_or(StampError::NoMagic)
    };
    if !exported.starts_with(&abi::MAGIC) {
        return Err(StampError::NoMagic);
    }
    let (level, size) = (field(8)?, field(12)?);
    if level != abi::LEVEL {
        return Err(StampError::OtherLevel { found: level });
    }
    let text = exported
        .get(abi::STAMP_TEXT_OFFSET..abi::STAMP_TEXT_OFFSET + abi::STAMP_TEXT)
        .filter(|_| size as usize <= exported.len())
        .ok_or(StampError::Damaged("its stamp is cut off"))?;
    parse(text)
}

/// The bytes of the exported static.
fn find_export(bytes: &[u8]) -> Result<&[u8], StampError> {
    let damaged = |what: &'static str| move |_: object::read::Error| StampError::Damaged(what);
    let header = check_header(bytes)?;
    let endian = header.endian().map_err(damaged("its byte order"))?;
    let segments = header.program_headers(endian, bytes).map_err(damaged("its segments are missing"))?;
    for segment in segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD) {
        let (start, length) = segment.file_range(endian);
        let inside = start.checked_add(length).is_some_and(|end| end <= bytes.len() as u64);
        if !inside {
            return Err(StampError::Damaged("a segment ends beyond the file"));
        }
    }
    let sections = header.sections(endian, bytes).map_err(damaged("its sections are missing"))?;
    let symbols =
        sections.symbols(endian, bytes, elf::SHT_DYNSYM).map_err(damaged("its symbols are missing"))?;
    let symbol = symbols
        .iter()
        .find(|symbol| {
            !symbol.is_undefined(endian)
                && symbol.name(endian, symbols.strings()).is_ok_and(|name| name == abi::SYMBOL.as_bytes())
        })
        .ok_or(StampError::NoSymbol)?;
    let (address, size) = (symbol.st_value(endian), symbol.st_size(endian));
    segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
        .find_map(|segment| segment.data_range(endian, bytes, address, size).ok().flatten())
        .ok_or(StampError::Damaged("its stamp lies outside of the file"))
}

/// Magic, class, machine, type.
fn check_header(bytes: &[u8]) -> Result<&Header, StampError> {
    if bytes.is_empty() {
        return Err(StampError::NotALibrary("an empty file"));
    }
    if !bytes.starts_with(&elf::ELFMAG) {
        let text = bytes.iter().take(256).all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        return Err(StampError::NotALibrary(if text { "a text file" } else { "a file of another format" }));
    }
    let class = bytes.get(4).copied();
    if class == Some(elf::ELFCLASS32.0) {
        return Err(StampError::OtherMachine { found: "32 bit".to_owned() });
    }
    let header = Header::parse(bytes).map_err(|_| StampError::Damaged("its header is incomplete"))?;
    let endian = header.endian().map_err(|_| StampError::Damaged("its byte order is unknown"))?;
    let machine = header.e_machine(endian);
    if machine != MACHINE {
        return Err(StampError::OtherMachine { found: machine_name(machine) });
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Err(StampError::NotALibrary("a program or an object file"));
    }
    Ok(header)
}

#[cfg(target_arch = "x86_64")]
const MACHINE: elf::Machine = elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const MACHINE: elf::Machine = elf::EM_AARCH64;
#[cfg(target_arch = "riscv64")]
const MACHINE: elf::Machine = elf::EM_RISCV;

fn machine_name(machine: elf::Machine) -> String {
    match machine {
        elf::EM_X86_64 => "x86_64".to_owned(),
        elf::EM_AARCH64 => "aarch64".to_owned(),
        elf::EM_RISCV => "riscv64".to_owned(),
        elf::EM_PPC64 => "powerpc64".to_owned(),
        elf::EM_S390 => "s390x".to_owned(),
        other => format!("ELF machine {}", other.0),
    }
}

/// `id=…\nversion=…\napi=…\n`; lines that are unknown are skipped.
fn parse(text: &[u8]) -> Result<Stamp, StampError> {
    let bad = |what: &str| StampError::BadText(what.to_owned());
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let text = std::str::from_utf8(text).map_err(|_| bad("it is no text"))?;
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let id = value("id").unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return Err(bad("its id is not kebab-case"));
    }
    let version = value("version").unwrap_or_default();
    if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bad("it has no version"));
    }
    let api =
        value("api").and_then(|api| Version::parse(api).ok()).ok_or_else(|| bad("it has no API version"))?;
    let stamp = Stamp { id: id.to_owned(), version: version.to_owned(), api };
    if stamp.api.major != host().major {
        return Err(StampError::OtherMajor { id: stamp.id, version: stamp.version, api: stamp.api });
    }
    Ok(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_says_what_it_is() {
        for (bytes, words) in [
            (&b""[..], "an empty file"),
            (b"#!/bin/sh\n", "a text file"),
            (b"\x7fELF", "cut short"),
            (b"MZ\x90\0", "another format"),
            (b"\x7fELF\x01\x01\x01", "32 bit"),
        ] {
            let error = read(bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_stamp_is_read_and_unknown_lines_are_skipped() {
        let stamp = parse(b"id=connect\nversion=0.1.0\napi=1.7.2\nflavour=new\n\0\0junk").unwrap();
        assert_eq!((stamp.id.as_str(), stamp.version.as_str()), ("connect", "0.1.0"));
        assert_eq!(stamp.api, Version::new(1, 7, 2));
    }

    #[test]
    fn another_major_names_both_versions_and_what_to_do() {
        let error = parse(b"id=x\nversion=3\napi=2.1.0\n").unwrap_err();
        assert_eq!(error.id(), Some("x"));
        let text = error.to_string();
        assert!(
            text.contains("2.1.0") && text.contains(API_VERSION) && text.contains("later tancheck"),
            "{text}"
        );
        let text = parse(b"id=x\nversion=3\napi=0.9.0\n").unwrap_err().to_string();
        assert!(text.contains("later build of the plugin"), "{text}");
    }

    #[test]
    fn a_stamp_that_lies_in_its_form_is_refused() {
        for text in [
            &b"id=../x\nversion=1\napi=1.0.0\n"[..],
            b"id=x\napi=1.0.0\n",
            b"id=x\nversion=1\napi=one\n",
            b"\xff\n",
        ] {
            assert!(matches!(parse(text), Err(StampError::BadText(_))));
        }
    }
}
