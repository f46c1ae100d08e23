package flott.nexmark;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.table.data.RowData;

/**
 * Emits the events of its splits, the one with the lowest number first.
 *
 * <p>Runs in the task's own thread: generating is computation, so there is nothing to fetch on another thread.
 */
final class Reader implements SourceReader<RowData, Split> {
    private final Settings settings;
    private final EventRows rows;
    private final List<Cursor> cursors = new ArrayList<>();
    private CompletableFuture<Void> available = new CompletableFuture<>();
    private boolean allSplits;
    private long started;

    /** Where a split is. */
    private static final class Cursor {
        final Split split;
        long next;

        Cursor(Split split) {
            this.split = split;
            this.next = split.next();
        }
    }

    Reader(Settings settings, int[][] paths) {
        this.settings = settings;
        this.rows = new EventRows(settings, paths);
    }

    @Override
    public void start() {
        started = System.currentTimeMillis();
    }

    @Override
    public InputStatus pollNext(ReaderOutput<RowData> output) {
        Cursor first = first();
        if (first == null || first.next >= settings.events()) {
            return allSplits ? InputStatus.END_OF_INPUT : InputStatus.NOTHING_AVAILABLE;
        }
        if (settings.rateLimited() && !due(first.next)) {
            return InputStatus.NOTHING_AVAILABLE;
        }
        output.collect(rows.row(first.next));
        first.next = Split.after(first.next, first.split.count());
        return InputStatus.MORE_AVAILABLE;
    }

    private Cursor first() {
        // Nearly always there is one.
        if (cursors.isEmpty()) {
            return null;
        }
        Cursor first = cursors.get(0);
        for (int i = 1; i < cursors.size(); i++) {
            if (cursors.get(i).next < first.next) {
                first = cursors.get(i);
            }
        }
        return first;
    }

    /** Whether it is time for event {@code n}; if it is not, the task is woken when it is. */
    private boolean due(long n) {
        long wait = started + settings.offset(n) - System.currentTimeMillis();
        if (wait > 0) {
            available = new CompletableFuture<Void>().completeOnTimeout(null, wait, TimeUnit.MILLISECONDS);
        }
        return wait <= 0;
    }

    @Override
    public List<Split> snapshotState(long checkpoint) {
        List<Split> splits = new ArrayList<>(cursors.size());
        for (Cursor cursor : cursors) {
            splits.add(new Split(cursor.split.index(), cursor.split.count(), cursor.next));
        }
        return splits;
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
        return available;
    }

    @Override
    public void addSplits(List<Split> splits) {
        for (Split split : splits) {
            cursors.add(new Cursor(split));
        }
        available.complete(null);
    }

    @Override
    public void notifyNoMoreSplits() {
        allSplits = true;
        available.complete(null);
    }

    @Override
    public void close() {}
}
