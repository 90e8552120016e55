//! `config.toml`: what the dashboard shows and which keys it has; what `tcpulse config` prints. The file's shape is in `config_file`.

use std::env;
use std::fmt::Write;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use super::config_file::{CommandName, ConfigFile, Interval, KeyName, Percent, ThemeName, ViewName, at_line, unknown};
use super::usage::UsageError;
use crate::collect::small_file::{self, Unreadable};
use crate::fields::column::Heading;
use crate::filter::{Filter, Names};
use crate::track::views::{VIEWS, View};
use crate::tui::keymap::{COMMANDS, Keys};
use crate::tui::theme::Theme;

/// All that can be configured.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// What the dashboard shows first
    pub(super) view: View,
    pub(super) interval: Duration,
    /// `None`: chosen by the terminal
    pub(super) theme: Option<Theme>,
    pub(super) has_mouse: bool,
    /// Percent of a core that snapshots may take
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

/// A setting at the top of the file, as `tcpulse config` prints it.
struct ConfigSetting {
    name: &'static str,
    /// As it stands in the file
    default: &'static str,
    help: &'static str,
}

const SETTINGS: [ConfigSetting; 5] = [
    ConfigSetting {
        name: "view",
        default: "\"connections\"",
        help: "what is shown first: connections, peers, processes, listeners, kernel or changes",
    },
    ConfigSetting { name: "interval", default: "\"1s\"", help: "time between snapshots, 200ms to 60s" },
    ConfigSetting {
        name: "theme",
        default: "\"auto\"",
        help: "auto (what the terminal can show), dark, light, high-contrast, plain (16 colours) or none",
    },
    ConfigSetting {
        name: "mouse",
        default: "true",
        help: "whether tcpulse takes the mouse; without it the terminal selects text with it",
    },
    ConfigSetting {
        name: "cpu",
        default: "25",
        help: "percent of a core that snapshots may take: with very many sockets there are fewer snapshots",
    },
];

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
            // HOME may be another user's (setpriv keeps it), or /dev/null (services): an unreadable file is no configuration.
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
        let at = |span: Option<Range<usize>>, why: &str| at_line(text, span, why);
        let file: ConfigFile = toml::from_str(text).map_err(|error| at(error.span(), error.message()))?;
        let mut config = Self::default();
        let ConfigFile { view, interval, theme, mouse, cpu, columns, keys, bookmarks } = file;
        config.view = view.map_or(config.view, |ViewName(spec)| spec.view);
        config.interval = interval.map_or(config.interval, |Interval(interval)| interval);
        config.theme = theme.and_then(|ThemeName(theme)| theme);
        config.has_mouse = mouse.unwrap_or(config.has_mouse);
        config.cpu = cpu.map_or(config.cpu, |Percent(percent)| percent);
        for (ViewName(spec), names) in columns.0 {
            let chosen =
                chosen(spec.view, &names).map_err(|(place, why)| at(Some(place), &format!("{}: {why}", spec.name)))?;
            config.columns.retain(|(view, _)| *view != spec.view);
            config.columns.push((spec.view, chosen));
        }
        for (CommandName(command), keys) in &keys.0 {
            let keys: Vec<_> = keys.get_ref().iter().map(|KeyName(key)| *key).collect();
            config.keys.bind(command, &keys);
        }
        config.keys.check().map_err(|taken| {
            // At least one of the two stands in the file. If both do, the later one is the error.
            let is_it = |name: &str| taken.commands.contains(&name);
            let bound = keys.0.iter().filter(|(CommandName(command), _)| is_it(command.name));
            at(bound.map(|(_, keys)| keys.span()).max_by_key(|span| span.start), &taken.to_string())
        })?;
        for (name, typed) in bookmarks.0 {
            let filter = typed.get_ref();
            Filter::parse(filter, names)
                .map_err(|wrong| at(Some(typed.span()), &format!("{name}: '{filter}': {}", wrong.message())))?;
            config.bookmarks.push((name, typed.into_inner()));
        }
        Ok(config)
    }
}

/// The columns of a view with these names.
///
/// # Errors
/// Where a name is wrong, and why.
fn chosen(view: View, names: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Heading>, (Range<usize>, String)> {
    let catalogue = view.headings();
    let mut chosen: Vec<Heading> = Vec::new();
    for name in names.get_ref() {
        let column = catalogue.iter().find(|heading| heading.name() == name.get_ref());
        let column = column
            .ok_or_else(|| (name.span(), unknown("column", name.get_ref(), catalogue.iter().map(Heading::name))))?;
        if chosen.contains(column) {
            return Err((name.span(), format!("'{}' is listed twice", column.name())));
        }
        chosen.push(*column);
    }
    if chosen.is_empty() { Err((names.span(), "a table needs a column".to_owned())) } else { Ok(chosen) }
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
         # Each line shows a default; remove the # to change it.\n\n",
    );
    // Writing to a String cannot fail.
    for ConfigSetting { name, default, help, .. } in SETTINGS {
        let _ = write!(out, "# {help}\n#{name} = {default}\n\n");
    }
    out.push_str(
        "# Columns of each view; connections and listeners can show any column of tcpulse ls too\n[columns]\n",
    );
    for spec in VIEWS {
        let _ = writeln!(out, "#{} = {}", spec.name, list(spec.default_columns()));
    }
    out.push_str("\n# Keys of each command; an empty list takes them away\n[keys]\n");
    for command in COMMANDS {
        let keys = list(command.keys.iter().map(ToString::to_string));
        let _ = write!(out, "# {}\n#{} = {keys}\n", command.help, command.name);
    }
    out.push_str("\n# Filters by name, for the key b: tcpulse help filter has the language\n[bookmarks]\n");
    out.push_str("# dead = \"verdict in {probing, retransmitting, silent-window}\"\n");
    out
}

/// A list as TOML has it.
fn list(values: impl Iterator<Item = impl Into<String>>) -> String {
    toml::Value::Array(values.map(|value| toml::Value::String(value.into())).collect()).to_string()
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
    fn what_the_user_gives_goes_before_the_defaults() {
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
            ("them = \"dark\"", 1, "unknown field `them`, expected one of `view`, `interval`, `theme`"),
            ("view = 3", 1, "integer `3`, expected a string"),
            ("interval = \"1\"", 1, "unit"),
            ("interval = \"1ms\"", 1, "between 200ms and 60s"),
            ("cpu = 0", 1, "between 1 and 100"),
            ("cpu = 25.5", 1, "floating point `25.5`"),
            ("mouse = \"yes\"", 1, "expected a boolean"),
            ("[columns]\nconnections = [\"peer\",\n \"rttt\"]", 3, "did you mean 'rtt'?"),
            ("[columns]\nconnection = []", 2, "did you mean 'connections'?"),
            ("[columns]\npeers = []", 2, "needs a column"),
            ("[columns]\nconnections = [\"peer\",\n\"peer\"]", 3, "twice"),
            ("\nkeys = \"q\"", 2, "expected a table: its name in brackets"),
            ("\n[theme]\nname = \"dark\"", 2, "expected a string"),
            ("[[view]]", 1, "expected a string"),
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
