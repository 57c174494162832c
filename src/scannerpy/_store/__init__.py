"""Where bytes live, and since when they count.

`objects` are named immutable bytes on a disk or in a bucket; a `chunk` packs many items into one; the `catalog` is the
log of which tables there are; a `manifest` says which chunks a table is made of; `layout` makes up the names.
"""
