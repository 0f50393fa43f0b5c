"""Tables of listings in people's files: CSV, Parquet and JSON, told apart by what is in them, read in portions.

Who checks a file and who serves it read it here, so that both see the same cells. Memory is bounded by the size of a
portion, for Parquet by that of a row group. Needs numpy and polars.
"""

from appraiser_schema.files.opening import Format, TableFile, open_table
from appraiser_schema.files.portions import CUT_RULE, NULLS, ROW_NUMBER, Portion

__all__ = ["CUT_RULE", "NULLS", "ROW_NUMBER", "Format", "Portion", "TableFile", "open_table"]
