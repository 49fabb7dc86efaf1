use engine::Problem;
use unicode_width::UnicodeWidthStr;

use crate::Style;
use crate::text::{Line, Role, visible, wrap};

/// What happened, where in the line, what an unchecked allocator would do, what to try.
pub(crate) fn lines(input: &str, problem: &Problem, style: Style) -> Vec<Line> {
    let head = format!("error[{}]: ", problem.code());
    let mut message = wrap(&format!("{head}{problem}"), style.width).into_iter();
    let first = message.next().unwrap_or_default();
    let rest = first.strip_prefix(head.trim_end()).unwrap_or_default().to_owned();
    let mut lines = vec![Line::new().put(Role::Error, head.trim_end()).text(rest)];
    lines.extend(message.map(|line| Line::of(format!("  {line}"))));
    if problem.span.end > problem.span.start && problem.span.end <= input.len() {
        lines.extend(excerpt(input, problem, style));
    }
    let label = problem.label();
    if problem.span.end <= problem.span.start && !label.is_empty() {
        lines.push(Line::detail(label));
    }
    let mut notes: Vec<_> = wrap(&problem.note(), style.width - 2)
        .into_iter()
        .map(|line| Line::of(format!("  {line}")))
        .collect();
    let hint = problem.hint();
    match notes.last_mut() {
        // Behind the note if all of it fits there.
        Some(note)
            if note.width() + " Try: ".len() + hint.width() <= style.width && !hint.is_empty() =>
        {
            *note = std::mem::take(note).text(" Try: ").put(Role::Hint, hint);
        }
        _ => {
            for (index, line) in wrap(&hint, style.width - 7).into_iter().enumerate() {
                notes.push(
                    Line::of(if index == 0 { "  Try: " } else { "       " }).put(Role::Hint, line),
                );
            }
        }
    }
    lines.extend(notes);
    lines
}

/// The line with a caret under what is wrong in it, cut to the width.
fn excerpt(input: &str, problem: &Problem, style: Style) -> Vec<Line> {
    // Of a statement over several lines, the one where it starts to be wrong.
    let start = problem.span.start.min(input.len());
    let line_start =
        input.as_bytes()[..start].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line_end = input[line_start..].find('\n').map_or(input.len(), |end| line_start + end);
    let input = &input[..line_end];
    let clip = |at: usize| (0..=at).rev().find(|&at| input.is_char_boundary(at)).unwrap_or(0);
    let (start, end) = (clip(problem.span.start), clip(problem.span.end.min(line_end)));
    let before = visible(&input[line_start..start], style.ascii);
    let marked = visible(&input[start..end], style.ascii);
    let after = visible(&input[end..], style.ascii);
    let room = style.width.saturating_sub(6).max(20);

    // Keep the marked part in sight: drop from the left what would push it out, then from the right what is too long.
    let marked = take_columns(&marked, room * 2 / 3);
    let before_room = room - marked.width();
    let dropped = before.width().saturating_sub(before_room);
    let before = match dropped {
        0 => before,
        _ => format!("…{}", drop_columns(&before, dropped + 1)),
    };
    let after_room = room.saturating_sub(before.width() + marked.width());
    let shown = take_columns(&after, after_room);
    let source = Line::of(format!("  {before}{marked}{shown}"));

    let carets = "^".repeat(marked.width().max(1));
    let mut caret = Line::of(" ".repeat(2 + before.width())).put(Role::Error, carets);
    let label = problem.label();
    if label.is_empty() {
        return vec![source, caret];
    }
    if caret.width() + 1 + label.width() <= style.width {
        caret = caret.text(format!(" {label}"));
        return vec![source, caret];
    }
    let mut lines = vec![source, caret];
    lines.extend(
        wrap(&label, style.width - 4).into_iter().map(|line| Line::of(format!("    {line}"))),
    );
    lines
}

fn take_columns(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + 2 > columns {
            break;
        }
        out.push(c);
    }
    out + "…"
}

fn drop_columns(text: &str, columns: usize) -> &str {
    let mut dropped = 0;
    for (at, c) in text.char_indices() {
        if dropped >= columns {
            return &text[at..];
        }
        dropped += c.to_string().width();
    }
    ""
}
