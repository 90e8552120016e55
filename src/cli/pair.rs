//! `show peer->local`: a pair of addresses that was typed the other way round.

use super::settings::Settings;
use super::signals::Interrupt;
use super::stderr::say;
use crate::filter::Filter;
use crate::inspect::{InspectError, Request, count};

/// Reverses the pair if no socket matches it as typed and one matches it reversed. On loopback both may exist; then the
/// pair as typed is shown.
pub(super) fn turn(mut settings: Settings, interrupt: &Interrupt) -> Result<Settings, InspectError> {
    let Some(turned) = settings.turned.take() else { return Ok(settings) };
    let is_there = |filter: &Filter| {
        let request = Request { filter: filter.clone(), needs: filter.needs(), ..settings.request.clone() };
        count(&request, &|| interrupt.is_asked()).map(|found| found > 0)
    };
    if is_there(&settings.request.filter)? || !is_there(&turned)? {
        return Ok(settings);
    }
    if !settings.quiet {
        let ends = settings.typed.split_once("->").or_else(|| settings.typed.split_once('\u{2192}'));
        let pair = ends.map_or_else(String::new, |(peer, local)| format!(": {}->{}", local.trim(), peer.trim()));
        say(&format!("'{}' is the other way round, the local end comes first{pair}", settings.typed));
    }
    settings.request.filter = turned;
    Ok(settings)
}
