"""`python -m appraiser_cli` is the appraiser command."""

from appraiser_cli.main import main

main()
