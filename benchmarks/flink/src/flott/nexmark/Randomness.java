package flott.nexmark;

/** Random numbers as a function of seed, field and event ({@code benchmarks/generator.md}, "Numbers"). */
final class Randomness {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private Randomness() {}

    /** The finaliser of SplitMix64. */
    static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** What the draws of a field begin with. */
    static long stream(long seed, int field) {
        return mix(mix(seed + STEP) + field * STEP);
    }

    /** The random number of an event in a stream. */
    static long draw(long stream, long event) {
        return mix(stream + event * STEP);
    }

    /** Entry {@code index} of the constant table {@code table}. */
    static long constant(long table, long index) {
        return mix(mix(table) + index * STEP);
    }

    static long high(long r) {
        return r >>> 32;
    }

    static long low(long r) {
        return r & 0xFFFFFFFFL;
    }

    /** A number in [0, n), from 32 random bits. */
    static long below(long bits, long n) {
        return (bits * n) >>> 32;
    }

    /** A number in [0, n), from 16 of the random bits: {@code quarter} 0 has the highest. */
    static int below16(long r, int quarter, int n) {
        return (quarter(r, quarter) * n) >>> 16;
    }

    /** 16 of the random bits: {@code quarter} 0 has the highest. */
    static int quarter(long r, int quarter) {
        return (int) (r >>> (48 - 16 * quarter)) & 0xFFFF;
    }
}
