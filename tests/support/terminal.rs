//! A pseudo-terminal: what a program does when somebody sits there.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::pty::{Winsize, openpty};

use super::wait::until;

/// A program on a terminal of its own.
pub struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// All that was written so far
    pub seen: String,
}

impl Session {
    /// Starts it, 120 cells wide.
    pub fn start(mut command: Command) -> Self {
        let size = Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = openpty(&size, None).unwrap();
        let end = || Stdio::from(terminal.slave.try_clone().unwrap());
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let keyboard = File::from(terminal.master);
        let mut output = keyboard.try_clone().unwrap();
        let (shown, screen) = channel();
        // Ends with the terminal: reading fails once nobody has the other end.
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if shown.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { child, keyboard, screen, seen: String::new() }
    }

    /// Types.
    pub fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` has been shown.
    pub fn expect(&mut self, text: &str) {
        let Self { screen, seen, .. } = self;
        until(&format!("'{text}' on the screen"), Duration::from_secs(20), || {
            seen.extend(screen.try_iter().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
            seen.contains(text).then_some(())
        });
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the program ends", Duration::from_secs(20), || child.try_wait().unwrap())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
