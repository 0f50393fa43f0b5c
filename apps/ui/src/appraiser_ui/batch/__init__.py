"""Many houses at once: a file, its columns, a check row by row, prices, and files to keep."""
