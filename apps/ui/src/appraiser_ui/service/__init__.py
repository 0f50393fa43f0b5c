"""How the service stands: health of every part, what is asked, the live error, and what waits."""
