//! `config.toml`: how the dashboard looks and which keys it has. One table of settings feeds the reader, the errors and
//! `tcpulse config`.

use std::env;
use std::fmt::Write;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use toml_edit::{Array, Document, Item, TableLike, Value};

use super::usage::UsageError;
use crate::collect::small_file::{self, Unreadable};
use crate::fields::column::Heading;
use crate::filter::{Filter, Names};
use crate::text::near::nearest;
use crate::text::quantity::time_us;
use crate::track::views::{VIEWS, View};
use crate::tui::keymap::{COMMANDS, Key, Keys, command_called};
use crate::tui::theme::{THEMES, Theme};

/// All that can be configured.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// What the dashboard shows first
    pub(super) view: View,
    pub(super) interval: Duration,
    /// `None`: what suits the terminal
    pub(super) theme: Option<Theme>,
    pub(super) has_mouse: bool,
    /// Percent of a core that looking may take
    pub(super) cpu: u32,
    /// Columns of the views
    pub(super) columns: Vec<(View, Vec<Heading>)>,
    pub(super) keys: Keys,
    /// Name and filter, as it is typed
    pub(super) bookmarks: Vec<(String, String)>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            view: View::Connections,
            interval: Duration::from_secs(1),
            theme: None,
            has_mouse: true,
            cpu: 25,
            columns: VIEWS.iter().map(|spec| (spec.view, spec.view.columns())).collect(),
            keys: Keys::default(),
            bookmarks: Vec::new(),
        }
    }
}

/// A setting at the top of the file.
struct ConfigSetting {
    name: &'static str,
    /// As it stands in the file
    default: &'static str,
    help: &'static str,
    set: fn(&mut Config, &Value) -> Result<(), String>,
}

const AUTO: &str = "auto";

const SETTINGS: [ConfigSetting; 5] = [
    ConfigSetting {
        name: "view",
        default: "\"connections\"",
        help: "what is shown first: connections, peers, processes, listeners, kernel or changes",
        set: |config, value| {
            let names = VIEWS.iter().map(|spec| spec.name);
            let name = one_of(value, "view", names)?;
            config.view = VIEWS.iter().find(|spec| spec.name == name).map_or(config.view, |spec| spec.view);
            Ok(())
        },
    },
    ConfigSetting {
        name: "interval",
        default: "\"1s\"",
        help: "time from look to look, 200ms to 60s",
        set: |config, value| {
            let us = time_us(text(value)?)?;
            if !(200_000..=60_000_000).contains(&us) {
                return Err("is not between 200ms and 60s".to_owned());
            }
            config.interval = Duration::from_micros(us);
            Ok(())
        },
    },
    ConfigSetting {
        name: "theme",
        default: "\"auto\"",
        help: "auto (what the terminal can show), dark, light, high-contrast, plain (16 colours) or none",
        set: |config, value| {
            let names = std::iter::once(AUTO).chain(THEMES.iter().map(|theme| theme.name));
            config.theme = Theme::called(&one_of(value, "theme", names)?);
            Ok(())
        },
    },
    ConfigSetting {
        name: "mouse",
        default: "true",
        help: "whether the mouse is ours; without, the terminal selects text with it",
        set: |config, value| {
            config.has_mouse = value.as_bool().ok_or("is neither true nor false")?;
            Ok(())
        },
    },
    ConfigSetting {
        name: "cpu",
        default: "25",
        help: "percent of a core that looking may take: on a host with very many sockets it looks less often",
        set: |config, value| {
            let percent = value.as_integer().and_then(|percent| u32::try_from(percent).ok());
            config.cpu =
                percent.filter(|percent| (1..=100).contains(percent)).ok_or("is no whole number between 1 and 100")?;
            Ok(())
        },
    },
];

const TABLES: [&str; 3] = ["columns", "keys", "bookmarks"];

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "is no text; write it in quotes".to_owned())
}

/// What is wrong, and where, if it is not the whole entry.
#[derive(Debug)]
struct WrongSetting {
    why: String,
    place: Option<Range<usize>>,
}

impl From<String> for WrongSetting {
    fn from(why: String) -> Self {
        Self { why, place: None }
    }
}

/// What `read` makes of each text of a list.
fn each<T>(value: &Value, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, WrongSetting> {
    let list = value.as_array().ok_or_else(|| "is no list; write it in brackets".to_owned())?;
    let one = |item: &Value| text(item).and_then(&read).map_err(|why| WrongSetting { why, place: item.span() });
    list.iter().map(one).collect()
}

/// One of these words.
fn one_of<'a>(value: &Value, what: &str, known: impl Iterator<Item = &'a str> + Clone) -> Result<String, String> {
    let typed = text(value)?;
    if known.clone().any(|name| name == typed) {
        return Ok(typed.to_owned());
    }
    Err(unknown(what, typed, known))
}

/// No such thing, but these are.
pub(super) fn unknown<'a>(what: &str, typed: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = nearest(typed, known.clone()).map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
    format!("there is no {what} '{typed}'{near} There are: {}", known.collect::<Vec<_>>().join(", "))
        .replace("' There", "'. There")
}

impl Config {
    /// What the user has configured; the defaults where there is no file.
    pub(super) fn load(names: &dyn Names) -> Result<Self, UsageError> {
        let Some(path) = path() else { return Ok(Self::default()) };
        let shown = path.display();
        let cannot = |why: &str| {
            let help = "move it away, or write a new one: tcpulse config prints all settings";
            UsageError(format!("{shown} cannot be read: {why}; {help}"))
        };
        match small_file::read(&path) {
            Ok(file) => {
                let text = String::from_utf8(file.bytes).map_err(|_| cannot("it is not UTF-8 text"))?;
                Self::parse(&text, names).map_err(|wrong| UsageError(format!("{shown}, {wrong}")))
            }
            // Somebody else's home, as setpriv leaves it, or the /dev/null of a service: what may not be read is none of ours.
            Err(Unreadable::Failed(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(Self::default())
            }
            Err(why) => Err(cannot(&why.to_string())),
        }
    }

    /// Reads the text of a file.
    fn parse(text: &str, names: &dyn Names) -> Result<Self, String> {
        let line = |span: Option<Range<usize>>| {
            let start = span.map_or(0, |span| span.start.min(text.len()));
            text[..start].matches('\n').count() + 1
        };
        let document: Document<&str> = Document::parse(text)
            .map_err(|error| format!("line {}: {}", line(error.span()), error.message().trim()))?;
        let mut config = Self::default();
        for (name, item) in document.as_table() {
            let at = |span: Option<Range<usize>>, why: String| format!("line {}: {why}", line(span));
            let setting = SETTINGS.iter().find(|setting| setting.name == name);
            match (setting, item) {
                (Some(setting), Item::Value(value)) => (setting.set)(&mut config, value)
                    .map_err(|why| at(item.span(), format!("{name} = {} {why}", value.to_string().trim())))?,
                (Some(_), _) => {
                    return Err(at(item.span(), format!("{name} is no table: write {name} = and its value")));
                }
                (None, _) if TABLES.contains(&name) => {
                    let no_table = || at(item.span(), format!("{name} is a table: write [{name}] and a line for each"));
                    let table = item.as_table_like().ok_or_else(no_table)?;
                    config.table(name, table, names).map_err(|wrong| at(wrong.place, wrong.why))?;
                }
                _ => {
                    let span = document.as_table().key(name).and_then(toml_edit::Key::span);
                    let known = SETTINGS.iter().map(|setting| setting.name).chain(TABLES);
                    return Err(at(span, unknown("setting", name, known)));
                }
            }
        }
        config.keys.check().map_err(|taken| {
            // One of the two stands in the file; where both do, the later one is too much.
            let bound = document.get("keys").and_then(Item::as_table_like).into_iter();
            let is_it = |key: &&str| command_called(key).is_some_and(|command| taken.commands.contains(&command.name));
            let spans = bound.flat_map(|table| {
                table.iter().map(|(key, _)| key).filter(is_it).filter_map(|key| table.key(key)?.span())
            });
            format!("line {}: {taken}", line(spans.max_by_key(|span| span.start)))
        })?;
        Ok(config)
    }

    fn table(&mut self, name: &str, table: &dyn TableLike, names: &dyn Names) -> Result<(), WrongSetting> {
        for (key, item) in table.iter() {
            let place = || item.span().or_else(|| table.key(key).and_then(toml_edit::Key::span));
            let set = match (name, item) {
                ("columns", Item::Value(value)) => self.columns(key, value),
                ("keys", Item::Value(value)) => self.keys(key, value),
                (_, Item::Value(value)) => self.bookmark(key, value, names),
                _ => Err("is no value".to_owned().into()),
            };
            set.map_err(|wrong| WrongSetting {
                why: format!("{key}: {}", wrong.why),
                place: wrong.place.or_else(place),
            })?;
        }
        Ok(())
    }

    fn columns(&mut self, key: &str, value: &Value) -> Result<(), WrongSetting> {
        let Some(spec) = VIEWS.iter().find(|spec| spec.name == key) else {
            return Err(unknown("view", key, VIEWS.iter().map(|spec| spec.name)).into());
        };
        let catalogue = spec.view.catalogue();
        let known = || catalogue.iter().map(Heading::name);
        let find = |name: &str| catalogue.iter().find(|heading| heading.name() == name).copied();
        let chosen = each(value, |name| find(name).ok_or_else(|| unknown("column", name, known())))?;
        if chosen.is_empty() {
            return Err("a table needs a column".to_owned().into());
        }
        for (index, column) in chosen.iter().enumerate() {
            if chosen[..index].contains(column) {
                let place = value.as_array().and_then(|list| list.get(index)?.span());
                return Err(WrongSetting { why: format!("'{}' stands there twice", column.name()), place });
            }
        }
        self.columns.retain(|(view, _)| *view != spec.view);
        self.columns.push((spec.view, chosen));
        Ok(())
    }

    fn keys(&mut self, key: &str, value: &Value) -> Result<(), WrongSetting> {
        const KEYS: &str = "write a character, Ctrl- and a small letter, F1 to F12, or one of Enter, Esc, Tab, Shift-Tab, Space, Up, \
                            Down, Left, Right, PageUp, PageDown, Home, End, Delete, Backspace";
        let Some(command) = command_called(key) else {
            return Err(unknown("command", key, COMMANDS.iter().map(|command| command.name)).into());
        };
        let keys = each(value, |text| text.parse::<Key>().map_err(|()| format!("there is no key '{text}'; {KEYS}")))?;
        self.keys.bind(command, &keys);
        Ok(())
    }

    fn bookmark(&mut self, key: &str, value: &Value, names: &dyn Names) -> Result<(), WrongSetting> {
        let typed = text(value)?;
        Filter::parse(typed, names).map_err(|wrong| format!("'{typed}': {}", wrong.message()))?;
        self.bookmarks.push((key.to_owned(), typed.to_owned()));
        Ok(())
    }
}

/// Where the file is, or would be.
fn path() -> Option<PathBuf> {
    let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(base.join("tcpulse/config.toml"))
}

/// What `tcpulse config` prints: every setting with its default, as a comment.
pub(super) fn commented_defaults() -> String {
    let mut out = String::from(
        "# The dashboard's configuration: $XDG_CONFIG_HOME/tcpulse/config.toml, else ~/.config/tcpulse/config.toml.\n\
         # Each setting stands here as it is if nothing is said; take the # away to change it.\n\n",
    );
    // Writing to a String cannot fail.
    for ConfigSetting { name, default, help, .. } in SETTINGS {
        let _ = write!(out, "# {help}\n#{name} = {default}\n\n");
    }
    out.push_str(
        "# Columns of each view; those of connections and listeners are the columns of tcpulse ls\n[columns]\n",
    );
    for spec in &VIEWS {
        let columns: Array = spec.default_columns().collect();
        let _ = writeln!(out, "#{} = {columns}", spec.name);
    }
    out.push_str("\n# Keys of each command; an empty list takes them away\n[keys]\n");
    for command in COMMANDS {
        let keys: Array = command.keys.iter().map(ToString::to_string).collect();
        let _ = write!(out, "# {}\n#{} = {keys}\n", command.help, command.name);
    }
    out.push_str("\n# Filters by name, for the key b: tcpulse help filter has the language\n[bookmarks]\n");
    out.push_str("# dead = \"verdict in {probing, retransmitting, silent-window}\"\n");
    out
}

#[cfg(test)]
mod tests {
    use super::{Config, commented_defaults};
    use crate::fields::column::Heading;
    use crate::filter::Names;
    use crate::track::views::{VIEWS, View};
    use crate::tui::keymap::COMMANDS;

    struct NoNames;

    impl Names for NoNames {}

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, &NoNames)
    }

    #[test]
    fn the_commented_defaults_are_the_defaults() {
        let commented = commented_defaults();
        let mut settings = 0;
        let uncommented = commented.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && setting.contains(" = ") => {
                settings += 1;
                setting
            }
            _ => line,
        });
        let text = uncommented.collect::<Vec<_>>().join("\n");
        assert_eq!(settings, 5 + VIEWS.len() + COMMANDS.len());
        let (read, default) = (parse(&text).unwrap(), Config::default());
        let sorted = |config: &Config| {
            let mut columns: Vec<_> = config
                .columns
                .iter()
                .map(|(view, columns)| (view.index(), columns.iter().map(Heading::name).collect::<Vec<_>>()))
                .collect();
            columns.sort();
            let keys: Vec<_> = COMMANDS.iter().map(|command| config.keys.of(command.action).to_vec()).collect();
            let rest =
                (config.view, config.interval, config.theme, config.has_mouse, config.cpu, config.bookmarks.clone());
            (columns, keys, rest)
        };
        assert_eq!(sorted(&read), sorted(&default));
        assert!(parse(&commented).is_ok());
    }

    #[test]
    fn what_is_said_goes_before_the_defaults() {
        let config = parse(
            "view = 'peers'\ninterval = '500ms'\ntheme = 'light'\ncpu = 50\nmouse = false\n[columns]\nconnections = ['peer', 'rtt']\n\
             [keys]\ndestroy = ['X']\nsuspend = []\n[bookmarks]\ndead = 'verdict = probing'\n",
        )
        .unwrap();
        assert_eq!(
            (config.view, config.interval.as_millis(), config.cpu, config.has_mouse),
            (View::Peers, 500, 50, false)
        );
        assert_eq!(config.theme.unwrap().name, "light");
        let (_, columns) = config.columns.iter().find(|(view, _)| *view == View::Connections).unwrap();
        assert_eq!(columns.iter().map(Heading::name).collect::<Vec<_>>(), ["peer", "rtt"]);
        assert_eq!(config.bookmarks, [("dead".to_owned(), "verdict = probing".to_owned())]);
    }

    #[test]
    fn a_wrong_entry_names_its_line_and_the_choices() {
        for (text, line, part) in [
            ("\ntheme = \"drak\"", 2, "did you mean 'dark'?"),
            ("theme = \"drak\"", 1, "high-contrast"),
            ("them = \"dark\"", 1, "did you mean 'theme'?"),
            ("view = 3", 1, "is no text"),
            ("interval = \"1\"", 1, "unit"),
            ("interval = \"1ms\"", 1, "between 200ms and 60s"),
            ("cpu = 0", 1, "between 1 and 100"),
            ("cpu = 25.5", 1, "no whole number"),
            ("mouse = \"yes\"", 1, "neither true nor false"),
            ("[columns]\nconnections = [\"peer\",\n \"rttt\"]", 3, "did you mean 'rtt'?"),
            ("[columns]\nconnection = []", 2, "did you mean 'connections'?"),
            ("[columns]\npeers = []", 2, "needs a column"),
            ("[columns]\nconnections = [\"peer\",\n\"peer\"]", 3, "twice"),
            ("\nkeys = \"q\"", 2, "write [keys]"),
            ("\n[theme]\nname = \"dark\"", 2, "theme is no table"),
            ("[[view]]", 1, "view is no table"),
            ("\nkeys = { destory = [\"x\"] }", 2, "did you mean 'destroy'?"),
            ("[keys]\ndestroy = [\"q\"]", 2, "'q' is bound to both destroy and quit"),
            ("[keys]\nquit = [\"Q\"]\ndestroy = [\"Q\"]", 3, "'Q' is bound to both"),
            ("[keys]\n\ndestory = [\"x\"]", 3, "did you mean 'destroy'?"),
            ("[keys]\ndestroy = [\"Meta-x\"]", 2, "there is no key 'Meta-x'"),
            ("[bookmarks]\na = \"dprot = 1\"", 2, "dprot"),
            ("theme = ", 1, "line 1"),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.contains(part) && wrong.starts_with(&format!("line {line}: ")), "{text}: {wrong}");
        }
        let inline = parse("keys = { destroy = [\"D\"] }").unwrap();
        let destroy = COMMANDS.iter().find(|command| command.name == "destroy").unwrap();
        assert_eq!(inline.keys.of(destroy.action).iter().map(ToString::to_string).collect::<Vec<_>>(), ["D"]);
    }
}
