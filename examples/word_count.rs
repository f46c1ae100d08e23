//! Counts the words of lines that come over a socket: `nc -lk 9999` in one terminal, and in another
//! `cargo run -p examples --bin word_count -- --port 9999`.

use flott::args::Args;
use flott::prelude::*;

fn main() -> Result<()> {
    let args = Args::new("Counts the words of lines that come over a socket.");
    let args = args.option("port", "9999", "the server's port").parse();
    let env = args.environment();
    env.socket_text_stream("localhost", args.get("port")?)
        .flat_map(|line: String, out| {
            line.split_whitespace().for_each(|word| out.collect((word.to_owned(), 1)))
        })
        .key_by_ref(|(word, _)| word)
        .sum(|(_, count)| count)
        .print_debug();
    env.execute("Socket Word Count")?;
    Ok(())
}
