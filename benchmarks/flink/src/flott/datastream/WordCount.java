package flott.datastream;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * Word count with the DataStream API over the same lines as Flott's (benchmarks/datastream/src/data.rs), in a cluster of this
 * process. Warms up first; then prints the words, and the seconds that passed and that the processor worked for them.
 *
 * <p>Arguments: parallelism, words, words of the warm-up.
 */
public final class WordCount {
    private static final long VOCABULARY = 10_000;
    private static final long WORDS_PER_LINE = 10;

    private WordCount() {}

    public static void main(String[] arguments) throws Exception {
        int parallelism = Integer.parseInt(arguments[0]);
        long words = Long.parseLong(arguments[1]);
        run(parallelism, Long.parseLong(arguments[2]));
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = system.getProcessCpuTime();
        long wall = System.nanoTime();
        run(parallelism, words);
        System.out.printf(
                "count %d wall %.3f cpu %.3f%n",
                words, (System.nanoTime() - wall) / 1e9, (system.getProcessCpuTime() - cpu) / 1e9);
    }

    private static void run(int parallelism, long words) throws Exception {
        var env = StreamExecutionEnvironment.createLocalEnvironment(parallelism, new Configuration());
        env.getConfig().enableObjectReuse();
        env.fromSequence(0, words / WORDS_PER_LINE - 1)
                .map(WordCount::line)
                .returns(Types.STRING)
                .<Tuple2<String, Long>>flatMap((line, out) -> {
                    for (String word : line.split(" ")) {
                        out.collect(Tuple2.of(word, 1L));
                    }
                })
                .returns(Types.TUPLE(Types.STRING, Types.LONG))
                .keyBy(count -> count.f0)
                .sum(1)
                .sinkTo(new DiscardingSink<>());
        env.execute("words");
    }

    private static long mix(long number) {
        long x = number * 0x9e3779b97f4a7c15L + 0x123456789abcdef1L;
        x = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9L;
        x = (x ^ (x >>> 27)) * 0x94d049bb133111ebL;
        return x ^ (x >>> 31);
    }

    private static String line(long number) {
        var line = new StringBuilder(80);
        for (long at = 0; at < WORDS_PER_LINE; at++) {
            if (at > 0) {
                line.append(' ');
            }
            appendWord(Long.remainderUnsigned(mix(number * WORDS_PER_LINE + at), VOCABULARY), line);
        }
        return line.toString();
    }

    private static void appendWord(long word, StringBuilder line) {
        long letters = mix(word ^ 0xabcd);
        long rest = word;
        for (int at = 0; at < 3; at++) {
            line.append((char) ('a' + rest % 26));
            rest /= 26;
        }
        long more = Long.remainderUnsigned(letters, 8);
        for (long at = 0; at < more; at++) {
            letters = mix(letters);
            line.append((char) ('a' + Long.remainderUnsigned(letters, 26)));
        }
    }
}
