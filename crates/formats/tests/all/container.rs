//! Container files of Avro's that are made by hand: blocks whose heads are wrong, and large ones.

use flott_types::ErrorKind;
use flott_types::TypeKind::{self, *};

use crate::bulk::Memory;
use crate::case::Case;

fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut out = Vec::new();
    while rest > 0x7f {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
    out
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [long(bytes.len() as i64), bytes.to_vec()].concat()
}

/// A file of blocks: how many records each one says to have, and its bytes.
fn file(fields: &str, blocks: &[(i64, &[u8])]) -> Vec<u8> {
    let schema = format!(r#"{{"type":"record","name":"r","fields":[{fields}]}}"#);
    let sync = [7; 16];
    let mut out = b"Obj\x01".to_vec();
    out.extend([long(1), sized(b"avro.schema"), sized(schema.as_bytes()), long(0)].concat());
    out.extend(sync);
    for (count, bytes) in blocks {
        out.extend([long(*count), sized(bytes)].concat());
        out.extend(sync);
    }
    out
}

const ID: &str = r#"{"name":"id","type":"int"}"#;

#[test]
fn a_block_has_as_many_records_as_it_says() {
    let case = Case::new("avro", &[("id", Int)], &[]);
    let good = file(ID, &[(2, &[2, 4]), (0, &[]), (1, &[6])]);
    assert_eq!(case.read_whole(&good).unwrap(), "+I 1\n+I 2\n+I 3\n");
    assert_eq!(case.read_file(&good, 1, &[], 9).unwrap().lines().count(), 2);
    for (blocks, what) in [
        ([(1, &[2][..]), (0, &[4])], "it has no records, and 1 bytes"),
        ([(1, &[2]), (3, &[4])], "the bytes end in the middle of it"),
        ([(1, &[2]), (i64::MAX, &[4])], "the bytes end in the middle of it"),
        ([(1, &[2]), (1, &[4, 6])], "1 bytes follow the last record"),
    ] {
        let bad = file(ID, &blocks);
        // Also when no column is wanted, and when reading begins behind the first block.
        for (first, projection) in [(0, &[0][..]), (0, &[]), (1, &[0]), (1, &[])] {
            let error = case.read_file(&bad, first, projection, 100).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Data);
            let text = error.to_string();
            assert!(text.starts_with("the block at byte ") && text.contains(what), "{text}");
        }
    }
}

#[test]
fn a_batch_of_large_records_ends_before_it_has_many_rows() {
    let case = Case::new("avro", &[("text", TypeKind::STRING)], &[]);
    let record = sized(&vec![b'x'; 1 << 20]);
    let bytes = file(r#"{"name":"text","type":"string"}"#, &[(6, &record.repeat(6))]);
    let bulk = case.format.bulk().unwrap();
    let mut reader = bulk.reader(Box::new(Memory(bytes)), 0, &case.schema, &[0]).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = reader.read(1_000).unwrap() {
        rows.push(batch.num_rows());
    }
    assert_eq!(rows, [4, 2]);
}

#[test]
fn what_takes_no_bytes_is_passed_over() {
    let nothing = r#"{"type":"record","name":"n","fields":[{"name":"x","type":"null"}]}"#;
    let case = Case::new("avro", &[("id", Int)], &[]);
    for items in ["\"null\"", nothing, r#"{"type":"fixed","name":"f","size":0}"#] {
        let fields = format!(r#"{{"name":"list","type":{{"type":"array","items":{items}}}}},{ID}"#);
        for count in [3, 1_000, i64::MAX] {
            let record = [long(count), long(-count), long(0), long(0), long(5)].concat();
            assert_eq!(case.read_whole(&file(&fields, &[(1, &record)])).unwrap(), "+I 5\n", "{items}");
        }
    }
}
