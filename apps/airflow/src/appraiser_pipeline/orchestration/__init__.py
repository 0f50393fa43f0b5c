"""What Airflow gets beside the steps: when a task is tried again, who is told of a failure, where its links lead.

DAG files import these modules whenever they are read, and every Airflow process reads the plugin: none of them imports
the libraries of the steps.
"""
