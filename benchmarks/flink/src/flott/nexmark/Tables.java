package flott.nexmark;

import static flott.nexmark.Randomness.below;
import static flott.nexmark.Randomness.constant;
import static flott.nexmark.Randomness.high;
import static flott.nexmark.Randomness.low;

import java.nio.charset.StandardCharsets;

import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.binary.BinaryStringData;

/** What is computed once: texts that strings are cut from, names, channels, URLs, and powers for prices. */
final class Tables {
    /** The length of a text before it begins again. */
    static final int TEXT_LENGTH = 1 << 16;

    /** Each text is stored three times, so that every slice is contiguous: none is longer than two. */
    static final byte[] LETTERS = new byte[3 * TEXT_LENGTH];

    static final byte[] WORDS = new byte[3 * TEXT_LENGTH];
    static final MemorySegment[] LETTERS_SEGMENT = {MemorySegmentFactory.wrap(LETTERS)};
    static final MemorySegment[] WORDS_SEGMENT = {MemorySegmentFactory.wrap(WORDS)};

    static final int COLD_CHANNELS = 10_000;
    static final BinaryStringData[] CHANNELS = new BinaryStringData[COLD_CHANNELS + 4];
    static final BinaryStringData[] URLS = new BinaryStringData[COLD_CHANNELS + 4];

    static final BinaryStringData[] NAMES = names();
    static final int FIRST_NAMES = 11;
    static final int LAST_NAMES = 9;
    static final BinaryStringData[] CITIES = strings(
            "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne");
    static final BinaryStringData[] STATES = strings("AZ", "CA", "ID", "OR", "WA", "WY");

    /** {@code 100 * 10^(6 i / 1024)}. */
    private static final double[] POWERS = new double[1024];

    private static final double PRICE_SCALE = 13.815510557964274 / 4398046511104.0;

    static {
        for (int i = 0; i < LETTERS.length; i++) {
            int index = i % TEXT_LENGTH;
            LETTERS[i] = (byte) ('a' + below(high(constant(1, index)), 26));
            long r = constant(2, index);
            WORDS[i] = (byte) (below(high(r), 13) == 0 ? ' ' : 'a' + below(low(r), 26));
        }
        String[] hot = {"Google", "Facebook", "Baidu", "Apple"};
        for (int i = 0; i < CHANNELS.length; i++) {
            CHANNELS[i] = string(i < COLD_CHANNELS ? "channel-" + i : hot[i - COLD_CHANNELS]);
            URLS[i] = string(url(i));
        }
        fillPowers();
    }

    private Tables() {}

    /** {@code round(100 * 10^(6 u))} with {@code u} from the 42 highest bits. */
    static long price(long r) {
        double y = ((r >>> 22) & 0xFFFFFFFFL) * PRICE_SCALE;
        return (long) (POWERS[(int) (r >>> 54)] * (1 + y * (1 + y * (0.5 + y * 0.16666666666666666))) + 0.5);
    }

    private static void fillPowers() {
        double[] roots = new double[11];
        roots[1] = Math.sqrt(1_000_000);
        for (int k = 1; k < 10; k++) {
            roots[k + 1] = Math.sqrt(roots[k]);
        }
        for (int i = 0; i < POWERS.length; i++) {
            double power = 100.0;
            for (int k = 1; k <= 10; k++) {
                if ((i >> (10 - k) & 1) == 1) {
                    power *= roots[k];
                }
            }
            POWERS[i] = power;
        }
    }

    private static String url(int channel) {
        StringBuilder url = new StringBuilder("https://www.nexmark.com/");
        for (int part = 0; part < 3; part++) {
            long r = constant(3, 4L * channel + part);
            int offset = (int) low(r) & 0xFFFF;
            int length = 3 + (int) below(high(r), 2);
            url.append(new String(WORDS, offset, length, StandardCharsets.US_ASCII).replace(' ', '_')).append('/');
        }
        url.append("item.htm?query=1");
        if (channel < COLD_CHANNELS && below(high(constant(3, 4L * channel + 3)), 10) > 0) {
            url.append("&channel_id=").append(Math.abs((long) Integer.reverse(channel)));
        }
        return url.toString();
    }

    private static BinaryStringData[] names() {
        String[] first = {"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
        String[] last = {"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
        BinaryStringData[] names = new BinaryStringData[first.length * last.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = string(first[i / last.length] + " " + last[i % last.length]);
        }
        return names;
    }

    private static BinaryStringData[] strings(String... texts) {
        BinaryStringData[] strings = new BinaryStringData[texts.length];
        for (int i = 0; i < texts.length; i++) {
            strings[i] = string(texts[i]);
        }
        return strings;
    }

    /** Stored as bytes, so that nothing is encoded again. */
    private static BinaryStringData string(String text) {
        return BinaryStringData.fromBytes(text.getBytes(StandardCharsets.US_ASCII));
    }
}
