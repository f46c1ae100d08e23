//! The programs as they are started by hand, with a socket server for their input.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

mod clicks;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use clicks::{PAGES, clicks, pages};

/// Runs a program that reads these lines from a socket; what it prints, sorted.
fn run(program: &str, lines: &str) -> Vec<String> {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let mut command = Command::new(program);
    command.args(["--port", &port]);
    let Output { status, stdout, stderr } = std::thread::scope(|scope| {
        scope.spawn(move || {
            let (mut client, _) = server.accept().unwrap();
            client.write_all(lines.as_bytes()).unwrap();
        });
        command.output().unwrap()
    });
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let printed = String::from_utf8(stdout).unwrap();
    // Where there are several subtasks, each line begins with the number of one.
    let mut printed: Vec<String> = printed
        .lines()
        .map(|line| line.split_once("> ").map_or(line, |(_, value)| value).to_owned())
        .collect();
    printed.sort();
    printed
}

#[test]
fn word_count_counts_words() {
    let printed = run(env!("CARGO_BIN_EXE_word_count"), "to be or not\nto be\n");
    let expected =
        [r#"("be", 1)"#, r#"("be", 2)"#, r#"("not", 1)"#, r#"("or", 1)"#, r#"("to", 1)"#, r#"("to", 2)"#];
    assert_eq!(printed, expected);
}

#[test]
fn fraud_detection_raises_an_alert() {
    let printed = run(env!("CARGO_BIN_EXE_fraud_detection"), "1,0.5\n2,600\n1,600.00\n");
    assert_eq!(printed, ["account 1: 600.00 after a small amount"]);
}

#[test]
fn the_auction_is_streams_and_tables_in_one_job() {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_auction")).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let printed = String::from_utf8(stdout).unwrap();
    let value = |line: &str| line.rsplit_once("> ").map_or(line, |(_, value)| value).to_owned();
    let mut printed: Vec<String> = printed.lines().map(value).collect();
    printed.sort_unstable();
    let expected = [
        "+I[eve, 1]",
        "chair has risen from 0 to 20",
        "chair has risen from 20 to 25",
        "lamp has risen from 0 to 7",
    ];
    assert_eq!(printed, expected);
}

#[test]
fn sql_functions_are_called() {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_sql_functions")).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let printed = String::from_utf8(stdout).unwrap();
    let mut printed: Vec<&str> = printed.lines().collect();
    printed.sort_unstable();
    let expected =
        ["product> +I[chair, 4.0]", "product> +I[lamp, 3.0]", "tag> +I[home, 3.0]", "tag> +I[light, 5.0]"];
    assert_eq!(printed, expected);
}

#[test]
fn guessed_passwords_tells_who_got_in() {
    let lines = "ann,wrong\nbob,wrong\nann,wrong\nann,wrong\nbob,right\nann,wrong\nann,right\n";
    let printed = run(env!("CARGO_BIN_EXE_guessed_passwords"), lines);
    assert_eq!(printed, ["ann after 4 wrong passwords"]);
}

/// The server runs as it is, and the windows of its sales, whatever their number, amount to all sales that it
/// has sent.
#[test]
fn sales_are_in_a_file() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("sales_server.py");
    let mut server = Command::new("python3")
        .arg(script)
        .args(["--port", "0", "--sales", "40", "--pause", "0.01", "--linger", "600"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let port = first.trim().rsplit(' ').next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path();
    let job = Command::new(env!("CARGO_BIN_EXE_sales"))
        .args(["--windows", "tumbling", "--output", output.to_str().unwrap(), "--port", port])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // They come with the windows and the checkpoints, all while the job runs.
    let all = (0..1_200).any(|_| {
        std::thread::park_timeout(Duration::from_millis(100));
        totals(output).values().map(|(_, sales)| sales).sum::<i64>() == 40
    });
    server.kill().unwrap();
    server.wait().unwrap();
    let job = job.wait_with_output().unwrap();
    assert!(all && job.status.success(), "{:?} {}", totals(output), String::from_utf8_lossy(&job.stderr));

    let totals = totals(output);
    assert_eq!(totals.keys().collect::<Vec<_>>(), ["August", "July", "June"]);
    assert_eq!(totals.values().map(|(_, sales)| sales).sum::<i64>(), 40);
    assert!(totals.values().all(|(profit, sales)| (5 * sales..=80 * sales).contains(profit)));
}

/// Profit and number of sales of each month, over all files that are visible.
fn totals(folder: &Path) -> BTreeMap<String, (i64, i64)> {
    let mut totals = BTreeMap::new();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let visible = files.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
    let texts: Vec<String> = visible.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for line in texts.iter().flat_map(|text| text.lines()) {
        let fields: Vec<&str> = line.trim_matches(['(', ')']).split(',').collect();
        let number = |at: usize| fields[at].parse::<i64>().unwrap();
        let (profit, sales) = totals.entry(fields[0].to_owned()).or_insert((0, 0));
        *profit += number(3);
        *sales += number(4);
    }
    totals
}

/// `config.yaml` counts, also for a program that says nothing of it.
#[test]
fn a_program_reads_the_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.yaml"), "execution.checkpointing.intervall: 1 s\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_word_count"));
    let output = command.env("FLOTT_CONF_DIR", folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && told.contains("did you mean 'execution.checkpointing.interval'?"),
        "{told}"
    );
}

#[test]
fn the_exercises_of_the_taxi_run() {
    let lines = |program: &str| {
        let output = Command::new(program).args(["--rides", "90", "--parallelism", "2"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    // Of ten rides one starts far out; those that end there are among them or others.
    let cleansed = lines(env!("CARGO_BIN_EXE_ride_cleansing"));
    assert!((1..180).contains(&cleansed), "{cleansed}");
    assert_eq!(lines(env!("CARGO_BIN_EXE_rides_and_fares")), 90);
    assert_eq!(lines(env!("CARGO_BIN_EXE_hourly_tips")), 1);
    let long = (0..90).filter(|ride| ride * 37 % 180 + 1 > 120).count();
    assert_eq!(lines(env!("CARGO_BIN_EXE_long_rides")), long);
}

/// Killed in the middle and continued with another parallelism: every page has its clicks, once.
#[test]
fn click_counts_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (output, checkpoints) = (folder.path().join("out"), folder.path().join("checkpoints"));
    let start = |parallelism: &str, clicks: &str| {
        Command::new(env!("CARGO_BIN_EXE_click_count"))
            .args(["--output", output.to_str().unwrap(), "--rate", "100000", "--restore", "latest"])
            .args(["--parallelism", parallelism, "--clicks", clicks])
            .args(["-D", "execution.checkpointing.interval=50 ms", "-D"])
            .arg(format!("execution.checkpointing.dir={}", checkpoints.display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut first = start("2", "0");
    let seen = (0..1_200).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        clicks(&output).len() >= 12
    });
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(seen, "no results came");

    let before = clicks(&output).len();
    let mut second = start("1", "0");
    let more = (0..1_200).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        clicks(&output).len() >= before + 12
    });
    second.kill().unwrap();
    let told = second.wait_with_output().unwrap().stderr;
    assert!(more, "{}", String::from_utf8_lossy(&told));

    let mut pages = pages(&output);
    // The last window may not be complete, because not all subtasks have written it.
    pages.pop_last();
    assert!(pages.values().all(|pages| *pages == PAGES), "{pages:?}");
    let windows: Vec<i64> = pages.into_keys().collect();
    assert!(windows.windows(2).all(|pair| pair[1] - pair[0] == 15_000), "{windows:?}");
}
