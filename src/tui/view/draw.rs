//! Draws one frame: each file draws its area, `screen` places the areas.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::{detail, footer, header, help, popup, prompt, table};
use crate::tui::glyphs;
use crate::tui::screen;
use crate::tui::state::{Mode, State};

/// Draws one frame.
pub(crate) fn draw(state: &State, frame: &mut Frame<'_>) {
    let areas = screen::areas(state);
    // The terminal may have shrunk since the last resize event.
    let buffer = frame.buffer_mut();
    let visible = |area: Rect| area.intersection(buffer.area);
    let [header, tabs, status, body, prompt, footer] =
        [areas.header, areas.tabs, areas.status, areas.body, areas.prompt, areas.footer].map(visible);
    let mut canvas = Canvas { area: buffer.area, buffer, theme: state.display.theme };
    header::draw(state, &mut canvas.on(header));
    header::tabs(state, &mut canvas.on(tabs));
    header::status(state, &mut canvas.on(status));
    let mut middle = canvas.on(body);
    match (&state.mode, &state.detail) {
        (Mode::Help(top), _) => help::draw(state, *top, &mut middle),
        (_, Some(detail)) => detail::draw(detail, &mut middle),
        (_, None) => table::draw(state, &mut middle),
    }
    match &state.mode {
        Mode::Typing(typing) => prompt::filter(typing, &mut canvas.on(prompt)),
        Mode::Saving(saving) => prompt::saving(saving, &mut canvas.on(prompt)),
        Mode::Menu(menu) => popup::menu(menu, &mut middle),
        Mode::Form(form) => popup::form(form, &mut middle),
        Mode::Confirming(confirmation) => popup::question(confirmation, &mut middle),
        Mode::Browse | Mode::Help(_) => {}
    }
    footer::draw(state, &mut canvas.on(footer));
    if state.display.is_ascii {
        glyphs::to_ascii(canvas.buffer);
    }
}
