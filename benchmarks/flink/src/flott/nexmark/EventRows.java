package flott.nexmark;

import java.util.ArrayList;
import java.util.List;

import org.apache.flink.table.data.RowData;

/**
 * Makes rows of events, with the columns and nested fields that a query reads and no others.
 *
 * <p>There is one row for each kind of event, and it is filled again for the next event of its kind: what others keep of it they have to copy, which is the contract of
 * Flink's object reuse; where that is off, Flink copies rows by itself.
 */
final class EventRows {
    private final Generator generator;
    private final FieldRow[] rows = new FieldRow[Field.Kind.ALL.length];
    private final Slot[][] slots = new Slot[Field.Kind.ALL.length][];

    /** Where the value of a field goes. */
    private record Slot(Field field, FieldRow row, int position) {}

    /**
     * Rows of the fields at {@code paths}: {0} is the type of the event, {1} to {3} are persons, auctions and bids, and a second number is one of their fields.
     */
    EventRows(Settings settings, int[][] paths) {
        generator = new Generator(settings);
        for (Field.Kind kind : Field.Kind.ALL) {
            FieldRow row = new FieldRow(paths.length);
            List<Slot> ofKind = new ArrayList<>();
            for (int position = 0; position < paths.length; position++) {
                addSlots(ofKind, kind, row, position, paths[position]);
            }
            rows[kind.ordinal()] = row;
            slots[kind.ordinal()] = ofKind.toArray(Slot[]::new);
        }
    }

    private static void addSlots(List<Slot> slots, Field.Kind kind, FieldRow row, int position, int[] path) {
        if (path[0] == 0) {
            row.use(position);
            row.setNumber(position, kind.ordinal());
        } else if (path[0] == kind.position()) {
            row.use(position);
            List<Field> fields = kind.fields();
            if (path.length > 1) {
                slots.add(new Slot(fields.get(path[1]), row, position));
                return;
            }
            FieldRow nested = new FieldRow(fields.size());
            row.setObject(position, nested);
            for (int index = 0; index < fields.size(); index++) {
                nested.use(index);
                slots.add(new Slot(fields.get(index), nested, index));
            }
        }
    }

    /** The row of event {@code n}; it is valid until the next call. */
    RowData row(long n) {
        generator.moveTo(n);
        int kind = generator.kind().ordinal();
        for (Slot slot : slots[kind]) {
            fill(slot);
        }
        return rows[kind];
    }

    private void fill(Slot slot) {
        Field field = slot.field;
        FieldRow row = slot.row;
        switch (field.type) {
            case BIGINT -> row.setNumber(slot.position, generator.bigint(field));
            case TIMESTAMP -> row.setObject(slot.position, generator.timestamp(field));
            case STRING -> row.setObject(slot.position, generator.string(field, row.view(slot.position)));
        }
    }
}
