//! Tables whose history is cut: snapshots that have expired, and versions that are not named any more.

use flott_connector::conformance::{commit, commit_restored};
use flott_types::CheckpointId;

use crate::lake::Lake;

impl Lake {
    /// Another engine lets the oldest snapshot expire.
    fn expire(&self) {
        self.change(|table| {
            table["snapshots"].as_array_mut().unwrap().remove(0);
            table["snapshot-log"].as_array_mut().unwrap().remove(0);
        });
    }

    /// Another job has made the newest snapshot.
    fn disown(&self) {
        self.change(|table| {
            let newest = table["snapshots"].as_array_mut().unwrap().last_mut().unwrap();
            newest["summary"]["flink.job-id"] = "other".into();
        });
    }
}

#[test]
fn a_later_checkpoint_of_the_job_says_that_one_was_committed() {
    let lake = Lake::new(&[], &[]);
    let (first, second) = (lake.handed_over(1, "+I 1 a p"), lake.handed_over(2, "+I 2 b p"));
    commit_restored(&*lake.sink(), CheckpointId(1), &first).unwrap();
    commit_restored(&*lake.sink(), CheckpointId(2), &second).unwrap();
    lake.expire();
    commit_restored(&*lake.sink(), CheckpointId(1), &first).unwrap();
    assert_eq!(lake.rows(), ["+I 1 a p", "+I 2 b p"]);
}

#[test]
fn the_oldest_snapshot_has_what_was_committed_before() {
    let lake = Lake::new(&[], &[]);
    let first = lake.handed_over(1, "+I 1 a p");
    commit_restored(&*lake.sink(), CheckpointId(1), &first).unwrap();
    lake.write("+I 2 b p");
    lake.disown();
    lake.expire();
    commit_restored(&*lake.sink(), CheckpointId(1), &first).unwrap();
    assert_eq!(lake.rows(), ["+I 1 a p", "+I 2 b p"]);
    // What was never committed is.
    let third = lake.handed_over(3, "+I 3 c p");
    commit_restored(&*lake.sink(), CheckpointId(3), &third).unwrap();
    assert_eq!(lake.rows(), ["+I 1 a p", "+I 2 b p", "+I 3 c p"]);
}

#[test]
fn a_file_that_is_gone_is_not_added() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    lake.write("+I 2 b p");
    lake.disown();
    lake.expire();
    let known = lake.data();
    let third = lake.handed_over(3, "+I 3 c p");
    let written = lake.data().into_iter().find(|path| !known.contains(path)).unwrap();
    std::fs::remove_file(written).unwrap();
    let error = commit_restored(&*lake.sink(), CheckpointId(3), &third).unwrap_err().to_string();
    assert!(error.contains("committed and rewritten since"), "{error}");
    assert_eq!(lake.rows(), ["+I 1 a p", "+I 2 b p"]);
}

#[test]
fn a_version_names_and_keeps_as_many_as_the_table_says() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 0 a p");
    lake.change(|table| {
        table["properties"]["write.metadata.previous-versions-max"] = "2".into();
        table["properties"]["write.metadata.delete-after-commit.enabled"] = "true".into();
    });
    let rows: Vec<String> = (1..6).map(|number| format!("+I {number} a p")).collect();
    for (number, row) in (1..).zip(&rows) {
        commit_restored(&*lake.sink(), CheckpointId(number), &lake.handed_over(number, row)).unwrap();
    }
    assert_eq!(lake.rows().len(), 6);
    assert!(!lake.metadata("v4.metadata.json").exists());
    for version in 5..=7 {
        assert!(lake.metadata(&format!("v{version}.metadata.json")).exists(), "{version}");
    }
    let newest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(lake.metadata("v7.metadata.json")).unwrap()).unwrap();
    assert_eq!(newest["metadata-log"].as_array().unwrap().len(), 2);
    assert_eq!(newest["snapshots"].as_array().unwrap().len(), 6);
    // All of a table's rows are there without the versions of before.
    commit(&*lake.sink(), &lake.handed_over(9, "+I 9 a p")).unwrap();
    assert_eq!(lake.rows().len(), 7);
}
