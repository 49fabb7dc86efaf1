//! The judge of a log that grows: what it built of the lines before is kept, so that a line costs what the line adds.

use std::sync::{Arc, Mutex, PoisonError};

use imbl::Vector;

use crate::items::Items;
use crate::typed::{Local, LocalId, Top};
use crate::types::Type;

use super::{Fault, Log};

/// Judges a log line by line. Clones share one memory, which is that of the line judged last; what is asked of
/// another log, after an undo say, is built anew. So the answer never depends on it.
#[derive(Clone, Debug, Default)]
pub struct Judge(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    /// The body that is built.
    body: Vector<Arc<Top>>,
    log: Log,
    /// How many locals it has.
    locals: usize,
    /// Collections whose elements had no type yet.
    unsettled: Vec<LocalId>,
}

impl Judge {
    /// Judges `body`, whose tops before `from` were judged before.
    ///
    /// # Errors
    ///
    /// The first thing that rustc refuses. That may stand in an older line, see [`Fault::at`].
    pub fn judge(
        &self,
        items: &Items,
        locals: &Vector<Local>,
        body: &Vector<Arc<Top>>,
        from: usize,
    ) -> Result<(), Fault> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = std::mem::take(&mut *shared);
        if !memory.is_of(locals, body, from) {
            memory = Memory::default();
            memory.log.add(items, locals, body.iter().take(from).map(|top| &**top))?;
        }
        memory.log.add(items, locals, body.iter().skip(from).map(|top| &**top))?;
        memory.body = body.clone();
        let new = (memory.locals..locals.len()).filter(|local| is_unsettled(&locals[*local].ty));
        memory.unsettled.extend(new.map(|local| LocalId(local as u32)));
        memory.locals = locals.len();
        *shared = memory;
        Ok(())
    }
}

impl Memory {
    /// Whether it is the memory of the first `from` tops of `body`.
    fn is_of(&self, locals: &Vector<Local>, body: &Vector<Arc<Top>>, from: usize) -> bool {
        self.body.len() == from
            && self.body.iter().zip(body).all(|(known, top)| Arc::ptr_eq(known, top))
            && self.unsettled.iter().all(|local| is_unsettled(&locals[local.0 as usize].ty))
    }
}

fn is_unsettled(ty: &Type) -> bool {
    ty.any(&mut |ty| matches!(ty, Type::Var(_)))
}
