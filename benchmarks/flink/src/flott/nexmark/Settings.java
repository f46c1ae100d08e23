package flott.nexmark;

import java.io.Serializable;

/**
 * The settings of the generator. The names and meanings are those of {@code benchmarks/generator.md}.
 *
 * @param events how many there are; {@link Long#MAX_VALUE} without end
 * @param rate events for each second of event time
 * @param persons share of persons in an epoch
 * @param auctions share of auctions in an epoch
 * @param bids share of bids in an epoch
 * @param personSize average size of a person in bytes
 * @param auctionSize average size of an auction in bytes
 * @param bidSize average size of a bid in bytes
 * @param hotAuctions one in this many bids is not on a hot auction
 * @param hotBidders one in this many bids is not by a hot bidder
 * @param hotSellers one in this many auctions is not by a hot seller
 * @param rateLimited whether events leave only when they are due
 * @param groupSize events are shuffled in groups of this size
 * @param seed where randomness comes from
 * @param baseTime of the first event, in milliseconds since 1970
 */
record Settings(
        long events,
        long rate,
        int persons,
        int auctions,
        int bids,
        int personSize,
        int auctionSize,
        int bidSize,
        long hotAuctions,
        long hotBidders,
        long hotSellers,
        boolean rateLimited,
        long groupSize,
        long seed,
        long baseTime)
        implements Serializable {
    /** How many events an epoch has. */
    int epoch() {
        return persons + auctions + bids;
    }

    /** How long after the first event's time event {@code number} is, in milliseconds. */
    long offset(long number) {
        return number * 1000 / rate;
    }
}
