"""Starts runs of the pipeline in Airflow and follows them."""
