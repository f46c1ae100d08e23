"""How a process of Flink is started: what its own shell scripts put on the command line."""
import subprocess

# The modules that Flink's own configuration opens (`env.java.opts.all`).
EXPORTS = ["java.rmi/sun.rmi.registry", "java.security.jgss/sun.security.krb5",
           *(f"jdk.compiler/com.sun.tools.javac.{name}" for name in ("api", "file", "parser", "tree", "util"))]
OPENS = ["java.base/sun.nio.ch",
         *(f"java.base/java.{name}" for name in ("lang", "lang.reflect", "net", "io", "nio", "text", "time", "util", "util.concurrent",
                                                 "util.concurrent.atomic", "util.concurrent.locks"))]
MODULES = ["-Djava.net.preferIPv4Stack=true", *(f"--add-exports={name}=ALL-UNNAMED" for name in EXPORTS),
           *(f"--add-opens={name}=ALL-UNNAMED" for name in OPENS)]


def command(home, conf, log, main, *arguments, options=()):
    """-> the command line of `main`"""
    logging = [f"-Dlog.file={log}", f"-Dlog4j.configurationFile=file:{conf}/log4j.properties"]
    return ["java", *options, *MODULES, *logging, "-cp", home.classpath(), main, *arguments]


def memory_options(home, conf, which):
    """What Flink's scripts ask for before they start a process. `which` is JM or TM. -> (options of the JVM, arguments of the program)"""
    asked = subprocess.run(
        ["java", "-cp", f"{home.scripts_jar}:{home.dist_jar()}", "org.apache.flink.runtime.util.bash.BashJavaUtils",
         f"GET_{which}_RESOURCE_PARAMS", "--configDir", str(conf)],
        capture_output=True, text=True, check=True)
    marker = "BASH_JAVA_UTILS_EXEC_RESULT:"
    told = [line.removeprefix(marker).split() for line in asked.stdout.splitlines() if line.startswith(marker)]
    return told[0], told[1]
