//! `why`, `try`, `dare` and `frag`, drawn.

use engine::units::{Address, Count, bytes, count};
use engine::{
    CheckOutcome, ClassRow, Crash, Dare, DareRust, Deed, Ending, Frag, Probe, ProbeOutcome,
    TrapRow, Try, Why, WhyAnswer, WhyAsk, WhyNeed, WhyStep,
};

use crate::Style;
use crate::events::sentence_case;
use crate::text::{Line, Role};

// Why.

pub(crate) fn why_lines(why: &Why, style: Style) -> Vec<Line> {
    let mut lines = vec![why_heading(why)];
    lines.extend(step_lines(why));
    lines.push(why_answer(why));
    lines.extend(others_line(why));
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}

fn why_heading(why: &Why) -> Line {
    let name = &why.name;
    let mut text = match &why.ask {
        WhyAsk::Alloc { size_bytes, align_bytes, .. } if why.whole_process => format!(
            "The allocator of this process was asked for {}, align {}. It does not say how it finds them.",
            bytes(*size_bytes),
            Count(*align_bytes)
        ),
        WhyAsk::Alloc { size_bytes, .. } if why.is_foreign => {
            format!("{} asked for. The crate does not say how it finds them.", bytes(*size_bytes))
        }
        WhyAsk::Alloc { size_bytes: size, align_bytes, need } => {
            let WhyNeed { payload_bytes, header_bytes, canary_bytes } = need;
            let rounded = if payload_bytes > size {
                format!("{} is rounded up to {}", Count(*size), Count(*payload_bytes))
            } else if size.is_multiple_of(8) && *header_bytes > 0 {
                format!("{} is a multiple of 8", Count(*size))
            } else {
                bytes(*size)
            };
            let sum = Count(payload_bytes + header_bytes + canary_bytes);
            let around = match (header_bytes, canary_bytes) {
                (0, 0) => "; no header.".to_owned(),
                (header, 0) => format!("; with {header} header: {sum}."),
                (0, canary) => format!("; with {canary} canaries: {sum}."),
                (header, canary) => format!("; with {header} header and {canary} canaries: {sum}."),
            };
            let aligned = match align_bytes {
                0..=8 => String::new(),
                align => format!(" At a multiple of {}.", Count(*align)),
            };
            format!("{rounded}{around}{aligned}")
        }
        WhyAsk::Free { address, size_bytes } => {
            format!("{name}, {} at {address}, came back.", bytes(*size_bytes))
        }
        WhyAsk::Realloc { address, old_bytes, size_bytes } => {
            format!("{name} at {address}: {} to {}.", Count(*old_bytes), bytes(*size_bytes))
        }
    };
    if let (WhyAsk::Alloc { .. }, Some(order)) = (&why.ask, why.order) {
        text = format!("{text} Holes {order}:");
    }
    Line::of(text)
}

fn step_lines(why: &Why) -> Vec<Line> {
    let sizes = why.steps.iter().filter_map(|step| match step {
        WhyStep::Looked { size_bytes, .. } => Some(*size_bytes),
        _ => None,
    });
    let sizes = sizes.chain(why.unlooked.iter().map(|hole| hole.size_bytes));
    let size_width = sizes.map(|size| Count(size).to_string().len()).max().unwrap_or(0);
    let number_width = why.looked.to_string().len();
    let hole = |number: &str, address: Address, size: u64| {
        let size = Count(size).to_string();
        Line::of("  ")
            .put(Role::Dim, format!("{number:>number_width$}  "))
            .address(address)
            .put(Role::Hole, format!("  {size:>size_width$}"))
    };
    let mut lines = Vec::new();
    let (mut number, mut named) = (0, Vec::new());
    for (index, step) in why.steps.iter().enumerate() {
        match step {
            WhyStep::Looked { address, size_bytes, fits, short_bytes } => {
                number += 1;
                let cut = why
                    .steps
                    .iter()
                    .find(|step| matches!(step, WhyStep::Cut { address: at, .. } if at == address));
                let verdict = match (fits, cut) {
                    (false, _) if *short_bytes > 0 => format!("{} short", Count(*short_bytes)),
                    (false, _) => "too small once aligned".to_owned(),
                    (true, Some(cut)) => {
                        named.push(*address);
                        format!("fits; {}", cut_words(cut, &why.name))
                    }
                    (true, None) => "fits".to_owned(),
                };
                lines.push(
                    hole(&number.to_string(), *address, *size_bytes).text(format!("  {verdict}")),
                );
            }
            WhyStep::Unnamed { holes } => {
                number += holes;
                lines.push(Line::detail(format!("… and {} more", count(*holes, "hole"))));
            }
            WhyStep::Cut { address, .. } if named.contains(address) => {}
            WhyStep::Cut { address, .. } => {
                let words = cut_words(step, &why.name);
                lines.push(Line::of("  ").address(*address).text(format!("  {words}")));
            }
            step => {
                let words = step_words(step, why.steps.get(index + 1));
                lines.extend(words.map(|words| Line::of(format!("  {words}"))));
            }
        }
    }
    for unlooked in &why.unlooked {
        lines.push(
            hole("-", unlooked.address, unlooked.size_bytes).put(Role::Dim, "  not looked at"),
        );
    }
    let hidden = why.unlooked_total - why.unlooked.len() as u64;
    if hidden > 0 {
        lines.push(Line::detail(format!("… and {} not looked at", count(hidden, "hole"))));
    }
    lines
}

fn cut_words(cut: &WhyStep, name: &str) -> String {
    let WhyStep::Cut { padding_bytes, taken_bytes, remaining_bytes, .. } = cut else {
        unreachable!("{cut:?} is no cut")
    };
    let of = if name.is_empty() { String::new() } else { format!(" for {name}") };
    let padding = match padding_bytes {
        0 => String::new(),
        padding => format!("{} in front to align, ", Count(*padding)),
    };
    match remaining_bytes {
        0 => format!("{padding}took all {}{of}", Count(*taken_bytes)),
        rest => format!("{padding}split into {}{of} + {} hole", Count(*taken_bytes), Count(*rest)),
    }
}

pub(crate) fn class_words(class: &ClassRow) -> String {
    let number = match class.second {
        Some(second) => format!("list ({},{second})", class.first),
        None => format!("list {}", class.first),
    };
    match (class.min_bytes, class.max_bytes) {
        (min, max) if min == max => format!("{number}, {}", bytes(min)),
        (min, max) => format!("{number}, {} to {}", Count(min), bytes(max)),
    }
}

/// A step that is no hole's row, and is followed by `next`.
fn step_words(step: &WhyStep, next: Option<&WhyStep>) -> Option<String> {
    Some(match step {
        WhyStep::Looked { .. }
        | WhyStep::Unnamed { .. }
        | WhyStep::Cut { .. }
        | WhyStep::Rounded { .. }
        | WhyStep::Walked { holes: 0 } => return None,
        WhyStep::Class { class, found } => {
            let found = if *found { "a hole" } else { "empty" };
            format!("{}: {found}", sentence_case(&class_words(class)))
        }
        WhyStep::Skipped { zones, zone_bytes } => format!(
            "Skipped {} of {}: the index has nothing better there",
            count(*zones, "zone"),
            bytes(*zone_bytes)
        ),
        WhyStep::Walked { holes } => {
            format!("Walked past {} to its place in the list", count(*holes, "hole"))
        }
        WhyStep::Halved { address, half_bytes } => {
            format!("{address}  halved {}: two of {}", Count(2 * half_bytes), Count(*half_bytes))
        }
        WhyStep::Joined { address, freed_bytes, size_bytes, in_front, behind } => {
            let with = match (in_front, behind) {
                (false, false) => {
                    return Some(format!("{address}  {} become a hole", bytes(*freed_bytes)));
                }
                (true, true) => "the holes on both sides",
                (true, false) => "the hole in front",
                (false, true) => "the hole behind",
            };
            format!("{address}  {} join {with}: one of {}", bytes(*freed_bytes), Count(*size_bytes))
        }
        WhyStep::Listed { address, class } => {
            format!("{address}  the hole goes to {}", class_words(class))
        }
        WhyStep::Stranded { address, size_bytes } => {
            format!("{address}  {} cannot be used again yet", bytes(*size_bytes))
        }
        WhyStep::Released { address } => {
            format!("{address}  held back before, goes to the heap now")
        }
        WhyStep::Held { address, size_bytes } => {
            format!("{address}  {} are held back", bytes(*size_bytes))
        }
        WhyStep::Handed { second, because } => {
            let which = if *second { "second" } else { "first" };
            match *because {
                "first" => "The first heap is asked first".to_owned(),
                "full" => {
                    let asked = match next {
                        Some(WhyStep::Rounded { block_bytes, .. }) => {
                            format!(" for {}", Count(*block_bytes))
                        }
                        _ => String::new(),
                    };
                    format!("The first heap is full; the second is asked{asked}")
                }
                "unaligned" => "The second heap starts at no multiple of the alignment".to_owned(),
                "small" => format!("Small enough for the {which} heap"),
                "large" => format!("Too large for the first heap; the {which} is asked"),
                "underneath" => "No slab serves it: the heap underneath is asked".to_owned(),
                "locked" => "The lock is taken, and given back at the end".to_owned(),
                _ => format!("The block lies in the {which} heap"),
            }
        }
    })
}

fn why_answer(why: &Why) -> Line {
    let visited = match (&why.ask, why.holes) {
        (WhyAsk::Alloc { .. }, Some(holes @ 1..)) => {
            format!(" {} of {} visited.", Count(why.looked), count(holes, "hole"))
        }
        _ => String::new(),
    };
    match why.answer {
        WhyAnswer::At { address, granted_bytes } => {
            let slack = match &why.ask {
                WhyAsk::Alloc { size_bytes, .. } | WhyAsk::Realloc { size_bytes, .. } => {
                    granted_bytes - size_bytes
                }
                WhyAsk::Free { .. } => 0,
            };
            let slack = match slack {
                0 => String::new(),
                slack if why.whole_process => {
                    format!(" {} usable: {} slack.", Count(granted_bytes), Count(slack))
                }
                slack => format!(" {} slack.", Count(slack)),
            };
            Line::new()
                .name(&*why.name)
                .text(" = ")
                .address(address)
                .text(format!(".{visited}{slack}"))
        }
        WhyAnswer::Freed { kept: false } => Line::new().name(&*why.name).text(" is free again."),
        WhyAnswer::Freed { kept: true } => {
            Line::new().name(&*why.name).text(" is freed; its bytes cannot be had again yet.")
        }
        WhyAnswer::Full {} if why.whole_process => {
            Line::of("Refused: by the limit on live bytes, or by the allocator.")
        }
        WhyAnswer::Full {} => Line::of(format!("Refused: no hole would do.{visited}")),
    }
}

fn others_line(why: &Why) -> Option<Line> {
    let words = |other: &engine::Other| {
        let looked = if why.holes == Some(other.looked) {
            format!("all {}", Count(other.looked))
        } else {
            Count(other.looked).to_string()
        };
        let takes = if other.same {
            "same hole".to_owned()
        } else {
            format!("takes {}", Count(other.size_bytes))
        };
        format!("{}: {looked}, {takes}.", other.heap)
    };
    let words: Vec<_> = why.others.iter().map(words).collect();
    (!words.is_empty()).then(|| Line::detail(words.join(" ")))
}

// Try.

pub(crate) fn try_lines(dry: &Try, style: Style) -> Vec<Line> {
    let mut lines = vec![Line::of(format!(
        "A dry run; nothing changed. {} first:",
        match dry.checks.len() {
            0 => "No checks",
            1 => "The check",
            _ => "The checks",
        }
    ))];
    if dry.checks.is_empty() {
        lines = vec![Line::of("A dry run; nothing changed.")];
    }
    for check in &dry.checks {
        let (role, mark) = match check.outcome {
            CheckOutcome::Passed => (Role::Hole, "ok"),
            CheckOutcome::Failed => (Role::Error, "NO"),
            CheckOutcome::NotReached => (Role::Dim, "- "),
        };
        let line = Line::of("  ").put(role, mark).text(format!("  {}", check.text));
        lines.push(match check.outcome {
            CheckOutcome::Failed => line.put(Role::Error, format!(": {}", check.code)),
            _ => line,
        });
    }
    if let Some(why) = &dry.why {
        lines.push(Line::of("Then:"));
        lines.extend(why_lines(why, style).into_iter().map(|line| Line::of("  ").append(line)));
    }
    if let Some(problem) = &dry.problem {
        lines.push(Line::of("It would be refused:"));
        lines.push(Line::of(format!("  {problem}")));
    } else {
        lines.push(Line::of("It would answer:"));
        let answer = crate::events::lines(&dry.events, style);
        lines.extend(answer.into_iter().map(|line| Line::of("  ").append(line)));
    }
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}

// Dare.

pub(crate) fn dare_lines(dare: &Dare, style: Style) -> Vec<Line> {
    let heap = sentence_case(&dare.heap);
    let mut lines = vec![
        Line::of("On a copy, with nobody looking (your session says ")
            .put(Role::Error, dare.code)
            .text("):"),
    ];
    lines.push(Line::of(format!("  {}", deed_words(&heap, &dare.deed))));
    if let Some(broken) = dare.broken {
        lines.push(Line::of("  ").put(Role::Error, "BROKEN").text(format!("  {broken}")));
    }
    if !dare.probes.is_empty() {
        lines.push(Line::of("Then innocent lines, on the same copy:"));
    }
    lines.extend(probe_lines(&heap, &dare.probes));
    lines.push(Line::detail("The copy is thrown away. In your session nothing changed."));
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}

/// A forbidden line of Rust.
pub(crate) fn dare_rust_lines(dare: &DareRust, style: Style) -> Vec<Line> {
    let mut lines = vec![match dare.code {
        Some(code) => Line::of("On a copy, without the borrow checker (your session says ")
            .put(Role::Error, code)
            .text("):"),
        None => {
            Line::of("On a copy. Your session allows it, since nothing it breaks is used again:")
        }
    }];
    for line in crate::events::lines(&dare.events, Style { width: style.width - 2, ..style }) {
        lines.push(Line::of("  ").append(line));
    }
    if let Some(ended) = &dare.ended {
        lines.push(Line::of("  ").put(Role::Error, &**ended));
    }
    for row in &dare.dangling {
        let head = Line::of("  ").name(&*row.name).text(" points to ").address(row.address);
        lines.push(head.text(format!(", {}: it reads {}.", row.lies, row.value)));
    }
    if dare.events.is_empty() && dare.ended.is_none() && dare.dangling.is_empty() {
        lines.push(Line::detail("No harm is to be seen this time. The next change may do some."));
    }
    lines.push(Line::detail("The copy is thrown away. In your session nothing changed."));
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}

/// What the forbidden line did, to a heap of that name.
fn deed_words(heap: &str, deed: &Deed) -> String {
    match deed {
        Deed::Refused {} => format!("{heap} found no room, and said so."),
        Deed::Freed { address } => format!("{heap} took {address} back and said nothing."),
        Deed::Wrote { address, bytes: written, over } => {
            format!("{} written at {address}, {over}. Nobody noticed.", bytes(written.len() as u64))
        }
        Deed::Read { address, bytes: read, over } => {
            let text = crate::events::bytes_in_line(read);
            format!("{} read at {address}, {over}: {text}", bytes(read.len() as u64))
        }
        Deed::Moved { from, address, .. } if from == address => {
            format!("{heap} resized what it found at {address} and said nothing.")
        }
        Deed::Moved { from, address, .. } => {
            format!("{heap} copied what it found at {from} to {address}, and freed {from} again.")
        }
        Deed::Faulted { address } => format!(
            "Nothing of ours lies at {address}: the process dies of a fault, or reaches what is there."
        ),
        Deed::Trapped { trap } => trap_words(heap, trap),
    }
}

/// A forbidden line in a process of its own.
pub(crate) fn crash_lines(crash: &Crash, style: Style) -> Vec<Line> {
    let heap = sentence_case(&crash.heap);
    let mut lines = vec![
        Line::of("For real, in a process of its own (your session says ")
            .put(Role::Error, crash.code)
            .text("):"),
    ];
    if let Some(deed) = &crash.deed {
        lines.push(Line::of(format!("  {}", deed_words(&heap, deed))));
    }
    if !crash.probes.is_empty() {
        lines.push(Line::of("Then innocent lines, in the same process:"));
        lines.extend(probe_lines(&heap, &crash.probes));
    }
    lines.push(match crash.ending {
        Ending::Exited { code: 0 } => Line::of("  The process went on as if nothing had happened."),
        Ending::Exited { code } => {
            Line::of("  ").put(Role::Error, format!("It stopped itself: exit status {code}."))
        }
        Ending::Killed { signal } => Line::of("  ").put(
            Role::Error,
            format!("The system killed it: signal {signal}{}.", signal_name(signal)),
        ),
        Ending::Busy { seconds } => Line::of("  ").put(
            Role::Error,
            format!("It was still busy after {}, in a loop without end.", count(seconds, "second")),
        ),
    });
    if let Some(words) = &crash.last_words {
        lines.push(Line::of(format!("  Its last words: {}", words.escape_debug())));
    }
    lines.push(Line::detail("Measured, on this machine. In your session nothing changed."));
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}

/// The signals a damaged heap dies of; their numbers are the same on Linux and macOS.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => ", SIGILL",
        5 => ", SIGTRAP",
        6 => ", SIGABRT: it aborted",
        8 => ", SIGFPE",
        11 => ", SIGSEGV: no such memory",
        _ => "",
    }
}

fn probe_lines(heap: &str, probes: &[Probe]) -> Vec<Line> {
    let width = probes.iter().map(|probe| probe.input.len()).max().unwrap_or(0);
    let mut seen: Vec<Address> = Vec::new();
    let mut lines = Vec::new();
    for probe in probes {
        let line = Line::of("  ").put(Role::Input, format!("{:<width$}", probe.input)).text("  ");
        lines.push(match &probe.outcome {
            ProbeOutcome::At { address, shared_with } => {
                let again = seen.contains(address);
                seen.push(*address);
                let line = line.address(*address);
                match shared_with {
                    _ if again => line.put(Role::Error, "  the same block, handed out twice"),
                    Some(name) => line.put(Role::Error, format!("  but {name} has these bytes")),
                    None => line,
                }
            }
            ProbeOutcome::Freed {} => line.text("freed"),
            ProbeOutcome::Full {} => line.text("out of memory"),
            ProbeOutcome::Trapped { trap } => line.put(Role::Error, trap_words(heap, trap)),
        });
    }
    lines
}

fn trap_words(heap: &str, trap: &TrapRow) -> String {
    match trap {
        TrapRow::Outside { address } => {
            format!(
                "{heap} went to {address}, outside its arena: a crash, or somebody else's bytes."
            )
        }
        TrapRow::Endless {} => {
            format!("{heap} walks its list in circles, for ever: it leads back into itself.")
        }
        TrapRow::Noticed {} if heap.starts_with("Guard") => {
            format!("{heap} noticed the damage and stopped the program.")
        }
        TrapRow::Noticed {} => format!(
            "{heap}'s numbers no longer add up. Ours stops; unchecked code goes on with them."
        ),
    }
}

// Frag.

pub(crate) fn frag_lines(frag: &Frag, style: Style) -> Vec<Line> {
    let share = |part: u64, whole: u64| match whole {
        0 => "0 %".to_owned(),
        whole => {
            let permille = (part * 1000 + whole / 2) / whole;
            format!("{}.{} %", permille / 10, permille % 10)
        }
    };
    let external = frag.free_bytes - frag.largest_hole_bytes;
    let outer = match frag.left_bytes {
        Some(left) => ("left", left, "may still be live; where, it alone knows".to_owned()),
        None => (
            "external",
            external,
            format!(
                "{} of {} free, outside the largest hole",
                share(external, frag.free_bytes),
                Count(frag.free_bytes)
            ),
        ),
    };
    let rows = [
        (
            "internal",
            frag.internal_bytes,
            format!(
                "{} of {} in blocks: headers and slack",
                share(frag.internal_bytes, frag.block_bytes),
                Count(frag.block_bytes)
            ),
        ),
        outer,
        ("lost", frag.other_bytes, "neither blocks nor holes: see map".to_owned()),
    ];
    let holes = count(frag.holes, if frag.left_bytes.is_some() { "gap" } else { "hole" });
    let head = format!("FRAG   {}, {}, {holes}", frag.heap, bytes(frag.size_bytes));
    let mut lines = vec![Line::new().put(Role::Heading, head)];
    for (label, value, note) in
        rows.into_iter().filter(|(label, value, _)| *value > 0 || *label != "lost")
    {
        lines.push(
            Line::of(format!("  {label:<8}  {:>11}  ", Count(value).to_string()))
                .put(Role::Dim, note),
        );
    }
    if !frag.fits.is_empty() {
        lines.push(Line::of("  Blocks that still fit:       now  in one hole"));
    }
    for fit in &frag.fits {
        lines.push(Line::of(format!(
            "    of {:>13} bytes  {:>9}  {:>9}",
            Count(fit.size_bytes).to_string(),
            Count(fit.blocks).to_string(),
            Count(fit.in_one_piece).to_string()
        )));
    }
    lines.into_iter().flat_map(|line| line.wrapped(style.width)).collect()
}
