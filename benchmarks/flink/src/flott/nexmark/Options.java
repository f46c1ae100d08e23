package flott.nexmark;

import java.util.Set;

import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;

/** The options of the table, as {@code benchmarks/generator.md} lists them. */
final class Options {
    private static final ConfigOption<Long> EVENTS = number("events.num", 0);
    private static final ConfigOption<Long> FIRST_RATE = number("first-event.rate", 10_000);
    private static final ConfigOption<Long> NEXT_RATE = number("next-event.rate", 10_000);
    private static final ConfigOption<Long> PERSONS = number("person.proportion", 1);
    private static final ConfigOption<Long> AUCTIONS = number("auction.proportion", 3);
    private static final ConfigOption<Long> BIDS = number("bid.proportion", 46);
    private static final ConfigOption<MemorySize> PERSON_SIZE = size("person.avg-size", "200b");
    private static final ConfigOption<MemorySize> AUCTION_SIZE = size("auction.avg-size", "500b");
    private static final ConfigOption<MemorySize> BID_SIZE = size("bid.avg-size", "100b");
    private static final ConfigOption<Long> HOT_AUCTIONS = number("bid.hot-ratio.auctions", 2);
    private static final ConfigOption<Long> HOT_BIDDERS = number("bid.hot-ratio.bidders", 4);
    private static final ConfigOption<Long> HOT_SELLERS = number("auction.hot-ratio.sellers", 4);
    private static final ConfigOption<Boolean> RATE_LIMITED =
            ConfigOptions.key("rate.limited").booleanType().defaultValue(false);
    private static final ConfigOption<Long> GROUP_SIZE = number("out-of-order.group-size", 1);
    private static final ConfigOption<Long> SEED = number("seed", 0);
    private static final ConfigOption<String> BASE_TIME =
            ConfigOptions.key("base-time").stringType().defaultValue("1436918400000");

    static final Set<ConfigOption<?>> ALL = Set.of(
            EVENTS, FIRST_RATE, NEXT_RATE, PERSONS, AUCTIONS, BIDS, PERSON_SIZE, AUCTION_SIZE, BID_SIZE, HOT_AUCTIONS, HOT_BIDDERS, HOT_SELLERS, RATE_LIMITED,
            GROUP_SIZE, SEED, BASE_TIME);

    private static final int SHUFFLE = 953;
    private static final long LARGEST = 1_000_000;
    private static final long LARGEST_RATIO = 1_000_000_000;

    private final ReadableConfig given;

    private Options(ReadableConfig given) {
        this.given = given;
    }

    static Settings read(ReadableConfig given) {
        return new Options(given).read();
    }

    private Settings read() {
        long events = within(EVENTS, 0, Long.MAX_VALUE);
        long rate = within(FIRST_RATE, 1, LARGEST_RATIO);
        if (rate != given.get(NEXT_RATE)) {
            throw new ValidationException("'next-event.rate' must be the same as 'first-event.rate'");
        }
        long group = within(GROUP_SIZE, 1, LARGEST);
        if (group % SHUFFLE == 0) {
            throw new ValidationException("'out-of-order.group-size' must be no multiple of " + SHUFFLE);
        }
        return new Settings(
                events == 0 ? Long.MAX_VALUE : events,
                rate,
                (int) within(PERSONS, 1, LARGEST),
                (int) within(AUCTIONS, 1, LARGEST),
                (int) within(BIDS, 0, LARGEST),
                bytes(PERSON_SIZE),
                bytes(AUCTION_SIZE),
                bytes(BID_SIZE),
                within(HOT_AUCTIONS, 1, LARGEST_RATIO),
                within(HOT_BIDDERS, 1, LARGEST_RATIO),
                within(HOT_SELLERS, 1, LARGEST_RATIO),
                given.get(RATE_LIMITED),
                group,
                given.get(SEED),
                baseTime());
    }

    private long within(ConfigOption<Long> option, long least, long largest) {
        long value = given.get(option);
        if (value < least || value > largest) {
            throw new ValidationException("'" + option.key() + "' must be from " + least + " to " + largest + ", not " + value);
        }
        return value;
    }

    private int bytes(ConfigOption<MemorySize> option) {
        long bytes = given.get(option).getBytes();
        if (bytes > Tables.TEXT_LENGTH) {
            throw new ValidationException("'" + option.key() + "' must be at most 64 kb");
        }
        return (int) bytes;
    }

    private long baseTime() {
        String text = given.get(BASE_TIME);
        if (text.equals("now")) {
            return System.currentTimeMillis();
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException cause) {
            throw new ValidationException("'base-time' must be 'now' or milliseconds since 1970, not '" + text + "'", cause);
        }
    }

    private static ConfigOption<Long> number(String key, long value) {
        return ConfigOptions.key(key).longType().defaultValue(value);
    }

    private static ConfigOption<MemorySize> size(String key, String value) {
        return ConfigOptions.key(key).memoryType().defaultValue(MemorySize.parse(value));
    }
}
