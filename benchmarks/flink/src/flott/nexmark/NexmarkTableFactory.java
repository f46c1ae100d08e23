package flott.nexmark;

import java.util.Set;

import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.LogicalType;

/** Finds {@code 'connector' = 'nexmark'}. */
public final class NexmarkTableFactory implements DynamicTableSourceFactory {
    @Override
    public String factoryIdentifier() {
        return "nexmark";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Options.ALL;
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        FactoryUtil.TableFactoryHelper helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        LogicalType given = context.getPhysicalRowDataType().getLogicalType();
        LogicalType expected = Field.table().getLogicalType();
        if (!given.copy(true).equals(expected.copy(true))) {
            throw new ValidationException("A table of the connector 'nexmark' has the columns " + expected + ", but these are declared: " + given);
        }
        return new NexmarkTableSource(Options.read(helper.getOptions()));
    }
}
