"""The pipeline's steps and the DAGs that wire them."""
