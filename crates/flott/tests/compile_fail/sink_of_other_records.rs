//! says: is not a sink of `i64`
//! says: map the stream to these

use flott::prelude::*;

fn main() -> Result<()> {
    let env = StreamExecutionEnvironment::new();
    let lines = FileSink::lines("/tmp/lines", |line: &String| line.clone())?;
    env.from_sequence(1, 10).sink_to(lines); //~ here
    Ok(())
}
