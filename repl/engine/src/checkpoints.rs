//! States kept along the log, so that going back replays a few lines instead of all.

use crate::world::World;

/// Work between two checkpoints, in plain commands.
const STRIDE: u64 = 1024;
/// Checkpoints kept. Beyond it the least useful goes: dense near the end of the log, sparse far back.
const MAX: usize = 128;

/// Clones of the world, by the number of log lines they stand behind.
pub(crate) struct Checkpoints {
    kept: Vec<(usize, World)>,
}

impl Checkpoints {
    /// `start` is the state before the first line.
    pub(crate) fn new(start: World) -> Self {
        Self { kept: vec![(0, start)] }
    }

    /// Keeps `world`, the state behind `lines` lines, if enough was done since the last one.
    pub(crate) fn offer(&mut self, lines: usize, world: &World) {
        let (last_lines, last) = self.kept.last().expect("the start is always kept");
        if lines <= *last_lines || world.work < last.work + STRIDE {
            return;
        }
        self.kept.push((lines, world.clone()));
        if self.kept.len() > MAX {
            self.thin(world.work);
        }
    }

    /// The last state behind at most `lines` lines; later ones are forgotten.
    pub(crate) fn back_to(&mut self, lines: usize) -> (usize, World) {
        self.forget_after(lines);
        let (at, world) = self.kept.last().expect("the start is behind 0 lines");
        (*at, world.clone())
    }

    /// The last state behind at most `lines` lines.
    pub(crate) fn at_most(&self, lines: usize) -> (usize, &World) {
        let index = self.kept.partition_point(|(at, _)| *at <= lines) - 1;
        let (at, world) = &self.kept[index];
        (*at, world)
    }

    /// Behind how many lines the newest stands.
    #[cfg(test)]
    pub(crate) fn newest(&self) -> usize {
        self.kept.last().expect("the start is always kept").0
    }

    /// Forgets the states behind more than `lines` lines.
    pub(crate) fn forget_after(&mut self, lines: usize) {
        self.kept.truncate(self.kept.partition_point(|(at, _)| *at <= lines));
    }

    /// Drops the one whose loss costs least: the gap it would leave, against its distance from now.
    fn thin(&mut self, now: u64) {
        let cost = |index: usize| {
            let gap = self.kept[index + 1].1.work - self.kept[index - 1].1.work;
            // In thousandths: a gap is no wider than the whole log's work, far below 2^54.
            gap * 1000 / (now - self.kept[index].1.work + STRIDE)
        };
        let least = (1..self.kept.len() - 1).min_by_key(|&index| cost(index));
        if let Some(index) = least {
            self.kept.remove(index);
        }
    }
}
