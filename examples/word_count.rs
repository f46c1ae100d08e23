//! Counts the words of lines that come over a socket: `nc -lk 9999` in one terminal, and in another
//! `cargo run -p examples --bin word_count 9999`.

use flott::prelude::*;

fn main() -> Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "9999".to_owned());
    let port = port.parse().map_err(|_| Error::invalid(format!("'{port}' is not a port")))?;
    let env = StreamExecutionEnvironment::new();
    env.socket_text_stream("localhost", port)
        .flat_map(|line: String, out| {
            line.split_whitespace().for_each(|word| out.collect((word.to_owned(), 1)))
        })
        .key_by_ref(|(word, _)| word)
        .sum(|(_, count)| count)
        .print_debug();
    env.execute("Socket Word Count")?;
    Ok(())
}
