//! The terminal is taken over, and given back as it was: at the end, on a panic, and while the program is stopped. Where a
//! signal ends the program, `collect::signals` does it by what is public here.

use std::io::{self, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::clipboard::CopyToClipboard;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use ratatui::crossterm::{execute, queue};
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};

use super::screen::drawn;

/// Whether the terminal is ours: nobody must give back what was not taken. It is from before the first change to it until
/// after the last.
pub(crate) static TAKEN: AtomicBool = AtomicBool::new(false);

/// What a terminal is sent to be given back; its modes are another matter.
///
/// # Errors
/// None: memory takes all that is written.
pub(crate) fn give_back_bytes() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    queue!(bytes, DisableBracketedPaste, DisableMouseCapture, Show, LeaveAlternateScreen)?;
    Ok(bytes)
}

type OnStdout = Terminal<CrosstermBackend<Stdout>>;

/// The terminal, as long as this value lives.
#[derive(Debug)]
pub(crate) struct Screen {
    /// `None` only while it is put away
    terminal: Option<OnStdout>,
    /// As much of it as is drawn, columns first
    size: (u16, u16),
    has_mouse: bool,
}

impl Screen {
    /// Takes it over.
    ///
    /// # Errors
    /// stdout is no terminal, or lets nothing be set.
    pub(crate) fn take(has_mouse: bool) -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        enter(has_mouse)?;
        let (terminal, size) = open()?;
        Ok(Self { terminal: Some(terminal), size, has_mouse })
    }

    /// Gives it back while `meanwhile` runs, then takes it again and draws all of it anew.
    ///
    /// # Errors
    /// It cannot be taken again.
    pub(crate) fn lend(&mut self, meanwhile: impl FnOnce()) -> io::Result<()> {
        give_back();
        meanwhile();
        enter(self.has_mouse)?;
        self.renew()
    }

    /// Forgets what stands on it: the next frame is drawn as a whole.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(crate) fn renew(&mut self) -> io::Result<()> {
        // Not `clear`: it asks the terminal where its cursor is, and the answer goes to the thread that reads keys.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.put_away();
        let (terminal, size) = open()?;
        (self.terminal, self.size) = (Some(terminal), size);
        Ok(())
    }

    /// As much of the terminal as is drawn, columns first. That it has another size than before may not have been told: it
    /// changed before anybody listened.
    ///
    /// # Errors
    /// The terminal cannot be asked, or written to.
    pub(crate) fn fit(&mut self) -> io::Result<(u16, u16)> {
        if drawn(size()?) != self.size {
            self.renew()?;
        }
        Ok(self.size)
    }

    /// Draws what has changed.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(crate) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let Some(terminal) = &mut self.terminal else { return Ok(()) };
        terminal.draw(render).map(drop)
    }

    /// ratatui's own end of a terminal tells on stderr where the cursor cannot be shown, and panics where stderr is gone
    /// too: such a terminal is left as it is.
    fn put_away(&mut self) {
        if let Some(mut terminal) = self.terminal.take()
            && terminal.show_cursor().is_err()
        {
            std::mem::forget(terminal);
        }
    }
}

/// Puts text into the terminal's clipboard (OSC 52), also over ssh; a terminal that does not know it ignores it.
///
/// # Errors
/// The terminal cannot be written to.
pub(crate) fn copy(text: &str) -> io::Result<()> {
    execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.put_away();
        give_back();
    }
}

/// Opens as much of the terminal as is drawn. ratatui would take all of it, and follows no change of this size.
fn open() -> io::Result<(OnStdout, (u16, u16))> {
    let (width, height) = drawn(size()?);
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let terminal = Terminal::with_options(CrosstermBackend::new(io::stdout()), TerminalOptions { viewport })?;
    Ok((terminal, (width, height)))
}

fn enter(has_mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode()
        .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, Hide, EnableBracketedPaste))
        .and_then(|()| if has_mouse { execute!(io::stdout(), EnableMouseCapture) } else { Ok(()) });
    entered.inspect_err(|_| give_back())
}

fn give_back() {
    if TAKEN.load(Ordering::SeqCst) {
        // A terminal that is gone needs nothing put back.
        let mut out = io::stdout();
        let _ = give_back_bytes().and_then(|bytes| out.write_all(&bytes)).and_then(|()| out.flush());
        let _ = disable_raw_mode();
        TAKEN.store(false, Ordering::SeqCst);
    }
}
