//! A person at a terminal: a command whose stdin and stderr are a pseudo terminal, and whose stdout is a pipe.

use crate::Ran;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// Whoever says nothing for so long hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command at a terminal.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// What was shown so far, and how much of it was waited for already.
    shown: String,
    read: usize,
}

impl Terminal {
    /// Starts a command.
    ///
    /// # Panics
    /// When there is no pseudo terminal, or the command does not start.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes())).to_owned();
        let side = || Stdio::from(File::options().read(true).write(true).open(&path).unwrap());
        let child = command.stdin(side()).stderr(side()).stdout(Stdio::piped()).spawn().unwrap();
        // The command holds sides of the terminal: without this one, nobody does when the child has ended.
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let keyboard = File::from(master);
        let mut display = keyboard.try_clone().unwrap();
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // A terminal that nobody holds any more cannot be read.
            while let Ok(count @ 1..) = display.read(&mut bytes) {
                if tell.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, shown: String::new(), read: 0 }
    }

    /// Waits until these words are shown, after those of the last time; everything up to them.
    ///
    /// # Panics
    /// When they never are.
    pub fn until(&mut self, words: &str) -> &str {
        let from = self.read;
        let end = loop {
            if let Some(at) = self.shown[from..].find(words) {
                break from + at + words.len();
            }
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => panic!("{words:?} was never shown: {}", &self.shown[from..]),
            }
        };
        self.read = end;
        &self.shown[from..end]
    }

    /// Types a line.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn types(&mut self, line: &str) {
        self.keyboard.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Presses Ctrl-D: the end of the input.
    ///
    /// # Panics
    /// When the terminal is gone.
    pub fn ends_input(&mut self) {
        self.keyboard.write_all(b"\x04").unwrap();
    }

    /// Waits for the end of the command. What was shown is its stderr.
    ///
    /// # Panics
    /// When it cannot be waited for.
    #[must_use]
    pub fn ends(mut self) -> Ran {
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code();
        while let Ok(bytes) = self.screen.recv_timeout(PATIENCE) {
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ran { code, stdout, stderr: self.shown }
    }
}
