//! The state machine in a TaskManager: which JobManager it belongs to.
//!
//! ```text
//! ALONE ── leader known ──> REGISTERING ── welcome ──> MEMBER
//!   ▲                            ▲                        │ dismissed, silence, another leader, a message could not be delivered
//!   └── no leader ── LEAVING ────┘ <──────────────────────┘
//!                       all tasks have left
//! ```

use flott_types::Timestamp;

use super::{Config, LeaderId, Session};

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Which JobManager there is. One that is older than what is known means nothing.
    Leader(LeaderId),
    /// A connection to this JobManager has begun, so the one that was known before is gone, also if this one is
    /// older by its number: the clock of its machine may be behind. There is no need to wait until it is time to
    /// register.
    Connected(LeaderId),
    /// The JobManager has registered the session.
    Welcome(Session),
    /// The JobManager asks whether it is alive.
    Heartbeat(Session),
    /// The JobManager does not know the session.
    Dismissed(Session),
    /// A message to the JobManager could not be delivered.
    Unreachable(Session),
    /// Every task has left, or was given up: this many slots are free of them.
    AllLeft {
        /// How many.
        slots: u32,
    },
    /// A task that was given up has left: this many slots are free of such.
    Slots(u32),
    /// Time has passed: [`Membership::next_deadline`] or later.
    Tick,
}

/// What the driver has to do, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Register.
    Register {
        /// The leader, and the state of the membership.
        session: Session,
        /// How many slots.
        slots: u32,
    },
    /// Answer that it is alive.
    Answer(Session),
    /// Stop all tasks, and say when they have left.
    StopTasks {
        /// Why, for people.
        reason: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It knows no JobManager.
    Alone,
    /// It waits for an answer.
    Registering { again_at: Timestamp, pause: i64 },
    /// It belongs to the leader.
    Member { heard: Timestamp },
    /// The tasks of the last session are leaving.
    Leaving,
}

/// Whom a TaskManager belongs to.
#[derive(Clone, Debug)]
pub struct Membership {
    config: Config,
    slots: u32,
    leader: Option<LeaderId>,
    number: u64,
    state: State,
    /// What was last answered to [`Membership::next_deadline`].
    due: Option<Timestamp>,
}

impl Membership {
    /// A TaskManager without tasks. `number` is that of its first session: larger than any that a process of
    /// this name has had before.
    pub fn new(config: Config, number: u64, slots: u32) -> Self {
        Membership { config, slots, leader: None, number, state: State::Alone, due: None }
    }

    /// Whether a message of this session is for it. Work may overtake the welcome.
    pub fn accepts(&self, session: Session) -> bool {
        self.session() == Some(session)
    }

    /// Its session, once it has registered.
    pub fn session(&self) -> Option<Session> {
        match self.state {
            State::Registering { .. } | State::Member { .. } => {
                self.leader.map(|leader| Session { leader, number: self.number })
            }
            State::Alone | State::Leaving => None,
        }
    }

    /// Whether it waits for the tasks of a session that has ended: [`Event::AllLeft`].
    pub fn is_leaving(&self) -> bool {
        self.state == State::Leaving
    }

    /// When the driver has to send [`Event::Tick`].
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::Registering { again_at, .. } => Some(again_at),
            State::Member { heard } => Some(heard.saturating_add(self.config.heartbeat_timeout)),
            State::Alone | State::Leaving => None,
        }
    }

    /// The machine.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        let out = &mut actions;
        self.forgive(now, out);
        match event {
            Event::Leader(leader) => self.leader(leader, now, out),
            Event::Welcome(session) | Event::Heartbeat(session) if self.accepts(session) => {
                self.state = State::Member { heard: now };
                if matches!(event, Event::Heartbeat(_)) {
                    out.push(Action::Answer(session));
                }
            }
            Event::Dismissed(session) if self.accepts(session) => {
                self.leave("the JobManager no longer knows it", out);
            }
            Event::Unreachable(session) if self.accepts(session) => {
                self.leave("the JobManager cannot be reached", out);
            }
            Event::AllLeft { slots } if self.state == State::Leaving => {
                self.slots = slots;
                self.number += 1;
                self.register(now, out);
            }
            Event::Slots(slots) => {
                self.slots = slots;
                if let Some(session) = self.session() {
                    out.push(Action::Register { session, slots });
                }
            }
            Event::Connected(leader) if self.leader != Some(leader) => self.belong_to(leader, now, out),
            Event::Connected(_) if matches!(self.state, State::Registering { .. }) => self.register(now, out),
            Event::Tick => self.tick(now, out),
            Event::Connected(_)
            | Event::Welcome(_)
            | Event::Heartbeat(_)
            | Event::Dismissed(_)
            | Event::Unreachable(_)
            | Event::AllLeft { .. } => {}
        }
        self.due = self.next_deadline();
        actions
    }

    /// A suspended TaskManager could not hear anybody. It learns by asking whether it was given up in the
    /// meantime.
    fn forgive(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let late = self.due.map_or(0, |due| now.saturating_sub(due));
        let session = self.session();
        if let State::Member { heard } = &mut self.state
            && late > self.config.heartbeat_interval
        {
            *heard = now;
            out.extend(session.map(Action::Answer));
        }
    }

    fn leader(&mut self, leader: LeaderId, now: Timestamp, out: &mut Vec<Action>) {
        if self.leader.is_some_and(|known| known >= leader) {
            return;
        }
        self.belong_to(leader, now, out);
    }

    fn belong_to(&mut self, leader: LeaderId, now: Timestamp, out: &mut Vec<Action>) {
        self.leader = Some(leader);
        match self.state {
            State::Alone => self.register(now, out),
            State::Registering { .. } | State::Member { .. } => {
                self.leave("there is another JobManager", out);
            }
            State::Leaving => {}
        }
    }

    fn leave(&mut self, why: &str, out: &mut Vec<Action>) {
        self.state = State::Leaving;
        out.push(Action::StopTasks { reason: why.to_owned() });
    }

    fn register(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let Some(leader) = self.leader else {
            self.state = State::Alone;
            return;
        };
        let pause = self.config.registration_initial;
        self.state = State::Registering { again_at: now.saturating_add(pause), pause };
        out.push(Action::Register { session: Session { leader, number: self.number }, slots: self.slots });
    }

    fn tick(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        match self.state {
            State::Registering { again_at, pause } if again_at <= now => {
                let pause = pause.saturating_mul(2).min(self.config.registration_max).max(1);
                self.state = State::Registering { again_at: now.saturating_add(pause), pause };
                if let Some(session) = self.session() {
                    out.push(Action::Register { session, slots: self.slots });
                }
            }
            State::Member { heard } if now.saturating_sub(heard) >= self.config.heartbeat_timeout => {
                let timeout = self.config.heartbeat_timeout;
                let why = format!("the JobManager was silent for {timeout} ms ('heartbeat.timeout')");
                self.leave(&why, out);
            }
            State::Alone | State::Registering { .. } | State::Member { .. } | State::Leaving => {}
        }
    }
}
