"""The peers, one a file, and ourselves. Each has

    prepare(workload, out) -> a context manager that yields the work to be timed

`prepare` imports, warms up and starts whatever stays warm between runs (process pools, clusters, instances); the work
leaves its result in `out`. Each is written as somebody would who knows the library well and wants it fast.
"""
