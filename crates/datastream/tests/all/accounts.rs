//! Three versions of one type.

use flott_datastream::Record;

/// What the program knows of an account, in some version.
pub trait Account: Record + Clone + Sync {
    fn new(owner: &str, balance: i32) -> Self;
    fn deposit(&mut self, amount: i32);
    fn describe(&self) -> String;
}

pub mod v1 {
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Serialize, Deserialize)]
    pub struct Account {
        owner: String,
        balance: i32,
        rating: f32,
        nickname: String,
        tags: Vec<String>,
    }

    impl super::Account for Account {
        fn new(owner: &str, balance: i32) -> Self {
            let (owner, nickname) = (owner.to_owned(), owner[..1].to_owned());
            Account { owner, balance, rating: 0.5, nickname, tags: vec!["first".to_owned()] }
        }

        fn deposit(&mut self, amount: i32) {
            self.balance += amount;
        }

        fn describe(&self) -> String {
            format!("{} has {} ({})", self.owner, self.balance, self.tags.join(" "))
        }
    }
}

/// Fields in another order, two numbers wider, a field gone and two new ones.
pub mod v2 {
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Serialize, Deserialize)]
    pub struct Account {
        tags: Vec<String>,
        #[serde(default = "euro")]
        currency: String,
        balance: i64,
        rating: f64,
        owner: String,
        limit: Option<u32>,
    }

    fn euro() -> String {
        "EUR".to_owned()
    }

    impl super::Account for Account {
        fn new(owner: &str, balance: i32) -> Self {
            Account {
                tags: vec!["second".to_owned()],
                currency: "CHF".to_owned(),
                balance: balance.into(),
                rating: 0.25,
                owner: owner.to_owned(),
                limit: Some(100),
            }
        }

        fn deposit(&mut self, amount: i32) {
            self.balance += i64::from(amount);
        }

        fn describe(&self) -> String {
            let Account { owner, balance, currency, rating, limit, tags } = self;
            format!("{owner} has {balance} {currency}, {rating} {limit:?} ({})", tags.join(" "))
        }
    }
}

/// A field of another type.
pub mod v3 {
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Serialize, Deserialize)]
    pub struct Account {
        owner: String,
        balance: String,
    }

    impl super::Account for Account {
        fn new(owner: &str, balance: i32) -> Self {
            Account { owner: owner.to_owned(), balance: balance.to_string() }
        }

        fn deposit(&mut self, amount: i32) {
            self.balance.push_str(&format!("+{amount}"));
        }

        fn describe(&self) -> String {
            format!("{} has {}", self.owner, self.balance)
        }
    }
}
