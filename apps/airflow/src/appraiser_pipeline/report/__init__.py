"""What a person wants to see of a new version: a ratio study, pictures, and what changed against the champion."""
