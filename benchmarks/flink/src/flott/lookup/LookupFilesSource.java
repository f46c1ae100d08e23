package flott.lookup;

import java.util.Arrays;
import java.util.List;

import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.LookupTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsProjectionPushDown;
import org.apache.flink.table.connector.source.lookup.AsyncLookupFunctionProvider;
import org.apache.flink.table.connector.source.lookup.LookupFunctionProvider;
import org.apache.flink.table.functions.AsyncLookupFunction;
import org.apache.flink.table.functions.LookupFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;

/** The table: all of its file is in memory. */
final class LookupFilesSource implements LookupTableSource, SupportsProjectionPushDown {
    private final String path;
    private final String nullLiteral;
    private final String answers;
    private final DataType physical;
    /** The columns that are answered; all if there are none. */
    private int[] columns;

    LookupFilesSource(String path, String nullLiteral, String answers, DataType physical, int[] columns) {
        this.path = path;
        this.nullLiteral = nullLiteral;
        this.answers = answers;
        this.physical = physical;
        this.columns = columns;
    }

    @Override
    public LookupRuntimeProvider getLookupRuntimeProvider(LookupContext context) {
        List<LogicalType> types = physical.getLogicalType().getChildren();
        int[] answered = columns;
        if (answered == null) {
            answered = new int[types.size()];
            Arrays.setAll(answered, column -> column);
        }
        int[] keys = new int[context.getKeys().length];
        for (int key = 0; key < keys.length; key++) {
            keys[key] = answered[context.getKeys()[key][0]];
        }
        Table table = new Table(path, nullLiteral, types.toArray(LogicalType[]::new), keys, answered);
        LookupFunction sync = new Sync(table);
        AsyncLookupFunction async = new Async(table);
        switch (answers) {
            case "sync":
                return LookupFunctionProvider.of(sync);
            case "async":
                return AsyncLookupFunctionProvider.of(async);
            default:
                return new Both(sync, async);
        }
    }

    @Override
    public boolean supportsNestedProjection() {
        return false;
    }

    @Override
    public void applyProjection(int[][] projectedFields, DataType producedDataType) {
        columns = Arrays.stream(projectedFields).mapToInt(field -> field[0]).toArray();
    }

    @Override
    public DynamicTableSource copy() {
        return new LookupFilesSource(path, nullLiteral, answers, physical, columns);
    }

    @Override
    public String asSummaryString() {
        return "lookup-files";
    }

    private static final class Both implements LookupFunctionProvider, AsyncLookupFunctionProvider {
        private final LookupFunction sync;
        private final AsyncLookupFunction async;

        Both(LookupFunction sync, AsyncLookupFunction async) {
            this.sync = sync;
            this.async = async;
        }

        @Override
        public LookupFunction createLookupFunction() {
            return sync;
        }

        @Override
        public AsyncLookupFunction createAsyncLookupFunction() {
            return async;
        }
    }
}
