package flott.nexmark;

import static flott.nexmark.Randomness.below;
import static flott.nexmark.Randomness.below16;
import static flott.nexmark.Randomness.draw;
import static flott.nexmark.Randomness.high;
import static flott.nexmark.Randomness.low;
import static flott.nexmark.Randomness.quarter;

import java.nio.charset.StandardCharsets;

import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * Generates the fields of one event at a time, and only the requested ones ({@code benchmarks/generator.md}, "Events").
 *
 * <p>On the path of every event: nothing is allocated but what is new in it, one {@link TimestampData} for each millisecond. Strings are views on tables, or on a buffer of this generator, and are
 * valid until it moves to the next event.
 */
final class Generator {
    private static final int FIRST_ID = 1000;
    private static final int ACTIVE_PERSONS = 1000;
    private static final int OPEN_AUCTIONS = 100;
    private static final int HOT = 100;
    private static final long SHUFFLE = 953;
    private static final byte[] DOMAIN = ".com".getBytes(StandardCharsets.US_ASCII);
    private static final int CREDIT_CARD_LENGTH = 19;

    private final Settings settings;
    private final int epochLength;
    private final long[] streams = new long[20];

    // An event address is composed in the first part of this, a credit card in the second.
    private final byte[] composed = new byte[64];
    private final MemorySegment[] composedSegment = {MemorySegmentFactory.wrap(composed)};
    private static final int CREDIT_CARD = 32;

    private long event = -1;
    private long epoch;
    private int offset;
    private Field.Kind kind;
    private long lastPerson;
    private long lastAuction;
    private long time;
    // What is left of the event's place in time below a millisecond, in events.
    private long timeRest;
    private TimestampData timestamp = TimestampData.fromEpochMillis(0);

    Generator(Settings settings) {
        this.settings = settings;
        this.epochLength = settings.epoch();
        for (int field = 0; field < streams.length; field++) {
            streams[field] = Randomness.stream(settings.seed(), field);
        }
    }

    /** Goes to the event that comes at place {@code n}. */
    void moveTo(long n) {
        long group = settings.groupSize();
        long number = group == 1 ? n : n / group * group + n * SHUFFLE % group;
        if (number == event + 1 && event >= 0) {
            step();
        } else {
            jump(number);
        }
        event = number;
        lastPerson = epoch * settings.persons() + Math.min(offset, settings.persons() - 1);
        int afterPersons = offset - settings.persons();
        lastAuction = epoch * settings.auctions() + Math.min(afterPersons, settings.auctions() - 1);
        kind = afterPersons < 0 ? Field.Kind.PERSON : afterPersons < settings.auctions() ? Field.Kind.AUCTION : Field.Kind.BID;
        if (timestamp.getMillisecond() != time) {
            timestamp = TimestampData.fromEpochMillis(time);
        }
    }

    /** To the next number, without divisions. */
    private void step() {
        if (++offset == epochLength) {
            offset = 0;
            epoch++;
        }
        timeRest += 1000;
        if (timeRest >= settings.rate()) {
            time += timeRest / settings.rate();
            timeRest %= settings.rate();
        }
    }

    private void jump(long number) {
        epoch = number / epochLength;
        offset = (int) (number % epochLength);
        time = settings.baseTime() + settings.offset(number);
        timeRest = number * 1000 % settings.rate();
    }

    Field.Kind kind() {
        return kind;
    }

    /** A field of type BIGINT. */
    long bigint(Field field) {
        return switch (field) {
            case PERSON_ID -> FIRST_ID + lastPerson;
            case AUCTION_ID -> FIRST_ID + lastAuction;
            case AUCTION_INITIAL_BID -> Tables.price(random(9));
            case AUCTION_RESERVE -> Tables.price(random(9)) + Tables.price(random(10));
            case AUCTION_SELLER -> seller(random(12));
            case AUCTION_CATEGORY -> 10 + below(high(random(13)), 5);
            case BID_AUCTION -> auction(random(15));
            case BID_BIDDER -> bidder(random(16));
            case BID_PRICE -> Tables.price(random(17));
            default -> throw new IllegalArgumentException(field + " is no BIGINT");
        };
    }

    /** A field of type TIMESTAMP. */
    TimestampData timestamp(Field field) {
        return field == Field.AUCTION_EXPIRES ? TimestampData.fromEpochMillis(expires()) : timestamp;
    }

    /** A field of type STRING, perhaps by letting {@code view} show it. */
    BinaryStringData string(Field field, BinaryStringData view) {
        return switch (field) {
            case PERSON_NAME -> name();
            case PERSON_EMAIL -> point(view, composedSegment, 0, composeEmail());
            case PERSON_CREDIT_CARD -> point(view, composedSegment, CREDIT_CARD, composeCreditCard());
            case PERSON_CITY -> city();
            case PERSON_STATE -> state();
            case PERSON_EXTRA -> personExtra(view);
            case AUCTION_ITEM_NAME -> words(view, random(7), 17);
            case AUCTION_DESCRIPTION -> words(view, random(8), 97);
            case AUCTION_EXTRA -> auctionExtra(view);
            case BID_CHANNEL -> Tables.CHANNELS[channel(random(18))];
            case BID_URL -> Tables.URLS[channel(random(18))];
            case BID_EXTRA -> extra(view, random(19), settings.bidSize(), 32);
            default -> throw new IllegalArgumentException(field + " is no STRING");
        };
    }

    private long random(int stream) {
        return draw(streams[stream], event);
    }

    // Persons

    private BinaryStringData name() {
        long r = random(1);
        int first = (int) below(high(r), Tables.FIRST_NAMES);
        return Tables.NAMES[first * Tables.LAST_NAMES + (int) below(low(r), Tables.LAST_NAMES)];
    }

    private BinaryStringData city() {
        return Tables.CITIES[(int) below(high(random(4)), Tables.CITIES.length)];
    }

    private BinaryStringData state() {
        return Tables.STATES[(int) below(high(random(5)), Tables.STATES.length)];
    }

    private int composeEmail() {
        long r = random(2);
        int length = appendTrimmed(0, quarter(r, 1), 3 + below16(r, 0, 4));
        composed[length++] = '@';
        length = appendTrimmed(length, quarter(r, 3), 3 + below16(r, 2, 2));
        System.arraycopy(DOMAIN, 0, composed, length, DOMAIN.length);
        return length + DOMAIN.length;
    }

    private int appendTrimmed(int at, int offset, int length) {
        int begin = begin(offset, offset + length);
        int end = end(begin, offset + length);
        System.arraycopy(Tables.WORDS, begin, composed, at, end - begin);
        return at + end - begin;
    }

    private int composeCreditCard() {
        long r = random(3);
        int at = CREDIT_CARD;
        for (int group = 0; group < 4; group++) {
            int number = below16(r, group, 10_000);
            composed[at++] = (byte) ('0' + number / 1000);
            composed[at++] = (byte) ('0' + number / 100 % 10);
            composed[at++] = (byte) ('0' + number / 10 % 10);
            composed[at++] = (byte) ('0' + number % 10);
            if (group < 3) {
                composed[at++] = ' ';
            }
        }
        return at - CREDIT_CARD;
    }

    private BinaryStringData personExtra(BinaryStringData view) {
        int strings = name().getSizeInBytes() + composeEmail() + CREDIT_CARD_LENGTH + city().getSizeInBytes() + state().getSizeInBytes();
        return extra(view, random(6), settings.personSize(), 8 + strings);
    }

    private long anyPerson(long bits) {
        long people = lastPerson + 1;
        long active = Math.min(people, ACTIVE_PERSONS);
        return people - active + below(bits, active + 10);
    }

    // Auctions

    private long seller(long r) {
        boolean hot = below(high(r), settings.hotSellers()) > 0;
        return FIRST_ID + (hot ? lastPerson / HOT * HOT : anyPerson(low(r)));
    }

    private long expires() {
        long horizon = settings.offset(event + 100L * epochLength / settings.auctions()) - settings.offset(event);
        return time + 1 + below(high(random(11)), Math.min(Math.max(2 * horizon, 1), Integer.MAX_VALUE));
    }

    private BinaryStringData auctionExtra(BinaryStringData view) {
        // The view is needed only for its sizes, and then for the result.
        int strings = words(view, random(7), 17).getSizeInBytes() + words(view, random(8), 97).getSizeInBytes();
        return extra(view, random(14), settings.auctionSize(), 48 + strings);
    }

    // Bids

    private long auction(long r) {
        if (below(high(r), settings.hotAuctions()) > 0) {
            return FIRST_ID + lastAuction / HOT * HOT;
        }
        long first = Math.max(lastAuction - OPEN_AUCTIONS, 0);
        return FIRST_ID + first + below(low(r), lastAuction - first + 11);
    }

    private long bidder(long r) {
        boolean hot = below(high(r), settings.hotBidders()) > 0;
        return FIRST_ID + (hot ? lastPerson / HOT * HOT + 1 : anyPerson(low(r)));
    }

    private static int channel(long r) {
        return r < 0 ? Tables.COLD_CHANNELS + ((int) (r >>> 61) & 3) : (int) below(low(r), Tables.COLD_CHANNELS);
    }

    // Strings

    private static BinaryStringData point(BinaryStringData view, MemorySegment[] segment, int offset, int length) {
        view.getBinarySection().pointTo(segment, offset, length);
        view.setJavaObject(null);
        return view;
    }

    private static BinaryStringData words(BinaryStringData view, long r, int lengths) {
        int offset = (int) low(r) & 0xFFFF;
        int limit = offset + 3 + (int) below(high(r), lengths);
        int begin = begin(offset, limit);
        return point(view, Tables.WORDS_SEGMENT, begin, end(begin, limit) - begin);
    }

    /** Where the words in {@code [from, limit)} begin, without the spaces before them. */
    private static int begin(int from, int limit) {
        while (from < limit && Tables.WORDS[from] == ' ') {
            from++;
        }
        return from;
    }

    /** Where the words in {@code [from, limit)} end, without trailing spaces. */
    private static int end(int from, int limit) {
        while (limit > from && Tables.WORDS[limit - 1] == ' ') {
            limit--;
        }
        return limit;
    }

    /** Letters that fill an event of {@code size} bytes up to about {@code average}. */
    private static BinaryStringData extra(BinaryStringData view, long r, int average, int size) {
        if (size > average) {
            return point(view, Tables.LETTERS_SEGMENT, 0, 0);
        }
        int desired = average - size;
        int delta = (2 * desired + 5) / 10;
        int length = desired - delta + (delta == 0 ? 0 : (int) below(high(r), 2L * delta));
        return point(view, Tables.LETTERS_SEGMENT, (int) low(r) & 0xFFFF, length);
    }
}
