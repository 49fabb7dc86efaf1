//! What is kept between runs, in the XDG state directory or its counterpart: typed lines, and sessions as they go.
//!
//! ```text
//! alloc-repl/history            the last lines typed, oldest first; replaced whole, under a lock
//! alloc-repl/sessions/000042    one journal a session: a line is added as soon as it is accepted
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::files;

/// Typed lines kept.
const MAX_LINES: usize = 1000;
/// Bytes of the longest line kept.
const MAX_LINE_BYTES: usize = 4096;
/// Sessions kept, this one included.
const MAX_SESSIONS: usize = 20;

/// The state directory, and this session's journal in it.
pub(crate) struct Store {
    folder: Result<PathBuf, String>,
    journal: Option<(PathBuf, File)>,
}

impl Store {
    /// Finds the directory; nothing is made before something is kept.
    pub(crate) fn locate() -> Self {
        let folder = etcetera::base_strategy::choose_native_strategy()
            .map(|strategy| {
                strategy.state_dir().unwrap_or_else(|| strategy.data_dir()).join("alloc-repl")
            })
            .map_err(|_| "no home directory".to_owned())
            .and_then(|folder| {
                if folder.is_absolute() {
                    Ok(folder)
                } else {
                    Err("HOME is no absolute path".to_owned())
                }
            });
        Self { folder, journal: None }
    }

    fn folder(&self) -> io::Result<&Path> {
        match &self.folder {
            Ok(folder) => Ok(folder),
            Err(reason) => Err(io::Error::other(reason.clone())),
        }
    }

    // Typed lines.

    /// The lines typed before, by whichever prompt.
    pub(crate) fn history(&self) -> io::Result<Vec<String>> {
        match files::read(&self.folder()?.join("history")) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Adds a typed line. Two prompts may do so at once: each reads, adds and replaces under one lock.
    pub(crate) fn remember(&self, line: &str) -> io::Result<()> {
        if line.len() > MAX_LINE_BYTES || line.contains('\n') {
            return Ok(());
        }
        let folder = self.folder()?;
        std::fs::create_dir_all(folder)?;
        let lock = File::create(folder.join("history.lock"))?;
        lock.lock()?;
        let mut lines = self.history()?;
        if lines.last().is_some_and(|last| last == line) {
            return Ok(());
        }
        lines.push(line.to_owned());
        let kept = &lines[lines.len().saturating_sub(MAX_LINES)..];
        files::replace(&folder.join("history"), &(kept.join("\n") + "\n"))
    }

    // Sessions.

    /// Adds an accepted line, as [`engine::Session::journaled`] gives it, to this session's journal. The first makes the
    /// file, with `saved`, the log so far.
    pub(crate) fn note(&mut self, text: &str, saved: impl FnOnce() -> String) -> io::Result<()> {
        if let Some((_, file)) = &mut self.journal {
            return file.write_all(text.as_bytes());
        }
        let (path, mut file) = self.new_journal()?;
        file.write_all(saved().as_bytes())?;
        self.journal = Some((path, file));
        Ok(())
    }

    /// The next line starts another journal.
    pub(crate) fn start_over(&mut self) {
        self.journal = None;
    }

    /// The newest journal of a session that is over: each prompt holds its own under a lock while it runs.
    pub(crate) fn last_session(&self) -> io::Result<Option<PathBuf>> {
        let journals = match self.journals() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            journals => journals?,
        };
        Ok(journals.into_iter().rev().map(|(_, path)| path).find(|path| is_over(path)))
    }

    fn new_journal(&self) -> io::Result<(PathBuf, File)> {
        let folder = self.folder()?.join("sessions");
        std::fs::create_dir_all(&folder)?;
        let kept = self.journals()?;
        let surplus = (kept.len() + 1).saturating_sub(MAX_SESSIONS);
        for (_, path) in &kept[..surplus] {
            if is_over(path) {
                // Another prompt may have been faster.
                let _ = std::fs::remove_file(path);
            }
        }
        let mut number = kept.last().map_or(1, |(number, _)| number + 1);
        loop {
            let path = folder.join(format!("{number:06}"));
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    file.lock()?;
                    return Ok((path, file));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The journals there are, the oldest first.
    fn journals(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut journals = Vec::new();
        for entry in std::fs::read_dir(self.folder()?.join("sessions"))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            if let Some(number) = name.and_then(|name| name.parse().ok()) {
                journals.push((number, path));
            }
        }
        journals.sort();
        Ok(journals)
    }
}

/// Whether no prompt writes to the journal any more.
fn is_over(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &Path) -> Store {
        Store { folder: Ok(folder.to_owned()), journal: None }
    }

    #[test]
    fn two_prompts_that_type_at_once_lose_no_line() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for prompt in 0..2 {
                let store = store(folder.path());
                scope.spawn(move || {
                    for i in 0..50 {
                        store.remember(&format!("alloc {i} as p{prompt}")).unwrap();
                    }
                });
            }
        });
        let lines = store(folder.path()).history().unwrap();
        for prompt in 0..2 {
            let own: Vec<_> =
                lines.iter().filter(|line| line.ends_with(&format!("p{prompt}"))).collect();
            assert_eq!(own.len(), 50, "in order: {own:?}");
            assert!(
                own.iter().enumerate().all(|(i, line)| line.starts_with(&format!("alloc {i} ")))
            );
        }
    }

    #[test]
    fn the_history_is_bounded_and_repeats_no_line_twice_in_a_row() {
        let folder = tempfile::tempdir().unwrap();
        let all: Vec<_> = (0..MAX_LINES).map(|i| i.to_string()).collect();
        std::fs::write(folder.path().join("history"), all.join("\n") + "\n").unwrap();
        let store = store(folder.path());
        for line in ["map", "map", "sp"] {
            store.remember(line).unwrap();
        }
        store.remember(&"x".repeat(MAX_LINE_BYTES + 1)).unwrap();
        let lines = store.history().unwrap();
        assert_eq!(
            (lines.len(), &lines[MAX_LINES - 2..]),
            (MAX_LINES, &["map".to_owned(), "sp".to_owned()][..])
        );
    }

    #[test]
    fn the_last_session_is_the_newest_that_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let (mut first, mut second) = (store(folder.path()), store(folder.path()));
        assert_eq!(first.last_session().unwrap(), None);
        first.note("alloc 8", || "header\nalloc 8\n".into()).unwrap();
        first.note("free a\n", || unreachable!("the journal is there")).unwrap();
        second.note("sp", || "header\nsp\n".into()).unwrap();
        for prompt in [&first, &second] {
            assert_eq!(prompt.last_session().unwrap(), None, "both still run");
        }
        drop(first);
        let last = second.last_session().unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(last).unwrap(), "header\nalloc 8\nfree a\n");
    }

    #[test]
    fn only_the_newest_sessions_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..MAX_SESSIONS + 5 {
            store(folder.path()).note("sp", || format!("{i}\n")).unwrap();
        }
        let kept = store(folder.path()).journals().unwrap();
        assert_eq!(kept.len(), MAX_SESSIONS);
        assert_eq!(kept.last().unwrap().0 as usize, MAX_SESSIONS + 5);
    }
}
