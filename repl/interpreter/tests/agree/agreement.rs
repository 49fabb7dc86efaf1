//! Where the interpreter and the compiler differ, and the smallest program in which they do.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::program::{Less, Program};
use crate::prompt::{self, Answer, Refusal};
use crate::rustc;

/// One difference.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// What differs: programs that differ in the same way say the same here.
    pub(crate) what: String,
    /// Both sides.
    pub(crate) sides: String,
}

/// Rustc and the linker take what memory these take at a time.
const PROGRAMS_AT_A_TIME: usize = 200;

/// To find the smallest program of a kind takes seconds.
const KINDS_SHRUNK: usize = 12;

/// Where the two differ on each program. A program that rustc refuses must be refused at the line that makes it so, with
/// the same code, about a line of which rustc complains.
pub(crate) fn differences(programs: &[Program]) -> Vec<Option<Difference>> {
    let mut found = Vec::new();
    for programs in programs.chunks(PROGRAMS_AT_A_TIME) {
        found.extend(differences_of_some(programs));
    }
    found
}

fn differences_of_some(programs: &[Program]) -> Vec<Option<Difference>> {
    let lines: Vec<_> = programs.iter().map(Program::lines).collect();
    let refusals = rustc::judge(&lines);
    let answers: Vec<_> = lines.iter().map(|lines| interpret(lines)).collect();
    let mut found = vec![None; programs.len()];
    // What runs in both, what is refused by both, and what rustc refuses perhaps behind the line that panicked.
    let (mut running, mut refused, mut panicked) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (refusals, answer)) in refusals.iter().zip(&answers).enumerate() {
        match (refusals.first(), answer) {
            (_, Err(message)) => {
                found[number] = Some(Difference {
                    what: "the interpreter panics".to_owned(),
                    sides: format!("interpreter: {message}"),
                });
            }
            (None, Ok(Answer { refusal: None, printed, .. })) => running.push((number, printed)),
            (Some(_), Ok(Answer { refusal: Some(refusal), .. })) => refused.push((number, refusal)),
            (None, Ok(Answer { refusal: Some(refusal), .. })) => {
                found[number] =
                    Some(Difference { what: refused_wrongly(refusal), sides: said(refusal) });
            }
            (Some(_), Ok(Answer { panicked: Some(line), .. })) => {
                let end = *line + 1;
                panicked.push((number, closed(&lines[number][..end])));
            }
            (Some(refusal), Ok(_)) => {
                found[number] = Some(accepted_wrongly(refusal));
            }
        }
    }
    let sources: Vec<_> = running.iter().map(|(number, _)| lines[*number].clone()).collect();
    for ((number, interpreted), compiled) in running.into_iter().zip(rustc::run(&sources)) {
        if *interpreted != compiled {
            found[number] = Some(prints(interpreted, &compiled));
        }
    }
    let starts: Vec<_> = panicked.iter().map(|(_, lines)| lines.clone()).collect();
    for ((number, _), verdict) in panicked.into_iter().zip(rustc::judge(&starts)) {
        found[number] = verdict.first().map(accepted_wrongly);
    }
    let starts: Vec<_> = refused
        .iter()
        .flat_map(|(number, refusal)| {
            [refusal.line, refusal.line + 1].map(|end| closed(&lines[*number][..end]))
        })
        .collect();
    let verdicts = rustc::judge(&starts);
    for ((number, refusal), verdicts) in refused.into_iter().zip(verdicts.chunks(2)) {
        found[number] = refuses(refusal, &verdicts[0], &verdicts[1]);
    }
    found
}

/// The interpreter may be wrong in any way.
fn interpret(lines: &[String]) -> Result<Answer, String> {
    catch_unwind(AssertUnwindSafe(|| prompt::interpret(lines))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}

/// A program's first lines, every scope closed.
fn closed(lines: &[String]) -> Vec<String> {
    let count = |brace: &str| lines.iter().filter(|line| *line == brace).count();
    let open = count("{").saturating_sub(count("}"));
    [lines, &vec!["}".to_owned(); open]].concat()
}

fn prints(interpreted: &[String], compiled: &[String]) -> Difference {
    let first = interpreted.iter().zip(compiled).take_while(|(a, b)| a == b).count();
    let panic = |lines: &[String]| lines.iter().any(|line| line.starts_with("panicked: "));
    let what = match (panic(interpreted), panic(compiled)) {
        (true, false) => "only the interpreter's panics",
        (false, true) => "only rustc's panics",
        _ => "they print different lines",
    };
    let line =
        |lines: &[String]| lines.get(first).map_or("nothing".to_owned(), |l| format!("{l:?}"));
    Difference {
        what: what.to_owned(),
        sides: format!(
            "printed line {}: the interpreter prints {}, rustc's program {}",
            first + 1,
            line(interpreted),
            line(compiled)
        ),
    }
}

/// Rustc must accept the lines before the refused one, and refuse those up to it for the same reason.
fn refuses(
    refusal: &Refusal,
    before: &[rustc::Refusal],
    with: &[rustc::Refusal],
) -> Option<Difference> {
    let difference = |what: String, theirs: Option<&rustc::Refusal>| {
        let theirs = theirs.map_or_else(
            || "rustc accepts it so far".to_owned(),
            |theirs| format!("rustc, line {}: {} {}", theirs.line + 1, theirs.code, theirs.message),
        );
        Some(Difference { what, sides: format!("{theirs}\n{}", said(refusal)) })
    };
    if let Some(theirs) = before.first() {
        return difference(format!("refused too late: {}", theirs.code), Some(theirs));
    }
    let Some(first) = with.first() else {
        return difference(refused_wrongly(refusal), None);
    };
    let Some(same) = with.iter().find(|theirs| theirs.code == refusal.code) else {
        return difference(format!("{} instead of {}", refusal.code, first.code), Some(first));
    };
    let is_named = with
        .iter()
        .any(|theirs| theirs.code == refusal.code && refusal.about.contains(&theirs.line));
    if is_named { None } else { difference(format!("{} elsewhere", same.code), Some(same)) }
}

fn said(refusal: &Refusal) -> String {
    let about: Vec<_> = refusal.about.iter().map(|line| (line + 1).to_string()).collect();
    format!(
        "interpreter, at line {}, about line {}: {} {}",
        refusal.line + 1,
        about.join(", "),
        refusal.code,
        refusal.message
    )
}

fn accepted_wrongly(refusal: &rustc::Refusal) -> Difference {
    Difference {
        what: format!("rustc refuses, the interpreter accepts: {}", refusal.code),
        sides: format!("rustc, line {}: {}", refusal.line + 1, refusal.message),
    }
}

fn refused_wrongly(refusal: &Refusal) -> String {
    let message = without_names(&refusal.message);
    format!("rustc accepts, the interpreter refuses: {} {message}", refusal.code)
}

/// A message without what numbers its variables and literals have.
fn without_names(message: &str) -> String {
    let has_digit = |word: &&str| word.contains(|c: char| c.is_ascii_digit());
    message
        .split(' ')
        .map(|word| if has_digit(&word) { "…" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

/// A smaller program that differs in the same way, until there is none.
pub(crate) fn shrink(program: &Program, difference: &Difference) -> (Program, Difference) {
    let (mut program, mut difference) = (program.clone(), difference.clone());
    let refusal = |program: &Program| interpret(&program.lines()).map(|answer| answer.refusal);
    'smaller: loop {
        let said = refusal(&program);
        for by in [Less::Statements, Less::Text] {
            let mut smaller = program.smaller(by);
            // What the interpreter now says something else of is not worth a look by the compiler.
            smaller.retain(|program| match (&said, refusal(program)) {
                (Ok(Some(said)), Ok(Some(now))) => said.code == now.code,
                (Ok(None), Ok(None)) | (Err(_), Err(_)) => true,
                _ => false,
            });
            for programs in smaller.chunks(50) {
                let found =
                    programs.iter().zip(differences(programs)).find_map(|(program, found)| {
                        let found = found.filter(|found| found.what == difference.what)?;
                        Some((program.clone(), found))
                    });
                if let Some(found) = found {
                    (program, difference) = found;
                    continue 'smaller;
                }
            }
        }
        return (program, difference);
    }
}

/// Panics with every kind of difference, the smallest program for each as lines to paste at the prompt.
pub(crate) fn assert_none(programs: &[Program]) {
    let mut kinds: Vec<(Difference, &Program, usize)> = Vec::new();
    let mut count = 0;
    for (program, difference) in programs.iter().zip(differences(programs)) {
        let Some(difference) = difference else { continue };
        count += 1;
        match kinds.iter_mut().find(|(kind, ..)| kind.what == difference.what) {
            Some((.., times)) => *times += 1,
            None => kinds.push((difference, program, 1)),
        }
    }
    if kinds.is_empty() {
        return;
    }
    let mut text = format!("{count} of {} programs differ", programs.len());
    kinds.sort_by_key(|(.., times)| std::cmp::Reverse(*times));
    for (number, (difference, program, times)) in kinds.into_iter().enumerate() {
        let (program, difference) = if number < KINDS_SHRUNK {
            shrink(program, &difference)
        } else {
            (program.clone(), difference)
        };
        text += &format!(
            "\n\n{} ({times} programs)\n{}\n\n    {}",
            difference.what,
            difference.sides,
            program.lines().join("\n    ")
        );
    }
    panic!("{text}");
}
