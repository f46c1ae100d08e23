//! Programs on a session cluster: `flott run PROGRAM`.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

mod clicks;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use clicks::{PAGES, clicks, pages};

/// Windows of the whole input, and how many clicks that is.
const WINDOWS: usize = 60;
const CLICKS: usize = WINDOWS * 6_000;
const PROGRAM: &str = env!("CARGO_BIN_EXE_click_count");

/// The binary `flott`, which is built where those of the examples are.
fn flott() -> PathBuf {
    let path = Path::new(PROGRAM).with_file_name("flott");
    if !path.exists() {
        let built = Command::new(env!("CARGO")).args(["build", "-p", "flott-cli"]).status().unwrap();
        assert!(built.success());
    }
    path
}

/// A JobManager and two TaskManagers with a slot each.
struct Cluster<'a> {
    folder: &'a Path,
    rest: String,
    job_manager: Child,
    task_managers: Vec<Child>,
}

impl<'a> Cluster<'a> {
    fn start(folder: &'a Path) -> Self {
        let (job_manager, told) = start(
            folder,
            &["jobmanager", "-Djobmanager.rpc.port=0", "-Drest.port=0"],
            &["JobManager: ", "REST: "],
        );
        let port = format!("-Djobmanager.rpc.port={}", told[0].rsplit_once(':').unwrap().1);
        let one = |_| start(folder, &["taskmanager", &port], &["TaskManager: "]).0;
        let cluster =
            Cluster { folder, rest: told[1].clone(), job_manager, task_managers: (0..2).map(one).collect() };
        until("slots are there", || cluster.slots() == (2, 2));
        cluster
    }

    fn flott(&self, args: &[&str]) -> Output {
        let mut command = Command::new(flott());
        command.current_dir(self.folder).arg(args[0]).args(["-m", &self.rest]).args(&args[1..]);
        command.stdin(Stdio::null()).output().unwrap()
    }

    /// Runs the program that counts clicks.
    fn count(&self, options: &[&str], rate: &str) -> Output {
        let checkpoints =
            format!("execution.checkpointing.dir={}", self.folder.join("checkpoints").display());
        let (output, clicks) = (self.folder.join("out"), CLICKS.to_string());
        let own = ["--output", output.to_str().unwrap(), "--clicks", &clicks, "--rate", rate];
        let all =
            [&["run", "-D", "parallelism.default=2", "-D", &checkpoints], options, &[PROGRAM], &own].concat();
        self.flott(&all)
    }

    fn get(&self, path: &str) -> serde_json::Value {
        self.ask("GET", path, "", &[])
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> serde_json::Value {
        use std::io::{Read, Write};
        let address = self.rest.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// All of them, and the free ones.
    fn slots(&self) -> (u64, u64) {
        let told = self.get("/overview");
        (told["slots-total"].as_u64().unwrap(), told["slots-available"].as_u64().unwrap())
    }

    fn status(&self, job: &str) -> String {
        self.get(&format!("/jobs/{job}/status"))["status"].as_str().unwrap_or_default().to_owned()
    }

    fn workers(&self) -> Vec<u32> {
        self.task_managers.iter().flat_map(|of| children(of.id())).collect()
    }

    /// Nothing is left of any program.
    fn is_idle(&self) -> bool {
        self.slots() == (2, 2) && self.workers().is_empty() && children(self.job_manager.id()).is_empty()
    }
}

impl Drop for Cluster<'_> {
    fn drop(&mut self) {
        for child in self.task_managers.iter_mut().chain([&mut self.job_manager]) {
            // It may have ended.
            _ = child.kill();
            _ = child.wait();
        }
    }
}

/// Starts a process of the cluster, and waits for the lines that begin so. Returns what follows.
fn start(folder: &Path, args: &[&str], says: &[&str]) -> (Child, Vec<String>) {
    let mut command = Command::new(flott());
    command.args(args).current_dir(folder).env_remove("FLOTT_CONF_DIR").env_remove("FLOTT_LOG");
    // Where executables are kept: whoever is killed leaves them.
    command.env("TMPDIR", folder);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let find = |say: &&str| {
        let mut lines = lines.by_ref().map(Result::unwrap);
        lines.find_map(|line| Some(line.split_once(*say)?.1.trim().to_owned())).unwrap()
    };
    let found = says.iter().map(find).collect();
    // Somebody has to read it.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| println!("{line}")));
    (child, found)
}

fn children(of: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{of}/task")).unwrap();
    let read = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("children")).ok()
    };
    let text: String = tasks.filter_map(read).collect();
    text.split_whitespace().map(|number| number.parse().unwrap()).collect()
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-KILL", &process.to_string()]).status().unwrap().success());
}

fn until(what: &str, mut happens: impl FnMut() -> bool) {
    let seen = (0..2_400).any(|_| {
        std::thread::park_timeout(Duration::from_millis(50));
        happens()
    });
    assert!(seen, "{what}: not within two minutes");
}

/// The job that a command has run.
fn job_of(run: &Output) -> String {
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(told.contains("JobID "), "{told}");
    told.split_once("JobID ").unwrap().1.lines().next().unwrap().to_owned()
}

/// Each page has been counted in each window, once.
fn check(folder: &Path) {
    let pages = pages(&folder.join("out"));
    assert_eq!(pages.len(), WINDOWS);
    for (window, pages) in &pages {
        assert_eq!(*pages, PAGES, "{window}");
    }
}

#[test]
fn a_program_runs_beside_the_task_managers_and_survives_the_loss_of_a_worker() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path());
    let run = cluster.count(&["-d"], "60000");
    let job = job_of(&run);
    until("both workers run", || cluster.workers().len() == 2 && cluster.status(&job) == "RUNNING");
    assert_eq!(cluster.slots(), (2, 0));
    let listed = cluster.flott(&["list"]);
    assert!(
        String::from_utf8_lossy(&listed.stdout).contains(&format!("{job} : Click Event Count (RUNNING)"))
    );
    until("results come", || clicks(&folder.path().join("out")).len() >= 12);
    kill(cluster.workers()[0]);
    until("the job ends", || cluster.status(&job) == "FINISHED");
    until("everything is given back", || cluster.is_idle());
    check(folder.path());
    // A task that has ended gets no older.
    let vertex = cluster.get(&format!("/jobs/{job}"))["vertices"][1]["id"].as_str().unwrap().to_owned();
    let durations = || {
        let told = cluster.get(&format!("/jobs/{job}/vertices/{vertex}/subtasktimes"));
        told["subtasks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["duration"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let before = durations();
    std::thread::park_timeout(Duration::from_millis(20));
    assert!(before == durations() && before.iter().all(|millis| *millis > 0), "{before:?}");
    // What is known of it, is known after its processes are gone.
    let exceptions = cluster.get(&format!("/jobs/{job}/exceptions"));
    assert_eq!(exceptions["exceptionHistory"]["entries"].as_array().unwrap().len(), 1, "{exceptions}");
    let told = cluster.get(&format!("/jobs/{job}"));
    assert_eq!(
        (told["state"].as_str(), told["vertices"].as_array().map(Vec::len)),
        (Some("FINISHED"), Some(2))
    );
}

#[test]
fn a_program_is_stopped_with_a_savepoint_and_goes_on_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path());
    let job = job_of(&cluster.count(&["-d"], "60000"));
    until("results come", || clicks(&folder.path().join("out")).len() >= 12);
    let savepoints = folder.path().join("savepoints");
    let stopped = cluster.flott(&["stop", "-p", savepoints.to_str().unwrap(), &job]);
    let told = String::from_utf8_lossy(&stopped.stdout);
    let path = told.split_once("Path: ").unwrap_or_else(|| panic!("{stopped:?}")).1.trim().to_owned();
    until("everything is given back", || cluster.is_idle());
    assert_eq!(cluster.status(&job), "FINISHED");
    // This time the command waits.
    let run = cluster.count(&["-s", &path], "1000000");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && told.contains("has finished"), "{told}");
    check(folder.path());
    until("everything is given back", || cluster.is_idle());
}

#[test]
fn a_program_is_cancelled_and_one_that_does_not_run_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path());
    let job = job_of(&cluster.count(&["-d"], "1000"));
    until("it runs", || cluster.status(&job) == "RUNNING");
    assert!(cluster.flott(&["cancel", &job]).status.success());
    until("it is cancelled", || cluster.status(&job) == "CANCELED");
    until("everything is given back", || cluster.is_idle());

    let wrong = cluster.flott(&["run", PROGRAM, "--no-such-option"]);
    let told = String::from_utf8_lossy(&wrong.stderr);
    assert!(!wrong.status.success() && told.contains("there is no option --no-such-option"), "{told}");
    let refused = cluster.flott(&["run", "-D", "jobmanager.scheduler=Adaptive", PROGRAM]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("'jobmanager.scheduler'"), "{refused:?}");
    // More slots than there are: it waits, and can be cancelled.
    let waits = cluster.count(&["-d", "-D", "parallelism.default=3"], "1000");
    let job = job_of(&waits);
    until("it waits", || cluster.status(&job) == "CREATED" && cluster.slots() == (2, 2));
    assert!(cluster.flott(&["cancel", &job]).status.success());
    until("it is cancelled", || cluster.status(&job) == "CANCELED");
    until("everything is given back", || cluster.is_idle());
}

#[test]
fn a_program_is_uploaded_and_run_over_rest() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(folder.path());
    assert_eq!(cluster.get("/config")["features"]["web-submit"], true);
    let head = "--xyz\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"click_count\"\r\n\
                Content-Type: application/octet-stream\r\n\r\n";
    let body = [head.as_bytes(), &std::fs::read(PROGRAM).unwrap(), b"\r\n--xyz--\r\n"].concat();
    let uploaded = cluster.ask("POST", "/jars/upload", "multipart/form-data; boundary=xyz", &body);
    assert_eq!(uploaded["status"], "success", "{uploaded}");
    let listed = cluster.get("/jars");
    let [file] = listed["files"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!((&file["id"], file["name"].as_str()), (&uploaded["filename"], Some("click_count")));
    let id = file["id"].as_str().unwrap();
    let json = "application/json";
    let run = serde_json::json!({
        "programArgsList": ["--output", folder.path().join("out"), "--rate", "1000"],
        "parallelism": 2,
        "flinkConfiguration": {"execution.checkpointing.dir": folder.path().join("checkpoints")},
    });
    let ran = cluster.ask("POST", &format!("/jars/{id}/run"), json, run.to_string().as_bytes());
    let job = ran["jobid"].as_str().unwrap_or_else(|| panic!("{ran}")).to_owned();
    // It goes on without the artifact.
    assert_eq!(cluster.ask("DELETE", &format!("/jars/{id}"), json, &[]), serde_json::json!({}));
    until("both workers run", || cluster.workers().len() == 2 && cluster.status(&job) == "RUNNING");
    cluster.ask("PATCH", &format!("/jobs/{job}"), json, &[]);
    until("it is cancelled", || cluster.status(&job) == "CANCELED");
    until("everything is given back", || cluster.is_idle());
    for (path, body) in [(format!("/jars/{id}/run"), "{}"), ("/jars/..%2Fx/run".to_owned(), "{}")] {
        let refused = cluster.ask("POST", &path, json, body.as_bytes());
        assert!(refused["errors"][0].as_str().unwrap().contains("does not exist"), "{refused}");
    }
    let none = cluster.ask("POST", "/jars/upload", "multipart/form-data; boundary=xyz", b"--xyz--\r\n");
    assert!(none["errors"][0].as_str().unwrap().contains("Exactly 1 file"), "{none}");
    assert_eq!(cluster.get("/jars")["files"], serde_json::json!([]));
}

#[test]
fn nothing_of_a_program_outlives_its_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(folder.path());
    let job = job_of(&cluster.count(&["-d"], "1000"));
    until("both workers run", || cluster.workers().len() == 2 && cluster.status(&job) == "RUNNING");
    // The program's own JobManager dies: its job has failed, and the cluster goes on.
    let [program] = children(cluster.job_manager.id())[..] else { panic!("one program runs") };
    kill(program);
    until("the job has failed", || cluster.status(&job) == "FAILED");
    until("everything is given back", || cluster.is_idle());
    let exceptions = cluster.get(&format!("/jobs/{job}/exceptions")).to_string();
    assert!(exceptions.contains("was ended by signal 9"), "{exceptions}");

    let job = job_of(&cluster.count(&["-d"], "1000"));
    until("both workers run", || cluster.workers().len() == 2 && cluster.status(&job) == "RUNNING");
    let processes = [cluster.workers(), children(cluster.job_manager.id())].concat();
    assert_eq!(processes.len(), 3);
    cluster.job_manager.kill().unwrap();
    let runs = |process: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    };
    until("all processes are gone", || !processes.iter().any(runs));
}

/// What a session has started, and what is left alone, must not run the job as a program of its own.
#[test]
fn a_program_whose_cluster_is_gone_does_not_run() {
    use std::os::unix::process::CommandExt;
    let folder = tempfile::tempdir().unwrap();
    let mut orphan = Command::new(PROGRAM);
    orphan.current_dir(folder.path()).env("FLOTT_SESSION", "1").process_group(0);
    let run = orphan.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(
        !run.status.success() && said.contains("the cluster that has started this program is gone"),
        "{said}"
    );
}
