//! The first of two phases of a top-n: rows that certainly are not among the first of their partition are dropped
//! before they are exchanged.
//!
//! The input only appends. So if this subtask has sent as many rows of a partition as are wanted, each of which sorts
//! before a row, nobody wants that row: they go the same way, and arrive before it. Of the rows of one batch only those
//! are sent that are left at its end. Where rows expire, those that were sent earlier may be gone, and only the rows of
//! one batch are compared.
//!
//! Nothing of this is state. What is known of a partition may be forgotten at any time, and then more rows pass: it is,
//! when there are many partitions, so that what is known stays in the cache. Where nearly all rows pass, most are not
//! looked at.
//!
//! Cost of a record: interning its partition, encoding its sort key, and a comparison with the last wanted row.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::row::RowConverter;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, SortKey};
use flott_state::{BinaryColumn, KeyIndex};
use flott_types::{Error, Result};

use super::Parts;
use super::best::{sorter, wins};
use crate::accumulate::unique_fields;
use crate::support::{columns_of, kernel, selected, take_columns};

/// With more wanted rows than this in all, what is known is forgotten.
const KNOWN: usize = 1 << 15;
/// So many rows are looked at before it is decided whether that is worth it, and so many are not looked at if not.
const LOOKED_AT: usize = 1 << 15;
const LET_THROUGH: usize = 1 << 20;

/// The operator.
pub(crate) struct LocalTopN {
    partition: Vec<usize>,
    order: Vec<SortKey>,
    sorter: RowConverter,
    latest_first: bool,
    /// How many rows of a partition are wanted.
    wanted: usize,
    /// Whether rows that were sent may expire before the next batch comes.
    expires: bool,
    index: KeyIndex,
    /// By partition, a place for each wanted row: its sort key.
    sorted: BinaryColumn,
    /// By partition: the places of its rows in their order, behind their number.
    ranks: Vec<u32>,
    /// By place: the row, if it is one of the batch with this number.
    rows: Vec<(u32, u32)>,
    batch: u32,
    /// Rows that were looked at, and of them those that passed.
    seen: usize,
    passed: usize,
    /// How many rows are let through.
    let_through: usize,
    slots: Vec<u32>,
}

impl LocalTopN {
    pub fn new(
        node: &ChainedNode,
        partition: &[usize],
        order: &[SortKey],
        to: u64,
        expires: bool,
    ) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let fields = arrow_type::schema(input.iter());
        let keys: Option<Vec<_>> = partition.iter().map(|at| fields.fields().get(*at).cloned()).collect();
        let keys = keys.ok_or_else(|| Error::internal("a partition by a column that is not there"))?;
        let parts = Parts {
            partition,
            order,
            from: 1,
            to: Some(to),
            output_rank: false,
            input_updates: false,
            ttl: 0,
            window_end: None,
            emit_update_before: false,
            latest_first: false,
            conflicts_fail: false,
        };
        Ok(LocalTopN {
            partition: partition.to_vec(),
            order: order.to_vec(),
            sorter: sorter(&fields, order)?,
            latest_first: parts.latest_first(input),
            wanted: (to as usize).max(1),
            expires,
            index: KeyIndex::new(&unique_fields(&keys))?,
            sorted: BinaryColumn::new("sorted"),
            ranks: Vec::new(),
            rows: Vec::new(),
            batch: 0,
            seen: 0,
            passed: 0,
            let_through: 0,
            slots: Vec::new(),
        })
    }

    /// Which of some rows of a batch may be wanted, all if none are given.
    fn candidates(&mut self, columns: &[ArrayRef], some: Option<&[u32]>, rows: usize) -> Result<Vec<bool>> {
        let of = |column: usize| columns[column].clone();
        let read = |columns: Vec<ArrayRef>| match some {
            Some(rows) => take_columns(&columns, rows),
            None => Ok(columns),
        };
        if self.expires || self.index.len() * self.wanted > KNOWN {
            self.index.clear();
        }
        let keys = read(self.partition.iter().map(|column| of(*column)).collect())?;
        let mut fresh = Vec::new();
        self.index.intern(&keys, rows, &mut self.slots, |slot, _| fresh.push(slot))?;
        let (stride, places) = (self.wanted + 1, self.index.slots_end());
        self.ranks.resize(self.ranks.len().max(places * stride), 0);
        self.rows.resize(self.rows.len().max(places * self.wanted), (0, 0));
        for slot in fresh {
            self.ranks[slot as usize * stride] = 0;
        }
        let order = read(self.order.iter().map(|key| of(key.column)).collect())?;
        let sorted = self.sorter.convert_columns(&order).map_err(kernel)?;
        self.batch = self.batch.wrapping_add(1).max(1);
        let mut candidates = vec![false; rows];
        for row in 0..rows {
            let new: arrow::row::Row<'_> = sorted.row(row);
            candidates[row] = match self.enter(self.slots[row], new.as_ref(), row) {
                Entered::No => false,
                Entered::Yes => true,
                Entered::InsteadOf(other) => {
                    candidates[other as usize] = false;
                    true
                }
            };
        }
        Ok(candidates)
    }

    /// Gives a row its place among the wanted ones of its partition, if it has one.
    #[inline]
    fn enter(&mut self, slot: u32, new: &[u8], row: usize) -> Entered {
        let (first, stride) = (slot as usize * self.wanted, self.wanted + 1);
        let ranks = &mut self.ranks[slot as usize * stride..(slot as usize + 1) * stride];
        let Some((known, ranks)) = ranks.split_first_mut() else { return Entered::Yes };
        let sorted = &mut self.sorted;
        let is_before = |place: u32| sorted.get(place).is_none_or(|old| wins(new, old, self.latest_first));
        let mut count = *known as usize;
        let mut entered = Entered::Yes;
        let place = if count < self.wanted {
            (first + count) as u32
        } else {
            let last = ranks[count - 1];
            if !is_before(last) {
                return Entered::No;
            }
            let (batch, other) = self.rows[last as usize];
            if batch == self.batch {
                entered = Entered::InsteadOf(other);
            }
            count -= 1;
            last
        };
        let rank = ranks[..count].partition_point(|place| !is_before(*place));
        ranks.copy_within(rank..count, rank + 1);
        ranks[rank] = place;
        *known = count as u32 + 1;
        sorted.set(place, Some(new));
        self.rows[place as usize] = (self.batch, row as u32);
        entered
    }

    /// Whether a batch is to be looked at.
    fn is_worth_it(&mut self, rows: usize) -> bool {
        if self.let_through > 0 {
            self.let_through = self.let_through.saturating_sub(rows);
            return false;
        }
        if self.seen >= LOOKED_AT {
            if self.passed * 10 > self.seen * 9 {
                self.let_through = LET_THROUGH;
            }
            (self.seen, self.passed) = (0, 0);
        }
        true
    }

    /// What is left of a batch. The others are not copied away: the exchange copies those that it sends.
    fn looked_at(&mut self, batch: ChangeBatch) -> Result<ChangeBatch> {
        let all = batch.physical_rows();
        let some = batch.selection().map(|_| selected(&batch));
        let rows = some.as_ref().map_or(all, Vec::len);
        let candidates = self.candidates(batch.columns().columns(), some.as_deref(), rows)?;
        let number = candidates.iter().filter(|wanted| **wanted).count();
        self.seen += rows;
        self.passed += number;
        if number == rows {
            return Ok(batch);
        }
        let keep = match some {
            None => candidates,
            Some(some) => {
                let mut keep = vec![false; all];
                some.iter().zip(candidates).for_each(|(row, wanted)| keep[*row as usize] = wanted);
                keep
            }
        };
        Ok(batch.select(&BooleanBuffer::from(keep)))
    }
}

/// What becomes of a row.
enum Entered {
    No,
    Yes,
    /// It takes the place of another row of the batch.
    InsteadOf(u32),
}

impl Operator for LocalTopN {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?;
        if batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| !kind.is_addition())) {
            return Err(Error::internal("a retraction where only insertions were planned for"));
        }
        if !self.is_worth_it(batch.physical_rows()) {
            return context.output.emit(Batch::Changes(batch));
        }
        let batch = self.looked_at(batch)?;
        if batch.is_empty() {
            return Ok(());
        }
        context.output.emit(Batch::Changes(batch))
    }
}

#[cfg(test)]
mod tests {
    use arrow::buffer::BooleanBuffer;
    use flott_plan::{OperatorSpec, SortKey};
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use crate::harness::{Harness, node};

    fn local(ty: &str, descending: bool, to: u64) -> Harness {
        local_of(ty, descending, to, false)
    }

    fn local_of(ty: &str, descending: bool, to: u64, expires: bool) -> Harness {
        let order = vec![SortKey { column: 1, descending, nulls_first: false }];
        let row = format!("INT {ty} INT");
        Harness::new(node(OperatorSpec::LocalTopN { partition: vec![0], order, to, expires }, &[&row], &row))
    }

    #[test]
    fn where_rows_expire_only_those_of_a_batch_are_compared() {
        let mut top = local_of("INT", true, 1, true);
        assert_eq!(top.push("+I 1 5 0\n+I 1 7 1\n+I 1 6 2"), "+I 1 7 1\n");
        assert_eq!(top.push("+I 1 6 4\n+I 1 5 5"), "+I 1 6 4\n");
    }

    #[test]
    fn rows_that_nobody_wants_are_dropped() {
        let mut top = local("INT", true, 2);
        assert_eq!(top.push("+I 1 5 0\n+I 1 7 1\n+I 1 6 2\n+I 2 1 3"), "+I 1 7 1\n+I 1 6 2\n+I 2 1 3\n");
        assert_eq!(top.push("+I 1 6 4\n+I 1 5 5"), "", "of rows that sort equal the earlier one is first");
        assert_eq!(top.push("+I 1 8 6"), "+I 1 8 6\n");
        assert_eq!(top.push("+I 1 7 7\n+I 2 0 8\n+I 2 NULL 9"), "+I 2 0 8\n");
    }

    #[test]
    fn rows_that_were_filtered_out_do_not_count() {
        let mut top = local("INT", true, 1);
        let input = crate::harness::types("INT INT INT");
        let batch = flott_batch::pretty::parse("+I 1 9 0\n+I 1 5 1\n+I 1 6 2\n+I 2 1 3", &input).unwrap();
        let filtered = batch.select(&BooleanBuffer::from(vec![false, true, true, true]));
        assert_eq!(top.feed(0, filtered), "+I 1 6 2\n+I 2 1 3\n");
    }

    #[test]
    fn of_the_last_row_of_a_key_the_latest_counts() {
        let mut last = local("TIMESTAMP(3)", true, 1);
        let at = |second: u32, id: u32| format!("+I 1 1970-01-01T00:00:{second:02}.000 {id}\n");
        assert_eq!(last.push(&[at(1, 0), at(2, 1), at(2, 2)].concat()), at(2, 2));
        assert_eq!(last.push(&[at(1, 3), at(2, 4)].concat()), at(2, 4));
    }

    #[test]
    fn all_wanted_rows_pass() {
        for seed in 0..40u64 {
            let mut random = SmallRng::seed_from_u64(seed);
            let (descending, to) = (random.random(), random.random_range(1..5));
            let mut top = local("INT", descending, to as u64);
            let mut passed: Vec<(i32, i32, i32)> = Vec::new();
            let mut all = Vec::new();
            for batch in 0..30 {
                let rows: Vec<(i32, i32, i32)> = (0..random.random_range(1..20))
                    .map(|at| (random.random_range(0..4), random.random_range(0..30), batch * 100 + at))
                    .collect();
                let text: Vec<String> = rows.iter().map(|(a, b, c)| format!("+I {a} {b} {c}")).collect();
                all.extend(rows);
                for line in top.push(&text.join("\n")).lines() {
                    let values: Vec<i32> =
                        line.split(' ').skip(1).map(|value| value.parse().unwrap()).collect();
                    passed.push((values[0], values[1], values[2]));
                }
                let first = |rows: &[(i32, i32, i32)]| {
                    let mut rows = rows.to_vec();
                    rows.sort_by_key(|(key, value, id)| {
                        (*key, if descending { -value } else { *value }, *id)
                    });
                    let mut number = (-1, 0);
                    rows.retain(|(key, ..)| {
                        number = if number.0 == *key { (*key, number.1 + 1) } else { (*key, 1) };
                        number.1 <= to
                    });
                    rows
                };
                assert_eq!(first(&passed), first(&all), "seed {seed}");
            }
            assert!(passed.len() < all.len(), "seed {seed}");
        }
    }
}
