//! Set-up and restoration of the terminal: it is restored at exit, on a panic, and while the program is stopped. If a
//! signal ends the program, `collect::signals` restores it with what is public here.

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

/// Whether the terminal is set up, so that it is restored only then. Set before the first change to the terminal, and
/// cleared after the last one of the restoration.
pub(crate) static TAKEN: AtomicBool = AtomicBool::new(false);

/// Escape sequences that restore the terminal. Its modes (termios) are restored separately.
///
/// # Errors
/// Never fails in practice: writes to memory succeed.
pub(crate) fn give_back_bytes() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    queue!(bytes, DisableBracketedPaste, DisableMouseCapture, Show, LeaveAlternateScreen)?;
    Ok(bytes)
}

type OnStdout = Terminal<CrosstermBackend<Stdout>>;

/// The set-up terminal; restored on drop.
#[derive(Debug)]
pub(crate) struct Screen {
    /// `None` only while it is replaced or dropped
    terminal: Option<OnStdout>,
    /// Size of the drawn part in cells, columns first
    size: (u16, u16),
    has_mouse: bool,
}

impl Screen {
    /// Sets the terminal up.
    ///
    /// # Errors
    /// stdout is not a terminal, or its modes cannot be set.
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

    /// Restores the terminal while `meanwhile` runs, then sets it up again and redraws it.
    ///
    /// # Errors
    /// It cannot be set up again.
    pub(crate) fn lend(&mut self, meanwhile: impl FnOnce()) -> io::Result<()> {
        give_back();
        meanwhile();
        enter(self.has_mouse)?;
        self.renew()
    }

    /// Clears the screen, so that the next frame is drawn as a whole.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(crate) fn renew(&mut self) -> io::Result<()> {
        // Not `clear`: it queries the cursor position, and the answer would go to the thread that reads keys.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.put_away();
        let (terminal, size) = open()?;
        (self.terminal, self.size) = (Some(terminal), size);
        Ok(())
    }

    /// Adapts to the size of the terminal, and returns that of the drawn part, columns first. Needed even without a
    /// resize event: the size may have changed before anything listened for `SIGWINCH`.
    ///
    /// # Errors
    /// The size cannot be read, or the terminal cannot be written to.
    pub(crate) fn fit(&mut self) -> io::Result<(u16, u16)> {
        if drawn(size()?) != self.size {
            self.renew()?;
        }
        Ok(self.size)
    }

    /// Draws the cells that changed.
    ///
    /// # Errors
    /// It cannot be written to.
    pub(crate) fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let Some(terminal) = &mut self.terminal else { return Ok(()) };
        terminal.draw(render).map(drop)
    }

    /// Drops the ratatui terminal. Its destructor reports on stderr if the cursor cannot be shown, and panics if stderr
    /// is closed too, so such a terminal is leaked instead.
    fn put_away(&mut self) {
        if let Some(mut terminal) = self.terminal.take()
            && terminal.show_cursor().is_err()
        {
            std::mem::forget(terminal);
        }
    }
}

/// Copies text to the terminal's clipboard (OSC 52), also over ssh; terminals without OSC 52 ignore it.
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

/// Opens the drawn part of the terminal. ratatui's default viewport would be the whole terminal; a fixed one does not
/// resize.
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
        // Errors are ignored: a closed terminal needs no restoration.
        let mut out = io::stdout();
        let _ = give_back_bytes().and_then(|bytes| out.write_all(&bytes)).and_then(|()| out.flush());
        let _ = disable_raw_mode();
        TAKEN.store(false, Ordering::SeqCst);
    }
}
