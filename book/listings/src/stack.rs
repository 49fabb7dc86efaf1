//! Chapter 2: the stack machine, and real frames.

// ANCHOR: machine
/// A stack machine: bytes, and the address of the lowest byte in use.
pub struct Machine {
    memory: Vec<u8>,
    stack_ptr: usize,
}

/// Where an empty stack's pointer stands.
pub const START: usize = 0xffff_ffff;

impl Machine {
    /// An empty stack of `size` bytes.
    pub fn new(size: usize) -> Self {
        Self { memory: vec![0; size], stack_ptr: START }
    }

    /// Makes room for `size` bytes and returns the address of the lowest.
    pub fn reserve(&mut self, size: usize) -> usize {
        assert!(START - self.stack_ptr + size <= self.memory.len(), "stack overflow");
        self.stack_ptr -= size;
        self.stack_ptr
    }

    /// Gives the newest `size` bytes back.
    pub fn release(&mut self, size: usize) {
        self.stack_ptr += size;
    }

    /// The byte at an address.
    pub fn byte(&mut self, address: usize) -> &mut u8 {
        let end = START - self.memory.len();
        &mut self.memory[address - end]
    }
}
// ANCHOR_END: machine

// ANCHOR: do_something
/// What the machine does for a function with `let mut items = [0u8; 200]; items[0] = 10;`.
pub fn do_something(machine: &mut Machine) -> usize {
    // let mut items = [0u8; 200];
    let items = machine.reserve(200);
    for index in 0..200 {
        *machine.byte(items + index) = 0;
    }
    // items[0] = 10;
    *machine.byte(items) = 10;
    // The function returns.
    machine.release(200);
    items
}
// ANCHOR_END: do_something

// ANCHOR: frames
/// Calls itself until `depth` is 0, and says where each call keeps its local, the outermost first.
#[inline(never)]
pub fn locals(depth: usize, addresses: &mut Vec<usize>) {
    let local = std::hint::black_box(depth);
    addresses.push((&raw const local).addr());
    if depth > 0 {
        locals(depth - 1, addresses);
    }
    std::hint::black_box(&local);
}
// ANCHOR_END: frames

// ANCHOR: nested
/// The stack pointer after `calls` nested calls: a return address of 8 bytes each, and `locals` bytes rounded up to 8.
pub fn after_nested_calls(calls: usize, locals: usize) -> usize {
    let frame = 8 + locals.next_multiple_of(8);
    // The first frame's words must lie at multiples of 8, so the pointer first moves down to one.
    let aligned = START / 8 * 8;
    if calls == 0 { START } else { aligned - calls * frame }
}
// ANCHOR_END: nested

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_puts_the_array_where_the_prompt_does() {
        let mut machine = Machine::new(65536);
        assert_eq!(do_something(&mut machine), 0xffff_ff37);
        assert_eq!(machine.stack_ptr, START);
        assert_eq!(*machine.byte(0xffff_ff37), 10, "returning erases nothing");
    }

    #[test]
    #[should_panic(expected = "stack overflow")]
    fn the_machine_refuses_what_does_not_fit() {
        Machine::new(65536).reserve(70000);
    }

    #[test]
    fn five_nested_calls_end_where_the_prompt_says() {
        assert_eq!(after_nested_calls(5, 24), 0xffff_ff58);
    }

    #[test]
    fn every_call_has_a_local_of_its_own() {
        let mut addresses = Vec::new();
        locals(3, &mut addresses);
        addresses.sort_unstable();
        addresses.dedup();
        assert_eq!(addresses.len(), 4);
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn the_stack_grows_down_here() {
        let mut addresses = Vec::new();
        locals(3, &mut addresses);
        assert!(addresses.is_sorted_by(|outer, inner| outer > inner), "{addresses:x?}");
    }
}
