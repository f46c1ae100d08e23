//! Prints the pages about connectors and formats, as JSON: the text of each by file name. For `cargo xtask
//! docs`, which is not linked with them.

fn main() -> Result<(), serde_json::Error> {
    let pages = flott::manual::pages(&flott::connectors::builtin());
    println!("{}", serde_json::to_string(&pages)?);
    Ok(())
}
