"""Writes the files of this folder, which other libraries wrote: `pip install fastavro cramjam backports.zstd grpcio-tools`.

`flink.avro` is of Flink 2.3 with its `flink-sql-avro`: an INSERT into a table of the connector `filesystem`, whose columns and
values are in `tests/all/avro.rs`.

They are read by the tests. Run it in this folder when a case is added; the files must not change otherwise.
"""

import datetime
import decimal
import io
import json

import fastavro

UTC = datetime.timezone.utc

SCHEMA = {
    "type": "record",
    "name": "Trip",
    "namespace": "org.example",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": ["null", "string"]},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["CITY", "COUNTRY"]}},
        {"name": "fare", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
        {"name": "toll", "type": {"type": "fixed", "size": 5, "name": "Toll", "logicalType": "decimal", "precision": 9, "scale": 3}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "noon", "type": {"type": "long", "logicalType": "time-micros"}},
        {"name": "started", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "ended", "type": [{"type": "long", "logicalType": "timestamp-micros"}, "null"]},
        {"name": "seen", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
        {"name": "hash", "type": {"type": "fixed", "size": 3, "name": "Hash"}},
        {"name": "again", "type": "Hash"},
        {"name": "uuid", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}},
        {"name": "counts", "type": {"type": "map", "values": "int"}},
        {
            "name": "stop",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Stop",
                    "fields": [
                        {"name": "lat", "type": "float"},
                        {"name": "extra", "type": "string"},
                        {"name": "next", "type": ["null", "Stop"]},
                        {"name": "legs", "type": {"type": "array", "items": "double"}},
                    ],
                },
            ],
        },
        {"name": "either", "type": ["null", "int", "string"]},
        {"name": "flag", "type": "boolean"},
    ],
}


def stop(lat, following=None):
    return {"lat": lat, "extra": "é" * 3, "next": following, "legs": [lat, -1.5]}


def rows(count):
    at = datetime.datetime(2024, 2, 29, 12, 30, 15, 678901, UTC)
    for row in range(count):
        odd = row % 2 == 1
        yield {
            "id": row - 1,
            "name": None if row % 3 == 2 else f"naïve {row}",
            "kind": "COUNTRY" if odd else "CITY",
            "fare": decimal.Decimal(f"{-row}.{row % 100:02d}"),
            "toll": decimal.Decimal(row) / 1000,
            "day": datetime.date(1969, 12, 31) + datetime.timedelta(row),
            "noon": datetime.time(12, 0, row % 60, 345678),
            "started": at - datetime.timedelta(milliseconds=row),
            "ended": None if odd else at + datetime.timedelta(microseconds=row),
            "seen": at.replace(tzinfo=None),
            "hash": bytes([row % 256, 0, 255]),
            "again": b"abc",
            "uuid": "12345678-1234-5678-1234-56781234567" + str(row % 10),
            "tags": ["a", None, "b"][: row % 4],
            "counts": {} if row == 0 else {"x": row, "y y": -row},
            "stop": None if odd else stop(row / 2, stop(1.0, stop(2.0))),
            "either": None if row % 3 == 0 else (row if row % 3 == 1 else "text"),
            "flag": odd,
        }


for codec in ["null", "deflate", "snappy", "bzip2", "xz", "zstandard"]:
    with open(f"trips.{codec}.avro", "wb") as out:
        # Several blocks.
        fastavro.writer(out, SCHEMA, rows(8), codec=codec, sync_interval=300, sync_marker=b"0123456789abcdef")

# Bare records of the schema that Flink derives of a table.
BARE = {
    "type": "record",
    "name": "record",
    "namespace": "org.apache.flink.avro.generated",
    "fields": [
        {"name": "id", "type": "int"},
        {"name": "name", "type": ["null", "string"], "default": None},
        {"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}], "default": None},
        {"name": "at_", "type": ["null", {"type": "long", "logicalType": "timestamp-millis"}], "default": None},
        {"name": "tags", "type": ["null", {"type": "array", "items": ["null", "int"]}], "default": None},
    ],
}
messages = []
for row in range(3):
    out = io.BytesIO()
    record = {
        "id": row,
        "name": f"n{row}",
        "price": decimal.Decimal(f"{row}.50"),
        "at_": datetime.datetime(2024, 1, 1, 0, 0, row, 1000, UTC),
        "tags": [row, None],
    }
    fastavro.schemaless_writer(out, BARE, record if row < 2 else {"id": 2})
    messages.append(out.getvalue().hex())
with open("messages.avro.json", "w") as out:
    json.dump(messages, out)
    out.write("\n")


def protobuf():
    """Messages of protobuf's own library: `pip install grpcio-tools`."""
    import pathlib
    import sys
    import tempfile

    from grpc_tools import protoc

    google = str(pathlib.Path(protoc.__file__).parent / "_proto")
    with tempfile.TemporaryDirectory() as folder:
        compile = ["", "-I.", f"-I{google}", f"--python_out={folder}", "order.proto", "old.proto"]
        assert protoc.main(compile) == 0
        describe = ["", "-I.", f"-I{google}", "--include_imports", "--descriptor_set_out=order.desc", "order.proto"]
        assert protoc.main(describe) == 0
        sys.path.insert(0, folder)
        import old_pb2
        import order_pb2

        order = order_pb2.Order(
            id=-5, rank=0, delta=-3, small=2**32 - 1, large=-(2**63), huge=2**64 - 1, paid=True, weight=0.5,
            total=-1e300, note="naïve €", raw=b"\x00\xff", state="PAID", code=-2, numbers=[0, -1, 2**63 - 1],
            loose=[1, 2], tags=["a", ""], counts={"x": 1, "": 0}, card="1234", states=["LOST", "NEW"],
        )
        order.items.add(name="anvil", count=2, price=0.0).gift.gift.name = "deep"
        order.items.add()
        order.by_id[7].name = "seven"
        order.first.count = 1
        order.placed.FromJsonString("2024-01-02T03:04:05.000000006Z")
        messages = {
            "order": order,
            "empty": order_pb2.Order(),
            "old": old_pb2.Old(a=0, kind="B", inner=old_pb2.Old(b=""), list=[1]),
        }
        with open("messages.protobuf.json", "w") as out:
            json.dump({k: v.SerializeToString(deterministic=True).hex() for k, v in messages.items()}, out, indent=1)
            out.write("\n")


protobuf()
