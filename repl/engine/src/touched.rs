//! Which addresses a line touched.

/// Ranges this many back are looked through for one that covers the next: a loop touches a few places in turns.
const LOOKED_THROUGH: usize = 8;
/// As many ranges may stand beside each other before those that meet are joined.
const LIMIT: usize = 1024;

/// Half-open ranges of addresses. They take room for the places that lie apart, however often each is touched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched {
    ranges: Vec<(u64, u64)>,
    /// How many there were when they were last joined.
    joined: usize,
    /// How often anything was touched.
    times: u64,
}

impl Touched {
    pub(crate) fn add(&mut self, start: u64, end: u64) {
        self.times += 1;
        let is_covered = |range: &(u64, u64)| range.0 <= start && end <= range.1;
        if self.ranges.iter().rev().take(LOOKED_THROUGH).any(is_covered) {
            return;
        }
        match self.ranges.last_mut() {
            Some(last) if last.0 <= start && start <= last.1 => last.1 = last.1.max(end),
            _ => self.ranges.push((start, end)),
        }
        if self.ranges.len() >= LIMIT.max(2 * self.joined) {
            self.join();
        }
    }

    fn join(&mut self) {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, range| {
            let meets = next.0 <= range.1;
            if meets {
                range.1 = range.1.max(next.1);
            }
            meets
        });
        self.joined = self.ranges.len();
    }

    /// Whether a byte of a range is among them.
    pub(crate) fn meets(&self, start: u64, end: u64) -> bool {
        self.ranges.iter().any(|&(from, to)| from < end && start < to)
    }

    /// How often anything was touched.
    pub(crate) fn times(&self) -> u64 {
        self.times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_over_many_places_takes_room_for_each_place_once() {
        let mut touched = Touched::default();
        for _ in 0..10 {
            for place in 0..5000u64 {
                // Backwards, so that none meets the one before it.
                let start = (5000 - place) * 16;
                touched.add(start, start + 8);
            }
        }
        assert_eq!(touched.times(), 50_000);
        assert!(touched.ranges.len() <= 2 * 5000, "{}", touched.ranges.len());
        for place in 1..=5000u64 {
            assert!(touched.meets(place * 16, place * 16 + 1));
            assert!(!touched.meets(place * 16 + 8, place * 16 + 16));
        }
    }

    #[test]
    fn two_places_in_turns_are_two_ranges() {
        let mut touched = Touched::default();
        for _ in 0..1000 {
            touched.add(0, 8);
            touched.add(64, 72);
        }
        assert_eq!(touched.ranges, [(0, 8), (64, 72)]);
    }
}
