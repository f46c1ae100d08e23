package flott.nexmark;

import static flott.nexmark.Field.Type.BIGINT;
import static flott.nexmark.Field.Type.STRING;
import static flott.nexmark.Field.Type.TIMESTAMP;

import java.util.ArrayList;
import java.util.List;

import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.types.DataType;

/** The fields of persons, auctions and bids, in the order of the table. */
enum Field {
    PERSON_ID(Kind.PERSON, "id", BIGINT),
    PERSON_NAME(Kind.PERSON, "name", STRING),
    PERSON_EMAIL(Kind.PERSON, "emailAddress", STRING),
    PERSON_CREDIT_CARD(Kind.PERSON, "creditCard", STRING),
    PERSON_CITY(Kind.PERSON, "city", STRING),
    PERSON_STATE(Kind.PERSON, "state", STRING),
    PERSON_TIME(Kind.PERSON, "dateTime", TIMESTAMP),
    PERSON_EXTRA(Kind.PERSON, "extra", STRING),
    AUCTION_ID(Kind.AUCTION, "id", BIGINT),
    AUCTION_ITEM_NAME(Kind.AUCTION, "itemName", STRING),
    AUCTION_DESCRIPTION(Kind.AUCTION, "description", STRING),
    AUCTION_INITIAL_BID(Kind.AUCTION, "initialBid", BIGINT),
    AUCTION_RESERVE(Kind.AUCTION, "reserve", BIGINT),
    AUCTION_TIME(Kind.AUCTION, "dateTime", TIMESTAMP),
    AUCTION_EXPIRES(Kind.AUCTION, "expires", TIMESTAMP),
    AUCTION_SELLER(Kind.AUCTION, "seller", BIGINT),
    AUCTION_CATEGORY(Kind.AUCTION, "category", BIGINT),
    AUCTION_EXTRA(Kind.AUCTION, "extra", STRING),
    BID_AUCTION(Kind.BID, "auction", BIGINT),
    BID_BIDDER(Kind.BID, "bidder", BIGINT),
    BID_PRICE(Kind.BID, "price", BIGINT),
    BID_CHANNEL(Kind.BID, "channel", STRING),
    BID_URL(Kind.BID, "url", STRING),
    BID_TIME(Kind.BID, "dateTime", TIMESTAMP),
    BID_EXTRA(Kind.BID, "extra", STRING);

    /** What an event is: the value of the column {@code event_type}. */
    enum Kind {
        PERSON("person"),
        AUCTION("auction"),
        BID("bid");

        static final Kind[] ALL = values();

        final String column;

        Kind(String column) {
            this.column = column;
        }

        /** The place of the column: behind {@code event_type}. */
        int position() {
            return 1 + ordinal();
        }

        List<Field> fields() {
            List<Field> fields = new ArrayList<>();
            for (Field field : Field.values()) {
                if (field.kind == this) {
                    fields.add(field);
                }
            }
            return fields;
        }
    }

    /** The type of a field's values. */
    enum Type {
        BIGINT(DataTypes.BIGINT()),
        STRING(DataTypes.STRING()),
        TIMESTAMP(DataTypes.TIMESTAMP(3));

        final DataType type;

        Type(DataType type) {
            this.type = type;
        }
    }

    final Kind kind;
    final String column;
    final Type type;

    Field(Kind kind, String column, Type type) {
        this.kind = kind;
        this.column = column;
        this.type = type;
    }

    /** The row type that the table must have. */
    static DataType table() {
        List<DataTypes.Field> columns = new ArrayList<>();
        columns.add(DataTypes.FIELD("event_type", DataTypes.INT()));
        for (Kind kind : Kind.ALL) {
            List<DataTypes.Field> fields = new ArrayList<>();
            for (Field field : kind.fields()) {
                fields.add(DataTypes.FIELD(field.column, field.type.type));
            }
            columns.add(DataTypes.FIELD(kind.column, DataTypes.ROW(fields)));
        }
        return DataTypes.ROW(columns);
    }
}
