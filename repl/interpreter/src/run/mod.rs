//! The typed form, run on a machine.

use crate::items::Items;
use crate::machine::Machine;
use crate::typed::{At, Local, Top};

/// Why a program stopped.
#[derive(Clone, Debug)]
pub enum Stop {
    /// It panicked: frames are unwound, what had to be dropped is dropped, effects stay.
    Panic {
        /// What it said.
        message: String,
        /// Where.
        at: At,
    },
}

/// The outermost body's variables: where they lie, which were moved from.
#[derive(Clone, Debug, Default)]
pub struct State {}

/// Runs what a line added.
pub fn run(
    _items: &Items,
    _state: &mut State,
    _locals: &[Local],
    _tops: &[Top],
    _machine: &mut dyn Machine,
) -> Result<(), Stop> {
    Ok(())
}
