"""Brings what a real Flink needs: Java 17 (or 21 where that is all there is) from the system's packages, Flink's jars from PyPI, our own classes from javac.

All of it is kept in the user's cache folder and checked by name, so that a second call costs nothing. Our classes are compiled again whenever a source changes.
"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

VERSION = "2.3.0"
SOURCES = pathlib.Path(__file__).resolve().parent / "src"
# What Flink 2.3 runs on.
JAVA_VERSIONS = (17, 21)


class Home:
    """Where an installed Flink is."""

    def __init__(self, root):
        self.root = root
        self.jars = root / "lib"
        self.scripts_jar = root / "bin" / "bash-java-utils.jar"
        self.added = []

    def add(self, jar):
        """A connector that Flink does not come with."""
        self.added.append(jar)

    def classpath(self):
        """Flink's jars and ours."""
        return ":".join(str(jar) for jar in [*sorted(self.jars.glob("*.jar")), own_jar(self.root), *self.added])

    def dist_jar(self):
        return next(self.jars.glob("flink-dist-*.jar"))


def ensure():
    """Installs what is missing. -> Home"""
    ensure_java()
    home = Home(cache() / f"flink-{VERSION}")
    if not home.root.exists():
        download(home.root)
    compile_own(home)
    return home


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "flott"


def say(text):
    print(text, file=sys.stderr, flush=True)


# Java

def java_version(command):
    """The major version that `java` or `javac` tells. -> number, or None where there is none"""
    if not shutil.which(command):
        return None
    told = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)[.\d]*", told.stdout + told.stderr)
    return int(found.group(1)) if found else None


def java_is_there():
    return all(java_version(command) in JAVA_VERSIONS for command in ("java", "javac"))


def ensure_java():
    if java_is_there():
        return
    apt_install([f"openjdk-{version}-jdk-headless" for version in JAVA_VERSIONS], "Java 17 (java and javac)")
    if not java_is_there():
        sys.exit(f"Flink {VERSION} needs Java {' or '.join(map(str, JAVA_VERSIONS))}, but java and javac on the path are of another version")


def apt_install(packages, what):
    """Installs the first of the packages that the system has."""
    if not shutil.which("apt-get"):
        sys.exit(f"Flink needs {what}; install it and try again")
    if os.geteuid() != 0:
        sys.exit(f"Flink needs {what}; install it: sudo apt-get install {packages[0]}")
    apt("update")
    known = [package for package in packages if apt_knows(package)]
    if not known:
        sys.exit(f"Flink needs {what}, but apt has none of {', '.join(packages)}")
    say(f"installing {known[0]}")
    apt("install", "-y", "--no-install-recommends", known[0])


def apt(*arguments):
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", *arguments], env=quiet, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def apt_knows(package):
    return subprocess.run(["apt-cache", "show", package], capture_output=True, check=False).returncode == 0


# Flink

def download(root):
    """Takes the jars out of PyPI's wheel. The folder appears when it is complete."""
    say(f"downloading Flink {VERSION} from PyPI (330 MB)")
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        pip_download(scratch)
        wheel = next(pathlib.Path(scratch).glob("*.whl"))
        half = pathlib.Path(scratch) / "flink"
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                folder, _, file = name.removeprefix("pyflink/").rpartition("/")
                if folder in ("lib", "bin") and file.endswith(".jar"):
                    (half / folder).mkdir(parents=True, exist_ok=True)
                    with archive.open(name) as source, open(half / folder / file, "wb") as target:
                        shutil.copyfileobj(source, target)
        half.rename(root)


def maven(group, artifact, version):
    """A jar of Maven Central, fetched once. -> its path"""
    jar = cache() / f"{artifact}-{version}.jar"
    if not jar.exists():
        jar.parent.mkdir(parents=True, exist_ok=True)
        url = f"https://repo.maven.apache.org/maven2/{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"
        say(f"downloading {url}")
        half = jar.with_suffix(".half")
        with urllib.request.urlopen(url, timeout=300) as source, open(half, "wb") as target:
            shutil.copyfileobj(source, target)
        half.rename(jar)
    return jar


def pip_download(folder):
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode != 0:
        apt_install(["python3-pip"], "pip")
    subprocess.run([*pip, "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", folder,
                    f"apache-flink-libraries=={VERSION}"], check=True)


# Our own classes

def own_sources():
    return sorted(path for path in SOURCES.rglob("*") if path.is_file())


def own_jar(root):
    """Named after what it is compiled from."""
    digest = hashlib.sha256()
    for path in own_sources():
        digest.update(str(path.relative_to(SOURCES)).encode() + b"\0" + path.read_bytes())
    return root.parent / f"flink-sources-{digest.hexdigest()[:16]}.jar"


def compile_own(home):
    jar = own_jar(home.root)
    if jar.exists():
        return
    say("compiling the Java classes")
    with tempfile.TemporaryDirectory(dir=jar.parent) as scratch:
        classes = pathlib.Path(scratch) / "classes"
        flink = ":".join(map(str, home.jars.glob("*.jar")))
        java = [str(path) for path in own_sources() if path.suffix == ".java"]
        subprocess.run(["javac", "-nowarn", "--release", "17", "-cp", flink, "-d", str(classes), *java], check=True)
        half = pathlib.Path(scratch) / "half.jar"
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(classes.rglob("*.class")):
                archive.write(path, path.relative_to(classes))
            for path in own_sources():
                if path.suffix != ".java":
                    archive.write(path, path.relative_to(SOURCES))
        half.rename(jar)
    for old in jar.parent.glob("flink-sources-*.jar"):
        if old != jar:
            old.unlink()
