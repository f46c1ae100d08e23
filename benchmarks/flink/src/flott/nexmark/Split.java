package flott.nexmark;

import java.io.IOException;

import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * A share of the events: every {@code count}-th block of a thousand, from block {@code index} on.
 *
 * @param next the place of the event that comes next
 */
record Split(int index, int count, long next) implements SourceSplit {
    private static final long BLOCK = 1000;

    /** From the beginning. */
    static Split first(int index, int count) {
        return new Split(index, count, index * BLOCK);
    }

    /** The position after {@code n} in one of this many splits. */
    static long after(long n, int count) {
        return (n + 1) % BLOCK == 0 ? n + 1 + (count - 1) * BLOCK : n + 1;
    }

    @Override
    public String splitId() {
        return index + "/" + count;
    }

    /** Three numbers. */
    static final class Serializer implements SimpleVersionedSerializer<Split> {
        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(Split split) throws IOException {
            DataOutputSerializer out = new DataOutputSerializer(16);
            out.writeInt(split.index);
            out.writeInt(split.count);
            out.writeLong(split.next);
            return out.getCopyOfBuffer();
        }

        @Override
        public Split deserialize(int version, byte[] bytes) throws IOException {
            DataInputDeserializer in = new DataInputDeserializer(bytes);
            return new Split(in.readInt(), in.readInt(), in.readLong());
        }
    }
}
