//! The typed form, run on a machine.

use crate::items::Items;
use crate::machine::Machine;
use crate::typed::{At, Local, Top};

/// Why a program stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Stop {
    /// It panicked: frames are unwound, what had to be dropped is dropped, effects stay.
    Panic {
        /// What it said.
        message: String,
        /// Where.
        at: At,
    },
    Abort {
        message: String,
        at: At,
    },
    Refused(crate::Refused),
    Steps,
    Interrupted,
}

/// The outermost body's variables: where they lie, which were moved from.
#[derive(Clone, Debug, Default)]
pub struct State {}

/// Runs what a line added.
pub fn run(
    _items: &Items,
    _state: &mut State,
    _locals: &imbl::Vector<Local>,
    _tops: &[std::sync::Arc<Top>],
    _machine: &mut dyn Machine,
) -> Result<(), Stop> {
    Ok(())
}

impl State {
    pub fn newest(&self) -> Option<crate::typed::LocalId> {
        None
    }
    pub fn address(&self, _: crate::typed::LocalId) -> Option<u64> {
        None
    }
}
