//! `tcpulse man`: manual pages, from the definitions that --help uses.

use std::io;

use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::args::command;
use super::help::{FILTER, unknown};
use crate::filter;

const MANUAL: &str = "tcpulse manual";
const SOURCE: &str = concat!("tcpulse ", env!("CARGO_PKG_VERSION"));

/// The page of a topic; without a topic, that of the program.
pub(super) fn page(topic: Option<&str>) -> anyhow::Result<Vec<u8>> {
    let mut program = command();
    program.build();
    Ok(match topic {
        Some(FILTER) => page_of_filter(),
        Some(name) => match program.find_subcommand(name) {
            Some(command) => page_of(command)?,
            None => return Err(unknown("manual page", name, &program).into()),
        },
        None => page_of(&program)?,
    })
}

fn page_of(command: &clap::Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone()).source(SOURCE).manual(MANUAL);
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    if let Some(text) = command.get_after_long_help() {
        as_typed(&mut rest, &text.to_string());
    }
    see_also(&mut rest, "tcpulse(1), tcpulse-filter(7), ss(8), tcp(7)");
    rest.to_writer(&mut page)?;
    Ok(page)
}

fn page_of_filter() -> Vec<u8> {
    let mut page = Roff::new();
    page.control("TH", ["tcpulse-filter", "7", "", SOURCE, MANUAL]);
    page.control("SH", ["NAME"]).text([roman("tcpulse-filter - selecting sockets with tcpulse")]);
    page.control("SH", ["DESCRIPTION"]);
    as_typed(&mut page, &filter::help());
    see_also(&mut page, "tcpulse(1), tcpulse-ls(1), ss(8)");
    page.render().into_bytes()
}

fn see_also(page: &mut Roff, pages: &str) {
    page.control("SH", ["SEE ALSO"]).text([roman(pages)]);
}

/// Adds text whose lines stay as they are. A line that indented ones follow is a heading.
fn as_typed(page: &mut Roff, text: &str) {
    let is_indented = |line: &str| line.starts_with(' ');
    let lines: Vec<_> = text.lines().collect();
    page.control("nf", []);
    for (index, line) in lines.iter().enumerate() {
        let next = lines.get(index + 1).is_some_and(|next| is_indented(next));
        if next && !is_indented(line) && !line.is_empty() {
            page.control("fi", [])
                .control("SH", [line.trim_end_matches(':').to_uppercase().as_str()])
                .control("nf", []);
        } else {
            page.text([roman(*line)]);
        }
    }
    page.control("fi", []);
}
