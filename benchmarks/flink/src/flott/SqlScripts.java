package flott;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.ResultKind;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs SQL scripts from standard input, each in its own session, statement by statement, and waits for every job to end.
 *
 * <p>A request is a line with the number of characters of the script, then the script. Answers are lines: {@code job ID} for an INSERT, {@code row TEXT} for a row of a
 * SELECT, and at the end {@code done}, or {@code failed REASON}.
 */
public final class SqlScripts {
    private static final Pattern SET = Pattern.compile("(?is)SET\\s+'([^']+)'\\s*=\\s*'(.*)'");

    private final PrintStream out;

    private SqlScripts(PrintStream out) {
        this.out = out;
    }

    /** Serves requests until standard input ends. */
    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        SqlScripts scripts = new SqlScripts(new PrintStream(System.out, false, StandardCharsets.UTF_8));
        // What Flink itself may print must not come between the answers.
        System.setOut(System.err);
        for (String length = in.readLine(); length != null; length = in.readLine()) {
            scripts.answer(read(in, Integer.parseInt(length)));
        }
        System.exit(0);
    }

    private static String read(BufferedReader in, int length) throws IOException {
        char[] script = new char[length];
        int filled = 0;
        while (filled < length) {
            int count = in.read(script, filled, length - filled);
            if (count < 0) {
                throw new IOException("the script ends too early");
            }
            filled += count;
        }
        return new String(script);
    }

    private void answer(String script) {
        try {
            run(script);
            out.println("done");
        } catch (Exception failure) {
            StringBuilder reasons = new StringBuilder();
            for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
                reasons.append(reasons.length() == 0 ? "" : " <- ").append(cause);
            }
            out.println("failed " + oneLine(reasons.toString()));
        }
        out.flush();
    }

    private void run(String script) throws Exception {
        Configuration configuration = GlobalConfiguration.loadConfiguration();
        TableEnvironment environment = null;
        for (String statement : Statements.split(script)) {
            Matcher set = SET.matcher(statement);
            if (set.matches()) {
                configuration.setString(set.group(1), set.group(2));
                if (environment != null) {
                    environment.getConfig().set(set.group(1), set.group(2));
                }
                continue;
            }
            if (environment == null) {
                // The runtime mode is the only key that has to be known before.
                environment = TableEnvironment.create(EnvironmentSettings.newInstance().withConfiguration(configuration).build());
            }
            execute(environment, statement);
        }
    }

    private void execute(TableEnvironment environment, String statement) throws Exception {
        TableResult result = environment.executeSql(statement);
        boolean insert = statement.regionMatches(true, 0, "INSERT", 0, 6) || statement.regionMatches(true, 0, "EXECUTE", 0, 7);
        if (insert) {
            out.println("job " + result.getJobClient().orElseThrow().getJobID());
            result.await();
        } else if (result.getResultKind() == ResultKind.SUCCESS_WITH_CONTENT) {
            try (CloseableIterator<Row> rows = result.collect()) {
                while (rows.hasNext()) {
                    out.println("row " + oneLine(rows.next().toString()));
                }
            }
        }
    }

    private static String oneLine(String text) {
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    }
}
