"""Appraisals, explanations and models over HTTP."""
