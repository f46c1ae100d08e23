package flott.nexmark;

import java.util.Arrays;

import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RawValueData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.types.RowKind;
import org.apache.flink.types.variant.Variant;

/**
 * A row that is filled again and again: numbers are kept as they are and not boxed, strings have a view each that is turned to new bytes. Which fields are NULL never changes.
 */
final class FieldRow implements RowData {
    private final long[] numbers;
    private final Object[] objects;
    private final BinaryStringData[] views;
    private final boolean[] nulls;
    private RowKind kind = RowKind.INSERT;

    /** A row of NULLs. */
    FieldRow(int arity) {
        numbers = new long[arity];
        objects = new Object[arity];
        views = new BinaryStringData[arity];
        nulls = new boolean[arity];
        Arrays.fill(nulls, true);
    }

    /** From now on the field has a value. */
    void use(int position) {
        nulls[position] = false;
        views[position] = new BinaryStringData(Tables.LETTERS_SEGMENT, 0, 0);
    }

    void setNumber(int position, long value) {
        numbers[position] = value;
    }

    void setObject(int position, Object value) {
        objects[position] = value;
    }

    /** What may be used to show the string of a field. */
    BinaryStringData view(int position) {
        return views[position];
    }

    @Override
    public int getArity() {
        return nulls.length;
    }

    @Override
    public RowKind getRowKind() {
        return kind;
    }

    @Override
    public void setRowKind(RowKind kind) {
        this.kind = kind;
    }

    @Override
    public boolean isNullAt(int position) {
        return nulls[position];
    }

    @Override
    public int getInt(int position) {
        return (int) numbers[position];
    }

    @Override
    public long getLong(int position) {
        return numbers[position];
    }

    @Override
    public StringData getString(int position) {
        return (StringData) objects[position];
    }

    @Override
    public TimestampData getTimestamp(int position, int precision) {
        return (TimestampData) objects[position];
    }

    @Override
    public RowData getRow(int position, int fields) {
        return (RowData) objects[position];
    }

    // No event has fields of the other types.

    @Override
    public boolean getBoolean(int position) {
        throw noSuchType("BOOLEAN");
    }

    @Override
    public byte getByte(int position) {
        throw noSuchType("TINYINT");
    }

    @Override
    public short getShort(int position) {
        throw noSuchType("SMALLINT");
    }

    @Override
    public float getFloat(int position) {
        throw noSuchType("FLOAT");
    }

    @Override
    public double getDouble(int position) {
        throw noSuchType("DOUBLE");
    }

    @Override
    public DecimalData getDecimal(int position, int precision, int scale) {
        throw noSuchType("DECIMAL");
    }

    @Override
    public <T> RawValueData<T> getRawValue(int position) {
        throw noSuchType("RAW");
    }

    @Override
    public byte[] getBinary(int position) {
        throw noSuchType("BYTES");
    }

    @Override
    public ArrayData getArray(int position) {
        throw noSuchType("ARRAY");
    }

    @Override
    public MapData getMap(int position) {
        throw noSuchType("MAP");
    }

    @Override
    public Variant getVariant(int position) {
        throw noSuchType("VARIANT");
    }

    private static UnsupportedOperationException noSuchType(String type) {
        return new UnsupportedOperationException("no field of an event is of type " + type);
    }
}
