"""Streams as the tables of other tools: pandas, Arrow, Parquet. Their packages are imported when they are asked for."""
