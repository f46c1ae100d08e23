package flott.nexmark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/** Gives each reader its splits when it registers. Its state are the splits that no reader has. */
final class Enumerator implements SplitEnumerator<Split, List<Split>> {
    private final SplitEnumeratorContext<Split> context;
    private final List<Split> waiting;

    Enumerator(SplitEnumeratorContext<Split> context, List<Split> waiting) {
        this.context = context;
        this.waiting = new ArrayList<>(waiting);
    }

    /** One split for each reader. */
    static Enumerator create(SplitEnumeratorContext<Split> context) {
        int count = context.currentParallelism();
        List<Split> splits = new ArrayList<>(count);
        for (int index = 0; index < count; index++) {
            splits.add(Split.first(index, count));
        }
        return new Enumerator(context, splits);
    }

    @Override
    public void start() {}

    @Override
    public void addReader(int subtask) {
        for (Iterator<Split> splits = waiting.iterator(); splits.hasNext(); ) {
            Split split = splits.next();
            if (split.index() % context.currentParallelism() == subtask) {
                context.assignSplit(split, subtask);
                splits.remove();
            }
        }
        context.signalNoMoreSplits(subtask);
    }

    @Override
    public void addSplitsBack(List<Split> splits, int subtask) {
        waiting.addAll(splits);
    }

    @Override
    public void handleSplitRequest(int subtask, String host) {}

    @Override
    public List<Split> snapshotState(long checkpoint) {
        return List.copyOf(waiting);
    }

    @Override
    public void close() {}

    /** The splits, one behind the other. */
    static final class StateSerializer implements SimpleVersionedSerializer<List<Split>> {
        private final Split.Serializer splits = new Split.Serializer();

        @Override
        public int getVersion() {
            return splits.getVersion();
        }

        @Override
        public byte[] serialize(List<Split> waiting) throws IOException {
            DataOutputSerializer out = new DataOutputSerializer(64);
            out.writeInt(waiting.size());
            for (Split split : waiting) {
                byte[] bytes = splits.serialize(split);
                out.writeInt(bytes.length);
                out.write(bytes);
            }
            return out.getCopyOfBuffer();
        }

        @Override
        public List<Split> deserialize(int version, byte[] bytes) throws IOException {
            DataInputDeserializer in = new DataInputDeserializer(bytes);
            List<Split> waiting = new ArrayList<>();
            for (int left = in.readInt(); left > 0; left--) {
                byte[] split = new byte[in.readInt()];
                in.readFully(split);
                waiting.add(splits.deserialize(version, split));
            }
            return waiting;
        }
    }
}
