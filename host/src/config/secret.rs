//! Secrets: read from where the configuration says, never from an argument, never repeated in an error.

use super::SecretSource;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use std::fmt;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// No secret is longer: API tokens have at most 1024 characters.
const LONGEST: u64 = 16 * 1024;

/// How long a program may take to print a secret; it may ask a person for a touch of a key.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a secret could not be read. Names the source, never the content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the secret from {from}: {reason}")]
pub struct SecretError {
    /// The source, for people.
    pub from: String,
    /// What happened, and what to do.
    pub reason: String,
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "the file {}", path.display()),
            Self::Env(name) => write!(formatter, "the variable {name}"),
            // Arguments stay away: some programs take a passphrase there.
            Self::Command(words) => {
                write!(formatter, "the program {}", words.first().map_or("", String::as_str))
            }
            Self::Fd(number) => write!(formatter, "the file descriptor {number}"),
            Self::Credential(name) => write!(formatter, "the systemd credential {name}"),
        }
    }
}

/// Reads a secret. A file descriptor can be read once only; the others anew each time.
///
/// # Errors
/// When the source is not there, not safe, empty, or holds something that cannot be sent in a header.
pub fn read(source: &SecretSource) -> Result<SecretString, SecretError> {
    let content = match source {
        SecretSource::File(path) => permissions(path).and_then(|warning| {
            if let Some(warning) = warning {
                tracing::warn!("{warning}");
            }
            file(path)
        }),
        SecretSource::Env(name) => std::env::var_os(name)
            .ok_or_else(|| "it is not set".to_owned())
            .map(|value| Zeroizing::new(value.into_encoded_bytes())),
        SecretSource::Command(words) => output(words, PATIENCE),
        SecretSource::Fd(number) => file(Path::new(&format!("/dev/fd/{number}"))),
        SecretSource::Credential(name) => {
            credential(name, std::env::var_os("CREDENTIALS_DIRECTORY")).and_then(|path| file(&path))
        }
    };
    content
        .and_then(|bytes| first_line(&bytes))
        .map_err(|reason| SecretError { from: source.to_string(), reason })
}

/// Looks at the permissions of a file that holds a secret: `Ok` with a warning when others can read it.
///
/// # Errors
/// When others can change it, or it is not there.
pub fn permissions(path: &Path) -> Result<Option<String>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    let mode = metadata.mode() & 0o777;
    if !metadata.is_file() {
        return Ok(None);
    }
    if mode & 0o022 != 0 {
        return Err(format!(
            "its mode is {mode:03o}, so others can change it; run chmod 600 {}",
            path.display()
        ));
    }
    Ok((mode & 0o004 != 0).then(|| {
        format!(
            "{} can be read by everybody on this machine (mode {mode:03o}); run chmod 600 {}",
            path.display(),
            path.display()
        )
    }))
}

fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    all(file)
}

fn all(reader: impl Read) -> Result<Zeroizing<Vec<u8>>, String> {
    // With its full size from the beginning, so that no half-filled copy is left behind when it grows.
    let room = usize::try_from(LONGEST + 1).expect("a few thousand bytes fit every machine");
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    reader.take(LONGEST).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn output(words: &[String], patience: Duration) -> Result<Zeroizing<Vec<u8>>, String> {
    let (program, arguments) = words.split_first().ok_or("no program is named")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let stdout = child.stdout.take().ok_or("its output cannot be read")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(all(stdout)));
    let Ok(bytes) = receiver.recv_timeout(patience) else {
        // It may have ended by itself in the meantime; either way it is gone afterwards.
        child.kill().ok();
        child.wait().ok();
        return Err(format!("it printed nothing within {} seconds", patience.as_secs()));
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("it failed ({status}); run it by hand to see why"));
    }
    bytes
}

fn credential(name: &str, folder: Option<std::ffi::OsString>) -> Result<PathBuf, String> {
    let folder = folder.ok_or(
        "CREDENTIALS_DIRECTORY is not set; start tancheck from a unit with LoadCredential= or choose another source",
    )?;
    if name.contains('/') || name.starts_with('.') {
        return Err("that is no name of a credential".to_owned());
    }
    Ok(PathBuf::from(folder).join(name))
}

fn first_line(bytes: &[u8]) -> Result<SecretString, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return Err("its first line is empty".to_owned());
    }
    if line.chars().any(char::is_control) {
        return Err("its first line holds control characters".to_owned());
    }
    Ok(SecretString::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::os::unix::fs::PermissionsExt;

    const SECRET: &str = "token-5ecre7";

    fn file_with(content: &str, mode: u32) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    fn read_file(content: &str, mode: u32) -> Result<String, SecretError> {
        let file = file_with(content, mode);
        read(&SecretSource::File(file.path().to_owned())).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn the_first_line_of_a_file() {
        assert_eq!(read_file("token-5ecre7\nnot this\n", 0o600).unwrap(), SECRET);
        assert_eq!(read_file("  token-5ecre7 \r\n", 0o400).unwrap(), SECRET);
        for empty in ["", "\n", "   \nsecond"] {
            assert_eq!(read_file(empty, 0o600).unwrap_err().reason, "its first line is empty");
        }
    }

    #[test]
    fn errors_never_repeat_the_content() {
        let wrong = [("token-5ecre7\0", 0o600), ("token-5ecre7", 0o620), ("token-5ecre7\u{7}x", 0o600)];
        for (content, mode) in wrong {
            let error = read_file(content, mode).unwrap_err();
            assert!(!error.to_string().contains("5ecre7"), "{error}");
        }
    }

    #[test]
    fn others_may_not_write_and_should_not_read() {
        let state = |mode| permissions(file_with(SECRET, mode).path());
        assert_eq!(state(0o600), Ok(None));
        assert_eq!(state(0o640), Ok(None));
        assert!(state(0o644).unwrap().unwrap().contains("can be read by everybody"));
        assert!(state(0o660).unwrap_err().contains("chmod 600"));
        assert!(state(0o602).is_err());
    }

    #[test]
    fn a_program_without_a_shell() {
        let run = |words: &[&str]| {
            let words = words.iter().map(|&word| word.to_owned()).collect();
            read(&SecretSource::Command(words)).map(|secret| secret.expose_secret().to_owned())
        };
        assert_eq!(run(&["printf", "token-5ecre7\\n"]).unwrap(), SECRET);
        assert_eq!(run(&["echo", "$HOME"]).unwrap(), "$HOME");
        assert!(run(&["false"]).unwrap_err().reason.starts_with("it failed"));
        assert!(run(&["/no/such/program"]).unwrap_err().reason.starts_with("it cannot be started"));
        assert_eq!(run(&["true"]).unwrap_err().reason, "its first line is empty");
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let words = ["sleep".to_owned(), "600".to_owned()];
        let error = output(&words, Duration::from_millis(20)).unwrap_err();
        assert!(error.starts_with("it printed nothing"), "{error}");
    }

    #[test]
    fn a_file_descriptor() {
        use std::os::fd::AsRawFd;
        let file = file_with("token-5ecre7\n", 0o600);
        let secret = read(&SecretSource::Fd(file.as_file().as_raw_fd())).unwrap();
        assert_eq!(secret.expose_secret(), SECRET);
        assert!(read(&SecretSource::Fd(1000)).is_err());
    }

    #[test]
    fn credentials_stay_in_their_folder() {
        assert_eq!(credential("token", Some("/run/c".into())), Ok(PathBuf::from("/run/c/token")));
        assert!(credential("../token", Some("/run/c".into())).is_err());
        assert!(credential("token", None).unwrap_err().contains("LoadCredential"));
    }

    #[test]
    fn a_variable_that_is_not_set() {
        let error = read(&SecretSource::Env("TANCHECK_TEST_NEVER_SET".into())).unwrap_err();
        let text = "failed to read the secret from the variable TANCHECK_TEST_NEVER_SET: it is not set";
        assert_eq!(error.to_string(), text);
    }
}
