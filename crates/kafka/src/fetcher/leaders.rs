//! Finds the leaders of partitions, and starts a thread for each.

use std::sync::Arc;

use flott_types::FastSet;
use kafka_protocol::ResponseError;

use super::{Shared, broker};
use crate::failure::{Failure, Result};

pub(super) fn start(shared: &Arc<Shared>) -> Result<()> {
    shared.spawn("kafka leaders".to_owned(), run)
}

fn run(shared: Arc<Shared>) {
    let mut client = shared.client();
    let first = shared.client.backoff;
    let mut pause = first;
    let mut warned = false;
    loop {
        let wanted: FastSet<Arc<str>> = {
            let mut state = shared.state.lock();
            loop {
                if shared.stop.is_set() {
                    return;
                }
                let without = state.partitions.iter().filter(|(_, reading)| reading.leader.is_none());
                let topics: FastSet<Arc<str>> = without.map(|((topic, _), _)| topic.clone()).collect();
                if !topics.is_empty() {
                    break topics;
                }
                shared.changed.wait(&mut state);
            }
        };
        let names: Vec<&str> = wanted.iter().map(|topic| &**topic).collect();
        let all_found = match client.topics_once(Some(&names), false) {
            Ok(topics) => match found(&shared, &topics, client.nanos()) {
                Ok(all) => {
                    warned = false;
                    all
                }
                Err(failure) => return shared.fail(failure),
            },
            Err(failure) if failure.is_retriable() => {
                if !warned {
                    tracing::warn!("Kafka: {failure}; it is tried again");
                }
                warned = true;
                false
            }
            Err(failure) => return shared.fail(failure),
        };
        if all_found {
            pause = first;
        } else if client.pause(&mut pause) {
            return;
        }
    }
}

/// Notes who leads. Whether there is somebody for all that were asked for.
fn found(shared: &Arc<Shared>, topics: &[crate::Topic], now: u64) -> Result<bool> {
    let mut state = shared.state.lock();
    let mut all = true;
    let mut leaders = Vec::new();
    for ((topic, index), reading) in &mut state.partitions {
        if reading.leader.is_some() {
            continue;
        }
        let found = topics.iter().find(|found| found.name == **topic);
        let found = found.and_then(|found| found.partitions.iter().find(|found| found.index == *index));
        match found {
            Some(partition) => reading.leader = partition.leader,
            None => {
                let since = *reading.missing_since.get_or_insert(now);
                if now.saturating_sub(since) >= shared.client.api_timeout.as_nanos() as u64 {
                    let what =
                        format!("partition {topic}-{index} is gone, and is read up to {}", reading.offset);
                    return Err(Failure::code(ResponseError::UnknownTopicOrPartition, what));
                }
            }
        }
        match reading.leader {
            Some(leader) => leaders.push(leader),
            None => all = false,
        }
    }
    for leader in leaders {
        if !state.brokers.contains(&leader) {
            state.brokers.push(leader);
            shared.spawn(format!("kafka broker {leader}"), move |shared| broker::run(&shared, leader))?;
        }
    }
    shared.changed.notify_all();
    Ok(all)
}
