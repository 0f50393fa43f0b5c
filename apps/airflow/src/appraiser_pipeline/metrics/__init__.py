"""What Prometheus is told of the pipeline."""

from appraiser_pipeline.metrics.collector import PipelineMetrics
from appraiser_pipeline.metrics.exporter import serve_metrics

__all__ = ["PipelineMetrics", "serve_metrics"]
