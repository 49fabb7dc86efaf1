//! An index over a list of holes in address order: where a zone's holes start, and how large they may be.
//!
//! ```text
//!  zone         0        1        2        3    …   511
//!  arena    |[a].[b].|........|..[c]...|[d]..[e]|        [x]: a hole
//!  first        a        -        c        d
//!  classes    a b                 c       d e            a bit for each class of sizes
//!  group      \_____________ a b c d e _________/        sixteen zones together
//! ```
//!
//! Without it a list of thousands of holes is walked from its head on every search and on most frees. A zone is a
//! power of two bytes long, at first 4 KiB; when holes lie further up than 512 of them reach, every two zones become
//! one. So the index is as fine as the part of the arena in use allows. It lies beside the arena, in the allocator
//! itself.
//!
//! The classes are an upper bound. A hole that shrinks or goes leaves its bit set; the next search that walks the
//! whole zone sets the bits right. So the index may send a search into a zone in vain, but never past a hole that
//! fits.
//!
//! An arena of up to 64 KiB is one zone: there the list is walked from its head, as the textbook has it.

use crate::Offset;

/// The end of a list of holes. No hole can start here, and every hole lies in front of it.
pub(crate) const NIL: Offset = Offset(u32::MAX);

const ZONES: usize = 512;
const GROUP_ZONES: usize = 16;
const WORD_ZONES: usize = 64;
/// Arenas up to this length are one zone.
const ONE_ZONE_BYTES: u32 = 64 * 1024;
/// Every offset shifted right by this is 0.
const ONE_ZONE_SHIFT: u32 = 31;
/// A zone of 4 KiB.
const FIRST_SHIFT: u32 = 12;

/// The index. See the top of the file.
#[derive(Clone, Debug)]
pub(crate) struct Zones {
    shift: u32,
    /// The first hole that starts in each zone, or `NIL`.
    first: [Offset; ZONES],
    /// A bit for each zone that has one.
    occupied: [u64; ZONES / WORD_ZONES],
    /// A bit for each class of which a zone may have a hole.
    classes: [u64; ZONES],
    /// The same for groups of neighbouring zones.
    groups: [u64; ZONES / GROUP_ZONES],
    /// No hole was ever in a group from this one on.
    groups_used: usize,
    /// How many zones have holes.
    holding: u32,
}

/// A set of zones.
#[derive(Default)]
pub(crate) struct ZoneSet([u64; ZONES / WORD_ZONES]);

impl ZoneSet {
    /// Adds a zone, and says whether it is new.
    pub(crate) fn insert(&mut self, zone: usize) -> bool {
        let (word, bit) = (&mut self.0[zone / WORD_ZONES], 1 << (zone % WORD_ZONES));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

/// The bit of a hole's class: each power of two has four, and every size below 64 bytes its own.
#[inline]
pub(crate) fn class_bit(size_bytes: u32) -> u64 {
    1 << class_of(size_bytes)
}

/// The bits of the classes that may have a hole of so many bytes or more.
#[inline]
pub(crate) fn classes_from(size_bytes: u32) -> u64 {
    u64::MAX << class_of(size_bytes)
}

/// From 896 KiB on, all sizes are one class.
#[inline]
fn class_of(size_bytes: u32) -> u32 {
    let grains = size_bytes / 8;
    if grains < 4 {
        return grains;
    }
    let power = grains.ilog2();
    let quarter = (grains >> (power - 2)) & 3;
    (4 * (power - 1) + quarter).min(63)
}

impl Zones {
    /// No holes yet, in an arena of so many bytes.
    pub(crate) fn new(arena_bytes: u32) -> Self {
        let one = arena_bytes <= ONE_ZONE_BYTES;
        Self {
            shift: if one { ONE_ZONE_SHIFT } else { FIRST_SHIFT },
            first: [NIL; ZONES],
            occupied: [0; ZONES / WORD_ZONES],
            classes: [0; ZONES],
            groups: [0; ZONES / GROUP_ZONES],
            groups_used: 0,
            holding: 0,
        }
    }

    /// Whether the whole arena is one zone, so that the index has nothing to say.
    #[inline]
    pub(crate) fn is_one(&self) -> bool {
        self.shift == ONE_ZONE_SHIFT
    }

    /// Whether the arena, now so many bytes long, should have more than the one zone it has.
    pub(crate) fn is_too_coarse_for(&self, arena_bytes: u32) -> bool {
        self.is_one() && arena_bytes > ONE_ZONE_BYTES
    }

    pub(crate) fn zone_bytes(&self) -> u32 {
        1 << self.shift
    }

    #[inline]
    pub(crate) fn zone_of(&self, at: Offset) -> usize {
        (at.0 >> self.shift) as usize
    }

    /// Where the zones behind `zone` start.
    #[inline]
    pub(crate) fn end_of(&self, zone: usize) -> Offset {
        if self.is_one() { NIL } else { Offset((zone as u32 + 1) << self.shift) }
    }

    /// The first hole in `zone`, or `NIL`.
    #[inline]
    pub(crate) fn first_in(&self, zone: usize) -> Offset {
        self.first[zone]
    }

    /// Whether `zone` may have a hole of one of these classes.
    #[inline]
    pub(crate) fn may_have(&self, zone: usize, classes: u64) -> bool {
        self.classes[zone] & classes != 0
    }

    // Holes that come, change and go.

    /// There is a hole of so many bytes at `hole`, new or not.
    #[inline]
    pub(crate) fn add(&mut self, hole: Offset, size_bytes: u32) {
        while self.zone_of(hole) >= ZONES {
            self.pair();
        }
        let (zone, class) = (self.zone_of(hole), class_bit(size_bytes));
        if self.first[zone] == NIL {
            self.occupied[zone / WORD_ZONES] |= 1 << (zone % WORD_ZONES);
            self.holding += 1;
            self.groups_used = self.groups_used.max(zone / GROUP_ZONES + 1);
        }
        self.first[zone] = self.first[zone].min(hole);
        self.classes[zone] |= class;
        self.groups[zone / GROUP_ZONES] |= class;
    }

    /// `next` is the hole behind the one that goes, or `NIL`.
    #[inline]
    pub(crate) fn remove(&mut self, hole: Offset, next: Offset) {
        let zone = self.zone_of(hole);
        if self.first[zone] != hole {
            return;
        }
        if self.zone_of(next) == zone {
            self.first[zone] = next;
        } else {
            self.first[zone] = NIL;
            self.occupied[zone / WORD_ZONES] &= !(1 << (zone % WORD_ZONES));
            self.holding -= 1;
            self.classes[zone] = 0;
        }
    }

    /// A walk through all of `zone` has seen these classes and no others.
    #[inline]
    pub(crate) fn set_classes(&mut self, zone: usize, seen: u64) {
        self.classes[zone] = seen;
    }

    /// Makes each zone twice as long.
    #[cold]
    fn pair(&mut self) {
        self.shift += 1;
        let half = ZONES / 2;
        for zone in 0..half {
            self.first[zone] = self.first[2 * zone].min(self.first[2 * zone + 1]);
            self.classes[zone] = self.classes[2 * zone] | self.classes[2 * zone + 1];
        }
        self.first[half..].fill(NIL);
        self.classes[half..].fill(0);
        self.occupied.fill(0);
        self.holding = 0;
        self.groups.fill(0);
        self.groups_used = self.groups_used.div_ceil(2);
        for zone in 0..half {
            let occupied = self.first[zone] != NIL;
            self.occupied[zone / WORD_ZONES] |= u64::from(occupied) << (zone % WORD_ZONES);
            self.holding += u32::from(occupied);
            self.groups[zone / GROUP_ZONES] |= self.classes[zone];
        }
    }

    // Questions.

    /// A hole in front of `at` with few holes between, or `NIL` if there is none in front.
    #[inline]
    pub(crate) fn hole_before(&self, at: Offset) -> Offset {
        let zone = self.zone_of(at).min(ZONES - 1);
        if self.first[zone] < at {
            return self.first[zone];
        }
        let mut word = zone / WORD_ZONES;
        let mut zones = self.occupied[word] & ((1 << (zone % WORD_ZONES)) - 1);
        while zones == 0 {
            if word == 0 {
                return NIL;
            }
            word -= 1;
            zones = self.occupied[word];
        }
        self.first[word * WORD_ZONES + zones.ilog2() as usize]
    }

    /// The first hole at or behind `at`, if `at` lies in front of every hole of its zone.
    #[inline]
    pub(crate) fn hole_behind(&self, at: Offset) -> Option<Offset> {
        let zone = self.zone_of(at).min(ZONES - 1);
        if self.first[zone] < at {
            return None;
        }
        let mut word = zone / WORD_ZONES;
        let mut zones = self.occupied[word] & (u64::MAX << (zone % WORD_ZONES));
        while zones == 0 {
            word += 1;
            zones = *self.occupied.get(word)?;
        }
        Some(self.first[word * WORD_ZONES + zones.trailing_zeros() as usize])
    }

    /// The first zone from `from` on that may have a hole of one of these classes.
    #[inline]
    pub(crate) fn next_with(&mut self, from: usize, classes: u64) -> Option<usize> {
        let mut zone = from;
        while zone < self.groups_used * GROUP_ZONES {
            let group = zone / GROUP_ZONES;
            let end = (group + 1) * GROUP_ZONES;
            if self.groups[group] & classes != 0 {
                if let Some(found) = (zone..end).find(|&zone| self.may_have(zone, classes)) {
                    return Some(found);
                }
                let zones = &self.classes[end - GROUP_ZONES..end];
                self.groups[group] = zones.iter().fold(0, |all, classes| all | classes);
            }
            zone = end;
        }
        None
    }

    /// Every class of which the arena may have a hole.
    pub(crate) fn all_classes(&self) -> u64 {
        self.groups[..self.groups_used].iter().fold(0, |all, classes| all | classes)
    }

    /// How many zones have holes, from `from` up to `to`.
    pub(crate) fn occupied_between(&self, from: usize, to: usize) -> u32 {
        let below = |word: usize, zone: usize| match zone.saturating_sub(word * WORD_ZONES) {
            zones if zones >= WORD_ZONES => u64::MAX,
            zones => (1 << zones) - 1,
        };
        let words = self.occupied.iter().enumerate();
        words.map(|(word, zones)| (zones & below(word, to) & !below(word, from)).count_ones()).sum()
    }

    /// How many zones have holes.
    pub(crate) fn occupied(&self) -> u32 {
        self.holding
    }

    /// Whether the index agrees with the hole at `hole` behind `prev`; both lie inside the arena.
    pub(crate) fn agrees(&self, prev: Offset, hole: Offset, size_bytes: u32) -> bool {
        let zone = self.zone_of(hole);
        let leads = prev == NIL || self.zone_of(prev) != zone;
        let class = class_bit(size_bytes);
        zone < ZONES
            && if leads { self.first[zone] == hole } else { self.first[zone] < hole }
            && self.occupied[zone / WORD_ZONES] >> (zone % WORD_ZONES) & 1 == 1
            && self.classes[zone] & class != 0
            && self.groups[zone / GROUP_ZONES] & class != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_rise_with_the_size_and_small_sizes_have_their_own() {
        let classes: Vec<_> = (1..=(1 << 18)).map(|grains| class_of(grains * 8)).collect();
        assert!(classes.is_sorted());
        assert_eq!(classes[..8], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            (class_of(72), class_of(80), class_of(896 * 1024), class_of(1 << 30)),
            (8, 9, 63, 63)
        );
    }

    #[test]
    fn every_two_zones_become_one_when_a_hole_lies_beyond_them() {
        let mut zones = Zones::new(1 << 30);
        for at in [0, 4096, 5000, 1 << 20] {
            zones.add(Offset(at), 64);
        }
        assert_eq!((zones.zone_bytes(), zones.occupied()), (4096, 3));
        zones.add(Offset(1 << 29), 1 << 20);
        assert_eq!((zones.zone_bytes(), zones.occupied()), (2 << 20, 2));
        assert_eq!(zones.hole_before(Offset(1 << 29)), Offset(0));
        assert_eq!(zones.hole_behind(Offset(4 << 20)), Some(Offset(1 << 29)));
        assert_eq!(zones.next_with(0, classes_from(80)), Some(256));
    }

    #[test]
    fn the_nearest_holes_are_found_across_empty_zones() {
        let mut zones = Zones::new(1 << 20);
        assert_eq!((zones.hole_before(Offset(500_000)), zones.hole_behind(Offset(0))), (NIL, None));
        let (low, high) = (Offset(8), Offset(900_000));
        zones.add(low, 64);
        zones.add(high, 64);
        assert_eq!(zones.hole_before(Offset(500_000)), low);
        assert_eq!(zones.hole_behind(Offset(500_000)), Some(high));
        zones.remove(low, high);
        assert_eq!(zones.hole_before(Offset(500_000)), NIL);
    }
}
