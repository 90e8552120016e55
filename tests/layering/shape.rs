//! Finds import cycles between files, and functions that are too long or take too many parameters.

use std::collections::{BTreeMap, BTreeSet};

use syn::Item;
use syn::visit::{self, Visit};

use crate::source::{Crate, is_test};

/// Import cycles: groups of more than one file that import each other, directly or through others (Tarjan's strongly
/// connected components).
pub(crate) fn circles(edges: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search { edges, number: vec![None; edges.len()], ..Search::default() };
    (0..edges.len()).for_each(|at| {
        if search.number[at].is_none() {
            search.visit(at);
        }
    });
    search.found.into_iter().filter(|group| group.len() > 1).collect()
}

#[derive(Default)]
struct Search<'a> {
    edges: &'a [BTreeSet<usize>],
    /// Order of discovery, and the lowest order that can be reached
    number: Vec<Option<(usize, usize)>>,
    stack: Vec<usize>,
    next: usize,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Visits a file, and returns the lowest number that can be reached from it.
    fn visit(&mut self, at: usize) -> usize {
        let own = self.next;
        self.next += 1;
        self.stack.push(at);
        self.number[at] = Some((own, own));
        let mut lowest = own;
        for &other in &self.edges[at] {
            lowest = lowest.min(match self.number[other] {
                None => self.visit(other),
                Some((number, _)) if self.stack.contains(&other) => number,
                Some(_) => lowest,
            });
        }
        self.number[at] = Some((own, lowest));
        if lowest == own {
            let start = self.stack.iter().position(|&other| other == at).unwrap();
            self.found.push(self.stack.split_off(start));
        }
        lowest
    }
}

/// Length and parameters of a function, which the rules limit.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) lines: usize,
    pub(crate) parameters: usize,
}

/// Functions of each file, without tests.
pub(crate) fn functions(house: &Crate) -> Vec<(String, Function)> {
    let mut all = Vec::new();
    for file in &house.files {
        let mut functions = Functions::default();
        file.syntax.items.iter().filter(|item| !is_test(item)).for_each(|item| functions.visit_item(item));
        all.extend(functions.0.into_iter().map(|function| (file.path.display().to_string(), function)));
    }
    all
}

#[derive(Default)]
struct Functions(Vec<Function>);

impl Functions {
    fn note(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let receivers = signature.inputs.iter().filter(|input| matches!(input, syn::FnArg::Receiver(_))).count();
        let (start, end) = (signature.fn_token.span.start().line, body.brace_token.span.close().end().line);
        self.0.push(Function {
            name: signature.ident.to_string(),
            lines: end + 1 - start,
            parameters: signature.inputs.len() - receivers,
        });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&syn::Item::Mod(item.clone())) {
            visit::visit_item_mod(self, item);
        }
    }
}

/// Type names that several files define, with the files.
pub(crate) fn names_of_several(house: &Crate) -> Vec<String> {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in &house.files {
        let names = file.syntax.items.iter().filter_map(|item| match item {
            Item::Struct(item) => Some(&item.ident),
            Item::Enum(item) => Some(&item.ident),
            Item::Trait(item) => Some(&item.ident),
            Item::Type(item) => Some(&item.ident),
            _ => None,
        });
        for name in names {
            files.entry(name.to_string()).or_default().push(file.path.display().to_string());
        }
    }
    let several = files.into_iter().filter(|(_, files)| files.len() > 1);
    several.map(|(name, files)| format!("{name}: {}", files.join(", "))).collect()
}
