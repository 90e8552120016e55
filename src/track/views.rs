//! All views in one table, for keys, tabs, titles, columns and the configuration.

use std::sync::LazyLock;

use super::columns::changes::{self, Changes};
use super::columns::groups::{self, Groups};
use super::columns::kernel::{self, KernelValues};
use super::columns::sockets::{self, MovingSockets};
use crate::fields::column::{Column, Heading, RowKind, Width};
use crate::fields::id::ColumnId;
use crate::fields::table::CONNECTION_COLUMNS;

/// Properties of one view.
#[derive(Debug)]
pub(crate) struct ViewSpec {
    /// The view
    pub view: View,
    /// Name on its tab, and in the configuration
    pub name: &'static str,
    /// Noun for one of its rows, and for several
    pub rows: [&'static str; 2],
    /// Default columns
    columns: &'static [ColumnId],
    /// All columns that it can show
    pub(crate) catalogue: Catalogue,
}

/// All columns of one kind of rows.
type Columns<K> = &'static LazyLock<Vec<Column<K>>>;

/// All columns that a view can show, by kind of rows.
#[derive(Debug)]
pub(crate) enum Catalogue {
    /// Sockets
    Sockets(Columns<MovingSockets>),
    /// Groups of sockets
    Groups(Columns<Groups>),
    /// Kernel values
    Kernel(Columns<KernelValues>),
    /// Changes
    Changes(Columns<Changes>),
}

impl Catalogue {
    fn headings(&self) -> Vec<Heading> {
        fn of<K: RowKind>(columns: Columns<K>) -> Vec<Heading> {
            columns.iter().map(|column| column.heading).collect()
        }
        match self {
            Self::Sockets(columns) => of(columns),
            Self::Groups(columns) => of(columns),
            Self::Kernel(columns) => of(columns),
            Self::Changes(columns) => of(columns),
        }
    }
}

macro_rules! views {
    ($($(#[$meta:meta])* $view:ident: $name:literal, $rows:expr, $columns:expr, $catalogue:expr;)*) => {
        /// View of the dashboard.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum View {
            $($(#[$meta])* $view,)*
        }

        /// Every view, in the order of the number keys and of the enum.
        pub(crate) const VIEWS: &[ViewSpec] = &[$(ViewSpec {
            view: View::$view,
            name: $name,
            rows: $rows,
            columns: $columns,
            catalogue: $catalogue,
        },)*];
    };
}

views! {
    /// Connections
    Connections: "connections", ["connection", "connections"], CONNECTION_COLUMNS, Catalogue::Sockets(&sockets::CONNECTIONS);
    /// Connections grouped by remote end
    Peers: "peers", ["peer", "peers"], groups::PEER_COLUMNS, Catalogue::Groups(&groups::PEERS);
    /// Connections grouped by owner
    Processes: "processes", ["process", "processes"], groups::PROCESS_COLUMNS, Catalogue::Groups(&groups::PROCESSES);
    /// Listeners, with their accept queues
    Listeners: "listeners", ["listener", "listeners"], sockets::LISTENER_COLUMNS, Catalogue::Sockets(&sockets::LISTENERS);
    /// Sysctls, gauges and counters
    Kernel: "kernel", ["value", "values"], kernel::COLUMNS, Catalogue::Kernel(&kernel::KERNEL);
    /// Log of changes
    Changes: "changes", ["change", "changes"], changes::COLUMNS, Catalogue::Changes(&changes::CHANGES);
}

impl View {
    /// Properties of the view.
    pub(crate) fn spec(self) -> &'static ViewSpec {
        &VIEWS[self.index()]
    }

    /// Index of the view among all views.
    pub(crate) fn index(self) -> usize {
        self as usize
    }

    /// The next view in the order of the keys; the first one follows the last.
    #[must_use]
    pub(crate) fn next(self) -> Self {
        VIEWS[(self.index() + 1) % VIEWS.len()].view
    }

    /// The previous view in the order of the keys; the last one precedes the first.
    #[must_use]
    pub(crate) fn previous(self) -> Self {
        VIEWS[(self.index() + VIEWS.len() - 1) % VIEWS.len()].view
    }

    /// A number of its rows with their noun.
    pub(crate) fn count(self, rows: usize) -> String {
        let [one, several] = self.spec().rows;
        format!("{rows} {}", if rows == 1 { one } else { several })
    }

    /// Whether its rows are sockets.
    pub(crate) fn has_sockets(self) -> bool {
        matches!(self, Self::Connections | Self::Listeners)
    }

    /// Headings of all columns that it can show.
    pub(crate) fn headings(self) -> &'static [Heading] {
        static HEADINGS: LazyLock<Vec<Vec<Heading>>> =
            LazyLock::new(|| VIEWS.iter().map(|spec| spec.catalogue.headings()).collect());
        &HEADINGS[self.index()]
    }

    /// Default columns.
    pub(crate) fn columns(self) -> Vec<Heading> {
        let find = |id: &ColumnId| self.headings().iter().find(|heading| heading.id == *id).copied();
        self.spec().columns.iter().filter_map(find).collect()
    }
}

impl ViewSpec {
    /// Names of the default columns.
    pub(crate) fn default_columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|id| id.name())
    }
}

/// Whether the cells of a column are addresses with ports.
pub(crate) fn is_end(heading: &Heading) -> bool {
    matches!(heading.id, ColumnId::Local | ColumnId::Peer)
}

/// How far a column may be narrowed. Addresses may be cut, unless full addresses are requested.
pub(crate) fn squeezed(heading: &Heading, has_full_addresses: bool) -> Width {
    const LEAST: u8 = 21;
    if is_end(heading) && !has_full_addresses { Width::Flexible(LEAST) } else { heading.width }
}

#[cfg(test)]
mod tests {
    use super::VIEWS;

    #[test]
    fn headers_are_the_names_and_can_be_typed() {
        for spec in VIEWS {
            let catalogue = spec.view.headings();
            for (index, heading) in catalogue.iter().enumerate() {
                assert_eq!(heading.title, heading.name().to_uppercase());
                assert!(
                    !heading.name().contains(|c: char| c != '-' && !c.is_ascii_alphanumeric()),
                    "{}",
                    heading.title
                );
                assert!(!catalogue[..index].contains(heading), "{} stands twice in {}", heading.title, spec.name);
            }
            assert_eq!(spec.view.columns().len(), spec.columns.len(), "{}", spec.name);
        }
    }
}
