//! A program without a mistake.

use flott::prelude::*;

#[derive(Clone, Serialize, Deserialize)]
#[serde(crate = "flott::serde")]
struct Sale {
    product: String,
    amount: u64,
}

fn main() -> Result<()> {
    let env = StreamExecutionEnvironment::new();
    let sales = env.from_collection([Sale { product: "tea".to_owned(), amount: 2 }]);
    sales.key_by_ref(|sale| &sale.product).sum(|sale| &mut sale.amount).map(|sale| sale.amount).print();
    env.execute("sales")?;
    Ok(())
}
