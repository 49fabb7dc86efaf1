use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Bytes in a page.
pub const PAGE_BYTES: u32 = 4096;

/// Pages in a folder: 256 KiB.
const FOLDER_PAGES: usize = 64;

const PAGE: usize = PAGE_BYTES as usize;

type Page = Arc<[u8; PAGE]>;
/// Pages of neighbours, shared like a page. `None` is a page of zeros.
type Folder = Arc<[Option<Page>; FOLDER_PAGES]>;

/// A page of ones: `Bits` sets long runs, and all of them may share it.
static ONES: LazyLock<Page> = LazyLock::new(|| Arc::new([0xff; PAGE]));

/// Up to 4 GiB of bytes, all zero at first. Cloning shares the pages, in folders of 64; writing copies the one page
/// written and its folder, if they are shared. 1 GiB that nobody wrote is 4,096 empty folders: 32 KiB.
///
/// Every method panics when its range leaves `0..len()`: the callers compute offsets, and a wrong one is their bug.
#[derive(Clone)]
pub struct Pages {
    len: u32,
    /// `None` is a folder of zeros.
    folders: Vec<Option<Folder>>,
}

impl Pages {
    /// `len` zero bytes.
    pub fn new(len: u32) -> Self {
        let mut pages = Self { len: 0, folders: Vec::new() };
        pages.grow(len);
        pages
    }

    /// How many bytes there are.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds zero bytes until there are `len`.
    pub fn grow(&mut self, len: u32) {
        assert!(len >= self.len, "grow from {} to {len} would shrink", self.len);
        self.len = len;
        self.folders.resize((len.div_ceil(PAGE_BYTES) as usize).div_ceil(FOLDER_PAGES), None);
    }

    /// The byte at `at`.
    #[inline]
    pub fn byte(&self, at: u32) -> u8 {
        assert!(at < self.len, "byte {at} of {}", self.len);
        self.page(page_of(at)).map_or(0, |page| page[within(at)])
    }

    /// The little-endian word at `at`, a multiple of 4.
    #[inline]
    pub fn word(&self, at: u32) -> u32 {
        assert!(at.is_multiple_of(4) && at < self.len, "word at {at} of {}", self.len);
        let Some(page) = self.page(page_of(at)) else { return 0 };
        let (words, _) = page.as_chunks::<4>();
        u32::from_le_bytes(words[within(at) / 4])
    }

    /// Stores a little-endian word at `at`, a multiple of 4.
    #[inline]
    pub fn set_word(&mut self, at: u32, word: u32) {
        assert!(at.is_multiple_of(4) && at < self.len, "word at {at} of {}", self.len);
        let start = within(at);
        self.page_mut(page_of(at))[start..start + 4].copy_from_slice(&word.to_le_bytes());
    }

    /// The bytes of `range`, copied out.
    pub fn read(&self, range: Range<u32>) -> Vec<u8> {
        let mut bytes = vec![0; range.len()];
        self.read_into(range.start, &mut bytes);
        bytes
    }

    /// Copies out the bytes from `at` on, as many as there is room for.
    pub fn read_into(&self, at: u32, bytes: &mut [u8]) {
        let mut rest = bytes;
        for part in parts(self.checked(at..at + rest.len() as u32)) {
            let (now, later) = rest.split_at_mut(part.len());
            match self.page(page_of(part.start)) {
                Some(page) => now.copy_from_slice(&page[span(&part)]),
                None => now.fill(0),
            }
            rest = later;
        }
    }

    /// Stores `bytes` from `at` on.
    pub fn write(&mut self, at: u32, bytes: &[u8]) {
        let range = self.checked(at..at + bytes.len() as u32);
        let mut rest = bytes;
        for part in parts(range) {
            let (now, later) = rest.split_at(part.len());
            self.page_mut(page_of(part.start))[span(&part)].copy_from_slice(now);
            rest = later;
        }
    }

    /// Sets every byte of `range` to `byte`. Whole pages of 0 or 0xff cost a pointer each.
    pub fn fill(&mut self, range: Range<u32>, byte: u8) {
        for part in parts(self.checked(range)) {
            let index = page_of(part.start);
            let whole = part.len() == PAGE;
            match (byte, self.page(index)) {
                (0, None) => {}
                (0, Some(_)) if whole => *self.slot_mut(index) = None,
                (0xff, _) if whole => *self.slot_mut(index) = Some(Arc::clone(&ONES)),
                _ => self.page_mut(index)[span(&part)].fill(byte),
            }
        }
    }

    /// Copies `len` bytes from `from` to `to`; the two may overlap only if `to <= from`.
    pub fn copy(&mut self, from: u32, to: u32, len: u32) {
        self.checked(to..to + len);
        for part in parts(self.checked(from..from + len)) {
            let target = to + (part.start - from);
            if self.page(page_of(part.start)).is_none() {
                self.fill(target..target + part.len() as u32, 0);
            } else {
                let bytes = self.read(part);
                self.write(target, &bytes);
            }
        }
    }

    #[inline]
    fn page(&self, index: usize) -> Option<&[u8; PAGE]> {
        self.folders[index / FOLDER_PAGES].as_ref()?[index % FOLDER_PAGES].as_deref()
    }

    #[inline]
    fn slot_mut(&mut self, index: usize) -> &mut Option<Page> {
        let folder = &mut self.folders[index / FOLDER_PAGES];
        let folder = folder.get_or_insert_with(|| Arc::new([const { None }; FOLDER_PAGES]));
        &mut Arc::make_mut(folder)[index % FOLDER_PAGES]
    }

    #[inline]
    fn page_mut(&mut self, index: usize) -> &mut [u8; PAGE] {
        Arc::make_mut(self.slot_mut(index).get_or_insert_with(|| Arc::new([0; PAGE])))
    }

    fn checked(&self, range: Range<u32>) -> Range<u32> {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        range
    }
}

fn page_of(at: u32) -> usize {
    (at / PAGE_BYTES) as usize
}

fn within(at: u32) -> usize {
    (at % PAGE_BYTES) as usize
}

/// A range that lies in one page, as indexes into that page.
fn span(part: &Range<u32>) -> Range<usize> {
    let start = within(part.start);
    start..start + part.len()
}

/// Cuts a range at the page borders.
fn parts(range: Range<u32>) -> impl Iterator<Item = Range<u32>> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        (start < range.end).then(|| {
            let border = (start / PAGE_BYTES + 1).saturating_mul(PAGE_BYTES);
            let part = start..border.min(range.end);
            start = part.end;
            part
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_never_written_are_zero_and_hold_no_memory() {
        let pages = Pages::new(1 << 30);
        assert_eq!(pages.byte((1 << 30) - 1), 0);
        assert!(pages.folders.iter().all(Option::is_none));
    }

    #[test]
    fn a_write_across_a_page_border_reads_back() {
        let mut pages = Pages::new(3 * PAGE_BYTES);
        pages.write(PAGE_BYTES - 2, b"abcd");
        assert_eq!(pages.read(PAGE_BYTES - 3..PAGE_BYTES + 3), b"\0abcd\0");
    }

    #[test]
    fn a_clone_keeps_its_bytes_when_the_original_is_written() {
        let mut pages = Pages::new(2 * PAGE_BYTES);
        pages.write(0, b"old");
        let before = pages.clone();
        pages.write(0, b"new");
        assert_eq!((before.read(0..3), pages.read(0..3)), (b"old".to_vec(), b"new".to_vec()));
    }

    #[test]
    fn filling_whole_pages_shares_them() {
        let mut pages = Pages::new(10 * PAGE_BYTES);
        pages.fill(1..9 * PAGE_BYTES + 1, 0xff);
        assert_eq!((pages.byte(0), pages.byte(1), pages.byte(9 * PAGE_BYTES)), (0, 0xff, 0xff));
        assert!(std::ptr::eq(pages.page(3).unwrap(), pages.page(4).unwrap()));
        pages.fill(0..10 * PAGE_BYTES, 0);
        assert!((0..10).all(|index| pages.page(index).is_none()));
    }

    #[test]
    fn a_copy_moves_bytes_and_gaps_alike() {
        let mut pages = Pages::new(8 * PAGE_BYTES);
        pages.write(10, b"xyz");
        pages.fill(5 * PAGE_BYTES..7 * PAGE_BYTES, 7);
        pages.copy(10, 4 * PAGE_BYTES + 1, 2 * PAGE_BYTES);
        assert_eq!(pages.read(4 * PAGE_BYTES + 1..4 * PAGE_BYTES + 4), b"xyz");
        assert_eq!(pages.byte(5 * PAGE_BYTES + 100), 0);
    }

    #[test]
    fn words_are_little_endian() {
        let mut pages = Pages::new(8);
        pages.set_word(4, 0x0102_0304);
        assert_eq!((pages.read(0..8), pages.word(4)), (vec![0, 0, 0, 0, 4, 3, 2, 1], 0x0102_0304));
    }
}
