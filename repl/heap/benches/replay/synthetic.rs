use heap::trace::{Op, Trace};

/// How large the synthetic traces are.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    /// Blocks that are live at once, where a trace has such a number.
    pub(crate) live: u32,
    /// Requests that follow once they are there.
    pub(crate) churn: u32,
}

/// What the figures are for.
pub(crate) const FULL: Scale = Scale { live: 10_000, churn: 30_000 };
/// For `--test`.
pub(crate) const SMALL: Scale = Scale { live: 1_000, churn: 3_000 };

/// Sizes of small objects: what pools and size classes are made for.
const FIVE_SIZES: [u32; 5] = [16, 32, 48, 64, 128];

/// Every trace by its name, in the order of the table.
pub(crate) fn all(scale: Scale) -> Vec<(&'static str, Trace)> {
    vec![
        ("five-classes", five_classes(scale)),
        ("mixed-10k", mixed(scale)),
        ("vecs", vecs(scale)),
        ("checkerboard", checkerboard(scale)),
        ("frames", frames(scale)),
    ]
}

/// Five small sizes, freed and allocated anywhere.
pub(crate) fn five_classes(scale: Scale) -> Trace {
    churn(scale, 1, |dice| dice.one_of(&FIVE_SIZES))
}

/// Sizes from 8 to 4,095 bytes, each power of two as likely as the next, freed and allocated anywhere.
fn mixed(scale: Scale) -> Trace {
    churn(scale, 2, |dice| {
        let power = 1 << (3 + dice.below(9));
        power + dice.below(power)
    })
}

/// Fills the heap, replaces blocks at random, and frees them all in random order.
fn churn(scale: Scale, seed: u64, size_of: impl Fn(&mut Dice) -> u32) -> Trace {
    let (mut script, mut dice) = (Script::default(), Dice(seed));
    let mut live: Vec<_> = (0..scale.live).map(|_| script.alloc(size_of(&mut dice))).collect();
    for _ in 0..scale.churn {
        let slot = dice.below(scale.live) as usize;
        script.free(live[slot]);
        live[slot] = script.alloc(size_of(&mut dice));
    }
    while !live.is_empty() {
        let slot = dice.below(live.len() as u32) as usize;
        script.free(live.swap_remove(slot));
    }
    script.trace()
}

/// Vecs that start at 32 bytes, double up to 8 KiB, and die: one in eight at each step, all at the end.
fn vecs(scale: Scale) -> Trace {
    const LARGEST_BYTES: u32 = 8192;
    let (mut script, mut dice) = (Script::default(), Dice(3));
    let mut vecs: Vec<Option<(u32, u32)>> = vec![None; scale.live as usize / 10];
    for _ in 0..scale.churn {
        let slot = dice.below(scale.live / 10) as usize;
        vecs[slot] = match vecs[slot] {
            None => Some((script.alloc(32), 32)),
            Some((id, size_bytes)) if size_bytes < LARGEST_BYTES && dice.below(8) > 0 => {
                script.realloc(id, size_bytes * 2);
                Some((id, size_bytes * 2))
            }
            Some((id, _)) => {
                script.free(id);
                None
            }
        };
    }
    for (id, _) in vecs.into_iter().flatten() {
        script.free(id);
    }
    script.trace()
}

/// Fills the heap, frees every second block, and fills up with blocks a little too large for the holes; four times.
fn checkerboard(scale: Scale) -> Trace {
    let mut script = Script::default();
    let mut live: Vec<_> = (0..scale.live).map(|_| script.alloc(64)).collect();
    for round in 1..=4 {
        for id in live.iter_mut().step_by(2) {
            script.free(*id);
        }
        for id in live.iter_mut().step_by(2) {
            *id = script.alloc(64 + 16 * round);
        }
        // The next round frees the others.
        live.rotate_left(1);
    }
    for id in live {
        script.free(id);
    }
    script.trace()
}

/// Calls that push a few blocks of 16 to 271 bytes and pop them again: last in, first out, throughout.
fn frames(scale: Scale) -> Trace {
    let (mut script, mut dice) = (Script::default(), Dice(5));
    let mut stack = Vec::new();
    for _ in 0..scale.churn / 5 {
        for _ in 0..dice.below(16) {
            stack.push(script.alloc(16 + dice.below(256)));
        }
        for _ in 0..dice.below(16).min(stack.len() as u32) {
            script.free(stack.pop().expect("as many as there are"));
        }
    }
    while let Some(id) = stack.pop() {
        script.free(id);
    }
    script.trace()
}

/// Operations, with a new id for each block.
#[derive(Default)]
struct Script {
    ops: Vec<Op>,
    next_id: u32,
}

impl Script {
    fn alloc(&mut self, size_bytes: u32) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        self.ops.push(Op::Alloc { id, size_bytes });
        id
    }

    fn realloc(&mut self, id: u32, size_bytes: u32) {
        self.ops.push(Op::Realloc { id, size_bytes });
    }

    fn free(&mut self, id: u32) {
        self.ops.push(Op::Free { id });
    }

    fn trace(self) -> Trace {
        Trace::of(&self.ops).expect("a script holds together")
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014: the same numbers on every host.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound`, which it never reaches.
    fn below(&mut self, bound: u32) -> u32 {
        (self.roll() % u64::from(bound)) as u32
    }

    fn one_of(&mut self, values: &[u32]) -> u32 {
        values[self.below(values.len() as u32) as usize]
    }
}
