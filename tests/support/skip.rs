//! Notes skipped tests for the report at the end of `make test`.

#![allow(unreachable_pub, reason = "a test binary exports nothing")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fs::OpenOptions;
use std::io::Write;

/// Notes a skipped test in the file of `tests/run`. Without that file, prints to stderr, past the capture of the test harness.
pub fn skip(test: &str, reason: &str) {
    let noted = match std::env::var_os("TCPULSE_TEST_SKIPS") {
        // One write each, so that lines of several tests do not mix.
        Some(path) => OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(format!("{test}\t{reason}\n").as_bytes())),
        None => writeln!(std::io::stderr(), "skipped {test}: {reason}"),
    };
    noted.unwrap();
}
