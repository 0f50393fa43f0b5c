"""The commands, one per file. They import what they need when they are called, so that `--help` is quick."""
