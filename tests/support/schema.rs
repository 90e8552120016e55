//! Validates JSON that tcpulse printed by fixtures/schema/snapshot-1.schema.json, for every test that reads such JSON:
//! `#[path = "support/schema.rs"] mod schema_support;`.

#![allow(dead_code, unreachable_pub, reason = "each test that includes this file uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

/// Number of errors that a failing test prints, and characters of each: an error may quote the whole document.
const ERRORS_SHOWN: usize = 10;
const ERROR_CHARS: usize = 300;

/// Schema of a snapshot.
pub static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/schema/snapshot-1.schema.json")).unwrap());

/// Schema of `tcpulse stat`.
pub static STAT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/schema/stat-1.schema.json")).unwrap());

/// Schema of `tcpulse kernel`.
pub static KERNEL: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/schema/kernel-1.schema.json")).unwrap());

static DOCUMENT: LazyLock<Validator> = LazyLock::new(|| validator(&SCHEMA));

static LINE: LazyLock<Validator> = LazyLock::new(|| validator(&lines_of(&SCHEMA)));

/// The `required` keys of a definition, in its order; all of its keys if `optional` lists all that are not required.
#[track_caller]
pub fn keys_of(definition: &str, optional: &[&str]) -> Vec<&'static str> {
    let definition = &SCHEMA["$defs"][definition];
    let required: Vec<_> = definition["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    let described: BTreeSet<_> = definition["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(required.iter().chain(optional).copied().collect::<BTreeSet<_>>(), described);
    required
}

/// Schema of an NDJSON line, taken from a schema of documents.
fn lines_of(schema: &Value) -> Value {
    json!({ "$schema": schema["$schema"], "$ref": "#/$defs/line", "$defs": schema["$defs"] })
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true).build(schema).unwrap()
}

/// Panics with the first errors if `document` is not valid output of `tcpulse --json`.
#[track_caller]
pub fn assert_valid(document: &Value) {
    report(&errors(document), "document");
}

/// Panics with the first errors if `line` is not a valid line of `tcpulse --format ndjson`.
#[track_caller]
pub fn assert_valid_line(line: &Value) {
    report(&line_errors(line), "line");
}

/// Errors of a document; empty if it is valid.
pub fn errors(document: &Value) -> Vec<String> {
    errors_by(&DOCUMENT, document)
}

/// Errors of an NDJSON line; empty if it is valid.
pub fn line_errors(line: &Value) -> Vec<String> {
    errors_by(&LINE, line)
}

/// Validators of one of the schemas, compiled once for many checks.
pub struct Checker {
    document: Validator,
    line: Validator,
}

impl Checker {
    pub fn new(schema: &Value) -> Self {
        Self { document: validator(schema), line: validator(&lines_of(schema)) }
    }

    /// Errors of a document.
    pub fn errors(&self, document: &Value) -> Vec<String> {
        errors_by(&self.document, document)
    }

    /// Errors of an NDJSON line.
    pub fn line_errors(&self, line: &Value) -> Vec<String> {
        errors_by(&self.line, line)
    }
}

/// Errors, deepest first: if a part is invalid, the keys of its parents are reported as unevaluated too, which is noise.
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
