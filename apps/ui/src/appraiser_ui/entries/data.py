"""Runs the page *Data*."""

from appraiser_ui.data.page import show
from appraiser_ui.settings import Settings

show(str(Settings().api_url))
