//! Syntax trees of src/, and the files that their paths lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, UseTree, Visibility};

/// Names of modules from the root of the crate: `["model", "socket"]`.
pub(crate) type ModulePath = Vec<String>;

/// One file of src/.
pub(crate) struct Source {
    /// Path below src/
    pub(crate) path: PathBuf,
    pub(crate) module: ModulePath,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
}

/// All files of the crate.
pub(crate) struct Crate {
    pub(crate) files: Vec<Source>,
    /// File of each module
    modules: BTreeMap<ModulePath, usize>,
    /// Re-exports of each module: the name, and the path it leads to
    exports: BTreeMap<(ModulePath, String), Vec<String>>,
}

impl Crate {
    /// Reads src/.
    pub(crate) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut pending, mut files) = (vec![root.clone()], Vec::new());
        while let Some(directory) = pending.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    pending.push(path);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                files.push(Source::parse(path.strip_prefix(&root).unwrap(), text));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self::of(files)
    }

    /// Builds the crate from these files.
    pub(crate) fn of(files: Vec<Source>) -> Self {
        let modules = files.iter().enumerate().map(|(index, file)| (file.module.clone(), index)).collect();
        let mut exports = BTreeMap::new();
        for file in &files {
            for item in &file.syntax.items {
                let Item::Use(item @ ItemUse { vis, .. }) = item else { continue };
                if matches!(vis, Visibility::Inherited) {
                    continue;
                }
                for (path, name) in leaves(&item.tree) {
                    exports.insert((file.module.clone(), name), path);
                }
            }
        }
        Self { files, modules, exports }
    }

    /// Files that a file imports from, without its tests.
    pub(crate) fn imports(&self, file: &Source) -> BTreeSet<usize> {
        let paths = Self::paths(file);
        let own = self.modules.get(&file.module).copied();
        let found = paths.iter().filter_map(|path| self.resolve(&file.module, path, 0));
        found.filter(|index| Some(*index) != own).collect()
    }

    /// Every path that the code of a file names, without its tests.
    pub(crate) fn paths(file: &Source) -> BTreeSet<Vec<String>> {
        let mut paths = Paths::default();
        file.syntax.items.iter().filter(|item| !is_test(item)).for_each(|item| paths.visit_item(item));
        paths.0
    }

    /// File that defines the item of a path; `None` for an item of another crate.
    fn resolve(&self, module: &ModulePath, path: &[String], depth: usize) -> Option<usize> {
        let mut at: ModulePath = match path.first()?.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => module.clone(),
            // A child of this module, or another crate.
            first => {
                let child: ModulePath = module.iter().cloned().chain([first.to_owned()]).collect();
                self.modules.get(&child)?;
                module.clone()
            }
        };
        let mut rest = path;
        while let Some((first, others)) = rest.split_first() {
            match first.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                name => {
                    let child: ModulePath = at.iter().cloned().chain([name.to_owned()]).collect();
                    if self.modules.contains_key(&child) {
                        at = child;
                    } else if let Some(target) = self.exports.get(&(at.clone(), name.to_owned())).filter(|_| depth < 8)
                    {
                        let target: Vec<_> = target.iter().chain(others).cloned().collect();
                        return self.resolve(&at, &target, depth + 1);
                    } else {
                        break;
                    }
                }
            }
            rest = others;
        }
        self.modules.get(&at).copied()
    }
}

impl Source {
    pub(crate) fn parse(path: &Path, text: String) -> Self {
        let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut module: ModulePath =
            path.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        if module.last().is_some_and(|last| last == "mod") {
            module.pop();
        }
        if module == ["lib"] {
            module.clear();
        }
        Self { path: path.to_owned(), module, text, syntax }
    }

    /// Room of the file: the first folder, or the file name at the top.
    pub(crate) fn room(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

/// Whether the item is compiled for tests only.
pub(crate) fn is_test(item: &Item) -> bool {
    let (Item::Mod(syn::ItemMod { attrs, .. }) | Item::Fn(syn::ItemFn { attrs, .. })) = item else { return false };
    attrs.iter().any(is_cfg_test)
}

fn is_cfg_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|word| word == "test")
}

/// Each name that a `use` imports: its full path, and its local name.
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => leaves(&path.tree)
            .into_iter()
            .map(|(mut rest, name)| {
                rest.insert(0, path.ident.to_string());
                (rest, name)
            })
            .collect(),
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(rename) => vec![(vec![rename.ident.to_string()], rename.rename.to_string())],
        UseTree::Glob(_) => vec![(Vec::new(), "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}

/// Collects every path that a file names. A re-export is no import: a file that uses it imports the file that defines the item.
#[derive(Default)]
struct Paths(BTreeSet<Vec<String>>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if matches!(item.vis, Visibility::Inherited) {
            self.0.extend(leaves(&item.tree).into_iter().map(|(path, _)| path));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    /// `pub(super)` imports nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !item.attrs.iter().any(is_cfg_test) {
            visit::visit_item_mod(self, item);
        }
    }
}
