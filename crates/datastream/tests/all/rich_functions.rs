//! Simple functions with a life cycle.

use std::sync::Arc;

use flott_datastream::{
    Collector, Error, FilterFunction, FlatMapFunction, MapFunction, Result, RuntimeContext,
    StreamExecutionEnvironment,
};
use parking_lot::Mutex;

/// Tells what happens to it.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn tell(&self, what: impl Into<String>) {
        self.0.lock().push(what.into());
    }
}

impl MapFunction<i64> for Told {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        let greeting = context.configuration().get("greeting").cloned().unwrap_or_default();
        let (subtask, parallelism, name) =
            (context.subtask_index(), context.parallelism(), context.task_name());
        self.tell(format!("open {name} {subtask}/{parallelism} {greeting}"));
        Ok(())
    }

    fn map(&mut self, value: i64) -> Result<String> {
        self.tell(format!("map {value}"));
        if value == 13 { Err(Error::invalid("an unlucky number")) } else { Ok(value.to_string()) }
    }

    fn close(&mut self) {
        self.tell("close");
    }
}

#[test]
fn a_function_is_opened_before_its_first_record_and_closed_after_its_last() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(1).set_parameter("greeting", "hello");
    let told = Told::default();
    let values =
        env.from_sequence(1, 2).map_with(told.clone()).name("told").execute_and_collect("told").unwrap();
    assert_eq!(values.collect::<Result<Vec<_>>>().unwrap(), ["1", "2"]);
    assert_eq!(*told.0.lock(), ["open told 0/1 hello", "map 1", "map 2", "close"]);
}

#[test]
fn a_function_is_closed_when_it_fails_and_its_error_names_the_operator() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(1);
    let told = Told::default();
    env.from_sequence(13, 20).map_with(told.clone()).name("told").discard();
    let error = env.execute("told").unwrap_err().to_string();
    assert!(error.contains("told") && error.contains("an unlucky number"), "{error}");
    assert_eq!(told.0.lock().last().unwrap(), "close");
}

/// The words of a file.
#[derive(Clone, Default)]
struct Dictionary(Vec<String>);

impl Dictionary {
    fn read(&mut self, context: &RuntimeContext<'_>) -> Result<()> {
        let path = context.cached_file("dictionary")?;
        let text =
            std::fs::read_to_string(path).map_err(|error| Error::external("no file").with_source(error))?;
        self.0 = text.lines().map(String::from).collect();
        Ok(())
    }
}

impl FilterFunction<String> for Dictionary {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.read(context)
    }

    fn filter(&mut self, word: &String) -> Result<bool> {
        Ok(self.0.contains(word))
    }
}

impl FlatMapFunction<String> for Dictionary {
    type Out = usize;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.read(context)
    }

    fn flat_map(&mut self, word: String, out: &mut Collector<'_, usize>) -> Result<()> {
        self.0.iter().enumerate().filter(|(_, known)| **known == word).for_each(|(at, _)| out.collect(at));
        Ok(())
    }
}

#[test]
fn functions_find_files_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("words, all of them.txt"), folder.path().join("other"));
    std::fs::write(&path, "one\ntwo\none\n").unwrap();
    std::fs::write(&other, "").unwrap();
    let words = || ["one", "two", "three"].map(String::from);
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(1).register_cached_file(other.to_str().unwrap(), "other");
    env.register_cached_file(path.to_str().unwrap(), "dictionary");
    let found =
        env.from_collection(words()).filter_with(Dictionary::default()).flat_map_with(Dictionary::default());
    let found = found.execute_and_collect("files").unwrap();
    assert_eq!(found.collect::<Result<Vec<_>>>().unwrap(), [0, 2, 1]);

    let env = StreamExecutionEnvironment::new();
    env.register_cached_file(other.to_str().unwrap(), "other");
    env.from_collection(words()).filter_with(Dictionary::default()).discard();
    let error = env.execute("files").unwrap_err().to_string();
    assert!(error.contains("there is no cached file 'dictionary'; registered are: other"), "{error}");

    let env = StreamExecutionEnvironment::new();
    env.register_cached_file("/nowhere", "a,b");
    env.from_collection(words()).discard();
    let error = env.execute("files").unwrap_err().to_string();
    assert!(error.contains("cannot have the name 'a,b'"), "{error}");
}
