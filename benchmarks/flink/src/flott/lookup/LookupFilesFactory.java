package flott.lookup;

import java.util.Set;

import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/**
 * Finds {@code 'connector' = 'lookup-files'}: a csv file that is looked up and cannot be scanned. Flink's own {@code filesystem} cannot be
 * looked up since version 1.12, and no other connector that comes with Flink can.
 */
public final class LookupFilesFactory implements DynamicTableSourceFactory {
    private static final ConfigOption<String> PATH = ConfigOptions.key("path").stringType().noDefaultValue();
    private static final ConfigOption<String> FORMAT = ConfigOptions.key("format").stringType().defaultValue("csv");
    private static final ConfigOption<String> CACHE = ConfigOptions.key("lookup.cache").stringType().defaultValue("FULL");
    private static final ConfigOption<String> NULL = ConfigOptions.key("csv.null-literal").stringType().noDefaultValue();
    /** {@code sync}, {@code async} or {@code both}. */
    private static final ConfigOption<String> ANSWERS = ConfigOptions.key("answers").stringType().defaultValue("sync");

    @Override
    public String factoryIdentifier() {
        return "lookup-files";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(PATH);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(FORMAT, CACHE, NULL, ANSWERS);
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        ReadableConfig options = helper.getOptions();
        return new LookupFilesSource(options.get(PATH), options.get(NULL), options.get(ANSWERS), context.getPhysicalRowDataType(), null);
    }
}
