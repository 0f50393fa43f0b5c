"""Runs the page *Models*."""

from appraiser_ui.models.page import show
from appraiser_ui.settings import Settings

show(str(Settings().api_url))
