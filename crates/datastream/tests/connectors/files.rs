//! Files of formats, for values of a program's types.

use std::path::Path;
use std::time::Duration;

use flott_datastream::table::{Files, TableConnector};
use flott_datastream::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize, PartialEq, PartialOrd, Debug)]
struct Sale {
    product: String,
    amount: u32,
    price: Option<f64>,
    tags: Vec<String>,
    day: String,
}

fn sale(product: &str, amount: u32, day: &str) -> Sale {
    let price = (amount > 1).then(|| f64::from(amount) / 4.0);
    Sale { product: product.to_owned(), amount, price, tags: vec![day.to_owned()], day: day.to_owned() }
}

fn sales() -> Vec<Sale> {
    vec![sale("cake", u32::MAX, "monday"), sale("milk", 1, "tuesday"), sale("tea", 2, "monday")]
}

fn environment() -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    env
}

fn write(files: &Files<Sale>) {
    let env = environment();
    env.from_collection(sales()).sink_to(files.sink().unwrap()).uid("files");
    env.execute("write").unwrap();
}

fn read(files: &Files<Sale>) -> Vec<Sale> {
    let env = environment();
    let stream = env.from_source(files.source().unwrap(), WatermarkStrategy::no_watermarks(), "files");
    let mut read = stream.execute_and_collect("read").unwrap().collect::<Result<Vec<_>>>().unwrap();
    read.sort_by(|a, b| a.product.cmp(&b.product));
    read
}

#[test]
fn what_is_written_in_a_format_is_read_again() {
    for format in ["json", "csv", "parquet"] {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::<Sale>::new(format, folder.path().to_str().unwrap());
        if format == "csv" {
            // Without it an empty field is an empty text, as in Flink.
            files = files.format_option("null-literal", "NULL");
        }
        write(&files);
        assert_eq!(read(&files), sales(), "{format}");
    }
}

fn directories(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn fields_can_be_in_the_names_of_directories() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::<Sale>::json(folder.path().to_str().unwrap());
    let files = files.partitioned_by(["day"]).success_file("_DONE");
    write(&files);
    assert_eq!(directories(folder.path()), ["day=monday", "day=tuesday"]);
    assert!(folder.path().join("day=monday/_DONE").is_file());
    assert_eq!(read(&files), sales());

    let error = files.partitioned_by(["week"]).sink().err().unwrap();
    assert!(error.to_string().contains("'week' is no field of"), "{error}");
}

#[test]
fn options_of_formats_are_followed_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.csv"), "tea;3\nnonsense\n").unwrap();
    let path = folder.path().to_str().unwrap();
    let files = Files::<(String, Option<i32>)>::csv(path).format_option("field-delimiter", ";");
    let files = files.format_option("ignore-parse-errors", true);
    let env = environment();
    let read = env.from_source(files.source().unwrap(), WatermarkStrategy::no_watermarks(), "files");
    let read = read.execute_and_collect("read").unwrap().collect::<Result<Vec<_>>>().unwrap();
    assert_eq!(read, [("tea".to_owned(), Some(3)), ("nonsense".to_owned(), None)]);

    let error = files.format_option("field-delimeter", ",").source().err().unwrap();
    assert!(error.to_string().contains("field-delimiter"), "{error}");
    let error = Files::<(String, i32)>::new("jsn", path).source().err().unwrap();
    assert!(error.to_string().contains("did you mean 'json'?"), "{error}");
    let error = TableConnector::<(i32,)>::new("filesistem").source().err().unwrap();
    assert!(error.to_string().contains("did you mean 'filesystem'?"), "{error}");
}

#[test]
fn a_null_that_no_field_can_hold_fails_the_job() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), "{\"f0\": 1}\n{\"f0\": null}\n").unwrap();
    let env = environment();
    env.set_restart_strategy(RestartStrategy::None);
    let files = Files::<i64>::json(folder.path().to_str().unwrap());
    env.from_source(files.source().unwrap(), WatermarkStrategy::no_watermarks(), "files").discard();
    let error = env.execute("nulls").unwrap_err();
    assert!(error.to_string().contains("a row cannot be read as i64"), "{error}");
}

/// Files that come later are found, and each is read once, over a restart from a savepoint too.
#[test]
fn a_folder_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = tempfile::tempdir().unwrap();
    let put = |name: &str, number: i64| {
        // A file must be complete when it appears.
        let hidden = folder.path().join(format!(".{name}"));
        std::fs::write(&hidden, format!("{number}\n")).unwrap();
        std::fs::rename(hidden, folder.path().join(name)).unwrap();
    };
    let files =
        Files::<i64>::csv(folder.path().to_str().unwrap()).monitor_continuously(Duration::from_millis(5));
    let start = |savepoint: Option<&str>| {
        let env = environment();
        if let Some(path) = savepoint {
            env.set("execution.state-recovery.path", path);
        }
        let numbers = env.from_source(files.source().unwrap(), WatermarkStrategy::no_watermarks(), "files");
        numbers.uid("files").execute_and_collect("watch").unwrap()
    };
    put("a", 1);
    let mut first = start(None);
    assert_eq!(first.next().unwrap().unwrap(), 1);
    put("b", 2);
    assert_eq!(first.next().unwrap().unwrap(), 2);
    let target = snapshots.path().to_str().unwrap();
    // Values may come before the last of the tasks has said that it runs.
    let mut savepoint = None;
    let stop = || first.job().stop_with_savepoint(Some(target), false);
    let early = |error: &Error| error.to_string() == "the job is not running";
    while savepoint.insert(stop()).as_ref().is_err_and(early) {
        std::thread::yield_now();
    }
    let savepoint = savepoint.unwrap().unwrap();
    drop(first);
    put("c", 3);
    let mut second = start(Some(&savepoint));
    assert_eq!(second.next().unwrap().unwrap(), 3);
}
