//! TLSF, two-level segregated fit: a list of holes for each class of sizes, and bitmaps that find one in a few
//! instructions.
//!
//! ```text
//!  0           12                                                            len - 4  len
//!  | null hole  | block              | block        | hole                     | end   |
//!  +------------+--------------------+--------------+--------------------------+-------+
//!
//!  block in use                  hole
//!  +------+---------------+      +------+------+------+-------+------+  +------+
//!  | word | payload …     |      | word | next | prev | unset | tag  |  | word | of the block behind
//!  +------+---------------+      +------+------+------+-------+------+  +------+
//!  ^      ^                             ^      ^              ^
//!  block  block + 4                     links                 size, only while it is a hole
//!
//!  word = size of the block, a multiple of 16, + 1 if it is in use, + 2 if the block in front is a hole
//! ```
//!
//! Each size below 1,024 has a list. From there on 32 lists share a power of two: list (2, M) starts at size 1024 +
//! 32 M, list (3, M) at 2048 + 64 M. Bit N of the first bitmap says that some list (N, _) has a hole, and bit M of
//! the second bitmap of N that (N, M) has one. A request goes to the first list in which every hole is large enough,
//! so nothing is searched: two bit scans and the head of a list. Large requests look first at the head of the list
//! that their own size is in, for a block that was freed is often asked for again; without that look they pass over
//! it.
//!
//! A block has a header of one word and no footer. Only a hole has a tag, its size in its last word (Knuth's boundary
//! tag), and bit 1 of the header behind says whether there is one. Blocks start 4 bytes in front of a multiple of 16,
//! so that payloads lie at multiples of 16. The first 12 bytes are a hole of no size: a link to nowhere leads there,
//! and what is written to such a link does no harm, so links are written without asking. The last word is the header
//! of a block of no size: so every block has one behind it.
//!
//! A block that grows is rounded up to a multiple of 64, so that it need not move each time: what grew once grows
//! again.
//!
//! Invariants:
//!
//! 1. Blocks tile the arena between the null hole, whose size is 0, and the end word, which is in use.
//! 2. Every size is a multiple of 16 and at least 16, room for a header, two links and a tag.
//! 3. Bit 1 of a header is set exactly when the block in front is a hole, whose last word is then its size.
//! 4. No two neighbours are both holes.
//! 5. Each hole is in the list of its size, the lists hold nothing else, and every `prev` mirrors a `next`.
//! 6. A bit of the bitmaps is set exactly when its list, or some list of its class, is not empty.
//!
//! Cost: allocate, deallocate and resize are O(1): there is no loop in any of them.
//! Bad at: small blocks, which are rounded up to 12, 28, 44 and so on. From 1,024 bytes on a request may pass over
//! the one hole that would have held it, and what is left of the larger one it takes is lost to other large requests.
//!
//! Masmano, Ripoll, Crespo and Real, "TLSF: a new dynamic memory allocator for real-time systems", ECRTS 2004.

#![expect(
    clippy::inline_always,
    reason = "these are a few instructions each, and a second user of one would make a call of it: 3 ns on 7"
)]

use std::alloc::Layout;

use memory::Pages;

use crate::design::stored_in_memory;
use crate::{
    Broken, Census, Class, Design, Edges, Full, Info, List, Memory, Need, Observer, Offset, Origin,
    Over, Piece, PieceKind, Placement, Step, Structure, Unfit, sandbox,
};

pub(crate) const HEADER_BYTES: u32 = 4;
const MIN_BLOCK_BYTES: u32 = 16;
const GRAIN_BYTES: u32 = 16;

/// The null hole. No block starts there, so it ends each list.
const NIL: Offset = Offset(0);
/// Behind the links of the null hole.
pub(crate) const FIRST_BLOCK: Offset = Offset(12);
const END_BYTES: u32 = 4;

/// Where a hole's links lie in it.
const NEXT: u32 = 4;
const PREV: u32 = 8;

const IN_USE: u32 = 1;
const HOLE_IN_FRONT: u32 = 2;
const FLAGS: u32 = GRAIN_BYTES - 1;

/// Lists on the second level, for each class of the first.
const SECOND: u32 = 32;
/// Classes on the first level: as many as a request for [`MAX_ARENA`](crate::MAX_ARENA) bytes, rounded up, can name.
const FIRST: u32 = 23;
/// Sizes below this have a list each.
const LINEAR_BYTES: u32 = 2 * SECOND * GRAIN_BYTES;

/// A block that grew will grow again, so it gets bytes to spare: up to a multiple of this.
const RESERVE_BYTES: u32 = 64;

/// The TLSF allocator. See the top of the file.
#[derive(Clone, Debug)]
pub struct Tlsf<M> {
    pub(crate) memory: M,
    /// Bit N: some list (N, _) is not empty.
    first: u32,
    /// Bit M of word N: the list (N, M) is not empty.
    second: [u32; FIRST as usize],
    /// The head of list (N, M), at 32N + M.
    heads: [Offset; (FIRST * SECOND) as usize],
}

/// The hole a request gets: the head of `list`.
struct Fit {
    list: u32,
    hole: Offset,
    hole_bytes: u32,
}

/// A header's word, taken apart.
#[derive(Clone, Copy)]
struct Header(u32);

impl Header {
    #[inline(always)]
    fn size_bytes(self) -> u32 {
        self.0 & !FLAGS
    }

    #[inline(always)]
    fn in_use(self) -> bool {
        self.0 & IN_USE != 0
    }

    #[inline(always)]
    fn hole_in_front(self) -> bool {
        self.0 & HOLE_IN_FRONT != 0
    }
}

impl<M: Memory> Tlsf<M> {
    /// Where the end word is. There must be room for one.
    fn end(&self) -> Offset {
        end_of(self.memory.len())
    }

    fn has_blocks(&self) -> bool {
        holds_a_block(self.memory.len())
    }

    // Blocks, and the blocks around them.

    #[inline(always)]
    fn header(&self, block: Offset) -> Header {
        Header(self.memory.word(block))
    }

    /// Writes a block's header. `front` is [`HOLE_IN_FRONT`] or 0.
    #[inline(always)]
    fn set_used(&mut self, block: Offset, size_bytes: u32, front: u32) {
        self.memory.set_word(block, size_bytes | IN_USE | front);
    }

    /// Writes a hole's header and its tag. What lies in front is in use, or the two would be one hole.
    #[inline(always)]
    fn set_hole(&mut self, hole: Offset, size_bytes: u32) {
        self.memory.set_word(hole, size_bytes);
        self.memory.set_word(tag_of(hole, size_bytes), size_bytes);
    }

    /// The size of the hole in front of `block`, if [`Header::hole_in_front`] says there is one.
    #[inline(always)]
    fn size_in_front(&self, block: Offset) -> u32 {
        self.memory.word(tag_in_front(block))
    }

    // The lists. Each function is a handful of instructions; none has a loop.

    #[inline(always)]
    fn head(&self, list: u32) -> Offset {
        self.heads[list as usize]
    }

    #[inline(always)]
    fn next(&self, hole: Offset) -> Offset {
        Offset(self.memory.field(hole, NEXT))
    }

    #[inline(always)]
    fn prev(&self, hole: Offset) -> Offset {
        Offset(self.memory.field(hole, PREV))
    }

    #[inline(always)]
    fn set_next(&mut self, hole: Offset, next: Offset) {
        self.memory.set_field(hole, NEXT, next.0);
    }

    #[inline(always)]
    fn set_prev(&mut self, hole: Offset, prev: Offset) {
        self.memory.set_field(hole, PREV, prev.0);
    }

    /// Puts `hole` at the head of `list`.
    #[inline(always)]
    fn push(&mut self, hole: Offset, list: u32) {
        let (first, second) = levels(list);
        let next = self.head(list);
        self.set_next(hole, next);
        self.set_prev(hole, NIL);
        self.set_prev(next, hole);
        self.heads[list as usize] = hole;
        let bits = self.second[first as usize];
        if bits == 0 {
            self.first |= 1 << first;
        }
        self.second[first as usize] = bits | 1 << second;
    }

    /// Takes `hole`, the head of `list`, off it.
    #[inline(always)]
    fn pop(&mut self, hole: Offset, list: u32) {
        let next = self.next(hole);
        self.heads[list as usize] = next;
        self.set_prev(next, NIL);
        let (first, second) = levels(list);
        let bits = self.second[first as usize] & !(u32::from(next == NIL) << second);
        self.second[first as usize] = bits;
        if bits == 0 {
            self.first &= !(1 << first);
        }
    }

    /// Takes `hole` out of the list it is in.
    #[inline(always)]
    fn unlink(&mut self, hole: Offset, size_bytes: u32) {
        let prev = self.prev(hole);
        if prev == NIL {
            self.pop(hole, list_of(size_bytes));
        } else {
            let next = self.next(hole);
            self.set_next(prev, next);
            self.set_prev(next, prev);
        }
    }

    /// Gives the place of `old`, the head of `list`, to `new`: a hole that changed its start, and not its class.
    #[inline(always)]
    fn replace_head(&mut self, old: Offset, new: Offset, list: u32) {
        let next = self.next(old);
        self.heads[list as usize] = new;
        self.set_next(new, next);
        self.set_prev(new, NIL);
        self.set_prev(next, new);
    }

    // Finding, cutting and joining.

    /// A hole of at least `need` bytes: the head of the list that size is in, if it is large enough, else the head of
    /// the first list whose every hole is.
    #[inline(always)]
    fn find(&self, need: u32, observer: &mut impl Observer) -> Option<Fit> {
        let mut list;
        if need < LINEAR_BYTES {
            list = need / GRAIN_BYTES;
            let hole = self.head(list);
            observer.step(Step::Class { class: class_of(list), found: hole != NIL });
            if hole != NIL {
                observer.step(Step::Looked { at: hole, size_bytes: need, fits: true });
                return Some(Fit { list, hole, hole_bytes: need });
            }
        } else {
            list = list_of(need);
            let hole = self.head(list);
            let hole_bytes = self.header(hole).size_bytes();
            let fits = hole_bytes >= need;
            observer.step(Step::Class { class: class_of(list), found: hole != NIL });
            if hole != NIL {
                observer.step(Step::Looked { at: hole, size_bytes: hole_bytes, fits });
            }
            if fits {
                return Some(Fit { list, hole, hole_bytes });
            }
            list = list_of(round_up_to_list(need));
        }
        let (mut first, second) = levels(list);
        let mut bits = self.second[first as usize] & (u32::MAX << second);
        if bits == 0 {
            let above = self.first & (u32::MAX << 1 << first);
            if above == 0 {
                return None;
            }
            first = lowest_bit(above);
            bits = self.second[first as usize];
        }
        let list = first * SECOND + lowest_bit(bits);
        let hole = self.head(list);
        let hole_bytes = self.header(hole).size_bytes();
        observer.step(Step::Class { class: class_of(list), found: true });
        observer.step(Step::Looked { at: hole, size_bytes: hole_bytes, fits: true });
        Some(Fit { list, hole, hole_bytes })
    }

    /// Makes a block of `need` bytes of the hole that was found, and a hole of the rest.
    #[inline(always)]
    fn take(&mut self, fit: &Fit, need: u32, observer: &mut impl Observer) {
        let Fit { list, hole, hole_bytes } = *fit;
        let remaining_bytes = hole_bytes - need;
        observer.step(cut(hole, 0, HEADER_BYTES, need, remaining_bytes));
        let behind = hole.plus(need);
        if remaining_bytes == 0 {
            self.pop(hole, list);
            self.forget_hole_in_front_of(behind);
        } else if list == list_of(remaining_bytes) {
            self.move_head(hole, behind, remaining_bytes, list, observer);
        } else {
            self.pop(hole, list);
            self.add_hole(behind, remaining_bytes, observer);
        }
        self.set_used(hole, need, 0);
        self.debug_check_around(hole);
    }

    /// `find` and `take` for an alignment above 16. The nearest hole may do, or not; one with room for the widest gap
    /// does. The payload will be at `phase`, a multiple of 16, from a multiple of `align` on.
    #[cold]
    pub(crate) fn allocate_aligned(
        &mut self,
        need: u32,
        align: u32,
        phase: u32,
        observer: &mut impl Observer,
    ) -> Placement {
        for room in [need, need + align - GRAIN_BYTES] {
            let Some(fit) = self.find(room, observer) else { break };
            let Fit { list, hole, hole_bytes } = fit;
            let block = header_of(payload_of(hole).minus(phase).align_up(align).plus(phase));
            let padding_bytes = block.since(hole);
            if padding_bytes == 0 {
                self.take(&fit, need, observer);
                return placement(block, need);
            }
            if padding_bytes + need <= hole_bytes {
                let remaining_bytes = hole_bytes - padding_bytes - need;
                observer.step(cut(hole, padding_bytes, HEADER_BYTES, need, remaining_bytes));
                self.pop(hole, list);
                self.add_hole(hole, padding_bytes, observer);
                self.split(block, need, remaining_bytes, HOLE_IN_FRONT, observer);
                return placement(block, need);
            }
        }
        NOWHERE
    }

    /// `allocate`, for a block that found no room with bytes to spare.
    #[cold]
    fn allocate_tight(
        &mut self,
        layout: Layout,
        observer: &mut impl Observer,
    ) -> Result<Placement, Full> {
        self.allocate(layout, observer)
    }

    /// Writes a block of `need` bytes and, behind it, a hole of what remains of the hole it was cut from.
    fn split(
        &mut self,
        block: Offset,
        need: u32,
        remaining_bytes: u32,
        front: u32,
        observer: &mut impl Observer,
    ) {
        let behind = block.plus(need);
        self.set_used(block, need, front);
        if remaining_bytes > 0 {
            self.add_hole(behind, remaining_bytes, observer);
        } else {
            self.forget_hole_in_front_of(behind);
        }
        self.debug_check_around(block);
    }

    /// Clears bit 1 of the header of `block`, which is set. A difference, since a compiler makes `&` one of bytes,
    /// and a processor that loads the word soon after waits for a byte on its way to memory.
    #[inline(always)]
    fn forget_hole_in_front_of(&mut self, block: Offset) {
        let header = self.header(block);
        self.memory.set_word(block, header.0.wrapping_sub(HOLE_IN_FRONT));
    }

    /// Makes a hole of bytes that are in nobody's hands and have no hole beside them.
    #[inline(always)]
    fn add_hole(&mut self, at: Offset, size_bytes: u32, observer: &mut impl Observer) {
        // As `list_of`, but for small holes, which are the most, without its bit scan.
        let small = size_bytes < LINEAR_BYTES;
        let list = if small { size_bytes / GRAIN_BYTES } else { list_of(size_bytes) };
        self.set_hole(at, size_bytes);
        self.push(at, list);
        observer.step(Step::Listed { at, class: class_of(list) });
    }

    /// The list of which `hole` is the head, if it stays in it with a new size. The large hole at the arena's end
    /// mostly does, and it is cut and joined more often than any other.
    #[inline(always)]
    fn stays_head_of(&self, hole: Offset, old_bytes: u32, new_bytes: u32) -> Option<u32> {
        if self.prev(hole) != NIL {
            return None;
        }
        let list = list_of(old_bytes);
        (list == list_of(new_bytes)).then_some(list)
    }

    /// Gives `old`, the head of `list`, another start and size.
    #[inline(always)]
    fn move_head(
        &mut self,
        old: Offset,
        at: Offset,
        size_bytes: u32,
        list: u32,
        observer: &mut impl Observer,
    ) {
        self.replace_head(old, at, list);
        self.set_hole(at, size_bytes);
        observer.step(Step::Listed { at, class: class_of(list) });
    }

    /// Makes a hole of `block`, which is in nobody's hands, and joins it with the holes around it.
    #[inline]
    fn release(&mut self, block: Offset, header: Header, observer: &mut impl Observer) {
        let freed_bytes = header.size_bytes();
        let in_front = header.hole_in_front();
        let behind = block.plus(freed_bytes);
        let behind_header = self.header(behind);
        let joined = |at, size_bytes| {
            let behind = !behind_header.in_use();
            Step::Joined { at, freed_bytes, size_bytes, in_front, behind }
        };

        let (mut at, mut size_bytes) = (block, freed_bytes);
        if behind_header.in_use() {
            self.memory.set_word(behind, behind_header.0 | HOLE_IN_FRONT);
        } else {
            let behind_bytes = behind_header.size_bytes();
            size_bytes += behind_bytes;
            if !in_front && let Some(list) = self.stays_head_of(behind, behind_bytes, size_bytes) {
                observer.step(joined(at, size_bytes));
                self.move_head(behind, at, size_bytes, list, observer);
                return self.debug_check_around(at);
            }
            self.unlink(behind, behind_bytes);
        }
        if in_front {
            let front_bytes = self.size_in_front(block);
            at = block.minus(front_bytes);
            self.unlink(at, front_bytes);
            size_bytes += front_bytes;
        }
        observer.step(joined(at, size_bytes));
        self.add_hole(at, size_bytes, observer);
        self.debug_check_around(at);
    }

    /// Lets `block` have the front of the hole behind it, so that it has `need` bytes and some to spare. Says how
    /// many.
    fn extend(
        &mut self,
        block: Offset,
        header: Header,
        hole_bytes: u32,
        need: u32,
        observer: &mut impl Observer,
    ) -> u32 {
        let hole = block.plus(header.size_bytes());
        let room = header.size_bytes() + hole_bytes;
        let need = with_reserve(need).min(room);
        let remaining_bytes = room - need;
        let front = header.0 & HOLE_IN_FRONT;
        observer.step(cut(hole, 0, 0, hole_bytes - remaining_bytes, remaining_bytes));
        if remaining_bytes > 0
            && let Some(list) = self.stays_head_of(hole, hole_bytes, remaining_bytes)
        {
            self.set_used(block, need, front);
            self.move_head(hole, block.plus(need), remaining_bytes, list, observer);
            self.debug_check_around(block);
        } else {
            self.unlink(hole, hole_bytes);
            self.split(block, need, remaining_bytes, front, observer);
        }
        need
    }

    /// Cuts what is behind the first `need` bytes off `block`.
    fn trim(&mut self, block: Offset, header: Header, need: u32, observer: &mut impl Observer) {
        let tail_bytes = header.size_bytes() - need;
        if tail_bytes > 0 {
            self.set_used(block, need, header.0 & HOLE_IN_FRONT);
            self.release(block.plus(need), Header(tail_bytes | IN_USE), observer);
        }
    }

    /// Makes one block of all the memory, between the blank word and the end word, and frees it.
    fn lay_out(&mut self, observer: &mut impl Observer) {
        if self.has_blocks() {
            let end = self.end();
            self.memory.set_word(NIL, 0);
            self.set_used(end, 0, 0);
            self.release(FIRST_BLOCK, Header(end.since(FIRST_BLOCK) | IN_USE), observer);
        }
    }

    fn debug_check_around(&self, block: Offset) {
        if cfg!(debug_assertions) && !sandbox::is_running() {
            let header = self.header(block);
            let front = header.hole_in_front().then(|| block.minus(self.size_in_front(block)));
            let behind = block.plus(header.size_bytes());
            for block in front.into_iter().chain([block, behind]).filter(|&at| at < self.end()) {
                let result = self.check_block(block, self.header(block).hole_in_front());
                assert!(result.is_ok(), "{result:?} after a change at {block:?}");
            }
        }
    }

    // Checking. Nothing here trusts a word it has not judged: the arena may be damaged.

    /// Whether a block could start at `at`. There is room for one then: the end word lies at such a place too.
    fn is_place(&self, at: Offset) -> bool {
        at.0 % GRAIN_BYTES == FIRST_BLOCK.0 && at < self.end()
    }

    /// Invariants 2 to 4, and the links of 5, for one block. Also that it ends inside the arena.
    fn check_block(&self, block: Offset, hole_in_front: bool) -> Result<(), Broken> {
        let broken = |invariant| Err(Broken { invariant, at: block });
        let header = self.header(block);
        let size_bytes = header.size_bytes();
        if size_bytes < MIN_BLOCK_BYTES || header.0 & FLAGS > IN_USE + HOLE_IN_FRONT {
            return broken(2);
        }
        if size_bytes > self.end().since(block) {
            return broken(1);
        }
        if header.hole_in_front() != hole_in_front {
            return broken(3);
        }
        if header.in_use() {
            return Ok(());
        }
        let behind = block.plus(size_bytes);
        if hole_in_front || !self.header(behind).in_use() {
            return broken(4);
        }
        if self.memory.word(tag_of(block, size_bytes)) != size_bytes
            || !self.header(behind).hole_in_front()
        {
            return broken(3);
        }
        if self.is_linked(block, list_of(size_bytes)) { Ok(()) } else { broken(5) }
    }

    /// Whether the neighbours of `hole` in its list point to it.
    fn is_linked(&self, hole: Offset, list: u32) -> bool {
        let (prev, next) = (self.prev(hole), self.next(hole));
        let mirrored = next == NIL || (self.is_place(next) && self.prev(next) == hole);
        let reached = if prev == NIL {
            self.head(list) == hole
        } else {
            self.is_place(prev) && self.next(prev) == hole
        };
        reached && mirrored
    }

    /// The holes of a list, the head first. It ends at a link that leads nowhere.
    fn holes_of(&self, list: u32) -> impl Iterator<Item = Piece> + '_ {
        let mut hole = self.head(list);
        let most = (self.memory.len() / MIN_BLOCK_BYTES) as usize;
        std::iter::from_fn(move || {
            self.is_place(hole).then(|| {
                let room = self.end().since(hole);
                let piece = Piece::hole(hole, self.header(hole).size_bytes().min(room));
                hole = self.next(hole);
                piece
            })
        })
        .take(most)
    }

    /// The lists that are not empty, in rising order.
    fn lists(&self) -> impl Iterator<Item = u32> + '_ {
        (0..FIRST * SECOND).filter(|&list| self.head(list) != NIL)
    }

    /// Invariant 6.
    fn check_bitmaps(&self) -> Result<(), Broken> {
        for first in 0..u32::BITS {
            let bits = self.second.get(first as usize).copied().unwrap_or(0);
            let heads = |second| self.heads.get((first * SECOND + second) as usize);
            let expect = (0..SECOND)
                .filter(|&second| heads(second).is_some_and(|&head| head != NIL))
                .fold(0, |bits, second| bits | 1 << second);
            if bits != expect || (self.first & 1 << first != 0) != (bits != 0) {
                return Err(Broken { invariant: 6, at: Offset(0) });
            }
        }
        Ok(())
    }
}

impl Tlsf<Pages> {
    /// Its row of the table.
    pub const INFO: Info = Info {
        name: "tlsf",
        summary: "lists by size class, found through bitmaps at once",
        details: "Good fit: a request goes to the first list in which every hole is large enough, found with two bit scans. Sizes below 1,024 have a list each, then 32 lists share a power of two. A header of 4 bytes; only a hole has a footer. Every operation takes constant time, and nothing is searched.",
        options: &[],
        inner: &[],
        origin: Origin::Ours,
        build: |_, len| {
            if !holds_a_block(len) {
                return Err(Unfit::TooSmall { least_bytes: LEAST_BYTES });
            }
            Ok(Box::new(Self::new(Pages::new(len))))
        },
    };
}

impl<M: Memory> Over<M> for Tlsf<M> {
    /// Less than 32 bytes hold no block at all.
    fn new(memory: M) -> Self {
        let mut heap = Self {
            memory,
            first: 0,
            second: [0; FIRST as usize],
            heads: [NIL; (FIRST * SECOND) as usize],
        };
        heap.lay_out(&mut ());
        heap
    }
}

stored_in_memory!(Tlsf);

impl<M: Memory> Design for Tlsf<M> {
    #[inline(always)]
    fn allocate(&mut self, layout: Layout, mut observer: impl Observer) -> Result<Placement, Full> {
        if layout.size() >= self.memory.len() as usize {
            return Err(Full);
        }
        let need = block_bytes(layout.size() as u64) as u32;
        observer.step(Step::Rounded { asked_bytes: layout.size() as u32, block_bytes: need });
        let align = layout.align() as u32;
        if align > GRAIN_BYTES {
            return or_full(self.allocate_aligned(need, align, 0, &mut observer));
        }
        let fit = self.find(need, &mut observer).ok_or(Full)?;
        self.take(&fit, need, &mut observer);
        Ok(placement(fit.hole, need))
    }

    #[inline(always)]
    fn deallocate(&mut self, at: Offset, _: Layout, mut observer: impl Observer) {
        let block = header_of(at);
        let header = self.header(block);
        debug_assert!(sandbox::is_running() || header.in_use(), "{at:?} is not in use");
        self.release(block, header, &mut observer);
    }

    #[inline]
    fn resize(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        if new_bytes >= self.memory.len() {
            return Err(Full);
        }
        let block = header_of(at);
        let need = block_bytes(u64::from(new_bytes)) as u32;
        let header = self.header(block);
        let size_bytes = header.size_bytes();
        let size_bytes = if need > size_bytes {
            let behind = self.header(block.plus(size_bytes));
            let hole_bytes = behind.size_bytes();
            if behind.in_use() || need > size_bytes + hole_bytes {
                return Err(Full);
            }
            self.extend(block, header, hole_bytes, need, &mut observer)
        } else if new_bytes < layout.size() as u32 {
            self.trim(block, header, need, &mut observer);
            need
        } else {
            // It grows into the bytes it had to spare, and keeps the others.
            size_bytes
        };
        Ok(placement(block, size_bytes))
    }

    #[inline]
    fn reallocate(
        &mut self,
        at: Offset,
        layout: Layout,
        new_bytes: u32,
        mut observer: impl Observer,
    ) -> Result<Placement, Full> {
        if let Ok(placed) = self.resize(at, layout, new_bytes, &mut observer) {
            return Ok(placed);
        }
        if new_bytes >= self.memory.len() {
            return Err(Full);
        }
        let need = with_reserve(block_bytes(u64::from(new_bytes)) as u32);
        let roomy = with_size(layout, need - HEADER_BYTES)?;
        let placed = match self.allocate(roomy, &mut observer) {
            Ok(placed) => placed,
            Err(Full) => self.allocate_tight(with_size(layout, new_bytes)?, &mut observer)?,
        };
        self.memory.copy(at, placed.at, new_bytes.min(layout.size() as u32));
        self.deallocate(at, layout, &mut observer);
        Ok(placed)
    }

    fn grow(&mut self, len: u32, mut observer: impl Observer) {
        let old_bytes = self.memory.len();
        self.memory.grow(len);
        if !holds_a_block(old_bytes) {
            return self.lay_out(&mut observer);
        }
        // The old end word becomes the header of what was added.
        let added = end_of(old_bytes);
        let end = self.end();
        if added < end {
            let front = self.header(added).0 & HOLE_IN_FRONT;
            self.set_used(end, 0, 0);
            self.release(added, Header(end.since(added) | IN_USE | front), &mut observer);
        }
    }

    fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let len = Offset(self.memory.len());
        let end = if self.has_blocks() { self.end() } else { NIL };
        let mut at = NIL;
        std::iter::from_fn(move || {
            let (size_bytes, kind) = if at == len {
                return None;
            } else if at == end {
                (len.since(end), PieceKind::Books)
            } else if at == NIL {
                (FIRST_BLOCK.0, PieceKind::Books)
            } else {
                let header = self.header(at);
                let kind = if header.in_use() { PieceKind::Block } else { PieceKind::Hole };
                // A damaged size must not lead astray: the rest of the arena is one piece then.
                let rest = end.since(at);
                let sane = (MIN_BLOCK_BYTES..=rest).contains(&header.size_bytes());
                (if sane { header.size_bytes() } else { rest }, kind)
            };
            let piece = Piece { at, size_bytes, kind };
            at = piece.end();
            Some(piece)
        })
    }

    fn holes(&self) -> impl Iterator<Item = Piece> + '_ {
        self.lists().flat_map(|list| self.holes_of(list))
    }

    fn structure(&self) -> Structure {
        let second = (0..FIRST).zip(self.second).filter(|&(_, bits)| bits != 0).collect();
        let lists = self
            .lists()
            .map(|list| List { class: class_of(list), holes: self.holes_of(list).collect() });
        Structure::Lists { first: Some(self.first), second, lists: lists.collect() }
    }

    fn need(&self, layout: Layout) -> Need {
        let payload_bytes = block_bytes(layout.size() as u64) - u64::from(HEADER_BYTES);
        Need { payload_bytes, edges: Edges::front(HEADER_BYTES) }
    }

    fn fits(&self, hole: Piece) -> u32 {
        hole.size_bytes - HEADER_BYTES
    }

    fn header_of_all(&self) -> Option<u32> {
        Some(HEADER_BYTES)
    }

    fn block_edges(&self, _: Offset) -> Edges {
        Edges::front(HEADER_BYTES)
    }

    fn hole_edges(&self, _: Piece) -> Edges {
        Edges { rear_bytes: 4, ..Edges::front(12) }
    }

    fn rules(&self) -> Vec<&'static str> {
        vec![
            "blocks tile the arena, from the null hole to the end word",
            "every size is a multiple of 16, at least 16",
            "a header knows a hole in front, and the hole's last word is its size",
            "no two neighbours are both holes",
            "each hole is in the list of its size, and nothing else is in a list",
            "a bit is set exactly when its list is not empty",
        ]
    }

    fn check(&self) -> Result<Census, Broken> {
        let mut census = Census::default();
        if !self.has_blocks() {
            return Ok(census);
        }
        if self.header(NIL).0 != 0 {
            return Err(Broken { invariant: 1, at: NIL });
        }
        let mut at = FIRST_BLOCK;
        let mut hole_in_front = false;
        while at < self.end() {
            self.check_block(at, hole_in_front)?;
            let header = self.header(at);
            hole_in_front = !header.in_use();
            if hole_in_front {
                census.holes += 1;
            } else {
                census.used += 1;
            }
            at = at.plus(header.size_bytes());
        }
        let end = self.header(at);
        if at != self.end() || end.size_bytes() != 0 || !end.in_use() {
            return Err(Broken { invariant: 1, at });
        }
        if end.hole_in_front() != hole_in_front {
            return Err(Broken { invariant: 3, at });
        }
        self.check_bitmaps()?;
        // Each hole is linked where its size belongs, so the lists are right if they hold as many, of the right
        // sizes.
        let mut listed = 0;
        for list in self.lists() {
            if !self.is_place(self.head(list)) {
                return Err(Broken { invariant: 5, at: self.head(list) });
            }
            for hole in self.holes_of(list) {
                listed += 1;
                let header = self.header(hole.at);
                let belongs = !header.in_use() && list_of(header.size_bytes()) == list;
                if listed > census.holes || !belongs {
                    return Err(Broken { invariant: 5, at: hole.at });
                }
            }
        }
        if listed == census.holes {
            Ok(census)
        } else {
            Err(Broken { invariant: 5, at: FIRST_BLOCK })
        }
    }
}

/// Room for the null hole, the smallest block and the end word.
const LEAST_BYTES: u32 = FIRST_BLOCK.0 + MIN_BLOCK_BYTES + END_BYTES;

fn holds_a_block(len: u32) -> bool {
    len >= LEAST_BYTES
}

/// Where the end word is in so long a memory: where a block could start.
fn end_of(len: u32) -> Offset {
    Offset((len & !(GRAIN_BYTES - 1)) - END_BYTES)
}

/// The bytes of a block with so large a payload, header and rounding included.
#[inline(always)]
fn block_bytes(payload_bytes: u64) -> u64 {
    let grain = u64::from(GRAIN_BYTES);
    let rounded = (payload_bytes + u64::from(HEADER_BYTES) + grain - 1) & !(grain - 1);
    rounded.max(u64::from(MIN_BLOCK_BYTES))
}

/// The bytes of a block that grew to `need`: a few more.
#[inline(always)]
fn with_reserve(need: u32) -> u32 {
    need.next_multiple_of(RESERVE_BYTES)
}

#[inline(always)]
fn with_size(layout: Layout, size_bytes: u32) -> Result<Layout, Full> {
    Layout::from_size_align(size_bytes as usize, layout.align()).or(Err(Full))
}

#[inline(always)]
fn placement(block: Offset, size_bytes: u32) -> Placement {
    Placement { at: payload_of(block), granted_bytes: size_bytes - HEADER_BYTES }
}

/// No placement: [`Full`] in the shape of a [`Placement`], which comes back from a call in a register. A `Result`
/// goes through memory.
pub(crate) const NOWHERE: Placement = Placement { at: NIL, granted_bytes: 0 };

#[inline(always)]
pub(crate) fn or_full(placed: Placement) -> Result<Placement, Full> {
    if placed == NOWHERE { Err(Full) } else { Ok(placed) }
}

/// The step that took `size_bytes` behind the padding, `header_bytes` of them for a header.
#[inline(always)]
fn cut(
    at: Offset,
    padding_bytes: u32,
    header_bytes: u32,
    size_bytes: u32,
    remaining_bytes: u32,
) -> Step {
    let payload_bytes = size_bytes - header_bytes;
    Step::Cut { at, padding_bytes, header_bytes, payload_bytes, remaining_bytes }
}

// The classes. With sizes counted in grains of 16 bytes, a list holds `1 << shift` of them, and `shift` grows by one
// with each power of two above 32 grains.

#[inline(always)]
fn shift_of(grains: u32) -> u32 {
    ((grains / SECOND) | 1).ilog2()
}

/// The number of the list that holds of so many bytes are in: 32N + M.
///
/// A number of grains between `32 << shift` and `64 << shift` has `grains >> shift` between 32 and 64, so that adding
/// 32 for each shift continues where the power of two below ended.
#[inline(always)]
fn list_of(size_bytes: u32) -> u32 {
    let grains = size_bytes / GRAIN_BYTES;
    let shift = shift_of(grains);
    shift * SECOND + (grains >> shift)
}

/// The smallest size from `size_bytes` on that every hole of its list has.
#[inline(always)]
fn round_up_to_list(size_bytes: u32) -> u32 {
    size_bytes + (GRAIN_BYTES << shift_of(size_bytes / GRAIN_BYTES)) - GRAIN_BYTES
}

/// The number of the lowest bit that is set; 31 for none.
#[inline(always)]
fn lowest_bit(bits: u32) -> u32 {
    (bits | 1 << 31).trailing_zeros()
}

/// N and M of a list.
#[inline(always)]
fn levels(list: u32) -> (u32, u32) {
    (list / SECOND, list % SECOND)
}

/// What a list holds, for the observer.
fn class_of(list: u32) -> Class {
    let (first, second) = levels(list);
    let shift = first.saturating_sub(1);
    let grains = if first == 0 { second } else { (SECOND + second) << shift };
    let min_bytes = grains * GRAIN_BYTES;
    let max_bytes = min_bytes + (GRAIN_BYTES << shift) - GRAIN_BYTES;
    Class { first, second: Some(second), min_bytes, max_bytes }
}

#[inline(always)]
fn header_of(payload: Offset) -> Offset {
    payload.minus(HEADER_BYTES)
}

#[inline(always)]
fn payload_of(block: Offset) -> Offset {
    block.plus(HEADER_BYTES)
}

#[inline(always)]
fn tag_of(hole: Offset, size_bytes: u32) -> Offset {
    tag_in_front(hole.plus(size_bytes))
}

#[inline(always)]
fn tag_in_front(block: Offset) -> Offset {
    block.minus(4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{self, layout};
    use crate::{MAX_ALIGN, MAX_ARENA, Storage};

    type Heap = Tlsf<Pages>;

    fn heap(len: u32) -> Heap {
        Heap::new(Pages::new(len))
    }

    /// Allocates each size at align 8 in an arena of 64 KiB.
    fn filled(sizes: &[usize]) -> (Heap, Vec<Offset>) {
        let mut heap = heap(64 * 1024);
        let blocks =
            sizes.iter().map(|&size| heap.allocate(layout(size, 8), ()).unwrap().at).collect();
        (heap, blocks)
    }

    fn free(heap: &mut Heap, at: Offset) {
        heap.deallocate(at, layout(1, 8), ());
        heap.check().unwrap();
    }

    fn holes(heap: &Heap) -> Vec<(u32, u32)> {
        Design::holes(heap).map(|hole| (hole.at.0, hole.size_bytes)).collect()
    }

    /// A heap that differs from `other` in nothing.
    fn same(heap: &Heap, other: &Heap) -> bool {
        let bytes = |heap: &Heap| heap.memory.read(0..Storage::len(heap));
        heap.first == other.first
            && heap.second == other.second
            && heap.heads == other.heads
            && bytes(heap) == bytes(other)
    }

    #[test]
    fn a_block_is_a_word_and_its_payload_rounded_up_to_16() {
        for (size, next) in [(1, 32), (12, 32), (13, 48), (28, 48), (29, 64), (200, 224)] {
            let (heap, blocks) = filled(&[size, 1]);
            assert_eq!((blocks[0].0, blocks[1].0), (16, next), "size {size}");
            heap.check().unwrap();
        }
    }

    #[test]
    fn the_pieces_are_the_null_hole_the_blocks_and_the_end_word() {
        let (mut heap, blocks) = filled(&[100, 100]);
        free(&mut heap, blocks[0]);
        let pieces: Vec<_> = heap.pieces().map(|p| (p.at.0, p.size_bytes, p.kind)).collect();
        let expect = [
            (0, 12, PieceKind::Books),
            (12, 112, PieceKind::Hole),
            (124, 112, PieceKind::Block),
            (236, 65296, PieceKind::Hole),
            (65532, 4, PieceKind::Books),
        ];
        assert_eq!(pieces, expect);
    }

    #[test]
    fn a_freed_block_joins_the_holes_on_both_sides() {
        let (mut heap, blocks) = filled(&[40, 24, 96]);
        let fresh = holes(&filled(&[]).0);
        free(&mut heap, blocks[0]);
        free(&mut heap, blocks[2]);
        assert_eq!(holes(&heap).len(), 2);
        free(&mut heap, blocks[1]);
        assert_eq!(holes(&heap), fresh);
    }

    #[test]
    fn the_smallest_class_that_surely_fits_is_taken() {
        let (mut heap, b) = filled(&[300, 1, 200, 1, 100, 1, 200, 1]);
        for i in [0, 2, 4, 6] {
            free(&mut heap, b[i]);
        }
        // The last of two equal holes is the head of their list.
        assert_eq!(heap.allocate(layout(190, 8), ()).unwrap().at, b[6]);
        assert_eq!(heap.allocate(layout(190, 8), ()).unwrap().at, b[2]);
        assert_eq!(heap.allocate(layout(190, 8), ()).unwrap().at, b[0]);
        heap.check().unwrap();
    }

    #[test]
    fn the_steps_tell_rounding_classes_cut_and_list() {
        let mut heap = heap(1024);
        let mut steps = Vec::new();
        heap.allocate(layout(200, 8), &mut steps).unwrap();
        let class = |first, second, min_bytes, max_bytes| Class {
            first,
            second: Some(second),
            min_bytes,
            max_bytes,
        };
        let expect = [
            Step::Rounded { asked_bytes: 200, block_bytes: 208 },
            Step::Class { class: class(0, 13, 208, 208), found: false },
            Step::Class { class: class(1, 31, 1008, 1008), found: true },
            Step::Looked { at: FIRST_BLOCK, size_bytes: 1008, fits: true },
            Step::Cut {
                at: FIRST_BLOCK,
                padding_bytes: 0,
                header_bytes: 4,
                payload_bytes: 204,
                remaining_bytes: 800,
            },
            Step::Listed { at: Offset(220), class: class(1, 18, 800, 800) },
        ];
        assert_eq!(steps, expect);

        steps.clear();
        heap.deallocate(Offset(16), layout(200, 8), &mut steps);
        let expect = [
            Step::Joined {
                at: FIRST_BLOCK,
                freed_bytes: 208,
                size_bytes: 1008,
                in_front: false,
                behind: true,
            },
            Step::Listed { at: FIRST_BLOCK, class: class(1, 31, 1008, 1008) },
        ];
        assert_eq!(steps, expect);
    }

    #[test]
    fn a_large_request_takes_the_block_of_its_own_class_that_was_just_freed() {
        // 5,000 lies inside its class, from 4,992 to 5,104: by the bitmaps alone the hole would be passed over.
        let (mut heap, b) = filled(&[5000, 1]);
        free(&mut heap, b[0]);
        assert_eq!(heap.allocate(layout(5000, 8), ()).unwrap().at, b[0]);
    }

    #[test]
    fn a_hole_of_the_same_class_that_is_too_small_is_passed_over() {
        let (mut heap, b) = filled(&[5000, 1]);
        free(&mut heap, b[0]);
        assert!(heap.allocate(layout(5040, 8), ()).unwrap().at > b[1]);
        heap.check().unwrap();
    }

    #[test]
    fn the_whole_arena_fits_and_a_byte_more_does_not() {
        for len in [32, 64, 1024, 65536, 1 << 20] {
            let mut heap = heap(len);
            let hole = Design::holes(&heap).next().unwrap();
            let whole = heap.fits(hole) as usize;
            assert_eq!(heap.allocate(layout(whole + 1, 8), ()), Err(Full));
            let at = heap.allocate(layout(whole, 8), ()).unwrap().at;
            assert_eq!(heap.check(), Ok(Census { used: 1, holes: 0 }));
            free(&mut heap, at);
        }
    }

    #[test]
    fn each_size_is_in_a_list_whose_class_says_so() {
        let small = (1..4096).map(|grains| grains * GRAIN_BYTES);
        let large = (12..31).flat_map(|power| {
            let size = 1_u32 << power;
            [size - GRAIN_BYTES, size, size + GRAIN_BYTES, size + size / 3]
        });
        for size in small.chain(large.map(|size| size & !FLAGS)) {
            let class = class_of(list_of(size));
            assert!((class.min_bytes..=class.max_bytes).contains(&size), "{size} is in {class:?}");
            let safe = class_of(list_of(round_up_to_list(size)));
            assert!(safe.min_bytes >= size, "every hole of {safe:?} holds {size}");
            assert!(safe.min_bytes - size < class.max_bytes + GRAIN_BYTES - class.min_bytes);
        }
        let last = round_up_to_list(MAX_ARENA + MAX_ALIGN);
        assert!(list_of(last) < FIRST * SECOND, "{last} has a list");
    }

    #[test]
    fn a_block_grows_into_the_hole_behind_it_with_some_to_spare_and_shrinks_back() {
        let (mut heap, b) = filled(&[40, 8]);
        let placed = heap.reallocate(b[1], layout(8, 8), 100, ()).unwrap();
        assert_eq!(placed, Placement { at: b[1], granted_bytes: 124 });
        heap.check().unwrap();
        let placed = heap.reallocate(b[1], layout(100, 8), 120, ()).unwrap();
        assert_eq!(placed, Placement { at: b[1], granted_bytes: 124 });
        let placed = heap.reallocate(b[1], layout(120, 8), 8, ()).unwrap();
        assert_eq!(placed, Placement { at: b[1], granted_bytes: 12 });
        heap.check().unwrap();
        assert_eq!(holes(&heap), [(76, 65456)]);
    }

    #[test]
    fn a_block_with_a_neighbour_behind_moves_with_its_bytes() {
        let (mut heap, b) = filled(&[16, 8]);
        heap.memory.write(b[0].0, b"sixteen bytes!!!");
        let moved = heap.reallocate(b[0], layout(16, 8), 32, ()).unwrap();
        assert!(moved.at > b[1]);
        assert_eq!(heap.memory.read(moved.at.0..moved.at.0 + 16), b"sixteen bytes!!!");
        heap.check().unwrap();
    }

    #[test]
    fn a_block_that_finds_no_room_to_spare_grows_without() {
        let mut heap = heap(12 + 32 + 96 + 4);
        let block = heap.allocate(layout(28, 8), ()).unwrap().at;
        let rest = heap.allocate(layout(92, 8), ()).unwrap().at;
        free(&mut heap, block);
        let small = heap.allocate(layout(12, 8), ()).unwrap().at;
        let wall = heap.allocate(layout(12, 8), ()).unwrap().at;
        free(&mut heap, rest);
        // 80 + 4 bytes and some to spare would be 128, and 96 is all there is.
        let moved = heap.reallocate(small, layout(12, 8), 80, ()).unwrap();
        assert!(moved.at > wall);
        assert_eq!(heap.check(), Ok(Census { used: 2, holes: 1 }));
    }

    #[test]
    fn a_grown_arena_extends_the_last_hole_or_adds_one() {
        for (len, size, expect) in [
            (1024, 40, (60, 1984)),
            (1024, 1004, (1020, 1024)),
            (16, 0, (12, 2032)),
            (0, 0, (12, 2032)),
        ] {
            let mut heap = heap(len);
            if size > 0 {
                heap.allocate(layout(size, 8), ()).unwrap();
            }
            Design::grow(&mut heap, 2048, ());
            heap.check().unwrap();
            assert_eq!(holes(&heap), [expect], "from {len}");
        }
    }

    #[test]
    fn check_names_the_invariant_that_broke() {
        let (mut heap, b) = filled(&[40, 24, 100, 8]);
        free(&mut heap, b[0]);
        free(&mut heap, b[2]);
        let [hole, block] = [header_of(b[0]), header_of(b[1])];
        for (at, word, invariant) in [
            (NIL, 16, 1),
            (block, 1 << 20 | IN_USE | HOLE_IN_FRONT, 1),
            (heap.end(), 16 | IN_USE | HOLE_IN_FRONT, 1),
            (block, 0x18 | IN_USE | HOLE_IN_FRONT, 2),
            (block, IN_USE | HOLE_IN_FRONT, 2),
            (block, 32 | IN_USE, 3),
            (tag_of(hole, 48), 32, 3),
            (block, 32 | HOLE_IN_FRONT, 4),
            (hole.plus(NEXT), hole.0, 5),
            (hole.plus(PREV), block.0, 5),
        ] {
            let mut damaged = heap.clone();
            Memory::set_word(&mut damaged.memory, at, word);
            assert_eq!(damaged.check().unwrap_err().invariant, invariant, "{word} at {at:?}");
        }
        let mut damaged = heap.clone();
        damaged.second[5] |= 1;
        assert_eq!(damaged.check().unwrap_err().invariant, 6);
        damaged = heap.clone();
        damaged.heads[40] = damaged.heads[3];
        damaged.second[1] |= 1 << 8;
        damaged.first |= 1 << 1;
        assert_eq!(damaged.check().unwrap_err().invariant, 5);
    }

    #[test]
    fn the_structure_shows_the_bitmaps_and_the_lists() {
        let (mut heap, b) = filled(&[40, 1, 40, 1, 5000, 1]);
        for i in [0, 2, 4] {
            free(&mut heap, b[i]);
        }
        let Structure::Lists { first, second, lists } = heap.structure() else { unreachable!() };
        let classes: Vec<_> = lists
            .iter()
            .map(|list| (list.class.first, list.class.second.unwrap(), list.holes.len()))
            .collect();
        assert_eq!(classes, [(0, 3, 2), (4, 7, 1), (7, 26, 1)]);
        assert_eq!(first, Some(1 | 1 << 4 | 1 << 7));
        assert_eq!(second, [(0, 1 << 3), (4, 1 << 7), (7, 1 << 26)]);
        assert_eq!(lists[0].holes[0].at, header_of(b[2]));
    }

    /// Constant time, counted: the sandbox ends a run that goes to the arena more than so often.
    #[test]
    fn no_operation_goes_to_the_arena_more_than_24_times_however_many_blocks_there_are() {
        for live in [10, 1_000, 50_000_usize] {
            let mut heap = Heap::new(Pages::new(64 << 20));
            let sized = |index: usize| layout(8 + index * 37 % 1000, 8);
            let mut blocks: Vec<_> = (0..live)
                .map(|index| (heap.allocate(sized(index), ()).unwrap().at, sized(index)))
                .collect();
            for turn in 0..2_000 {
                let index = turn * 7_919 % live;
                let (at, old) = blocks[index];
                sandbox::run(24, || heap.deallocate(at, old, ())).unwrap();
                let new = sized(turn * 31);
                let placed = sandbox::run(24, || heap.allocate(new, ())).unwrap();
                blocks[index] = (placed.unwrap().at, new);
            }
        }
    }

    #[test]
    fn random_programs_agree_with_the_oracle() {
        for arena_bytes in [16, 8192] {
            let fresh = || Heap::new(Pages::new(arena_bytes));
            oracle::random_programs(true, fresh, |heap| {
                assert!(!heap.has_blocks() || heap.check() == Ok(Census { used: 0, holes: 1 }));
            });
        }
    }

    #[test]
    fn a_damaged_arena_is_named_or_drawn_and_never_followed_outside() {
        let fresh = || Heap::new(Pages::new(4096));
        oracle::random_damage_is_survived(fresh);
        oracle::damage_is_survived(fresh());
    }

    // What bit others.

    #[test]
    fn alignment_padding_is_not_leaked_blog_os_796() {
        for align in [32, 64, 1024, 4096] {
            let mut heap = heap(16 * 1024);
            let fresh = heap.clone();
            let first = heap.allocate(layout(20, 8), ()).unwrap().at;
            let placed = heap.allocate(layout(64, align), ()).unwrap();
            assert!(placed.at.0.is_multiple_of(align as u32));
            let free_bytes: u32 = Design::holes(&heap).map(|hole| hole.size_bytes).sum();
            assert_eq!(free_bytes, 16 * 1024 - 16 - 32 - 80, "align {align}");
            free(&mut heap, placed.at);
            free(&mut heap, first);
            assert_eq!(holes(&heap), holes(&fresh));
        }
    }

    #[test]
    fn a_region_too_small_is_full_rustsec_2022_0063() {
        for len in [0, 8, 16, 24] {
            let mut heap = heap(len);
            assert_eq!(heap.allocate(layout(1, 1), ()), Err(Full));
            assert_eq!(heap.check(), Ok(Census::default()));
            assert_eq!(heap.pieces().map(|piece| piece.size_bytes).sum::<u32>(), len);
        }
        assert!(matches!(
            (Heap::INFO.build)(&crate::Spec::plain(&Heap::INFO), 16),
            Err(Unfit::TooSmall { least_bytes: 32 })
        ));
    }

    #[test]
    fn a_huge_layout_is_full_linked_list_allocator_79() {
        let mut heap = filled(&[40]).0;
        let before = heap.clone();
        for size in [64 << 10, 1 << 30, u32::MAX as usize - 3, isize::MAX as usize / 2] {
            for align in [1, 8, 16, MAX_ALIGN as usize] {
                assert_eq!(heap.allocate(layout(size, align), ()), Err(Full), "{size}, {align}");
            }
        }
        assert_eq!(heap.reallocate(Offset(16), layout(40, 8), u32::MAX, ()), Err(Full));
        assert!(same(&heap, &before));
        let need = heap.need(layout(isize::MAX as usize / 2, 1));
        assert!(need.block_bytes() > 1 << 61);
    }

    #[test]
    fn a_request_for_the_last_bytes_is_full_not_an_overflow_embedded_alloc_125() {
        let mut heap = heap(MAX_ARENA);
        for size in [MAX_ARENA - 1, MAX_ARENA - 16, MAX_ARENA - 19] {
            for align in [8, MAX_ALIGN as usize] {
                assert_eq!(heap.allocate(layout(size as usize, align), ()), Err(Full), "{size}");
            }
        }
        assert!(heap.allocate(layout(MAX_ARENA as usize - 20, 8), ()).is_ok());
        heap.check().unwrap();
    }

    #[test]
    fn a_high_alignment_keeps_to_the_arena_bumpalo_19() {
        let mut heap = filled(&[40]).0;
        let before = heap.clone();
        // There is no multiple of 64 KiB behind the first block.
        assert_eq!(heap.allocate(layout(8, MAX_ALIGN as usize), ()), Err(Full));
        assert!(same(&heap, &before));
        let placed = heap.allocate(layout(8, 32 * 1024), ()).unwrap();
        assert_eq!(placed.at, Offset(32 * 1024));
        heap.check().unwrap();
    }

    #[test]
    fn a_failed_realloc_changes_nothing() {
        let (mut heap, b) = filled(&[40, 8]);
        heap.memory.write(b[0].0, b"kept");
        let before = heap.clone();
        for size in [65_453, 65_536, 1 << 30] {
            assert_eq!(heap.reallocate(b[0], layout(40, 8), size, ()), Err(Full));
        }
        assert!(same(&heap, &before));
    }
}
