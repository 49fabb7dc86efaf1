use owo_colors::{OwoColorize, Style};

use crate::text::{Line, Role};

/// The line with a colour for each role. The eight colours of every terminal's own palette, so that they suit its
/// background; no white, black, yellow, blue or cyan, which one background or the other swallows.
pub(crate) fn paint(line: &Line) -> String {
    line.pieces.iter().map(|piece| piece.text.style(style(piece.role)).to_string()).collect()
}

fn style(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::Plain | Role::Address => plain,
        Role::Input | Role::Heading | Role::Changed => plain.bold(),
        Role::Prompt | Role::Dim | Role::Header => plain.dimmed(),
        Role::Name => plain.magenta().bold(),
        Role::Hole | Role::Hint => plain.green(),
        Role::Error => plain.red().bold(),
    }
}
