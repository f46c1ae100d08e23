//! Sessions of keys: rows belong together if no two neighbours are further apart than the gap.

use super::TimeWindow;

/// A stretch of time from the first row to one gap after the last. Two rows exactly a gap apart are in the
/// same session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// From the first row to one gap after the last.
    pub window: TimeWindow,
    /// What the owner keeps for it.
    pub id: u32,
}

/// Merges windows that touch: calls `merge` with each group of them and the window that they become. Windows
/// that touch no other are left out. May reorder the windows.
pub fn merge_touching(windows: &mut [TimeWindow], mut merge: impl FnMut(&[TimeWindow], TimeWindow)) {
    windows.sort_unstable();
    let mut rest = &*windows;
    while let Some((first, others)) = rest.split_first() {
        let (mut all, mut count) = (*first, 1);
        for next in others {
            if !all.intersects(next) {
                break;
            }
            (all, count) = (all.cover(next), count + 1);
        }
        let (touching, after) = rest.split_at(count);
        if count > 1 {
            merge(touching, all);
        }
        rest = after;
    }
}

/// The sessions of one key. They do not touch each other.
///
/// There is nearly always only one, which needs no allocation.
#[derive(Clone, Default, Debug)]
pub struct Sessions {
    first: Option<Session>,
    others: Vec<Session>,
}

/// What a row does to the sessions of its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// The session that the row is in now.
    pub session: Session,
    /// Sessions that the row connected and that are gone: they are part of `session` now.
    pub absorbed: Vec<u32>,
    /// Whether there was no session before.
    pub new: bool,
}

impl Sessions {
    /// Adds a row to the only session, if there is only one and the row touches it; returns that session's
    /// id.
    #[inline]
    pub fn extend_only(&mut self, time: i64, gap: i64) -> Option<u32> {
        let only = self.first.as_mut().filter(|_| self.others.is_empty())?;
        let row = TimeWindow::new(time, time.saturating_add(gap));
        if !only.window.intersects(&row) {
            return None;
        }
        only.window = only.window.cover(&row);
        Some(only.id)
    }

    /// Where a row with this time would go. If it connects several sessions, one for which `prefer` holds
    /// survives, or else the earliest. A new session gets `id`.
    #[inline]
    pub fn place(&self, time: i64, gap: i64, id: u32, prefer: impl Fn(u32) -> bool) -> Placement {
        let row = TimeWindow::new(time, time.saturating_add(gap));
        let touches = |other: &&Session| other.window.intersects(&row);
        let touching = || self.iter().filter(touches);
        let stays = touching().find(|other| prefer(other.id)).or_else(|| touching().next());
        let Some(stays) = stays else {
            return Placement { session: Session { window: row, id }, absorbed: Vec::new(), new: true };
        };
        let window = touching().fold(row, |all, other| all.cover(&other.window));
        let session = Session { window, id: stays.id };
        let absorbed = touching().map(|other| other.id).filter(|other| *other != stays.id).collect();
        Placement { session, absorbed, new: false }
    }

    /// Applies a placement.
    #[inline]
    pub fn put(&mut self, placement: &Placement) {
        let session = placement.session;
        if placement.new {
            self.insert(session);
        } else if let Some(known) = self.iter_mut().find(|other| other.id == session.id) {
            *known = session;
        }
        placement.absorbed.iter().for_each(|gone| self.remove(*gone));
    }

    /// Adds a session that touches no other.
    pub fn insert(&mut self, session: Session) {
        match self.first {
            None => self.first = Some(session),
            Some(_) => self.others.push(session),
        }
    }

    /// Forgets a session that has ended.
    pub fn remove(&mut self, id: u32) {
        if self.first.is_some_and(|first| first.id == id) {
            // The others stay in order.
            self.first = (!self.others.is_empty()).then(|| self.others.remove(0));
        } else {
            self.others.retain(|session| session.id != id);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn iter(&self) -> impl Iterator<Item = &Session> {
        self.first.iter().chain(&self.others)
    }

    /// All sessions; changes must not make them touch.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.first.iter_mut().chain(&mut self.others)
    }

    /// The session with this id.
    pub fn get(&self, id: u32) -> Option<&Session> {
        self.iter().find(|session| session.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(start: i64, end: i64, id: u32) -> Session {
        Session { window: TimeWindow::new(start, end), id }
    }

    #[test]
    fn windows_that_touch_become_one() {
        let mut windows = [(20, 30), (0, 5), (5, 8), (40, 41), (25, 35)].map(|(a, b)| TimeWindow::new(a, b));
        let mut merged = Vec::new();
        merge_touching(&mut windows, |from, into| merged.push((into, from.len())));
        assert_eq!(merged, [(TimeWindow::new(0, 8), 2), (TimeWindow::new(20, 35), 2)]);
    }

    #[test]
    fn a_row_extends_the_only_session_that_it_touches() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.extend_only(0, 10), None);
        put(&mut sessions, 0, 1);
        assert_eq!(sessions.extend_only(11, 10), None);
        assert_eq!(sessions.extend_only(10, 10), Some(1));
        assert_eq!(sessions.extend_only(-10, 10), Some(1));
        assert_eq!(sessions.get(1), Some(&session(-10, 20, 1)));
        put(&mut sessions, 50, 2);
        assert_eq!(sessions.extend_only(15, 10), None, "another one may be touched too");
    }

    fn put(sessions: &mut Sessions, time: i64, id: u32) -> Placement {
        let placement = sessions.place(time, 10, id, |_| false);
        sessions.put(&placement);
        placement
    }

    #[test]
    fn rows_a_gap_apart_are_one_session_and_a_row_between_connects_two() {
        let mut sessions = Sessions::default();
        assert!(put(&mut sessions, 0, 1).new);
        let placed = put(&mut sessions, 10, 2);
        assert_eq!((placed.new, placed.session), (false, session(0, 20, 1)));
        assert!(put(&mut sessions, 31, 3).new);
        let placed = put(&mut sessions, 21, 4);
        assert_eq!((placed.new, placed.session.id, placed.session.window.start), (false, 3, 21));
        let placed = put(&mut sessions, 15, 5);
        assert_eq!(placed, Placement { session: session(0, 41, 1), absorbed: vec![3], new: false });
        assert_eq!(sessions.iter().collect::<Vec<_>>(), [&session(0, 41, 1)]);
    }
}
