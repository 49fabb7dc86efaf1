//! Ownership and borrows, judged as rustc judges them.

use crate::items::Items;
use crate::typed::{At, Function, Local, Top};

/// A program that rustc would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it is refused.
    pub at: At,
}

/// Judges a function's body.
pub fn function(_items: &Items, _function: &Function) -> Result<(), Fault> {
    Ok(())
}

/// Judges the log's body so far. It goes on: no variable is dead yet unless its scope was closed.
pub fn body(
    _items: &Items,
    _locals: &imbl::Vector<Local>,
    _body: &imbl::Vector<std::sync::Arc<Top>>,
) -> Result<(), Fault> {
    Ok(())
}
