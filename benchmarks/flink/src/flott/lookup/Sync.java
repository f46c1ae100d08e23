package flott.lookup;

import java.util.Collection;

import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.LookupFunction;

/** Answers at once. */
public final class Sync extends LookupFunction {
    private static final long serialVersionUID = 1;

    private final Table table;

    Sync(Table table) {
        this.table = table;
    }

    @Override
    public Collection<RowData> lookup(RowData key) {
        return table.find(key);
    }
}
