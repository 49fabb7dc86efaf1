//! `heapless::Vec`, `String` and `Deque`: their elements lie in the value itself, and what there is no room for is handed
//! back.

use super::library::Called;
use super::memory::{fat, thin};
use super::text::{char_of, check_range};
use super::vm::{Run, Vm, panic};
use crate::layout::{LayoutId, Room, Shape, WORD_BYTES, deque};
use crate::library::Builtin;
use crate::typed::CompareOp;

/// A `heapless::Vec` or `String` where it lies.
#[derive(Clone, Copy)]
pub(super) struct Inline {
    at: u64,
    room: Room,
    len_bytes: u64,
    /// The first element.
    pub(super) first: u64,
    pub(super) len: u64,
}

/// A `heapless::Deque` where it lies.
#[derive(Clone, Copy)]
pub(super) struct Ring {
    at: u64,
    room: Room,
    size: u64,
    front: u64,
    back: u64,
    is_full: bool,
}

impl Ring {
    pub(super) fn len(&self) -> u64 {
        let capacity = self.room.capacity;
        match (self.is_full, self.back < self.front) {
            (true, _) => capacity,
            (false, true) => self.back + capacity - self.front,
            (false, false) => self.back - self.front,
        }
    }

    /// Where the element of that number lies, counted from the front.
    fn place(&self, index: u64) -> u64 {
        let slot = (self.front + index) % self.room.capacity;
        self.at + self.room.offset + slot * self.size
    }

    pub(super) fn element(&self) -> LayoutId {
        self.room.element
    }

    /// Where the element of that number lies, if there is one.
    pub(super) fn nth(&self, index: u64) -> Option<u64> {
        (index < self.len()).then(|| self.place(index))
    }

    /// The index before another, in the circle.
    fn before(&self, slot: u64) -> u64 {
        slot.checked_sub(1).unwrap_or(self.room.capacity - 1)
    }

    /// The two stretches that its elements fill, each with its number of elements.
    pub(super) fn stretches(&self) -> [(u64, u64); 2] {
        let len = self.len();
        let ahead = len.min(self.room.capacity - self.front);
        [(self.place(0), ahead), (self.at + self.room.offset, len - ahead)]
    }

    /// The stretches in which both of two of one length lie in one piece: where each is in this, in the other, and its
    /// number of elements. The last comes first.
    pub(super) fn beside(&self, other: &Self) -> Vec<[u64; 3]> {
        let mut cuts = [0, self.stretches()[0].1, other.stretches()[0].1, self.len()];
        cuts.sort_unstable();
        let both = |cut: &[u64]| [self.place(cut[0]), other.place(cut[0]), cut[1] - cut[0]];
        cuts.windows(2).filter(|cut| cut[0] < cut[1]).map(both).rev().collect()
    }

    fn push_back(&mut self) {
        self.back = (self.back + 1) % self.room.capacity;
        self.is_full = self.front == self.back;
    }

    fn push_front(&mut self) {
        self.front = self.before(self.front);
        self.is_full = self.front == self.back;
    }

    fn pop_front(&mut self) {
        self.front = (self.front + 1) % self.room.capacity;
        self.is_full = false;
    }

    fn pop_back(&mut self) {
        self.back = self.before(self.back);
        self.is_full = false;
    }
}

impl super::memory::Bytes<'_> {
    pub(super) fn inline(self, room: Room, len_bytes: u64, at: u64) -> Inline {
        let len = self.bits(at, len_bytes) as u64;
        Inline { at, room, len_bytes, first: at + room.offset, len }
    }

    pub(super) fn ring(self, room: Room, size: u64, at: u64) -> Ring {
        let [front, back] = [deque::FRONT, deque::BACK].map(|offset| self.word(at + offset));
        // A stale reference may lead to anything.
        let [front, back] = [front, back].map(|slot| slot % room.capacity.max(1));
        Ring { at, room, size, front, back, is_full: self.bits(at + deque::FULL, 1) != 0 }
    }
}

impl Vm<'_> {
    fn inline(&self, id: LayoutId, at: u64) -> Inline {
        match &self.layouts[id].shape {
            Shape::Inline(room, len_bytes) => self.view().inline(*room, *len_bytes, at),
            shape => panic!("{shape:?} is no heapless::Vec"),
        }
    }

    pub(super) fn ring(&self, id: LayoutId, at: u64) -> Ring {
        match &self.layouts[id].shape {
            Shape::Deque(room) => self.view().ring(*room, self.layouts[room.element].size, at),
            shape => panic!("{shape:?} is no heapless::Deque"),
        }
    }

    fn set_inline_len(&mut self, list: &Inline, len: u64) {
        self.set_bits(list.at, list.len_bytes, len.into());
    }

    fn set_ring(&mut self, ring: &Ring) {
        self.set_word(ring.at + deque::FRONT, ring.front);
        self.set_word(ring.at + deque::BACK, ring.back);
        self.set_bits(ring.at + deque::FULL, 1, ring.is_full.into());
    }

    /// An empty collection at `to`; its room is as unset as it was.
    pub(super) fn new_heapless(&mut self, id: LayoutId, to: u64) {
        match self.layouts[id].shape {
            Shape::Inline(_, len_bytes) => self.set_bits(to, len_bytes, 0),
            Shape::Deque(_) => {
                self.set_bits(to, 2 * WORD_BYTES, 0);
                self.set_bits(to + deque::FULL, 1, 0);
            }
            ref shape => panic!("{shape:?} is not of heapless"),
        }
    }

    /// The clone of a `Deque` begins where its room does.
    pub(super) fn new_ring(&mut self, of: &Ring, to: u64) -> u64 {
        let back = of.len() % of.room.capacity;
        self.set_ring(&Ring { at: to, front: 0, back, is_full: of.is_full, ..*of });
        to + of.room.offset
    }

    /// `Ok(())` or `Err(CapacityError)`: neither has more to it than its name.
    fn write_fits(&mut self, call: &Called<'_>, fits: bool) {
        let choice = self.choice_of(call.result);
        self.set_variant(call.to, &choice, usize::from(!fits));
    }

    /// `Ok(())`, or the item handed back.
    fn write_taken(&mut self, call: &Called<'_>, fits: bool, item: u128) {
        if fits {
            self.write_fits(call, true);
        } else {
            self.write_variant(call.result, 1, item, call.to);
        }
    }

    pub(super) fn heapless_vec(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let of = call.of();
        let size = self.layouts[of].size;
        match call.run {
            B::HeaplessVecNew => {
                self.new_heapless(call.result, call.to);
                return Ok(0);
            }
            B::HeaplessVecFromSlice => {
                let choice = self.choice_of(call.result);
                let made = choice.variants[0].expect("Ok holds the vector");
                self.new_heapless(made.id, call.to + made.offset);
                let list = self.inline(made.id, call.to + made.offset);
                let fits = self.append_clones(&list, call.args[0])?;
                self.set_variant(call.to, &choice, usize::from(!fits));
                return Ok(0);
            }
            _ => {}
        }
        let list = self.inline(self.referent(call.arg_types[0]), call.word(0));
        let Inline { first, len, room, .. } = list;
        let place = |index: u64| first + index * size;
        match call.run {
            B::HeaplessVecPush => {
                let fits = len < room.capacity;
                if fits {
                    self.store(of, call.args[1], place(len));
                    self.set_inline_len(&list, len + 1);
                }
                self.write_taken(call, fits, call.args[1]);
            }
            B::HeaplessVecPop => {
                if len == 0 {
                    self.write_none(call.result, call.to);
                } else {
                    self.set_inline_len(&list, len - 1);
                    self.write_payload(call.result, 1, place(len - 1), call.to);
                }
            }
            B::HeaplessVecInsert => {
                let index = call.word(1);
                if index > len {
                    return panic(format!(
                        "insertion index (is {index}) should be <= len (is {len})"
                    ));
                }
                let fits = len < room.capacity;
                if fits {
                    self.count_steps((len - index) * size / 64)?;
                    self.copy(place(index), place(index + 1), (len - index) * size);
                    self.store(of, call.args[2], place(index));
                    self.set_inline_len(&list, len + 1);
                }
                self.write_taken(call, fits, call.args[2]);
            }
            B::HeaplessVecRemove | B::HeaplessVecSwapRemove => {
                let index = call.word(1);
                let is_swap = call.run == B::HeaplessVecSwapRemove;
                if index >= len {
                    return panic(if is_swap {
                        "assertion failed: index < self.len()".to_owned()
                    } else {
                        format!("removal index (is {index}) should be < len (is {len})")
                    });
                }
                let value = self.take(of, place(index), call.to);
                if is_swap {
                    self.copy(place(len - 1), place(index), size);
                } else {
                    self.count_steps((len - index) * size / 64)?;
                    self.copy(place(index + 1), place(index), (len - index - 1) * size);
                }
                self.set_inline_len(&list, len - 1);
                return Ok(value);
            }
            B::HeaplessVecTruncate => self.truncate_inline(&list, call.word(1)),
            B::HeaplessVecClear => self.truncate_inline(&list, 0),
            B::HeaplessVecExtendFromSlice => {
                let fits = self.append_clones(&list, call.args[1])?;
                self.write_fits(call, fits);
            }
            B::HeaplessVecResize => {
                let (wanted, value) = (call.word(1), call.args[2]);
                let fits = wanted <= room.capacity;
                if fits && wanted > len {
                    self.fill_clones(of, value, place(len), wanted - len)?;
                    self.set_inline_len(&list, wanted);
                }
                // All of them are clones: the value itself ends here, after what is cut off.
                if !self.layouts[of].is_operand() {
                    self.drop_later(value as u64, of);
                }
                if fits {
                    self.truncate_inline(&list, wanted);
                }
                self.write_fits(call, fits);
            }
            B::HeaplessVecCapacity => return Ok(room.capacity.into()),
            B::HeaplessVecIsFull => return Ok((len == room.capacity).into()),
            B::HeaplessVecIsEmpty => return Ok((len == 0).into()),
            B::HeaplessVecStartsWith | B::HeaplessVecEndsWith => {
                let count = thin(call.args[1]).1;
                if count > len {
                    return Ok(0);
                }
                let start = if call.run == B::HeaplessVecStartsWith { 0 } else { len - count };
                let slice = self.referent(call.arg_types[1]);
                let part = (slice, fat(place(start), count));
                return Ok(self.compare(CompareOp::Eq, part, (slice, call.args[1]))?.into());
            }
            // `as_slice`, `deref`.
            _ => return Ok(fat(first, len)),
        }
        Ok(0)
    }

    /// Clones of a slice behind the last element, unless there is no room for all.
    fn append_clones(&mut self, list: &Inline, slice: u128) -> Run<bool> {
        let (from, count) = thin(slice);
        let Inline { first, len, room, .. } = *list;
        let fits = count <= room.capacity - len;
        if fits {
            let size = self.layouts[room.element].size;
            self.clone_elements(room.element, from, first + len * size, count)?;
            self.set_inline_len(list, len + count);
        }
        Ok(fits)
    }

    /// So many clones of a value.
    fn fill_clones(&mut self, of: LayoutId, value: u128, first: u64, count: u64) -> Run {
        let size = self.layouts[of].size;
        if self.is_plain(of) {
            self.store(of, value, first);
            return self.replicate(first, size, count);
        }
        for index in 0..count {
            self.clone_to(of, value as u64, first + index * size)?;
        }
        Ok(())
    }

    /// Drops what is behind the first `len` elements. They are out of the vector before the first one is dropped.
    fn truncate_inline(&mut self, list: &Inline, len: u64) {
        if len < list.len {
            self.set_inline_len(list, len);
            let of = list.room.element;
            let size = self.layouts[of].size;
            self.drop_elements_later(list.first + len * size, of, list.len - len);
        }
    }

    pub(super) fn heapless_string(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        let given = |arg: usize| {
            let (at, len) = thin(call.args[arg]);
            self.view().text(at, len)
        };
        match call.run {
            B::HeaplessStringNew => {
                self.new_heapless(call.result, call.to);
                return Ok(0);
            }
            B::HeaplessStringTryFrom => {
                let text = given(0);
                let choice = self.choice_of(call.result);
                let made = choice.variants[0].expect("Ok holds the string");
                self.new_heapless(made.id, call.to + made.offset);
                let list = self.inline(made.id, call.to + made.offset);
                let fits = self.insert_text(&list, 0, &text)?;
                self.set_variant(call.to, &choice, usize::from(!fits));
                return Ok(0);
            }
            B::HeaplessStringIntoBytes => {
                self.copy(call.word(0), call.to, self.layouts[call.result].size);
                return Ok(0);
            }
            _ => {}
        }
        let list = self.inline(self.referent(call.arg_types[0]), call.word(0));
        let Inline { first, len, room, .. } = list;
        match call.run {
            B::HeaplessStringPush => {
                let fits = self.insert_text(&list, len, &char_of(call.args[1]).to_string())?;
                self.write_fits(call, fits);
            }
            B::HeaplessStringPushStr => {
                let fits = self.insert_text(&list, len, &given(1))?;
                self.write_fits(call, fits);
            }
            B::HeaplessStringInsert | B::HeaplessStringInsertStr => {
                let index = call.word(1);
                let added = match call.run {
                    B::HeaplessStringInsert => char_of(call.args[2]).to_string(),
                    _ => given(2),
                };
                if !self.view().text(first, len).is_char_boundary(index as usize) {
                    return panic("index must be a char boundary");
                }
                let fits = self.insert_text(&list, index, &added)?;
                self.write_fits(call, fits);
            }
            B::HeaplessStringPop => {
                let mut text = self.view().text(first, len);
                let popped = text.pop().map(|last| u128::from(u32::from(last)));
                self.set_inline_len(&list, text.len() as u64);
                self.write_option(call.result, popped, call.to);
            }
            B::HeaplessStringRemove => {
                let index = call.word(1);
                let text = self.view().text(first, len);
                check_range(&text, index, len, false)?;
                let Some(removed) = text[index as usize..].chars().next() else {
                    return panic("cannot remove a char from the end of a string");
                };
                let next = index + removed.len_utf8() as u64;
                self.count_steps(len / 64)?;
                self.copy(first + next, first + index, len - next);
                self.set_inline_len(&list, len - (next - index));
                return Ok(u32::from(removed).into());
            }
            B::HeaplessStringTruncate => {
                let wanted = call.word(1);
                if wanted <= len {
                    if !self.view().text(first, len).is_char_boundary(wanted as usize) {
                        return panic("assertion failed: self.is_char_boundary(new_len)");
                    }
                    self.set_inline_len(&list, wanted);
                }
            }
            B::HeaplessStringClear => self.set_inline_len(&list, 0),
            B::HeaplessStringCapacity => return Ok(room.capacity.into()),
            // `as_str`, `deref`.
            _ => return Ok(fat(first, len)),
        }
        Ok(0)
    }

    /// Text at an index, unless there is no room for all of it.
    fn insert_text(&mut self, list: &Inline, index: u64, text: &str) -> Run<bool> {
        let Inline { first, len, room, .. } = *list;
        let more = text.len() as u64;
        let fits = more <= room.capacity - len;
        if fits && more > 0 {
            self.count_steps((len - index + more) / 64)?;
            self.copy(first + index, first + index + more, len - index);
            self.machine.write(first + index, text.as_bytes());
            self.set_inline_len(list, len + more);
        }
        Ok(fits)
    }

    pub(super) fn deque(&mut self, call: &Called<'_>) -> Run<u128> {
        use Builtin as B;
        if call.run == B::DequeNew {
            self.new_heapless(call.result, call.to);
            return Ok(0);
        }
        let of = call.of();
        let mut ring = self.ring(self.referent(call.arg_types[0]), call.word(0));
        let (len, last) = (ring.len(), ring.len().wrapping_sub(1));
        match call.run {
            B::DequePushBack | B::DequePushFront => {
                let fits = !ring.is_full;
                if fits {
                    let place = if call.run == B::DequePushBack {
                        ring.push_back();
                        ring.place(len)
                    } else {
                        ring.push_front();
                        ring.place(0)
                    };
                    self.store(of, call.args[1], place);
                    self.set_ring(&ring);
                }
                self.write_taken(call, fits, call.args[1]);
            }
            B::DequePopFront | B::DequePopBack if len == 0 => {
                self.write_none(call.result, call.to);
            }
            B::DequePopFront => self.pop_end(call, ring, true),
            B::DequePopBack => self.pop_end(call, ring, false),
            B::DequeSwapRemoveFront | B::DequeSwapRemoveBack => {
                let index = call.word(1);
                if index >= len {
                    self.write_none(call.result, call.to);
                    return Ok(0);
                }
                let is_front = call.run == B::DequeSwapRemoveFront;
                let end = if is_front { 0 } else { last };
                self.swap(of, ring.place(index), ring.place(end))?;
                self.pop_end(call, ring, is_front);
            }
            B::DequeFront
            | B::DequeFrontMut
            | B::DequeBack
            | B::DequeBackMut
            | B::DequeGet
            | B::DequeGetMut => {
                let index = match call.run {
                    B::DequeFront | B::DequeFrontMut => 0,
                    B::DequeBack | B::DequeBackMut => last,
                    _ => call.word(1),
                };
                let place = ring.nth(index).map(u128::from);
                self.write_option(call.result, place, call.to);
            }
            B::DequeSwap => {
                for (name, index) in [("i", call.word(1)), ("j", call.word(2))] {
                    if index >= len {
                        return panic(format!("assertion failed: {name} < len"));
                    }
                }
                self.swap(of, ring.place(call.word(1)), ring.place(call.word(2)))?;
            }
            B::DequeTruncate => {
                let wanted = call.word(1);
                if wanted < len {
                    let [(front, ahead), (start, behind)] = ring.stretches();
                    ring.back = (ring.front + wanted) % ring.room.capacity;
                    ring.is_full = false;
                    self.set_ring(&ring);
                    let (kept, kept_behind) = (wanted.min(ahead), wanted.saturating_sub(ahead));
                    let size = ring.size;
                    self.drop_elements_later(start + kept_behind * size, of, behind - kept_behind);
                    self.drop_elements_later(front + kept * size, of, ahead - kept);
                }
            }
            B::DequeClear => {
                self.drop_ring_later(&ring);
                (ring.front, ring.back, ring.is_full) = (0, 0, false);
                self.set_ring(&ring);
            }
            B::DequeLen => return Ok(len.into()),
            B::DequeCapacity => return Ok(ring.room.capacity.into()),
            B::DequeIsFull => return Ok(ring.is_full.into()),
            B::DequeIsEmpty => return Ok((len == 0).into()),
            B::DequeAsSlices => {
                let Shape::Record { fields, .. } = &self.layouts[call.result].shape else {
                    panic!("as_slices gives a pair")
                };
                let offsets = [fields[0].offset, fields[1].offset];
                for (offset, (at, count)) in offsets.into_iter().zip(ring.stretches()) {
                    self.set_bits(call.to + offset, 2 * WORD_BYTES, fat(at, count));
                }
            }
            other => panic!("{other:?} is not of Deque"),
        }
        Ok(0)
    }

    fn pop_end(&mut self, call: &Called<'_>, mut ring: Ring, is_front: bool) {
        let place = ring.place(if is_front { 0 } else { ring.len() - 1 });
        if is_front {
            ring.pop_front();
        } else {
            ring.pop_back();
        }
        self.set_ring(&ring);
        self.write_payload(call.result, 1, place, call.to);
    }

    /// Has the elements dropped, from the front to the back.
    pub(super) fn drop_ring_later(&mut self, ring: &Ring) {
        for (at, count) in ring.stretches().into_iter().rev() {
            self.drop_elements_later(at, ring.room.element, count);
        }
    }
}
