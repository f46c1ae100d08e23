//! SQL with functions of one's own: `cargo run -p examples --bin sql_functions`.
//!
//! The program defines functions by identifiers, as which the script names them: as Flink's scripts name classes.

use flott::prelude::*;
use flott::sql::{Environment, Outcome, aggregate, parse_script, scalar, table};
use serde::{Deserialize, Serialize};

const SCRIPT: &str = "
    CREATE FUNCTION clean AS 'com.example.Clean';
    CREATE FUNCTION tags AS 'com.example.Tags';
    CREATE FUNCTION weighted_avg AS 'com.example.WeightedAverage';

    CREATE VIEW reviews AS SELECT * FROM (VALUES
        (' Lamp ', 5, 1, 'light,home'),
        ('lamp', 2, 2, 'home'),
        ('Chair', 4, 3, CAST(NULL AS STRING))) AS r (product, stars, helpful, tags);
    CREATE TABLE by_product (product STRING, stars DOUBLE) WITH ('connector' = 'print', 'print-identifier' = 'product');
    CREATE TABLE by_tag (tag STRING, stars DOUBLE) WITH ('connector' = 'print', 'print-identifier' = 'tag');

    SET 'execution.runtime-mode' = 'BATCH';
    SET 'parallelism.default' = '1';
    INSERT INTO by_product SELECT clean(product), weighted_avg(stars, helpful) FROM reviews GROUP BY clean(product);
    INSERT INTO by_tag
        SELECT tag, weighted_avg(stars, helpful) FROM reviews, LATERAL TABLE(tags(tags)) AS t (tag) GROUP BY tag;
";

/// What an average needs to know: a state of any serde type.
#[derive(Default, Serialize, Deserialize)]
struct Weighted {
    sum: f64,
    weight: f64,
}

impl Weighted {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += value * weight;
        self.weight += weight;
    }

    fn average(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

fn main() -> Result<()> {
    let mut environment = Environment::local()?;
    environment.define_function("com.example.Clean", scalar(|text: String| text.trim().to_lowercase()))?;
    // Without tags there are no rows: the parameter has no NULL.
    let tags = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    environment.define_function("com.example.Tags", table(tags))?;
    environment
        .define_function("com.example.WeightedAverage", aggregate(Weighted::add, Weighted::average))?;

    for statement in parse_script(SCRIPT)? {
        if let Outcome::Insert(job) = environment.session.execute(&statement)? {
            environment.cluster.submit(&job.graph)?.wait()?;
        }
    }
    Ok(())
}
