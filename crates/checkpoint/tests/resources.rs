//! TaskManagers come and go, and jobs get slots: event by event, as text.

use flott_checkpoint::resources::membership::{self, Membership};
use flott_checkpoint::resources::{
    Action, Config, Event, Hanging, LeaderId, Resources, Session, Slot, TaskManagerId,
};
use flott_checkpoint::{Attempt, TaskId};
use flott_types::{JobId, SubtaskIndex, VertexId};

const CONFIG: Config = Config {
    heartbeat_interval: 10,
    heartbeat_timeout: 50,
    start_up_time: 0,
    registration_initial: 5,
    registration_max: 20,
};

fn session(number: u64) -> Session {
    Session { leader: LeaderId(1), number }
}

fn show(action: &Action) -> String {
    match action {
        Action::Welcome { task_manager, session } => format!("welcome {}.{}", task_manager.0, session.number),
        Action::Heartbeat { task_manager, session } => format!("beat {}.{}", task_manager.0, session.number),
        Action::Dismiss { task_manager, session } => format!("dismiss {}.{}", task_manager.0, session.number),
        Action::Grant { job, slots } => {
            let slots: Vec<_> =
                slots.iter().map(|slot| format!("{}.{}", slot.task_manager.0, slot.session.number)).collect();
            format!("grant job {} [{}]", job.0, slots.join(" "))
        }
        Action::Short { job, hopeless, .. } => {
            format!("job {} {}", job.0, if *hopeless { "is hopeless" } else { "waits" })
        }
        Action::Offer { job, reach } => format!("job {} may have {reach}", job.0),
        Action::Lost { job, task_manager, slots, .. } => {
            format!("job {} loses {slots:?} of {}", job.0, task_manager.0)
        }
    }
}

struct Cluster {
    resources: Resources,
    now: i64,
}

impl Cluster {
    fn new(config: Config) -> Self {
        Cluster { resources: Resources::new(config, LeaderId(1), 0), now: 0 }
    }

    fn step(&mut self, event: Event) -> String {
        let actions = self.resources.step(event, self.now);
        actions.iter().map(show).collect::<Vec<_>>().join(", ")
    }

    fn register(&mut self, id: u32, number: u64, slots: u32) -> String {
        self.step(Event::Register { task_manager: TaskManagerId(id), number, slots })
    }

    fn request(&mut self, job: u128, needed: u32) -> String {
        self.step(Event::Request { job: JobId(job), name: format!("j{job}"), needed })
    }

    fn release(&mut self, job: u128) -> String {
        self.step(Event::Release { job: JobId(job) })
    }

    fn answer(&mut self, id: u32, number: u64) -> String {
        self.step(Event::Heartbeat { task_manager: TaskManagerId(id), session: session(number) })
    }

    fn at(&mut self, now: i64) -> &mut Self {
        self.now = now;
        self
    }
}

#[test]
fn a_job_gets_all_its_slots_or_waits() {
    let mut cluster = Cluster::new(Config { start_up_time: 100, ..CONFIG });
    assert_eq!(cluster.request(1, 3), "job 1 waits");
    assert_eq!(cluster.register(0, 1, 2), "welcome 0.1, job 1 waits");
    // A smaller one is not kept out.
    assert_eq!(cluster.request(2, 1), "grant job 2 [0.1]");
    assert_eq!(cluster.register(1, 1, 2), "welcome 1.1, grant job 1 [1.1 0.1 1.1]");
    assert_eq!(cluster.resources.counts(), (4, 0));
    assert_eq!(cluster.request(3, 1), "job 3 waits");
    assert_eq!(cluster.release(1), "grant job 3 [1.1]");
    assert_eq!(cluster.resources.counts(), (4, 2));
    assert_eq!(cluster.resources.owners(Slot { task_manager: TaskManagerId(0), session: session(1) }), 1);
}

#[test]
fn what_the_cluster_has_not_is_hopeless_once_it_has_assembled() {
    let mut cluster = Cluster::new(Config { start_up_time: 30, ..CONFIG });
    cluster.register(0, 1, 2);
    assert_eq!(cluster.request(1, 3), "job 1 waits");
    assert_eq!(cluster.at(10).step(Event::Tick), "beat 0.1");
    assert_eq!(cluster.answer(0, 1), "");
    assert_eq!(cluster.resources.next_deadline(), Some(20));
    cluster.at(20).step(Event::Tick);
    assert_eq!(cluster.at(30).step(Event::Tick), "beat 0.1, job 1 is hopeless");
    assert_eq!(cluster.request(1, 3), "job 1 is hopeless");
    assert_eq!(cluster.resources.next_deadline(), Some(40));
    assert_eq!(cluster.release(1), "");
    // What others have comes back some day.
    assert_eq!(cluster.request(2, 2), "grant job 2 [0.1 0.1]");
    assert_eq!(cluster.request(3, 1), "job 3 waits");
    assert_eq!(cluster.step(Event::Withdraw { job: JobId(3) }), "");
    assert_eq!(cluster.release(2), "");
}

#[test]
fn a_silent_task_manager_takes_its_slots_along() {
    let mut cluster = Cluster::new(CONFIG);
    cluster.register(0, 1, 1);
    cluster.register(1, 1, 1);
    assert_eq!(cluster.request(1, 2), "grant job 1 [0.1 1.1]");
    for now in [10, 20, 30, 40] {
        assert_eq!(cluster.at(now).step(Event::Tick), "beat 0.1, beat 1.1");
        assert_eq!(cluster.answer(0, 1), "");
    }
    assert_eq!(cluster.at(50).step(Event::Tick), "job 1 loses [1] of 1, dismiss 1.1, beat 0.1");
    assert_eq!(cluster.resources.counts(), (1, 0));
    // Its later messages are rejected; it comes back as another one.
    assert_eq!(cluster.answer(1, 1), "dismiss 1.1");
    assert_eq!(cluster.register(1, 2, 1), "welcome 1.2");
    assert_eq!(cluster.request(1, 2), "grant job 1 [0.1 1.2]");
    assert_eq!(cluster.register(1, 1, 1), "dismiss 1.1", "it came late");
}

#[test]
fn a_registration_that_comes_twice_is_one_and_a_new_one_is_the_end_of_the_old() {
    let mut cluster = Cluster::new(CONFIG);
    cluster.register(0, 1, 2);
    assert_eq!(cluster.request(1, 2), "grant job 1 [0.1 0.1]");
    assert_eq!(cluster.register(0, 1, 2), "welcome 0.1");
    assert_eq!(cluster.resources.counts(), (2, 0));
    assert_eq!(cluster.register(0, 2, 2), "job 1 loses [0, 1] of 0, dismiss 0.1, welcome 0.2");
    assert_eq!(cluster.resources.counts(), (2, 2));
    let gone = |number| Event::Gone {
        task_manager: TaskManagerId(0),
        session: session(number),
        reason: "it leaves".to_owned(),
    };
    assert_eq!(cluster.step(gone(1)), "");
    assert_eq!(cluster.step(gone(2)), "dismiss 0.2");
    assert_eq!(cluster.resources.counts(), (0, 0));
}

#[test]
fn a_session_that_has_ended_does_not_begin_again() {
    let mut cluster = Cluster::new(CONFIG);
    cluster.register(0, 1, 1);
    cluster.request(1, 1);
    let gone = Event::Gone {
        task_manager: TaskManagerId(0),
        session: session(1),
        reason: "a message was refused".to_owned(),
    };
    assert_eq!(cluster.step(gone), "job 1 loses [0] of 0, dismiss 0.1");
    // It has not heard that, and asks again for the welcome that it missed. Its tasks still run.
    assert_eq!(cluster.register(0, 1, 1), "dismiss 0.1");
    assert_eq!(cluster.request(1, 1), "job 1 is hopeless");
    assert_eq!(cluster.register(0, 2, 1), "welcome 0.2, grant job 1 [0.2]");
}

#[test]
fn a_suspended_jobmanager_declares_nobody_dead() {
    let mut cluster = Cluster::new(CONFIG);
    cluster.register(0, 1, 1);
    assert_eq!(cluster.at(100_000).step(Event::Tick), "beat 0.1");
    assert_eq!(cluster.at(100_010).answer(0, 1), "beat 0.1");
}

#[test]
fn a_slot_in_which_a_task_hangs_is_lost_until_it_returns() {
    let mut cluster = Cluster::new(CONFIG);
    cluster.register(0, 1, 2);
    cluster.request(1, 1);
    let hanging = |vertex| Hanging {
        job: JobId(1),
        attempt: Attempt(1),
        task: TaskId { vertex: VertexId(vertex), subtask: SubtaskIndex(0) },
    };
    for vertex in [0, 1] {
        assert_eq!(cluster.step(Event::Hangs { slot: 0, task: hanging(vertex) }), "");
        assert_eq!(cluster.resources.counts(), (1, 1));
    }
    assert_eq!(cluster.request(1, 1), "grant job 1 [0.1]");
    assert_eq!(cluster.step(Event::Returned(hanging(0))), "");
    assert_eq!(cluster.resources.counts(), (1, 0));
    assert_eq!(cluster.step(Event::Returned(hanging(1))), "");
    assert_eq!(cluster.release(1), "");
    assert_eq!(cluster.resources.counts(), (2, 2));
}

#[test]
fn a_task_manager_starts_again_when_all_its_tasks_have_ended() {
    let mut member = Membership::new(CONFIG, 7, 2);
    let step = |member: &mut Membership, event, now| member.step(event, now);
    let register = |number, slots| membership::Action::Register { session: session(number), slots };
    assert_eq!(step(&mut member, membership::Event::Leader(LeaderId(1)), 0), [register(7, 2)]);
    assert_eq!(step(&mut member, membership::Event::Tick, 5), [register(7, 2)]);
    assert_eq!(member.next_deadline(), Some(15));
    assert_eq!(step(&mut member, membership::Event::Welcome(session(7)), 6), []);
    let beat = membership::Event::Heartbeat(session(7));
    assert_eq!(step(&mut member, beat, 10), [membership::Action::Answer(session(7))]);
    assert_eq!(step(&mut member, membership::Event::Tick, 59), []);
    let stopped = step(&mut member, membership::Event::Tick, 60);
    assert!(matches!(&stopped[..], [membership::Action::StopTasks { reason }] if reason.contains("50 ms")));
    assert!(!member.accepts(session(7)));
    assert_eq!(step(&mut member, beat, 61), []);
    let left = membership::Event::AllLeft { slots: 1 };
    assert_eq!(step(&mut member, left, 70), [register(8, 1)]);
    // Work may overtake the welcome.
    assert!(member.accepts(session(8)));
    assert_eq!(step(&mut member, membership::Event::Slots(2), 71), [register(8, 2)]);
    let later = LeaderId(2);
    assert_eq!(step(&mut member, membership::Event::Leader(later), 72).len(), 1);
    let anew = step(&mut member, membership::Event::AllLeft { slots: 2 }, 73);
    let expected = Session { leader: later, number: 9 };
    assert_eq!(anew, [membership::Action::Register { session: expected, slots: 2 }]);
    assert_eq!(step(&mut member, membership::Event::Leader(LeaderId(1)), 74), []);
}

#[test]
fn a_connection_to_another_job_manager_is_taken_whatever_its_number() {
    let mut member = Membership::new(CONFIG, 1, 2);
    let connected = |leader| membership::Event::Connected(LeaderId(leader));
    let register = |leader, number| membership::Action::Register {
        session: Session { leader: LeaderId(leader), number },
        slots: 2,
    };
    assert_eq!(member.step(connected(9), 0), [register(9, 1)]);
    // The same one, by another connection: it is asked at once.
    assert_eq!(member.step(connected(9), 1), [register(9, 1)]);
    let session = Session { leader: LeaderId(9), number: 1 };
    member.step(membership::Event::Welcome(session), 2);
    assert_eq!(member.step(connected(9), 3), []);
    // The next one's clock is behind.
    let left = member.step(connected(5), 4);
    assert!(matches!(left[..], [membership::Action::StopTasks { .. }]), "{left:?}");
    assert_eq!(member.step(membership::Event::AllLeft { slots: 2 }, 5), [register(5, 2)]);
    // What the one before it still says is not for this session.
    assert_eq!(member.step(membership::Event::Heartbeat(session), 6), []);
}

#[test]
fn a_task_manager_that_slept_asks_whether_it_is_still_known() {
    let mut member = Membership::new(CONFIG, 1, 1);
    member.step(membership::Event::Leader(LeaderId(1)), 0);
    member.step(membership::Event::Welcome(session(1)), 1);
    let woken = member.step(membership::Event::Tick, 90_000);
    assert_eq!(woken, [membership::Action::Answer(session(1))]);
    let dismissed = member.step(membership::Event::Dismissed(session(1)), 90_001);
    assert!(matches!(dismissed[..], [membership::Action::StopTasks { .. }]));
}

#[test]
fn a_job_that_wishes_more_hears_what_is_free() {
    let mut cluster = Cluster::new(CONFIG);
    cluster.register(1, 1, 2);
    assert_eq!(cluster.request(1, 1), "grant job 1 [1.1]");
    let wish = |wanted| Event::Wish { job: JobId(1), wanted };
    assert_eq!(cluster.step(wish(4)), "job 1 may have 2");
    assert_eq!(cluster.step(Event::Tick), "");
    assert_eq!(cluster.register(2, 1, 4), "welcome 2.1, job 1 may have 4");
    // What somebody waits for is not offered.
    assert_eq!(cluster.request(2, 9), "job 2 is hopeless, job 1 may have 1");
    assert_eq!(cluster.release(2), "job 1 may have 4");
    // It takes them by a request, and says anew what it wishes then.
    assert_eq!(cluster.request(1, 4), "grant job 1 [1.1 2.1 2.1 2.1]");
    assert_eq!(cluster.step(wish(4)), "job 1 may have 4");
}
