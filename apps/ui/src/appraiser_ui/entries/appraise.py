"""Runs the page *Appraise*."""

from appraiser_ui.appraise.page import show
from appraiser_ui.settings import Settings

show(str(Settings().api_url))
