//! Tables that other engines have written to or have changed.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use flott_connector::conformance::commit;
use flott_types::TypeKind;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::lake::Lake;

/// Bytes with a number as Avro has it, and where it ends.
fn number_at(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut value, mut shift) = (0, 0);
    loop {
        value |= usize::from(bytes[at] & 0x7f) << shift;
        (shift, at) = (shift + 7, at + 1);
        if bytes[at - 1] < 0x80 {
            return (value / 2, at);
        }
    }
}

fn place(bytes: &[u8], of: &str) -> usize {
    bytes.windows(of.len()).rposition(|window| window == of.as_bytes()).unwrap()
}

impl Lake {
    /// Another engine has written the list of manifests.
    fn change_list(&self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let newest = self.newest();
        let path = newest["snapshots"].as_array().unwrap().last().unwrap()["manifest-list"].clone();
        std::fs::write(path.as_str().unwrap(), change(std::fs::read(path.as_str().unwrap()).unwrap()))
            .unwrap();
    }

    fn commit_error(&self, rows: &str) -> String {
        let handed_over = self.handed_over(7, rows);
        commit(&*self.sink(), &handed_over).unwrap_err().to_string()
    }

    fn reading_error(&self) -> String {
        self.try_rows().unwrap_err().to_string()
    }
}

/// The fields of a list have other names.
fn renamed(bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let key = bytes.windows(11).position(|window| window == b"avro.schema").unwrap() + 11;
    let (length, start) = number_at(&bytes, key);
    let schema = String::from_utf8(bytes[start..start + length].to_vec()).unwrap();
    let schema = schema.replace(from, to);
    let mut new = bytes[..key].to_vec();
    let mut rest = schema.len() * 2;
    while rest >= 0x80 {
        new.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    new.push(rest as u8);
    new.extend_from_slice(schema.as_bytes());
    new.extend_from_slice(&bytes[start + length..]);
    new
}

/// The last manifest of a list is of deletes.
fn of_deletes(mut bytes: Vec<u8>) -> Vec<u8> {
    let path = place(&bytes, "-m0.avro") + "-m0.avro".len();
    // Its length, its partition spec, its content.
    let (_, spec) = number_at(&bytes, path);
    assert_eq!(bytes[spec + 1], 0);
    bytes[spec + 1] = 2;
    bytes
}

#[test]
fn lists_with_the_names_of_java_are_read_and_their_counts_are_kept() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    lake.change_list(|bytes| renamed(bytes, "_files_count", "_data_files_count"));
    assert_eq!(lake.rows(), ["+I 1 a p"]);
    commit(&*lake.sink(), &lake.handed_over(2, "+I 2 b p")).unwrap();
    assert_eq!(lake.rows(), ["+I 1 a p", "+I 2 b p"]);
    // The last of the list is the first that was written: had its count become 0, nothing would be refused.
    lake.change_list(of_deletes);
    assert!(lake.reading_error().contains("files of deleted rows"), "{}", lake.reading_error());
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    lake.change_list(|bytes| renamed(of_deletes(bytes), "_files_count", "_data_files_count"));
    assert!(lake.reading_error().contains("files of deleted rows"), "{}", lake.reading_error());
}

#[test]
fn unknown_counts_are_not_none() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    lake.change_list(|bytes| renamed(bytes, "existing_files_count", "other_count"));
    assert_eq!(lake.rows(), ["+I 1 a p"]);
    let error = lake.commit_error("+I 2 b p");
    assert!(error.contains("how many files and rows"), "{error}");
    lake.change_list(of_deletes);
    assert!(lake.reading_error().contains("files of deleted rows"));
}

#[test]
fn a_compressed_version_is_not_passed_over() {
    for (name, hint) in
        [("v9.gz.metadata.json", "9"), ("v9.metadata.json.gz", "9"), ("vN.gz.metadata.json", "")]
    {
        let lake = Lake::new(&[], &[]);
        lake.write("+I 1 a p");
        let (next, handed_over) = (lake.versions() + 1, lake.handed_over(2, "+I 2 b p"));
        std::fs::write(lake.metadata(&name.replace('N', &next.to_string())), b"gzip").unwrap();
        if !hint.is_empty() {
            std::fs::write(lake.metadata("version-hint.text"), hint).unwrap();
        }
        let error = commit(&*lake.sink(), &handed_over).unwrap_err().to_string();
        assert!(error.contains("compressed metadata"), "{name}: {error}");
        assert!(lake.reading_error().contains("compressed metadata"), "{name}");
        assert!(!lake.metadata(&format!("v{next}.metadata.json")).exists());
    }
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    std::fs::write(lake.metadata("version-hint.text"), "8").unwrap();
    assert!(lake.reading_error().contains("version 8"), "{}", lake.reading_error());
    // Versions to come would be compressed.
    let lake = Lake::new(&[], &[]);
    let handed_over = lake.handed_over(2, "+I 1 a p");
    lake.change(|table| table["properties"]["write.metadata.compression-codec"] = "gzip".into());
    let error = commit(&*lake.sink(), &handed_over).unwrap_err().to_string();
    assert!(error.contains("compression-codec"), "{error}");
}

#[test]
fn files_of_a_partition_spec_of_before_are_committed() {
    let lake = Lake::new(&[], &["p"]);
    let before = lake.handed_over(1, "+I 1 a p");
    lake.change(|table| {
        table["partition-specs"]
            .as_array_mut()
            .unwrap()
            .push(serde_json::json!({"spec-id": 1, "fields": []}));
        table["default-spec-id"] = 1.into();
    });
    let mut both = before;
    both.extend(lake.handed_over(1, "+I 2 b q"));
    commit(&*lake.sink(), &both).unwrap();
    assert_eq!(lake.rows(), ["+I 1 a p", "+I 2 b q"]);
    let lake = Lake::new(&[], &["p"]);
    let before = lake.handed_over(1, "+I 1 a p");
    lake.change(|table| {
        table["partition-specs"] = serde_json::json!([{"spec-id": 1, "fields": []}]);
        table["default-spec-id"] = 1.into();
    });
    let error = commit(&*lake.sink(), &before).unwrap_err().to_string();
    assert!(error.contains("no partition spec 0"), "{error}");
}

#[test]
fn a_table_is_never_older_than_it_was() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    let later = i64::MAX / 2;
    lake.change(|table| table["last-updated-ms"] = later.into());
    commit(&*lake.sink(), &lake.handed_over(2, "+I 2 b p")).unwrap();
    let newest = lake.newest();
    assert_eq!(newest["last-updated-ms"], later);
    assert_eq!(newest["snapshots"][1]["timestamp-ms"], later);
    assert_eq!(newest["snapshot-log"][1]["timestamp-ms"], later);
}

#[test]
fn columns_of_another_type_are_refused() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    lake.change(|table| table["schemas"][0]["fields"][0]["type"] = "double".into());
    let error = lake.reader().map(drop);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("'a' has the type DOUBLE") && error.contains("cannot be BIGINT"), "{error}");
    let error = lake.sink().check().unwrap_err().to_string();
    assert!(error.contains("'a' has the type DOUBLE"), "{error}");
}

#[test]
fn columns_that_a_file_has_not_as_the_table_are_refused() {
    // Its values may be in the manifest alone.
    let lake = Lake::new(&[], &["p"]);
    lake.write("+I 1 a p");
    lake.change(|table| {
        table["schemas"][0]["fields"][2]["id"] = 9.into();
        table["partition-specs"][0]["fields"][0]["source-id"] = 9.into();
    });
    assert!(lake.reading_error().contains("said of its partition"), "{}", lake.reading_error());
    // One that was added is NULL.
    lake.change(|table| table["partition-specs"] = serde_json::json!([{"spec-id": 0, "fields": []}]));
    assert_eq!(lake.rows(), ["+I 1 a NULL"]);
}

#[test]
fn fields_within_columns_are_those_of_the_table() {
    let mut lake = Lake::new(&[], &[]);
    let row = |name: &str| {
        let field = |name: &str| flott_types::RowField {
            name: name.to_owned(),
            ty: TypeKind::Int.nullable(),
            comment: None,
        };
        TypeKind::Row(vec![field("x"), field(name)]).nullable()
    };
    lake.spec.table.schema.columns[1].ty = row("y");
    lake.write("+I 1 (2,3) p");
    assert_eq!(lake.rows().len(), 1);
    let before = lake.newest()["schemas"][0]["fields"][1]["type"].clone();
    // Dropped and added again: another field.
    lake.change(|table| table["schemas"][0]["fields"][1]["type"]["fields"][1]["id"] = 99.into());
    assert!(lake.reading_error().contains("other fields within it"), "{}", lake.reading_error());
    // Renamed.
    lake.change(|table| {
        table["schemas"][0]["fields"][1]["type"] = before;
        table["schemas"][0]["fields"][1]["type"]["fields"][1]["name"] = "z".into();
    });
    lake.spec.table.schema.columns[1].ty = row("z");
    assert!(lake.reading_error().contains("other fields within it"), "{}", lake.reading_error());
}

#[test]
fn names_of_before_in_files_without_ids_are_refused() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    let file = lake.data().pop().unwrap();
    let rows = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&file).unwrap()).unwrap();
    let rows = rows.build().unwrap().next().unwrap().unwrap();
    let without = |field: &FieldRef| field.as_ref().clone().with_metadata(Default::default());
    let schema = Arc::new(Schema::new(rows.schema().fields().iter().map(without).collect::<Vec<_>>()));
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(&file).unwrap(), schema.clone(), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, rows.columns().to_vec()).unwrap()).unwrap();
    writer.close().unwrap();
    assert_eq!(lake.rows(), ["+I 1 a p"]);
    let named = |names: &[&str]| {
        let of = |(id, names)| serde_json::json!({"field-id": id, "names": names});
        let mapping = [(1, vec!["a"]), (2, names.to_vec()), (3, vec!["p"])].map(of);
        let mapping = serde_json::Value::from(mapping.to_vec()).to_string();
        lake.change(|table| table["properties"]["schema.name-mapping.default"] = mapping.into());
    };
    named(&["b"]);
    assert_eq!(lake.rows(), ["+I 1 a p"]);
    named(&["old", "b"]);
    assert!(lake.reading_error().contains("names of before"), "{}", lake.reading_error());
}
