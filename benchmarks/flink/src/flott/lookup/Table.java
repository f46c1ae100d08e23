package flott.lookup;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;

/** The rows of a csv file without quotes, by key. Fields that are the literal of NULL are NULL. */
final class Table implements Serializable {
    private static final long serialVersionUID = 1;

    private final String path;
    private final String nullLiteral;
    private final LogicalType[] types;
    private final int[] keys;
    private final int[] columns;
    private transient Map<List<Object>, Collection<RowData>> rows;

    Table(String path, String nullLiteral, LogicalType[] types, int[] keys, int[] columns) {
        this.path = path;
        this.nullLiteral = nullLiteral;
        this.types = types;
        this.keys = keys;
        this.columns = columns;
    }

    synchronized Collection<RowData> find(RowData key) {
        if (rows == null) {
            rows = read();
        }
        List<Object> values = new ArrayList<>();
        for (int field = 0; field < keys.length; field++) {
            values.add(RowData.createFieldGetter(types[keys[field]], field).getFieldOrNull(key));
        }
        return rows.getOrDefault(values, List.of());
    }

    private Map<List<Object>, Collection<RowData>> read() {
        List<String> lines;
        try {
            lines = Files.readAllLines(Path.of(path.replaceFirst("^file:", "")));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        Map<List<Object>, Collection<RowData>> found = new HashMap<>();
        for (String line : lines) {
            String[] cells = line.split(",", -1);
            List<Object> key = new ArrayList<>();
            for (int column : keys) {
                key.add(value(cells[column], types[column]));
            }
            GenericRowData row = new GenericRowData(columns.length);
            for (int field = 0; field < columns.length; field++) {
                row.setField(field, value(cells[columns[field]], types[columns[field]]));
            }
            found.computeIfAbsent(key, none -> new ArrayList<>()).add(row);
        }
        return found;
    }

    private Object value(String cell, LogicalType type) {
        if (cell.equals(nullLiteral)) {
            return null;
        }
        switch (type.getTypeRoot()) {
            case CHAR:
            case VARCHAR:
                return StringData.fromString(cell);
            case BOOLEAN:
                return Boolean.valueOf(cell);
            case INTEGER:
                return Integer.valueOf(cell);
            case BIGINT:
                return Long.valueOf(cell);
            case DOUBLE:
                return Double.valueOf(cell);
            case DECIMAL:
                DecimalType decimal = (DecimalType) type;
                return DecimalData.fromBigDecimal(new BigDecimal(cell), decimal.getPrecision(), decimal.getScale());
            case DATE:
                return (int) LocalDate.parse(cell).toEpochDay();
            case TIMESTAMP_WITHOUT_TIME_ZONE:
                return TimestampData.fromTimestamp(Timestamp.valueOf(cell));
            default:
                throw new UnsupportedOperationException("a column of type " + type);
        }
    }
}
