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
    File(Box<BufReader<File>>),
    Stdin(BufReader<io::Stdin>),
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
                (name, Lines::File(Box::new(BufReader::new(file))))
            }
            Source::Stdin => {
                ("standard input".to_owned(), Lines::Stdin(BufReader::new(io::stdin())))
            }
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
            let Some(line) = lines.next().with_context(|| name.clone())? else { break };
            let Some((reply, next)) = shell.run(&line) else { continue };
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
            Self::File(reader) => reader.buffer().is_empty(),
            Self::Stdin(reader) => reader.buffer().is_empty(),
        }
    }

    fn next(&mut self) -> io::Result<Option<String>> {
        match self {
            Self::Given(lines) => Ok(lines.next()),
            Self::File(reader) => read_line(reader),
            Self::Stdin(reader) => read_line(reader),
        }
    }
}

/// The next line without its ending. Of a line that is too long only so much is kept that the engine can refuse it.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut seen = false;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        seen = true;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = (MAX_LINE_BYTES + 2).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            break;
        }
    }
    if !seen {
        return Ok(None);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let text = String::from_utf8_lossy(&line);
    Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(mut bytes: &[u8]) -> Vec<String> {
        std::iter::from_fn(|| read_line(&mut bytes).unwrap()).collect()
    }

    #[test]
    fn lines_end_at_newlines_with_or_without_a_return() {
        assert_eq!(lines(b"sp\r\n\nmap"), ["sp", "", "map"]);
        assert_eq!(lines(b"\xef\xbb\xbfsp\n"), ["sp"]);
        assert!(lines(b"").is_empty());
    }

    #[test]
    fn a_line_without_end_is_kept_only_so_far_that_it_is_refused() {
        let mut bytes = vec![b'x'; 10 << 20];
        bytes.extend_from_slice(b"\nsp\n");
        let lines = lines(&bytes);
        assert_eq!((lines[0].len(), lines[1].as_str()), (MAX_LINE_BYTES + 2, "sp"));
    }
}
