//! Runs without a prompt: `-c`, files, pipes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};

use anyhow::Context;
use engine::MAX_LINE_BYTES;

use crate::arguments::Source;
use crate::files;
use crate::shell::{Next, Shell};

/// Lines to run, from wherever.
enum Lines {
    Given(std::vec::IntoIter<String>),
    /// A script, or a saved session run as one.
    File {
        reader: Box<LineReader<BufReader<File>>>,
        is_session: bool,
    },
    Stdin(LineReader<BufReader<io::Stdin>>),
}

/// Runs every line of every source, and says whether all were accepted.
///
/// # Errors
///
/// A file that cannot be opened, before anything has run; a read or a write that fails.
pub(crate) fn run(
    shell: &mut Shell,
    sources: Vec<Source>,
    keep_going: bool,
) -> anyhow::Result<bool> {
    let mut opened = Vec::new();
    for source in sources {
        opened.push(match source {
            Source::Lines(text) => {
                let lines: Vec<_> = engine::split(&text).into_iter().map(str::to_owned).collect();
                (String::new(), Lines::Given(lines.into_iter()))
            }
            Source::File(path) => {
                let name = path.display().to_string();
                let file = files::open(&path)
                    .map_err(|error| anyhow::anyhow!("{name}: {}", files::reason(&error)))?;
                let mut reader = BufReader::new(file);
                let is_session = reader.fill_buf().is_ok_and(files::is_session);
                (name, Lines::File { reader: Box::new(LineReader::new(reader)), is_session })
            }
            Source::Stdin => (
                "standard input".to_owned(),
                Lines::Stdin(LineReader::new(BufReader::new(io::stdin()))),
            ),
        });
    }

    let mut out = BufWriter::new(io::stdout().lock());
    let mut all_accepted = true;
    let mut is_first = true;
    'sources: for (name, mut lines) in opened {
        loop {
            // Before waiting for input, show what there is.
            if lines.would_wait() {
                out.flush()?;
            }
            let Some(mut line) = lines.next().with_context(|| name.clone())? else { break };
            while engine::is_unfinished(&line) {
                let Some(more) = lines.next().with_context(|| name.clone())? else { break };
                line.push('\n');
                line.push_str(&more);
            }
            let answered = match lines {
                Lines::File { is_session: true, .. } => shell.run_again(&line),
                _ => shell.run(&line),
            };
            let Some((reply, next)) = answered else { continue };
            if !is_first && matches!(shell.format, crate::shell::Format::Text(_)) {
                out.write_all(b"\n")?;
            }
            is_first = false;
            shell.print_exchange(&mut out, &reply)?;
            all_accepted &= reply.is_ok();
            if next == Next::Quit || !(reply.is_ok() || keep_going) {
                break 'sources;
            }
        }
    }
    out.flush()?;
    Ok(all_accepted)
}

impl Lines {
    fn would_wait(&self) -> bool {
        match self {
            Self::Given(_) => false,
            Self::File { reader, .. } => reader.reader.buffer().is_empty(),
            Self::Stdin(reader) => reader.reader.buffer().is_empty(),
        }
    }

    fn next(&mut self) -> io::Result<Option<String>> {
        match self {
            Self::Given(lines) => Ok(lines.next()),
            Self::File { reader, .. } => reader.next(),
            Self::Stdin(reader) => reader.next(),
        }
    }
}

/// Lines of a file or a pipe, read no further than needed.
struct LineReader<R> {
    reader: R,
    /// Whether the rest of a line that was too long is still to be passed over.
    in_long_line: bool,
}

impl<R: BufRead> LineReader<R> {
    fn new(reader: R) -> Self {
        Self { reader, in_long_line: false }
    }

    /// The next line without its ending. Of a line that is too long only so much is given that the engine refuses it.
    fn next(&mut self) -> io::Result<Option<String>> {
        while self.in_long_line {
            let mut rest = Vec::new();
            self.in_long_line = !self.take_part(&mut rest)?;
        }
        let mut line = Vec::new();
        if self.reader.fill_buf()?.is_empty() {
            return Ok(None);
        }
        while !self.take_part(&mut line)? {
            if line.len() > MAX_LINE_BYTES {
                self.in_long_line = true;
                break;
            }
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let text = String::from_utf8_lossy(&line);
        Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
    }

    /// Adds what is at hand of the line, and says whether it ended.
    fn take_part(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let buffer = self.reader.fill_buf()?;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = (MAX_LINE_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let ended = end.is_some() || buffer.is_empty();
        let used = part.len() + usize::from(end.is_some());
        self.reader.consume(used);
        Ok(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<String> {
        let mut reader = LineReader::new(bytes);
        std::iter::from_fn(|| reader.next().unwrap()).collect()
    }

    #[test]
    fn lines_end_at_newlines_with_or_without_a_return() {
        assert_eq!(lines(b"sp\r\n\nmap"), ["sp", "", "map"]);
        assert_eq!(lines(b"\xef\xbb\xbfsp\n"), ["sp"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_given_as_far_as_it_is_refused() {
        let bytes = [vec![b'x'; 10 << 20], b"\nsp\n".to_vec()].concat();
        let lines = lines(&bytes);
        assert_eq!((lines[0].len(), &lines[1..]), (MAX_LINE_BYTES + 1, &["sp".to_owned()][..]));
    }

    #[test]
    fn a_line_that_never_ends_is_given_all_the_same() {
        let mut reader = LineReader::new(BufReader::new(io::repeat(b'x')));
        assert_eq!(reader.next().unwrap().unwrap().len(), MAX_LINE_BYTES + 1);
    }
}
