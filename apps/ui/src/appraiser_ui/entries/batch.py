"""Runs the page *Batch*."""

from appraiser_ui.batch.page import show
from appraiser_ui.settings import Settings

show(str(Settings().api_url))
