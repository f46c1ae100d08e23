package flott.nexmark;

import java.util.List;

import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.table.data.RowData;

/** The generator as a source: it makes the fields at {@code paths} of each event. */
final class NexmarkSource implements Source<RowData, Split, List<Split>> {
    private static final long serialVersionUID = 1L;

    private final Settings settings;
    private final int[][] paths;

    NexmarkSource(Settings settings, int[][] paths) {
        this.settings = settings;
        this.paths = paths;
    }

    @Override
    public Boundedness getBoundedness() {
        return settings.events() == Long.MAX_VALUE ? Boundedness.CONTINUOUS_UNBOUNDED : Boundedness.BOUNDED;
    }

    @Override
    public SourceReader<RowData, Split> createReader(SourceReaderContext context) {
        return new Reader(settings, paths);
    }

    @Override
    public SplitEnumerator<Split, List<Split>> createEnumerator(SplitEnumeratorContext<Split> context) {
        return Enumerator.create(context);
    }

    @Override
    public SplitEnumerator<Split, List<Split>> restoreEnumerator(SplitEnumeratorContext<Split> context, List<Split> waiting) {
        return new Enumerator(context, waiting);
    }

    @Override
    public SimpleVersionedSerializer<Split> getSplitSerializer() {
        return new Split.Serializer();
    }

    @Override
    public SimpleVersionedSerializer<List<Split>> getEnumeratorCheckpointSerializer() {
        return new Enumerator.StateSerializer();
    }
}
