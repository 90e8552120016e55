//! The dashboard on a pseudo-terminal under load: memory, CPU time, and latency from key to frame; and, in this
//! process, the time to draw a frame.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::OFlag;
use nix::pty::{Winsize, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sched::{CloneFlags, unshare};

use crate::measure::mib;

const COLUMNS: u16 = 160;
const ROWS: u16 = 50;
/// Time limit for expected output.
const PATIENCE: Duration = Duration::from_secs(30);
/// One-time allocations are done after this time.
const WARM_UP: Duration = Duration::from_secs(5);

/// Measurements of one dashboard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) rss_mib: f64,
    /// CPU time in milliseconds per second
    pub(crate) cpu_ms_a_second: f64,
    /// Milliseconds from a key to its frame, 99th percentile
    pub(crate) key_ms: f64,
}

/// Length of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) seconds: u64,
    pub(crate) keys: usize,
}

struct Dashboard {
    child: Child,
    terminal: File,
    shown: Receiver<Vec<u8>>,
    _home: Home,
}

/// Configuration for the bench: a snapshot every second, without the limit on CPU time.
struct Home(PathBuf);

impl Home {
    fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("tcpulse-bench-{}", std::process::id()));
        fs::create_dir_all(path.join("tcpulse"))?;
        fs::write(path.join("tcpulse/config.toml"), "cpu = 100\n")?;
        Ok(Self(path))
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Dashboard {
    #[allow(unsafe_code, reason = "an ioctl that nix does not wrap, and pre_exec")]
    fn open(program: &Path, in_empty_namespace: bool) -> Result<Self> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).context("a pseudo-terminal")?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = File::options().read(true).write(true).open(ptsname_r(&master)?)?;
        let terminal = File::from(OwnedFd::from(master));
        let size = Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the pointer is to a live struct of the kind that the request reads.
        if unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) } != 0 {
            return Err(io::Error::last_os_error()).context("the size of a pseudo-terminal");
        }
        let home = Home::new()?;
        let mut command = Command::new(program);
        command.args(["-N", "current"]).env("XDG_CONFIG_HOME", &home.0).env("LC_ALL", "C.UTF-8");
        command.env("TERM", "xterm-256color");
        if in_empty_namespace {
            // SAFETY: a system call, which allocates nothing.
            unsafe { command.pre_exec(|| unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from)) };
        }
        let end = || slave.try_clone().map(Stdio::from);
        let child = command.stdin(end()?).stdout(end()?).stderr(end()?).spawn().context("starting the dashboard")?;
        let mut output = terminal.try_clone()?;
        let (show, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                if show.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, terminal, shown, _home: home })
    }

    fn wait_for(&self, text: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let mut seen = String::new();
        while !seen.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.shown.recv_timeout(left) else { bail!("the dashboard does not show '{text}'") };
            seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok(())
    }

    /// Time from a key to the next output.
    fn key(&mut self, key: u8) -> Result<Duration> {
        self.shown.try_iter().for_each(drop);
        let pressed = Instant::now();
        self.terminal.write_all(&[key])?;
        self.shown.recv_timeout(PATIENCE).context("no frame followed a key")?;
        Ok(pressed.elapsed())
    }

    fn rss_mib(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        Ok(mib(line.trim().trim_end_matches(" kB").parse()?))
    }

    /// CPU time so far, user and system.
    fn cpu(&self) -> Result<Duration> {
        const TICKS_A_SECOND: u64 = 100;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<_> = stat.rsplit_once(')').context("a stat without a name")?.1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS_A_SECOND))
    }
}

/// Measures the dashboard over the sockets of this namespace, or in an empty one.
pub(crate) fn measure(program: &Path, in_empty_namespace: bool, effort: Effort) -> Result<Run> {
    let mut dashboard = Dashboard::open(program, in_empty_namespace)?;
    dashboard.wait_for("established")?;
    std::thread::sleep(WARM_UP.min(Duration::from_secs(effort.seconds)));
    let (used, began) = (dashboard.cpu()?, Instant::now());
    std::thread::sleep(Duration::from_secs(effort.seconds));
    let cpu_ms = dashboard.cpu()?.saturating_sub(used).as_secs_f64() * 1000.0;
    let cpu_ms_a_second = cpu_ms / began.elapsed().as_secs_f64();
    let rss_mib = dashboard.rss_mib()?;
    let mut waits = Vec::new();
    for number in 0..effort.keys {
        // The key toggles the help, so each press changes the screen. The intervals are irregular, so that many presses
        // fall into a snapshot.
        std::thread::sleep(Duration::from_millis(37 + (number as u64 * 61) % 50));
        waits.push(dashboard.key(b'?')?);
    }
    waits.sort();
    let worst = waits.get(waits.len().saturating_sub(1) * 99 / 100).copied().unwrap_or_default();
    Ok(Run { rss_mib, cpu_ms_a_second, key_ms: worst.as_secs_f64() * 1000.0 })
}
