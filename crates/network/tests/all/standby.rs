//! A JobManager of several.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use flott_cluster::high_availability::ClusterFolder;
use flott_network::standby::{Standby, Told};
use flott_types::{Clock, SystemClock};

const LONG: Duration = Duration::from_secs(120);

#[cfg(unix)]
#[test]
fn a_leader_whose_storage_hangs_does_not_lead_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let storage = dir.path().to_str().unwrap();
    let configuration: BTreeMap<String, String> = [
        ("high-availability.type", "filesystem"),
        ("high-availability.storageDir", storage),
        ("high-availability.filesystem.lease-duration", "500 ms"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let folder = ClusterFolder::parse(&configuration).unwrap().unwrap();
    let clock = Arc::new(SystemClock::new());
    let mut standby = Standby::new(folder, configuration, Arc::default(), clock.clone()).unwrap();
    standby.stand("http://localhost:1".to_owned()).unwrap();
    let told = || {
        loop {
            assert!(Duration::from_nanos(clock.nanos()) < LONG, "it goes on");
            if let Some(told) = standby.run_for(Duration::from_millis(10)) {
                return told;
            }
        }
    };
    let mut next = told();
    if let Told::Leads(..) = next {
        // What is read of it is never written.
        let term = dir.path().join("default/leader/term-2");
        std::fs::create_dir(&term).unwrap();
        assert!(Command::new("mkfifo").arg(term.join("claim")).status().unwrap().success());
        next = told();
    }
    let Told::Ended(error) = next else { panic!("{next:?}") };
    // Also if the machine was so busy that it has not come so far.
    assert!(error.to_string().contains("cannot say that it leads"), "{error}");
}
