//! The Table API: queries of method calls.

use flott::batch::RowKind;
use flott::prelude::*;
use flott::sql::table;
use flott::table::{
    Cumulate, Expression, Over, Schema, SessionWindow, Slide, StreamTableEnvironment, Table, TimeUnit,
    Tumble, and, array, call, col, count_rows, if_then_else, lit, map, not, null_of, or, row,
};

use crate::environment;

/// Order, product, amount.
fn orders(tables: &StreamTableEnvironment) -> Table {
    let order = |id: i32, product: &str, amount: i32| row([lit(id), lit(product), lit(amount)]);
    let rows = [order(1, "tea", 3), order(2, "cake", 4), order(3, "tea", 5), order(4, "milk", 1)];
    let orders = tables.from_values(rows).unwrap().alias(["id", "product", "amount"]).unwrap();
    // A literal's type is that of the longest.
    orders.add_or_replace_columns([col("product").cast("STRING").alias("product")]).unwrap()
}

/// The rows that are left when all changes have come, sorted.
fn rows<T: Record + Ord>(table: &Table) -> Vec<T> {
    let mut rows: Vec<T> = Vec::new();
    for change in table.execute_and_collect::<T>("rows").unwrap() {
        let (kind, row) = change.unwrap();
        match kind {
            RowKind::Insert | RowKind::UpdateAfter => rows.push(row),
            RowKind::UpdateBefore | RowKind::Delete => {
                let at = rows.iter().position(|other| *other == row).unwrap();
                rows.remove(at);
            }
        }
    }
    rows.sort();
    rows
}

fn text(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn columns_are_computed_kept_and_renamed() {
    let (_, tables) = environment();
    let orders = orders(&tables);
    let names = |table: &Table| -> Vec<String> {
        table.schema().columns.iter().map(|column| column.name.clone()).collect()
    };
    let large = orders.filter(col("amount").is_greater(3)).unwrap();
    assert_eq!(
        rows::<(i32, String)>(&large.select([col("id"), col("product")]).unwrap()),
        [(2, "cake".to_owned()), (3, "tea".to_owned())]
    );
    let doubled = orders.add_columns([(col("amount") * 2).alias("doubled")]).unwrap();
    assert_eq!(names(&doubled), ["id", "product", "amount", "doubled"]);
    let renamed = doubled.rename_columns([col("doubled").alias("twice")]).unwrap();
    let fewer = renamed.drop_columns([col("product"), col("amount")]).unwrap();
    assert_eq!(names(&fewer), ["id", "twice"]);
    assert_eq!(rows::<(i32, i32)>(&fewer), [(1, 6), (2, 8), (3, 10), (4, 2)]);
    let products = orders.select([col("product")]).unwrap().distinct().unwrap();
    assert_eq!(rows::<String>(&products), ["cake", "milk", "tea"]);
    let everything = orders.select([col("*"), lit(7).alias("seven")]).unwrap();
    assert_eq!(names(&everything), ["id", "product", "amount", "seven"]);
}

#[test]
fn expressions_are_those_of_sql() {
    let (_, tables) = environment();
    let one = tables.from_values([row([lit(7), lit(2)])]).unwrap();
    let is = |expression: Expression, expected: &str| {
        let table = one.select([expression.cast("STRING")]);
        let table = table.unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(rows::<Option<String>>(&table), [Some(expected.to_owned())], "{expression}");
    };
    let (a, b) = (col("f0"), col("f1"));
    is(a.clone() + b.clone() * 3 - 1, "12");
    is((a.clone() + b.clone()) * 3, "27");
    is(a.clone() - (b.clone() - 1), "6");
    is(a.clone() / b.clone(), "3");
    is(a.clone() % b.clone(), "1");
    is(-a.clone(), "-7");
    is(lit(-3) - -2, "-1");
    is(lit(i32::MIN), "-2147483648");
    is(lit(i64::MIN), "-9223372036854775808");
    is(lit(1.5e300), "1.5E300");
    is(lit(f64::NEG_INFINITY), "-Infinity");
    is(lit(0.25_f32) + 1_i8, "1.25");
    is(lit("it's"), "it's");
    is(a.is_equal(7).and(b.is_less(2)), "FALSE");
    is(a.is_equal(7).or(b.is_less(2)), "TRUE");
    is(not(a.is_not_equal(7)), "TRUE");
    is(!and([a.is_less_or_equal(7), b.is_greater_or_equal(3), a.is_not_null()]), "TRUE");
    is(or([a.is_null(), b.is_null()]), "FALSE");
    is(and([] as [Expression; 0]), "TRUE");
    is(a.is_null().is_not_true(), "TRUE");
    is(a.between(7, 9).and(b.not_between(3, 9)), "TRUE");
    is(a.in_list([1, 7]), "TRUE");
    is(lit("tea").like("t%").and(lit("tea").similar("t(e|a)+")), "TRUE");
    is(if_then_else(a.is_greater(9), "large", "small").call("TRIM", [] as [Expression; 0]), "small");
    is(lit("Ab").upper_case().concat(lit("Ab").lower_case()), "ABab");
    is(lit("grape").substring(2, 3).replace("a", "o"), "rop");
    is(lit("x").char_length() + lit(-4).abs(), "5");
    is(lit(2.345).round(1), "2.3");
    is(null_of("INT").if_null(5), "5");
    is(array([1, 2, 3]).at(2) + array([1, 2]).cardinality(), "4");
    is(map([("a", 1), ("b", 2)]).at("b"), "2");
    is(row([lit(1), lit("x")]).cast("ROW<n INT, t STRING>").get("t"), "x");
    is(lit("x").try_cast("INT").is_null(), "TRUE");
    is(lit("2024-02-29").to_date().extract(TimeUnit::Day), "29");
    is(lit("2024-02-29 10:11:12").to_timestamp().floor_to(TimeUnit::Hour), "2024-02-29 10:00:00.000");
    is(lit("2024-02-29 10:11:12").to_timestamp() + lit(1_000).minutes(), "2024-03-01 02:51:12.000");
    is(lit("2024-02-29 10:11:12").to_timestamp() + lit(1_500).millis(), "2024-02-29 10:11:13.500");
    is(lit("2024-02-29").to_date() + a.months(), "2024-09-29");
    is(call("GREATEST", [a, b, lit(9)]), "9");
    // Wide and not deep.
    let long = (0..400).fold(lit(0), |sum, number| sum + number);
    is(long, "79800");
}

#[test]
fn groups_are_aggregated() {
    let (_, tables) = environment();
    let orders = orders(&tables);
    let sums = orders.group_by([col("product")]).select([
        col("product"),
        col("amount").sum().alias("total"),
        count_rows(),
    ]);
    let sums = sums.unwrap();
    let total = |product: &str, total, count| (product.to_owned(), total, count);
    let expected = [total("cake", 4, 1), total("milk", 1, 1), total("tea", 8, 2)];
    assert_eq!(rows::<(String, i32, i64)>(&sums), expected);
    let large = sums.filter(col("total").is_greater(3)).unwrap().select([col("product")]).unwrap();
    assert_eq!(rows::<String>(&large), ["cake", "tea"]);
    let all = orders
        .select([col("product").count().distinct(), col("amount").max(), col("product").list_agg("+")])
        .unwrap();
    assert_eq!(rows::<(i64, i32, String)>(&all), [(3, 5, "tea+cake+tea+milk".to_owned())]);
}

#[test]
fn tables_are_joined_and_put_together() {
    let (_, tables) = environment();
    let orders = orders(&tables);
    let price = |name: &str, price: i32| row([lit(name).cast("STRING"), lit(price)]);
    let prices = tables.from_values([price("tea", 2), price("cake", 5), price("beer", 9)]).unwrap();
    let prices = prices.alias(["name", "price"]).unwrap();
    let on = || col("product").is_equal(col("name"));
    let two = [col("product"), col("price")];
    let of = |joined: Result<Table>| {
        rows::<(Option<String>, Option<i32>)>(&joined.unwrap().select(two.clone()).unwrap())
    };
    let some = |product: &str, price| (Some(product.to_owned()), Some(price));
    let matching = vec![some("cake", 5), some("tea", 2), some("tea", 2)];
    assert_eq!(of(orders.join(&prices, on())), matching);
    let mut left = matching.clone();
    left.insert(1, (Some("milk".to_owned()), None));
    assert_eq!(of(orders.left_outer_join(&prices, on())), left);
    let mut right = matching;
    right.insert(0, (None, Some(9)));
    assert_eq!(of(orders.right_outer_join(&prices, on())), right);
    assert_eq!(of(orders.full_outer_join(&prices, on())).len(), 5);

    let (ordered, priced) = (orders.select([col("product")]).unwrap(), prices.select([col("name")]).unwrap());
    let names = |table: Result<Table>| rows::<String>(&table.unwrap());
    assert_eq!(names(ordered.union(&priced)), ["beer", "cake", "milk", "tea"]);
    assert_eq!(names(ordered.union_all(&priced)).len(), 7);
    assert_eq!(names(ordered.intersect(&priced)), ["cake", "tea"]);
    assert_eq!(names(ordered.intersect_all(&priced)), ["cake", "tea"]);
    assert_eq!(names(ordered.minus(&priced)), ["milk"]);
    assert_eq!(names(ordered.minus_all(&priced)), ["milk", "tea"]);
    assert_eq!(names(ordered.filter(col("product").in_table(&priced))), ["cake", "tea", "tea"]);
}

#[test]
fn table_functions_make_rows_of_rows() {
    let (_, tables) = environment();
    let words = |text: String| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    tables.create_temporary_system_function("words", table(words)).unwrap();
    let lines = tables.from_values([row([lit(1), lit("to be")]), row([lit(2), lit(" ")])]).unwrap();
    let words = || call("words", [col("f1")]).alias_all(["word"]);
    let of = |joined: Result<Table>| {
        rows::<(i32, Option<String>)>(&joined.unwrap().select([col("f0"), col("word")]).unwrap())
    };
    let word = |line, word: &str| (line, Some(word.to_owned()));
    assert_eq!(of(lines.join_lateral(words())), [word(1, "be"), word(1, "to")]);
    assert_eq!(of(lines.left_outer_join_lateral(words())), [word(1, "be"), word(1, "to"), (2, None)]);
    assert!(lines.join_lateral(col("f0")).unwrap_err().to_string().contains("no call"));
    assert!(lines.join_lateral(call("nothing", [col("f1")])).unwrap_err().to_string().contains("nothing"));
}

#[test]
fn rows_are_sorted_and_taken() {
    let (env, _) = environment();
    env.set("execution.runtime-mode", "BATCH");
    let tables = StreamTableEnvironment::new(&env).unwrap();
    let orders = orders(&tables);
    let products = |table: Result<Table>| -> Vec<(String, i32)> {
        let table = table.unwrap().select([col("product"), col("amount")]).unwrap();
        let changes = table.execute_and_collect::<(String, i32)>("taken").unwrap();
        changes.map(|change| change.unwrap().1).collect()
    };
    let sorted = orders.order_by([col("product").asc(), col("amount").desc()]).unwrap();
    let first = products(sorted.fetch(2));
    assert_eq!(first, [("cake".to_owned(), 4), ("milk".to_owned(), 1)]);
    let second = products(sorted.limit(1, 2));
    assert_eq!(second, [("milk".to_owned(), 1), ("tea".to_owned(), 5)]);
    // The sort was of the first two.
    assert_eq!(products(sorted.fetch(2).unwrap().limit(1, 5)), [("milk".to_owned(), 1)]);
    assert_eq!(products(orders.order_by([col("amount")]).unwrap().fetch(1)), [("milk".to_owned(), 1)]);
}

fn clicks(env: &StreamExecutionEnvironment, tables: &StreamTableEnvironment) -> Table {
    let second = |user: &str, second: i64| (user.to_owned(), second * 1_000);
    let clicks =
        env.from_collection([second("ann", 1), second("bob", 2), second("ann", 4), second("ann", 61)]);
    let clicks = clicks.assign_timestamps_and_watermarks(
        WatermarkStrategy::for_monotonous_timestamps()
            .with_timestamp_assigner(|click: &(String, i64), _| click.1),
    );
    let schema = Schema::new()
        .column_by_metadata("at", "TIMESTAMP_LTZ(3)", "rowtime")
        .watermark("at", "SOURCE_WATERMARK()");
    tables.from_data_stream_with(&clicks, &schema).unwrap().rename_columns([col("f0").alias("user")]).unwrap()
}

#[test]
fn windows_are_those_of_sql() {
    let (env, tables) = environment();
    let clicks = clicks(&env, &tables);
    let second = |expression: Expression| call("UNIX_TIMESTAMP", [expression.cast("STRING")]).cast("BIGINT");
    let counted = |windowed: flott::table::WindowedTable| {
        let fields = [second(col("w").start()), second(col("w").end()), col("user"), count_rows()];
        rows::<(i64, i64, String, i64)>(&windowed.group_by([col("w"), col("user")]).select(fields).unwrap())
    };
    let count = |start, end, user: &str, count| (start, end, user.to_owned(), count);
    env.set("table.local-time-zone", "UTC");
    let minutes = clicks.window(Tumble::over(lit(1).minutes()).on(col("at")).alias("w"));
    assert_eq!(counted(minutes), [count(0, 60, "ann", 2), count(0, 60, "bob", 1), count(60, 120, "ann", 1)]);
    let sessions = clicks.window(SessionWindow::with_gap(lit(10).seconds()).on(col("at")).alias("w"));
    assert_eq!(counted(sessions), [count(1, 14, "ann", 2), count(2, 12, "bob", 1), count(61, 71, "ann", 1)]);
    let slides = Slide::over(lit(2).minutes()).every(lit(1).minutes()).on(col("at")).alias("w");
    let slides = counted(clicks.window(slides));
    assert_eq!(
        slides.iter().filter(|(_, _, user, _)| user == "ann").map(|row| row.3).collect::<Vec<_>>(),
        [2, 3, 1]
    );
    let growing = Cumulate::over(lit(2).minutes()).every(lit(1).minutes()).on(col("at")).alias("w");
    assert_eq!(counted(clicks.window(growing)).last(), Some(&count(0, 120, "bob", 1)));
    // The time of a window is one of the next windows.
    let inner = clicks.window(Tumble::over(lit(2).seconds()).on(col("at")).alias("w"));
    let inner =
        inner.group_by([col("w")]).select([col("w").rowtime().alias("time"), count_rows().alias("n")]);
    let outer = inner.unwrap().window(Tumble::over(lit(1).minutes()).on(col("time")).alias("w"));
    let outer = outer.group_by([col("w")]).select([col("n").sum(), count_rows()]).unwrap();
    assert_eq!(rows::<(i64, i64)>(&outer), [(1, 1), (3, 3)]);
}

#[test]
fn windows_of_rows_are_those_of_sql() {
    let (env, tables) = environment();
    let clicks = clicks(&env, &tables);
    let of = |over: Over| {
        let counted = clicks.over_window([over.order_by(col("at")).alias("w")]);
        let counted = counted.select([col("user"), col("user").count().over("w")]).unwrap();
        rows::<(String, i64)>(&counted)
            .into_iter()
            .map(|(user, count)| format!("{user} {count}"))
            .collect::<Vec<_>>()
    };
    let by_user = || Over::partition_by([col("user")]);
    assert_eq!(of(by_user()), text(&["ann 1", "ann 2", "ann 3", "bob 1"]));
    assert_eq!(of(by_user().preceding_rows(1)), text(&["ann 1", "ann 2", "ann 2", "bob 1"]));
    assert_eq!(of(by_user().preceding_range(lit(10).seconds())), text(&["ann 1", "ann 1", "ann 2", "bob 1"]));
    assert_eq!(of(by_user().unbounded_rows()), of(by_user().unbounded_range()));
}

#[test]
fn tables_are_written_and_explained() {
    let (_, tables) = environment();
    let out = tempfile::tempdir().unwrap();
    tables
        .execute_sql(&format!(
            "CREATE TABLE sums (product STRING, total BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv')",
            out.path().display()
        ))
        .unwrap();
    let large = orders(&tables).filter(col("amount").is_greater(3)).unwrap();
    let large = large.select([col("product"), col("amount").cast("BIGINT")]).unwrap();
    large.execute_insert("sums").unwrap().execution_result().unwrap();
    assert_eq!(
        rows::<(String, i64)>(&tables.from_path("sums").unwrap()),
        [("cake".to_owned(), 4), ("tea".to_owned(), 5)]
    );
    assert!(large.explain().unwrap().contains("amount"));
}

#[test]
fn mistakes_are_told_where_they_are_made() {
    let (_, tables) = environment();
    let (_, others) = environment();
    let (orders, other) = (orders(&tables), orders(&others));
    let wrong = |table: Result<Table>, says: &str| {
        let error = table.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    wrong(orders.select([col("nothing")]), "'nothing'");
    wrong(orders.select([] as [Expression; 0]), "select: no expressions");
    wrong(orders.select([col("id").alias_all(["a", "b"])]), "has several names");
    wrong(orders.select([col("id").alias("a") + 1]), "the name a within an expression");
    wrong(orders.select([col("id").cast("NOTHING")]), "the type 'NOTHING'");
    wrong(orders.select([col("id").distinct()]), "DISTINCT of what is no aggregate");
    wrong(orders.filter(col("id").in_list([] as [i32; 0])), "an empty list");
    wrong(orders.filter(col("id").is_equal(1).alias("x")), "which nobody sees there");
    wrong(orders.filter(col("product")), "filter: in SELECT");
    wrong(orders.alias(["a", "b", "c", "d"]), "4 names and 3 columns");
    wrong(orders.add_columns([col("id")]), "'id' already");
    wrong(orders.rename_columns([col("x").alias("y")]), "renames no column");
    wrong(orders.drop_columns([col("x")]), "no column `x`");
    wrong(orders.add_or_replace_columns([col("id") + 1]), "has no name");
    wrong(orders.join(&orders, lit(true)), "both tables have a column 'id'");
    wrong(orders.union(&other), "another environment");
    wrong(orders.order_by([] as [Expression; 0]), "no keys");
    let window = |window| orders.window(window).group_by([col("w")]).select([count_rows()]);
    wrong(window(Tumble::over(lit(1).minutes()).alias("w")), "has no time");
    wrong(window(Slide::over(lit(1).minutes()).on(col("id")).alias("w")), "needs one step");
    wrong(window(Tumble::over(lit(1).minutes()).on(col("id")).alias("v")), "not among the keys");
}
