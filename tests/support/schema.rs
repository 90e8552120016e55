//! Holds JSON that tcpulse printed against fixtures/schema/snapshot-1.schema.json, for every test that reads such JSON:
//! `#[path = "support/schema.rs"] mod schema_support;`.

#![allow(dead_code, unreachable_pub, reason = "each test that includes this file uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::cmp::Reverse;
use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// Errors that a failing test prints, and characters of each: an error may quote the whole document.
const ERRORS_SHOWN: usize = 10;
const ERROR_CHARS: usize = 300;

/// The schema itself.
pub static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/schema/snapshot-1.schema.json")).unwrap());

/// That of `tcpulse stat`.
pub static STAT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/schema/stat-1.schema.json")).unwrap());

/// That of `tcpulse kernel`.
pub static KERNEL: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/schema/kernel-1.schema.json")).unwrap());

static DOCUMENT: LazyLock<Validator> = LazyLock::new(|| validator(&SCHEMA));

static LINE: LazyLock<Validator> = LazyLock::new(|| validator(&lines_of(&SCHEMA)));

/// The schema of the lines of a schema's NDJSON.
fn lines_of(schema: &Value) -> Value {
    json!({ "$schema": schema["$schema"], "$ref": "#/$defs/line", "$defs": schema["$defs"] })
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(schema).unwrap()
}

/// Panics with the first errors if `document` is not what `tcpulse --json` prints.
#[track_caller]
pub fn assert_valid(document: &Value) {
    report(&errors(document), "document");
}

/// Panics with the first errors if `line` is not a line of `tcpulse --format ndjson`.
#[track_caller]
pub fn assert_valid_line(line: &Value) {
    report(&line_errors(line), "line");
}

/// What is wrong with a document; nothing if it is valid.
pub fn errors(document: &Value) -> Vec<String> {
    errors_by(&DOCUMENT, document)
}

/// What is wrong with a line of NDJSON; nothing if it is valid.
pub fn line_errors(line: &Value) -> Vec<String> {
    errors_by(&LINE, line)
}

/// Any of the schemas, ready to hold much against it.
pub struct Checker {
    document: Validator,
    line: Validator,
}

impl Checker {
    pub fn new(schema: &Value) -> Self {
        Self { document: validator(schema), line: validator(&lines_of(schema)) }
    }

    /// What is wrong with a document.
    pub fn errors(&self, document: &Value) -> Vec<String> {
        errors_by(&self.document, document)
    }

    /// What is wrong with a line.
    pub fn line_errors(&self, line: &Value) -> Vec<String> {
        errors_by(&self.line, line)
    }
}

/// Deepest first: where a part is wrong, the keys of the whole count as unevaluated too, and that is only noise.
fn errors_by(validator: &Validator, value: &Value) -> Vec<String> {
    let mut errors: Vec<_> =
        validator.iter_errors(value).map(|error| (error.instance_path.to_string(), error.to_string())).collect();
    errors.sort_by_key(|(path, _)| Reverse(path.matches('/').count()));
    errors.into_iter().map(|(path, error)| format!("{path}: {}", shortened(&error))).collect()
}

fn shortened(error: &str) -> String {
    match error.char_indices().nth(ERROR_CHARS) {
        Some((end, _)) => format!("{}…", &error[..end]),
        None => error.to_owned(),
    }
}

#[track_caller]
fn report(errors: &[String], what: &str) {
    let first = errors[..errors.len().min(ERRORS_SHOWN)].join("\n  ");
    assert!(errors.is_empty(), "the {what} breaks snapshot-1.schema.json in {} places:\n  {first}", errors.len());
}
