//! What happened, in sentences: the first line is the answer, the indented ones how it came about.

use engine::units::{Address, Count, bytes, count};
use engine::{Event, Words};

use crate::Style;
use crate::text::{Line, Role};

/// Bytes of a `read` or `write` that one line shows.
const BYTES_A_LINE: usize = 16;
/// Lines of bytes shown at most.
const BYTE_LINES: usize = 16;

pub(crate) fn lines(events: &[Event], style: Style) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = events;
    while let Some((first, behind)) = rest.split_first() {
        let details_end = behind.iter().position(is_head).unwrap_or(behind.len());
        let (own, others) = behind.split_at(details_end);
        match first {
            Event::Free { handle, .. } => lines.extend(freed(handle, own)),
            Event::Bind { name, value, words, points_to, .. } if !is_told(name, events) => {
                lines.push(Line::detail(bound(name, value, words.as_ref(), points_to.as_deref())));
            }
            Event::Bind { .. } => {}
            Event::Push { name, .. } if is_bound(name, behind) => lines.extend(push(first, true)),
            first => lines.extend(answer(first).into_iter().chain(details(first, own))),
        }
        rest = others;
    }
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}

/// Whether an event is an answer, not how one came about.
fn is_head(event: &Event) -> bool {
    !matches!(
        event,
        Event::Halve { .. }
            | Event::Split { .. }
            | Event::Merge { .. }
            | Event::Hold { .. }
            | Event::Release { .. }
            | Event::List { .. }
            | Event::Strand { .. }
            | Event::Rounded { .. }
    )
}

/// Whether a slot that was pushed is a variable of Rust.
fn is_bound(slot: &str, behind: &[Event]) -> bool {
    behind.iter().any(|event| matches!(event, Event::Bind { name, .. } if **name == *slot))
}

/// A variable's value, and what its words say.
fn bound(name: &str, value: &str, words: Option<&Words>, points_to: Option<&str>) -> String {
    match (words, points_to) {
        (Some(Words::Vec { capacity, pointer, length }), to) => {
            let to =
                to.map_or_else(|| "to no block yet".to_owned(), |to| format!("{pointer} ({to})"));
            let value =
                if *length == 0 { String::new() } else { format!(": {}", shortened(value)) };
            let (capacity, length) = (Count(*capacity), Count(*length));
            format!("{name} holds capacity {capacity}, pointer {to}, length {length}{value}")
        }
        (Some(Words::Slice { pointer, length }), to) => {
            let (to, length) = (led_to(*pointer, to), Count(*length));
            format!("{name} holds pointer {to}, length {length}: {}", shortened(value))
        }
        (Some(Words::Dyn { pointer, vtable, of }), to) => {
            let to = led_to(*pointer, to);
            let value = shortened(value);
            format!("{name} holds pointer {to}, vtable {vtable} of {of}: {value}")
        }
        (None, Some(to)) => format!("{name} points to {to}: {}", shortened(value)),
        (None, None) => format!("{name}: {}", shortened(value)),
    }
}

/// An address, and whose it is if that is known.
fn led_to(pointer: Address, owner: Option<&str>) -> String {
    owner.map_or_else(|| pointer.to_string(), |owner| format!("{pointer} ({owner})"))
}

/// Whether the push of a variable told its value already.
fn is_told(variable: &str, events: &[Event]) -> bool {
    events.iter().any(
        |event| matches!(event, Event::Push { name, literal: Some(_), .. } if **name == *variable),
    )
}

/// A value that may be long.
fn shortened(value: &str) -> String {
    const SHOWN: usize = 40;
    match value.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

fn named(name: &str, address: Address) -> Line {
    Line::new().name(name).text(" = ").address(address)
}

fn answer(event: &Event) -> Vec<Line> {
    match event {
        Event::Alloc { handle, address, size_bytes, align_bytes, zeroed, .. } => {
            let contents = if *zeroed { "all zero" } else { "contents unset" };
            let size = bytes(*size_bytes);
            vec![
                named(handle, *address)
                    .text(format!(": {size} on the heap, align {align_bytes}, {contents}.")),
            ]
        }
        Event::Realloc { handle, from, address, old_bytes, size_bytes, moved, .. } => {
            let sizes = format!("{} to {}", Count(*old_bytes), bytes(*size_bytes));
            if *moved {
                vec![
                    named(handle, *address).text(format!(": {sizes}, moved from {from}.")),
                    Line::detail(
                        "Its bytes went along; the old address is dead, and so is every alias to it.",
                    ),
                ]
            } else {
                vec![named(handle, *address).text(format!(": {sizes}, in place."))]
            }
        }
        Event::Write { name, address, bytes: written, literal, .. } => {
            let what = match literal {
                Some(literal) => literal.clone(),
                None => bytes_in_line(written),
            };
            let head =
                Line::new().text(format!("{} of ", bytes(written.len() as u64))).name(&**name);
            vec![head.text(" written at ").address(*address).text(format!(": {what}."))]
        }
        Event::Read { name, offset, address, bytes: read, value, more_bytes } => {
            read_lines(name, *offset, *address, read, value.as_deref(), *more_bytes)
        }
        Event::Alias { name, of, address, on_heap } => vec![
            named(name, *address).text(": a second pointer to ").name(&**of).text("."),
            Line::detail(if *on_heap {
                "One block, two names: freed through either, it is gone for both."
            } else {
                "One slot, two names: popped, it is gone for both."
            }),
        ],
        Event::Use { heap, address, size_bytes, lost_blocks, limits } => {
            let size = bytes(*size_bytes);
            let mut lines = if *limits {
                vec![
                    Line::of(format!("{heap}, empty: at most {size} may be live at once.")),
                    Line::detail(
                        "Real answers, measured: they differ from run to run, and are kept in the log.",
                    ),
                ]
            } else {
                let line = Line::of(format!("{heap} over a fresh arena: {size} from "));
                vec![line.address(*address).text(".")]
            };
            if *lost_blocks > 0 {
                let whose = if *lost_blocks == 1 { "its handle is" } else { "their handles are" };
                lines.push(Line::detail(format!(
                    "{} of the old arena went with it; {whose} stale.",
                    count(*lost_blocks, "block")
                )));
            }
            lines
        }
        Event::Grow { added_bytes, size_bytes, .. } => {
            vec![Line::of(format!(
                "The heap grew by {} to {}; no block moved.",
                Count(*added_bytes),
                bytes(*size_bytes)
            ))]
        }
        Event::Mark { name, address } => {
            vec![
                named(name, *address)
                    .text(": the top now. ")
                    .put(Role::Hint, format!("reset {name}"))
                    .text(" comes back here."),
            ]
        }
        Event::Reset { address, blocks, size_bytes, free_bytes } => vec![
            Line::of("Top back to ").address(*address).text(format!(
                ": {} gone, {} free.",
                count(*blocks, "block"),
                bytes(*free_bytes)
            )),
            Line::detail(format!(
                "One assignment for {}. Nothing was visited, nothing erased.",
                bytes(*size_bytes)
            )),
        ],
        Event::Push { .. } => push(event, false),
        Event::Pop { name, address, size_bytes, padding_bytes, sp } => {
            let padding = if *padding_bytes > 0 {
                format!(" and {padding_bytes} of padding")
            } else {
                String::new()
            };
            vec![
                Line::new()
                    .name(&**name)
                    .text(" popped: sp = ")
                    .address(*sp)
                    .text(", as before its push."),
                Line::detail(format!(
                    "{}{padding} from {address} on are dead, not erased: a later push may write over them.",
                    bytes(*size_bytes)
                )),
            ]
        }
        Event::Call {
            name,
            return_address,
            address,
            padding_bytes,
            frame_pointer,
            locals_bytes,
            sp_before,
            sp,
        } => {
            let mut parts = vec![format!("Return address {return_address} at {address}")];
            if let Some(at) = frame_pointer {
                parts.push(format!("the caller's frame pointer at {at}"));
            }
            if *locals_bytes > 0 {
                parts.push(format!("{} of locals at {sp}, unset", bytes(*locals_bytes)));
            }
            if *padding_bytes > 0 {
                parts.push(format!("{padding_bytes} of padding"));
            }
            let size = bytes(sp_before.0 - sp.0 - padding_bytes);
            vec![
                Line::new()
                    .name(&**name)
                    .text(format!(" called: a frame of {size}, sp = "))
                    .address(*sp)
                    .text("."),
                Line::detail(format!("{}.", parts.join("; "))),
            ]
        }
        Event::Ret { name, return_address, line, slots, size_bytes, sp } => {
            let with = if *slots > 0 {
                format!(", {} among them", count(*slots, "slot"))
            } else {
                String::new()
            };
            vec![
                Line::new()
                    .name(&**name)
                    .text(format!(" returned to {return_address}, after line {line}: sp = "))
                    .address(*sp)
                    .text("."),
                Line::detail(format!(
                    "{} are dead at once{with}. Nothing was erased.",
                    bytes(*size_bytes)
                )),
            ]
        }
        Event::StackNew { size_bytes, start, end } => {
            vec![Line::of(format!(
                "A fresh stack of {}: from {start} down to {end}.",
                bytes(*size_bytes)
            ))]
        }
        Event::Undo { steps, last, line } => {
            let last = clipped(last);
            let what = if *steps == 1 {
                format!("Undone: {last}")
            } else {
                format!("{} undone, back to before: {last}", count(*steps, "step"))
            };
            vec![Line::of(format!("{what}. {}", state_after(*line)))]
        }
        Event::Redo { steps, last, line } => {
            let last = clipped(last);
            let what = if *steps == 1 {
                format!("Done again: {last}")
            } else {
                format!("{} done again, the last: {last}", count(*steps, "step"))
            };
            vec![Line::of(format!("{what}. {}", state_after(*line)))]
        }
        Event::Goto { line, of } => {
            let rest = of - line;
            let ahead = if rest > 0 {
                format!(" {} can be redone.", count(rest, "line"))
            } else {
                String::new()
            };
            vec![Line::of(format!("{}{ahead}", state_after(*line)))]
        }
        Event::New { lines } => {
            vec![Line::of(format!("A new session; the old one had {}.", count(*lines, "line")))]
        }
        Event::Save { file, lines } => {
            vec![Line::of(format!("{} saved to {file}.", count(*lines, "line")))]
        }
        Event::Open { file, lines } => {
            vec![Line::of(format!("{file} opened: {}.", count(*lines, "line")))]
        }
        Event::Export { file, format, lines } => {
            vec![Line::of(format!(
                "{} and the replies written to {file} as {format}.",
                count(*lines, "line")
            ))]
        }
        Event::Print { text } => text.lines().map(Line::of).collect(),
        Event::Value { ty, value } => {
            vec![Line::of(format!("{}: {ty}", shortened(value)))]
        }
        Event::Drop { name } => vec![Line::new().name(&**name).text(" dropped.")],
        Event::More { events } => {
            vec![Line::detail(format!("… and {} more.", count(*events, "event")))]
        }
        Event::Panic { .. } | Event::Bind { .. } | Event::Clear {} | Event::Quit {} => Vec::new(),
        Event::Free { .. }
        | Event::Rounded { .. }
        | Event::Halve { .. }
        | Event::Split { .. }
        | Event::Merge { .. }
        | Event::Hold { .. }
        | Event::Release { .. }
        | Event::List { .. }
        | Event::Strand { .. } => {
            unreachable!("{event:?} follows another event")
        }
    }
}

/// A typed line, short enough for a sentence.
fn clipped(line: &str) -> String {
    match line.char_indices().nth(30) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

fn state_after(line: u64) -> String {
    if line == 0 {
        "The state is that of the start.".into()
    } else {
        format!("The state is that after line {line}.")
    }
}

fn push(event: &Event, is_variable: bool) -> Vec<Line> {
    let Event::Push {
        name,
        address,
        size_bytes,
        align_bytes,
        padding_bytes,
        value,
        ty,
        literal,
        sp_before,
    } = event
    else {
        unreachable!("called for pushes alone")
    };
    let contents = match (value, literal) {
        (Some(value), _)
            if value.starts_with('[') && value.chars().all(|c| "[0., …]".contains(c)) =>
        {
            "all zero".into()
        }
        (_, Some(literal)) => format!("value {literal}"),
        _ => match ty {
            Some(ty) if is_variable => format!("type {ty}"),
            _ => "contents unset".into(),
        },
    };
    let lowest = Address(sp_before.0 - size_bytes);
    let sum = format!("sp: {sp_before} - {} = {lowest}", Count(*size_bytes));
    let detail = if *padding_bytes > 0 {
        format!("{sum}, down to a multiple of {align_bytes}: {padding_bytes} padding.")
    } else {
        format!("{sum}. No search, no header.")
    };
    let size = bytes(*size_bytes);
    vec![
        named(name, *address)
            .text(format!(": {size} on the stack, align {align_bytes}, {contents}.")),
        Line::detail(detail),
    ]
}

/// An allocator's name at the start of a sentence.
pub(crate) fn sentence_case(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// How `first` came about: a line each.
fn details(first: &Event, rest: &[Event]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut released: Option<&str> = None;
    for event in rest {
        match event {
            Event::Release { handle, .. } => {
                released = Some(handle.as_deref().unwrap_or("a block"));
            }
            Event::Merge { freed_bytes, size_bytes, fits_bytes, in_front, behind, .. }
                if released.is_some() =>
            {
                let joined = joined(*freed_bytes, *size_bytes, *fits_bytes, *in_front, *behind);
                let name = released.take().unwrap_or_default();
                lines.push(Line::detail(format!("{name}, held back until now: {joined}")));
            }
            event => lines.extend(detail(first, event)),
        }
    }
    lines
}

/// How `first` came about.
fn detail(first: &Event, event: &Event) -> Option<Line> {
    Some(Line::detail(match event {
        Event::Split {
            heap,
            padding_bytes,
            header_bytes,
            payload_bytes,
            slack_bytes,
            remaining_bytes,
            ..
        } => {
            let taken = header_bytes + payload_bytes;
            let mut parts = Vec::new();
            if *header_bytes > 0 {
                parts.push(format!("{header_bytes} header"));
            }
            parts.push(Count(payload_bytes - slack_bytes).to_string());
            if *slack_bytes > 0 {
                parts.push(format!("{slack_bytes} slack"));
            }
            let parts =
                if parts.len() > 1 { format!(" ({})", parts.join(" + ")) } else { String::new() };
            let skipped = match padding_bytes {
                0 => String::new(),
                padding => format!("skipped {} to align, then ", bytes(*padding)),
            };
            let hole = match first {
                Event::Realloc { moved: false, .. } => "the hole behind",
                _ => "the hole",
            };
            let heap = sentence_case(heap);
            match remaining_bytes {
                0 => format!("{heap} {skipped}took all {} of {hole}{parts}.", bytes(taken)),
                rest => format!(
                    "{heap} {skipped}cut {}{parts} from {hole}; {} remain.",
                    bytes(taken),
                    Count(*rest)
                ),
            }
        }
        Event::Rounded { asked_bytes, size_bytes } => {
            let (asked, size) = (Count(*asked_bytes), Count(*size_bytes));
            format!("{asked} is no multiple of 16: rounded up to {size}.")
        }
        Event::Merge { freed_bytes, size_bytes, fits_bytes, in_front, behind, .. } => {
            let what = match first {
                Event::Realloc { moved: true, .. } => "Of the old place,",
                Event::Realloc { .. } => "Of the tail,",
                _ => "Of what is new,",
            };
            let joined = joined(*freed_bytes, *size_bytes, *fits_bytes, *in_front, *behind);
            format!("{what} {joined}")
        }
        Event::Halve { heap, from_bytes, to_bytes, times } => {
            let times = match times {
                1 => "once".to_owned(),
                2 => "twice".to_owned(),
                times => format!("{times} times"),
            };
            let (from, to) = (Count(*from_bytes), bytes(*to_bytes));
            format!("{} halved a hole of {from} {times}, to {to}.", sentence_case(heap))
        }
        Event::Hold { heap, size_bytes, .. } => {
            format!("{} holds its {} back for now.", sentence_case(heap), bytes(*size_bytes))
        }
        Event::Strand { heap, size_bytes, .. } => {
            format!(
                "{} cannot reuse the {} left behind before a reset.",
                sentence_case(heap),
                bytes(*size_bytes)
            )
        }
        _ => return None,
    }))
}

/// What became of freed bytes.
fn joined(freed: u64, size: u64, fits: u64, in_front: bool, behind: bool) -> String {
    let (freed_bytes, size, fits) = (bytes(freed), Count(size), Count(fits));
    let (join, become_) = if freed == 1 { ("joins", "becomes") } else { ("join", "become") };
    match (in_front, behind) {
        (false, false) => format!("{freed_bytes} {become_} a hole, fits {fits}."),
        (false, true) => {
            format!("{freed_bytes} {join} the hole behind: one hole of {size}, fits {fits}.")
        }
        (true, false) => {
            format!("{freed_bytes} {join} the hole in front: one hole of {size}, fits {fits}.")
        }
        (true, true) => {
            format!("{freed_bytes} {join} the holes on both sides: one of {size}, fits {fits}.")
        }
    }
}

fn freed(handle: &str, rest: &[Event]) -> Vec<Line> {
    let head = Line::new().name(handle);
    match rest.first() {
        Some(Event::Merge {
            freed_bytes, size_bytes, fits_bytes, in_front, behind, links, ..
        }) => {
            let joined = joined(*freed_bytes, *size_bytes, *fits_bytes, *in_front, *behind);
            let bytes = if *links && !in_front {
                format!(
                    "The allocator's links overwrote {handle}'s first bytes; the rest is untouched."
                )
            } else if *links {
                format!("{handle}'s bytes are untouched; the hole's links lie in front of them.")
            } else {
                format!("The top moved down; {handle}'s bytes are untouched.")
            };
            vec![head.text(format!(" freed: {joined}")), Line::detail(bytes)]
        }
        Some(Event::Strand { heap, size_bytes, .. }) => vec![
            head.text(format!(
                " freed, but {heap} cannot reuse its {} before a reset.",
                bytes(*size_bytes)
            )),
            Line::detail("Only the last block can come back by itself. The bytes are untouched."),
        ],
        Some(hold @ Event::Hold { size_bytes, .. }) => {
            let held = format!(" freed: the guard keeps its {} back for now.", bytes(*size_bytes));
            let poison = "It filled them with poison; a late use meets that, and no new owner.";
            let mut lines = vec![head.text(held), Line::detail(poison)];
            lines.extend(details(hold, &rest[1..]));
            lines
        }
        Some(Event::List { slot_bytes, .. }) => vec![
            head.text(format!(
                " freed: its slot of {} is the first of its list, for the next of that size.",
                bytes(*slot_bytes)
            )),
            Line::detail(format!(
                "The list's link overwrote {handle}'s first bytes; the rest is untouched."
            )),
        ],
        _ => vec![head.text(" freed.")],
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}

/// The bytes as text, if every one is a printable ASCII character.
fn as_text(bytes: &[u8]) -> Option<String> {
    let printable = bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    (printable && !bytes.is_empty()).then(|| format!("{:?}", String::from_utf8_lossy(bytes)))
}

pub(crate) fn bytes_in_line(bytes: &[u8]) -> String {
    if bytes.len() > BYTES_A_LINE {
        return format!("{} …", hex(&bytes[..BYTES_A_LINE]));
    }
    match as_text(bytes) {
        Some(text) => format!("{} {text}", hex(bytes)),
        None => hex(bytes),
    }
}

fn read_lines(
    name: &str,
    offset: u64,
    address: Address,
    read: &[u8],
    value: Option<&str>,
    more: u64,
) -> Vec<Line> {
    let len = read.len() as u64;
    let more = if more > 0 { format!("; {} more", Count(more)) } else { String::new() };
    if let Some(value) = value {
        let shown =
            if read.len() <= BYTES_A_LINE { format!(" ({})", hex(read)) } else { String::new() };
        let value: String = if value.len() > 60 {
            value.chars().take(60).chain(['…']).collect()
        } else {
            value.into()
        };
        return vec![Line::new().name(name).text(format!(" = {value}{shown}"))];
    }
    let head = Line::of(format!("{} of ", bytes(len))).name(name).text(" at ").address(address);
    if read.len() <= BYTES_A_LINE {
        return vec![head.text(format!(": {}{more}.", bytes_in_line(read)))];
    }
    let mut lines = vec![head.text(format!("{more}:"))];
    for (index, chunk) in read.chunks(BYTES_A_LINE).take(BYTE_LINES).enumerate() {
        let at = offset + (index * BYTES_A_LINE) as u64;
        let text = as_text(chunk).map_or_else(String::new, |text| format!("  {text}"));
        lines.push(
            Line::new()
                .put(Role::Dim, format!("  {:>6}  ", Count(at)))
                .text(hex(chunk))
                .put(Role::Dim, text),
        );
    }
    let hidden = read.len().saturating_sub(BYTES_A_LINE * BYTE_LINES);
    if hidden > 0 {
        lines.push(Line::detail(format!("… {} more", Count(hidden as u64))));
    }
    lines
}
