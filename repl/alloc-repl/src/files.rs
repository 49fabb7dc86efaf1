//! Files: read with a bound, replaced whole or not at all.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The largest session that is opened: a log of a million lines of ordinary length fits.
const MAX_SESSION_BYTES: u64 = 256 << 20;

/// What went wrong, in the system's words, without its error number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Opens a file for reading; a directory is an error now, not at the first read.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "Is a directory"));
    }
    Ok(file)
}

/// Whether what is read next is the first line of a saved session.
pub(crate) fn is_session(file: impl Read) -> bool {
    let mut start = Vec::new();
    let header = engine::SESSION_HEADER.as_bytes();
    file.take(header.len() as u64).read_to_end(&mut start).is_ok() && start == header
}

/// The text of a file. What is not UTF-8 becomes the replacement character, which the engine refuses by its line.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    // Looked at before it is opened: opening a pipe waits for whoever writes to it.
    let metadata = path.metadata()?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no ordinary file"));
    }
    open(path)?.take(MAX_SESSION_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SESSION_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "larger than 256 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The text of a journal; a last line that a crash cut short is left out.
pub(crate) fn read_journal(path: &Path) -> io::Result<String> {
    let mut text = read(path)?;
    text.truncate(text.rfind('\n').map_or(0, |at| at + 1));
    Ok(text)
}

/// Puts `text` in place of the file at `path`, if there is one: readers see the old or the new, never half.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // What is no regular file, such as /dev/stdout, is written to rather than replaced.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        return File::create(path)?.write_all(text.as_bytes());
    }
    // A link stays a link: the file behind it is replaced.
    let path: PathBuf = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if path.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "Is a directory"));
    }
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = temporary_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// A file to fill and rename, with the permissions a plain `File::create` would give, less the umask.
#[cfg(unix)]
fn temporary_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o666);
    tempfile::Builder::new().permissions(permissions).tempfile_in(folder)
}

/// A file to fill and rename.
#[cfg(not(unix))]
fn temporary_in(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(folder)
}
