//! How SHOW FUNCTIONS writes the names of functions: those of Flink's first expressions in lower case, later ones in upper case.

#[rustfmt::skip]
const OLD: &[&str] = &[
    "ABS", "ACOS", "APPROX_COUNT_DISTINCT", "ARRAY", "ASCII", "ASIN", "ATAN", "ATAN2", "AVG",
    "BIN", "CARDINALITY", "CEIL", "CEILING", "CHAR_LENGTH", "CHARACTER_LENGTH", "CHR",
    "COLLECT", "CONCAT", "CONCAT_WS", "CONVERT_TZ", "COS", "COSH", "COT", "COUNT", "CUME_DIST",
    "CURRENT_DATABASE", "CURRENT_DATE", "CURRENT_ROW_TIMESTAMP", "CURRENT_TIME",
    "CURRENT_TIMESTAMP", "DATE_FORMAT", "DAYOFMONTH", "DAYOFWEEK", "DAYOFYEAR", "DECODE",
    "DEGREES", "DENSE_RANK", "E", "ELEMENT", "ENCODE", "EXP", "EXTRACT", "FIRST_VALUE", "FLOOR",
    "FROM_BASE64", "FROM_UNIXTIME", "HEX", "HOUR", "IF", "INITCAP", "INSTR", "IS_ALPHA",
    "IS_DECIMAL", "IS_DIGIT", "ITEM", "JSON_ARRAYAGG", "JSON_OBJECTAGG", "LAG", "LAST_VALUE",
    "LEAD", "LEFT", "LISTAGG", "LN", "LOCALTIME", "LOCALTIMESTAMP", "LOCATE", "LOG", "LOG10",
    "LOG2", "LOWER", "LPAD", "LTRIM", "MAP", "MAX", "MD5", "MIN", "MINUTE", "MOD", "MONTH",
    "NOW", "NTILE", "NULLIF", "OVERLAPS", "OVERLAY", "PARSE_URL", "PERCENT_RANK", "PI",
    "POSITION", "POWER", "PROCTIME", "QUARTER", "RADIANS", "RAND", "RAND_INTEGER", "RANK",
    "REGEXP", "REGEXP_EXTRACT", "REGEXP_REPLACE", "REPEAT", "REPLACE", "REVERSE", "RIGHT",
    "ROUND", "ROW", "ROW_NUMBER", "RPAD", "RTRIM", "SECOND", "SHA1", "SHA2", "SHA224", "SHA256",
    "SHA384", "SHA512", "SIGN", "SIN", "SINGLE_VALUE", "SINH", "SPLIT_INDEX", "SQRT", "STDDEV",
    "STDDEV_POP", "STDDEV_SAMP", "STR_TO_MAP", "SUBSTR", "SUBSTRING", "SUM", "SUM0", "TAN",
    "TANH", "TIMESTAMPADD", "TIMESTAMPDIFF", "TO_BASE64", "TO_DATE", "TO_TIMESTAMP",
    "TRANSLATE", "TRIM", "TRUNCATE", "UNIX_TIMESTAMP", "UPPER", "UUID", "VAR_POP", "VAR_SAMP",
    "VARIANCE", "WEEK", "YEAR",
];

/// A function's name, as SHOW FUNCTIONS has it.
pub(super) fn listed(name: &str) -> String {
    match OLD.binary_search(&name) {
        Ok(_) => name.to_lowercase(),
        Err(_) => name.to_owned(),
    }
}
