package flott;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Takes a script apart at its semicolons, but not at those in quotes, in comments and between BEGIN and END. */
final class Statements {
    private final String script;
    private final List<String> statements = new ArrayList<>();
    private final StringBuilder current = new StringBuilder();

    private Statements(String script) {
        this.script = script;
    }

    static List<String> split(String script) {
        Statements splitter = new Statements(script);
        splitter.run();
        return splitter.statements;
    }

    private void run() {
        int at = 0;
        while (at < script.length()) {
            char c = script.charAt(at);
            int end = at + 1;
            if (script.startsWith("--", at)) {
                end = after("\n", at);
                current.append('\n');
            } else if (script.startsWith("/*", at) && !script.startsWith("/*+", at)) {
                end = after("*/", at + 2);
                current.append(' ');
            } else if (c == '\'' || c == '`' || c == '"') {
                end = after(String.valueOf(c), at + 1);
                current.append(script, at, end);
            } else if (c == ';' && !inStatementSet()) {
                finish();
            } else {
                current.append(c);
            }
            at = end;
        }
        finish();
    }

    private int after(String end, int from) {
        int found = script.indexOf(end, from);
        return found < 0 ? script.length() : found + end.length();
    }

    private boolean inStatementSet() {
        String text = current.toString().strip().toUpperCase(Locale.ROOT);
        return text.startsWith("EXECUTE STATEMENT SET") && text.contains("BEGIN") && !text.endsWith("END");
    }

    private void finish() {
        String statement = current.toString().strip();
        if (!statement.isEmpty()) {
            statements.add(statement);
        }
        current.setLength(0);
    }
}
