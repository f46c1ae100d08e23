"""Writes the compressed files of this folder, by other libraries: `pip install zstandard lz4 cramjam`."""

import bz2
import gzip
import lzma
import zlib

import cramjam
import lz4.frame
import zstandard

HALVES = [b"1,a\n2,b\n3", b",c\n4,d\n"]

COMPRESSIONS = {
    "gz": lambda half: gzip.compress(half, mtime=0),
    "deflate": zlib.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": lambda half: lz4.frame.compress(half, content_checksum=True),
    "snappy": lambda half: bytes(cramjam.snappy.compress(half)),
}

for ending, compress in COMPRESSIONS.items():
    # In two pieces, which must be read as one.
    with open(f"rows.csv.{ending}", "wb") as out:
        out.write(b"".join(compress(half) for half in HALVES))
