"""Tables and columns by hand: making, reading, listing, deleting; and ingest with files that are none."""

import struct
import sys

import scannerpy as sp


def main():
    sc = sp.Client()
    print(sc.summarize().count("\n"))
    table = sc.new_table("pairs", ["left", "right"], [[b"a", b"1"], [b"b", b"22"], [b"c", b"333"]])
    print(table.id(), table.name(), table.column_names(), table.num_rows(), table.committed(), table.exists())
    print(list(table.load(["right", "left"])))
    print(list(table.load(["left"], rows=[2, 0])))
    print(list(table.column("right").load(fn=len)))
    sc.new_table("numbers", ["column"], [[1], [2]], fns=[lambda value, protobufs: struct.pack("=q", value)])
    print(list(sp.NamedStream(sc, "numbers").load(fn=lambda b: struct.unpack("=q", b)[0])))
    try:
        sc.new_table("pairs", ["left"], [[b"x"]])
    except sp.ScannerException as error:
        print("pairs" in str(error))
    print(sc.new_table("pairs", ["left"], [[b"x"]], force=True).num_rows())
    good, bad = sys.argv[1], sys.argv[2]
    tables, failures = sc.ingest_videos([("good", good), ("bad", bad)], force=True)
    print([t.name() for t in tables], [path == bad and bool(reason) for path, reason in failures])
    print(sc.has_table("good"), sc.has_table("bad"), sc.table("bad").exists())
    print(sc.table("good").num_rows(), sc.sequence("good").name(), len(list(sc.sequence("good").load(rows=[3, 1]))))
    try:
        sc.ingest_videos([("worse", bad)])
    except sp.ScannerException as error:
        print(bad in str(error))
    sc.delete_tables(["good", "never was"])
    print(sc.has_table("good"))


if __name__ == "__main__":
    main()
