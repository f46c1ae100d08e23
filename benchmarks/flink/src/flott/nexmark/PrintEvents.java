package flott.nexmark;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.data.RowData;

/**
 * Prints events as text, to compare with other programs: a line an event, TAB between its fields, the type first, times in milliseconds.
 *
 * <p>usage: PrintEvents FROM TO [OPTION=VALUE ...]
 */
public final class PrintEvents {
    private static final int[][] ALL = {{0}, {1}, {2}, {3}};

    private PrintEvents() {}

    /** Prints the events at the places {@code [FROM, TO)}. */
    public static void main(String[] arguments) throws IOException {
        Map<String, String> options = new HashMap<>();
        for (String option : List.of(arguments).subList(2, arguments.length)) {
            int equals = option.indexOf('=');
            options.put(option.substring(0, equals), option.substring(equals + 1));
        }
        EventRows rows = new EventRows(Options.read(Configuration.fromMap(options)), ALL);
        try (PrintStream out = new PrintStream(new BufferedOutputStream(System.out), false, StandardCharsets.UTF_8)) {
            for (long n = Long.parseLong(arguments[0]); n < Long.parseLong(arguments[1]); n++) {
                out.print(line(rows.row(n)) + "\n");
            }
        }
    }

    private static String line(RowData row) {
        Field.Kind kind = Field.Kind.ALL[row.getInt(0)];
        List<Field> fields = kind.fields();
        RowData event = row.getRow(kind.position(), fields.size());
        List<String> texts = new ArrayList<>();
        texts.add(String.valueOf(kind.ordinal()));
        for (int index = 0; index < fields.size(); index++) {
            texts.add(
                    switch (fields.get(index).type) {
                        case BIGINT -> String.valueOf(event.getLong(index));
                        case STRING -> event.getString(index).toString();
                        case TIMESTAMP -> String.valueOf(event.getTimestamp(index, 3).getMillisecond());
                    });
        }
        return String.join("\t", texts);
    }
}
