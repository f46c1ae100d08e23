//! Which partition a record goes to.

use flott_kafka::records::murmur2;

use crate::options::Partitioning;

/// Chooses partitions for the records of one writer.
#[derive(Debug)]
pub(super) struct Partitioner {
    kind: Partitioning,
    subtask: i32,
    partitions: i32,
    next: i32,
    /// Bytes that have gone to the partition at hand.
    written: usize,
}

/// Records without keys stay with a partition for as many bytes: large batches are cheap.
const STICKY: usize = 64 << 10;

impl Partitioner {
    pub(super) fn new(kind: Partitioning, subtask: u32, partitions: i32) -> Self {
        let partitions = partitions.max(1);
        let subtask = (subtask % partitions as u32) as i32;
        Partitioner { kind, subtask, partitions, next: subtask, written: 0 }
    }

    pub(super) fn choose(&mut self, key: Option<&[u8]>, bytes: usize) -> i32 {
        match (self.kind, key) {
            (Partitioning::Fixed, _) => self.subtask,
            (Partitioning::RoundRobin, _) => self.turn(),
            (Partitioning::Default, Some(key)) => (murmur2(key) & i32::MAX as u32) as i32 % self.partitions,
            (Partitioning::Default, None) => {
                if self.written >= STICKY {
                    self.written = 0;
                    self.turn();
                }
                self.written += bytes;
                self.next
            }
        }
    }

    fn turn(&mut self) -> i32 {
        let chosen = self.next;
        self.next = (self.next + 1) % self.partitions;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_chosen_as_kafka_does() {
        let mut default = Partitioner::new(Partitioning::Default, 5, 3);
        // toPositive(murmur2("foobar")) % 3, and "21" likewise.
        assert_eq!(default.choose(Some(b"foobar"), 1), (-790_332_482_i32 & i32::MAX) % 3);
        assert_eq!(default.choose(Some(b"21"), 1), (-973_932_308_i32 & i32::MAX) % 3);
        let keyless: Vec<i32> = (0..4).map(|_| default.choose(None, STICKY / 2)).collect();
        assert_eq!(keyless, [2, 2, 0, 0]);
        let mut fixed = Partitioner::new(Partitioning::Fixed, 5, 3);
        assert_eq!([fixed.choose(None, 1), fixed.choose(Some(b"x"), 1)], [2, 2]);
        let mut round = Partitioner::new(Partitioning::RoundRobin, 1, 3);
        assert_eq!((0..4).map(|_| round.choose(None, 1)).collect::<Vec<_>>(), [1, 2, 0, 1]);
    }
}
