"""The durable log of what was answered: written before an answer leaves, shipped to the ledger afterwards.

`PredictionLog.append`, of what `single_house` makes, and `append_table` are what endpoints call; `new_request_id` makes
the id under which an answer is on record.
"""

from appraiser_api.prediction_log.entries import LoggedModel, single_house
from appraiser_api.prediction_log.ids import new_request_id
from appraiser_api.prediction_log.log import PredictionLog, SyncPolicy
from appraiser_api.prediction_log.metrics import LogMetrics

__all__ = ["LogMetrics", "LoggedModel", "PredictionLog", "SyncPolicy", "new_request_id", "single_house"]
