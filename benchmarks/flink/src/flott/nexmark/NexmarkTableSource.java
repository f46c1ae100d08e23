package flott.nexmark;

import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.SourceProvider;
import org.apache.flink.table.connector.source.abilities.SupportsProjectionPushDown;
import org.apache.flink.table.types.DataType;

/** The table: makes only the columns, and only the fields of ROWs, that the query reads. */
final class NexmarkTableSource implements ScanTableSource, SupportsProjectionPushDown {
    private static final int[][] ALL = {{0}, {1}, {2}, {3}};

    private final Settings settings;
    private int[][] paths;

    NexmarkTableSource(Settings settings) {
        this(settings, ALL);
    }

    private NexmarkTableSource(Settings settings, int[][] paths) {
        this.settings = settings;
        this.paths = paths;
    }

    @Override
    public ChangelogMode getChangelogMode() {
        return ChangelogMode.insertOnly();
    }

    @Override
    public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
        return SourceProvider.of(new NexmarkSource(settings, paths));
    }

    @Override
    public boolean supportsNestedProjection() {
        return true;
    }

    @Override
    public void applyProjection(int[][] projectedFields, DataType producedDataType) {
        paths = projectedFields;
    }

    @Override
    public DynamicTableSource copy() {
        return new NexmarkTableSource(settings, paths);
    }

    @Override
    public String asSummaryString() {
        return "nexmark";
    }
}
