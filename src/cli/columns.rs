//! `-o`: a list of columns, all columns, or changes of the default columns.

use super::choices::unknown_column;
use super::usage::UsageError;
use crate::fields::id::ColumnId;
use crate::fields::socket::SocketColumn;
use crate::fields::table::{column_called, column_of, columns};

/// The word for all columns.
const ALL: &str = "all";

/// Importance of columns that the user asked for: on a narrow terminal only addresses and verdict outlast them.
const ASKED_FOR: u8 = 97;

/// Parsed list of columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnChoice {
    /// Whether it changes the default columns (`+a,-b`) rather than replaces them
    is_change: bool,
    parts: Vec<Part>,
}

/// One element of the list.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    adds: bool,
    /// The column; `None` for all
    column: Option<&'static SocketColumn>,
}

impl ColumnChoice {
    /// Parses `a,b`, `all` or `+a,-b`.
    pub(super) fn parse(list: &str) -> Result<Self, UsageError> {
        let names: Vec<_> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let is_signed = |name: &&str| name.starts_with(['+', '-']);
        let is_change = names.iter().any(is_signed);
        if let Some(bare) = names.iter().find(|name| is_change && !is_signed(name)) {
            return Err(UsageError(format!(
                "'{bare}' has neither + nor - in '{list}'; a list names the columns, or each of its names has a sign: \
                 +{bare} adds one to the usual columns, -{bare} leaves it out"
            )));
        }
        let part = |name: &&str| {
            let bare = name.trim_start_matches(['+', '-']);
            let column = if bare.eq_ignore_ascii_case(ALL) {
                None
            } else {
                Some(column_called(bare).ok_or_else(|| unknown_column(bare))?)
            };
            Ok(Part { adds: !name.starts_with('-'), column })
        };
        let parts = names.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        if parts.is_empty() {
            return Err(UsageError(format!("no column in '{list}'; tcpulse ls --help lists the columns")));
        }
        Ok(Self { is_change, parts })
    }

    /// The default columns plus these.
    pub(super) fn added(ids: &[ColumnId]) -> Self {
        let part = |id: &ColumnId| Some(Part { adds: true, column: Some(column_of(*id)?) });
        Self { is_change: true, parts: ids.iter().filter_map(part).collect() }
    }

    /// The columns to show, without duplicates. `usual` are the default columns; `may` selects the columns that `all`
    /// includes.
    pub(super) fn apply<T>(&self, usual: Vec<T>, may: impl Fn(&SocketColumn) -> bool) -> Result<Vec<T>, UsageError>
    where
        T: From<SocketColumn> + PartialEq,
    {
        let mut chosen = if self.is_change { usual } else { Vec::new() };
        for Part { adds, column } in &self.parts {
            let named: Vec<_> = match column {
                Some(column) => vec![self.weighed(**column)],
                None => columns().filter(|column| may(column)).copied().collect(),
            };
            for column in named.into_iter().map(T::from) {
                match (adds, chosen.iter().position(|known| *known == column)) {
                    (true, None) => chosen.push(column),
                    (false, Some(at)) => drop(chosen.remove(at)),
                    (true, Some(_)) | (false, None) => {}
                }
            }
        }
        if chosen.is_empty() {
            return Err(UsageError("--columns leaves no column; name one to show, such as -o state".to_owned()));
        }
        Ok(chosen)
    }

    /// Raises the importance of an added column, so that it is not the first to be dropped.
    fn weighed(&self, column: SocketColumn) -> SocketColumn {
        if self.is_change { column.importance(column.heading.importance.max(ASKED_FOR)) } else { column }
    }

    /// The columns that are added by name.
    pub(super) fn named(&self) -> impl Iterator<Item = &'static SocketColumn> {
        self.parts.iter().filter(|part| part.adds).filter_map(|part| part.column)
    }

    /// Whether the choice decides about this column: it replaces the default columns, or names the column.
    pub(super) fn settles(&self, id: ColumnId) -> bool {
        let is_named = |part: &Part| part.column.is_none_or(|column| column.id == id);
        !self.is_change || self.parts.iter().any(is_named)
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnChoice;
    use crate::fields::id::ColumnId;
    use crate::fields::socket::SocketColumn;
    use crate::fields::table::{columns, listed};

    fn apply(list: &str) -> Result<Vec<String>, String> {
        let usual = listed(&[ColumnId::State, ColumnId::Local, ColumnId::Idle]);
        let chosen = ColumnChoice::parse(list).and_then(|choice| choice.apply(usual, |_| true));
        let names = |columns: Vec<SocketColumn>| columns.iter().map(|column| column.name().to_owned()).collect();
        chosen.map_err(|error| error.0).map(names)
    }

    #[test]
    fn a_list_is_absolute_or_a_change_and_names_each_column_once() {
        for (list, expected) in [
            ("rtt,STATE, rtt,", &["rtt", "state"][..]),
            ("+rtt", &["state", "local", "idle", "rtt"]),
            ("+rtt,-idle,+state", &["state", "local", "rtt"]),
            ("-idle,-rtt", &["state", "local"]),
            ("+rtt,-rtt", &["state", "local", "idle"]),
            ("-all,+rtt", &["rtt"]),
        ] {
            assert_eq!(apply(list).unwrap(), expected, "{list}");
        }
        let all = columns().count();
        assert_eq!(
            (apply("all").unwrap().len(), apply("rtt,all").unwrap().len(), apply("+all").unwrap().len()),
            (all, all, all)
        );
        assert_eq!(apply("rtt,all").unwrap()[0], "rtt");
    }

    #[test]
    fn errors_of_column_lists_suggest_what_was_meant() {
        for (list, part) in [
            ("+rtt,idle", "'idle' has neither + nor -"),
            ("state,-idle", "'state' has neither + nor -"),
            ("state,iddle", "unknown column 'iddle'; did you mean 'idle'? tcpulse ls --help lists the columns"),
            ("-remote", "did you mean 'peer'?"),
            ("port", "did you mean 'local-port' or 'peer-port'?"),
            ("colour", "unknown column 'colour'; tcpulse ls --help"),
            ("+", "unknown column ''"),
            (",", "no column in ','"),
            ("-all", "leaves no column"),
        ] {
            let error = apply(list).unwrap_err();
            assert!(error.contains(part), "{list}: {error}");
            assert!(error.len() < 200, "{error}");
        }
    }

    #[test]
    fn a_choice_settles_what_it_names() {
        let settles = |list| ColumnChoice::parse(list).unwrap().settles(ColumnId::Netns);
        assert_eq!(["state", "all", "+all", "-netns", "+rtt"].map(settles), [true, true, true, true, false]);
    }
}
