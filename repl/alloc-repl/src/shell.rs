//! What prompt and scripts share: a session, the way to print its replies, and the requests it makes.

use std::io::Write;
use std::path::Path;

use engine::{Ask, Done, ExportFormat, Failure, Reply, Request, Session, Turn};
use render::Style;

use crate::store::Store;
use crate::{child, files};

/// How replies are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Text(Style),
    Json,
}

/// A session with a terminal or a file around it.
pub(crate) struct Shell {
    pub(crate) session: Session,
    pub(crate) format: Format,
    pub(crate) store: Store,
}

/// What is to be done after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    GoOn,
    Clear,
    Quit,
}

impl Shell {
    pub(crate) fn new(session: Session, format: Format, store: Store) -> Self {
        Self { session, format, store }
    }

    /// Runs a line and whatever it asks for. `None` if the line is blank.
    pub(crate) fn run(&mut self, line: &str) -> Option<(Reply, Next)> {
        match self.session.run(line) {
            Turn::Blank => None,
            Turn::Reply(reply) => Some((reply, Next::GoOn)),
            Turn::Ask(request) => Some(self.fulfil(request)),
        }
    }

    /// Runs a line of a saved session: what it asked for was done when it was typed, and is not done again.
    pub(crate) fn run_again(&mut self, line: &str) -> Option<(Reply, Next)> {
        match self.session.run(line) {
            Turn::Blank => None,
            Turn::Reply(reply) => Some((reply, Next::GoOn)),
            Turn::Ask(request) => {
                Some((self.session.answer(request, Ok(Done::Performed)), Next::GoOn))
            }
        }
    }

    fn fulfil(&mut self, request: Request) -> (Reply, Next) {
        let (next, result) = match &request.ask {
            Ask::Dare { line } => {
                let dared = child::dare(&self.session.saved(), line);
                let dared = dared.map_err(|error| Failure { reason: files::reason(&error) });
                (Next::GoOn, dared)
            }
            Ask::Clear => (Next::Clear, Ok(Done::Performed)),
            Ask::Quit => (Next::Quit, Ok(Done::Performed)),
            Ask::Save { file } => (Next::GoOn, performed(self.save(file.as_ref()))),
            Ask::Export { format, file } => {
                let text = self.exported(*format);
                (Next::GoOn, performed(files::replace(file.as_ref(), &text)))
            }
            Ask::Open { file } => (Next::GoOn, self.read(file)),
        };
        (self.session.answer(request, result), next)
    }

    /// Saves the session, but never over a file that is something else.
    fn save(&self, path: &Path) -> std::io::Result<()> {
        // Only an ordinary file is read: a pipe or a terminal would wait for input.
        let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
        if is_file && files::open(path).is_ok_and(|file| !files::is_session(file)) {
            let reason = "is there already, and is no saved session";
            return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, reason));
        }
        files::replace(path, &self.session.saved())
    }

    fn read(&self, file: &str) -> Result<Done, Failure> {
        let failed = |error: std::io::Error| Failure { reason: files::reason(&error) };
        if file != "last" {
            let text = files::read(file.as_ref()).map_err(failed)?;
            return Ok(Done::Read { file: file.to_owned(), text });
        }
        let path = self.store.last_session().map_err(failed)?;
        let path = path
            .ok_or_else(|| Failure { reason: "no session was kept before this one".to_owned() })?;
        let text = files::read_journal(&path).map_err(failed)?;
        Ok(Done::Read { file: path.display().to_string(), text })
    }

    /// The log with its replies.
    fn exported(&self, format: ExportFormat) -> String {
        let transcript = self.session.transcript();
        let style = Style::default();
        let text =
            || transcript.iter().map(|reply| style.exchange(reply)).collect::<Vec<_>>().join("\n");
        match format {
            ExportFormat::Text => text(),
            ExportFormat::Markdown => render::markdown(&text()),
            ExportFormat::Json => {
                transcript.iter().map(|reply| render::json(reply) + "\n").collect()
            }
        }
    }

    /// The reply as it is printed at the prompt: without the line that was typed.
    pub(crate) fn text(&self, reply: &Reply) -> String {
        match self.format {
            Format::Text(style) => style.reply(reply),
            Format::Json => render::json(reply) + "\n",
        }
    }

    /// The line and its reply as a transcript.
    pub(crate) fn print_exchange(
        &self,
        out: &mut impl Write,
        reply: &Reply,
    ) -> std::io::Result<()> {
        match self.format {
            Format::Text(style) => out.write_all(style.exchange(reply).as_bytes()),
            Format::Json => out.write_all((render::json(reply) + "\n").as_bytes()),
        }
    }
}

fn performed(result: std::io::Result<()>) -> Result<Done, Failure> {
    match result {
        Ok(()) => Ok(Done::Performed),
        Err(error) => Err(Failure { reason: files::reason(&error) }),
    }
}
