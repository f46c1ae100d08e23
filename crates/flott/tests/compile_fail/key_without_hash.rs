//! says: `f64` cannot be a key
//! says: a key must be `Serialize + Deserialize + Clone + Eq + Hash + Send`
//! says: floating-point numbers are not `Eq`; use their bits, or a decimal

use flott::prelude::*;

fn main() {
    let env = StreamExecutionEnvironment::new();
    let prices = env.from_collection([1.5]);
    prices.key_by(|price: &f64| *price).sum(|price| price).print(); //~ here
}
