//! Sessions of keys: which rows belong together because no two neighbours are further apart than the gap.

/// A stretch of time from the first row to a gap after the last; both ends included, so that two rows exactly a gap
/// apart are one session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Session {
    pub start: i64,
    pub end: i64,
    /// What the owner keeps for it.
    pub id: u32,
}

/// The sessions of one key. They do not touch each other.
#[derive(Clone, Default, Debug)]
pub(super) struct Sessions {
    list: Vec<Session>,
}

/// What a row does to the sessions of its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Placement {
    /// The session that the row is in now.
    pub session: Session,
    /// Sessions that it connected and that are gone: they are part of `session` now.
    pub absorbed: Vec<u32>,
    /// No session was there before.
    pub new: bool,
}

impl Sessions {
    /// Where a row at this time would go. Of several sessions that it connects one for which `prefer` holds stays, or the
    /// earliest. A new one gets `id`.
    pub fn place(&self, time: i64, gap: i64, id: u32, prefer: impl Fn(u32) -> bool) -> Placement {
        let mut session = Session { start: time, end: time + gap, id };
        let touching: Vec<&Session> = self
            .list
            .iter()
            .filter(|other| other.start <= session.end && other.end >= session.start)
            .collect();
        let stays = touching.iter().find(|other| prefer(other.id)).or(touching.first()).map(|other| other.id);
        for other in &touching {
            session.start = session.start.min(other.start);
            session.end = session.end.max(other.end);
        }
        let Some(stays) = stays else { return Placement { session, absorbed: Vec::new(), new: true } };
        session.id = stays;
        let absorbed = touching.iter().map(|other| other.id).filter(|other| *other != stays).collect();
        Placement { session, absorbed, new: false }
    }

    /// Makes it so.
    pub fn put(&mut self, placement: &Placement) {
        let session = placement.session;
        match self.list.iter_mut().find(|other| other.id == session.id) {
            Some(known) if !placement.new => *known = session,
            _ => self.list.push(session),
        }
        if !placement.absorbed.is_empty() {
            self.list.retain(|other| !placement.absorbed.contains(&other.id));
        }
    }

    /// Adds one that was restored.
    pub fn insert(&mut self, session: Session) {
        self.list.push(session);
    }

    /// Forgets one that has ended.
    pub fn remove(&mut self, id: u32) {
        self.list.retain(|session| session.id != id);
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.list.iter_mut()
    }

    pub fn get(&self, id: u32) -> Option<&Session> {
        self.list.iter().find(|session| session.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!((placed.new, placed.session), (false, Session { start: 0, end: 20, id: 1 }));
        assert!(put(&mut sessions, 31, 3).new);
        let placed = put(&mut sessions, 21, 4);
        assert_eq!((placed.new, placed.session.id, placed.session.start), (false, 3, 21));
        let placed = put(&mut sessions, 15, 5);
        assert_eq!(
            placed,
            Placement { session: Session { start: 0, end: 41, id: 1 }, absorbed: vec![3], new: false }
        );
        assert_eq!(sessions.list, [Session { start: 0, end: 41, id: 1 }]);
    }
}
