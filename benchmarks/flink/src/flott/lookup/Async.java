package flott.lookup;

import java.util.Collection;
import java.util.concurrent.CompletableFuture;

import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.AsyncLookupFunction;

/** Answers later. */
public final class Async extends AsyncLookupFunction {
    private static final long serialVersionUID = 1;

    private final Table table;

    Async(Table table) {
        this.table = table;
    }

    @Override
    public CompletableFuture<Collection<RowData>> asyncLookup(RowData key) {
        return CompletableFuture.supplyAsync(() -> table.find(key));
    }
}
