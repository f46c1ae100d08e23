//! Byte strings by slot in one allocation.

/// Marks a missing value.
const ABSENT: u32 = u32::MAX;
/// With less garbage than this, compaction is not worth it.
const WORTH_COMPACTING: usize = 4 << 10;

/// A byte string, or none, for each slot.
///
/// All bytes are in one buffer. A new value that is not longer overwrites the old one; a longer one is
/// appended and leaves garbage. When more than half is garbage, the buffer is compacted: amortised constant
/// cost per byte written.
#[derive(Clone, Default, Debug)]
pub(crate) struct SlotBytes {
    data: Vec<u8>,
    spans: Vec<Span>,
    garbage: usize,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    len: u32,
}

impl SlotBytes {
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&[u8]> {
        let span = self.spans.get(slot as usize).filter(|span| span.len != ABSENT)?;
        Some(&self.data[span.start..span.start + span.len as usize])
    }

    /// The bytes, empty if there are none.
    #[inline]
    pub fn bytes(&self, slot: u32) -> &[u8] {
        self.get(slot).unwrap_or_default()
    }

    pub fn set(&mut self, slot: u32, bytes: &[u8]) {
        self.reserve_slot(slot);
        let span = &mut self.spans[slot as usize];
        let old = if span.len == ABSENT { 0 } else { span.len as usize };
        if bytes.len() <= old {
            self.data[span.start..span.start + bytes.len()].copy_from_slice(bytes);
            span.len = bytes.len() as u32;
            self.garbage += old - bytes.len();
        } else {
            self.garbage += old;
            span.len = ABSENT;
            if self.data.len() + bytes.len() > self.data.capacity() {
                self.grow();
            }
            self.spans[slot as usize] = Span { start: self.data.len(), len: bytes.len() as u32 };
            self.data.extend_from_slice(bytes);
        }
        self.compact_if_worthwhile();
    }

    pub fn unset(&mut self, slot: u32) {
        self.reserve_slot(slot);
        let span = &mut self.spans[slot as usize];
        if span.len != ABSENT {
            self.garbage += span.len as usize;
            *span = Span { start: 0, len: ABSENT };
            self.compact_if_worthwhile();
        }
    }

    /// Forgets all values, but keeps the memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.spans.clear();
        self.garbage = 0;
    }

    pub fn memory(&self) -> usize {
        self.data.capacity() + self.spans.capacity() * size_of::<Span>()
    }

    #[inline]
    fn reserve_slot(&mut self, slot: u32) {
        if slot as usize >= self.spans.len() {
            self.spans.resize(slot as usize + 1, Span { start: 0, len: ABSENT });
        }
    }

    #[inline]
    fn compact_if_worthwhile(&mut self) {
        if self.garbage > WORTH_COMPACTING && self.garbage * 2 > self.data.len() {
            self.compact();
        }
    }

    /// There is no room for more. A larger buffer would be twice as large: rather none of it is garbage first.
    #[cold]
    fn grow(&mut self) {
        if self.garbage > WORTH_COMPACTING && self.garbage * 4 > self.data.len() {
            self.compact();
        }
    }

    #[cold]
    fn compact(&mut self) {
        let mut data = Vec::with_capacity((self.data.len() - self.garbage) * 5 / 4);
        for span in self.spans.iter_mut().filter(|span| span.len != ABSENT) {
            let start = data.len();
            data.extend_from_slice(&self.data[span.start..span.start + span.len as usize]);
            span.start = start;
        }
        self.data = data;
        self.garbage = 0;
    }
}
