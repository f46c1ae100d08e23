//! What earlier versions wrote is read.

use flott_pattern::{Conditions, Matcher, Pattern, Run, Skip, Variable};

struct Letters(&'static str);

impl Conditions for Letters {
    type Error = ();

    fn holds(&mut self, variable: usize, _: &Run, row: u64) -> Result<bool, ()> {
        Ok(self.0.as_bytes()[row as usize] == b"abc"[variable])
    }
}

/// Version 0.1 wrote the open runs alone, and not where the next one would begin.
#[test]
fn open_runs_go_on() {
    let pattern = Pattern::new(
        vec![Variable::new(1, None, true), Variable::new(0, Some(2), true), Variable::once()],
        None,
        Skip::ToNextRow,
    );
    let written = r#"{"next":3,"runs":[
        {"first_row":0,"first_time":0,"counts":[2,1]},
        {"first_row":1,"first_time":1,"counts":[1,1]}],"waiting":[]}"#;
    let mut matcher: Matcher = serde_json::from_str(written).unwrap();
    assert_eq!((matcher.first_row(), matcher.next_row(), matcher.is_idle()), (0, 3, false));
    let mut letters = Letters("aabbcac");
    let mut found = Vec::new();
    for row in 3..7 {
        found.extend(matcher.step(&pattern, row, &mut letters).unwrap());
    }
    let counts: Vec<Vec<u32>> =
        found.iter().map(|run| (0..3).map(|variable| run.count(variable)).collect()).collect();
    assert_eq!(counts, [[2, 2, 1], [1, 2, 1], [1, 0, 1]]);
    let idle: Matcher = serde_json::from_str(r#"{"next":3,"runs":[],"waiting":[]}"#).unwrap();
    assert!(idle.is_idle());
}
