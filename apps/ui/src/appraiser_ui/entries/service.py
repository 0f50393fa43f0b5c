"""Runs the page *Service*."""

from appraiser_ui.service.page import show
from appraiser_ui.settings import Settings

show(str(Settings().api_url))
