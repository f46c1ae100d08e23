//! Keys of relations, and what becomes of them: `FlinkRelMdUniqueKeys`.

use std::collections::BTreeSet;

use flott_plan::{Expr, JoinKind};
use flott_types::{LogicalType, TypeKind};

/// More keys than this are not kept: joins multiply them.
const MOST: usize = 128;

/// One key.
pub(crate) type Key = BTreeSet<usize>;

/// Sets of columns of which each identifies a row. The empty key is that of a relation with one row.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Keys(BTreeSet<Key>);

impl Keys {
    /// No key is known.
    pub fn none() -> Keys {
        Keys::default()
    }

    /// One key.
    pub fn one(columns: impl IntoIterator<Item = usize>) -> Keys {
        Keys(BTreeSet::from([columns.into_iter().collect()]))
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is one of the keys.
    pub fn has(&self, columns: &[usize]) -> bool {
        self.0.contains(&columns.iter().copied().collect::<Key>())
    }

    /// Whether these columns identify a row.
    pub fn identified_by(&self, columns: &[usize]) -> bool {
        self.0.iter().any(|key| key.iter().all(|column| columns.contains(column)))
    }

    /// Whether one of the keys has all these columns.
    pub fn cover(&self, columns: &[usize]) -> bool {
        self.0.iter().any(|key| columns.iter().all(|column| key.contains(column)))
    }

    /// The keys without those that have all columns of another and more.
    fn smallest(&self) -> impl Iterator<Item = &Key> {
        self.iter().filter(|key| !self.iter().any(|other| other.is_subset(key) && other != *key))
    }

    /// The key by which a join of these columns tells rows apart: best one that has nothing else, then one that has all of
    /// them, so that an update stays under one key of the join.
    pub fn for_join(&self, on: &[usize]) -> Option<&Key> {
        let rank = |key: &&Key| {
            let (within, covers) =
                (key.iter().all(|at| on.contains(at)), on.iter().all(|at| key.contains(at)));
            (!within, !covers, key.len())
        };
        self.smallest().min_by_key(rank)
    }

    /// Whether each row keeps the values of these columns for as long as it is updated: they are part of the only key.
    pub fn only_one_covers(&self, columns: &[usize]) -> bool {
        let mut keys = self.smallest();
        match (keys.next(), keys.next()) {
            (Some(key), None) => columns.iter().all(|column| key.contains(column)),
            _ => false,
        }
    }

    /// The keys that have all these columns: when rows are spread by the columns, the changes of one key stay in order.
    #[must_use]
    pub fn covering(&self, columns: &[usize]) -> Keys {
        self.kept(|key| columns.iter().all(|column| key.contains(column)))
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: Keys) -> Keys {
        self.0.extend(others.0);
        self.bounded()
    }

    /// Those of a relation with these expressions as columns.
    #[must_use]
    pub fn projected(&self, exprs: &[Expr]) -> Keys {
        let mut places: Vec<(usize, usize)> = Vec::new();
        places.extend(exprs.iter().enumerate().filter_map(|(place, expr)| Some((same_key(expr)?, place))));
        self.mapped(|column| places.iter().filter(|(from, _)| *from == column).map(|(_, to)| *to).collect())
    }

    /// With each column of a key replaced by any of those that hold the same.
    fn mapped(&self, places: impl Fn(usize) -> Vec<usize>) -> Keys {
        let mut keys = Keys::none();
        for key in self.iter() {
            let mut open = vec![Key::new()];
            for column in key {
                let places = places(*column);
                let with =
                    |key: &Key| places.iter().map(|place| with_column(key, *place)).collect::<Vec<_>>();
                open = open.iter().flat_map(with).take(MOST).collect();
            }
            keys.0.extend(open);
        }
        keys.bounded()
    }

    /// Of a join of relations with these keys; `on` are the columns that it compares, the right ones counted from the
    /// right's first.
    pub fn joined(kind: JoinKind, left: &Keys, right: &Keys, on: [&[usize]; 2], width: usize) -> Keys {
        let unique = [left.identified_by(on[0]), right.identified_by(on[1])];
        let left = left.covering(on[0]);
        let right = right.covering(on[1]);
        let (nulls_left, nulls_right) = match kind {
            JoinKind::Semi | JoinKind::Anti => return left,
            JoinKind::Inner => (false, false),
            JoinKind::Left => (false, true),
            JoinKind::Right => (true, false),
            JoinKind::Full => (true, true),
        };
        let right = right.mapped(|column| vec![column + width]);
        let mut keys = Keys::none();
        if !nulls_left && !nulls_right {
            let both = |key: &Key| right.iter().map(|other| key.union(other).copied().collect()).collect();
            keys.0.extend(left.iter().flat_map(|key| -> Vec<Key> { both(key) }));
        }
        if unique[1] && !nulls_left {
            keys.0.extend(left.0);
        }
        if unique[0] && !nulls_right {
            keys.0.extend(right.0);
        }
        keys.bounded().exchanged(on, width, !nulls_left, !nulls_right)
    }

    /// With columns of one side replaced by those of the other that are equal, where those are never NULL instead.
    fn exchanged(mut self, on: [&[usize]; 2], width: usize, to_left: bool, to_right: bool) -> Keys {
        let mut open: Vec<Key> = self.0.iter().cloned().collect();
        while let Some(key) = open.pop() {
            for (left, right) in on[0].iter().zip(on[1]) {
                let (left, right) = (*left, right + width);
                let swaps = [(to_left, right, left), (to_right, left, right)];
                for (_, old, new) in
                    swaps.into_iter().filter(|(allowed, old, _)| *allowed && key.contains(old))
                {
                    let mut swapped = key.clone();
                    swapped.remove(&old);
                    swapped.insert(new);
                    if self.0.len() < MOST && self.0.insert(swapped.clone()) {
                        open.push(swapped);
                    }
                }
            }
        }
        self
    }

    fn kept(&self, keep: impl Fn(&Key) -> bool) -> Keys {
        Keys(self.0.iter().filter(|key| keep(key)).cloned().collect())
    }

    fn bounded(self) -> Keys {
        Keys(self.0.into_iter().take(MOST).collect())
    }
}

fn with_column(key: &Key, column: usize) -> Key {
    let mut key = key.clone();
    key.insert(column);
    key
}

/// The column that an expression is, as far as it identifies rows: casts that give different values for different values are
/// passed through.
fn same_key(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Column { index, .. } => Some(*index),
        Expr::Cast { input, ty, .. } if is_injective(input.ty(), ty) => same_key(input),
        _ => None,
    }
}

fn is_injective(from: &LogicalType, to: &LogicalType) -> bool {
    let digits = |kind: &TypeKind| match kind {
        TypeKind::TinyInt => Some(1),
        TypeKind::SmallInt => Some(2),
        TypeKind::Int => Some(4),
        TypeKind::BigInt => Some(8),
        _ => None,
    };
    match (&from.kind, &to.kind) {
        (from, to) if from == to => true,
        (TypeKind::Varchar(from), TypeKind::Varchar(to)) => from <= to,
        (from, to) => matches!((digits(from), digits(to)), (Some(from), Some(to)) if from <= to),
    }
}
