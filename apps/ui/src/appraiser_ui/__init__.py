"""The web page: appraise a house, see why models came and went."""
